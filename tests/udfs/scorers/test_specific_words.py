"""Lists of specific words: how words are folded and found, names, and what a list may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.lists.lexicon import LexiconError
from udfs.scorers.specific_words import (
    SpecificWords,
    fold_word,
    read_specific_words,
    script_of,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("بَـرْشَا", "برشا"),
        ("برشاااااا", "برشا"),
        ("أسئلة", "اسيله"),
        ("على", "علي"),
        ("ﺑﺮﺷﺎ", "برشا"),
        ("ﻻ", "لا"),
        ("گ", "ڨ"),
        ("BARCHAAA", "barcha"),
        ("Été", "été"),
    ],
)
def test_words_are_folded(written: str, folded: str) -> None:
    assert fold_word(written) == folded == fold_word(folded)


def test_words_of_a_text_are_found_by_script() -> None:
    words = SpecificWords({"برشا": "aeb_Arab", "تونس": "name", "tunis": "name"})
    text = "برشة ناس في تونس وتونس، barcha 3lech 2024 @you #tag https://a.tn/b Tunis 中文"
    assert words.words_of(text) == {"Arab": ["برشه", "ناس", "في"], "Latn": ["barcha", "3lech"]}
    assert words.words == {"aeb_Arab": frozenset({"برشا"})}
    assert words.is_name("بتونس") and not words.is_name("تونسي")


def test_a_varietys_name_ends_with_its_script() -> None:
    assert [script_of(name) for name in ("yue_Hani", "aeb_Latn", "aeb", "Hani", "rus_Cyrl")] == [
        *("Hani", "Latn", None, None, None)
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("aeb\tبرشا\n", "'aeb': expected name, or a variety that ends with _Hani, _Arab, _Latn"),
        ("aeb_Arab\tbarcha\n", "'barcha': expected one word of the script of aeb_Arab"),
        ("aeb_Latn\tbar cha\n", "'bar cha': expected one word"),
        ("yue_Hani\t佢哋\n", "'佢哋': expected one word"),
    ],
)
def test_a_broken_list_is_named(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=rf"words\.tsv: {said}"):
        read_specific_words(path)
