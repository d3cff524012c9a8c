"""The ledger: for every input file and stage, what came in and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def stage_ledger(
    splits: DataFrame, seen: DataFrame, outcomes: Mapping[str, DataFrame]
) -> DataFrame:
    """Count what stages saw and what they decided, a row a stage and input file.

    The two sides come from different tables, so that a row that was lost or doubled between
    them leaves the balance open.

    Needs: splits (warc_path, wave), each pair once; seen (doc_id, warc_path, wave), each document
        once; outcomes, stage -> (doc_id, reason), reason null for a kept document.
    Adds: stage, seen, kept, rejected, failed.
    Rows: one a stage, file and wave, since ranges of a file may be read in two waves.
    Shuffles: both sides by doc_id; counts by file.
    """
    file = F.struct("warc_path", "wave")
    sides = [seen.select("doc_id", file.alias("file"), F.lit(None).alias("decision"))]
    sides += [
        decided.select(
            "doc_id",
            F.lit(None).alias("file"),
            F.struct(F.lit(stage).alias("stage"), F.col("reason").cast("string").alias("reason")),
        )
        for stage, decided in outcomes.items()
    ]
    # A document of no file was not seen: what was decided on it is nobody's.
    documents = (
        reduce(DataFrame.union, sides)
        .groupBy("doc_id")
        .agg(
            F.max("file").alias("file"),
            F.count("file").alias("seen"),
            F.collect_list("decision").alias("decisions"),
        )
        .where(F.col("file").isNotNull())
    )
    stages = F.array(*(F.lit(stage) for stage in outcomes))
    counted = F.concat(
        F.transform(stages, lambda stage: _count(stage, seen=F.col("seen"))),
        F.transform(
            "decisions",
            lambda decision: _count(
                decision["stage"],
                decision["reason"],
                kept=decision["reason"].isNull().cast("bigint"),
                n=decision["reason"].isNotNull().cast("bigint"),
            ),
        ),
    )
    # Every planned file has a row, whether anything was seen of it or not.
    planned = splits.select(
        file.alias("file"), F.explode(F.transform(stages, lambda stage: _count(stage))).alias("c")
    )
    by_reason = (
        planned.union(documents.select("file", F.explode(counted).alias("c")))
        .groupBy("file", "c.stage", "c.reason")
        .agg(*(F.sum(f"c.{name}").alias(name) for name in ("seen", "kept", "n")))
    )
    return (
        by_reason.groupBy("file", "stage")
        .agg(
            F.sum("seen").alias("seen"),
            F.sum("kept").alias("kept"),
            _count_map(F.col("reason").isNotNull()).alias("rejected"),
        )
        .select(
            "stage",
            "file.wave",
            "file.warc_path",
            "seen",
            "kept",
            "rejected",
            _no_counts().alias("failed"),
        )
    )


def _count(
    stage: Column,
    reason: Column | None = None,
    *,
    seen: Column | None = None,
    kept: Column | None = None,
    n: Column | None = None,
) -> Column:
    """What a document adds to a stage's counts of its file."""
    none, zero = F.lit(None).cast("string"), F.lit(0).cast("bigint")
    return F.struct(
        stage.alias("stage"),
        (none if reason is None else reason).alias("reason"),
        (zero if seen is None else seen).alias("seen"),
        (zero if kept is None else kept).alias("kept"),
        (zero if n is None else n).alias("n"),
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
