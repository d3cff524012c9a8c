"""Words and stop words against a plain count."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from udfs.base.code_points import encode_texts
from udfs.base.language import TextLanguage
from udfs.base.letters import fold_letters
from udfs.lists.lexicon import Lexicon
from udfs.measures.blank_words import count_words
from udfs.measures.measures import measure_texts

LANGUAGE = TextLanguage(
    script=("Arabic",),
    sentence_ends=".!?؟",
    function_chars="",
    tokenizer="words",
    stop_words=("متاع", "فِي", "the"),
    fold=("arabic_marks", "tatweel", "alef_forms"),
)


def is_word(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LM" or category in ("Nd", "Nl", "No")


def plain_words(text: str) -> list[str]:
    return ["".join(run) for inside, run in groupby(text, is_word) if inside]


pieces = st.sampled_from([
    "متاع", "مَتَاع", "متـــاع", "في", "THE", "the", "برشا", "3lech", "٣", " ", "\n", "،", "-", "é",
    "中", "\u0301",
])  # fmt: skip


@given(st.lists(st.lists(pieces, max_size=12).map("".join), max_size=4))
def test_words_and_stop_words_are_those_of_a_plain_count(texts: list[str]) -> None:
    found = count_words(encode_texts(texts), LANGUAGE)
    stops = {fold_letters(word, LANGUAGE.fold) for word in LANGUAGE.stop_words}
    for number, text in enumerate(texts):
        words = plain_words(text)
        assert found.words[number] == len(words)
        assert found.word_chars[number] == sum(map(len, words))
        expected = sum(fold_letters(word, LANGUAGE.fold) in stops for word in words)
        assert found.stop_words[number] == expected


def test_measures_ask_the_language() -> None:
    text = "السوق متاع الجمعة؟ برشا ناس\nok"
    row, empty = measure_texts([text, ""], Lexicon({"سوق": "x"}), LANGUAGE).to_pylist()
    arabic = sum("\u0600" <= char <= "\u06ff" and char != "؟" for char in text)
    assert row["script_share"] == arabic / len(text) and row["han_share"] == 0.0
    assert row["words"] == 6 and row["stop_word_share"] == 1 / 6
    assert row["mean_word_chars"] == sum(map(len, plain_words(text))) / 6
    assert row["sentence_end_line_share"] == 0.0 and row["function_char_share"] == 0.0
    assert (empty["words"], empty["stop_word_share"], empty["script_share"]) == (0, 0.0, 0.0)
    ended = measure_texts(["ناس؟\nok", "ناس\nok"], Lexicon({"سوق": "x"}), LANGUAGE).to_pylist()
    assert [one["sentence_end_line_share"] for one in ended] == [0.5, 0.0]
