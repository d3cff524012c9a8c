"""The balance closes over sound stages and stays open where a record is lost or doubled."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.run.commits import open_rows
from jobs.transforms.ledger import read_ledger, stage_ledger

COUNTS = "map<string,bigint>"
TALLIES = f"warc_path string, seen bigint, rejected {COUNTS}, failed {COUNTS}"


@pytest.fixture(scope="module")
def splits(spark: SparkSession) -> DataFrame:
    rows = [("a", 0, 1), ("b", 0, 1), ("empty", 1, 1)]
    return spark.createDataFrame(rows, "warc_path string, wave int, parts bigint")


@pytest.fixture(scope="module")
def seen(spark: SparkSession) -> DataFrame:
    rows = [("1", "a", 0), ("2", "a", 0), ("3", "a", 0), ("4", "b", 0)]
    return spark.createDataFrame(rows, "doc_id string, warc_path string, wave int")


def unbalanced(ledger: DataFrame) -> list[dict[str, Any]]:
    return open_rows(ledger.toArrow())


def outcomes(spark: SparkSession, *rows: tuple[str, str | None]) -> DataFrame:
    return spark.createDataFrame(list(rows), "doc_id string, reason string")


def test_every_split_has_a_row(spark: SparkSession, splits: DataFrame, seen: DataFrame) -> None:
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", "length"), ("4", None))
    ledger = stage_ledger(splits, seen, {"rules": decided})
    rows = {row.warc_path: row.asDict() for row in ledger.collect()}
    assert rows["a"] == {
        "stage": "rules",
        "wave": 0,
        "warc_path": "a",
        "seen": 3,
        "kept": 1,
        "rejected": {"length": 2},
        "failed": {},
    }
    assert (rows["b"]["kept"], rows["empty"]["seen"], rows["empty"]["wave"]) == (1, 0, 1)
    assert len(unbalanced(ledger)) == 0


@pytest.mark.parametrize(
    "rows",
    [
        [("1", None), ("2", "length"), ("4", None)],  # 3 is lost
        [("1", None), ("2", "length"), ("3", None), ("3", None), ("4", None)],  # 3 is doubled
    ],
)
def test_a_lost_or_doubled_document_leaves_its_file_open(
    spark: SparkSession,
    splits: DataFrame,
    seen: DataFrame,
    rows: list[tuple[str, str | None]],
) -> None:
    wrong = unbalanced(stage_ledger(splits, seen, {"rules": outcomes(spark, *rows)}))
    assert [row["warc_path"] for row in wrong] == ["a"]


def test_reading_is_balanced_against_what_was_written(
    spark: SparkSession, splits: DataFrame
) -> None:
    tallies = spark.createDataFrame(
        [("a", 5, {"redirect": 1}, {}), ("b", 3, {}, {"cut": 1}), ("empty", 0, {}, {})],
        TALLIES,
    )
    written = spark.createDataFrame([("a",)] * 3 + [("b",)] * 2, "warc_path string")
    repeated = spark.createDataFrame([("a", 1)], "warc_path string, n bigint")
    ledger = read_ledger(splits, tallies, written, repeated)
    assert len(unbalanced(ledger)) == 0
    row = ledger.where("warc_path = 'a'").first()
    assert row is not None
    assert row.rejected == {"redirect": 1, "repeated_id": 1}
    lost = read_ledger(splits, tallies, written.limit(3), repeated)
    assert len(unbalanced(lost)) == 1


def test_a_split_without_a_tally_is_open(spark: SparkSession, splits: DataFrame) -> None:
    tallies = spark.createDataFrame(
        [("a", 0, {}, {}), ("b", 0, {}, {})],
        TALLIES,
    )
    written = spark.createDataFrame([], "warc_path string")
    wrong = unbalanced(read_ledger(splits, tallies, written, None))
    assert [row["warc_path"] for row in wrong] == ["empty"]


def test_a_file_in_two_waves_is_two_balances(spark: SparkSession) -> None:
    splits = spark.createDataFrame(
        [("a", 0, 2), ("a", 1, 1)], "warc_path string, wave int, parts int"
    )
    seen = spark.createDataFrame(
        [("1", "a", 0), ("2", "a", 0), ("3", "a", 1)], "doc_id string, warc_path string, wave int"
    )
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", None))
    ledger = stage_ledger(splits, seen, {"rules": decided})
    rows = {row.wave: (row.seen, row.kept, row.rejected) for row in ledger.collect()}
    assert rows == {0: (2, 1, {"length": 1}), 1: (1, 1, {})}
    lost = stage_ledger(splits, seen, {"rules": decided.where("doc_id != '3'")})
    assert [row["wave"] for row in unbalanced(lost)] == [1]


def test_a_document_of_a_file_that_nobody_planned_is_in_the_ledger(spark: SparkSession) -> None:
    splits = spark.createDataFrame([("a", 0, 1)], "warc_path string, wave int, parts int")
    seen = spark.createDataFrame(
        [("1", "a", 0), ("2", "stray", 0)], "doc_id string, warc_path string, wave int"
    )
    ledger = stage_ledger(splits, seen, {"rules": outcomes(spark, ("1", None), ("2", None))})
    assert sum(row.kept for row in ledger.collect()) == 2
    tallies = spark.createDataFrame([("a", 1, {}, {}), ("stray", 1, {}, {})], TALLIES)
    documents = spark.createDataFrame([("a",), ("stray",), ("astray",)], "warc_path string")
    wrong = unbalanced(read_ledger(splits, tallies, documents, None))
    assert {row["warc_path"] for row in wrong} == {"stray", "astray"}


def test_the_parts_of_a_file_are_added_up(spark: SparkSession) -> None:
    splits = spark.createDataFrame([("a", 0, 3)], "warc_path string, wave int, parts int")
    tallies = spark.createDataFrame(
        [
            ("a", 5, {"redirect": 1, "empty_text": 1}, {}),
            ("a", 4, {"redirect": 2}, {"cut": 1}),
            ("a", 1, {}, {}),
        ],
        TALLIES,
    )
    documents = spark.createDataFrame([("a",)] * 5, "warc_path string")
    ledger = read_ledger(splits, tallies, documents, None)
    (row,) = ledger.collect()
    assert (row.seen, row.kept) == (10, 5)
    assert row.rejected == {"redirect": 3, "empty_text": 1}
    assert row.failed == {"cut": 1}
    assert len(unbalanced(ledger)) == 0


@pytest.mark.parametrize("parts", [1, 3])
def test_a_part_that_is_lost_or_doubled_leaves_its_file_open(
    spark: SparkSession, parts: int
) -> None:
    """Though what is left of the file balances."""
    splits = spark.createDataFrame([("a", 0, parts)], "warc_path string, wave int, parts int")
    tallies = spark.createDataFrame([("a", 1, {}, {}), ("a", 1, {}, {})], TALLIES)
    documents = spark.createDataFrame([("a",)] * 2, "warc_path string")
    assert len(unbalanced(read_ledger(splits, tallies, documents, None))) == 1
