"""The probability of noise: fits over frames, records, failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from udfs.pair_noise.noise import NOISE, NoiseSettings, fit_noise
from udfs.pair_scorers.scorer import Pairs

DDL = "doc_id string, place int, alignment struct<similarity:double,text_tokens:int>"


def alignments() -> tuple[list[float], list[float]]:
    """Those of 300 noisy pairs and 700 clean ones."""
    rng = np.random.default_rng(1)
    return rng.normal(0.15, 0.03, 300).tolist(), rng.normal(0.35, 0.03, 700).tolist()


def frame_of(spark: SparkSession, values: list[float | None]) -> DataFrame:
    rows = [(str(n), n % 3, None if v is None else (v, 0)) for n, v in enumerate(values)]
    return spark.createDataFrame(rows, DDL)


def records_of(fitted: Any, values: list[float]) -> list[dict[str, Any]]:
    scorer = NOISE.make(NoiseSettings(), None, fitted)
    nothing = [None] * len(values)
    others = {"alignment": [{"similarity": value} for value in values]}
    keys = [str(n) for n in range(len(values))]
    return list(
        scorer.score(Pairs(keys, nothing, nothing, others), scorer.load({}, scorer.options))
    )


def test_noisy_pairs_are_told_from_clean_ones_for_any_partitioning(spark: SparkSession) -> None:
    noisy, clean = alignments()
    frame = frame_of(spark, [*noisy, None, *clean])
    one, other = (fit_noise(NoiseSettings(), frame.repartition(n)) for n in (1, 6))
    assert one == other
    assert one["pairs"] == 1000 and one["separation"] > 4
    assert one["means"] == pytest.approx((0.15, 0.35), abs=0.01)
    found = [record["noise_prob"] for record in records_of(one, [*noisy, *clean])]
    right = [value > 0.5 for value in found[:300]] + [value <= 0.5 for value in found[300:]]
    assert sum(right) > 990
    assert records_of(one, noisy[:3]) == records_of(one, noisy[:9])[:3]


def test_no_pair_has_a_probability_where_there_is_no_fit(spark: SparkSession) -> None:
    noisy, clean = alignments()
    few = fit_noise(NoiseSettings(), frame_of(spark, [*noisy]))
    assert few == {"pairs": 300, "failure": "few_pairs"}
    equal = fit_noise(NoiseSettings(min_pairs=5), frame_of(spark, [0.25] * 5))
    assert equal == {"pairs": 5, "failure": "one_group"}
    assert records_of(few, clean[:2]) == [{"noise_prob": None, "failure": "few_pairs"}] * 2
