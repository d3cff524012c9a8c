"""The balance closes over sound stages and is open where a record is lost or doubled."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.run.ledger import Ledger, decided_rows, read_ledger, rows_of, stage_ledgers
from jobs.transforms.ledger import (
    File,
    counts_of,
    decided_counts,
    stage_counts,
    tally_rows,
    written_counts,
)

COUNTS = "array<struct<reason:string,records:bigint>>"
TALLIES = f"warc_path string, seen bigint, rejected {COUNTS}, failed {COUNTS}"
PLANNED = {(0, "a"): 1, (0, "b"): 1, (1, "empty"): 1}


@pytest.fixture(scope="module")
def seen(spark: SparkSession) -> DataFrame:
    rows = [("1", "a", 0), ("2", "a", 0), ("3", "a", 0), ("4", "b", 0)]
    return spark.createDataFrame(rows, "doc_id string, warc_path string, wave int")


def of_stage(seen: DataFrame, decided: DataFrame, planned: dict[File, int] = PLANNED) -> Ledger:
    """The ledger of counts that Spark makes; those that the driver makes are the same."""
    rows = list(rows_of(stage_counts(seen, {"rules": decided})))
    documents = [(row.doc_id, (row.wave, row.warc_path)) for row in seen.collect()]
    own = counts_of(documents, {"rules": [(row.doc_id, row.reason) for row in decided.collect()]})
    ledger = stage_ledgers(planned, ["rules"], rows)["rules"]
    assert stage_ledgers(planned, ["rules"], own)["rules"] == ledger
    return ledger


def of_reading(
    tallies: DataFrame,
    written: DataFrame,
    repeated: DataFrame | None = None,
    parts: dict[File, int] | None = None,
) -> Ledger:
    counts = [*rows_of(tally_rows(tallies)), *rows_of(written_counts(written, repeated))]
    return read_ledger(parts or {(0, "a"): 1, (0, "b"): 1, (0, "empty"): 1}, 0, counts)


def unbalanced(ledger: Ledger) -> set[str]:
    return {path for (_, path), balance in ledger.items() if not balance.is_closed}


def outcomes(spark: SparkSession, *rows: tuple[str, str | None]) -> DataFrame:
    return spark.createDataFrame(list(rows), "doc_id string, reason string")


def test_every_split_has_a_row(spark: SparkSession, seen: DataFrame) -> None:
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", "length"), ("4", None))
    ledger = of_stage(seen, decided)
    assert set(ledger) == set(PLANNED)
    row = ledger[0, "a"]
    assert (row.seen, row.kept, row.rejected, row.failed) == (3, 1, {"length": 2}, {})
    assert (ledger[0, "b"].kept, ledger[1, "empty"].seen) == (1, 0)
    assert unbalanced(ledger) == set()


def test_decisions_are_counted_by_file_as_with_the_documents(
    spark: SparkSession, seen: DataFrame
) -> None:
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", "length"), ("4", None))
    named = decided.join(seen.select("doc_id", "warc_path"), on="doc_id", how="inner")
    rows = decided_rows({(0, "a"): 3, (0, "b"): 1}, "rules", rows_of(decided_counts(named)))
    ledger = stage_ledgers(PLANNED, ["rules"], rows)["rules"]
    expected = of_stage(seen, decided)
    assert ledger == {file: replace(balance, removed=0) for file, balance in expected.items()}


@pytest.mark.parametrize(
    "rows",
    [
        [("1", None), ("2", "length"), ("4", None)],  # 3 is lost
        [("1", None), ("2", "length"), ("3", None), ("3", None), ("4", None)],  # 3 is doubled
    ],
)
def test_a_lost_or_doubled_document_leaves_its_file_open(
    spark: SparkSession, seen: DataFrame, rows: list[tuple[str, str | None]]
) -> None:
    assert unbalanced(of_stage(seen, outcomes(spark, *rows))) == {"a"}


def test_a_document_that_is_seen_twice_leaves_its_file_open(
    spark: SparkSession, seen: DataFrame
) -> None:
    decided = outcomes(spark, ("1", None), ("2", None), ("3", None), ("4", None))
    assert unbalanced(of_stage(seen.union(seen.where("doc_id = '4'")), decided)) == {"b"}


def test_stages_that_saw_the_same_documents_are_counted_together(
    spark: SparkSession, seen: DataFrame
) -> None:
    one = outcomes(spark, ("1", None), ("2", None), ("3", "unscored"), ("4", None))
    other = outcomes(spark, ("1", None), ("2", None), ("4", "unscored"))
    counts = rows_of(stage_counts(seen, {"one": one, "other": other}))
    ledgers = stage_ledgers(PLANNED, ["one", "other"], counts)
    assert [ledgers["one"][0, path].kept for path in "ab"] == [2, 1]
    assert ledgers["other"][0, "b"].rejected == {"unscored": 1}
    assert (unbalanced(ledgers["one"]), unbalanced(ledgers["other"])) == (set(), {"a"})


def test_reading_is_balanced_against_what_was_written(spark: SparkSession) -> None:
    tallies = spark.createDataFrame(
        [("a", 5, [("redirect", 1)], []), ("b", 3, [], [("cut", 1)]), ("empty", 0, [], [])],
        TALLIES,
    )
    written = spark.createDataFrame([("a",)] * 3 + [("b",)] * 2, "warc_path string")
    repeated = spark.createDataFrame([("a", 1)], "warc_path string, n bigint")
    ledger = of_reading(tallies, written, repeated)
    assert unbalanced(ledger) == set()
    assert ledger[0, "a"].rejected == {"redirect": 1, "repeated_id": 1}
    lost = of_reading(tallies, written.limit(3), repeated)
    assert len(unbalanced(lost)) == 1


def test_a_split_without_a_tally_is_open(spark: SparkSession) -> None:
    tallies = spark.createDataFrame([("a", 0, [], []), ("b", 0, [], [])], TALLIES)
    written = spark.createDataFrame([], "warc_path string")
    assert unbalanced(of_reading(tallies, written)) == {"empty"}


def test_a_file_in_two_waves_is_two_balances(spark: SparkSession) -> None:
    planned = {(0, "a"): 2, (1, "a"): 1}
    seen = spark.createDataFrame(
        [("1", "a", 0), ("2", "a", 0), ("3", "a", 1)], "doc_id string, warc_path string, wave int"
    )
    decided = outcomes(spark, ("1", None), ("2", "length"), ("3", None))
    ledger = of_stage(seen, decided, planned)
    found = {wave: (row.seen, row.kept, row.rejected) for (wave, _), row in ledger.items()}
    assert found == {0: (2, 1, {"length": 1}), 1: (1, 1, {})}
    lost = of_stage(seen, decided.where("doc_id != '3'"), planned)
    assert [wave for (wave, _), row in lost.items() if not row.is_closed] == [1]


def test_a_document_of_a_file_that_nobody_planned_is_in_the_ledger(spark: SparkSession) -> None:
    seen = spark.createDataFrame(
        [("1", "a", 0), ("2", "stray", 0)], "doc_id string, warc_path string, wave int"
    )
    ledger = of_stage(seen, outcomes(spark, ("1", None), ("2", None)), {(0, "a"): 1})
    assert sum(row.kept for row in ledger.values()) == 2
    tallies = spark.createDataFrame([("a", 1, [], []), ("stray", 1, [], [])], TALLIES)
    documents = spark.createDataFrame([("a",), ("stray",), ("astray",)], "warc_path string")
    wrong = of_reading(tallies, documents, parts={(0, "a"): 1})
    assert unbalanced(wrong) == {"stray", "astray"}


def test_what_is_decided_on_a_document_that_nobody_saw_is_left_out(
    spark: SparkSession, seen: DataFrame
) -> None:
    decided = outcomes(spark, ("1", None), ("2", None), ("3", None), ("4", None), ("5", "length"))
    assert unbalanced(of_stage(seen, decided)) == set()


def test_the_parts_of_a_file_are_added_up(spark: SparkSession) -> None:
    tallies = spark.createDataFrame(
        [
            ("a", 5, [("redirect", 1), ("empty_text", 1)], []),
            ("a", 4, [("redirect", 2)], [("cut", 1)]),
            ("a", 1, [], []),
        ],
        TALLIES,
    )
    documents = spark.createDataFrame([("a",)] * 5, "warc_path string")
    ledger = of_reading(tallies, documents, parts={(0, "a"): 3})
    (row,) = ledger.values()
    assert (row.seen, row.kept) == (10, 5)
    assert row.rejected == {"redirect": 3, "empty_text": 1}
    assert row.failed == {"cut": 1}
    assert row.is_closed


@pytest.mark.parametrize("parts", [1, 3])
def test_a_part_that_is_lost_or_doubled_leaves_its_file_open(
    spark: SparkSession, parts: int
) -> None:
    """Though what is left of the file balances."""
    tallies = spark.createDataFrame([("a", 1, [], []), ("a", 1, [], [])], TALLIES)
    documents = spark.createDataFrame([("a",)] * 2, "warc_path string")
    assert unbalanced(of_reading(tallies, documents, parts={(0, "a"): parts})) == {"a"}
