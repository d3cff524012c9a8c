"""Scorer quality_bert through the real job, with a small encoder of random weights."""

from __future__ import annotations

import json
import random
import statistics
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from jobs import run_pipeline, score_documents, select_corpus
from tests.builders.encoders import CHARS, save_encoder
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, Segments
from udfs.encoder.quality_bert import score_documents as scored
from udfs.files.artifacts import sha256_of

pytestmark = pytest.mark.bert

TEXTS = {f"text-{n}": (CHARS[n:] + "。\n") * (3 * n + 1) for n in range(7)}


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


def arguments(folder: Path, *settings: str) -> list[str]:
    rows = folder / "rows.jsonl"
    lines = (json.dumps({"id": name, "text": text}) for name, text in TEXTS.items())
    rows.write_text("\n".join(lines), encoding="utf-8")
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(rows), "--input-format", "jsonl"),
        *("--output", str(folder / "out"), "--scorer", "quality_bert"),
        *("--set", "extract.languages=[]", "quality_bert.dtype=float32", *settings),
    ]


@pytest.mark.parametrize("segments", ["fixed", "casia-exact"])
def test_the_table_has_what_the_encoder_says(
    spark: SparkSession,
    encoder_file: Path,
    tmp_path: Path,
    segments: Segments,
    capfd: pytest.CaptureFixture[str],
) -> None:
    its = (f"quality_bert.artifact={encoder_file}", f"quality_bert.segments={segments}")
    assert score_documents.main(arguments(tmp_path, *its)) == 0
    assert "quality_bert: no GPU is declared" in capfd.readouterr().err
    settings = QualityBertSettings(segments=segments, dtype="float32")
    expected = scored(list(TEXTS.values()), DocumentScorer(encoder_file, settings))
    rows = spark.read.parquet(str(tmp_path / "out" / "scores" / "quality_bert")).collect()
    assert len(rows) == len(TEXTS)
    found = {row["doc_id"]: row.asDict(recursive=True) for row in rows}
    for name, record in zip(TEXTS, expected, strict=True):
        row = found[name]
        assert row["artifact"] == f"own.safetensors@local+{sha256_of(encoder_file)[:12]}"
        for key in ("score", "mean", "min", "max"):
            assert row[key] == (record[key] and pytest.approx(record[key], abs=1e-5))
        assert [(s["offset"], s["length"]) for s in row["segments"] or []] == [
            (s["offset"], s["length"]) for s in record["segments"] or []
        ]
    assert (found["text-0"]["score"] is None) == (segments == "casia-exact")  # under 200 characters


def test_documents_are_cut_to_their_good_runs(
    spark: SparkSession, encoder_file: Path, tmp_path: Path
) -> None:
    """The whole pipeline, then selection alone: whole documents again, from the same scores."""
    draw = random.Random(3)
    texts = {
        f"prose-{number}": "".join("".join(draw.choices(CHARS, k=39)) + "。" for _ in range(length))
        for number, length in enumerate([6, 6, 10, 20, 30, 40, 50, 60])
    }
    scorer = DocumentScorer(encoder_file, QualityBertSettings(dtype="float32"))
    records = dict(zip(texts, scored(list(texts.values()), scorer), strict=True))
    limit = statistics.median(s["score"] for r in records.values() for s in r["segments"])
    limit += 1e-9  # no score is level with it, whatever the last bits of it are
    (tmp_path / "in.jsonl").write_text(
        "\n".join(json.dumps({"id": name, "text": text}) for name, text in texts.items()),
        encoding="utf-8",
    )
    common = [
        *("--config", str(LOCAL_CONFIG), "--input", str(tmp_path / "in.jsonl")),
        *("--input-format", "jsonl", "--output", str(tmp_path / "out"), "--set"),
        *("extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
        *("rules.max_dup_13gram_share=off", "select.min_quality=off", "rules.repair=false"),
        *(f"quality_bert.artifact={encoder_file}", "quality_bert.dtype=float32"),
        'score.scorers=["quality", "domain", "toxicity", "quality_bert"]',
    ]
    assert run_pipeline.main([*common, f"select.min_segment_score={limit}"]) == 0
    corpus = {row.doc_id: row for row in spark.read.parquet(str(tmp_path / "out/corpus")).collect()}
    good = {
        name: [s for s in record["segments"] if s["score"] >= limit]
        for name, record in records.items()
    }
    assert corpus.keys() == {name for name, segments in good.items() if segments}
    is_cut = set()
    for name, row in corpus.items():
        parts = [texts[name][run.offset : run.offset + run.length] for run in row.runs]
        assert row.text == "\n".join(parts)
        assert sum(map(len, parts)) == sum(s["length"] for s in good[name])
        is_cut.add((len(row.runs) > 1, row.text == texts[name], row.original_chars))
    assert {many for many, _, _ in is_cut} == {False, True}
    rejected = spark.read.parquet(str(tmp_path / "out/rejected")).collect()
    assert {row.doc_id: row.reasons for row in rejected} == {
        name: ["no_good_segment"] for name, segments in good.items() if not segments
    }
    assert rejected
    facts = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    (selected,) = (stage for stage in facts["stages"] if stage["stage"] == "select_corpus")
    assert (selected["seen"], selected["kept"]) == (len(texts), len(corpus))
    assert selected["rejected"] == len(rejected)
    assert any(row["edit"] == "segment" for row in facts["edits"])

    assert select_corpus.main([*common, "select.min_segment_score=off"]) == 0
    rows = spark.read.parquet(str(tmp_path / "out/corpus")).collect()
    assert {row.doc_id: (row.text, row.runs) for row in rows} == {
        name: (text, None) for name, text in texts.items()
    }


def test_settings_and_files_are_checked_before_spark_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.safetensors"
    file.write_bytes(b"no encoder")
    for settings, said in (
        (["quality_bert.batch_tokens=0"], "quality_bert.batch_tokens = 0: expected 1 or more"),
        ([f"quality_bert.artifact={file}"], "quality_bert.artifact: "),
        (["quality_bert.artifact=no_such_encoder"], "no_such_encoder"),
    ):
        assert score_documents.main(arguments(tmp_path, *settings)) == 2
        assert said in capsys.readouterr().err
