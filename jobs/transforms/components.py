"""Connected components of a graph of document pairs, as DataFrame operations."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from udfs.forest import LINK_DDL, contract_batches

log = logging.getLogger(__name__)

Checkpoint = Callable[[DataFrame, str], DataFrame]
"""Writes a DataFrame under the given name and reads it back: a cut of the lineage that survives
the loss of an executor."""

_MAX_TASK_LINKS = 1_000_000


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
