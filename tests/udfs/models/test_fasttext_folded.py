"""Folded models beside fastText itself: the same answers to any line, of every kind of model."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.scorers.test_scorers import ARTICLE, SPAM
from udfs.models import fasttext_folded as fasttext_weights
from udfs.models.fasttext_file import ModelFileError, opened_fasttext
from udfs.models.fasttext_folded import read_weights
from udfs.models.fasttext_model import FastTextModel, FoldedModel, load_fasttext
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts
from udfs.tokens.tokens import tokens_of_lines

ARTIFACTS = Path(__file__).parents[3] / "conf" / "artifacts"
WORDS = [f"词{number}" for number in range(120)] + ["word", "𠀀", "é", "v.qq"]
LABELS = ["sport", "art", "数学", "money"]
KINDS = {
    "softmax": {"loss": "softmax", "wordNgrams": 2},
    "one word": {"loss": "softmax", "wordNgrams": 1},
    "zero words": {"loss": "softmax", "wordNgrams": 0},
    "three words": {"loss": "ova", "wordNgrams": 3},
    "five words": {"loss": "softmax", "wordNgrams": 5},
    "ova": {"loss": "ova", "wordNgrams": 2},
    "ns": {"loss": "ns", "wordNgrams": 2},
    "two labels": {"loss": "softmax", "wordNgrams": 2},
    "one label": {"loss": "softmax", "wordNgrams": 2},
    "quantised": {"loss": "softmax", "wordNgrams": 2},
    "odd parts": {"loss": "softmax", "wordNgrams": 2},
    "norms apart": {"loss": "ova", "wordNgrams": 2},
    "pruned": {"loss": "softmax", "wordNgrams": 2},
    "pruned, three words": {"loss": "ova", "wordNgrams": 3},
    "quantised output": {"loss": "softmax", "wordNgrams": 2},
}
QUANTISED = {
    "quantised": {},
    "odd parts": {"dsub": 3},
    "norms apart": {"qnorm": True},
    "pruned": {"cutoff": 300, "qnorm": True},
    "pruned, three words": {"cutoff": 290},
    "pruned to words": {"cutoff": 290},
    "quantised output": {"qout": True, "dsub": 3, "qnorm": True},
}
LINES = st.lists(
    st.sampled_from([*WORDS, "unheard", "__label__sport", "__label__other", "</s>", "\ufeff"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=4),
    max_size=12,
).map(" ".join)
ODD_LINES = [
    "", " ", "unheard", "unheard unseen", "</s>", "词1 </s> 词2", "__label__sport", "词1\0词2\t词3",
    "__label__sport 词1 __label__other 词2", "词1", "词1 词1 词1", "\r", "word\r", "词1  词2 ",
]  # fmt: skip


def train(folder: Path, kind: str) -> Path:
    rng = random.Random(kind)
    labels = {"two labels": LABELS[:2], "one label": LABELS[:1]}.get(kind, LABELS)
    if kind == "quantised output":  # fastText quantises what has 256 rows and more
        labels = [f"label{number}" for number in range(300)]
    lines = []
    for number in range(900):
        label = labels[number % len(labels)]
        favoured = WORDS[number % len(labels) :: len(labels)] or WORDS
        words = rng.choices(favoured, k=rng.randrange(1, 9)) + rng.choices(WORDS, k=2)
        lines.append(f"__label__{label} {' '.join(words)}\n")
    text = folder / "lines.txt"
    text.write_text("".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(
        input=str(text), dim=10, bucket=1000, thread=1, seed=1, verbose=0,
        epoch=8, lr=0.6, minCount=1, **KINDS[kind],
    )  # fmt: skip
    if kind in QUANTISED:
        model.quantize(input=str(text), thread=1, verbose=0, **QUANTISED[kind])
    path = folder / "model.bin"
    model.save_model(str(path))
    return path


@pytest.fixture(scope="module", params=KINDS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FastTextModel, FastTextModel]:
    """A model as fastText has it, and folded."""
    path = train(tmp_path_factory.mktemp("models"), request.param)
    folded = load_fasttext(path)
    assert isinstance(folded, FoldedModel)
    return FastTextModel(fasttext.load_model(str(path))), folded


def assert_same(native: FastTextModel, folded: FastTextModel, lines: list[str]) -> None:
    """fastText's logistic function is a table: rounding may take a logit over one of its steps."""
    expected, found = native.probabilities(lines), folded.probabilities(lines)
    assert native.labels == folded.labels
    differences = np.abs(expected - found)
    assert (differences > 2e-6).sum() <= max(1, 0.001 * differences.size)
    np.testing.assert_array_less(differences, 0.0079)


def test_odd_lines(pair: tuple[FastTextModel, FastTextModel]) -> None:
    assert_same(*pair, ODD_LINES)


@settings(deadline=None, max_examples=40)
@given(lines=st.lists(LINES, max_size=6))
def test_any_lines(pair: tuple[FastTextModel, FastTextModel], lines: list[str]) -> None:
    assert_same(*pair, lines)


@settings(deadline=None, max_examples=30)
@given(line=LINES, data=st.data())
def test_a_part_is_answered_as_a_line_of_its_own(
    pair: tuple[FastTextModel, FastTextModel], line: str, data: st.DataObject
) -> None:
    native, folded = pair
    tokens = tokens_of_lines([line, "词3 词7 词1", line])
    places = [data.draw(st.sampled_from(list(tokens))) for _ in range(3)]
    spans = np.array(
        [sorted(data.draw(st.integers(text.start, text.stop)) for _ in range(2)) for text in places]
    )
    lines = tokens.part_lines(spans)
    np.testing.assert_allclose(
        folded.span_probabilities(tokens, spans), folded.probabilities(lines), atol=1e-12
    )
    np.testing.assert_allclose(
        native.span_probabilities(tokens, spans), native.probabilities(lines), atol=0
    )


