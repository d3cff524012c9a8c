"""The balance closes over sound stages and stays open where a record is lost or doubled."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.ledger import read_ledger, stage_ledger, unbalanced

COUNTS = "map<string,bigint>"


@pytest.fixture(scope="module")
def splits(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([("a", 0), ("b", 0), ("empty", 1)], "warc_path string, wave int")


@pytest.fixture(scope="module")
def seen(spark: SparkSession) -> DataFrame:
    rows = [("1", "a"), ("2", "a"), ("3", "a"), ("4", "b")]
    return spark.createDataFrame(rows, "doc_id string, warc_path string")


def outcomes(spark: SparkSession, *rows: tuple[str, str | None]) -> DataFrame:
    return spark.createDataFrame(list(rows), "doc_id string, reason string")


def test_every_split_has_a_row(spark: SparkSession, splits: DataFrame, seen: DataFrame) -> None:
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", "length"), ("4", None))
    ledger = stage_ledger(splits, seen, decided)
    rows = {row.warc_path: row.asDict() for row in ledger.collect()}
    assert rows["a"] == {
        "wave": 0,
        "warc_path": "a",
        "seen": 3,
        "kept": 1,
        "rejected": {"length": 2},
        "failed": {},
    }
    assert (rows["b"]["kept"], rows["empty"]["seen"], rows["empty"]["wave"]) == (1, 0, 1)
    assert unbalanced(ledger).count() == 0


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
    wrong = unbalanced(stage_ledger(splits, seen, outcomes(spark, *rows))).collect()
    assert [row.warc_path for row in wrong] == ["a"]


def test_reading_is_balanced_against_what_was_written(
    spark: SparkSession, splits: DataFrame
) -> None:
    tallies = spark.createDataFrame(
        [("a", 5, {"redirect": 1}, {}), ("b", 3, {}, {"cut": 1}), ("empty", 0, {}, {})],
        f"warc_path string, seen bigint, rejected {COUNTS}, failed {COUNTS}",
    )
    written = spark.createDataFrame([("a",)] * 3 + [("b",)] * 2, "warc_path string")
    repeated = spark.createDataFrame([("a", 1)], "warc_path string, n bigint")
    ledger = read_ledger(splits, tallies, written, repeated)
    assert unbalanced(ledger).count() == 0
    row = ledger.where("warc_path = 'a'").first()
    assert row is not None
    assert row.rejected == {"redirect": 1, "repeated_id": 1}
    lost = read_ledger(splits, tallies, written.limit(3), repeated)
    assert unbalanced(lost).count() == 1


def test_a_split_without_a_tally_is_open(spark: SparkSession, splits: DataFrame) -> None:
    tallies = spark.createDataFrame(
        [("a", 0, {}, {}), ("b", 0, {}, {})],
        f"warc_path string, seen bigint, rejected {COUNTS}, failed {COUNTS}",
    )
    written = spark.createDataFrame([], "warc_path string")
    open_rows = unbalanced(read_ledger(splits, tallies, written, None)).collect()
    assert [row.warc_path for row in open_rows] == ["empty"]
