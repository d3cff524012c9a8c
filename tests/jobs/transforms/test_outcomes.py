"""What became of documents: counted by what is known of them, and compared between two outputs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.outcomes import ABSENT, KEPT, document_facts, host_facts, moves, with_outcome

DOCUMENTS = "doc_id string, host string, language string, script string, charset string"
REJECTED = "doc_id string, stage string, reasons array<string>"


@pytest.fixture(scope="module")
def outcomes(spark: SparkSession) -> DataFrame:
    documents = spark.createDataFrame(
        [
            ("a", "x.cn", "zh", "hans", "utf-8"),
            ("b", "x.cn", "zh", None, "utf-8"),
            ("c", "y.cn", "zh", "hant", "big5"),
            ("d", None, "zh", "hans", "utf-8"),
        ],
        DOCUMENTS,
    )
    rejected = spark.createDataFrame(
        [
            ("b", "apply_rules", ["length", "character"]),
            ("c", "select_corpus", ["low_quality"]),
            ("gone", "apply_rules", ["length"]),
        ],
        REJECTED,
    )
    return with_outcome(documents, rejected).cache()


def test_a_document_counts_under_its_first_reason(outcomes: DataFrame) -> None:
    assert {row.doc_id: row.outcome for row in outcomes.collect()} == {
        "a": KEPT,
        "b": "apply_rules/length",
        "c": "select_corpus/low_quality",
        "d": KEPT,
    }


def test_documents_are_counted_by_what_is_known_of_them(
    spark: SparkSession, outcomes: DataFrame
) -> None:
    measured = spark.createDataFrame(
        [("a", (1024,)), ("b", (100,)), ("c", None)], "doc_id string, measures struct<chars: int>"
    )
    found = {
        (row.fact, row.key): (row.documents, row.kept, row.characters)
        for row in document_facts(outcomes, measured).collect()
    }
    assert found == {
        ("language", "zh"): (4, 2, 1124),
        ("script", "hans"): (2, 2, 1024),
        ("script", "hant"): (1, 0, 0),
        ("script", None): (1, 0, 100),
        ("charset", "utf-8"): (3, 2, 1124),
        ("charset", "big5"): (1, 0, 0),
        ("outcome", KEPT): (2, 2, 1024),
        ("outcome", "apply_rules/length"): (1, 0, 100),
        ("outcome", "select_corpus/low_quality"): (1, 0, 0),
        ("length", "40"): (1, 1, 1024),
        ("length", "26"): (1, 0, 100),
        ("length", None): (2, 1, 0),
    }


def test_hosts_with_most_kept_and_most_lost(outcomes: DataFrame) -> None:
    found = [tuple(row) for row in host_facts(outcomes, 1).collect()]
    # x.cn and y.cn have lost one document each: the name decides.
    assert found == [("kept", "x.cn", 2, 1), ("lost", "x.cn", 2, 1)]
    assert len(host_facts(outcomes, 9).collect()) == 3


def side(spark: SparkSession, rows: Sequence[tuple[str, str]]) -> DataFrame:
    return spark.createDataFrame(
        [(doc_id, f"http://{doc_id}/", outcome) for doc_id, outcome in rows],
        "doc_id string, url string, outcome string",
    )


def test_moves_are_counted_and_sampled_the_same_every_time(spark: SparkSession) -> None:
    low = "select_corpus/low_quality"
    before = [(f"d{n}", KEPT) for n in range(100)] + [("old", low)]
    after = [(f"d{n}", low if n % 2 else KEPT) for n in range(100)] + [("new", KEPT)]
    rows = moves(side(spark, before), side(spark, after), 1).collect()
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        counts[row.before, row.after] = counts.get((row.before, row.after), 0) + row.documents
    assert counts == {(KEPT, KEPT): 50, (KEPT, low): 50, (low, ABSENT): 1, (ABSENT, KEPT): 1}
    samples = {row.doc_id for row in rows if (row.before, row.after) == (KEPT, low)}
    assert 3 <= len(samples) <= 8
    assert all(int(doc_id[1:]) % 2 for doc_id in samples)
    again = moves(
        side(spark, before[::-1]).repartition(5), side(spark, after).repartition(3), 1
    ).collect()
    assert sorted(again) == sorted(rows)
    other = moves(side(spark, before), side(spark, after), 2).collect()
    assert {row.doc_id for row in other} != {row.doc_id for row in rows}
