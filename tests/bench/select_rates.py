"""How long a selection by budget and mix takes over stored documents, and its preview.

    python -m tests.bench.select_rates [--rows 1000000] [--keep DIR]

Makes the tables of an output that was extracted, measured, deduplicated and scored, with short
texts, and runs select_corpus on it as a user does, the start of Spark included: a first time, which
joins the tables, then by another threshold, by budget and mix, and as a preview, which read what
the first one joined. Then the cut alone is compared with a plain one: a running sum over the sorted
documents of each domain, and of all of them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.pipeline.stages import DUPLICATES as FIND
from jobs.pipeline.stages import EXTRACT, RULES, SCORE
from jobs.run.commits import Balance, commit_of
from jobs.run.ledger import FileBalance, close_ledger
from jobs.run.request import Run
from jobs.run.scorers import lock_id_of, stamp_of_scorer
from jobs.run.splits import Split, write_wave
from jobs.run.store import WHOLE, Store
from jobs.selection.stored_frame import FOLDER
from jobs.tables import DOCUMENTS, DUPLICATES, EDITS, FLAGGED, MEASURED, schema_of, scores
from jobs.transforms.selection.budget import budget_reason, cut, with_budget_columns
from tests.bench.pack_rates import local_session
from tests.bench.process_tree import Usage, measure
from udfs.scorers.domain import LABELS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "conf/local.toml"
FILES = 200
DUPLICATES_EVERY = 20
MIX = {"law": 0.1, "news": 0.3, "medicine": 0.05, "*": 0.55}
PROSE = "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。管理处在入口立了一块牌子。"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only-make", action="store_true", help="make the tables of --keep alone")
    parser.add_argument(
        "--keep", type=Path, help="folder of the tables, made where it is not there"
    )
    arguments = parser.parse_args(argv)
    if arguments.only_make:
        if arguments.keep is None:
            parser.error("--only-make: needs --keep")
        with local_session() as spark:
            write_output(spark, Store.at(str(arguments.keep)), arguments.rows)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.keep or Path(scratch) / "out"
        if not root.exists():
            make = [*("-m", "tests.bench.select_rates"), "--only-make", "--keep", str(root)]
            subprocess.run([sys.executable, *make, "--rows", str(arguments.rows)], check=True)
        scored = ds.dataset(root / "scores" / "tokens", format="parquet", partitioning="hive")
        tokens = pc.sum(scored.to_table(columns=["tokens"])["tokens"]).as_py()
        print(f"{arguments.rows:,} documents, {tokens:,} tokens\n")
        mix = ", ".join(f'"{name}" = {share}' for name, share in MIX.items())
        budget = [f"select.budget={tokens // 4} tokens", f"select.mix={{{mix}}}"]
        shutil.rmtree(root / FOLDER, ignore_errors=True)
        print("| select_corpus, as a command | seconds | CPU s |\n|---|---|---|")
        for name, more in {
            "a preview, before there is a selection": ["--preview", "--reset"],
            "the first selection, by threshold": ["--reset", "--set", "select.min_quality=0.4"],
            "by another threshold": ["--set", "select.min_quality=0.6"],
            "by budget and mix": ["--set", *budget, "select.shortfall=deal"],
            "a preview": ["--preview"],
        }.items():
            # Before this process starts Java: all children of it are measured.
            found = run_command(root, more)
            print(f"| {name} | {found.wall:.1f} | {found.cpu:.1f} |", flush=True)
        with local_session() as spark:
            cut_lines = compare_cuts(spark, Store.at(str(root)), tokens // 4)
    print("\n| the cut alone | seconds | ratio |\n|---|---|---|")
    print("\n".join(cut_lines))
    return 0


def run_command(root: Path, more: Sequence[str]) -> Usage:
    """Run select_corpus.

    Raises:
        SystemExit: it failed.
    """
    command = [sys.executable, "-m", "jobs.select_corpus", "--config", CONFIG]
    command += ["--output", str(root), *more]
    with tempfile.TemporaryFile() as log:
        found = measure(command, log, cwd=ROOT)
        if found.status:
            log.seek(0)
            sys.stderr.write(log.read().decode("utf-8", "replace")[-3000:])
            raise SystemExit(f"exit status {found.status}: {' '.join(command)}")
    return found


def compare_cuts(spark: SparkSession, store: Store, budget: int) -> list[str]:
    """Measure the cut beside running sums over sorted documents. Returns lines of a table."""
    table = {name: store.read(spark, scores(name), [0]) for name in ("quality", "domain", "tokens")}
    frame = (
        table["quality"]
        .select("doc_id", "score")
        .join(table["domain"].select("doc_id", "single_label"), on="doc_id", how="inner")
        .join(table["tokens"].select("doc_id", "tokens"), on="doc_id", how="inner")
        .persist()
    )
    frame.count()
    lines = []
    for name, mix in (("of all documents", {}), ("by mix", MIX)):

        def refined(mix: dict[str, float] = mix) -> int:
            columns = F.col("single_label"), F.col("score"), F.col("tokens")
            ranked = with_budget_columns(frame, mix, *columns).persist()
            shares = cut(ranked, budget, mix)
            kept = ranked.where(budget_reason(shares).isNull()).count()
            ranked.unpersist()
            return kept

        def sorted_(mix: dict[str, float] = mix) -> int:
            return running_sums(frame, mix, budget).count()

        assert refined() == sorted_()
        seconds = median_of(refined)
        plain = median_of(sorted_)
        lines.append(f"| {name} | {seconds:.1f} | {seconds / plain:.2f} of a sort ({plain:.1f}) |")
    return lines


def running_sums(frame: DataFrame, mix: dict[str, float], budget: int) -> DataFrame:
    """The documents that a budget keeps, by a running sum over each sorted domain."""
    label = F.col("single_label")
    named = [name for name in mix if name != "*"]
    domain = F.when(label.isin(*named), label).otherwise("*") if mix else F.lit("")
    goal = F.coalesce(
        *(F.when(F.col("domain") == name, int(share * budget)) for name, share in mix.items()),
        F.lit(budget),
    )
    order = Window.partitionBy("domain").orderBy(F.desc("score"), F.xxhash64("doc_id"), "doc_id")
    sums = F.sum("tokens").over(order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return frame.withColumn("domain", domain).withColumn("sum", sums).where(F.col("sum") <= goal)


def median_of(call: Callable[[], int], rounds: int = 3) -> float:
    """The median of the seconds that a call takes."""
    seconds = []
    for _ in range(rounds):
        begin = time.monotonic()
        call()
        seconds.append(time.monotonic() - begin)
    return sorted(seconds)[rounds // 2]


def write_output(spark: SparkSession, store: Store, rows: int) -> None:
    """Write an output whose stages up to the scores are committed."""
    config = load_config(Path(CONFIG))
    lock = load_lock(config, Path(CONFIG))
    splits = [Split(f"b{n}.warc.gz", f"b{n}.warc.gz", "warc", 2**30) for n in range(FILES)]
    write_wave(store, 0, splits)
    run = Run(config, Path(CONFIG), store, {0: tuple(splits)}, lock)
    ids = spark.range(0, rows, numPartitions=8).withColumn(
        "doc_id", F.md5(F.col("id").cast("string"))
    )
    is_copy = F.col("id") % DUPLICATES_EVERY == 0
    file = F.concat(F.lit("b"), F.col("id") % FILES, F.lit(".warc.gz"))
    text = F.concat(F.col("doc_id"), F.repeat(F.lit(PROSE), (F.col("id") % 7 + 1).cast("int")))
    host = F.concat(F.lit("www."), F.col("id") % 9973, F.lit(".cn"))
    frames = {
        DOCUMENTS: ids.select(*columns(schema_of(DOCUMENTS), warc_path=file, text=text, host=host)),
        MEASURED: ids.select(*columns(schema_of(MEASURED))),
        FLAGGED: ids.select(
            *columns(schema_of(FLAGGED), reject_reasons=F.array().cast("array<string>"))
        ),
        EDITS: spark.createDataFrame([], schema_of(EDITS)),
    }
    of_scorers = scored_columns()
    for name in config.score.scorers:
        stamp, lock_id = stamp_of_scorer(name, config, lock), lock_id_of(name, config, lock)
        made = columns(
            schema_of(scores(name)),
            artifact=F.lit(stamp),
            lock_id=F.lit(lock_id),
            **of_scorers.get(name, {}),
        )
        frames[scores(name)] = ids.where(~is_copy).select(*made)
    for table, frame in frames.items():
        store.write(frame, table, 0)
    kept = F.md5((F.col("id") + 1).cast("string"))
    copies = columns(schema_of(DUPLICATES), kind=F.lit("exact"), kept_doc_id=kept)
    store.write(ids.where(is_copy).select(*copies), DUPLICATES)
    files = ids.groupBy(file.alias("file")).agg(
        F.count("*").alias("seen"), F.count_if(is_copy).alias("copies")
    )
    ledger = {
        (0, row["file"]): FileBalance(
            row["seen"], row["seen"] - row["copies"], Counter(exact=row["copies"])
        )
        for row in files.collect()
    }
    close_ledger(store, FIND.name, WHOLE, ledger)
    for stage in (EXTRACT, RULES, FIND, SCORE):
        assert stage.bases is not None
        for name, waves in stage.bases(run).items():
            for wave, basis in waves.items():
                store.commit(commit_of(name, wave, basis, balance=Balance(rows, rows)))


def columns(schema: StructType, **given: Column) -> list[Column]:
    """The columns of a table: doc_id, those that are given, and null."""
    given = {"doc_id": F.col("doc_id"), **given}
    return [
        given.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name)
        for field in schema.fields
    ]


def scored_columns() -> dict[str, dict[str, Column]]:
    """Scorer -> columns of its table, which follow from doc_id."""

    def number(seed: int) -> Column:
        """From 0 to 1."""
        return F.pmod(F.xxhash64("doc_id", F.lit(seed)), F.lit(1_000_003)) / 1_000_003

    labels = F.array(*map(F.lit, LABELS))
    label = F.get(labels, F.floor(number(2) * number(3) * len(LABELS)).cast("int"))
    tokens = (F.pow(number(5), 4.0) * 5000 + 100).cast("bigint")
    return {
        "quality": {"score": F.sqrt(number(1))},
        "domain": {"single_label": label, "multi_label": F.array(label)},
        "toxicity": {"label": F.lit(0), "score": number(4) * number(4)},
        "perplexity": {"perplexity": number(6) + 0.5, "flagged": F.lit(False)},
        "tokens": {"tokens": tokens, "chars": tokens * 3 / 2, "bytes": tokens * 4},
    }


if __name__ == "__main__":
    sys.exit(main())
