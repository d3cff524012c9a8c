"""Duplicates of all levels: documents -> one row for each document to remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.candidate_groups import EarlierNear, shingles_of
from jobs.transforms.components import Checkpoint
from jobs.transforms.earlier_snapshots import EarlierSnapshots
from jobs.transforms.near_duplicates import Report, find_near_duplicates
from jobs.transforms.paragraphs import find_paragraph_cuts, removed_by_cuts
from jobs.transforms.ranks import (
    document_of,
    is_before,
    key_of,
    rank_of,
    snapshot_of,
    snapshot_prefix,
)
from udfs.dedup.fingerprints import FINGERPRINT_DDL, Banding, fingerprint_batches


class Found(NamedTuple):
    """What a search found, and what the next snapshot's search needs of this one."""

    removed: DataFrame
    """rank, kind, kept_rank, similarity: one row for each document to remove. kept_rank is of a
    document that survives every level, perhaps one of an earlier snapshot; null where a document
    goes and none stays in its place."""
    prints: DataFrame
    """rank, url_key, text_key, bands, signature of every document; url_kept, exact_kept: the rank
    of the document for which that level removed it, or null."""
    cuts: DataFrame | None
    """What documents lose of their text, as `find_paragraph_cuts` gives it; None without level
    paragraph."""


def search_duplicates(
    documents: DataFrame,
    config: DedupConfig,
    checkpoint: Checkpoint,
    report: Report,
    scores: DataFrame | None = None,
    earlier: EarlierSnapshots | None = None,
    min_chars: int | None = None,
) -> Found:
    """Find the duplicates of all levels.

    Levels run in the order url, exact, near, paragraph, each on what the earlier ones kept. Only
    content and doc_id decide: no partitioning, order or retry changes a row.

    Paragraphs come last because they are cut. Before near, one could be cut from all documents but
    one that near then removes; copies of an article, counted as documents, would make its
    paragraphs frequent; and copies that lost what they share are near to nothing.

    Needs: doc_id (unique), url, capture_time (both may be null), text (null counts as empty).
    Shuffles: keys, ids and orders of all documents; texts only of near-duplicate candidates.

    Args:
        checkpoint: Writes under a name and reads back.
        report: Receives counts, such as buckets that are still mixed after the last round.
        scores: doc_id, score of the documents, where config keeps the best.
        earlier: What earlier snapshots kept. It stays, and wins over any document of this run. Its
            paragraphs are not looked at.
        min_chars: Fewest code points that are left of a document that loses paragraphs and stays;
            None keeps all.
    """
    with_bands = "near" in config.levels
    prints = checkpoint(
        _with_early_levels(
            _fingerprints(documents, config, scores, _place(earlier), with_bands), config, earlier
        ),
        "fingerprints",
    )
    removed = _removed_early(prints, config)
    if "near" in config.levels:
        near = find_near_duplicates(
            _without_early_duplicates(prints),
            _payloads(documents, prints, config, earlier),
            config,
            checkpoint,
            report,
            None if earlier is None else EarlierNear(earlier.place, earlier.keys),
        )
        rows = near.withColumn("kind", F.lit("near"))
        removed = rows if removed is None else _followed(removed, near).unionByName(rows)
    if removed is None:  # levels that remove nothing of their own
        removed = _removed_by_text(prints)
    cuts = None
    if "paragraph" in config.levels:
        removed = checkpoint(removed, "removed_documents")  # read twice, and texts for it
        kept = prints.join(removed, on="rank", how="left_anti").select("rank")
        cuts = find_paragraph_cuts(documents, kept, config, min_chars, checkpoint, report)
        gone = removed_by_cuts(cuts, min_chars).select(
            "rank",
            F.lit("paragraph").alias("kind"),
            F.lit(None).cast("string").alias("kept_rank"),
            F.lit(None).cast("double").alias("similarity"),
        )
        removed = _followed(removed, gone).unionByName(gone)
    if earlier is not None:
        removed = checkpoint(removed, "removed_beside_earlier")
        removed = checkpoint(_followed(removed, _gone_earlier(removed, earlier)), "removed")
    return Found(removed, prints, cuts)


