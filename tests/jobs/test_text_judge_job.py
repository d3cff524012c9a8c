"""Documents scored by a small language model and a rubric, through the real job, and a student."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("torchvision", reason='not installed: pip install "taojin[pairs]"')

from jobs import run_pipeline, score_documents, train_models  # noqa: E402
from jobs.pairs import import_model  # noqa: E402
from jobs.training.quality.distillation import AGREEMENT  # noqa: E402
from jobs.training.quality.teacher_scores import TeacherScoresError, read_teacher_scores  # noqa: E402
from tests.builders.generators import CHARS, save_causal  # noqa: E402
from tests.jobs.conftest import LOCAL_CONFIG  # noqa: E402
from tests.jobs.test_train_models import small_recipes  # noqa: F401, E402
from udfs.vision_language.generator import Generator  # noqa: E402
from udfs.vision_language.questions import AnswerSettings, Query, filled  # noqa: E402
from udfs.vision_language.rubric import Rubric, read_rubric  # noqa: E402

pytestmark = pytest.mark.bert

RUBRIC = r"""
system = "You answer."
prompt = "How good?\n{text}"
answer = 'score: \{(\d+)\}'
min_points = 1
max_points = 10
max_chars = 60
max_tokens = 1
"""
HAN = CHARS[-28:]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Several threads on a busy machine wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_causal(tmp_path_factory.mktemp("models") / "causal")


@pytest.fixture(scope="module")
def rubric(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rubrics") / "own.toml"
    path.write_text(RUBRIC, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    draw = random.Random(5)
    return {
        f"t{number}": "\n".join(
            "".join(draw.choices(HAN, k=59)) + "。" for _ in range(4 + number % 5)
        )
        for number in range(60)
    }


@pytest.fixture(scope="module")
def scored_output(
    spark: SparkSession,
    folder: Path,
    rubric: Path,
    texts: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A corpus whose quality score is the judge's."""
    own = tmp_path_factory.mktemp("scored")
    model = own / "model.zip"
    assert import_model.main(["--model", str(folder), "--output", str(model)]) == 0
    rows = [
        {"id": name, "url": f"http://s{number // 2}.cn/{number}", "text": text}
        for number, (name, text) in enumerate(texts.items())
    ]
    (own / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    status = run_pipeline.main([
        *("--config", str(LOCAL_CONFIG), "--input", str(own / "in.jsonl")),
        *("--input-format", "jsonl", "--output", str(own / "out"), "--set"),
        *("extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
        *("rules.max_dup_13gram_share=off", "select.min_quality=0.5"),
        *(f"text_judge.artifact={model}", "text_judge.dtype=float32"),
        *(f"text_judge.rubric={rubric}", "select.quality_from=text_judge"),
        'score.scorers=["quality", "domain", "toxicity", "text_judge"]',
    ])  # fmt: skip
    assert status == 0
    return own / "out"


def expected_points(model: Generator, rubric: Rubric, text: str) -> tuple[int | str, str]:
    """Points, or why there are none, and the answer to the document alone."""
    question = Query(filled(rubric.prompt, text[: rubric.max_chars]), None, rubric.system)
    [answer] = model.answers([question])
    assert answer.text is not None
    return rubric.scale.read(answer.text), answer.text


def test_points_become_the_quality_score(
    spark: SparkSession, folder: Path, rubric: Path, texts: dict[str, str], scored_output: Path
) -> None:
    rows = spark.read.parquet(str(scored_output / "scores" / "text_judge")).collect()
    assert {row.doc_id for row in rows} == texts.keys()
    own = read_rubric(rubric)
    model = Generator(folder, AnswerSettings(1, False, dtype="float32", device="cpu"), "cpu")
    seen = set()
    for row in rows:
        points, answer = expected_points(model, own, texts[row.doc_id])
        assert row.answer == answer
        if isinstance(points, str):
            assert (row.score, row.points, row.failure) == (None, None, points)
        else:
            assert (row.points, row.failure) == (points, None)
            assert row.score == (points - 1) / 9
        seen.add(points)
        assert row.artifact.startswith("model.zip@local+")
    assert len(seen) > 3 and any(isinstance(points, str) for points in seen)
    score_of = {row.doc_id: row.score for row in rows}
    corpus = {
        row.doc_id: row.quality_score
        for row in spark.read.parquet(str(scored_output / "corpus")).collect()
    }
    kept = {name: score for name, score in score_of.items() if score is not None and score >= 0.5}
    assert corpus == kept
    report = json.loads((scored_output / "run.json").read_text(encoding="utf-8"))
    assert report["config"]["text_judge"]["rubric"] == str(rubric)


@pytest.mark.usefixtures("small_recipes")
def test_a_student_learns_from_the_points(
    texts: dict[str, str], scored_output: Path, tmp_path: Path, capsys: Any
) -> None:
    scored = read_teacher_scores(str(scored_output), 1000, "text_judge")
    assert {t.text for t in scored.texts} <= set(texts.values())
    with pytest.raises(TeacherScoresError, match="no scores of quality_bert found"):
        read_teacher_scores(str(scored_output), 1000)
    arguments = ["--task", "quality", "--teacher", str(scored_output), "--output", str(tmp_path)]
    assert train_models.main([*arguments, "--teacher-scorer", "text_judge"]) == 0
    metrics = json.loads((tmp_path / "quality" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["recipe"]["taught_texts"] == len(scored.texts) > 20
    assert metrics["recipe"]["teacher"] == scored.teacher
    assert metrics["figures"][AGREEMENT]["rows"] == len(scored.texts)
    card = (tmp_path / "quality" / "CARD.md").read_text(encoding="utf-8")
    assert "--teacher OUTPUT --teacher-scorer text_judge" in card


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--teacher-scorer", "text_judge"], "--teacher-scorer needs --teacher"),
        (
            ["--teacher", "out", "--teacher-scorer", "text_judge", "--teacher-model", "absent"],
            "--teacher-model is for scores of quality_bert, not of text_judge",
        ),
    ],
)
def test_a_teacher_of_nothing_is_refused(
    tmp_path: Path, options: list[str], message: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        train_models.main(["--task", "quality", "--output", str(tmp_path), *options])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["text_judge.artifact=off"], "text_judge.artifact is off"),
        (["text_judge.artifact=absent.zip"], "text_judge.artifact = 'absent.zip': no such"),
        (["text_judge.rubric=absent.toml"], "text_judge.rubric = 'absent.toml': no such"),
        (["select.min_quality=0.5", "text_judge.rubric=quality"], "is a model, expected a rubric"),
    ],
)
def test_a_wrong_request_ends_before_spark(
    tmp_path: Path, settings: list[str], message: str, capsys: Any
) -> None:
    status = score_documents.main([
        *("--config", str(LOCAL_CONFIG), "--input", str(tmp_path), "--output", str(tmp_path / "o")),
        *("--scorer", "text_judge", "--set", *settings),
    ])  # fmt: skip
    assert status == 2
    assert message in capsys.readouterr().err
