"""The head that sees pages whole: its fits, its file; a run says what training measured."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
pytest.importorskip("transformers", reason='not installed: pip install "taojin[bert]"')

from jobs.training.common.examples import Document  # noqa: E402
from jobs.training.encoder import segment_means  # noqa: E402
from jobs.training.encoder.page_fit import (  # noqa: E402
    STUDENT_FILE,
    PageRecipe,
    fit_kernel,
    fit_stack,
)
from jobs.training.encoder.page_task import (  # noqa: E402
    MARGIN,
    PAGES,
    PageModel,
    fit_page,
    margin_interval,
    page_answers,
    page_figures,
)
from jobs.training.quality.fit import QualityRecipe, fit_quality  # noqa: E402
from tests.builders.encoders import CHARS, save_encoder  # noqa: E402
from udfs.encoder.encoder_file import read_encoder_header  # noqa: E402
from udfs.encoder.page_head import kernel, places_among, read_page_head  # noqa: E402
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, score_documents  # noqa: E402
from udfs.scorers import quality  # noqa: E402
from udfs.tokens.segment import MAX_CHARS  # noqa: E402
from udfs.tokens.tokenizer import token_lines  # noqa: E402
from udfs.tokens.tokens import tokens_of_lines  # noqa: E402

pytestmark = pytest.mark.bert

PLAIN = QualityBertSettings(device="cpu", dtype="float32")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Several threads on a busy machine wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> PageRecipe:
    """Over a small encoder of random weights."""
    start = save_encoder(tmp_path_factory.mktemp("start"))
    return PageRecipe(
        start=str(start), layers=(0, 1), max_tokens=300, inner_folds=2, strengths=(0.1, 0.2)
    )


def made_text(rng: random.Random, is_clean: bool) -> str:
    """Sentences of the first characters are clean; menus of the last ones junk."""
    if is_clean:
        lines = ["".join(rng.choices(CHARS[:28], k=45)) + "，" for _ in range(rng.randint(2, 12))]
        return "。\n".join(lines)
    return "\n".join("".join(rng.choices(CHARS[20:], k=4)) for _ in range(rng.randint(40, 160)))


def made_documents(count: int = 48) -> list[Document]:
    rng = random.Random(1)
    texts = [made_text(rng, number % 2 == 0) for number in range(count)]
    lines = token_lines([text[:MAX_CHARS] for text in texts], [quality.bundled_tokenizer()])[0]
    return [
        Document(
            line,
            (quality.CLEAN if number % 2 == 0 else quality.DIRTY,),
            f"site{number // 4}",
            "read" if number % 3 else "picked",
            text=text,
        )
        for number, (text, line) in enumerate(zip(texts, lines, strict=True))
    ]


@dataclasses.dataclass(frozen=True)
class Fitted:
    documents: list[Document]
    path: Path
    found: dict[str, Any]


@pytest.fixture(scope="module")
def fitted(recipe: PageRecipe, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    path = tmp_path_factory.mktemp("fitted") / "encoder.safetensors"
    documents = made_documents()
    return Fitted(documents, path, fit_page(documents, path, recipe))


def gradient_of(
    near: Any, truth: Any, weights: Any, strength: float, alphas: Any, bias: float
) -> tuple[Any, float]:
    """Of the loss that `fit_kernel` minimises, written down once more."""
    chance = 1 / (1 + np.exp(-(near @ alphas + bias)))
    wrong = strength * weights * (chance - truth)
    return near @ (alphas + wrong), float(wrong.sum())


def test_the_fit_in_a_kernels_space_is_an_optimum() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(60, 5))
    truth = rows[:, 0] + 0.5 * rng.normal(size=60) > 0
    weights = rng.random(60) + 0.5
    near = kernel(rows, rows, 1.0)
    for strength in (0.1, 3.0, 100.0):
        alphas, bias = fit_kernel(near, truth, weights, strength)
        of_alphas, of_bias = gradient_of(near, truth, weights, strength, alphas, bias)
        assert np.abs(of_alphas).max() < 1e-4 * strength
        assert abs(of_bias) < 1e-4 * strength
        assert np.abs(alphas).max() > 1e-3


def test_a_stack_is_an_optimum_and_weighs_what_tells_more() -> None:
    rng = np.random.default_rng(4)
    truth = rng.random(500) < 0.3
    said = np.stack(
        [2.0 * truth + rng.normal(size=500), 0.5 * truth + rng.normal(size=500)], axis=1
    )
    joint = fit_stack(said, truth, np.ones(500))
    chance = 1 / (1 + np.exp(-(said @ joint[:2] + joint[2])))
    assert chance.mean() == pytest.approx(truth.mean(), abs=1e-6)
    assert joint[0] > joint[1] > 0


def test_a_kernel_is_that_of_its_definition() -> None:
    one, other = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[0.0, 0.0], [3.0, 4.0]])
    expected = [[1.0, np.exp(-25 / 16)], [np.exp(-5 / 16), np.exp(-8 / 16)]]
    assert kernel(one, other, 2.0) == pytest.approx(np.array(expected))


def test_places_are_shares_of_steps() -> None:
    steps = np.array([[1.0, 2.0, 2.0, 4.0]], np.float32)
    places = places_among(steps, np.array([[0.0], [1.0], [2.0], [3.0], [9.0]]))
    assert places[:, 0] / np.sqrt(12) == pytest.approx([-0.5, -0.375, 0.0, 0.25, 0.5])


def test_a_run_says_what_training_measured(fitted: Fitted, recipe: PageRecipe) -> None:
    """The scorer computes in batches, training took each segment by itself, in float16."""
    model = PageModel(fitted.path)
    answers = page_answers(model, fitted.found, fitted.documents, recipe=recipe)
    texts = [d.text for d in fitted.documents]
    records = score_documents(texts, DocumentScorer(fitted.path, PLAIN))
    scores = [record["score"] for record in records]
    assert scores == pytest.approx(answers[:, 0].tolist(), abs=2e-3)
    assert min(scores[::2]) > max(scores[1::2])
    assert read_encoder_header(fitted.path).settings.head == "page"
    for text, record in zip(texts, records, strict=True):
        place = 0
        for segment in record["segments"]:
            assert segment["offset"] == place
            place += segment["length"]
            assert 0 <= segment["score"] <= 1
        assert place == len(text)
        if len(record["segments"]) == 1:
            assert record["segments"][0]["score"] == pytest.approx(record["score"])
    assert any(len(record["segments"]) > 1 for record in records)


def test_scores_do_not_follow_from_the_batch(fitted: Fitted) -> None:
    texts = ["", *(d.text for d in fitted.documents[:9]), " \n"]
    scorer = DocumentScorer(fitted.path, dataclasses.replace(PLAIN, batch_tokens=700))
    together = score_documents(texts, scorer)
    apart = [record for text in texts for record in score_documents([text], scorer)]
    assert together[0]["score"] is together[-1]["score"] is None
    for one, other in zip(together[1:-1], apart[1:-1], strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
        own, its = ([s["score"] for s in record["segments"]] for record in (one, other))
        assert own == pytest.approx(its, abs=1e-5)
    assert score_documents([], scorer) == []


def test_the_words_of_the_head_are_the_students(
    fitted: Fitted, recipe: PageRecipe, tmp_path: Path
) -> None:
    student = fitted.path.with_name(STUDENT_FILE)
    plain = QualityRecipe(inner_folds=2, strengths=(0.1, 0.2))
    found = fit_quality(fitted.documents, tmp_path / "student.ftz", plain)
    assert (tmp_path / "student.ftz").read_bytes() == student.read_bytes()
    assert found["strength"] == fitted.found["strength"]
    model = PageModel(fitted.path)
    answers = page_answers(model, fitted.found, fitted.documents, recipe=recipe)
    slope, offset = found["calibration_slope"], found["calibration_offset"]
    calibrated = 1 / (1 + np.exp(-(slope * answers[:, 3] + offset)))
    assert answers[:, 2] == pytest.approx(calibrated, abs=0.02)  # its file rounds weights
    strange = tokens_of_lines(["zzzz zzzy", ""])
    bare = float(read_page_head(fitted.path).word_weights[-1])
    assert model.head.word_logits(strange).tolist() == [bare, bare]


def test_margins_are_over_the_student_of_the_same_pages(fitted: Fitted, recipe: PageRecipe) -> None:
    model = PageModel(fitted.path)
    answers = page_answers(model, fitted.found, fitted.documents, recipe=recipe)
    worse = answers.copy()
    worse[:, 2] = np.random.default_rng(1).random(len(answers))
    figures = page_figures(fitted.documents, model, worse)
    margin = figures[MARGIN]
    assert margin["rows"] == figures[PAGES]["rows"] == len(answers)
    expected = figures[PAGES]["auc"] - margin["student_auc"]
    assert margin["margin_over_student"] == pytest.approx(expected, abs=1e-3)
    low, high = margin["margin_over_student_interval_95"]
    assert 0 < low < margin["margin_over_student"] < high
    truth = np.array([True, False] * 10)
    same = np.linspace(0, 1, 20)
    assert margin_interval(truth, same, same, [str(n // 2) for n in range(20)]) == [0.0, 0.0]


def test_what_the_encoder_made_of_segments_is_kept(
    fitted: Fitted, recipe: PageRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    segment_means.segment_means.cache_clear()
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    fit_page(fitted.documents, first, recipe, kept)
    segment_means.segment_means.cache_clear()

    def computed(*_: Any) -> None:
        raise AssertionError("a segment was computed again")

    monkeypatch.setattr(segment_means.FrozenLayers, "features", computed)
    fit_page(fitted.documents, second, recipe, kept)
    segment_means.segment_means.cache_clear()
    assert first.read_bytes() == second.read_bytes() == fitted.path.read_bytes()
    assert len(list(kept.iterdir())) == 1
