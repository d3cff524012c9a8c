"""Passages cut out of documents, against plain slicing; and the columns that describe the text."""

from __future__ import annotations

import hashlib
import random

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.transforms.texts import without_passages
from udfs.measures.schema import EDITS_TYPE, PII_TYPE

SPANS_DDL = "array<struct<start:int,length:int>>"
WORDS = "天地玄黄宇宙洪荒日月𠀀ab\n。"  # one of them two UTF-16 units
Spans = list[tuple[int, int]]


def drawn_spans(rng: random.Random, size: int, most: int) -> Spans:
    """Stretches of a text, ascending and disjoint."""
    bounds = sorted(rng.sample(range(size + 1), 2 * rng.randint(0, min(most, size // 3))))
    pairs = zip(bounds[::2], bounds[1::2], strict=True)
    return [(start, stop - start) for start, stop in pairs]


def kept_places(size: int, spans: Spans) -> list[int]:
    gone = {place for start, length in spans for place in range(start, start + length)}
    return [place for place in range(size) if place not in gone]


def test_what_is_left_and_what_is_said_of_it(spark: SparkSession) -> None:
    rng = random.Random(11)
    rows = []
    for number in range(200):
        text = "".join(rng.choices(WORDS, k=rng.randint(1, 40)))
        spans = None if number % 9 == 0 else drawn_spans(rng, len(text), 3)
        pii = None if number % 5 == 0 else drawn_spans(rng, len(text), 3)
        was = ("f" * 64, 99, [("repair", 2)]) if number % 4 == 0 else (None, None, [])
        rows.append((str(number), text, spans, pii, *was))
    ddl = f"doc_id string, text string, spans {SPANS_DDL}, places {SPANS_DDL}, "
    ddl += "original_sha256 string, original_chars long, edits "
    frame = spark.createDataFrame(rows, ddl + EDITS_TYPE.simpleString()).repartition(3)
    kind = F.lit("email").alias("kind")
    pii = F.transform("places", lambda place: F.struct(kind, place["start"], place["length"]))
    documents = frame.withColumn("pii", pii.cast(PII_TYPE)).drop("places")
    found = without_passages(documents, F.col("spans"), "benchmark")
    assert found.columns == documents.columns
    by_id = {row.doc_id: row for row in found.collect()}
    assert len(by_id) == len(rows)
    for name, text, spans, places, sha256, chars, edits in rows:
        row = by_id[name]
        kept = kept_places(len(text), spans or [])
        assert row.text == "".join(text[place] for place in kept)
        if not spans:
            assert (row.original_sha256, row.original_chars) == (sha256, chars)
            assert [tuple(edit) for edit in row.edits] == edits
        else:
            assert row.original_sha256 == (sha256 or hashlib.sha256(text.encode()).hexdigest())
            assert row.original_chars == (chars or len(text))
            assert [tuple(edit) for edit in row.edits] == [*edits, ("benchmark", len(spans))]
        whole = [
            (start, length)
            for start, length in places or []
            if set(range(start, start + length)) <= set(kept)
        ]
        moved = None if places is None else [("email", kept.index(s), n) for s, n in whole]
        assert moved == (None if row.pii is None else [tuple(place) for place in row.pii])
