"""Distinct pairs on their way to a scorer and back, for any partitioning and any batches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from jobs.image_text.pair_scoring import distinct_pairs, with_records
from tests.builders.pair_scorers import WORDS, WORDS_TYPE, WordSettings, score_words
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer
from udfs.pair_scorers.scoring import WrongRecords, check_records, score_pairs, scored_pairs_type
from udfs.scorers.scorer import Record

GIVEN_DDL = (
    "doc_id string, place int, text string, sha256 string, image_id string, failure string, "
    "high bigint, low bigint"
)
TEXTS = ("老桥老桥", "集市上老桥", "坏的老桥")
DOCUMENTS = 30


def load_words(files: Loaded, options: Any) -> tuple[str, WordSettings]:
    return "老桥", WordSettings()


def fail_on_market(pairs: Pairs, model: Any) -> list[Record]:
    return score_words(pairs, model)[: -1 if "集市上老桥" in pairs.texts else None]


SCORER = PairScorer("words", WORDS_TYPE, load_words, score_words)


def rows(spark: SparkSession, partitions: int, batch_rows: int, batch_bytes: int) -> set[Any]:
    given = []
    for n in range(DOCUMENTS):
        text, image = TEXTS[n % 3], n % 2
        failure = "no_image" if n % 7 == 6 else None
        keys = (None, None) if failure else (n % 3, image)
        given.append((f"{n:032x}", 0, text, f"{image}" * 64, f"{image}", failure, *keys))
    frame = spark.createDataFrame(given, GIVEN_DDL).repartition(partitions)
    bodies = [(f"{n}", bytes([n]) * (40 + n)) for n in range(2)]
    images = spark.createDataFrame(bodies, "image_id string, body binary")
    distinct = distinct_pairs(frame, images, WORDS, ())
    assert distinct.count() == 6
    scored = distinct.repartition(partitions).mapInArrow(
        score_pairs(SCORER, batch_rows, batch_bytes), scored_pairs_type(SCORER)
    )
    return {
        (row.doc_id, row.share, row.bytes, bytes(row.vector or b""), row.failure)
        for row in with_records(frame, scored, WORDS).collect()
    }


@pytest.mark.slow
def test_records_go_to_their_pairs_for_any_partitioning_and_batches(spark: SparkSession) -> None:
    found = rows(spark, 1, 100, 1 << 20)
    assert len(found) == DOCUMENTS
    for doc_id, share, size, vector, failure in found:
        number = int(doc_id, 16)
        expected = "no_image" if number % 7 == 6 else "odd_text" if number % 3 == 2 else None
        assert failure == expected
        if failure is None:
            assert (share, size) == ((1.0, 0.4)[number % 3], 40 + number % 2)
            assert vector == bytes([number % 2]) * 4
    for partitions, batch_rows, batch_bytes in ((3, 1, 1 << 20), (2, 5, 1 << 20), (4, 100, 50)):
        assert rows(spark, partitions, batch_rows, batch_bytes) == found


def test_a_scorer_that_loses_a_record_fails_the_task(spark: SparkSession) -> None:
    scorer = replace(SCORER, score=fail_on_market)
    distinct = spark.createDataFrame(
        [(1, 2, "集市上老桥", b"1234")], "high bigint, low bigint, text string, body binary"
    )
    scored = distinct.mapInArrow(score_pairs(scorer, 5, 99), scored_pairs_type(scorer))
    with pytest.raises(PythonException, match="0 records of 1 pairs"):
        scored.collect()


def test_a_record_has_a_score_or_a_failure() -> None:
    whole = dict.fromkeys(WORDS_TYPE.fieldNames())
    for record in ({**whole}, {**whole, "share": 1.0, "failure": "odd"}, {"share": 1.0}):
        with pytest.raises(WrongRecords, match="words"):
            check_records(SCORER, [record], 1)
    check_records(SCORER, [{**whole, "failure": "odd"}], 1)
