"""Linear models as fastText files: fastText itself answers what the weights say."""

from __future__ import annotations

from pathlib import Path

import fasttext
import numpy as np
import pytest

from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.toxicity.word_space import WordSpace
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.tokens.tokens import tokens_of_lines

WORDS = ("赌博", "新闻", "天气", "word", "</s>")
LABELS = ("benign", "toxic", "其他")
LINES = [
    "赌博",
    "新闻 天气 新闻 word",
    "词 赌博 unknown 天气",
    "unknown unheard",
    "新闻 </s> 天气",
    "",
]
RNG_SEED = 7


def weights_of(words: int, dimensions: int) -> np.ndarray:
    return np.random.default_rng(RNG_SEED).normal(size=(words, dimensions)).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("quantised", [False, True])
def test_fasttext_answers_with_the_means_of_the_rows(tmp_path: Path, quantised: bool) -> None:
    weights, output = weights_of(5, 2), np.array([[1.0, 0.0], [-1.0, 0.5], [0.0, 2.0]])
    path = tmp_path / "model.ftz"
    write_linear_model(path, WORDS, LABELS, weights, output, quantised=quantised)

    rows = WordSpace(WORDS).rows(tokens_of_lines(LINES))
    counts = np.diff(rows.bounds)
    sums = np.stack([rows.dot(column) for column in weights.T.astype(np.float64)], axis=1)
    asked = softmax(sums / counts[:, None] @ output.T)
    itself = FastTextModel(fasttext.load_model(str(path)))
    for model in (itself, load_fasttext(path)):
        assert model.labels == tuple(sorted(LABELS))
        answers = model.probabilities(LINES)[:, [model.column(label) for label in LABELS]]
        # So few numbers have levels of their own.
        assert answers == pytest.approx(asked, abs=3e-5)


def test_labels_may_be_independent(tmp_path: Path) -> None:
    path = tmp_path / "model.ftz"
    weights = np.arange(10, dtype=np.float64).reshape(5, 2) / 5
    write_linear_model(path, WORDS, LABELS[:2], weights, np.eye(2), loss="ova")
    model = FastTextModel(fasttext.load_model(str(path)))
    answers = model.probabilities(["新闻"])[0]
    mean = (weights[1] + weights[4]) / 2  # fastText reads the end of the line
    # fastText's logistic function has 512 steps.
    assert answers == pytest.approx(1 / (1 + np.exp(-mean)), abs=0.01)


def test_many_numbers_share_256_levels_and_the_commonest_has_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(RNG_SEED)
    words = [f"词{number}" for number in range(4000)]
    weights = np.where(rng.random(4000) < 0.3, 0.125, rng.normal(size=4000))[:, None]
    path = tmp_path / "model.ftz"
    write_linear_model(path, words, LABELS[:2], weights, np.array([[0.0], [1.0]]))
    answers = FastTextModel(fasttext.load_model(str(path))).probabilities(words)[:, 1]
    logits = np.log(answers / (1 - answers))
    errors = np.abs(logits - weights[:, 0])
    assert errors[weights[:, 0] == 0.125] == pytest.approx(0.0, abs=1e-3)
    assert np.sqrt((errors**2).mean()) < 0.02
    assert path.stat().st_size < 4000 * 24 + 2000


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    words = [f"词{number}" for number in range(2000)]
    paths = [tmp_path / name for name in ("a.ftz", "b.ftz")]
    for path in paths:
        write_linear_model(path, words, LABELS[:2], weights_of(2000, 1), np.array([[0.0], [1.0]]))
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("shape", [(4, 1), (6, 1), (5, 2)])
def test_shapes_that_do_not_fit_are_refused(tmp_path: Path, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="for the words"):
        write_linear_model(tmp_path / "m", WORDS, LABELS[:2], np.zeros(shape), np.ones((2, 1)))


@pytest.mark.parametrize("word", ["", "a b", "a\0", "\u3000"])
def test_a_word_that_no_line_holds_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(ValueError, match="expected no white space"):
        write_linear_model(tmp_path / "m", [word], LABELS[:2], np.zeros((1, 1)), np.ones((2, 1)))


def test_words_of_enough_lines_come_by_how_many_then_by_letters() -> None:
    assert WordSpace.of(["b a", "a b b", "c a", "d"], 2).words == ("a", "b", "</s>")
    assert WordSpace.of(["b a", "a", "c"], 1).words == ("a", "b", "c", "</s>")


def test_parts_of_texts_have_the_words_of_lines_of_their_own() -> None:
    space = WordSpace(WORDS)
    whole = tokens_of_lines(["新闻 天气 赌博 word"])
    part = space.rows(whole, np.array([[1, 3]], dtype=np.int64))
    alone = space.rows(tokens_of_lines(["天气 赌博"]))
    assert part.columns.tolist() == alone.columns.tolist() == [2, 0, 4]
