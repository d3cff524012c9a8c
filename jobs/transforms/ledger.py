"""The ledger: for every input file and stage, what came in and what became of it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def stage_ledger(splits: DataFrame, seen: DataFrame, outcomes: DataFrame) -> DataFrame:
    """Count what a stage saw and what it decided, a row an input file.

    The two sides come from different tables, so that a row that was lost or doubled between
    them leaves the balance open.

    Needs: splits (warc_path, wave); seen (doc_id, warc_path); outcomes (doc_id, reason), reason
        null for a kept document.
    Adds: seen, kept, rejected, failed.
    Rows: one a split.
    Shuffles: both sides by doc_id; counts by warc_path.
    """
    counted = seen.groupBy("warc_path").agg(F.count("*").alias("seen"))
    decided = (
        outcomes.withColumn("_decided", F.lit(True))
        .join(seen, on="doc_id", how="right")
        .where("_decided")
        .groupBy("warc_path", "reason")
        .agg(F.count("*").alias("n"))
    )
    by_file = decided.groupBy("warc_path").agg(
        F.sum(F.when(F.col("reason").isNull(), F.col("n")).otherwise(0)).alias("kept"),
        _count_map(F.col("reason").isNotNull()).alias("rejected"),
    )
    joined = splits.join(counted, on="warc_path", how="left")
    return joined.join(by_file, on="warc_path", how="left").select(
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
    """The ledger of reading: what the workers tallied beside what was in fact written.

    Needs: splits (warc_path, wave); tallies (warc_path, seen, rejected, failed), one a file;
        documents (warc_path), as read back; repeated (warc_path, n), rows left out because
        their id was taken, or None where no id can be taken.
    Rows: one a split; seen is null, and the balance open, where a split left no tally.
    Shuffles: counts by warc_path.
    """
    written = documents.groupBy("warc_path").agg(F.count("*").alias("kept"))
    counts = tallies.select("warc_path", "seen", "rejected", "failed")
    ledger = splits.join(counts, on="warc_path", how="left").join(
        written, on="warc_path", how="left"
    )
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
