"""The model of kinds of harm: what it learns, and which figures it has."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.training.common.examples import Document
from jobs.training.toxicity.kinds import (
    LABELS,
    OTHER_LINES,
    KindsRecipe,
    fit_kinds,
    kinds_answers,
    kinds_figures,
)
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers.toxic_kinds import KINDS

WORDS = {
    "insult": "傻瓜 滚开 蠢货",
    "gambling": "赌场 彩金 下注",
    "pornography": "福利 私密 约会",
    "fraud": "刷单 贷款 返利",
    "black_market": "发票 刷粉 办证",
}
SHARED = [f"词{number}" for number in range(60)]


def documents(kinds: Sequence[str] = KINDS) -> list[Document]:
    rng = random.Random(1)
    return [
        Document(
            " ".join([*rng.sample(SHARED, 9), *rng.sample(WORDS[kind].split(), 2)]),
            (kind,), f"made: {number}", "made" if number % 2 else OTHER_LINES,
            note="" if number % 2 else "sixteen",
        )
        for number, kind in enumerate(kinds * 16)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FastTextModel:
    path = tmp_path_factory.mktemp("kinds") / "kinds.ftz"
    found = fit_kinds(documents(), path, KindsRecipe())
    assert found["documents_fraud"] == 16 and found["grams"] > 60
    fit_kinds(documents(), path.with_name("again.ftz"), KindsRecipe())
    assert path.read_bytes() == path.with_name("again.ftz").read_bytes()
    return load_fasttext(path)


def test_each_kind_is_known_by_its_words(model: FastTextModel) -> None:
    assert tuple(model.labels) == LABELS == tuple(sorted(KINDS))
    for kind, words in WORDS.items():
        row = model.probabilities([f"{words} 词1 词2"])[0]
        assert model.labels[int(row.argmax())] == kind


def test_figures_are_by_where_documents_come_from(model: FastTextModel) -> None:
    asked = documents()
    figures = kinds_figures(asked, model, kinds_answers(model, {}, asked))
    assert figures.keys() == {
        "made messages of template families never seen",
        "lines of sixteen, never trained on",
    }
    for table in figures.values():
        assert table["rows"] == 40 and table["main_accuracy"] > 0.9
        assert table["labels"].keys() == set(LABELS)


def test_a_kind_without_documents_is_never_given(tmp_path: Path) -> None:
    few = documents(("insult", "fraud"))
    fit_kinds(few, tmp_path / "few.ftz", KindsRecipe())
    found = load_fasttext(tmp_path / "few.ftz")
    columns = kinds_answers(found, {}, few).argmax(axis=1)
    assert {found.labels[column] for column in columns} == {"insult", "fraud"}
