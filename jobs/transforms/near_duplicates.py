"""Near duplicates: band keys -> candidate pairs -> verified pairs -> clusters.

A document is handled by its rank (ranks.py): the smaller rank is the one
that the keep policy prefers, so the smallest rank of a cluster names the document that stays.

Candidates come from buckets (documents that share a band key) without looking at all pairs:

1. Star: every member of a bucket is compared with its hub, the smallest rank.
2. A star alone loses A~B when neither resembles the hub. A bucket whose members lie in more
   than one component afterwards is *mixed*, and only those are looked at again: up to
   max_pair_bucket members, every pair that crosses components; above that, one more hub a
   round, taken from a component that has not given one, for max_hub_rounds rounds. Both are
   linear in the members, and what is still mixed then is counted, not dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint, connected_components
from jobs.transforms.ranks import document_of
from udfs.pair_similarity import SIMILARITY_DDL, compare_batches

Report = Callable[[str, int], None]
"""Takes a named count of the run; called on the driver."""


def find_near_duplicates(
    prints: DataFrame,
    payloads: DataFrame,
    config: DedupConfig,
    checkpoint: Checkpoint,
    report: Report,
) -> DataFrame:
    """The documents to remove as near duplicates.

    Needs: prints with rank, bands (null takes no part); payloads with doc_id, payload (a text, or
        a signature where config.verify is "estimate").
    Rows: one for each removed document: rank, kept_rank, similarity (between the two).
    Shuffles: band keys and ranks of all documents; payloads of documents in a candidate pair.
    """
    shared = checkpoint(_shared_buckets(prints), "near_buckets")
    pairs = checkpoint(_star_pairs(shared), "near_candidates_1")
    measured = checkpoint(_measure(pairs, payloads, config), "near_pairs_1")
    labels = connected_components(
        _similar(measured, config), checkpoint, config.max_rounds, "near_components_1"
    )
    hubs = shared.select("bucket", F.col("hub").alias("node")).distinct()
    unsettled = 0
    for turn in range(2, 2 + config.max_hub_rounds):
        mixed = checkpoint(_mixed_buckets(shared, labels), f"near_mixed_{turn}")
        fewest, most = _bucket_sizes(mixed)
        small = turn == 2 and 0 < fewest <= config.max_pair_bucket
        large = most > config.max_pair_bucket
        if not small and not large:
            break
        across = _pairs_across(mixed, config.max_pair_bucket if small else 0)
        if large:
            waiting = _without_seen_labels(_larger(mixed, config), hubs, labels)
            next_hubs = checkpoint(_least_of_buckets(waiting), f"near_hubs_{turn}")
            if not small and next_hubs.isEmpty():
                break
            hubs = hubs.unionByName(next_hubs.select("bucket", F.col("hub").alias("node")))
            across = across.unionByName(_pairs_with_hubs(mixed, next_hubs)).distinct()
        pairs = checkpoint(
            across.join(measured, on=["node", "hub"], how="left_anti"), f"near_candidates_{turn}"
        )
        fresh = checkpoint(_measure(pairs, payloads, config), f"near_pairs_{turn}")
        measured = measured.unionByName(fresh)
        similar = _similar(fresh, config)
        if not similar.isEmpty():
            # The labels so far stand for all the pairs they came from.
            edges = similar.unionByName(labels.withColumnRenamed("label", "hub"))
            labels = connected_components(
                edges, checkpoint, config.max_rounds, f"near_components_{turn}"
            )
        if not large:
            break
    else:
        mixed = _larger(_mixed_buckets(shared, labels), config)
        unsettled = _without_seen_labels(mixed, hubs, labels).select("bucket").distinct().count()
    report("near_unsettled_buckets", unsettled)
    pairs = labels.withColumnRenamed("label", "hub").join(measured, on=["node", "hub"], how="left")
    removed = _with_every_similarity(checkpoint(pairs, "near_members"), payloads, config)
    return checkpoint(removed, "near_removed")


def _shared_buckets(prints: DataFrame) -> DataFrame:
    """Members of every bucket with two or more: bucket, bucket_size, node, hub."""
    members = prints.filter(F.col("bands").isNotNull()).select(
        F.explode("bands").alias("bucket"), F.col("rank").alias("node")
    )
    # A window shuffles and sorts the members once; min() and a join do so twice, at 14 rows a
    # document. A hot bucket spills, and its one task stays linear in its members.
    bucket = Window.partitionBy("bucket")
    return (
        members.withColumn("bucket_size", F.count(F.lit(1)).over(bucket))
        .withColumn("hub", F.min("node").over(bucket))
        .filter(F.col("bucket_size") > 1)
        .select("bucket", "bucket_size", "node", "hub")
    )


def _star_pairs(shared: DataFrame) -> DataFrame:
    """Candidate pairs node, hub: each member with the hub of its bucket."""
    return shared.filter(F.col("node") != F.col("hub")).select("node", "hub").distinct()


def _similar(measured: DataFrame, config: DedupConfig) -> DataFrame:
    return measured.filter(F.col("similarity") >= config.min_similarity).select("node", "hub")


def _larger(mixed: DataFrame, config: DedupConfig) -> DataFrame:
    return mixed.filter(F.col("bucket_size") > config.max_pair_bucket)


def _mixed_buckets(shared: DataFrame, labels: DataFrame) -> DataFrame:
    """Members of buckets with more than one component: bucket, bucket_size, node, label.

    A bucket of two is settled by its star. A document without a label is its own component.
    """
    bucket = Window.partitionBy("bucket")
    return (
        shared.filter(F.col("bucket_size") > 2)
        .join(labels, on="node", how="left")
        .withColumn("label", F.coalesce("label", "node"))
        .withColumn("first", F.min("label").over(bucket))
        .withColumn("last", F.max("label").over(bucket))
        .filter(F.col("first") < F.col("last"))
        .select("bucket", "bucket_size", "node", "label")
    )


def _bucket_sizes(mixed: DataFrame) -> tuple[int, int]:
    """Members of the smallest and of the largest bucket; zeros when there is none."""
    fewest, most = mixed.agg(F.min("bucket_size"), F.max("bucket_size")).collect()[0]
    return fewest or 0, most or 0


def _without_seen_labels(mixed: DataFrame, hubs: DataFrame, labels: DataFrame) -> DataFrame:
    """Members whose component has not yet given their bucket a hub."""
    seen = hubs.join(labels, on="node", how="left").select(
        "bucket", F.coalesce("label", "node").alias("label")
    )
    return mixed.join(seen, on=["bucket", "label"], how="left_anti")


def _least_of_buckets(members: DataFrame) -> DataFrame:
    """One hub a bucket: bucket, hub, hub_label."""
    return (
        members.groupBy("bucket")
        .agg(F.min(F.struct("node", "label")).alias("least"))
        .select("bucket", F.col("least.node").alias("hub"), F.col("least.label").alias("hub_label"))
    )


def _pairs_with_hubs(mixed: DataFrame, hubs: DataFrame) -> DataFrame:
    """Candidate pairs of each member with the new hub of its bucket, across components."""
    return (
        mixed.join(hubs, on="bucket", how="inner")
        .filter(F.col("label") != F.col("hub_label"))
        .select(F.greatest("node", "hub").alias("node"), F.least("node", "hub").alias("hub"))
        .distinct()
    )


def _pairs_across(mixed: DataFrame, max_bucket: int) -> DataFrame:
    """Every pair, its smaller rank as hub, of a small mixed bucket that lies in two components."""
    small = mixed.filter(F.col("bucket_size") <= max_bucket)
    others = small.select("bucket", F.col("node").alias("hub"), F.col("label").alias("hub_label"))
    return (
        small.join(others, on="bucket", how="inner")
        .filter((F.col("hub") < F.col("node")) & (F.col("label") != F.col("hub_label")))
        .select("node", "hub")
        .distinct()
    )


def _measure(pairs: DataFrame, payloads: DataFrame, config: DedupConfig) -> DataFrame:
    """The similarity of candidate pairs: node, hub, similarity.

    Rows are grouped by hub and streamed, the hub first: its payload travels once a group, and a
    hub with a million members needs no more memory than one with two.

    Needs: pairs from a checkpoint, so that Spark knows their size: few enough are broadcast, and
        no text is shuffled that nobody asked for. Without pairs the texts are not even read.
    """
    wanted = pairs.select("hub", "node").unionByName(
        pairs.select("hub", F.col("hub").alias("node")).distinct()
    )
    return (
        wanted.withColumn("doc_id", document_of(F.col("node")))
        .join(payloads, on="doc_id", how="inner")
        .select("hub", "node", "payload")
        .repartition("hub")
        .sortWithinPartitions("hub", F.col("node") != F.col("hub"), "node")
        .mapInArrow(
            compare_batches(config.shingle_chars if config.verify == "exact" else None),
            SIMILARITY_DDL,
        )
    )


def _with_every_similarity(pairs: DataFrame, payloads: DataFrame, config: DedupConfig) -> DataFrame:
    """rank, kept_rank, similarity. A pair that met through others, and was no candidate, has no
    similarity yet and is measured here."""
    chained = pairs.filter(F.col("similarity").isNull()).select("node", "hub")
    return (
        pairs.filter(F.col("similarity").isNotNull())
        .unionByName(_measure(chained, payloads, config))
        .select(F.col("node").alias("rank"), F.col("hub").alias("kept_rank"), "similarity")
    )
