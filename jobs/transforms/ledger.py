"""What stages saw and decided, counted by input file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

TALLY, WRITTEN, REPEATED = "tally", "written", "repeated"
"""Kinds of rows of `read_counts`."""


def stage_counts(seen: DataFrame, outcomes: Mapping[str, DataFrame]) -> DataFrame:
    """Count what stages saw and what they decided.

    The two sides come from different tables, so that a row that was lost or doubled between
    them leaves the balance open. What was decided on a document that was not seen is left out.

    Needs: seen (doc_id, warc_path, wave), each document once; outcomes, stage -> (doc_id, reason),
        reason null for a kept document.
    Rows: one a wave, file, stage and reason, as (wave, warc_path, stage, reason, n, digest);
        without stage: the documents that were seen. digest is of the set of their doc_id.
    Shuffles: both sides by doc_id; counts by file.
    """
    file = F.struct("wave", "warc_path")
    nothing = F.lit(None).cast("string")
    sides = [
        seen.select("doc_id", file.alias("file"), nothing.alias("stage"), nothing.alias("reason"))
    ]
    sides += [
        decided.select("doc_id", F.lit(None).alias("file"), F.lit(stage).alias("stage"), "reason")
        for stage, decided in outcomes.items()
    ]
    return (
        reduce(DataFrame.union, sides)
        .groupBy("doc_id")
        .agg(F.max("file").alias("file"), F.collect_list(F.struct("stage", "reason")).alias("rows"))
        .where(F.col("file").isNotNull())
        .select("file", "doc_id", F.inline("rows"))
        .groupBy("file", "stage", "reason")
        .agg(F.count("*").alias("n"), F.bit_xor(F.xxhash64("doc_id")).alias("digest"))
        .select("file.*", "stage", "reason", "n", "digest")
    )


def read_counts(tallies: DataFrame, documents: DataFrame, repeated: DataFrame | None) -> DataFrame:
    """Count what the workers tallied of a wave, and what was in fact written.

    Needs: tallies (warc_path, seen, rejected, failed), one a part that a task read; documents
        (warc_path), as read back; repeated (warc_path, n), rows left out because their id was
        taken, or None where no id can be taken.
    Rows: (kind, warc_path, n, rejected, failed): a TALLY a part; of each file one WRITTEN, if it
        has documents, and one REPEATED. Maps are null but in a tally.
    Shuffles: documents by warc_path.
    """

    def counts(frame: DataFrame, kind: str) -> DataFrame:
        none = F.lit(None).cast("map<string,bigint>")
        maps = (none.alias("rejected"), none.alias("failed"))
        return frame.select(F.lit(kind).alias("kind"), "warc_path", "n", *maps)

    rows = tallies.select(
        F.lit(TALLY).alias("kind"), "warc_path", F.col("seen").alias("n"), "rejected", "failed"
    )
    written = documents.groupBy("warc_path").agg(F.count("*").alias("n"))
    rows = rows.union(counts(written, WRITTEN))
    return rows if repeated is None else rows.union(counts(repeated, REPEATED))
