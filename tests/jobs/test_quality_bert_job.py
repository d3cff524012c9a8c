"""Scorer quality_bert through the real job, with a small encoder of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from jobs import import_bert, score_documents
from tests.builders.encoders import CHARS, save_checkpoint
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.artifact_files import sha256_of
from udfs.quality_bert import DocumentScorer, EncoderRules
from udfs.quality_bert import score_documents as scored

pytestmark = pytest.mark.timeout(240)  # several runs of jobs on any machine

TEXTS = {f"text-{n}": (CHARS[n:] + "。\n") * (3 * n + 1) for n in range(7)}


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkpoint = save_checkpoint(tmp_path_factory.mktemp("encoder"))
    path = checkpoint.parent / "own.safetensors"
    arguments = ["--model", str(checkpoint.parent), "--checkpoint", str(checkpoint)]
    assert import_bert.main([*arguments, "--output", str(path)]) == 0
    return path


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
    segments: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    its = (f"quality_bert.artifact={encoder_file}", f"quality_bert.segments={segments}")
    assert score_documents.main(arguments(tmp_path, *its)) == 0
    assert "quality_bert: no GPU is declared" in capfd.readouterr().err
    rules = EncoderRules("fixed" if segments == "fixed" else "casia-exact", dtype="float32")
    expected = scored(list(TEXTS.values()), DocumentScorer(encoder_file, rules))
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


def test_settings_and_files_are_checked_before_spark_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.safetensors"
    file.write_bytes(b"no encoder")
    for settings, said in (
        (["quality_bert.batch_tokens=0"], "quality_bert.batch_tokens = 0: expected 1 or more"),
        ([f"quality_bert.artifact={file}"], "quality_bert.artifact: "),
        (["quality_bert.artifact=quality_bert"], "quality_bert"),
    ):
        assert score_documents.main(arguments(tmp_path, *settings)) == 2
        assert said in capsys.readouterr().err
