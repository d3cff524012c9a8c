"""The student of an encoder's scores: soft targets, and how far both agree."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.data_files import (
    CWT1,
    DOMAIN_TRAIN,
    GOLD_PAGES,
    HTML_PAGES,
    PAGES_LABELLED,
)
from jobs.training.common.data_files import PAGES_READ as READ
from jobs.training.common.examples import Document
from jobs.training.common.task import load_model
from jobs.training.quality.distillation import (
    AGREEMENT,
    SCORED,
    DistilledRecipe,
    ScoredDocument,
    ScoredText,
    agreement,
    distilled_quality,
    fit_distilled,
    rank_correlation,
)
from udfs.scorers import quality

CHARS = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
)
GOOD = ["记者", "报道", "天气", "散步", "周末", "公园", "湖边", "孩子"]
BAD = ["赌场", "彩金", "开户", "注册", "送金", "平台", "娱乐", "投注"]


def plain_ranks(values: list[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values
    ]


def test_rank_correlation_is_that_of_ranks() -> None:
    rng = random.Random(2)
    one = [rng.choice([0.1, 0.2, 0.5, rng.random()]) for _ in range(60)]
    other = [value + rng.random() for value in one]
    expected = np.corrcoef(plain_ranks(one), plain_ranks(other))[0, 1]
    assert rank_correlation(np.array(one), np.array(other)) == pytest.approx(expected)
    assert rank_correlation(np.array(one), -np.array(one)) == pytest.approx(-1.0)
    assert np.isnan(rank_correlation(np.ones(3), np.arange(3.0)))


def test_agreement_is_of_decisions_and_ranks() -> None:
    found = agreement(np.array([0.1, 0.4, 0.5, 0.9]), np.array([0.2, 0.6, 0.55, 0.8]))
    assert found == {
        "rows": 4, "positive": 2, "rank_correlation": 0.8, "auc": 0.75,
        "same_decision_share": 0.75, "mean_difference": 0.1125,
    }  # fmt: skip
    constant = agreement(np.array([0.9, 0.9]), np.array([0.1, 0.2]))
    assert (constant["auc"], constant["rank_correlation"]) == (None, None)


def line(rng: random.Random, good: int, words: int = 12) -> str:
    """A line with `good` good words of `words` in all."""
    return " ".join([*rng.choices(GOOD, k=good), *rng.choices(BAD, k=words - good)])


def pages(rng: random.Random) -> list[Document]:
    return [
        Document(line(rng, 12 if n % 2 else 0) + f" p{n}", (
            quality.CLEAN if n % 2 else quality.DIRTY,), f"site{n}", "read", text="页")
        for n in range(12)
    ]  # fmt: skip


def test_soft_targets_are_learnt_as_what_they_say(tmp_path: Path) -> None:
    """Texts half of whose words are good, which no page has, score what the teacher gave them."""
    recipe = DistilledRecipe(inner_folds=2, min_lines=2, strengths=(1.0,), taught_weight=3.0)
    probabilities = {}
    for target in (0.25, 0.75):
        rng = random.Random(3)
        scored: list[Document] = [
            ScoredDocument(line(rng, 6), (quality.CLEAN,), f"t{n}", SCORED, score=target)
            for n in range(80)
        ]
        path = tmp_path / f"{target}.ftz"
        found = fit_distilled([*pages(rng), *scored], path, recipe, teacher="t@1")
        assert (found["teacher"], found["taught_texts"]) == ("t@1", 80)
        model = load_model(path)
        asked = [line(random.Random(n), 6) for n in range(100, 140)]
        column = model.column(quality.CLEAN)
        probabilities[target] = float(model.probabilities(asked)[:, column].mean())
        ends = model.probabilities([line(rng, 12), line(rng, 0)])[:, column]
        assert ends[0] > probabilities[target] > ends[1]
    assert probabilities == pytest.approx({0.25: 0.25, 0.75: 0.75}, abs=0.12)


def test_scored_texts_are_held_out_with_the_pages_of_their_site() -> None:
    page = {"quality": 2, "kind": "blog", "toxic": 0, "domain": "general"}
    texts = ["".join(random.Random(n).choices(CHARS, k=400)) for n in range(4)]
    rows: dict[str, list[dict[str, object]]] = {
        READ: [{**page, "text": texts[0], "site": "a.cn"}],
        PAGES_LABELLED: [{**page, "text": texts[1], "site": "b.cn"}],
        HTML_PAGES: [], GOLD_PAGES: [], CWT1: [], DOMAIN_TRAIN: [],
    }  # fmt: skip
    scored = [
        ScoredText("1", "a.cn", texts[2], 0.9),  # the site of a page that was read
        ScoredText("2", "c.cn", texts[2][:300] + texts[3][:100], 0.2),  # its template
        ScoredText("3", "d.cn", texts[3][::-1], 0.1),
    ]
    task = distilled_quality(scored, "t@1")
    documents = task.documents(rows)
    assert [d.kind for d in documents] == ["read", "picked", SCORED, SCORED, SCORED]
    units = [d.unit for d in documents]
    assert units[0] == units[2] == units[3]
    assert len(set(units)) == 3
    labels = [d.labels[0] for d in documents if isinstance(d, ScoredDocument)]
    assert labels == [quality.CLEAN, quality.DIRTY, quality.DIRTY]
    assert [d.score for d in documents if isinstance(d, ScoredDocument)] == [0.9, 0.2, 0.1]


def test_figures_of_pages_are_as_without_a_teacher(tmp_path: Path) -> None:
    rng = random.Random(4)
    documents = pages(rng)
    scored = [
        dataclasses.replace(
            ScoredDocument(line(rng, n % 13), (quality.CLEAN,), f"t{n}", SCORED), score=n % 13 / 12
        )
        for n in range(40)
    ]
    recipe = DistilledRecipe(inner_folds=2, min_lines=2, strengths=(0.2,))
    task = distilled_quality([], "t@1")
    path = tmp_path / "model.ftz"
    fit_distilled([*documents, *scored], path, recipe, teacher="t@1")
    model = load_model(path)
    mixed = [*scored[:20], *documents, *scored[20:]]
    table = model.probabilities([d.line for d in mixed])
    figures = task.figures(mixed, model, table)
    assert figures[AGREEMENT]["rows"] == 40
    assert figures[AGREEMENT]["rank_correlation"] > 0.9
    alone = distilled_quality([], "t@1").figures(documents, model, table[20:32])
    assert alone | {AGREEMENT: figures[AGREEMENT]} == figures
