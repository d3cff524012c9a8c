"""Components in DataFrames against union-find."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.components import Checkpoint, NotConverged, connected_components
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.near_duplicates import union_find

Edges = list[tuple[str, str]]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    yield parquet_checkpoint(tmp_path)


def name(number: int) -> str:
    return f"d{number:05d}"


def shuffled_chain(length: int) -> Edges:
    nodes = [name(number) for number in range(length)]
    random.Random(5).shuffle(nodes)
    return list(pairwise(nodes))


def random_graph(seed: int, nodes: int, edges: int) -> Edges:
    rng = random.Random(seed)
    return [(name(rng.randrange(nodes)), name(rng.randrange(nodes))) for _ in range(edges)]


GRAPHS: dict[str, Edges] = {
    "nothing": [],
    "one edge": [("b", "a")],
    "copies and both ways": [("a", "b"), ("b", "a"), ("a", "b"), ("c", "b"), ("d", "d")],
    "chain of 200 in order": [(name(i), name(i + 1)) for i in range(199)],
    "chain of 200 out of order": shuffled_chain(200),
    "star with its smallest node last": [(name(i), name(999)) for i in range(300)],
    "sparse": random_graph(1, 400, 200),
    "about to join up": random_graph(2, 400, 400),
    "dense": random_graph(3, 60, 600),
}


def labels_of(edges: DataFrame, checkpoint: Checkpoint, max_rounds: int = 50) -> dict[str, str]:
    rows = connected_components(edges, checkpoint, max_rounds, "test").collect()
    assert len({row.node for row in rows}) == len(rows)
    return {row.node: row.label for row in rows}


def expected_labels(edges: Edges) -> dict[str, str]:
    return {node: least for node, least in union_find(edges).items() if node != least}


def edges_frame(spark: SparkSession, edges: Edges) -> DataFrame:
    return spark.createDataFrame(edges, "node string, hub string")


@pytest.mark.parametrize(
    "graphs", [["nothing"], ["one edge"], [graph for graph in GRAPHS if graph != "nothing"]]
)
def test_labels_are_those_of_union_find(
    spark: SparkSession, checkpoint: Checkpoint, graphs: list[str]
) -> None:
    """Of a graph alone, and of all beside one another."""
    edges = [
        (f"{graph} {one}", f"{graph} {other}") for graph in graphs for one, other in GRAPHS[graph]
    ]
    assert labels_of(edges_frame(spark, edges), checkpoint) == expected_labels(edges)


@pytest.mark.parametrize(
    "graph",
    [pytest.param("chain of 200 out of order", marks=pytest.mark.slow), "about to join up"],
)
def test_rounds_alone_find_the_components(
    spark: SparkSession,
    checkpoint: Checkpoint,
    graph: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a cluster, where no task holds more than a few of a component's edges."""
    monkeypatch.setattr("jobs.transforms.components._MAX_TASK_LINKS", 1)
    edges = GRAPHS[graph]
    assert labels_of(edges_frame(spark, edges), checkpoint) == expected_labels(edges)


def test_a_loop_that_does_not_settle_raises(
    spark: SparkSession, checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.transforms.components._MAX_TASK_LINKS", 1)
    edges = edges_frame(spark, GRAPHS["chain of 200 out of order"])
    with pytest.raises(NotConverged, match="after 1 rounds"):
        labels_of(edges, checkpoint, max_rounds=1)
