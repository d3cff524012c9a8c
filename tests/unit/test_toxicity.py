"""Toxicity: the worst span of a text, what the score is made of, and what is not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.models import train_model
from udfs.fasttext_model import FastTextModel, load_fasttext
from udfs.token_lines import Reading, read_tokens
from udfs.tokens import Tokens
from udfs.toxicity import ToxicityRules, score_toxicity

CLEAN = "研究人员发布历史研究报告。"
RUDE = "赌场开户送彩金，赌场注册开户。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FastTextModel:
    path = tmp_path_factory.mktemp("toxicity") / "model.bin"
    lessons = {"benign": "研究 人员 发布 历史 报告", "toxic": "赌场 开户 彩金 注册"}
    return load_fasttext(train_model(path, lessons))


def tokens_of(*texts: str, **options: Any) -> Tokens:
    return read_tokens(texts, [Reading(**options)])[0]


def test_one_rude_comment_under_a_long_article_is_seen_and_located(model: FastTextModel) -> None:
    text = CLEAN * 60 + RUDE + CLEAN * 60
    windows = ToxicityRules(0.9, window_tokens=6, aggregate="max")
    whole, worst = (
        score_toxicity(tokens_of(text), model, rules)[0]
        for rules in (ToxicityRules(0.9, window_tokens=None), windows)
    )
    assert whole["label"] == 0 and whole["score"] < 0.5
    assert worst["label"] == 1 and worst["score"] == worst["worst_score"] > 0.9
    assert worst["mean_score"] == whole["score"] == whole["mean_score"] == whole["worst_score"]
    start = worst["worst_start"]
    assert "赌场" in text[start : start + worst["worst_length"]]
    assert worst["worst_length"] < 2 * len(RUDE)
    assert text[whole["worst_start"] :][: whole["worst_length"]] == text.rstrip("。")


def test_a_text_without_tokens_has_no_worst_span(model: FastTextModel) -> None:
    nothing = {
        "label": 0, "score": 0.0, "worst_start": None, "worst_length": None, "worst_score": None,
        "mean_score": 0.0,
    }  # fmt: skip
    for aggregate in ("max", "mean", "top_k"):
        rules = ToxicityRules(aggregate=aggregate)
        records = score_toxicity(tokens_of("", RUDE, "的", ""), model, rules)
        assert [records[at] for at in (0, 2, 3)] == [nothing] * 3
        assert records[1]["label"] == 1
    assert score_toxicity(tokens_of(), model) == []
    assert score_toxicity(tokens_of(""), model) == [nothing]


def test_formulas_are_not_read_where_they_are_exempt(model: FastTextModel) -> None:
    text = CLEAN + "赌场 1234567 + 7654321"
    read, exempt = (
        score_toxicity(tokens_of(text, exempt_formulas=is_exempt), model)[0]
        for is_exempt in (False, True)
    )
    (clean,) = score_toxicity(tokens_of(CLEAN), model)
    assert read["score"] > exempt["score"] == clean["score"]
    assert exempt["worst_length"] == len(CLEAN) - 1


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([CLEAN, RUDE, "的"]), max_size=8).map("".join), max_size=4),
    st.none() | st.integers(1, 20),
    st.sampled_from(["max", "mean", "top_k"]),
    st.integers(1, 4),
)
def test_records_beside_plain_python(
    model: FastTextModel, texts: list[str], size: int | None, aggregate: Any, top_k: int
) -> None:
    """Every window is scored as a line of its own."""
    rules = ToxicityRules(0.5, "toxic", size, aggregate, top_k)
    records = score_toxicity(tokens_of(*texts), model, rules)
    column = model.column("toxic")
    for text, record in zip(texts, records, strict=True):
        tokens = tokens_of(text)
        words = tokens.lines()[0].split()
        if not words:
            continue
        spans = [(0, len(words))]
        if size is not None and len(words) > size:
            firsts = range(0, len(words) - size, max(1, size // 2))
            spans = [(at, at + size) for at in (*firsts, len(words) - size)]
        lines = [" ".join(words[first:last]) for first, last in spans]
        scores = model.probabilities(lines)[:, column]
        whole = model.probabilities([" ".join(words)])[0, column]
        worst = int(np.argmax(np.round(scores, 12)))
        expected = {
            "max": scores.max(),
            "mean": whole,
            "top_k": np.mean(sorted(scores)[-top_k:]),
        }[aggregate]
        assert record["score"] == pytest.approx(expected, abs=1e-9)
        assert record["label"] == int(record["score"] >= 0.5)
        assert record["mean_score"] == pytest.approx(whole, abs=1e-9)
        assert record["worst_score"] == pytest.approx(scores.max(), abs=1e-9)
        first, last = spans[worst]
        if np.sum(scores > scores.max() - 1e-9) == 1:  # else rounding says which is the worst
            assert record["worst_start"] == tokens.starts[first]
            end = record["worst_start"] + record["worst_length"]
            assert end == tokens.stops[last - 1]


def test_a_text_is_scored_the_same_in_any_company(model: FastTextModel) -> None:
    texts = [CLEAN * 9, RUDE + CLEAN * 5, "", CLEAN * 3 + RUDE]
    rules = ToxicityRules(window_tokens=8, aggregate="top_k", top_k=2)
    together = score_toxicity(tokens_of(*texts), model, rules)
    assert together == [score_toxicity(tokens_of(text), model, rules)[0] for text in texts]
    assert together[::-1] == score_toxicity(tokens_of(*texts[::-1]), model, rules)


def test_windows_of_a_model_that_is_not_folded(tmp_path: Path) -> None:
    lessons = {"benign": "研究 人员 发布 历史 报告", "toxic": "赌场 开户 彩金 注册"}
    model = load_fasttext(train_model(tmp_path / "hs.bin", lessons, "hs"))
    assert type(model) is FastTextModel
    rules = ToxicityRules(window_tokens=8, aggregate="max")
    (record,) = score_toxicity(tokens_of(CLEAN * 30 + RUDE), model, rules)
    assert record["mean_score"] < 0.5 < record["score"]
