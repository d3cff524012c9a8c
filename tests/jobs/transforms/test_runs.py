"""Documents cut to their good runs, against a plain loop over their segments."""

from __future__ import annotations

import hashlib
import random
from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError, load_config
from jobs.transforms.selection.corpus_rows import part_left
from jobs.transforms.selection.runs import RUNS_DDL, good_runs, has_good_segment, with_runs
from jobs.transforms.selection.verdicts import selection_rules
from udfs.encoder.quality_bert import RESULT_TYPE
from udfs.measures.schema import EDITS_TYPE, PII_TYPE

T = 0.5
SEGMENTS_TYPE = RESULT_TYPE["segments"].dataType
WORDS = "天地玄黄宇宙洪荒日月𠀀ab\n。"  # one of them two UTF-16 units
Segments = list[tuple[int, int, float]]


def plain_runs(segments: Segments) -> list[tuple[int, int, float]]:
    """Runs of (offset, length, score), a segment at a time."""
    runs: list[list[tuple[int, int, float]]] = []
    for offset, length, score in segments:
        if score < T:
            continue
        if runs and sum(runs[-1][-1][:2]) == offset:
            runs[-1].append((offset, length, score))
        else:
            runs.append([(offset, length, score)])
    return [
        (run[0][0], sum(length for _, length, _ in run), sum(s for _, _, s in run) / len(run))
        for run in runs
    ]


def drawn_segments(rng: random.Random, text: str) -> Segments:
    """Segments one behind the other, now and then with something between two."""
    bounds = sorted({0, len(text), *rng.choices(range(len(text) + 1), k=rng.randint(0, 6))})
    pairs = pairwise(bounds)
    return [
        (start, stop - start, rng.choice([0.1, 0.49, 0.5, 0.7, 1.0]))
        for start, stop in pairs
        if rng.random() < 0.85
    ]


def drawn_texts(count: int) -> dict[str, tuple[str, Segments]]:
    rng = random.Random(7)
    texts = ("".join(rng.choices(WORDS, k=rng.randint(1, 40))) for _ in range(count))
    return {f"d{number}": (text, drawn_segments(rng, text)) for number, text in enumerate(texts)}


def test_amounts_are_those_of_the_part_that_is_left(spark: SparkSession) -> None:
    rows = [(100, 200, 50), (100, 200, None), (101, 200, 100), (7, 0, 0), (9, 20, 30), (None, 5, 2)]
    frame = spark.createDataFrame(rows, "amount bigint, chars bigint, left bigint")
    amount, chars, left = (F.col(name) for name in frame.columns)
    found = frame.select(part_left(amount, chars, left), part_left(amount, chars, None)).collect()
    assert [row[0] for row in found] == [25, 100, 51, 0, 9, None]
    assert [row[1] for row in found] == [row[0] for row in rows]


def test_runs_are_those_of_a_plain_loop(spark: SparkSession) -> None:
    texts = drawn_texts(300)
    rows: list[Any] = [(name, segments) for name, (_, segments) in texts.items()]
    ddl = f"doc_id string, segments {SEGMENTS_TYPE.simpleString()}"
    frame = spark.createDataFrame([*rows, ("null", None)], ddl)
    found = frame.select(
        "doc_id",
        good_runs(F.col("segments"), T).alias("runs"),
        has_good_segment(F.col("segments"), T).alias("has"),
    )
    assert found.schema["runs"].dataType.simpleString() == RUNS_DDL
    by_name = {row.doc_id: row for row in found.collect()}
    assert by_name.pop("null")[1:] == (None, None)
    lengths = set()
    for name, (_, segments) in texts.items():
        expected = plain_runs(segments)
        runs = [tuple(run) for run in by_name[name].runs]
        assert [run[:2] for run in runs] == [run[:2] for run in expected], segments
        assert [run[2] for run in runs] == pytest.approx([run[2] for run in expected])
        assert by_name[name].has == bool(expected)
        lengths.add(len(runs))
    assert lengths >= {0, 1, 2, 3}


