"""Connected components of a graph of document pairs, as DataFrame operations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from udfs.dedup.union_find import contract_batches, star_ddl

log = logging.getLogger(__name__)

Checkpoint = Callable[[DataFrame, str], DataFrame]
"""Writes a DataFrame under a name and reads it back: cuts the lineage, and survives the loss of an
executor."""

_MAX_TASK_LINKS = 1_000_000
"""Links of which one task makes stars at once."""


def observed(
    frame: DataFrame, checkpoint: Checkpoint, name: str, *measures: Column
) -> tuple[DataFrame, dict[str, Any]]:
    """Write a checkpoint and aggregate its rows while they are written, without another job.

    A task that is retried before a shuffle is aggregated twice, so measures are of the last stage,
    or minima and maxima.
    """
    observation = Observation()
    written = checkpoint(frame.observe(observation, *measures), name)
    return written, observation.get


class NotConverged(RuntimeError):
    """The links are no stars after the largest number of rounds: labels would be wrong."""


def connected_components(
    edges: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str
) -> DataFrame:
    """Label the nodes of a graph with the smallest node of their component.

    Each task contracts its edges to stars first, which leaves fewer links than nodes a task and is
    often the end of it. Else large-star and small-star alternate until the links of all tasks form
    stars. Stars around their smallest node are a fixed point, so the test is exact: no counts or
    sums are compared.

    Needs: node, hub (names, undirected, any order; loops and copies do no harm).
    Rows: one for each node that is not itself the smallest of its component: node, label.
    Shuffles: the edges once; then each round, over at most one link a node and task, one shuffle
        for the test and four for the round.

    Args:
        name: Prefix of the checkpoints' names; unique a run.
    Raises:
        NotConverged: still not stars after max_rounds rounds.
    Source:
        Kiveris et al., Connected Components in MapReduce and Beyond, SoCC 2014 (alternating
        algorithm, O(log^2 n) rounds).
    """
    # By hub: few nodes are in two tasks; AQE makes one task of a small graph.
    by_hub = edges.select("node", "hub").repartition("hub")
    members, is_complete, _ = _contracted(by_hub, checkpoint, f"{name}_0", "string")
    links = members.filter(F.col("node") != F.col("label")).select("node", "label")
    if is_complete:
        return links
    return _labels_by_rounds(links, checkpoint, max_rounds, name)


def connected_numbers(
    links: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str
) -> tuple[DataFrame, int]:
    """Label the nodes of a graph, where nodes are numbers, and count the members of components.

    As `connected_components`; up to _MAX_TASK_LINKS links of all first tasks are contracted in one
    more task before there are rounds.

    Needs: node, parent (undirected, any order).
    Rows: one for each node: node, label (smallest node of its component), members (of its
        component).
    Shuffles: as `connected_components`; after rounds the labels once more, to count members.

    Returns:
        The rows, and the members of the largest component: 0 without any.
    """
    edges = links.select("node", F.col("parent").alias("hub"))
    # By hub, or one hub's edges would be in every task.
    members, is_complete, largest = _contracted(
        edges.repartition("hub"), checkpoint, f"{name}_0", "bigint"
    )
    if is_complete:
        return members, largest
    stars = members.filter(F.col("node") != F.col("label")).select("node", "label")
    if stars.count() <= _MAX_TASK_LINKS:
        edges = stars.select("node", F.col("label").alias("hub"))
        members, is_complete, largest = _contracted(
            edges.repartition(1), checkpoint, f"{name}_together", "bigint"
        )
        if is_complete:
            return members, largest
    labels = _labels_by_rounds(stars, checkpoint, max_rounds, name)
    sizes = labels.groupBy("label").agg((F.count(F.lit(1)) + 1).cast("int").alias("members"))
    every = labels.unionByName(sizes.select(F.col("label").alias("node"), "label"))
    return _with_largest(every.join(sizes, on="label", how="inner"), checkpoint, f"{name}_members")


def _contracted(
    edges: DataFrame, checkpoint: Checkpoint, name: str, node_type: str
) -> tuple[DataFrame, bool, int]:
    """node, label, members of the stars of all tasks; whether one run of one task made all of
    them, so that they are the components; and the members of the largest."""
    found = edges.mapInArrow(contract_batches(_MAX_TASK_LINKS), star_ddl(node_type))
    written, seen = observed(
        found.withColumn("task", F.spark_partition_id()),
        checkpoint,
        name,
        F.min("task").alias("first"),
        F.max("task").alias("last"),
        F.max("run").alias("run"),
        F.max("members").alias("largest"),
    )
    members = written.select("node", F.col("parent").alias("label"), "members")
    is_complete = seen.get("first") == seen.get("last") and not seen.get("run")
    return members, is_complete, seen.get("largest") or 0


def _with_largest(members: DataFrame, checkpoint: Checkpoint, name: str) -> tuple[DataFrame, int]:
    largest = F.max("members").alias("largest")
    written, seen = observed(members.select("node", "label", "members"), checkpoint, name, largest)
    return written, seen.get("largest") or 0


def _labels_by_rounds(
    links: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str
) -> DataFrame:
    """node, label of links (node, label), by rounds of large-star and small-star."""
    links = links.withColumnRenamed("label", "parent")
    rounds = 0
    while not _are_stars(links):
        if rounds == max_rounds:
            raise NotConverged(
                f"{name}: connected components have not converged after {max_rounds} rounds; "
                "set dedup.max_rounds higher"
            )
        rounds += 1
        links = checkpoint(_small_star(_large_star(links)), f"{name}_{rounds}")
    log.info("%s: connected components converged after %d rounds", name, rounds)
    return links.withColumnRenamed("parent", "label")


def _are_stars(links: DataFrame) -> bool:
    """Whether no node has two parents and no parent has a parent."""
    ends = links.select("node", F.lit(1).alias("up"), F.lit(0).alias("down")).unionByName(
        links.select(F.col("parent").alias("node"), F.lit(0).alias("up"), F.lit(1).alias("down"))
    )
    counts = ends.groupBy("node").agg(F.sum("up").alias("up"), F.max("down").alias("down"))
    return counts.filter((F.col("up") > 1) | ((F.col("up") > 0) & (F.col("down") > 0))).isEmpty()


def _large_star(links: DataFrame) -> DataFrame:
    """Link the larger neighbours of every node to the smallest node among them and itself."""
    both = links.select("node", F.col("parent").alias("other")).unionByName(
        links.select(F.col("parent").alias("node"), F.col("node").alias("other"))
    )
    # min() and a join, not a window: it is combined before the shuffle of a hub's million edges.
    smallest = both.groupBy("node").agg(F.min("other").alias("least"))
    return (
        both.filter(F.col("other") > F.col("node"))
        .join(smallest, on="node", how="inner")
        .select(F.col("other").alias("node"), F.least("node", "least").alias("parent"))
        .distinct()
    )


def _small_star(links: DataFrame) -> DataFrame:
    """Link every node and its smaller neighbours to the smallest of them."""
    smallest = links.groupBy("node").agg(F.min("parent").alias("least"))
    moved = links.join(smallest, on="node", how="inner").filter(F.col("parent") != F.col("least"))
    return (
        smallest.select("node", F.col("least").alias("parent"))
        .unionByName(moved.select(F.col("parent").alias("node"), F.col("least").alias("parent")))
        .distinct()
    )
