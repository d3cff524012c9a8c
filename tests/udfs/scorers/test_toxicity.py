"""Toxicity: the worst span of a text, what the score is made of, and what is not read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.toxicity.messages import grammar
from tests.builders.models import train_model
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers import perplexity, short_texts, toxic_kinds, toxicity
from udfs.scorers.scorer import Documents, with_odds
from udfs.scorers.spans import texts_and_windows
from udfs.scorers.toxicity import ToxicityRules, ToxicitySettings, raised, score_toxicity
from udfs.tokens.grams import gram_lines
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts
from udfs.tokens.tokens import Tokens

BUNDLED = Path(__file__).parents[3] / "conf" / "artifacts" / "toxicity"
CLEAN = "研究人员发布历史研究报告。"
RUDE = "赌场开户送彩金，赌场注册开户。"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FastTextModel:
    path = tmp_path_factory.mktemp("toxicity") / "model.bin"
    lessons = {"benign": "研究 人员 发布 历史 报告", "toxic": "赌场 开户 彩金 注册"}
    return load_fasttext(train_model(path, lessons))


def tokens_of(*texts: str, **options: Any) -> Tokens:
    return tokenize_texts(texts, [TokenizerSettings(**options)])[0]


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
        "label": 0, "kind": None, "score": 0.0, "worst_start": None, "worst_length": None,
        "worst_score": None, "mean_score": 0.0,
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


def test_disguised_offers_are_read_and_located_in_the_stored_text(model: FastTextModel) -> None:
    text = CLEAN * 40 + "①du场开户送彩金，赌*场注册开户。" + CLEAN * 40
    rules = ToxicityRules(window_tokens=6)
    plain, folded = (
        score_toxicity(tokens_of(text, folding=folding), model, rules)[0]
        for folding in (False, True)
    )
    assert folded["worst_score"] > plain["worst_score"]
    span = text[folded["worst_start"] :][: folded["worst_length"]]
    assert "开户" in span and ("du场" in span or "赌*场" in span)
    (clean,) = score_toxicity(tokens_of(CLEAN * 9, folding=True), model, rules)
    assert clean == score_toxicity(tokens_of(CLEAN * 9), model, rules)[0]


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
    """Every window is scored as a separate line."""
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
            assert record["worst_start"] == tokens.places.starts[first]
            end = record["worst_start"] + record["worst_length"]
            assert end == tokens.places.stops[last - 1]


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


def test_what_is_likelier_in_harmful_text_is_more_toxic(model: FastTextModel) -> None:
    before = score_toxicity(tokens_of(CLEAN, RUDE, ""), model, ToxicityRules(0.9))
    score = before[0]["score"]
    for level in (1.0, 1.3):
        assert raised(before, [level] * 3) == before
    after = raised(before, [0.95, 0.95, 0.95], weight=20.0, rules=ToxicityRules(0.9))
    odds = score / (1 - score) * 0.95**-20
    assert after[0]["score"] == pytest.approx(odds / (1 + odds))
    assert after[1]["score"] >= before[1]["score"]
    assert after[2] == before[2]  # nothing was read
    kept = {"worst_start", "worst_length", "worst_score", "mean_score"}
    assert all(
        {k: a[k] for k in kept} == {k: b[k] for k in kept}
        for a, b in zip(before, after, strict=True)
    )
    (flagged, rude, _) = raised(before, [0.5, 0.5, 1.0], weight=150.0, rules=ToxicityRules(0.9))
    assert (before[0]["label"], flagged["label"]) == (0, 1)
    assert flagged["score"] == toxicity.MOST_BY_PERPLEXITY  # and no more
    assert rude["score"] == max(before[1]["score"], toxicity.MOST_BY_PERPLEXITY)


def test_the_worst_of_many_windows_is_discounted(model: FastTextModel) -> None:
    rules = [ToxicityRules(window_tokens=6, window_discount=discount) for discount in (0.0, 0.5)]
    for text in (CLEAN * 60, CLEAN * 60 + "赌场" + CLEAN * 60, CLEAN):
        tokens = tokens_of(text)
        ((plain,), (discounted,)) = (score_toxicity(tokens, model, rule) for rule in rules)
        spans, _ = texts_and_windows(tokens.bounds, 6)
        windows = max(1, len(spans) - 1)
        logit = math.log(plain["score"] / (1 - plain["score"]))
        share = min(1.0, max(0.0, 1 - logit / math.log(99)))
        assert discounted["score"] == pytest.approx(
            with_odds(plain["score"], -0.5 * math.log(windows) * share)
        )
        assert {**discounted, "score": 0} == {**plain, "score": 0}
        assert (discounted["score"] < plain["score"]) == (windows > 1)


def test_one_rude_comment_is_not_discounted(model: FastTextModel) -> None:
    for discount in (0.0, 2.0):
        rules = ToxicityRules(window_tokens=6, window_discount=discount)
        (found,) = score_toxicity(tokens_of(CLEAN * 60 + RUDE * 3 + CLEAN * 60), model, rules)
        assert (found["label"], found["score"]) == (1, found["worst_score"])


def test_perplexity_is_found_once_for_all_scorers(
    monkeypatch: pytest.MonkeyPatch, model: FastTextModel
) -> None:
    asked: list[list[str]] = []

    def found(texts: list[str], *_: object) -> Any:
        asked.append(list(texts))
        return np.full(len(texts), 0.8)

    monkeypatch.setattr(perplexity, "perplexities", found)
    monkeypatch.setattr(perplexity, "model_of", lambda file, load: file)
    monkeypatch.setattr(toxicity, "model_of", lambda file, load: file)
    harmful, plain = object(), object()
    text = toxicity.HarmfulText(harmful, plain, 10.0)  # type: ignore[arg-type]
    documents = Documents([CLEAN, RUDE])
    records = score_toxicity(tokens_of(*documents), model)
    assert toxicity.with_perplexity(records, documents, text)[0]["score"] > records[0]["score"]
    rows = perplexity.score_perplexity(documents, harmful, plain)  # type: ignore[arg-type]
    assert [row["perplexity"] for row in rows] == [0.8, 0.8]
    assert asked == [[CLEAN, RUDE]]
    perplexity.score_perplexity(documents, harmful, plain, max_chars=5)  # type: ignore[arg-type]
    perplexity.score_perplexity([CLEAN], harmful, plain)  # type: ignore[arg-type]
    assert len(asked) == 3


def test_kinds_have_limits_and_are_left_out_where_the_label_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: FastTextModel
) -> None:
    lessons = {"gambling": "赌 场 赌场 开 户 开户", "insult": "滚 开 滚开 蠢 货 蠢货"}
    kinds: Any = train_model(tmp_path / "kinds.bin", lessons)
    monkeypatch.setattr(toxic_kinds, "model_of", lambda file, load: load(file))
    texts = Documents([CLEAN * 60 + RUDE, CLEAN, ""])
    window: dict[str, Any] = {"window_tokens": 6}

    def found(rules: ToxicityRules) -> list[tuple[int, str | None]]:
        records = score_toxicity(tokens_of(*texts), model, rules)
        finished = toxicity.finished(records, texts, None, rules, None, kinds)
        assert [{**r, "label": 0, "kind": None} for r in finished] == [
            {**r, "label": 0} for r in records
        ]
        return [(r["label"], r["kind"]) for r in finished]

    assert found(ToxicityRules(0.9, **window)) == [(1, "gambling"), (0, None), (0, None)]
    strict = ToxicityRules(0.9, min_label_scores={"gambling": 1.0}, **window)
    assert found(strict)[0] == (0, None)
    lenient = ToxicityRules(1.0, min_label_scores={"gambling": 0.5, "insult": 1.0}, **window)
    assert found(lenient)[0] == (1, "gambling")
    # Of a short text that has no tokens the whole is read.
    records = [r | {"score": 0.95} for r in score_toxicity(tokens_of(""), model)]
    (judged,) = toxicity.with_kinds(records, Documents(["蠢货"]), kinds, ToxicityRules(0.9))
    assert (judged["label"], judged["kind"]) == (1, "insult")


def test_the_defaults_are_those_of_training() -> None:
    metrics = json.loads((BUNDLED / "metrics.json").read_text(encoding="utf-8"))
    recipe, settings = metrics["recipe"], ToxicitySettings()
    assert recipe["window_discount"] == settings.window_discount
    assert recipe["harmful_weight"] == settings.harmful_weight == toxicity.HARMFUL_WEIGHT
    assert recipe["most_likelier"] == toxicity.MOST_LIKELIER
    assert recipe["most_by_perplexity"] == toxicity.MOST_BY_PERPLEXITY < settings.min_label_score
    pages = metrics["figures"]["crawl pages of sites and templates never seen"]
    assert pages["f1_from_0.5"] >= 0.8
    assert pages["false_alarms_of_label_1"] <= 0.01
    assert metrics["figures"]["lines of cold and swsr, held-out parts"]["f1_from_0.5"] >= 0.82


def test_short_texts_have_a_model_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: FastTextModel
) -> None:
    lessons = {"toxic": "刷 单 刷单 日 结 日结", "benign": "天 气 天气 散 步 散步"}
    path: Any = train_model(tmp_path / "short.bin", lessons)
    monkeypatch.setattr(short_texts, "model_of", lambda file, load: load(file))
    short = short_texts.ShortTexts(path, max_chars=20)
    texts = Documents(["刷单日结", "天气散步", CLEAN + "刷单日结" * 9, "", "12"])
    before = score_toxicity(tokens_of(*texts), model, ToxicityRules(0.9))
    after = toxicity.finished(before, texts, None, ToxicityRules(0.9), short)
    assert after[0]["score"] > 0.9 > 0.1 > after[1]["score"]
    assert [r["label"] for r in after] == [1, 0, 0, 0, 0]
    assert after[2:4] == before[2:4]  # too long, and nothing to read
    kept = {"worst_start", "worst_length", "worst_score", "mean_score"}
    assert all(a[k] == b[k] for a, b in zip(after, before, strict=True) for k in kept)
    assert [r["score"] for r in after] == [
        toxicity.finished(before[at : at + 1], Documents([text]), None, None, short)[0]["score"]
        for at, text in enumerate(texts)
    ]


def test_short_offers_are_found_beside_ordinary_lines() -> None:
    """The lines of the table in tests/bench/README.md, with the bundled models."""
    table = Path(__file__).with_name("short_lines.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines()]
    texts = Documents([text for _, text in rows])
    lines = gram_lines(texts)
    scores = short_texts.short_text_scores(lines, load_fasttext(BUNDLED / "short.ftz"))
    kinds = load_fasttext(BUNDLED.parent / "kinds" / "kinds.ftz")
    found = [kinds.labels[at] for at in kinds.probabilities(lines).argmax(axis=1).tolist()]
    harm = np.array([kind != "ordinary" for kind, _ in rows])
    assert (scores[harm] >= 0.5).sum() >= 18 and (scores[~harm] >= 0.5).sum() <= 3
    assert sum(kind == name for name, (kind, _) in zip(found, rows, strict=True)) >= 18
    without = toxicity.score_toxicity(
        tokenize_texts(texts, [toxicity.bundled_tokenizer()])[0],
        load_fasttext(BUNDLED / "toxicity.ftz"),
    )
    missed = np.array([record["score"] < 0.5 for record in without])
    assert missed[harm].sum() >= 18


def test_short_lines_of_the_table_come_from_no_template() -> None:
    table = Path(__file__).with_name("short_lines.tsv").read_text(encoding="utf-8")
    texts = {line.split("\t")[1] for line in table.splitlines()}
    assert len(texts) == 40
    assert not texts & {message.text for message in grammar.made_messages(offers=9, ordinary=9)}
