"""Candidate groups: documents that share a band key, directly or through others.

Whether two documents are near duplicates, and which of a cluster stays, is decided inside one
group. Nearly every group is a handful of documents, and is clustered in one task
(udfs/dedup/near_groups.py). The few larger ones are searched by `near_duplicates._Search`, pair by
pair in all tasks.
"""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint, connected_numbers, observed
from jobs.transforms.ranks import key_of, node_of
from udfs.dedup.minhash import Shingles
from udfs.dedup.near_groups import CLUSTERS_DDL, ClusterRules, cluster_batches
from udfs.dedup.union_find import LINK_DDL, PACKED_DDL, pack_batches, star_batches


def shingles_of(config: DedupConfig) -> Shingles:
    """Return the shingles that near duplicates share."""
    if config.shingle_words is not None:
        return Shingles(config.shingle_words, of_words=True)
    return Shingles(config.shingle_chars)


class EarlierNear(NamedTuple):
    """Documents of earlier snapshots that near duplicates of this run may be found among."""

    snapshot: int
    """This run's place in the order of snapshots; the earlier ones come before."""
    documents: DataFrame
    """rank, kept_rank (of the document that stays in its place, or rank), bands."""


class Clusters(NamedTuple):
    """The near duplicates of some groups, and counts of the search."""

    removed: DataFrame
    """rank, kept_rank, similarity; from a checkpoint."""
    largest_bucket: int
    mixed_buckets: int
    bridged_documents: int


def candidate_groups(
    prints: DataFrame, earlier: EarlierNear | None, config: DedupConfig, checkpoint: Checkpoint
) -> tuple[DataFrame, int]:
    """The documents that are in any group, and the members of the largest.

    Needs: prints with rank, bands (null takes no part).
    Rows: one a document that shares a band key with another: node (`node_of` its key), label (a
        number of its group), members (of the group). An earlier document that stays for one in a
        group is in it too.
    Shuffles: band keys and nodes, 16 bytes a key, packed; links of documents in a group.
    """
    own = prints.filter(F.col("bands").isNotNull())
    node = node_of(key_of(F.col("rank")))
    bands = own.select(node.alias("node"), F.lit(None).cast("bigint").alias("kept_node"), "bands")
    if earlier is not None:
        bands = bands.unionByName(_met(earlier.documents, own))
    links = (
        bands.mapInArrow(pack_batches(), PACKED_DDL)
        .repartition("pack")
        .sortWithinPartitions("pack")
        .mapInArrow(star_batches(), LINK_DDL)
    )
    return connected_numbers(links, checkpoint, config.max_rounds, "near_groups")


def _met(older: DataFrame, own: DataFrame) -> DataFrame:
    """node, kept_node, bands of earlier documents: only bands that a document of this run has."""
    buckets = older.filter(F.col("bands").isNotNull()).select(
        "rank", "kept_rank", F.explode("bands").alias("bucket")
    )
    # Few band keys of a small run are broadcast: the store is then read, not shuffled.
    met = buckets.join(own.select(F.explode("bands").alias("bucket")), on="bucket", how="left_semi")
    kept_node = node_of(key_of(F.col("kept_rank")))
    return met.select(
        node_of(key_of(F.col("rank"))).alias("node"),
        F.when(F.col("kept_rank") != F.col("rank"), kept_node).alias("kept_node"),
        F.array("bucket").alias("bands"),
    )


def clustered_groups(
    groups: DataFrame,
    prints: DataFrame,
    payloads: DataFrame,
    earlier: EarlierNear | None,
    config: DedupConfig,
    checkpoint: Checkpoint,
    all_pairs: int,
) -> Clusters:
    """Near duplicates of groups, each clustered in one task.

    Needs: groups (node, label) of whole groups; prints (rank, bands); payloads (key, payload).
    Shuffles: each document of a group once, with what it is compared by.
    """
    members = _documents(prints, F.lit(True))
    if earlier is not None:
        older = earlier.documents
        is_known = F.col("kept_rank") != F.col("rank")
        known_key = F.when(is_known, key_of(F.col("kept_rank")))
        members = members.unionByName(_documents(older, F.lit(False), known_key))
    texts = payloads.select(
        node_of(F.col("key")).alias("node"),
        "key",
        F.lit(None).cast("string").alias("rank"),
        F.lit(None).cast("boolean").alias("is_own"),
        F.lit(None).cast("string").alias("known_key"),
        F.lit(None).cast("array<bigint>").alias("bands"),
        F.col("payload").cast("binary").alias("payload"),
    )
    of_group = groups.select("node", F.col("label").alias("group"))
    rules = ClusterRules(
        shingles_of(config) if config.verify == "exact" else None,
        config.min_similarity,
        all_pairs,
        config.max_pair_bucket,
        config.max_hub_rounds,
    )
    columns = ["group", "key", "rank", "is_own", "known_key", "bands", "payload"]
    found = (
        members.join(of_group, on="node", how="inner")
        .select(*columns)
        .unionByName(texts.join(of_group, on="node", how="inner").select(*columns))
        .repartition("group")
        .sortWithinPartitions("group")
        .mapInArrow(cluster_batches(rules), CLUSTERS_DDL)
    )
    removed, seen = observed(
        found,
        checkpoint,
        "near_clusters",
        F.max("largest_bucket").alias("largest"),
        F.sum("mixed_buckets").alias("mixed"),
        F.sum("bridged_documents").alias("bridged"),
    )
    return Clusters(
        removed.filter(F.col("rank").isNotNull()).select("rank", "kept_rank", "similarity"),
        *(int(seen.get(name) or 0) for name in ("largest", "mixed", "bridged")),
    )


def _documents(prints: DataFrame, is_own: Column, known_key: Column | None = None) -> DataFrame:
    key = key_of(F.col("rank"))
    return prints.select(
        node_of(key).alias("node"),
        key.alias("key"),
        "rank",
        is_own.alias("is_own"),
        (F.lit(None).cast("string") if known_key is None else known_key).alias("known_key"),
        "bands",
        F.lit(None).cast("binary").alias("payload"),
    )


def of_groups(prints: DataFrame, groups: DataFrame) -> DataFrame:
    """The documents of groups. Rows: those of prints whose node is in groups."""
    node = node_of(key_of(F.col("rank")))
    return (
        prints.withColumn("node", node)
        .join(groups.select("node"), on="node", how="left_semi")
        .drop("node")
    )
