"""Near duplicates: band keys -> candidate pairs -> verified pairs -> clusters.

A document is handled by its rank (ranks.py): the smaller rank is the one
that the keep policy prefers, so the smallest rank of a cluster names the document that stays.

Candidates come from buckets (documents that share a band key) without looking at all pairs:

1. Most buckets have few members, and all of their pairs are compared. In a larger one every
   member is compared with its hub, the smallest rank.
2. A star alone loses A~B when neither resembles the hub. A bucket whose members lie in more
   than one component afterwards is *mixed*, and only those are looked at again: up to
   max_pair_bucket members, every pair that crosses components; above that, one more hub a
   round, taken from a component that has not given one, for max_hub_rounds rounds. Both are
   linear in the members, and what is still mixed then is counted, not dropped.

Documents of earlier snapshots are compared with those of this run, never with each other: their
components are known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.candidate_groups import (
    Clusters,
    EarlierNear,
    candidate_groups,
    clustered_groups,
    of_groups,
    shingles_of,
)
from jobs.transforms.components import Checkpoint, connected_components
from jobs.transforms.ranks import is_before, key_of
from udfs.dedup.pair_similarity import SIMILARITY_DDL, compare_batches

Report = Callable[[str, int], None]
"""Takes a named count of the run; called on the driver."""

_ALL_PAIRS = 4
# Six pairs where a star has three, and no second look at any of these buckets: most are so small.

_GROUP_MEMBERS = 500
"""Members of the largest group that is clustered in one task."""

_HUB_MEMBERS = 4096
"""About this number of documents of a larger bucket are compared with one hub in one task."""


def find_near_duplicates(
    prints: DataFrame,
    payloads: DataFrame,
    config: DedupConfig,
    checkpoint: Checkpoint,
    report: Report,
    earlier: EarlierNear | None = None,
) -> DataFrame:
    """The documents to remove as near duplicates.

    Needs: prints with rank, bands (null takes no part); payloads with key (`key_of` the rank),
        payload (a text, or a signature where config.verify is "estimate"), of earlier documents
        too.
    Rows: one for each document to remove: rank, kept_rank, similarity (between the two); from a
        checkpoint.
    Shuffles: band keys of all documents; once what a document of a candidate pair is compared by.
    """
    groups, members = candidate_groups(prints, earlier, config, checkpoint)
    is_large = F.col("members") > _GROUP_MEMBERS
    found = clustered_groups(
        groups.filter(~is_large) if members > _GROUP_MEMBERS else groups,
        prints,
        payloads,
        earlier,
        config,
        checkpoint,
        _ALL_PAIRS,
    )
    removed = found.removed
    largest, mixed, bridged = found[1:]
    if members > _GROUP_MEMBERS:
        search = _Search(payloads, config, checkpoint, earlier)
        spread = search.removed(of_groups(prints, groups.filter(is_large)))
        removed = checkpoint(removed.unionByName(spread.removed), "near_removed")
        largest = max(largest, spread.largest_bucket)
        mixed += spread.mixed_buckets
        bridged += spread.bridged_documents
    report("near_largest_group", members)
    report("near_largest_bucket", largest)
    report("near_unsettled_buckets", mixed)
    if earlier is not None:
        report("near_bridged_documents", bridged)
    return removed


class _Search(NamedTuple):
    """What every step of one search needs."""

    payloads: DataFrame
    config: DedupConfig
    checkpoint: Checkpoint
    earlier: EarlierNear | None

    def removed(self, prints: DataFrame) -> Clusters:
        """Near duplicates among documents that are too many for a task: rank, kept_rank,
        similarity; to be read once."""
        candidates = self.checkpoint(self.first_candidates(prints), "near_candidates_1")
        largest = _largest_bucket(candidates)
        if largest == 0:
            similarities = self.compared(candidates.select("hub", "node", F.lit(0).alias("part")))
        else:  # a pair of several large buckets has a row of each
            pairs = candidates.groupBy("node", "hub").agg(_largest_size())
            similarities = self.measured(self.checkpoint(pairs, "near_pairs_of_buckets"))
        measured = self.checkpoint(similarities, "near_pairs_1")
        known = self.known_labels(candidates)
        labels = self.components(measured, known, "near_components_1")
        mixed = bridged = 0
        if largest > 0:
            labels, measured, mixed = self.resolved(candidates, labels, measured)
        if self.earlier is not None and known is not None:
            bridged = _bridged(labels, known, self.earlier.snapshot)
            labels = labels.filter(~is_before(F.col("node"), self.earlier.snapshot))
        members = self.checkpoint(
            labels.withColumnRenamed("label", "hub").join(measured, on=["node", "hub"], how="left"),
            "near_members",
        )
        return Clusters(self.with_every_similarity(members), largest, mixed, bridged)

    def first_candidates(self, prints: DataFrame) -> DataFrame:
        """node, hub, bucket, size: documents to compare; no row twice.

        hub is the smaller rank, or node itself: a hub has a row too. bucket and its size
        are null in a bucket of up to _ALL_PAIRS members. In a larger one hub is the smallest of
        all; its rows of two earlier documents are there to tell its members.
        """
        members = _members(prints)
        if self.earlier is not None:
            older = _members(self.earlier.documents)
            # Few band keys of a small run are broadcast: the store is then read, not shuffled.
            met = older.join(members.select("bucket"), on="bucket", how="left_semi")
            members = members.unionByName(met)
        bucket = Window.partitionBy("bucket")
        in_order = bucket.orderBy("node")
        # A window shuffles and sorts the members once; min() and a join do so twice, at 20 rows a
        # document. A hot bucket spills, and its one task stays linear in its members. Most are
        # alone: to look at neighbours first, and count then, took 0.53 to 0.89 of the time.
        met = (
            members.withColumn("previous", F.lag("node").over(in_order))
            .withColumn("next", F.lead("node").over(in_order))
            .filter(F.col("previous").isNotNull() | F.col("next").isNotNull())
        )
        before = [F.lag("node", back).over(in_order) for back in range(2, _ALL_PAIRS)]
        sized = (
            met.withColumn("before", F.array("previous", *before))
            .withColumn("size", F.count(F.lit(1)).over(bucket))
            .withColumn("first", F.min("node").over(bucket))
        )
        is_large = F.col("size") > _ALL_PAIRS
        own_row = F.array(F.when(F.col("next").isNotNull(), F.col("node")))
        hubs = F.when(is_large, F.array("first")).otherwise(F.concat(own_row, "before"))
        return (
            sized.select(
                "node",
                F.explode(hubs).alias("hub"),
                F.when(is_large, F.col("bucket")).alias("bucket"),
                F.when(is_large, F.col("size")).alias("size"),
            )
            .filter(F.col("hub").isNotNull())
            .filter(
                F.col("size").isNotNull()
                | self._is_own(F.col("node"))
                | (F.col("node") == F.col("hub"))
            )
            .distinct()
        )

    def _is_own(self, node: Column) -> Column:
        return F.lit(True) if self.earlier is None else ~is_before(node, self.earlier.snapshot)

    def known_labels(self, candidates: DataFrame) -> DataFrame | None:
        """node, label of the earlier documents among the candidates that another one represents."""
        if self.earlier is None:
            return None
        ends = candidates.select("node").union(candidates.select("hub"))  # of small ones too
        met = ends.filter(is_before(F.col("node"), self.earlier.snapshot)).distinct()
        removed = self.earlier.documents.filter(F.col("rank") != F.col("kept_rank"))
        known = removed.select(F.col("rank").alias("node"), F.col("kept_rank").alias("label"))
        return self.checkpoint(known.join(met, on="node", how="left_semi"), "near_known_labels")

    def components(self, measured: DataFrame, known: DataFrame | None, name: str) -> DataFrame:
        """node, label: components of the similar pairs and of what is known."""
        edges = measured.filter(F.col("similarity") >= self.config.min_similarity)
        edges = edges.select("node", "hub")
        if known is not None:
            edges = edges.unionByName(known.withColumnRenamed("label", "hub"))
        return connected_components(edges, self.checkpoint, self.config.max_rounds, name)

    def resolved(
        self, candidates: DataFrame, labels: DataFrame, measured: DataFrame
    ) -> tuple[DataFrame, DataFrame, int]:
        """Look at mixed buckets again. Gives labels, measured, and buckets that stay mixed."""
        limit = self.config.max_pair_bucket
        shared = candidates.filter(F.col("bucket").isNotNull())
        hubs = shared.filter(F.col("node") == F.col("hub")).select("bucket", "node")
        for turn in range(2, 2 + self.config.max_hub_rounds):
            mixed = self.checkpoint(_mixed_buckets(shared, labels), f"near_mixed_{turn}")
            fewest, most = _bucket_sizes(mixed)
            small = turn == 2 and 0 < fewest <= limit
            large = most > limit
            if not small and not large:
                return labels, measured, 0
            across = _pairs_across(mixed, limit if small else 0)
            if large:
                over = mixed.filter(F.col("size") > limit)
                waiting = _without_seen_labels(over, hubs, labels)
                next_hubs = self.checkpoint(_least_of_buckets(waiting), f"near_hubs_{turn}")
                if not small and next_hubs.isEmpty():
                    return labels, measured, 0
                hubs = hubs.unionByName(next_hubs.select("bucket", F.col("hub").alias("node")))
                across = across.unionByName(_pairs_with_hubs(mixed, next_hubs))
            fresh_pairs = (
                across.filter(self._is_own(F.col("node")))
                .groupBy("node", "hub")
                .agg(_largest_size())
                .join(measured, on=["node", "hub"], how="left_anti")
            )
            pairs = self.checkpoint(fresh_pairs, f"near_candidates_{turn}")
            fresh = self.checkpoint(self.measured(pairs), f"near_pairs_{turn}")
            measured = measured.unionByName(fresh)
            # The labels so far stand for all the pairs they came from.
            labels = self.components(fresh, labels, f"near_components_{turn}")
            if not large:
                return labels, measured, 0
        over = _mixed_buckets(shared, labels).filter(F.col("size") > limit)
        waiting = _without_seen_labels(over, hubs, labels)
        return labels, measured, waiting.select("bucket").distinct().count()

    def measured(self, pairs: DataFrame) -> DataFrame:
        """The similarity of candidate pairs: node, hub, similarity.

        A hub of very many members has groups enough that no task has more than it can do soon.

        Needs: pairs (node, hub, size) from a checkpoint; those of two earlier documents, and of a
            document with itself, are left out.
        """
        parts = F.ceil(F.col("size") / _HUB_MEMBERS)
        is_pair = self._is_own(F.col("node")) & (F.col("node") != F.col("hub"))
        grouped = pairs.filter(is_pair).select(
            "hub", "node", F.pmod(F.xxhash64("node"), parts).cast("int").alias("part")
        )
        hubs = grouped.select("hub", F.col("hub").alias("node"), "part").distinct()
        return self.compared(grouped.unionByName(hubs))

    def compared(self, wanted: DataFrame) -> DataFrame:
        """node, hub, similarity of groups of one hub each.

        Rows are streamed, the hub first: its payload travels once a group.

        Needs: wanted (hub, part, node), with a row (hub, part, hub) for each group, from a
            checkpoint, so that Spark knows how large it is: few enough are broadcast, and no text
            is shuffled that nobody asked for. Without any the texts are not even read.
        """
        return (
            wanted.withColumn("key", key_of(F.col("node")))
            .join(self.payloads, on="key", how="inner")
            .select("hub", "part", "node", "payload")
            .repartition("hub", "part")
            .sortWithinPartitions("hub", "part", F.col("node") != F.col("hub"), "node")
            .select("hub", "node", "payload")
            .mapInArrow(
                compare_batches(
                    shingles_of(self.config) if self.config.verify == "exact" else None
                ),
                SIMILARITY_DDL,
            )
        )

    def with_every_similarity(self, members: DataFrame) -> DataFrame:
        """rank, kept_rank, similarity. A pair that met through others, and was no candidate, has
        no similarity yet and is measured here."""
        chained = members.filter(F.col("similarity").isNull()).select("node", "hub")
        sized = chained.withColumn("size", F.count(F.lit(1)).over(Window.partitionBy("hub")))
        return (
            members.filter(F.col("similarity").isNotNull())
            .unionByName(self.measured(sized))
            .select(F.col("node").alias("rank"), F.col("hub").alias("kept_rank"), "similarity")
        )


def _members(prints: DataFrame) -> DataFrame:
    """bucket, node: one row a band of every document that has any."""
    return prints.filter(F.col("bands").isNotNull()).select(
        F.explode("bands").alias("bucket"), F.col("rank").alias("node")
    )


def _largest_bucket(candidates: DataFrame) -> int:
    """Members of the largest bucket of over _ALL_PAIRS; 0 where there is none."""
    largest = candidates.agg(F.max("size")).collect()[0][0]
    return int(largest or 0)


def _largest_size() -> Column:
    return F.coalesce(F.max("size"), F.lit(1)).alias("size")


def _mixed_buckets(shared: DataFrame, labels: DataFrame) -> DataFrame:
    """Members of buckets with more than one component: bucket, size, node, label.

    A document without a label is its own component.
    """
    bucket = Window.partitionBy("bucket")
    return (
        shared.join(labels, on="node", how="left")
        .withColumn("label", F.coalesce("label", "node"))
        .withColumn("first", F.min("label").over(bucket))
        .withColumn("last", F.max("label").over(bucket))
        .filter(F.col("first") < F.col("last"))
        .select("bucket", "size", "node", "label")
    )


def _bucket_sizes(mixed: DataFrame) -> tuple[int, int]:
    """Members of the smallest and of the largest bucket; zeros when there is none."""
    fewest, most = mixed.agg(F.min("size"), F.max("size")).collect()[0]
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
        .select(
            F.greatest("node", "hub").alias("node"), F.least("node", "hub").alias("hub"), "size"
        )
    )


def _pairs_across(mixed: DataFrame, max_bucket: int) -> DataFrame:
    """Every pair, its smaller rank as hub, of a small mixed bucket that lies in two components."""
    small = mixed.filter(F.col("size") <= max_bucket)
    others = small.select("bucket", F.col("node").alias("hub"), F.col("label").alias("hub_label"))
    return (
        small.join(others, on="bucket", how="inner")
        .filter((F.col("hub") < F.col("node")) & (F.col("label") != F.col("hub_label")))
        .select("node", "hub", "size")
    )


def _bridged(labels: DataFrame, known: DataFrame, snapshot: int) -> int:
    """Earlier documents that stay although a document of this run connects them with others."""
    moved = labels.filter(is_before(F.col("node"), snapshot))
    return moved.join(known, on="node", how="left_anti").count()
