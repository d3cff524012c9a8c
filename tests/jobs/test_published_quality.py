"""The published quality model by its commands: a run, two stages of training, scores, a student."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from transformers import AutoModel  # noqa: E402

from jobs import run_pipeline, score_documents, train_models  # noqa: E402
from jobs.training.common.run_sample import RunSampleError, sample_run_texts  # noqa: E402
from jobs.training.encoder.own_texts import OWN_TEXTS  # noqa: E402
from jobs.training.quality.distillation import AGREEMENT  # noqa: E402
from tests.builders.encoders import config_of, save_tokenizer  # noqa: E402
from tests.jobs.conftest import LOCAL_CONFIG  # noqa: E402
from udfs.encoder.encoder_file import read_encoder_header  # noqa: E402

pytestmark = pytest.mark.bert

GOOD = ["我们", "他们", "中国", "大地", "上来", "这个", "一个", "国人"]
BAD = ["可以", "要说", "说过", "时下", "对着", "可能", "就要", "出生"]
SETTINGS = [
    *("--set", "extract.languages=[]", "extract.min_language_score=off", "rules.pack=off"),
    *("rules.max_dup_13gram_share=off", "select.min_quality=off", "quality_bert.dtype=float32"),
    'dedup.levels=["exact"]',
]


def made_text(number: int, words: list[str]) -> str:
    draw = random.Random(number)
    lines = [" ".join(draw.choices(words, k=14)) + "。" for _ in range(8 + number % 5)]
    return "\n".join(lines)


def crawl_row(number: int) -> dict[str, str]:
    text = made_text(1_000 + number, GOOD if number % 2 else BAD)
    return {"id": f"t{number}", "url": f"http://s{number // 3}.cn/{number}", "text": text}


def jsonl(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of random weights as transformers saves one, and texts in three files."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("published")
    save_tokenizer(folder / "encoder")
    torch.manual_seed(4)
    AutoModel.from_config(config_of()).save_pretrained(folder / "encoder")
    good = [made_text(number, GOOD) for number in range(40)]
    pq.write_table(pa.table({"text": good[:20]}), folder / "encyclopedia.parquet")
    jsonl(folder / "news.jsonl", [{"text": text} for text in good[20:]])
    bad = [
        {"text": made_text(100 + n, BAD), "url": f"http://ads{n // 4}.cn/{n}"} for n in range(60)
    ]
    jsonl(folder / "sampled.jsonl", bad)
    return folder


@pytest.fixture(scope="module")
def output(spark: SparkSession, folder: Path) -> Path:
    """A run over crawl text: half of it good; one text twice, one rejected by a rule."""
    rows = [crawl_row(number) for number in range(40)]
    rows += [{**rows[1], "id": "copy", "url": "http://copy.cn/"}]
    rows += [{"id": "short", "url": "http://short.cn/", "text": made_text(1, GOOD)[:150]}]
    arguments = ["--config", str(LOCAL_CONFIG), "--input", str(jsonl(folder / "in.jsonl", rows))]
    arguments += ["--input-format", "jsonl", "--output", str(folder / "out"), *SETTINGS]
    assert run_pipeline.main(arguments) == 0
    return folder / "out"


def test_texts_of_a_run_are_those_that_its_stages_left(output: Path, tmp_path: Path) -> None:
    texts = sample_run_texts(str(output), 1_000)
    assert len(texts) == 40
    ids = {text.doc_id for text in texts}
    assert "short" not in ids and len(ids & {"t1", "copy"}) == 1
    by_id = {text.doc_id: text for text in texts}
    assert (by_id["t4"].site, by_id["t4"].text) == ("s1.cn", crawl_row(4)["text"])
    few = sample_run_texts(str(output), 7)
    assert len(few) == 7
    assert {text.doc_id for text in few} <= ids
    with pytest.raises(RunSampleError, match=r"no documents found: expected the output of"):
        sample_run_texts(str(tmp_path), 7)


def scores_of(spark: SparkSession, output: Path, scorer: str) -> dict[str, float]:
    rows = spark.read.parquet(str(output / "scores" / scorer)).collect()
    return {row["doc_id"]: row["score"] for row in rows}


def are_apart(scores: dict[str, float]) -> bool:
    """Whether every good text scores higher than every other."""
    good = {f"t{number}" for number in range(1, 40, 2)} | {"copy"}
    return min(scores[name] for name in scores.keys() & good) > max(
        score for name, score in scores.items() if name not in good
    )


def test_the_published_recipe_is_trained_scored_and_distilled(
    spark: SparkSession, folder: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "trained"
    trained = ["--output", str(out), "--task", "quality-bert-stages"]
    trained += ["--encoder", str(folder / "encoder"), "--layers", "2", "--frozen", "1"]
    trained += ["--positives", str(folder / "encyclopedia.parquet"), str(folder / "news.jsonl")]
    trained += ["--negatives", str(folder / "sampled.jsonl"), "--unlabelled", str(output)]
    trained += ["--head", "multi-scale", "--epochs", "20", "--rounds", "2", "--segments", "40"]
    assert train_models.main([*trained, "--folds", "2", "--gpus", "0"]) == 0
    model = out / "quality_bert_stages" / "quality_bert_stages.safetensors"
    metrics = json.loads(model.with_name("metrics.json").read_text(encoding="utf-8"))
    recipe = metrics["recipe"]
    assert (recipe["layers"], recipe["frozen_layers"], recipe["rounds"]) == ([0, 1], 1, 2)
    assert (recipe["examples"], recipe["unlabelled_segments"]) == (100, 40)
    assert recipe["device"] == "cpu"
    assert {row["file"]: row["rows"] for row in metrics["data"]} == {
        "encyclopedia.parquet": 20, "news.jsonl": 20, "sampled.jsonl": 60,
    }  # fmt: skip
    assert metrics["figures"][OWN_TEXTS]["rows"] == 100
    assert metrics["figures"][OWN_TEXTS]["auc"] > 0.95
    assert "--data" not in metrics["command"]
    assert "--positives FILES --negatives FILES --unlabelled OUTPUT" in metrics["command"]
    assert str(folder) not in metrics["command"]
    assert read_encoder_header(model).settings.head == "multi-scale"

    written = model.with_name("metrics.json").read_bytes()
    again = [*trained, "--folds", "2", "--gpus", "0", "--remeasure"]
    assert train_models.main(again) == 0
    assert model.with_name("metrics.json").read_bytes() == written
    capsys.readouterr()
    again[again.index(str(folder / "news.jsonl"))] = str(folder / "sampled.jsonl")
    assert train_models.main(again) == 2
    said = capsys.readouterr().err
    assert "metrics.json: data: ['news.jsonl (20 rows, sha256 " in said
    assert f"give the options that it was trained with ({metrics['command']})" in said

    scored = ["--config", str(LOCAL_CONFIG), "--output", str(output), *SETTINGS]
    by_encoder = ["--scorer", "quality_bert", *scored, f"quality_bert.artifact={model}"]
    assert score_documents.main(by_encoder) == 0
    taught = scores_of(spark, output, "quality_bert")
    assert are_apart(taught)

    lines = folder / "lines.txt"
    for student, named in (("linear", []), ("fasttext", ["--student-lines", str(lines)])):
        capsys.readouterr()
        distilled = ["--output", str(folder / student), "--task", "quality"]
        distilled += ["--teacher", str(output), "--student", student, *named]
        assert train_models.main(distilled) == 0
        said = capsys.readouterr().out
        file = folder / student / "quality" / ("quality.ftz", "quality.bin")[student == "fasttext"]
        (settings,) = re.findall(r"quality: scored by --set (.*)", said)
        assert settings.startswith(f"quality.artifact={file}")
        metrics = json.loads((file.parent / "metrics.json").read_text(encoding="utf-8"))
        assert list(metrics["figures"]) == [AGREEMENT]
        assert metrics["figures"][AGREEMENT]["rows"] == 40
        assert metrics["data"] == []
        by_student = ["--scorer", "quality", *scored, *settings.split(), "--yes"]
        assert score_documents.main(by_student) == 0
        assert are_apart(scores_of(spark, output, "quality"))
    written = lines.read_text(encoding="utf-8").splitlines()
    assert len(written) == 40
    assert {line.split()[0] for line in written} == {"__label__clean", "__label__dirty"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--positives": "news.jsonl"}, "--positives: all texts are of one source, news.jsonl"),
        ({"--positives": "encoder"}, "--positives: "),
        ({"--unlabelled": "encoder"}, "no documents found: expected the output of"),
        ({"--gpus": "99"}, "--gpus 99: PyTorch finds "),
    ],
)
def test_what_cannot_be_learnt_from_is_named(
    folder: Path,
    changed: dict[str, str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path: Callable[[str], str] = lambda name: name if name.isdigit() else str(folder / name)  # noqa: E731
    options = {"--encoder": "encoder", "--positives": "*.parquet", "--negatives": "sampled.jsonl"}
    arguments = [
        word for option, value in (options | changed).items() for word in (option, path(value))
    ]
    given = ["--output", str(folder / "none"), "--task", "quality-bert-stages", *arguments]
    assert train_models.main(given) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