def duplicate_rows(removed: DataFrame, earlier: EarlierSnapshots | None = None) -> DataFrame:
    """The table as it is written.

    Needs: removed as in `Found`.
    Rows: one for each removed document:
        doc_id;
        kind: the level that removed it;
        cluster_id: the smallest doc_id of all documents, over all levels, that end in the same
            kept document, itself included;
        cluster_size: how many they are, of this run and the kept one;
        kept_doc_id: a document that survives every level;
        kept_snapshot: the earlier snapshot that it is of, null for one of this run;
        similarity: null for url, 1.0 for exact, for near the Jaccard similarity of the removed
            document and kept_doc_id (estimated where config.verify is "estimate"); it may lie
            below min_similarity for the ends of a chain.
        A document that goes and has none in its place has nulls but for doc_id and kind.
    Shuffles: the rows, by the kept document.
    """
    cluster = Window.partitionBy("kept_rank")
    is_kept = F.col("kept_rank").isNotNull()
    return removed.select(
        document_of(F.col("rank")).alias("doc_id"),
        "kind",
        "similarity",
        "kept_rank",
        document_of(F.col("kept_rank")).alias("kept_doc_id"),
    ).select(
        "doc_id",
        "kind",
        F.when(is_kept, F.least(F.min("doc_id").over(cluster), "kept_doc_id")).alias("cluster_id"),
        F.when(is_kept, F.count(F.lit(1)).over(cluster) + 1).alias("cluster_size"),
        "kept_doc_id",
        _kept_snapshot(earlier).alias("kept_snapshot"),
        "similarity",
    )


def _kept_snapshot(earlier: EarlierSnapshots | None) -> Column:
    if earlier is None or not earlier.names:
        return F.lit(None).cast("string")
    pairs = [F.lit(part) for prefix_and_name in earlier.names.items() for part in prefix_and_name]
    return F.create_map(*pairs)[snapshot_of(F.col("kept_rank"))]


def _gone_earlier(removed: DataFrame, earlier: EarlierSnapshots) -> DataFrame:
    """rank, kept_rank of the documents that removed ones point to and that went before this run."""
    met = removed.filter(is_before(F.col("kept_rank"), earlier.place))
    gone = earlier.keys.filter(F.col("rank") != F.col("kept_rank")).select("rank", "kept_rank")
    # Few are broadcast, and the store is then read, not shuffled.
    return gone.join(met.select(F.col("kept_rank").alias("rank")), on="rank", how="left_semi")


def _place(earlier: EarlierSnapshots | None) -> int:
    return 0 if earlier is None else earlier.place


def _fingerprints(
    documents: DataFrame,
    config: DedupConfig,
    scores: DataFrame | None,
    place: int,
    with_bands: bool,
) -> DataFrame:
    """rank, url_rank, url_key, text_key, bands, signature."""
    banding = Banding(shingles_of(config), config.bands, config.rows, config.verify == "estimate")
    prints = documents.select(
        "doc_id", F.unix_micros("capture_time").alias("capture_micros"), "url", "text"
    ).mapInArrow(
        fingerprint_batches(
            banding if with_bands else None,
            config.preferred_hosts,
            with_url_keys="url" in config.levels,
            with_text_keys="exact" in config.levels,
        ),
        FINGERPRINT_DDL,
    )
    if config.needs_scores():
        if scores is None:
            raise ValueError("to keep the best, scores are needed")
        prints = prints.join(scores.select("doc_id", "score"), on="doc_id", how="left")
    rank = rank_of(config.keep, place)
    url_rank = rank if config.url_keep is None else rank_of(config.url_keep, place)
    return prints.select(
        rank.alias("rank"),
        url_rank.alias("url_rank"),
        "url_key",
        "text_key",
        "bands",
        "signature",
    )


