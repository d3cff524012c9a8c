"""The ledger: for every input file and stage, what came in and what became of it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_FILE = ["warc_path", "wave"]


def stage_ledger(splits: DataFrame, seen: DataFrame, outcomes: DataFrame) -> DataFrame:
    """Count what a stage saw and what it decided, a row an input file.

    The two sides come from different tables, so that a row that was lost or doubled between
    them leaves the balance open.

    Needs: splits (warc_path, wave), each pair once; seen (doc_id, warc_path, wave); outcomes
        (doc_id, reason), reason null for a kept document.
    Adds: seen, kept, rejected, failed.
    Rows: one a file and wave, since ranges of a file may be read in two of them.
    Shuffles: both sides by doc_id; counts by warc_path and wave.
    """
    counted = seen.groupBy(*_FILE).agg(F.count("*").alias("seen"))
    decided = (
        outcomes.withColumn("_decided", F.lit(True))
        .join(seen, on="doc_id", how="right")
        .where("_decided")
        .groupBy(*_FILE, "reason")
        .agg(F.count("*").alias("n"))
    )
    by_file = decided.groupBy(*_FILE).agg(
        F.sum(F.when(F.col("reason").isNull(), F.col("n")).otherwise(0)).alias("kept"),
        _count_map(F.col("reason").isNotNull()).alias("rejected"),
    )
    # Full: a document of a file that nobody planned must show, not vanish.
    joined = splits.join(counted, on=_FILE, how="full")
    return joined.join(by_file, on=_FILE, how="left").select(
        "wave",
        "warc_path",
        F.coalesce("seen", F.lit(0)).alias("seen"),
        F.coalesce("kept", F.lit(0)).alias("kept"),
        F.coalesce("rejected", _no_counts()).alias("rejected"),
        _no_counts().alias("failed"),
    )


def read_ledger(
    splits: DataFrame, tallies: DataFrame, documents: DataFrame, repeated: DataFrame | None
) -> DataFrame:
    """The ledger of reading a wave: what the workers tallied beside what was in fact written.

    Needs: splits (warc_path, wave, parts), each file once; tallies (warc_path, seen, rejected,
        failed), one a part; documents (warc_path), as read back; repeated (warc_path, n), rows
        left out because their id was taken, or None where no id can be taken.
    Rows: one a file; seen is null, and the balance open, unless each part left one tally.
    Shuffles: counts by warc_path.
    """
    written = documents.groupBy("warc_path").agg(F.count("*").alias("kept"))
    counts = tallies.groupBy("warc_path").agg(
        F.count("*").alias("tallies"),
        F.sum("seen").alias("tallied"),
        _summed("rejected"),
        _summed("failed"),
    )
    ledger = splits.join(counts, on="warc_path", how="full").join(
        written, on="warc_path", how="full"
    )
    ledger = ledger.withColumn("seen", F.when(F.col("tallies") == F.col("parts"), F.col("tallied")))
    rejected = F.col("rejected")
    if repeated is not None:
        ledger = ledger.join(repeated, on="warc_path", how="left")
        with_repeated = F.map_concat("rejected", F.create_map(F.lit("repeated_id"), F.col("n")))
        rejected = F.when(F.col("n") > 0, with_repeated).otherwise(rejected)
    return ledger.select(
        "wave",
        "warc_path",
        "seen",
        F.coalesce("kept", F.lit(0)).alias("kept"),
        rejected.alias("rejected"),
        "failed",
    )


def unbalanced(ledger: DataFrame) -> DataFrame:
    """Ledger rows in which seen is not kept + rejected + failed.

    Needs, Adds: the ledger's columns. Rows: only the open ones. Shuffles: nothing.
    """
    accounted = F.col("kept") + counts_total("rejected") + counts_total("failed")
    # A split that left no tally has nulls, which are equal to nothing, themselves included.
    return ledger.where(~F.coalesce(F.col("seen") == accounted, F.lit(False)))


def _summed(counts: str) -> Column:
    """The group's maps (reason -> n) added up, sorted, under the same name."""
    added = F.aggregate(
        F.collect_list(counts),
        _no_counts(),
        lambda one, other: F.map_zip_with(
            one, other, lambda _, a, b: F.coalesce(a, F.lit(0)) + F.coalesce(b, F.lit(0))
        ),
    )
    return F.map_from_entries(F.array_sort(F.map_entries(added))).alias(counts)


def _count_map(condition: Column) -> Column:
    """reason -> n over the group's rows that meet the condition; sorted, so that it is the same
    in any run. A group has one row a reason."""
    entries = F.collect_list(F.when(condition, F.struct("reason", "n")))
    return F.map_from_entries(F.array_sort(entries))


def _no_counts() -> Column:
    return F.create_map().cast("map<string,bigint>")


def counts_total(counts: str) -> Column:
    """The sum over the reasons of a map column (reason -> records)."""
    return F.aggregate(F.map_values(counts), F.lit(0).cast("bigint"), lambda a, n: a + n)
