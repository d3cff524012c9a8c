"""Find duplicates over all documents: documents -> duplicates.

One row for each removed document: by which kind of match, of which cluster, and which document
is kept in its place. Documents that a rule rejected take no part, where apply_rules has run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.balance import close_ledger, splits_frame
from jobs.command import Run, run_command
from jobs.progress import shown_progress
from jobs.stage import fingerprint_of, pending, wave_of
from jobs.store import WHOLE, Store
from jobs.survivors import rule_survivor_sources, rule_survivors
from jobs.tables import DUPLICATES
from jobs.transforms.duplicates import find_duplicates
from jobs.transforms.ledger import stage_ledger

STAGE = "find_duplicates"


def run(spark: SparkSession, run: Run) -> None:
    """Find the duplicates anew if the documents, the rules or the settings have changed."""
    reads = fingerprint_of(rule_survivor_sources(run))
    fingerprint = fingerprint_of(run.config.dedup, reads)
    if not pending(run.store, STAGE, {WHOLE: fingerprint}):
        return
    with (
        wave_of(run.store, STAGE, WHOLE, fingerprint, reads) as work,
        shown_progress(spark, STAGE, "tasks"),
    ):
        documents = rule_survivors(spark, run, list(run.waves))
        duplicates = find_duplicates(
            documents.select("doc_id", "url", "capture_time", "text"),
            run.config.dedup,
            _checkpoint(spark, run.store),
            _print_count,
        )
        run.store.write(duplicates, DUPLICATES)
        ledger = stage_ledger(
            splits_frame(spark, run.store, run.waves),
            documents.select("doc_id", "warc_path", "wave"),
            _outcomes(documents, run.store.read(spark, DUPLICATES)),
        )
        work.rows = close_ledger(spark, run.store, ledger, STAGE, WHOLE)
        run.store.drop_scratch()


def _outcomes(documents: DataFrame, duplicates: DataFrame) -> DataFrame:
    """doc_id and the kind of match that removed it, null for a kept document."""
    return documents.select("doc_id").join(
        duplicates.select("doc_id", F.col("kind").alias("reason")), on="doc_id", how="left"
    )


def _print_count(name: str, value: int) -> None:
    """What the search has to say of its own limits, such as buckets that it left unsettled."""
    print(f"{STAGE}: {name} = {value:,}", file=sys.stderr, flush=True)


def _checkpoint(spark: SparkSession, store: Store) -> Callable[[DataFrame, str], DataFrame]:
    """A function that writes a frame and reads it back.

    It cuts the lineage as ``localCheckpoint`` does, but a lost executor takes no data with it.
    """

    def checkpoint(frame: DataFrame, name: str) -> DataFrame:
        path = store.scratch(STAGE, name)
        store.write_parquet(frame, path)
        return spark.read.schema(frame.schema).parquet(path)

    return checkpoint


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