def test_text_and_what_is_said_of_it_are_those_of_the_runs(spark: SparkSession) -> None:
    rng = random.Random(8)
    texts = {
        name: (text, segments)
        for name, (text, segments) in drawn_texts(300).items()
        if plain_runs(segments)
    }
    rows = []
    for number, (name, (text, segments)) in enumerate(texts.items()):
        starts = sorted(rng.sample(range(len(text)), min(3, len(text))))
        pii = [("phone", start, min(2, len(text) - start)) for start in starts]
        known = (99, "5e") if number % 3 == 0 else (None, None)
        runs = plain_runs(segments)
        rows.append((name, text, *known, [("width", 2)], None if number % 5 == 0 else pii, runs))
    ddl = (
        "doc_id string, text string, original_chars long, original_sha256 string, "
        f"edits {EDITS_TYPE.simpleString()}, pii {PII_TYPE.simpleString()}, runs {RUNS_DDL}"
    )
    documents = spark.createDataFrame(rows, ddl)
    found = with_runs(documents)
    assert found.schema.simpleString() == documents.schema.simpleString()
    whole = 0
    for row, before in zip(found.collect(), rows, strict=True):
        name, text, chars, digest, edits, pii, runs = before
        spans = [(offset, offset + length) for offset, length, _ in runs]
        assert row.text == "\n".join(text[start:stop] for start, stop in spans), name
        assert [tuple(run) for run in row.runs] == runs
        if spans == [(0, len(text))]:
            whole += 1
            assert tuple(row)[1:6] == (text, chars, digest, edits, pii)
            continue
        bounds = [0, *(bound for span in spans for bound in span), len(text)]
        pairs = zip(bounds[::2], bounds[1::2], strict=True)
        gone = sum(start < stop for start, stop in pairs)
        assert row.edits == [("width", 2), ("segment", gone)]
        assert row.original_chars == (chars or len(text))
        assert row.original_sha256 == (digest or hashlib.sha256(text.encode()).hexdigest())
        if pii is None:
            assert row.pii is None
            continue
        left = [
            text[start : start + length]
            for _, start, length in pii
            if any(a <= start and start + length <= b for a, b in spans)
        ]
        assert [row.text[p.start : p.start + p.length] for p in row.pii] == left
    assert 0 < whole < len(rows)


def test_a_document_without_a_good_segment_has_its_own_reason(spark: SparkSession) -> None:
    score = RESULT_TYPE.simpleString()
    ddl = (
        "doc_id string, quality struct<score:double>, "
        "toxicity struct<label:int,score:double>, "
        f"domain struct<single_label:string>, quality_bert {score}"
    )
    said = ((0.9,), (0, 0.1), ("news",))

    def encoded(*scores: float) -> tuple[float, list[tuple[int, int, float]], float, float, float]:
        segments = [(10 * place, 10, score) for place, score in enumerate(scores)]
        return (0.3, segments, 0.3, min(scores), max(scores))

    rows = [
        ("good", *said, encoded(0.2, 0.5)),
        ("bad", *said, encoded(0.2, 0.4)),
        ("none", *said, (None, None, None, None, None)),
        ("absent", *said, None),
    ]
    frame = spark.createDataFrame(rows, ddl)
    scorers = 'score.scorers=["quality", "domain", "toxicity", "quality_bert"]'
    cutting = load_config(None, [f"select.min_segment_score={T}", scorers])
    rules = selection_rules(cutting)
    fired = frame.select("doc_id", *(rule.alias(name) for name, rule in rules.items())).collect()
    reasons = {row.doc_id: [name for name in rules if row[name]] for row in fired}
    assert reasons == {
        "good": [], "bad": ["no_good_segment"], "none": ["unscored"], "absent": ["unscored"]
    }  # fmt: skip
    assert "no_good_segment" not in selection_rules(load_config(None))
    every_key = ["select.max_toxicity=0.5", "select.min_perplexity=0.9", 'select.domains=["law"]']
    everything = load_config(None, [f"select.min_segment_score={T}", scorers, *every_key])
    assert list(selection_rules(everything)) == [
        *("unscored", "low_quality", "toxic", "low_perplexity"),
        *("unwanted_domain", "no_good_segment"),
    ]


def test_cutting_takes_scores_of_the_text_that_is_cut() -> None:
    asked = "select.min_segment_score=0.5"
    scorers = 'score.scorers=["quality", "domain", "toxicity", "quality_bert"]'
    with pytest.raises(ConfigError, match=r"min_segment_score.*has no quality_bert"):
        load_config(None, [asked])
    assert load_config(None, [asked, scorers]).limits["quality_bert"].min_segment_score == T
    levels = 'dedup.levels=["exact", "paragraph"]'
    load_config(None, [asked, scorers, levels])
    with pytest.raises(ConfigError, match=r"needs score\.rows = 'survivors'"):
        load_config(None, [asked, scorers, levels, "score.rows=all"])
    load_config(None, [asked, scorers, levels, "score.rows=all", "dedup.paragraph_policy=measure"])
