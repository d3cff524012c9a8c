"""The domain model end to end on a few documents, and the pieces that weigh them."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.common.linear_classes import class_logits
from jobs.training.domain import fit as domain_fit
from jobs.training.domain.fit import PAGES, DomainRecipe, Space, fit_domain, limited
from jobs.training.domain.keywords import KEYWORDS, read_keywords
from udfs.files.artifacts import sha256_of
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers import domain
from udfs.tokens.tokenizer import token_lines

WORDS = {
    "book": "侠客 剑法",
    "dialogue": "你好 谢谢",
    "education": "老师 课程",
    "encyclopedia": "始建 面积",
    "finance": "股票 基金",
    "general": "散步 周末",
    "law": "法院 被告",
    "math": "方程 函数",
    "medicine": "患者 症状",
    "news": "记者 报道",
    "technology": "代码 芯片",
}
RECIPE = DomainRecipe(inner_folds=2, min_lines=2, keyword_steps=5, word_steps=5)


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """Two sources a label; some documents have a second label, and some words no keyword."""
    return [
        Document(
            f"{words} 地方{place} 源{label} 篇{number}",
            (label, "news") if label == "finance" else (label,),
            f"{label}-{place}",
            "curated",
        )
        for label, words in WORDS.items()
        for place in range(2)
        for number in range(6)
    ]


def test_a_model_is_fitted_written_and_answers_as_fasttext_does(
    documents: list[Document], tmp_path: Path
) -> None:
    path = tmp_path / "model.ftz"
    found = fit_domain(documents, path, RECIPE)
    assert found["documents"] == len(documents)
    assert found["threshold"] in RECIPE.thresholds
    assert found["slope"] in RECIPE.slopes
    assert found["keywords_sha256"] == sha256_of(KEYWORDS)
    model = load_fasttext(path)
    assert model.labels == domain.LABELS
    records = domain.score_domains([*WORDS.values(), "从未见过", ""], model)
    assert [record["single_label"] for record in records[:11]] == list(WORDS)
    assert all(record["multi_label"] for record in records)
    again = tmp_path / "again.ftz"
    assert fit_domain(documents, again, RECIPE) == found
    assert again.read_bytes() == path.read_bytes()


def test_a_label_begins_at_the_probability_of_the_set(
    documents: list[Document], tmp_path: Path
) -> None:
    """A logit of the threshold is answered with MIN_PROBABILITY."""
    one = dataclasses.replace(RECIPE, thresholds=(2.0,), slopes=(0.5,))
    path = tmp_path / "model.ftz"
    fit_domain(documents, path, one)
    chosen = limited(documents, one)
    keywords = read_keywords(KEYWORDS, domain.LABELS)
    space = Space.of([d.line for d in chosen], keywords, one)
    rows = space.rows([d.line for d in chosen])
    logits = class_logits(rows, domain_fit.fit_weights(chosen, rows, space, one))
    answers = load_fasttext(path).probabilities([d.line for d in chosen])
    sure = np.abs(logits - 2.0) > 0.1  # weights are rounded to one of 256 levels
    assert sure.mean() > 0.5
    is_label = answers >= domain.MIN_PROBABILITY
    assert np.array_equal(is_label[sure], (logits >= 2.0)[sure])


def test_keywords_speak_for_their_labels_alone_and_rare_words_are_left_out() -> None:
    keywords = {"股票": {"finance": 2.0, "news": 1.0}, "§turns": {"dialogue": 3.0}}
    lines = ["股票 市场 市场", "市场 天气 §turns", "天气 天气"]
    space = Space.of(lines, keywords, dataclasses.replace(RECIPE, min_lines=2))
    assert space.words == ("天气", "市场", "§turns", "股票")
    given = {
        (word, label): space.given[row, column]
        for row, word in enumerate(space.words)
        for column, label in enumerate(domain.LABELS)
        if space.given[row, column]
    }
    rarity = np.log(3 / 2)
    assert given == {
        ("股票", "finance"): pytest.approx(RECIPE.keyword_scale * rarity * 2 / 3),
        ("股票", "news"): pytest.approx(RECIPE.keyword_scale * rarity * 1 / 3),
        ("§turns", "dialogue"): pytest.approx(RECIPE.keyword_scale * RECIPE.form_scale * 3),
    }
    rows = space.rows(["市场 从未 市场 股票", "", "从未"])
    assert class_logits(rows, np.eye(4)) == pytest.approx(
        np.array([[0, 2 / 3, 0, 1 / 3], [0, 0, 0, 0], [0, 0, 0, 0]])
    )
    assert class_logits(rows.picked(np.array([2, 0])), np.eye(4)) == pytest.approx(
        np.array([[0, 0, 0, 0], [0, 2 / 3, 0, 1 / 3]])
    )


def test_a_large_source_is_cut_and_counts_by_its_root() -> None:
    documents = [Document(f"词{n}", ("law",), "large", "curated") for n in range(12)]
    documents += [Document(f"字{n}", ("law",), "small", "curated") for n in range(4)]
    documents += [Document(f"页{n}", ("news",), f"{n}.cn", PAGES) for n in range(20)]
    documents += [Document("", ("news",), "blank.cn", PAGES)]
    recipe = dataclasses.replace(RECIPE, cell_documents=9, pages_weight=0.5)
    chosen = limited(documents, recipe)
    sizes = {unit: sum(d.unit == unit for d in chosen) for unit in ("large", "small", "blank.cn")}
    assert sizes == {"large": 9, "small": 4, "blank.cn": 0}
    assert sum(d.kind == PAGES for d in chosen) == 20
    weights = domain_fit.row_weights(chosen, recipe)
    whole = {
        unit: float(sum(w for w, d in zip(weights, chosen, strict=True) if d.unit == unit))
        for unit in ("large", "small")
    }
    assert whole["large"] / whole["small"] == pytest.approx(3 / 2)
    assert sum(whole.values()) == pytest.approx(len(chosen) / 2)
    assert weights.sum() == pytest.approx(len(chosen))


def test_the_reading_has_words_once_and_forms_behind() -> None:
    text = "第一条法律，第二条法律§articles"
    settings = pickle.loads(pickle.dumps(domain.bundled_tokenizer()))
    line, empty = token_lines([text, ""], [settings])[0]
    words = line.split(" ")
    assert words[-1] == "§articles"
    assert words.count("§articles") == words.count("法律") == 1
    assert empty == ""
