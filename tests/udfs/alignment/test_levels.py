"""Levels of a similarity: edges by quantiles, and those of NoC."""

from __future__ import annotations

import random
from collections import Counter

from pyspark.sql import SparkSession

from udfs.alignment.levels import (
    ALIGNMENT_LEVEL,
    NOC_EDGES,
    LevelSettings,
    fit_edges,
    level_of,
    score_levels,
)
from udfs.pair_scorers.scorer import Pairs

DDL = "doc_id string, place int, alignment struct<similarity:double>"


def test_quantiles_are_levels_of_equal_size(spark: SparkSession) -> None:
    dice = random.Random(3)
    values = [round(dice.uniform(-0.3, 0.9), 5) for _ in range(800)]
    rows = [(f"{n}", 0, (value,)) for n, value in enumerate(values)] + [("none", 0, None)]
    fitted = [
        fit_edges(LevelSettings(), spark.createDataFrame(rows, DDL).repartition(parts))
        for parts in (1, 5)
    ]
    assert fitted[0] == fitted[1]
    sizes = Counter(level_of(value, fitted[0]["edges"]) for value in values)
    assert sorted(sizes) == list(range(8))
    assert all(95 <= size <= 105 for size in sizes.values())


def test_the_edges_of_noc_need_no_pairs(spark: SparkSession) -> None:
    fitted = fit_edges(LevelSettings(edges="noc"), spark.createDataFrame([], DDL))
    assert fitted == {"edges": list(NOC_EDGES)}
    others = {"alignment": [{"similarity": value} for value in (0.5, -0.5, 0.1)]}
    records = score_levels(Pairs(["0"] * 3, [None] * 3, [None] * 3, others), NOC_EDGES)
    assert [record["level"] for record in records] == [7, 0, 2]
    assert ALIGNMENT_LEVEL.needs(LevelSettings()) == ("alignment",)
