"""Kinds of characters: every code point has the right one."""

from __future__ import annotations

import unicodedata

import pytest

from tests.udfs.measures.plain_measures import is_han, is_word, plain_kind
from udfs.base.characters import EMOJI_RANGES, Kind, kind_table, lowered_characters
from udfs.base.chinese_script import traditional_characters
from udfs.base.language import SENTENCE_ENDS

EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


@pytest.fixture(scope="module")
def kinds() -> dict[str, Kind]:
    found = kind_table().tolist()
    return {char: Kind(found[ord(char)]) for char in EVERY}


def test_every_code_point_has_its_kind(kinds: dict[str, Kind]) -> None:
    """The table is built from parts of the code space: nothing may be missing in the rest."""
    names = {
        Kind.DIGIT: "digit",
        Kind.PUNCTUATION: "punctuation",
        Kind.SENTENCE_END: "punctuation",
        Kind.SYMBOL: "symbol",
        Kind.EMOJI: "emoji",
        Kind.PRIVATE_USE: "private use",
        Kind.CONTROL: "control",
    }
    wrong = [c for c in EVERY if names.get(kinds[c], "none of these") != plain_kind(c)]
    assert wrong == []


def test_words_and_blanks(kinds: dict[str, Kind]) -> None:
    words = {c for c in EVERY if Kind.HAN <= kinds[c] <= Kind.LETTER}
    emoji = {chr(code) for first, last in EMOJI_RANGES for code in range(first, last + 1)}
    assert words ^ {c for c in EVERY if is_word(c)} <= emoji
    blanks = {c for c in EVERY if unicodedata.category(c)[0] == "Z"}
    assert {c for c in EVERY if kinds[c] == Kind.SPACE} == {*blanks, "\t", "\r"}
    assert {c for c in EVERY if kinds[c] == Kind.NEWLINE} == {"\n"}
    assert {c for c in EVERY if kinds[c] == Kind.SENTENCE_END} == set(SENTENCE_ENDS)


def test_han_is_the_whole_script(kinds: dict[str, Kind]) -> None:
    """Every ideograph that Python knows by name; kana, Hangul and bopomofo are others."""
    han = {c for c in EVERY if Kind.HAN <= kinds[c] <= Kind.HAN_REST_TRADITIONAL}
    assert han == {c for c in EVERY if is_han(c)}
    assert not han.intersection("あア한ㄅ、。〜〒㈱")


def test_emoji(kinds: dict[str, Kind]) -> None:
    """One of each block, and one that has a text form, which is a symbol."""
    assert {kinds[c] for c in "⌚⏩☔♈⚡⚽✅❓➕⭐🀄🃏🆎🈚🌀🙏🚀🛐🟠🤌🧿🩰🫶🇨"} == {Kind.EMOJI}
    assert {kinds[c] for c in "©®☀❤✈→★♥"} == {Kind.SYMBOL}
    assert kinds["\ufe0f"] == Kind.EMOJI_SELECTOR


def test_traditional_characters() -> None:
    assert set("灣體國學為說們").issubset(traditional_characters())
    simplified_too = "湾体国学为说们后干里面台只谷乾於覆藉著「"
    assert not traditional_characters().intersection(simplified_too)


def test_case_ends_where_the_table_of_lower_case_does() -> None:
    lowered = lowered_characters()
    other = {char for char in EVERY if chr(lowered[ord(char)]) != char.lower()}
    assert other == {"İ"}
