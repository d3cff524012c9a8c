"""Varieties of a language: by characters that only one uses, and what is wrong with settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.base.settings import ConfigError
from udfs.lists.lexicon import LexiconError
from udfs.scorers.declaration import KnownFile
from udfs.scorers.variety import (
    OTHER,
    VARIETY,
    SpecificWords,
    VarietyLimits,
    VarietySettings,
    read_specific_words,
    score_varieties,
)

ROOT = Path(__file__).parents[3]
BUNDLED = ROOT / "conf" / "artifacts" / "variety_words" / "variety_words.tsv"

CANTONESE = """琴日落咗成日雨，我哋喺茶餐廳坐咗兩個鐘頭先走得。
佢話聽日唔使返工，想去長洲食海鮮，你哋去唔去呀？
嗰間鋪頭嘅老闆好好人，次次都送啲嘢畀我。"""
SIMPLIFIED_CANTONESE = "佢哋话呢度啲嘢好食，不过我哋喺门口等咗好耐都未有位，所以冇食到。"
MANDARIN = """昨天下了一整天的雨，我們在茶餐廳坐了兩個小時才走。
他說明天不用上班，想去長洲吃海鮮，你們去不去？
那間店的老闆人很好，每次都送些東西給我。"""


@pytest.fixture(scope="module")
def words() -> SpecificWords:
    return read_specific_words(BUNDLED)


def test_cantonese_is_told_from_mandarin_in_either_script(words: SpecificWords) -> None:
    texts = [CANTONESE, SIMPLIFIED_CANTONESE, MANDARIN]
    records = score_varieties(texts, words, ["yue_Hani"])
    assert [record["label"] for record in records] == ["yue_Hani", "yue_Hani", OTHER]
    assert records[2] == {"label": OTHER, "words": 0, "word_share": 0.0}
    assert records[0]["word_share"] > 0.1


def test_a_mandarin_text_that_quotes_cantonese_stays_below_the_share(words: SpecificWords) -> None:
    quoting = MANDARIN * 5 + "店裡的人用粵語說「唔該」。"
    (record,) = score_varieties([quoting], words, ["yue_Hani"])
    assert record["label"] == OTHER and record["words"] == 1


def test_the_share_is_of_han_characters(words: SpecificWords) -> None:
    (record,) = score_varieties(["OK lah, see you 聽日喺 Central 食嘢 12:30!"], words, ["yue_Hani"])
    assert record == {"label": "yue_Hani", "words": 2, "word_share": 2 / 5}


def test_texts_without_han_characters_are_other(words: SpecificWords) -> None:
    for text in ("", " \n", "No Chinese here."):
        (record,) = score_varieties([text], words, ["yue_Hani"], min_word_share=0.0)
        assert record == {"label": OTHER, "words": 0, "word_share": 0.0}


def test_of_several_varieties_the_likelier_is_taken() -> None:
    words = SpecificWords({"嘅": "yue_Hani", "冇": "yue_Hani", "侬": "wuu_Hani", "伊": "wuu_Hani"})
    records = score_varieties(["侬搭伊嘅", "冇嘅侬", "侬嘅"], words, ["yue_Hani", "wuu_Hani"])
    assert [record["label"] for record in records] == ["wuu_Hani", "yue_Hani", "yue_Hani"]


def check(settings: VarietySettings, *varieties: str, path: Path = BUNDLED) -> None:
    files = {"artifact": KnownFile("variety_words@1", {}, path)}
    VARIETY.check(settings, VarietyLimits(varieties), files)


def test_settings_that_fit_are_accepted() -> None:
    check(VarietySettings(), "yue_Hani", OTHER)


@pytest.mark.parametrize(
    ("settings", "varieties", "said"),
    [
        (VarietySettings(wanted=()), (), r"variety\.wanted = \[\]"),
        (VarietySettings(wanted=("nan_Hani",)), (), "no word of 'nan_Hani'; it has words of"),
        (VarietySettings(), ("yue",), r"select\.varieties = \['yue'\]: .* known: yue_Hani, other"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    settings: VarietySettings, varieties: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check(settings, *varieties)


@pytest.mark.parametrize("content", ["yue_Hani\t佢哋\n", "yue_Hani\n\t嘅\n"])
def test_a_broken_list_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=r"words\.tsv"):
        read_specific_words(path)
    with pytest.raises(ConfigError, match=r"variety\.artifact: .*words\.tsv"):
        check(VarietySettings(), path=path)
