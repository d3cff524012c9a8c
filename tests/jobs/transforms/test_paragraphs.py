"""What is cut from which document, against one dictionary over all documents, one by one."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from jobs.config import DedupConfig
from jobs.transforms import paragraphs
from jobs.transforms.paragraphs import (
    cut_rows,
    find_paragraph_cuts,
    removed_by_cuts,
    shared_paragraphs,
)
from jobs.transforms.texts import with_cut_text, with_cuts
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.plain_paragraphs import (
    first_kept,
    frequent_cut,
    repeated_chars,
    span_after_cuts,
)
from tests.udfs.dedup.plain_normalise import normalise_text
from udfs.dedup.paragraphs import Span, cut_spans

MIN_PARAGRAPH = 4
MIN_CHARS = 60
CONFIG = DedupConfig(levels=("paragraph",), min_paragraph_chars=MIN_PARAGRAPH)


def corpus(seed: int, documents: int) -> dict[str, str]:
    """Documents of lines that many others have too, with rests about as long as MIN_CHARS."""
    rng = random.Random(seed)
    pool = [line(rng) for _ in range(documents)]
    texts = {}
    for number in rng.sample(range(documents), documents):
        shared = [pool[int(len(pool) * rng.random() ** 2)] for _ in range(rng.randint(0, 5))]
        lines = shared + [line(rng) for _ in range(rng.randint(0, 4))]
        rng.shuffle(lines)
        if lines and rng.random() < 0.2:
            lines.append(lines[0])
        ends = ("\n", "\n\n", " \n", "\n　\n")
        text = "".join(part + rng.choice(ends) for part in lines)
        texts[f"doc-{number:04d}"] = text if rng.random() < 0.5 else text.rstrip()
    return texts


def line(rng: random.Random) -> str:
    return "".join(chr(0x4E00 + rng.randrange(3000)) for _ in range(rng.randint(2, 40)))


def in_order(texts: Mapping[str, str]) -> list[str]:
    """As keep = longest prefers them."""
    return sorted(texts, key=lambda doc_id: (-len(normalise_text(texts[doc_id])), doc_id))


def frame(spark: SparkSession, texts: Mapping[str, str | None], partitions: int = 2) -> DataFrame:
    return spark.createDataFrame(list(texts.items()), "doc_id string, text string").repartition(
        partitions
    )


def cuts_of(
    documents: DataFrame,
    order: Sequence[str],
    folder: Path,
    config: DedupConfig = CONFIG,
    min_chars: int | None = MIN_CHARS,
    counts: dict[str, int] | None = None,
) -> DataFrame:
    """What is found where the documents in order take part, the first being preferred."""
    ranks = [(f"{place:021d}{doc_id}",) for place, doc_id in enumerate(order)]
    return find_paragraph_cuts(
        documents,
        documents.sparkSession.createDataFrame(ranks, "rank string"),
        config,
        min_chars,
        parquet_checkpoint(folder),
        ({} if counts is None else counts).__setitem__,
    )


def by_id(cuts: DataFrame) -> dict[str, Row]:
    rows = cut_rows(cuts).collect()
    assert len({row.doc_id for row in rows}) == len(rows)
    return {row.doc_id: row for row in rows}


def removed(cuts: DataFrame, min_chars: int | None = MIN_CHARS) -> set[str]:
    return {document[21:] for (document,) in removed_by_cuts(cuts, min_chars).collect()}


def rests_of(cuts: Mapping[str, Row], texts: Mapping[str, str]) -> dict[str, str]:
    """What is left of the documents that are in a cuts table, whose own figures are checked."""
    rests = {}
    for doc_id, row in cuts.items():
        rests[doc_id] = cut_spans(texts[doc_id], [Span(*span) for span in row.spans])
        assert len(rests[doc_id]) == row.chars_left
    return rests


@pytest.mark.parametrize(
    "partitions",
    [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 7],
)
def test_first_is_what_going_through_the_documents_says(
    spark: SparkSession, tmp_path: Path, partitions: int
) -> None:
    texts = corpus(partitions, 300)
    order = in_order(texts)
    counts: dict[str, int] = {}
    spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
    try:
        cuts = cuts_of(frame(spark, texts, partitions), order, tmp_path, counts=counts)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "2")
    rests, gone = first_kept(texts, order, MIN_PARAGRAPH, MIN_CHARS)
    assert 20 < len(gone) < 200
    assert counts == {"paragraph_unsettled_documents": 0}
    rows = by_id(cuts)
    assert rests_of(rows, texts) == changed(rests, texts)
    assert removed(cuts) == gone
    chars = repeated_chars(texts, MIN_PARAGRAPH)
    assert all(row.repeated_chars == chars[doc_id] for doc_id, row in rows.items())
    assert lost_lines(texts, rows) == []


def changed(rests: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    return {doc_id: rest for doc_id, rest in rests.items() if rest != texts[doc_id]}


def test_without_a_length_rule_every_document_stays(spark: SparkSession, tmp_path: Path) -> None:
    texts = corpus(7, 200)
    cuts = cuts_of(frame(spark, texts), in_order(texts), tmp_path, min_chars=None)
    rests, gone = first_kept(texts, in_order(texts), MIN_PARAGRAPH, None)
    assert not gone
    assert rests_of(by_id(cuts), texts) == changed(rests, texts)
    assert removed(cuts, None) == set()


def test_frequent_paragraphs_go_everywhere(spark: SparkSession, tmp_path: Path) -> None:
    texts = corpus(8, 200)
    config = dataclasses.replace(CONFIG, paragraph_policy="frequent", max_paragraph_documents=3)
    cuts = cuts_of(frame(spark, texts), in_order(texts), tmp_path, config)
    expected = changed(frequent_cut(texts, MIN_PARAGRAPH, 3), texts)
    assert 20 < len(expected) < 200
    assert rests_of(by_id(cuts), texts) == expected
    assert removed(cuts) == {doc_id for doc_id, rest in expected.items() if len(rest) < MIN_CHARS}


def test_measuring_cuts_nothing(spark: SparkSession, tmp_path: Path) -> None:
    texts = corpus(9, 200)
    config = dataclasses.replace(CONFIG, paragraph_policy="measure")
    cuts = cuts_of(frame(spark, texts), in_order(texts), tmp_path, config)
    rows = by_id(cuts)
    assert {doc_id: row.repeated_chars for doc_id, row in rows.items()} == repeated_chars(
        texts, MIN_PARAGRAPH
    )
    assert all(row.spans == [] for row in rows.values())
    assert all(row.chars_left == len(texts[doc_id]) for doc_id, row in rows.items())
    assert removed(cuts) == set()


def test_some_documents_take_no_part(spark: SparkSession, tmp_path: Path) -> None:
    text = "今天天气很好，适合出门\n"
    documents = frame(spark, {"gone": text * 9, "b": f"{text}完", "null": None, "empty": ""})
    assert by_id(cuts_of(documents, ["b", "null", "empty"], tmp_path, min_chars=None)) == {}


def test_a_chain_of_short_documents_is_settled(spark: SparkSession, tmp_path: Path) -> None:
    """Each shares a paragraph with the next. One that goes leaves the next its first copy, so that
    one stays and takes the first copy from the one behind, which goes, and so on: a round each."""
    rng = random.Random(10)
    links = ["".join(chr(0x4E00 + rng.randrange(3000)) for _ in range(40)) for _ in range(6)]
    texts = {"0": f"{links[0]}\n" + "头" * 200}
    for number in range(5):
        texts[f"{number + 1}"] = f"{links[number]}\n{links[number + 1]}\n尾尾尾"
    config = dataclasses.replace(CONFIG, min_paragraph_chars=30)
    order = sorted(texts)
    rests, gone = first_kept(texts, order, 30, MIN_CHARS)
    assert gone == {"1", "3", "5"}
    counts: dict[str, int] = {}
    cuts = cuts_of(frame(spark, texts), order, tmp_path, config, counts=counts)
    assert removed(cuts) == gone
    assert rests_of(by_id(cuts), texts) == changed(rests, texts)
    assert counts == {"paragraph_unsettled_documents": 0}


SKEW = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16k",
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "16k",
    "spark.sql.adaptive.skewJoin.skewedPartitionFactor": "2",
}
"""Every join shuffles, and a partition of some thousand rows is large."""


@pytest.fixture
def skewed(spark: SparkSession) -> Iterator[None]:
    before = {key: spark.conf.get(key) for key in SKEW}
    for key, value in SKEW.items():
        spark.conf.set(key, value)
    yield
    for key, value in before.items():
        spark.conf.set(key, str(value))


def test_a_paragraph_of_every_document_is_split_over_tasks(
    spark: SparkSession, tmp_path: Path, skewed: None
) -> None:
    documents = 20_000
    rows = spark.range(documents, numPartitions=4).selectExpr(
        "lpad(hash(id), 53, '0') AS rank",
        "array(named_struct('high', 0L, 'low', 0L, 'start', 0, 'length', 9, 'first', 0),"
        " named_struct('high', 1 + id % 5000, 'low', id, 'start', 9, 'length', 9, 'first', 9))"
        " AS paragraphs",
    )
    shared = shared_paragraphs(rows, parquet_checkpoint(tmp_path))
    found = shared.collect()
    assert {(row.high, row.low, row.documents) for row in found} == {(0, 0, documents)}
    assert len(found) == documents
    plan = shared._jdf.queryExecution().executedPlan().toString()
    assert "SortMergeJoin(skew=true)" in plan


def lost_lines(texts: Mapping[str, str], cuts: Mapping[str, Row]) -> list[str]:
    """Lines cut from documents that are kept, that stand in no document that is."""
    rests = rests_of(cuts, texts)
    gone = {doc_id for doc_id, rest in rests.items() if len(rest) < MIN_CHARS}
    kept = {doc_id: rest for doc_id, rest in {**texts, **rests}.items() if doc_id not in gone}
    standing = {normalise_text(part) for rest in kept.values() for part in rest.split("\n")}
    return [
        folded
        for doc_id in cuts.keys() - gone
        for start, length in cuts[doc_id].spans
        for part in texts[doc_id][start : start + length].split("\n")
        if (folded := normalise_text(part)) and folded not in standing
    ]


def test_too_few_rounds_lose_no_text(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paragraphs, "MAX_ROUNDS", 1)
    texts = corpus(6, 300)
    counts: dict[str, int] = {}
    cuts = by_id(cuts_of(frame(spark, texts), in_order(texts), tmp_path, counts=counts))
    assert lost_lines(texts, cuts) == []
    assert counts["paragraph_unsettled_documents"] > 0


CURRENT_DDL = (
    "doc_id string, text string, original_chars long, original_sha256 string, "
    "edits array<struct<kind:string,places:long>>, "
    "pii array<struct<kind:string,start:int,length:int>>"
)
CUTS_DDL = (
    "doc_id string, spans array<struct<start:int,length:int>>, chars_left long, repeated_chars long"
)


def test_texts_are_cut_where_there_are_spans(spark: SparkSession) -> None:
    texts = {"a": "天气很好\n完", "b": "天气很好", "c": None, "d": "完"}
    spans: list[Any] = [("a", [(0, 5)], 1, 5), ("b", [], 4, 4), ("c", [(0, 1)], 0, 0)]
    rows = with_cut_text(
        frame(spark, texts).select("text", "doc_id"), spark.createDataFrame(spans, CUTS_DDL)
    )
    assert rows.columns == ["text", "doc_id"]
    expected = {"a": "完", "b": "天气很好", "c": None, "d": "完"}
    assert {row.doc_id: row.text for row in rows.collect()} == expected


def test_what_is_said_of_a_text_stays_right(spark: SparkSession) -> None:
    text = "电话一二三\n天气很好\n信箱甲乙丙"
    places = [("PHONE", 2, 3), ("CROSSING", 5, 2), ("NAME", 6, 2), ("EMAIL", 13, 3)]
    rows: list[Any] = [
        ("cut", text, None, None, [], places),
        ("edited", text, 99, "ab", [("nfc", 2)], None),
        ("whole", text, None, None, [("nfc", 2)], places),
    ]
    documents = spark.createDataFrame(rows, CURRENT_DDL)
    spans: list[Any] = [(doc_id, [(6, 5)], 11, 5) for doc_id in ("cut", "edited")]
    result = with_cuts(documents, spark.createDataFrame(spans, CUTS_DDL))
    assert result.columns == documents.columns
    said = {row.doc_id: tuple(row)[1:] for row in result.collect()}
    rest = "电话一二三\n信箱甲乙丙"
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    moved = [Row(kind="PHONE", start=2, length=3), Row(kind="EMAIL", start=8, length=3)]
    assert said["cut"] == (rest, len(text), sha256, [("paragraph", 1)], moved)
    assert said["edited"] == (rest, 99, "ab", [("nfc", 2), ("paragraph", 1)], None)
    unmoved = [Row(kind=kind, start=start, length=length) for kind, start, length in places]
    assert said["whole"] == (text, None, None, [("nfc", 2)], unmoved)


def test_places_move_as_the_plain_twin_says(spark: SparkSession) -> None:
    rng = random.Random(3)
    rows: list[Any] = []
    spans: list[Any] = []
    expected = {}
    for number in range(200):
        edges = sorted(rng.sample(range(40), 8))
        cuts = [Span(a, b - a) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        places = [Span(rng.randrange(36), rng.randint(1, 4)) for _ in range(4)]
        moved = [span_after_cuts(place, cuts) for place in places]
        expected[str(number)] = [place for place in moved if place is not None]
        text = "".join(map(chr, range(0x4E00, 0x4E00 + 40)))
        rest = cut_spans(text, cuts)
        for place, after in zip(places, moved, strict=True):
            if after is not None:
                assert rest[after.start :][: after.length] == text[place.start :][: place.length]
        rows.append((str(number), text, None, None, [], [("X", *place) for place in places]))
        spans.append((str(number), cuts, len(rest), 0))
    result = with_cuts(
        spark.createDataFrame(rows, CURRENT_DDL), spark.createDataFrame(spans, CUTS_DDL)
    )
    found = {row.doc_id: [Span(p.start, p.length) for p in row.pii] for row in result.collect()}
    assert found == expected
