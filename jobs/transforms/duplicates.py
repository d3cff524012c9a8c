"""Duplicates of all levels: documents -> one row for each document to remove."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint
from jobs.transforms.near_duplicates import Report, find_near_duplicates
from jobs.transforms.ranks import document_of, rank_of
from udfs.fingerprints import FINGERPRINT_DDL, Banding, fingerprint_batches

log = logging.getLogger(__name__)


def log_count(name: str, value: int) -> None:
    """The report of a caller that has none: a log line."""
    log.info("%s: %d", name, value)


def find_duplicates(
    documents: DataFrame,
    config: DedupConfig,
    checkpoint: Checkpoint,
    report: Report = log_count,
) -> DataFrame:
    """Which documents to remove, and which document stays in the place of each.

    Levels run in the order url, exact, near, each on what the earlier ones kept. Only content
    and doc_id decide: no partitioning, order or retry changes a row.

    Needs: doc_id (unique), url, capture_time (both may be null), text (null counts as empty).
    Rows: one for each removed document:
        doc_id;
        kind: the level that removed it;
        cluster_id: the smallest doc_id of all documents, over all levels, that end in the same
            kept document;
        kept_doc_id: a document that survives every level;
        similarity: null for url, 1.0 for exact, for near the Jaccard similarity of the removed
            document and kept_doc_id (estimated where config.verify is "estimate"); it may lie
            below min_similarity for the ends of a chain.
    Shuffles: keys, ids and orders of all documents; texts only of near-duplicate candidates.

    Args:
        checkpoint: Writes under a name and reads back.
        report: Receives counts, such as buckets that stayed unsettled.
    """
    prints = checkpoint(_fingerprints(documents, config), "fingerprints")
    early = checkpoint(_early_levels(prints, config), "early_levels")
    levels = [early.filter(F.col("kind") == kind) for kind in ("url", "exact")]
    if "near" in config.levels:
        near = find_near_duplicates(
            prints.join(early, on="rank", how="left_anti"),
            _payloads(documents, prints, config),
            config,
            checkpoint,
            report,
        )
        levels.append(near.withColumn("kind", F.lit("near")))
    return _clusters(_united(levels))


def _fingerprints(documents: DataFrame, config: DedupConfig) -> DataFrame:
    """rank, url_key, text_key, bands, signature."""
    banding = Banding(config.shingle_chars, config.bands, config.rows, config.verify == "estimate")
    return (
        documents.select(
            "doc_id", F.unix_micros("capture_time").alias("capture_micros"), "url", "text"
        )
        .mapInArrow(
            fingerprint_batches(banding if "near" in config.levels else None), FINGERPRINT_DDL
        )
        .select(rank_of(config.keep).alias("rank"), "url_key", "text_key", "bands", "signature")
    )


def _payloads(documents: DataFrame, prints: DataFrame, config: DedupConfig) -> DataFrame:
    """doc_id and what candidate pairs are compared by."""
    if config.verify == "exact":
        return documents.select("doc_id", F.col("text").alias("payload"))
    return prints.select(
        document_of(F.col("rank")).alias("doc_id"), F.col("signature").alias("payload")
    )


def _early_levels(prints: DataFrame, config: DedupConfig) -> DataFrame:
    """kind, rank, kept_rank, similarity of the levels that compare one key.

    Two shuffles and no join: each level is one window over its keys. A document without a key,
    or removed by the level before, stands alone under its rank, which no digest equals.
    """
    rank = F.col("rank")
    alone = rank.cast("binary")
    url_kept = rank
    if "url" in config.levels:
        url_kept = F.min("rank").over(Window.partitionBy(F.coalesce("url_key", alone)))
    exact_kept = rank
    if "exact" in config.levels:
        key = F.when(F.col("url_kept") == rank, F.coalesce("text_key", alone)).otherwise(alone)
        exact_kept = F.min("rank").over(Window.partitionBy(key))
    by_url = F.col("url_kept") != rank
    return (
        prints.select("rank", "url_key", "text_key")
        .withColumn("url_kept", url_kept)
        .withColumn("exact_kept", exact_kept)
        .filter(by_url | (F.col("exact_kept") != rank))
        .select(
            F.when(by_url, "url").otherwise("exact").alias("kind"),
            "rank",
            F.when(by_url, F.col("url_kept")).otherwise(F.col("exact_kept")).alias("kept_rank"),
            F.when(by_url, F.lit(None)).otherwise(F.lit(1.0)).alias("similarity"),
        )
    )


def _united(levels: Sequence[DataFrame]) -> DataFrame:
    """All levels in one table, every kept document followed to the one that survives them all."""
    rows = levels[0]
    for level in levels[1:]:
        following = level.select(
            F.col("rank").alias("kept_rank"), F.col("kept_rank").alias("kept_later")
        )
        rows = (
            rows.join(following, on="kept_rank", how="left")
            .withColumn("kept_rank", F.coalesce("kept_later", "kept_rank"))
            .drop("kept_later")
            .unionByName(level)
        )
    return rows


def _clusters(rows: DataFrame) -> DataFrame:
    """The table as it is written: doc_id, kind, cluster_id, kept_doc_id, similarity."""
    named = rows.select(
        document_of(F.col("rank")).alias("doc_id"),
        "kind",
        document_of(F.col("kept_rank")).alias("kept_doc_id"),
        "similarity",
    )
    first_removed = F.min("doc_id").over(Window.partitionBy("kept_doc_id"))
    return named.select(
        "doc_id",
        "kind",
        F.least(first_removed, "kept_doc_id").alias("cluster_id"),
        "kept_doc_id",
        "similarity",
    )
