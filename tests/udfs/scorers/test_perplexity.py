"""Perplexity of texts beside plain arithmetic, and the bundled models' verdict on texts."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.toxicity.char_lm_estimate import estimate
from jobs.training.toxicity.perplexity_fit import pieces
from tests.jobs.training.test_char_lm_estimate import lines_of
from tests.udfs.models.plain_char_lm import PlainBackoff
from udfs.files.artifacts import ArtifactFile
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_file import load_language_model
from udfs.scorers import perplexity
from udfs.scorers.scoring import score_texts

BUNDLED = Path(__file__).resolve().parents[3] / "conf" / "artifacts" / "perplexity"
LINES = lines_of(21), lines_of(22)
NGRAMS = [estimate(lines, 3, [1, 1, 1]) for lines in LINES]
HARMFUL, PLAIN = (CharLanguageModel(ngrams) for ngrams in NGRAMS)
PLAIN_HARMFUL, PLAIN_PLAIN = (PlainBackoff(ngrams) for ngrams in NGRAMS)
TEXTS = st.lists(
    st.sampled_from([*LINES[0][:40], *LINES[1][:40], "，", "\n", " ", "　 ", "|", "囧"]),
    max_size=12,
).map("".join)

SPAM = (
    "澳门金沙娱乐城_真人百家乐注册送彩金_皇冠现金网开户\n六合彩特码资料，时时彩投注平台，老虎机送彩金"
    * 3
)
ARTICLE = "昨天下午，市教育局的工作人员来到学校，向老师们介绍了新学期的课程安排。\n" * 6


def pieces_of(text: str) -> list[str]:
    return [
        cut
        for piece in re.split("[" + re.escape(perplexity.BREAKS) + "]", text)
        if (cut := re.sub(r"\s", "", piece))
    ]


@settings(deadline=None)
@given(TEXTS)
def test_a_perplexity_is_that_of_the_pieces_and_their_ends(text: str) -> None:
    found = perplexity.perplexities([text], HARMFUL)[0]
    cut = pieces_of(text) or [""]
    exponent = -sum(map(PLAIN_HARMFUL.line, cut)) / sum(len(piece) + 1 for piece in cut)
    assert math.log10(found) == pytest.approx(exponent, abs=1e-4)


@settings(deadline=None)
@given(TEXTS)
def test_a_relative_perplexity_counts_what_is_likelier_in_harmful_text(text: str) -> None:
    found = perplexity.perplexities([text], HARMFUL, PLAIN)[0]
    gains, sizes = [], []
    for piece in pieces_of(text):
        ratio = 10 ** (PLAIN_HARMFUL.line(piece) - PLAIN_PLAIN.line(piece))
        gains.append(max(0.0, math.log10(0.9 + 0.1 * ratio)))
        sizes.append(len(piece) + 1)
    exponent = sum(gains) / sum(sizes) + 0.2 * sum(gains[:3]) / sum(sizes[:3]) if gains else 0.0
    assert -math.log10(found) == pytest.approx(exponent, abs=1e-3)
    assert 0 < found <= 1


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=6))
def test_texts_are_scored_each_on_its_own(texts: list[str]) -> None:
    for plain in (None, PLAIN):
        found = perplexity.perplexities(texts, HARMFUL, plain).tolist()
        alone = [perplexity.perplexities([text], HARMFUL, plain)[0] for text in texts]
        assert found == pytest.approx(alone, rel=1e-12)


def test_training_and_scoring_cut_texts_alike() -> None:
    text = "第一行　标题 - 网站\n，，甲乙丙|ＡＢＣ！\r\n \n丁:戊"
    assert (
        pieces(text)
        == ["第一行标题", "网站", "甲乙丙", "abc", "丁", "戊"]
        == [piece.replace("ＡＢＣ", "abc") for piece in pieces_of(text)]
    )


def test_a_text_is_looked_at_up_to_a_length() -> None:
    text = LINES[0][0] * 10 + "\n" + LINES[1][0] * 10
    cut = perplexity.perplexities([text], HARMFUL, None, len(LINES[0][0]))
    assert cut.tolist() == perplexity.perplexities([LINES[0][0]], HARMFUL).tolist()
    whole = perplexity.perplexities([text], HARMFUL, None, None)
    assert whole.tolist() != cut.tolist()


@pytest.fixture
def bundled(monkeypatch: pytest.MonkeyPatch) -> tuple[ArtifactFile, ArtifactFile]:
    monkeypatch.setattr(ArtifactFile, "local_path", lambda file: BUNDLED / file.file_name)
    harmful, plain = (ArtifactFile(name, "1", f"{name}.ng", "") for name in ("harmful", "plain"))
    return harmful, plain


def test_gambling_is_flagged_and_an_article_is_not(
    bundled: tuple[ArtifactFile, ArtifactFile],
) -> None:
    scorer = perplexity.perplexity_scorer(*bundled)
    frame = score_texts(
        pd.Series([SPAM, ARTICLE, None, ""]),
        [scorer],
        [load_language_model(BUNDLED / "harmful.ng")],
    )
    spam, article, nothing, empty = frame["perplexity"]
    assert spam["flagged"] and spam["perplexity"] < 0.7
    assert not article["flagged"] and article["perplexity"] > 0.99
    assert nothing is None
    assert empty == {"perplexity": 1.0, "flagged": False}


def test_without_a_plain_model_the_limit_is_of_another_order(
    bundled: tuple[ArtifactFile, ArtifactFile],
) -> None:
    scorer = perplexity.perplexity_scorer(bundled[0], max_perplexity=200.0)
    spam, article = scorer.score([SPAM, ARTICLE], load_language_model(BUNDLED / "harmful.ng"))
    assert 1 < spam["perplexity"] < 200 < article["perplexity"]
    assert spam["flagged"] and not article["flagged"]


def test_the_default_limit_is_the_one_that_training_found() -> None:
    metrics: dict[str, Any] = json.loads((BUNDLED / "metrics.json").read_text("utf-8"))
    found = metrics["recipe"]["max_perplexity"], metrics["recipe"]["max_chars"]
    settings = perplexity.PerplexitySettings()
    assert (settings.max_perplexity, settings.max_chars) == found
    assert found == (perplexity.MAX_PERPLEXITY, perplexity.MAX_CHARS)
    for name, rows in metrics["figures"].items():
        if "clean ones" in name or "clean pages of the crawl alone" in name:
            assert rows["precision_at_recall_0.9"] >= 0.9
