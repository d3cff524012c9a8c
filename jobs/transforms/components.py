"""Connected components of a graph of document pairs, as DataFrame operations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from udfs.dedup import union_find as numbers
from udfs.dedup.forest import LINK_DDL, contract_batches

log = logging.getLogger(__name__)

Checkpoint = Callable[[DataFrame, str], DataFrame]
"""Writes a DataFrame under the given name and reads it back: a cut of the lineage that survives
the loss of an executor."""

_MAX_TASK_LINKS = 1_000_000


def observed(
    frame: DataFrame, checkpoint: Checkpoint, name: str, *measures: Column
) -> tuple[DataFrame, dict[str, Any]]:
    """A checkpoint, and what is measured of its rows while they are written: no job more.

    A measure of a task that ran twice before a shuffle would count twice: so they are taken of
    the last stage, or are minima and maxima.
    """
    observation = Observation()
    written = checkpoint(frame.observe(observation, *measures), name)
    return written, observation.get


class NotConverged(RuntimeError):
    """The components loop hit its limit of rounds; its labels would be wrong."""


def connected_components(
    edges: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str
) -> DataFrame:
    """Label the nodes of a graph with the smallest node of their component.

    Each task first contracts the edges it holds to stars, which leaves fewer links than nodes a
    task and often ends the matter: then large-star and small-star alternate until the links of
    all tasks form stars. Stars whose centre is their smallest node are a fixed point, so the
    test is exact: no counts or sums are compared.

    Needs: node, hub (undirected, any order; loops and copies do no harm).
    Rows: one for each node that is not itself the smallest of its component: node, label.
    Shuffles: the edges once; then, over at most one link a node and task, one to test and four
        to turn, each round.

    Args:
        name: Prefix of the checkpoints' names; unique a run.
    Raises:
        NotConverged: still not stars after max_rounds rounds.
    Source:
        Kiveris et al., Connected Components in MapReduce and Beyond, SoCC 2014 (alternating
        algorithm, O(log^2 n) rounds).
    """
    contracted = checkpoint(
        edges.select("node", "hub")
        .repartition("hub")  # by hub: few nodes in two tasks; AQE makes one task of a small graph
        .mapInArrow(contract_batches(_MAX_TASK_LINKS), LINK_DDL)
        .withColumn("task", F.spark_partition_id()),
        f"{name}_0",
    )
    links = contracted.drop("task")
    if _are_of_one_run(contracted):
        return links.withColumnRenamed("parent", "label")
    return _settled(links, checkpoint, max_rounds, name)


def connected_numbers(
    links: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str
) -> tuple[DataFrame, int]:
    """Label the nodes of a graph, where nodes are numbers, and say how large components are.

    As `connected_components`, with up to _MAX_TASK_LINKS links of all first tasks in one task
    more before there are rounds.

    Needs: node, parent (undirected, any order).
    Rows: one for each node: node, label (of the smallest node its own number), members (of its
        component). And the members of the largest component, 0 where there is none.
    Shuffles: as `connected_components`; after rounds the labels once more, to count members.
    """
    edges = links.select("node", F.col("parent").alias("hub"))
    # By hub, or one hub's edges would be in every task.
    members, is_settled, largest = _contracted(edges.repartition("hub"), checkpoint, f"{name}_0")
    if is_settled:
        return members, largest
    stars = members.filter(F.col("node") != F.col("label"))
    if stars.count() <= _MAX_TASK_LINKS:
        edges = stars.select("node", F.col("label").alias("hub"))
        members, is_settled, largest = _contracted(
            edges.repartition(1), checkpoint, f"{name}_together"
        )
        if is_settled:
            return members, largest
    stars = stars.select("node", F.col("label").alias("parent"))
    labels = _settled(stars, checkpoint, max_rounds, name)
    sizes = labels.groupBy("label").agg((F.count(F.lit(1)) + 1).cast("int").alias("members"))
    every = labels.unionByName(sizes.select(F.col("label").alias("node"), "label"))
    return _measured(every.join(sizes, on="label", how="inner"), checkpoint, f"{name}_members")


def _contracted(edges: DataFrame, checkpoint: Checkpoint, name: str) -> tuple[DataFrame, bool, int]:
    """node, label, members of stars; whether one run made all of them; the largest."""
    found = edges.mapInArrow(numbers.contract_batches(_MAX_TASK_LINKS), numbers.STAR_DDL)
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
    is_settled = seen.get("first") == seen.get("last") and not seen.get("run")
    return members, is_settled, seen.get("largest") or 0


def _measured(members: DataFrame, checkpoint: Checkpoint, name: str) -> tuple[DataFrame, int]:
    largest = F.max("members").alias("largest")
    written, seen = observed(members.select("node", "label", "members"), checkpoint, name, largest)
    return written, seen.get("largest") or 0


def _settled(links: DataFrame, checkpoint: Checkpoint, max_rounds: int, name: str) -> DataFrame:
    """node, label: links made stars by rounds."""
    rounds = 0
    while not _are_stars(links):
        if rounds == max_rounds:
            raise NotConverged(f"{name}: components not settled after {max_rounds} rounds")
        rounds += 1
        links = checkpoint(_small_star(_large_star(links)), f"{name}_{rounds}")
    log.info("%s: settled after %d rounds", name, rounds)
    return links.withColumnRenamed("parent", "label")


def _are_of_one_run(links: DataFrame) -> bool:
    """Whether one task held all edges, and at once: what it gave are stars. No shuffle tells."""
    count, first, last = links.agg(F.count(F.lit(1)), F.min("task"), F.max("task")).collect()[0]
    return bool(first == last and count <= _MAX_TASK_LINKS)


def _are_stars(links: DataFrame) -> bool:
    """Whether no node has two parents and no parent has a parent."""
    ends = links.select("node", F.lit(1).alias("up"), F.lit(0).alias("down")).unionByName(
        links.select(F.col("parent").alias("node"), F.lit(0).alias("up"), F.lit(1).alias("down"))
    )
    counts = ends.groupBy("node").agg(F.sum("up").alias("up"), F.max("down").alias("down"))
    return counts.filter((F.col("up") > 1) | ((F.col("up") > 0) & (F.col("down") > 0))).isEmpty()


def _large_star(links: DataFrame) -> DataFrame:
    """Every node hands its larger neighbours to the smallest node it sees."""
    both = links.select("node", F.col("parent").alias("other")).unionByName(
        links.select(F.col("parent").alias("node"), F.col("node").alias("other"))
    )
    # min() in front of a join, not a window: partial results take a hub's million edges apart.
    smallest = both.groupBy("node").agg(F.min("other").alias("least"))
    return (
        both.filter(F.col("other") > F.col("node"))
        .join(smallest, on="node", how="inner")
        .select(F.col("other").alias("node"), F.least("node", "least").alias("parent"))
        .distinct()
    )


def _small_star(links: DataFrame) -> DataFrame:
    """Every node hands its smaller neighbours, and itself, to the smallest of them."""
    smallest = links.groupBy("node").agg(F.min("parent").alias("least"))
    moved = links.join(smallest, on="node", how="inner").filter(F.col("parent") != F.col("least"))
    return (
        smallest.select("node", F.col("least").alias("parent"))
        .unionByName(moved.select(F.col("parent").alias("node"), F.col("least").alias("parent")))
        .distinct()
    )
