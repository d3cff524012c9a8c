"""Numbers: those that a reason follows from are those that its rule looks at."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.audit.numbers import (
    Number,
    duplicate_numbers,
    limits_of,
    rule_numbers,
    scorers_of,
    selection_numbers,
)
from jobs.config import Config, load_config
from jobs.config.settings import RulesConfig
from jobs.transforms.rules import rules
from udfs.measures.schema import MEASURES_TYPE

MEASURES: dict[str, Any] = dict.fromkeys(MEASURES_TYPE.fieldNames()) | {
    "chars": 150,
    "lines": 10,
    "mean_line_chars": 14.1,
    "han_share": 0.9,
    "sensitive_distinct": 8,
    "sensitive_total": 9,
    "sensitive_total_by_category": [{"name": "gambling", "count": 4}],
    "host_block_category": "adult",
    "casia_traditional": True,
    "casia_han_share": 0.8,
    "pii": [
        {"kind": "email", "start": 0, "length": 3},
        {"kind": "email", "start": 9, "length": 3},
    ],
}
ROW = {"measures": MEASURES, "opt_outs": ["noai", "nofollow"]}
RULES = RulesConfig(conditions={"many": "coalesce(sensitive_total_by_category['gambling'], 0) > 2"})


@pytest.mark.parametrize(
    ("reason", "numbers"),
    [
        ("length", [Number("chars", 150.0, "< 200")]),
        ("sensitive", [Number("sensitive_distinct / lines", 0.8, "> 0.5")]),
        ("host_blocked", [Number("host_block_category", None, "adult")]),
        ("opted_out", [Number("opt_outs", None, "noai")]),
        ("pii", [Number("pii email", 2.0, "> 0")]),
        (
            "many",
            [
                Number(
                    "sensitive_total_by_category['gambling']",
                    4.0,
                    "coalesce(sensitive_total_by_category['gambling'], 0) > 2",
                )
            ],
        ),
        ("unmeasured", []),
    ],
)
def test_a_reason_has_its_numbers_and_limits(reason: str, numbers: list[Number]) -> None:
    assert rule_numbers(reason, ROW, RULES) == numbers


def test_a_document_without_measures_has_no_numbers() -> None:
    assert rule_numbers("length", {"measures": None, "opt_outs": None}, RULES) == []


def test_casia_exact_has_its_own_measures() -> None:
    exact = RulesConfig(mode="casia-exact", min_chars=150)
    assert rule_numbers("length", ROW, exact) == [Number("chars", 150.0, "<= 150")]
    assert rule_numbers("character", ROW, exact) == [Number("casia_traditional", 1.0, "> 0")]


@pytest.mark.spark
@pytest.mark.parametrize(
    "limits",
    [
        RulesConfig(),
        RulesConfig(traditional_policy="keep", sensitive_count="total"),
        RulesConfig(mode="casia-exact"),
        RulesConfig(mode="casia-exact", traditional_policy="keep"),
    ],
)
def test_the_numbers_of_the_built_in_rules_are_those_of_their_conditions(
    spark: SparkSession, limits: RulesConfig
) -> None:
    named = {reason: str(condition) for reason, condition in rules(limits).items()}
    for reason, of_reason in limits_of(limits).items():
        measures = {part for name, _, _ in of_reason for part in name.split(" / ")}
        looked_at = {
            name for name in MEASURES_TYPE.fieldNames() if re.search(rf"\b{name}\b", named[reason])
        }
        assert measures == looked_at, reason


def test_duplicates_have_their_similarity_and_cluster() -> None:
    row = {"kind": "near", "similarity": 0.91, "cluster_size": 3}
    dedup = Config().dedup
    assert duplicate_numbers(row, dedup) == [
        Number("similarity", 0.91, ">= 0.8"),
        Number("cluster_size", 3.0, ""),
    ]
    assert duplicate_numbers({"kind": "url", "similarity": None, "cluster_size": None}, dedup) == []


def test_reasons_of_the_selection_have_the_scores_that_decide() -> None:
    config = load_config(None, ["select.max_toxicity=0.5"])
    assert scorers_of("toxic", config) == ["toxicity"]
    assert scorers_of("low_quality", config) == ["quality"]
    assert scorers_of("host_cap", config) == []
    quality = {"quality": {"score": 0.31}}
    assert selection_numbers("low_quality", quality, config) == [
        Number("quality.score", 0.31, "< 0.5")
    ]
    toxic = selection_numbers(
        "toxic",
        {
            "toxicity": dict.fromkeys(
                ("label", "worst_start", "worst_length", "worst_score", "mean_score")
            )
            | {"score": 0.7}
        },
        config,
    )
    assert toxic == [Number("toxicity.score", 0.7, "select.max_toxicity = 0.5")]
    assert selection_numbers("low_quality", {"quality": None}, config) == []


def test_a_measure_that_is_off_is_no_number() -> None:
    assert rule_numbers("length", ROW, replace(RULES, min_chars=None)) == []