def _with_early_levels(
    prints: DataFrame, config: DedupConfig, earlier: EarlierSnapshots | None
) -> DataFrame:
    """Adds url_kept and exact_kept as in `Found`; drops url_rank.

    Two shuffles and no join: each level is one window over its keys. A document without a key,
    or removed by the level before, is alone in a window, keyed by its rank, which no digest equals.
    """
    rank = F.col("rank")
    alone = rank.cast("binary")
    if earlier is not None:
        older = earlier.keys.filter(
            F.col("url_key").isNotNull() | F.col("text_key").isNotNull()
        ).select("rank", F.col("rank").alias("url_rank"), "url_key", "text_key")
        prints = prints.unionByName(older, allowMissingColumns=True)
    url_kept = rank
    if "url" in config.levels:
        same_url = Window.partitionBy(F.coalesce("url_key", alone))
        if config.url_keep is None:
            url_kept = F.min("rank").over(same_url)
        else:
            url_kept = F.min(F.struct("url_rank", "rank")).over(same_url)["rank"]
    exact_kept = rank
    if "exact" in config.levels:
        key = F.when(F.col("url_kept") == rank, F.coalesce("text_key", alone)).otherwise(alone)
        exact_kept = F.min("rank").over(Window.partitionBy(key))
    levels = (
        prints.withColumn("url_kept", url_kept)
        .withColumn("exact_kept", exact_kept)
        .select(
            *("rank", "url_key", "text_key", "bands", "signature"),
            *(F.when(F.col(k) != rank, F.col(k)).alias(k) for k in ("url_kept", "exact_kept")),
        )
    )
    return levels if earlier is None else levels.filter(~is_before(rank, earlier.place))


def _removed_early(prints: DataFrame, config: DedupConfig) -> DataFrame | None:
    """What the levels of one key removed; None where none of them is run.

    A level that is not run is no part of the plan: each part costs more than few documents do.
    """
    levels = [
        removed_by(prints)
        for name, removed_by in (("url", _removed_by_url), ("exact", _removed_by_text))
        if name in config.levels
    ]
    return _united(levels) if levels else None


def _removed_by_url(prints: DataFrame) -> DataFrame:
    return prints.filter(F.col("url_kept").isNotNull()).select(
        "rank",
        F.lit("url").alias("kind"),
        F.col("url_kept").alias("kept_rank"),
        F.lit(None).cast("double").alias("similarity"),
    )


def _removed_by_text(prints: DataFrame) -> DataFrame:
    return prints.filter(F.col("exact_kept").isNotNull()).select(
        "rank",
        F.lit("exact").alias("kind"),
        F.col("exact_kept").alias("kept_rank"),
        F.lit(1.0).alias("similarity"),
    )


def _without_early_duplicates(prints: DataFrame) -> DataFrame:
    return prints.filter(F.col("url_kept").isNull() & F.col("exact_kept").isNull())


def _payloads(
    documents: DataFrame,
    prints: DataFrame,
    config: DedupConfig,
    earlier: EarlierSnapshots | None,
) -> DataFrame:
    """key and payload: what candidate pairs are compared by."""
    if config.verify == "exact":
        prefix = F.lit(snapshot_prefix(_place(earlier)))
        payloads = documents.select(
            F.concat(prefix, "doc_id").alias("key"), F.col("text").alias("payload")
        )
    else:
        payloads = prints.select(
            key_of(F.col("rank")).alias("key"), F.col("signature").alias("payload")
        )
    return payloads if earlier is None else payloads.unionByName(earlier.payloads)


def _united(levels: Sequence[DataFrame]) -> DataFrame:
    """All levels in one table, every kept document followed to the one that survives them all."""
    rows = levels[0]
    for level in levels[1:]:
        rows = _followed(rows, level).unionByName(level)
    return rows


def _followed(rows: DataFrame, later: DataFrame) -> DataFrame:
    """The rows, where a kept document was itself removed with the one that stays for it.

    Needs: later with rank, kept_rank (null where none stays).
    """
    following = later.select(
        F.col("rank").alias("kept_rank"),
        F.struct(F.col("kept_rank").alias("rank")).alias("later"),
    )
    return (
        rows.join(following, on="kept_rank", how="left")
        .withColumn(
            "kept_rank",
            F.when(F.col("later").isNull(), F.col("kept_rank")).otherwise(F.col("later.rank")),
        )
        .drop("later")
    )