def test_a_model_whose_ngrams_are_all_pruned(tmp_path: Path) -> None:
    text = tmp_path / "lines.txt"
    words = [f"词{number}" for number in range(400)]
    text.write_text(
        "".join(f"__label__{LABELS[n % 3]} {word} 词1\n" for n, word in enumerate(words)), "utf-8"
    )
    model = fasttext.train_supervised(input=str(text), dim=4, thread=1, verbose=0, epoch=9)
    model.quantize(input=str(text), cutoff=300, thread=1, verbose=0)
    path = tmp_path / "model.bin"
    model.save_model(str(path))
    content = bytearray(path.read_bytes())
    for field, value in ((7, 2), (10, 50)):  # n-grams of two words, in 50 places
        struct.pack_into("<i", content, 4 * field, value)
    path.write_bytes(content)
    assert_same(
        FastTextModel(fasttext.load_model(str(path))),
        load_fasttext(path),
        [" ".join(words[at : at + 3]) for at in range(398)],
    )


@pytest.mark.parametrize("name", ["quality", "domain", "toxicity"])
def test_the_bundled_models(name: str) -> None:
    path = ARTIFACTS / name / f"{name}.ftz"
    texts = [ARTICLE, SPAM, "", "一", *(ARTICLE[at : at + 40] for at in range(0, 300, 7))]
    (tokens,) = tokenize_texts(texts, [TokenizerSettings()])
    native, folded = FastTextModel(fasttext.load_model(str(path))), load_fasttext(path)
    assert isinstance(folded, FoldedModel)
    assert_same(native, folded, tokens.lines())
    np.testing.assert_array_equal(
        folded.probabilities(tokens), folded.probabilities(tokens.lines())
    )


def test_the_logistic_function_is_the_table_of_fasttext(tmp_path: Path) -> None:
    """Its 512 steps are up to 0.0079 from the function; ours are its steps."""
    path = train(tmp_path, "ova")
    native, folded = FastTextModel(fasttext.load_model(str(path))), load_fasttext(path)
    rng = random.Random(5)
    lines = [" ".join(rng.choices(WORDS, k=rng.randrange(1, 20))) for _ in range(2000)]
    expected, found = native.probabilities(lines), folded.probabilities(lines)
    assert len(np.unique(expected)) <= 513
    assert (np.abs(expected - found) > 1e-6).mean() < 0.001
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


@pytest.mark.parametrize(
    "options", [{"loss": "hs"}, {"minn": 1, "maxn": 2}, {"label": "#"}], ids=["hs", "subwords", "#"]
)
def test_what_is_not_folded_is_answered_by_fasttext(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    text = tmp_path / "lines.txt"
    marker = options.get("label", "__label__")
    text.write_text(f"{marker}a 一 二\n{marker}b 三 四\n" * 20, encoding="utf-8")
    model = fasttext.train_supervised(
        input=str(text), dim=4, bucket=100, wordNgrams=2, thread=1, verbose=0, **options
    )
    path = tmp_path / "model.bin"
    model.save_model(str(path))
    assert read_weights(path) is None
    loaded = load_fasttext(path)
    assert type(loaded) is FastTextModel
    (tokens,) = tokenize_texts(["一二", ""], [TokenizerSettings(min_token_chars=1)])
    np.testing.assert_array_equal(
        loaded.probabilities(tokens), loaded.probabilities(tokens.lines())
    )


def test_a_model_of_too_many_rows_is_answered_by_fasttext(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = train(tmp_path, "softmax")
    with opened_fasttext(path) as (_, layout):
        needed = 4 * layout.input.rows * len(LABELS)
    monkeypatch.setattr(fasttext_weights, "MAX_LOGIT_BYTES", needed - 1)
    assert read_weights(path) is None
    monkeypatch.setattr(fasttext_weights, "MAX_LOGIT_BYTES", needed)
    assert read_weights(path) is not None


@pytest.mark.parametrize("kind", ["softmax", "norms apart"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_a_number_that_is_none_is_an_error(tmp_path: Path, kind: str, value: float) -> None:
    path = train(tmp_path, kind)
    with opened_fasttext(path) as (_, layout):
        at = layout.output.values
    content = bytearray(path.read_bytes())
    struct.pack_into("<10f", content, at, *[value] * 10)
    path.write_bytes(content)
    if value < float("inf"):  # a large number is one, where what it is multiplied with is small
        with opened_fasttext(path) as (_, layout):
            at = (
                layout.input.values
                if layout.input.quantiser is None
                else (layout.input.quantiser.centroids)
            )
        struct.pack_into("<10f", content, at, *[value] * 10)
        path.write_bytes(content)
    with pytest.raises(ModelFileError, match="a weight is not a number"):
        load_fasttext(path)


def test_rows_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("softmax", "pruned"):
        path = train(tmp_path, kind)
        whole = read_weights(path)
        monkeypatch.setattr(fasttext_weights, "_NUMBERS_AT_ONCE", 70)
        pieces = read_weights(path)
        monkeypatch.undo()
        assert whole is not None and pieces is not None
        np.testing.assert_allclose(pieces.logits, whole.logits, rtol=1e-6)
