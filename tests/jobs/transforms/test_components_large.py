"""Components of graphs that are large, long or lopsided, against union-find.

Partial graphs stay in as many tasks as there are partitions, as on a cluster: what one task
cannot see has to be found by the rounds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.transforms.components import Checkpoint, connected_components
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.near_duplicates import union_find
from tests.builders.spark_settings import changed_settings

pytestmark = pytest.mark.slow

Edges = list[tuple[str, str]]

MANY_TASKS = {
    "spark.sql.shuffle.partitions": "7",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
}
MAX_ROUNDS = 50
RAYS = 200_000


@pytest.fixture
def cluster_like(spark: SparkSession) -> Iterator[SparkSession]:
    with changed_settings(spark, MANY_TASKS):
        yield spark


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    yield parquet_checkpoint(tmp_path)


def name(number: int) -> str:
    return f"d{number:07d}"


def shuffled(edges: Edges, seed: int) -> Edges:
    """The same graph: edges in another order, each turned around or not."""
    dice = random.Random(seed)
    turned = [edge if dice.random() < 0.5 else edge[::-1] for edge in edges]
    dice.shuffle(turned)
    return turned


def chain(length: int, seed: int) -> Edges:
    """A path through nodes in any order."""
    nodes = [name(number) for number in range(length)]
    random.Random(seed).shuffle(nodes)
    return list(pairwise(nodes))


def random_graph(seed: int, nodes: int, edges: int) -> Edges:
    dice = random.Random(seed)
    return [(name(dice.randrange(nodes)), name(dice.randrange(nodes))) for _ in range(edges)]


def stars(count: int, rays: int) -> Edges:
    """Stars whose centre is their largest node, joined to one another at their last rays."""
    edges = []
    for star in range(count):
        first = star * (rays + 1)
        centre = name(first + rays)
        edges += [(centre, name(first + ray)) for ray in range(rays)]
        if star:
            edges.append((name(first), name(first - 2)))
    return edges


GRAPHS: dict[str, Edges] = {
    "chain of 10,000 nodes in order": [(name(i), name(i + 1)) for i in range(9_999)],
    "chain of 10,000 nodes in any order": chain(10_000, 1),
    "chains of all lengths": [
        (f"{number:03d}-{one}", f"{number:03d}-{other}")
        for number in range(150)
        for one, other in chain(number, number)
    ],
    "stars in a row": stars(100, 120),
    "sparse": random_graph(2, 20_000, 6_000),
    "about to form a giant component": random_graph(3, 20_000, 10_000),
    "giant component": random_graph(4, 20_000, 16_000),
}


def test_labels_are_those_of_union_find(cluster_like: SparkSession, checkpoint: Checkpoint) -> None:
    """All graphs at once, so that the short ones wait for the long ones."""
    every = [
        (f"{graph} {one}", f"{graph} {other}")
        for graph, edges in GRAPHS.items()
        for one, other in edges
    ]
    frame = cluster_like.createDataFrame(shuffled(every, 7), "node string, hub string")
    rows = connected_components(frame, checkpoint, MAX_ROUNDS, "test").collect()
    assert len({row.node for row in rows}) == len(rows)
    found = {row.node: row.label for row in rows}
    for graph, edges in GRAPHS.items():
        expected = {
            f"{graph} {node}": f"{graph} {least}"
            for node, least in union_find(edges).items()
            if node != least
        }
        assert {node: found[node] for node in found if node.startswith(graph)} == expected, graph


def hub_edges(spark: SparkSession, rays: int, hub: str) -> DataFrame:
    """A hub and its rays, no two of which touch; half of the edges point to it."""
    ray = F.format_string("d%07d", F.col("id") + 1)
    return spark.range(rays, numPartitions=4).select(
        F.when(F.col("id") % 2 == 0, ray).otherwise(F.lit(hub)).alias("node"),
        F.when(F.col("id") % 2 == 0, F.lit(hub)).otherwise(ray).alias("hub"),
    )


def test_a_hub_of_many_edges(cluster_like: SparkSession, checkpoint: Checkpoint) -> None:
    """The hub is the largest node: no neighbour gets the least node before the hub does."""
    edges = hub_edges(cluster_like, RAYS, "d9999999")
    labels = connected_components(edges, checkpoint, MAX_ROUNDS, "hub")
    (row,) = labels.groupBy("label").agg(F.count_distinct("node").alias("nodes")).collect()
    assert (row.label, row.nodes, labels.count()) == ("d0000001", RAYS, RAYS)
