"""Rounds of the domain model on crawl texts: who agrees on what, and when rounds end."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import train_models
from jobs.training.common.examples import Document
from jobs.training.domain import crawl_rounds
from jobs.training.domain.crawl_rounds import (
    AGREED,
    UNLABELLED,
    CrawlRecipe,
    agreed_texts,
    fit_in_rounds,
    held_back_f1,
    with_agreed_labels,
)
from jobs.training.domain.fit import row_weights
from jobs.training.domain.keywords import rule_labels
from tests.jobs.test_train_models import data, small_recipes  # noqa: F401
from tests.jobs.training.test_run_sample import commit, write_table
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.domain import LABELS, score_domains

KEYWORDS = {
    **{word: {"finance": 1.0} for word in ["股票", "基金", "涨停", "券商"]},
    **{word: {"law": 1.0} for word in ["法院", "被告", "判决", "上诉"]},
    **{word: {"medicine": 1.0} for word in ["患者", "症状", "手术"]},
}
RECIPE = CrawlRecipe(
    inner_folds=2, min_lines=2, keyword_steps=3, word_steps=3, held_back=2, label_share=2
)


def text(words: str, site: str, number: int = 0) -> Document:
    return Document(f"{words} 篇{site}{number}", ("",), site, UNLABELLED)


def chances(*rows: dict[str, float]) -> np.ndarray:
    return np.array([[row.get(label, 0.01) for label in LABELS] for row in rows])


def test_rules_give_every_label_with_enough_keywords_beside_the_first() -> None:
    words = ["股票", "基金", "涨停", "券商", "法院", "被告", "判决"]
    assert rule_labels(words, KEYWORDS, "-") == ["finance", "law"]
    assert rule_labels(words[:6], KEYWORDS, "-") == ["finance"], "two keywords of law"
    assert rule_labels(words, KEYWORDS, "-", least_share=0.8) == ["finance"]
    assert rule_labels(words[1:], KEYWORDS, "-") == ["finance", "law"], "by name"
    assert rule_labels([], KEYWORDS, "-") == ["-"]


def test_texts_join_where_rules_and_a_confident_model_agree() -> None:
    texts = [
        text("股票 基金 涨停 法院 被告 判决", "a"),
        text("股票 基金 涨停", "b"),
        text("股票 基金 涨停", "c"),
        text("没有 关键词", "d"),
    ]
    table = chances(
        {"finance": 0.95, "law": 0.4, "news": 0.5}, {"law": 0.99}, {"finance": 0.92},
        {"general": 0.91},
    )  # fmt: skip
    found = agreed_texts(texts, table, KEYWORDS, RECIPE)
    assert [(d.unit, d.labels, d.kind) for d in found] == [
        ("a", ("finance", "law"), AGREED),
        ("c", ("finance",), AGREED),
        ("d", ("general",), AGREED),
    ]


def test_a_rare_label_gets_its_share_and_a_frequent_one_no_more_than_the_most() -> None:
    law = [text("法院 被告 判决", f"l{n}") for n in range(4)]
    finance = [text("股票 基金 涨停", f"f{n}") for n in range(4)]
    of_law = [{"law": p} for p in (0.5, 0.7, 0.8, 0.65)]
    of_finance = [{"finance": p} for p in (0.91, 0.97, 0.95, 0.99)]
    table = chances(*of_law, *of_finance)
    recipe = dataclasses.replace(RECIPE, most_of_label=3)
    found = agreed_texts([*law, *finance], table, KEYWORDS, recipe)
    assert [d.unit for d in found] == ["f3", "f1", "f2", "l2", "l1"]
    again = agreed_texts([*finance, *law], np.roll(table, 4, axis=0), KEYWORDS, recipe)
    assert again == found


def test_a_document_gets_the_further_label_that_rules_give_too() -> None:
    documents = [Document("法院 被告 判决", ("news",), "a", "curated") for _ in range(3)]
    documents[1] = dataclasses.replace(documents[1], line="法院 记者")
    table = chances({"law": 0.95}, {"law": 0.95}, {"law": 0.85})
    labels = [d.labels for d in with_agreed_labels(documents, table, KEYWORDS, 0.9)]
    assert labels == [("news", "law"), ("news",), ("news",)]


def test_agreed_texts_of_a_label_weigh_together_as_the_recipe_says() -> None:
    documents = [Document(f"词{n}", ("law",), "source", "curated") for n in range(4)]
    documents += [Document(f"页{n}", ("law",), f"{n}.cn", AGREED) for n in range(4)]
    weights = row_weights(documents, dataclasses.replace(RECIPE, agreed_weight=0.25))
    assert weights[4:].sum() / weights[:4].sum() == pytest.approx(0.25)


def labelled(units: int = 4) -> list[Document]:
    words = {"finance": "股票 基金 涨停", "law": "法院 被告 判决", "medicine": "患者 症状 手术"}
    return [
        Document(f"{its} 篇{label}{unit}{n}", (label,), f"{label}-{unit}", "curated")
        for label, its in words.items()
        for unit in range(units)
        for n in range(4)
    ]


def test_rounds_end_with_the_first_that_held_back_sources_do_not_gain_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures = [1.0, 1.2, 1.1, 1.9]
    told = iter(figures)
    seen: list[set[str]] = []

    def f1(*_: object) -> float:
        return next(told)

    def after(state: Any, known: Any, inside: Any, texts: Any, recipe: Any) -> Any:
        seen.append({d.unit for d in texts})
        return dataclasses.replace(state, agreed=state.agreed + 1)

    monkeypatch.setattr(crawl_rounds, "set_f1", f1)
    monkeypatch.setattr(crawl_rounds, "after_round", after)
    texts = [text("股票 基金 涨停", "finance-0"), text("法院 被告 判决", "x.cn")]
    assert held_back_f1(labelled(), texts, KEYWORDS, RECIPE) == [0.5, 0.6, 0.55]
    assert len(seen) == 2
    told = iter(figures)
    one = dataclasses.replace(RECIPE, most_rounds=1)
    assert held_back_f1(labelled(), texts, KEYWORDS, one) == [0.5, 0.6]
    told = iter(figures)
    found = fit_in_rounds([*labelled(), *texts], tmp_path / "model.ftz", RECIPE)
    assert (found["rounds"], found["agreed_texts"]) == (1, 1)


def test_a_model_learns_words_of_the_texts_that_are_agreed_on(tmp_path: Path) -> None:
    """No document has the new word, and no list: only crawl texts beside keywords of law."""
    texts = [text("法院 被告 判决 新词", f"{n}.cn", n) for n in range(12)]
    low = dataclasses.replace(
        RECIPE, confident=0.05, rare_confident=0.05, label_share=12, agreed_weight=1.0
    )
    path = tmp_path / "model.ftz"
    chosen = dataclasses.replace(low, most_rounds=1)
    patched = pytest.MonkeyPatch()
    with patched.context() as patch:
        patch.setattr(crawl_rounds, "held_back_f1", lambda *_: [0.1, 0.2])
        found = fit_in_rounds([*labelled(), *texts], path, chosen)
    assert (found["rounds"], found["agreed_texts"], found["texts"]) == (1, 12, 12)
    assert "law 12" in found["agreed_by_label"]
    before = tmp_path / "before.ftz"
    with patched.context() as patch:
        patch.setattr(crawl_rounds, "held_back_f1", lambda *_: [0.1])
        assert fit_in_rounds([*labelled(), *texts], before, chosen)["agreed_texts"] == 0
    law = LABELS.index("law")
    asked = ["新词 新词"]
    after_it, before_it = (load_fasttext(p).probabilities(asked)[0] for p in (path, before))
    assert after_it.argmax() == law
    assert after_it[law] > before_it[law]
    assert score_domains(asked, load_fasttext(path))[0]["single_label"] == "law"


@pytest.mark.usefixtures("small_recipes")
def test_one_command_fits_rounds_on_the_documents_of_a_run(
    data: Path,  # noqa: F811
    tmp_path: Path,
    capsys: Any,
) -> None:
    run = tmp_path / "run"
    rows = [
        {
            "doc_id": f"d{n:02}",
            "host": f"s{n}.cn" if n else "g0.cn",
            "url": f"http://s{n}.cn/",
            "text": f"法院判决第{n}案，被告上诉，律师辩护，诉讼驳回。",
        }
        for n in range(9)
    ]
    write_table(run, "documents", rows, 0)
    commit(run, "extract_documents", 0)
    arguments = ["--data", str(data), "--task", "domain", "--crawl", str(run)]
    for name in ("first", "second"):
        out = ["--output", str(tmp_path / name)]
        assert train_models.main([*arguments, *out, "--crawl-rounds", "1"]) == 0
    first, second = (tmp_path / name / "domain" for name in ("first", "second"))
    for name in ("domain.ftz", "metrics.json", "CARD.md"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    metrics = json.loads((first / "metrics.json").read_text(encoding="utf-8"))
    recipe = metrics["recipe"]
    assert recipe["texts"] == 8, "a site that is judged gives no text"
    assert len(recipe["held_back_f1"]) == 2
    assert metrics["command"].endswith("--task domain --crawl OUTPUT --crawl-rounds 1")
    printed = capsys.readouterr().out
    assert f"after 1 rounds: {recipe['held_back_f1'][1]}" in printed
    assert f"{recipe['agreed_texts']} of 8 texts" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--crawl-rounds", "2"], "--crawl-rounds needs --crawl"),
        (["--crawl", "out", "--crawl-texts", "0"], "--crawl-texts 0: expected 1 or more"),
        (["--task", "quality", "--crawl", "out"], "--crawl is for the task domain"),
    ],
)
def test_an_option_of_rounds_that_cannot_be_used_is_refused(
    tmp_path: Path, options: list[str], message: str, capsys: Any
) -> None:
    task = [] if "--task" in options else ["--task", "domain"]
    with pytest.raises(SystemExit):
        train_models.main(["--data", str(tmp_path), "--output", str(tmp_path), *task, *options])
    assert message in capsys.readouterr().err
