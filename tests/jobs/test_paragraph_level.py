"""Level "paragraph" through the whole pipeline, and what other tables say of texts that it cut."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession

from jobs import run_pipeline
from tests.builders.near_duplicates import random_text
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.dedup.paragraphs import Span, cut_spans

pytestmark = pytest.mark.slow  # a whole pipeline

RNG = random.Random(4)
SHARED = [random_text(RNG, 60) for _ in range(7)]
PHONE = "13812345678"


def own(lines: int) -> list[str]:
    return [random_text(RNG, 60) for _ in range(lines)]


def document(*lines: str) -> str:
    return "\n".join(lines)


STORY = own(20)
TEXTS = {
    "longest": document(*SHARED[:6], *STORY, *own(2)),
    # The first but one: it would take SHARED[6] from "whole", if near did not remove it before.
    "near": document(*SHARED, *STORY),
    "rest": document(SHARED[0], *own(3), SHARED[1], *own(3), SHARED[2]),
    "too_short": document(SHARED[3], SHARED[4], SHARED[5], *own(1)),
    "too_short_2": "",  # the same again
    "phone": document(
        SHARED[0], *own(4), f"张先生的电话是{PHONE}，请在工作日拨打", SHARED[1], *own(1)
    ),
    "edited": document(SHARED[1], *own(4)) + "\u200b\u200b",
    "whole": document(SHARED[6], *own(5)),
}
TEXTS["too_short_2"] = TEXTS["too_short"]
GONE = {"near", "too_short", "too_short_2"}


@pytest.fixture(scope="module")
def output(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paragraphs")
    rows = [json.dumps({"id": name, "text": text}) for name, text in TEXTS.items()]
    (folder / "in.jsonl").write_text("\n".join(rows), encoding="utf-8")
    run(folder, "paragraph")
    return folder / "out"


def run(folder: Path, *levels: str) -> None:
    """The whole pipeline, with the rules that have something against made-up text switched off."""
    wanted = json.dumps(["url", "exact", *levels, "near"])
    arguments = ["--config", str(LOCAL_CONFIG), "--output", str(folder / "out")]
    arguments += ["--input", str(folder / "in.jsonl"), "--input-format", "jsonl"]
    arguments += ["--set", f"dedup.levels={wanted}", "extract.languages=[]", "rules.pack=off"]
    arguments += ["rules.max_sensitive_per_line=off", "rules.max_mojibake_share=off"]
    arguments += ["rules.traditional_policy=keep", "select.min_quality=off", "run.redo=always"]
    assert run_pipeline.main(arguments) == 0


def rows_of(spark: SparkSession, output: Path, table: str) -> dict[str, Row]:
    """doc_id -> row."""
    rows = spark.read.parquet(str(output / table)).collect()
    by_id = {row.doc_id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def edited(spark: SparkSession, output: Path, doc_id: str) -> str:
    """The text as the rules stage left it."""
    edits = rows_of(spark, output, "edits")
    return edits[doc_id].text if doc_id in edits else TEXTS[doc_id]


def test_corpus_texts_are_what_the_spans_leave(spark: SparkSession, output: Path) -> None:
    corpus = rows_of(spark, output, "corpus")
    cuts = rows_of(spark, output, "cuts")
    assert corpus.keys() == TEXTS.keys() - GONE
    assert cuts.keys() == {"rest", "too_short", "phone", "edited"}
    for doc_id, row in corpus.items():
        text = edited(spark, output, doc_id)
        spans = [Span(*span) for span in cuts[doc_id].spans] if doc_id in cuts else []
        assert row.text == cut_spans(text, spans)
        assert doc_id not in cuts or len(row.text) == cuts[doc_id].chars_left
    assert corpus["rest"].text == "\n".join(
        line for line in TEXTS["rest"].split("\n") if line not in SHARED
    )
    assert corpus["whole"].text == TEXTS["whole"]


def test_a_document_that_shrinks_below_the_length_rule_goes(
    spark: SparkSession, output: Path
) -> None:
    duplicates = rows_of(spark, output, "duplicates")
    assert {doc_id: row.kind for doc_id, row in duplicates.items()} == {
        "near": "near",
        "too_short": "paragraph",
        "too_short_2": "exact",
    }
    for doc_id in ("too_short", "too_short_2"):  # nothing stays in their place
        row = duplicates[doc_id]
        assert (row.cluster_id, row.cluster_size, row.kept_doc_id) == (None, None, None)
    rejected = rows_of(spark, output, "rejected")["too_short"]
    assert (rejected.stage, rejected.reasons) == ("find_duplicates", ["paragraph"])
    assert rows_of(spark, output, "cuts")["too_short"].chars_left == 60


def test_the_corpus_row_speaks_of_what_was_extracted(spark: SparkSession, output: Path) -> None:
    corpus = rows_of(spark, output, "corpus")
    for doc_id in ("rest", "phone", "edited"):
        row, text = corpus[doc_id], TEXTS[doc_id]
        assert row.original_chars == len(text)
        assert row.original_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert corpus["rest"].edits == [("paragraph", 3)]
    assert corpus["edited"].edits == [("invisible", 2), ("paragraph", 1)]
    assert corpus["whole"].original_chars is None
    assert corpus["whole"].edits == []


def test_personal_data_lies_where_it_is_now(spark: SparkSession, output: Path) -> None:
    row = rows_of(spark, output, "corpus")["phone"]
    (place,) = row.pii
    assert row.text[place.start : place.start + place.length] == PHONE
    assert place.start != TEXTS["phone"].index(PHONE)


def test_what_is_left_is_scored(spark: SparkSession, output: Path) -> None:
    assert rows_of(spark, output, "scores/quality").keys() == TEXTS.keys() - GONE


def test_the_balance_closes(spark: SparkSession, output: Path) -> None:
    ledger = spark.read.parquet(str(output / "ledger")).where("stage = 'find_duplicates'")
    (row,) = ledger.collect()
    assert (row.seen, row.kept) == (8, 5)
    assert dict(row.rejected) == {"exact": 1, "near": 1, "paragraph": 1}


def test_without_the_level_texts_are_whole_again(spark: SparkSession, output: Path) -> None:
    """The last test of this file: it overwrites the output."""
    run(output.parent)
    assert not (output / "cuts").exists()
    corpus = rows_of(spark, output, "corpus")
    assert corpus.keys() == TEXTS.keys() - {"near", "too_short_2"}
    assert all(row.text == edited(spark, output, doc_id) for doc_id, row in corpus.items())
