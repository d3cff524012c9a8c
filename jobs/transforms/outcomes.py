"""What became of each document, counted for a report and compared between two outputs.

An outcome is ``kept``, or the stage that removed a document and its first reason there, as
``apply_rules/length``. All results have a size that does not grow with the data.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

KEPT = "kept"
ABSENT = "absent"
"""Outcome of a document that an output does not have."""

BINS_PER_DOUBLING = 4
"""Bins of lengths: quarters of the binary logarithm."""

_SALTS = 8


def with_outcome(documents: DataFrame, rejected: DataFrame) -> DataFrame:
    """Say of each document what became of it.

    Needs: documents (doc_id, ...); rejected (doc_id, stage, reasons).
    Adds: outcome. Rows: all kept. Shuffles: both sides by doc_id.
    """
    removed = rejected.select(
        "doc_id", F.concat_ws("/", "stage", F.get("reasons", 0)).alias("outcome")
    )
    joined = documents.join(removed, on="doc_id", how="left")
    return joined.withColumn("outcome", F.coalesce("outcome", F.lit(KEPT)))


def document_facts(outcomes: DataFrame, measured: DataFrame) -> DataFrame:
    """Count the documents of an output by what is known of them, in one pass.

    Needs: outcomes (doc_id, outcome, language, script, charset); measured (doc_id, measures).
    Rows: one a fact and key, as (fact, key, documents, kept, characters): by ``language``,
        ``script``, ``charset`` and ``outcome``; by ``length``, the floor of four times the binary
        logarithm of the code points that the rules measured. key is null for documents without.
    Shuffles: both sides by doc_id; a few counts.
    """
    chars = F.col("measures")["chars"]
    lengths = measured.select("doc_id", chars.cast("long").alias("chars"))
    length = F.when(F.col("chars") > 0, F.floor(F.log2("chars") * BINS_PER_DOUBLING))
    keys = {
        "language": F.col("language"),
        "script": F.col("script"),
        "charset": F.col("charset"),
        "outcome": F.col("outcome"),
        "length": length.cast("string"),
    }
    facts = F.array(
        *(F.struct(F.lit(fact).alias("fact"), key.alias("key")) for fact, key in keys.items())
    )
    is_kept = (F.col("outcome") == KEPT).cast("long")
    return (
        outcomes.join(lengths, on="doc_id", how="left")
        .select(F.explode(facts).alias("f"), is_kept.alias("kept"), "chars")
        .groupBy("f.fact", "f.key")
        .agg(
            F.count("*").alias("documents"),
            F.sum("kept").alias("kept"),
            F.coalesce(F.sum("chars"), F.lit(0)).alias("characters"),
        )
    )


def host_facts(outcomes: DataFrame, most: int) -> DataFrame:
    """Count documents by host: the hosts with most kept, and those with most lost.

    Needs: outcomes (host, outcome).
    Rows: at most twice ``most``, as (place, host, documents, kept): place ``kept`` or ``lost``.
    Shuffles: one row a host and task.
    """
    is_kept = (F.col("outcome") == KEPT).cast("long")
    counted = (
        outcomes.groupBy("host")
        .agg(F.count("*").alias("documents"), F.sum(is_kept).alias("kept"))
        .where(F.col("host").isNotNull())
    )
    lost = F.col("documents") - F.col("kept")
    kept_most = counted.where("kept > 0").orderBy(F.desc("kept"), "host").limit(most)
    lost_most = counted.where(lost > 0).orderBy(F.desc(lost), "host").limit(most)
    return kept_most.select(F.lit("kept").alias("place"), "*").unionAll(
        lost_most.select(F.lit("lost").alias("place"), "*")
    )


def moves(before: DataFrame, after: DataFrame, seed: int) -> DataFrame:
    """Count the documents of two outputs by what became of them in each, with a few of each move.

    Needs: before and after (doc_id, url, outcome), each document once.
    Args:
        seed: Of the sample.
    Rows: at most `_SALTS` for each pair of outcomes, as (before, after, documents, place, doc_id,
        url): documents is a part of the pair's number; doc_id is that with the least hash, place,
        of the part. An output that lacks a document has the outcome `ABSENT`.
    Shuffles: both sides by doc_id; a few counts.
    """
    old = before.select("doc_id", F.struct("outcome", "url").alias("old"))
    new = after.select("doc_id", F.struct("outcome", "url").alias("new"))
    hashed = F.xxhash64("doc_id", F.lit(seed))
    return (
        old.join(new, on="doc_id", how="full")
        .select(
            _outcome("old").alias("before"),
            _outcome("new").alias("after"),
            F.pmod(hashed, F.lit(_SALTS)).alias("salt"),
            F.struct(
                hashed.alias("place"),
                "doc_id",
                F.coalesce(F.col("new")["url"], F.col("old")["url"]).alias("url"),
            ).alias("sample"),
        )
        .groupBy("before", "after", "salt")
        .agg(F.count("*").alias("documents"), F.min("sample").alias("sample"))
        .select("before", "after", "documents", "sample.*")
    )


def _outcome(side: str) -> Column:
    return F.coalesce(F.col(side)["outcome"], F.lit(ABSENT))
