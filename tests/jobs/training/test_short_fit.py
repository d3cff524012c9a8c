"""The model of short texts: what it learns, and how many benign ones reach label 1."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.common.task import TrainingError
from jobs.training.toxicity.fit import ToxicityRecipe
from jobs.training.toxicity.short_fit import (
    SENTENCES,
    fit_short_texts,
    gram_line,
    sentences,
    short_examples,
)
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.short_texts import SHORT_CHARS, short_text_scores
from udfs.scorers.toxicity import BENIGN, TOXIC

RECIPE = ToxicityRecipe(inner_folds=2, min_lines=2, most_short_false_alarms=0.05)
PLAIN = [chr(0x5000 + number) for number in range(120)]
OFFERS = ["刷单", "日结", "彩金", "代开"]


def documents() -> list[Document]:
    rng = random.Random(3)
    made = []
    for number in range(240):
        is_toxic = number % 2 == 1
        signs = rng.sample(PLAIN, rng.randint(5, 40))
        text = "".join(signs + rng.sample(OFFERS, 2) if is_toxic else signs)
        label = (TOXIC if is_toxic else BENIGN,)
        kind, unit = ("lines", f"cold {number % 8}") if number % 3 else ("made", f"made: {number}")
        made.append(Document("词", label, unit, kind, text=text))
    essay = "。".join("".join(rng.sample(PLAIN, 12)) for _ in range(9))
    made.append(Document("词", (BENIGN,), "essays", "curated", text=essay))
    made.append(Document("词", (TOXIC,), "cold 9", "lines", text=OFFERS[0] * SHORT_CHARS))
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "short.ftz"
    found = fit_short_texts(documents(), path, RECIPE)
    assert found["short_documents"] == 240 + 3  # without the long line
    fit_short_texts(documents(), path.with_name("again.ftz"), RECIPE)
    assert path.read_bytes() == path.with_name("again.ftz").read_bytes()
    return path


def test_offers_are_toxic_in_short_and_in_longer_lines(model: Path) -> None:
    plain = "".join(PLAIN[:12])
    texts = ["刷单日结", plain + "彩金代开", plain, "".join(PLAIN), PLAIN[0]]
    scores = short_text_scores([gram_line(text) for text in texts], load_fasttext(model))
    assert scores[:2].min() > 0.5 > scores[2:].max()
    assert short_text_scores([""], load_fasttext(model)).tolist() == [0.0]


def test_hardly_any_benign_line_has_label_1(model: Path) -> None:
    asked = short_examples(documents())
    scores = short_text_scores([gram_line(d.text) for d in asked], load_fasttext(model))
    truth = np.array([d.labels[0] == TOXIC for d in asked])
    assert (scores[~truth] >= 0.99).mean() <= 0.05 < (scores[truth] >= 0.99).mean()


def test_sentences_are_those_of_edited_texts_and_held_out_with_them() -> None:
    found = list(sentences(documents()))
    assert [(d.kind, d.unit, d.labels) for d in found] == [(SENTENCES, "essays", (BENIGN,))] * 3
    assert found == list(sentences(documents()))


def test_lines_of_one_class_are_refused(tmp_path: Path) -> None:
    benign = [d for d in documents() if d.labels[0] == BENIGN]
    with pytest.raises(TrainingError, match="toxic and benign"):
        fit_short_texts(benign, tmp_path / "short.ftz", RECIPE)
