"""Histograms of scores beside plain counts, and what their curves say a threshold keeps."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs.config.scorers import declared
from jobs.transforms.selection.curves import (
    banded_histograms,
    curves_of,
    score_histograms,
    threshold_curves,
    value_of,
)

COLUMNS = (
    "doc_id string, quality struct<score:double>, domain struct<single_label:string>, "
    "toxicity struct<score:double>, perplexity struct<perplexity:double>, "
    "tokens struct<tokens:bigint,chars:bigint,bytes:bigint>, reason string"
)
EDGES = [0.0, 0.07, 0.29, 0.3, 0.57, 0.58, 0.9, 1.0, math.nextafter(0.3, 0), math.nextafter(0.3, 1)]


def documents() -> list[dict[str, Any]]:
    draw = random.Random(4)
    rows = []
    for number in range(300):
        tokens = draw.choice([0, 1, 2, 8, draw.randrange(1, 5000), 2**29])
        rows.append(
            {
                "doc_id": str(number),
                "quality": draw.choice([*EDGES, draw.random(), draw.random(), None]),
                "label": draw.choice(["law", "news", None]),
                "toxicity": draw.choice([*EDGES, draw.random()]),
                "perplexity": draw.choice([0.5, 1.0, draw.uniform(0.2, 2), math.nan, None]),
                "tokens": tokens,
                "chars": tokens * 2,
                "reason": draw.choice([None, None, "low_quality", "toxic", "where"]),
            }
        )
    return rows


@pytest.fixture(scope="module")
def scored(spark: SparkSession) -> DataFrame:
    rows = [
        Row(
            doc_id=row["doc_id"],
            quality=None if row["quality"] is None else Row(score=row["quality"]),
            domain=Row(single_label=row["label"]),
            toxicity=Row(score=row["toxicity"]),
            perplexity=Row(perplexity=row["perplexity"]),
            tokens=Row(tokens=row["tokens"], chars=row["chars"], bytes=0),
            reason=row["reason"],
        )
        for row in documents()
    ]
    return spark.createDataFrame(rows, COLUMNS)


def kept(row: dict[str, Any], score: str, threshold: float) -> bool:
    value = row[score]
    if value is None or math.isnan(value):
        return False
    return bool(value <= threshold if score == "toxicity" else value >= threshold)


def test_a_curve_counts_what_the_limit_would_keep(scored: DataFrame) -> None:
    rows = [row.asDict() for row in score_histograms(scored).collect()]
    curves = {curve["score"]: curve for curve in threshold_curves(rows)}
    assert list(curves) == ["quality", "toxicity", "perplexity", "tokens", "chars"]
    assert [point["threshold"] for point in curves["quality"]["curve"]] == [
        *(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    ]
    assert [point["threshold"] for point in curves["toxicity"]["curve"]][::9] == [0.1, 1.0]
    assert [curve["keeps"] for curve in curves.values()] == ["from", "to", "from", "from", "from"]
    for score, curve in curves.items():
        assert 1 < len(curve["curve"]) <= 10
        without = [row for row in documents() if row[score] is None or math.isnan(row[score])]
        assert curve["without"]["documents"] == len(without)
        for point in curve["curve"]:
            its = [row for row in documents() if kept(row, score, point["threshold"])]
            assert point["documents"] == len(its)
            assert point["tokens"] == sum(row["tokens"] for row in its)
            assert point["chars"] == 2 * point["tokens"]
            domains = Counter(row["label"] or "none" for row in its)
            assert {k: v["documents"] for k, v in point["domains"].items()} == dict(domains)
            assert "bands" not in point


def test_every_bin_has_the_values_from_its_end_on(scored: DataFrame) -> None:
    """As finely as limits in hundredths are set."""
    rows = [row.asDict() for row in score_histograms(scored).collect()]
    quality = next(curve for _, curve in curves_of(scored.columns) if curve.name == "quality")
    for number in (7, 29, 30, 57, 58, 90):
        assert value_of(quality, number) == number / 100
        found = sum(
            row["documents"]
            for row in rows
            if row["score"] == "quality" and row["bin"] is not None and row["bin"] >= number
        )
        expected = [row for row in documents() if kept(row, "quality", number / 100)]
        assert found == len(expected)
    assert {row["bin"] for row in rows if row["score"] == "tokens"} >= {-400, 0, 4, 12, 116}


def test_other_conditions_hold_while_a_limit_moves(scored: DataFrame) -> None:
    def is_kept(curve: Any) -> Any:
        return F.col("reason").isNull() | F.coalesce(
            F.col("reason") == F.lit(curve.reason), F.lit(False)
        )

    quality = F.col("quality")["score"]
    rows = [row.asDict() for row in banded_histograms(scored, quality, is_kept).collect()]
    curves = {curve["score"]: curve for curve in threshold_curves(rows)}
    for score in ("quality", "toxicity"):
        reason = declared()[score].curves[0].reason
        possible = [row for row in documents() if row["reason"] in (None, reason)]
        for point in curves[score]["curve"]:
            its = [row for row in possible if kept(row, score, point["threshold"])]
            assert point["documents"] == len(its)
            bands = Counter(
                "none" if row["quality"] is None else str(min(int(row["quality"] * 5), 4) / 5)
                for row in its
            )
            assert {k: v["documents"] for k, v in point["bands"].items()} == dict(bands)


def test_a_histogram_needs_only_the_scores_that_are_there(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [("a", Row(score=0.5))], "doc_id string, quality struct<score:double>"
    )
    assert [tuple(row) for row in score_histograms(frame).collect()] == [
        ("quality", None, 50, 1, 0, 0)
    ]
    assert threshold_curves([]) == []
