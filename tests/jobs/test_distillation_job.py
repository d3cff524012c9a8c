"""From a run on Spark that an encoder scored to a student that learns from its scores."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from jobs import run_pipeline, train_models
from jobs.training.quality.distillation import AGREEMENT
from jobs.training.quality.teacher_scores import SCORER, TeacherScoresError, read_teacher_scores
from tests.builders.encoders import CHARS, save_encoder
from tests.jobs.conftest import LOCAL_CONFIG
from tests.jobs.test_train_models import data, small_recipes  # noqa: F401
from udfs.files.artifacts import sha256_of

pytestmark = pytest.mark.bert

LEVELS = 'dedup.levels=["exact", "paragraph"]'
SHARED = "到以说时要就出会可也你对生能而子那得于着下自之年过的一是不了在人有我他这。"


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def scored_output(
    spark: SparkSession, encoder_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Texts that are repaired, and cut, before they are scored."""
    folder = tmp_path_factory.mktemp("scored")
    draw = random.Random(5)
    rows = []
    for number in range(40):
        chars = CHARS[: 8 + number] if number % 2 else CHARS[number:]
        lines = ["".join(draw.choices(chars, k=59)) + "。" for _ in range(4 + number % 5)]
        lines += [SHARED] if number % 4 == 0 else []
        text = "\n".join(lines) + ("\u200b" if number % 3 == 0 else "")
        rows.append({"id": f"t{number}", "url": f"http://s{number // 2}.cn/a", "text": text})
    (folder / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    status = run_pipeline.main([
        *("--config", str(LOCAL_CONFIG), "--input", str(folder / "in.jsonl")),
        *("--input-format", "jsonl", "--output", str(folder / "out"), "--set"),
        *("extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
        *("rules.max_dup_13gram_share=off", "select.min_quality=off", LEVELS),
        *(f"quality_bert.artifact={encoder_file}", "quality_bert.dtype=float32"),
        'score.scorers=["quality", "domain", "toxicity", "quality_bert"]',
    ])  # fmt: skip
    assert status == 0
    return folder / "out"


def test_texts_come_as_they_were_scored(spark: SparkSession, scored_output: Path) -> None:
    scored = read_teacher_scores(str(scored_output), 1000)
    assert scored.teacher.startswith("own.safetensors@local+")
    rows = spark.read.parquet(str(scored_output / "scores" / SCORER)).collect()
    assert {t.doc_id: t.score for t in scored.texts} == {row.doc_id: row.score for row in rows}
    corpus = spark.read.parquet(str(scored_output / "corpus")).collect()
    assert {t.doc_id: t.text for t in scored.texts} == {row.doc_id: row.text for row in corpus}
    kinds = {edit.kind for row in corpus for edit in row.edits}
    assert "invisible" in kinds and kinds & {"segment", "paragraph"}
    assert {t.site for t in scored.texts} == {f"s{n}.cn" for n in range(20)}
    few = read_teacher_scores(str(scored_output), 7).texts
    assert len(few) == 7
    assert {t.doc_id for t in few} <= {t.doc_id for t in scored.texts}


def test_an_output_without_scores_is_none_to_learn_from(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(TeacherScoresError, match="no scores of quality_bert found"):
        read_teacher_scores(str(tmp_path), 10)
    arguments = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--task", "quality"]
    assert train_models.main([*arguments, "--teacher", str(tmp_path / "none")]) == 2
    assert "no scores of quality_bert found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "domain", "--teacher", "out"], "--teacher is for the task quality"),
        (["--task", "quality", "--teacher-model", "e"], "--teacher-model needs --teacher"),
        (
            ["--task", "quality", "--teacher", "out", "--teacher-model", "absent.safetensors"],
            "--teacher-model absent.safetensors: no such file",
        ),
    ],
)
def test_a_teacher_of_nothing_is_refused(
    tmp_path: Path, options: list[str], message: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        train_models.main(["--data", str(tmp_path), "--output", str(tmp_path), *options])
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("small_recipes")
def test_a_student_learns_from_the_scores(
    data: Path,  # noqa: F811
    scored_output: Path,
    encoder_file: Path,
    tmp_path: Path,
    capsys: Any,
) -> None:
    arguments = ["--data", str(data), "--task", "quality", "--teacher", str(scored_output)]
    out = tmp_path / "out"
    model_option = ["--teacher-model", str(encoder_file)]
    assert train_models.main([*arguments, "--output", str(out), *model_option]) == 0
    metrics = json.loads((out / "quality" / "metrics.json").read_text(encoding="utf-8"))
    recipe = metrics["recipe"]
    # Of the last fit, which holds nothing out.
    texts = {t.text for t in read_teacher_scores(str(scored_output), 1000).texts}
    assert recipe["taught_texts"] == len(texts) == 40
    assert recipe["teacher"] == f"own.safetensors@local+{sha256_of(encoder_file)[:12]}"
    agreed = metrics["figures"][AGREEMENT]
    assert agreed["rows"] == 40
    assert -1 <= agreed["rank_correlation"] <= 1
    card = (out / "quality" / "CARD.md").read_text(encoding="utf-8")
    assert "--teacher OUTPUT" in card
    assert AGREEMENT in card
    said = capsys.readouterr().out
    assert f"rank_correlation {agreed['rank_correlation']}" in said
    rates = re.search(r"teacher ([\d,.]+), student ([\d,]+), ([\d,]+) times", said)
    assert rates is not None
    teacher, student, times = (float(rate.replace(",", "")) for rate in rates.groups())
    assert times == pytest.approx(student / teacher, rel=0.02, abs=1)
    assert train_models.main([*arguments, "--output", str(tmp_path / "again")]) == 0
    for name in ("quality.ftz", "metrics.json", "CARD.md"):
        assert (tmp_path / "again" / "quality" / name).read_bytes() == (
            out / "quality" / name
        ).read_bytes()
