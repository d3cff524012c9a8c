"""Documents a second and core of level "paragraph", from texts to the cuts table.

    python -m tests.bench.paragraph_rates [--documents 50000 200000] [--policy first]

Documents are made: 1,200 characters on average, in lines; a third of the lines stand in others too,
those of a site, quotations, and one line in every second document. Beside it, the time of a plain
Python program over the same texts in memory, line by line with one set of SHA-1 digests, which
must cut the same number of characters. All seconds are of processors: the driver, the JVM and the
Python workers together. The last column: how many times longer than the first size it took.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, DedupConfig
from jobs.run.session import spark_session
from jobs.transforms.paragraphs import find_paragraph_cuts
from jobs.transforms.ranks import rank_of
from tests.bench.dedup_cpu import tree_cpu_seconds
from tests.bench.timing import table
from tests.builders.checkpoints import parquet_checkpoint

PROPERTIES = Path(__file__).resolve().parents[2] / "conf" / "spark-local.conf"
MIN_CHARS = 200
FILES = 8
WARM_DOCUMENTS = 2_000

_SITE_DOCUMENTS = 200
_HOT_LINE = "本网站所刊载的全部内容，版权均属于本网站所有，未经书面许可不得转载"


class Measured(NamedTuple):
    """One run over a corpus."""

    seconds: float
    """Of processors."""
    documents: int
    """That lose text."""
    cut_chars: int


def made_texts(seed: int, count: int) -> Iterator[str]:
    """Documents; the same for the same arguments."""
    dice = np.random.default_rng(seed)
    quotations = [_line(dice) for _ in range(max(count // 50, 10))]
    for number in range(count):
        if number % _SITE_DOCUMENTS == 0:
            site = [_line(dice) for _ in range(12)]
        shared = [site[at] for at in dice.permutation(12)[: dice.integers(2, 6)]]
        shared += [quotations[int(len(quotations) * dice.random() ** 3)]] * dice.integers(0, 2)
        # Some pages are a menu and little else.
        own = [_line(dice) for _ in range(1 if dice.random() < 0.05 else dice.integers(4, 14))]
        lines = own + shared + ([_HOT_LINE] if number % 2 else [])
        yield "\n".join(lines[at] for at in dice.permutation(len(lines)))


def _line(dice: np.random.Generator) -> str:
    """A line of 20 to 150 characters."""
    codes = 0x4E00 + (3000 * dice.random(int(dice.integers(20, 150))) ** 2).astype(np.uint32)
    return str(codes.astype("<u4").tobytes().decode("utf-32-le"))


def write_corpus(folder: Path, count: int) -> None:
    """Parquet files of doc_id and text."""
    folder.mkdir(parents=True)
    texts = list(made_texts(count, count))
    ids = [hashlib.md5(str(number).encode()).hexdigest() for number in range(count)]
    rows = pa.table({"doc_id": ids, "text": texts})
    size = -(-count // FILES)
    for number in range(FILES):
        pq.write_table(rows.slice(number * size, size), folder / f"{number}.parquet")


def level(spark: SparkSession, corpus: Path, folder: Path, config: DedupConfig) -> Measured:
    """The level over a corpus, as the job runs it."""
    begun = tree_cpu_seconds()
    documents = spark.read.parquet(str(corpus)).select("doc_id", "text")
    # What the levels before it have at hand: folded characters, which are all but line feeds here.
    chars = F.length(F.regexp_replace("text", "\n", ""))
    ranks = spark.read.parquet(str(corpus)).select(
        "doc_id", chars.alias("chars"), F.lit(False).alias("preferred")
    )
    cuts = find_paragraph_cuts(
        documents,
        ranks.select(rank_of("longest").alias("rank")),
        config,
        MIN_CHARS,
        parquet_checkpoint(folder / "scratch"),
        lambda name, value: print(f"{name} = {value}", file=sys.stderr),
    )
    seconds = tree_cpu_seconds() - begun
    return Measured(seconds, *_totals(cuts))


def _totals(cuts: DataFrame) -> tuple[int, int]:
    lost = F.aggregate("spans", F.lit(0), lambda chars, span: chars + span["length"])
    row = cuts.agg(F.count("*").alias("documents"), F.sum(lost).alias("chars")).collect()[0]
    return row.documents, row.chars or 0


def plain_first(corpus: Path) -> Measured:
    """Policy "first" by a program of a dozen lines, for texts that normalising does not change."""
    rows = pq.read_table(corpus).to_pydict()
    begun = time.process_time()
    documents = sorted(
        zip(rows["doc_id"], rows["text"], strict=True),
        key=lambda row: (-len(row[1]) + row[1].count("\n"), row[0]),
    )
    seen: set[bytes] = set()
    cut_documents = cut_chars = 0
    for _, text in documents:
        kept, mine = [], set()
        for line in text.split("\n"):
            digest = hashlib.sha1(line.encode()).digest()
            if len(line) < DedupConfig.min_paragraph_chars:
                kept.append(line)
            elif digest not in seen and digest not in mine:
                mine.add(digest)
                kept.append(line)
        rest = "\n".join(kept)
        if len(rest) < len(text):
            cut_documents += 1
            cut_chars += len(text) - len(rest)
        if len(rest) >= MIN_CHARS or len(rest) == len(text):
            seen |= mine
    return Measured(time.process_time() - begun, cut_documents, cut_chars)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--policy", choices=["first", "frequent", "measure"], default="first")
    arguments = parser.parse_args(argv)
    os.environ["PYSPARK_SUBMIT_ARGS"] = f'--properties-file "{PROPERTIES}" pyspark-shell'
    config = DedupConfig(levels=("paragraph",), paragraph_policy=arguments.policy)
    lines = []
    with tempfile.TemporaryDirectory() as name, spark_session("bench", Config(), None) as spark:
        sizes = [WARM_DOCUMENTS, *arguments.documents]
        first = 0.0
        for run, count in enumerate(sizes):
            corpus = Path(name) / f"corpus-{run}"
            write_corpus(corpus, count)
            ours = level(spark, corpus, Path(name) / f"run-{run}", config)
            if run == 0:
                continue
            plain = plain_first(corpus)
            if arguments.policy == "first" and plain[1:] != ours[1:]:
                raise AssertionError(f"{plain} and {ours} differ")
            first = first or ours.seconds
            lines.append(
                [
                    f"{count:,}",
                    f"{ours.seconds:.1f}",
                    f"{count / ours.seconds:,.0f}",
                    f"{count / plain.seconds:,.0f}",
                    f"{ours.documents:,}",
                    f"{ours.cut_chars:,}",
                    f"{ours.seconds / first:.2f}",
                ]
            )
    headings = ["documents", "CPU s", "a core-s", "plain Python", "cut", "characters", "times"]
    print(table(headings, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
