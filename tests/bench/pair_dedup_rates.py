"""Deduplication of image-text pairs: pairs a core-second, and how that grows, beside plain ways.

    python -m tests.bench.pair_dedup_rates [--pairs 1000000 10000000] [--folder FOLDER]

Made pairs: an address of some 60 characters, a text of 16, a perceptual hash; a quarter repeat
another pair's address and text, a quarter another picture and text, a tenth a picture in up to
three other bits. They are written as Parquet first, which is not counted. Then each way reads them
and is run to its end, its rows counted: the levels of select_pairs, dropDuplicates on the same
strings, which names no pair and keeps any, and drop_duplicates of pandas for the smaller number.

Processor seconds of Python, JVM and workers, after a run over a tenth of the smallest number.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.run.session import spark_session
from jobs.run.store import Store
from jobs.transforms.images.duplicates import equal_pairs, near_images
from tests.bench.dedup_cpu import ROLES, RoleMeter
from tests.bench.dedup_taojin import driver_memory, submit_arguments
from tests.bench.timing import table

PAIRS = (1_000_000, 10_000_000)
LEVELS = ("(url, text)", "(phash, text)", "near images")
PANDAS_PAIRS = 1_000_000
"""The most that pandas gets: it holds all of them."""
WANTED = 20_000
"""Pairs a core-second."""
MAX_GROWTH = 1.1
_MAX_ROUNDS = 50


def made_pairs(spark: SparkSession, count: int) -> DataFrame:
    """rank, url, text, phash of so many pairs, from their numbers alone."""
    number = F.col("id")
    of_pair = F.when(number % 4 == 1, number - 1).otherwise(number)
    of_picture = F.when(number % 4 == 3, number - 1).otherwise(of_pair)
    bits = F.when(number % 10 == 0, F.shiftleft(F.lit(7).cast("bigint"), 17)).otherwise(0)
    near_to = F.when(number % 10 == 0, F.greatest(number - 8, F.lit(0))).otherwise(of_picture)
    return spark.range(count).select(
        F.concat(_digits(number), F.lpad(F.hex(number), 16, "0")).alias("rank"),
        F.concat(
            F.lit("https://img.example.cn/upload/a/"), _digits(of_pair), F.lit("_640x480.jpg")
        ).alias("url"),
        F.translate(_digits(of_picture, 1), *_CHARACTERS).alias("text"),
        F.xxhash64(near_to).bitwiseXOR(bits).alias("phash"),
    )


_CHARACTERS = ("0123456789ABCDEF", "山水云天桥河树花鸟鱼石城楼雪月风")


def _digits(number: Column, salt: int = 0) -> Column:
    """16 digits that follow from a number."""
    return F.lpad(F.hex(F.xxhash64(number, F.lit(salt))), 16, "0")


def ways(pairs: DataFrame, store: Store) -> dict[str, Callable[[], int]]:
    """Name -> a function that looks for repeats and counts the pairs that are left or go."""
    spark = pairs.sparkSession
    return {
        "(url, text)": lambda: equal_pairs(pairs, ("url", "text")).count(),
        "(url, text), dropDuplicates": lambda: _drop(pairs, ["url", "text"]),
        "(phash, text)": lambda: equal_pairs(pairs, ("phash", "text")).count(),
        "(phash, text), dropDuplicates": lambda: _drop(pairs, ["phash", "text"]),
        "near images": lambda: near_images(
            pairs, store.checkpoint(spark, "bench"), _MAX_ROUNDS
        ).count(),
    }


def _drop(pairs: DataFrame, columns: list[str]) -> int:
    """Rows that Spark's own way drops; it carries each pair's rank, as a selection must."""
    kept = pairs.select("rank", *columns).dropDuplicates(columns)
    return pairs.count() - kept.where(F.col("rank") != "").count()


def of_pandas(folder: Path) -> dict[str, Callable[[], int]]:
    """The same of pandas, for pairs that are small enough."""

    def dropped(columns: list[str]) -> int:
        rows = pd.read_parquet(folder, columns=["rank", *columns]).sort_values("rank")
        return len(rows) - len(rows.drop_duplicates(columns))

    return {
        "(url, text), pandas": lambda: dropped(["url", "text"]),
        "(phash, text), pandas": lambda: dropped(["phash", "text"]),
    }


def measured(
    functions: Mapping[str, Callable[[], int]], meter: RoleMeter
) -> dict[str, tuple[float, int]]:
    """Name -> processor seconds of all processes, and what the function counted."""
    found = {}
    for name, function in functions.items():
        before = meter.seconds()
        count = function()
        after = meter.seconds()
        found[name] = (sum(after[role] - before[role] for role in ROLES), count)
        print(f"  {name}: {found[name][0]:.1f} s, {count:,} pairs", file=sys.stderr, flush=True)
    return found


def report(found: Mapping[int, Mapping[str, tuple[float, int]]]) -> str:
    """The rates of all ways, and whether they are enough and grow with the pairs alone."""
    smallest, *_, largest = (*found, *found)
    rows, failed = [], []
    for name in {name: None for of in found.values() for name in of}:
        rates = [count / found[count][name][0] if name in found[count] else None for count in found]
        shown = [("" if rate is None else f"{rate:,.0f}") for rate in rates]
        removed = found[smallest][name][1]
        rows.append([name, *shown, f"{removed / smallest:.3f}"])
        if name not in LEVELS:
            continue
        if any(rate is not None and rate < WANTED for rate in rates):
            failed.append(f"{name}: below {WANTED:,}")
        if rates[-1] is not None and rates[0] is not None and rates[0] / rates[-1] > MAX_GROWTH:
            failed.append(f"{name}: {rates[0] / rates[-1]:.2f} times the time a pair")
    headings = ["pairs a core-second", *(f"{count:,} pairs" for count in found), "share that goes"]
    verdict = "; ".join(failed) or f"all at {WANTED:,} or more, and linear to {largest:,}"
    return f"{table(headings, rows)}\n\n{verdict}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", nargs="+", type=int, default=PAIRS)
    parser.add_argument("--folder", type=Path, help="for some 100 bytes a pair")
    parser.add_argument("--alone", action="store_true", help="leave out the plain ways")
    parser.add_argument("--conf", nargs="*", default=[], help="of Spark: key=value")
    options = parser.parse_args(argv)
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(None, options.conf)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    found = {}
    try:
        with RoleMeter() as meter, spark_session("bench", Config(), None) as spark:
            for count in (min(options.pairs) // 10, *sorted(options.pairs)):
                place = folder / str(count)
                made_pairs(spark, count).write.parquet(str(place))
                pairs = spark.read.parquet(str(place))
                functions = ways(pairs, Store.at(str(folder / f"scratch-{count}")))
                if options.alone:
                    functions = {n: of for n, of in functions.items() if n in LEVELS}
                elif count <= PANDAS_PAIRS:
                    functions |= of_pandas(place)
                print(f"{count:,} pairs", file=sys.stderr)
                found[count] = measured(functions, meter)
                memory = driver_memory(spark)
                print(f"  driver: {memory}", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder)
    del found[min(found)]
    print(report(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
