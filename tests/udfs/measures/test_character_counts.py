"""Counts of characters, and of sentences: what ends one, and a plain twin."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.measures.plain_measures import is_word
from udfs.base.characters import Kind, kind_table
from udfs.base.code_points import encode_texts
from udfs.base.language import FUNCTION_CHARS, SENTENCE_ENDS
from udfs.measures.character_counts import count_characters


def sentences(*texts: str) -> list[int]:
    return count_characters(encode_texts(texts)).sentences.tolist()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("。！\n……", 0),
        ("天气好", 1),
        ("天气好。", 1),
        ("天气好，风也好；真的：好", 1),
        ("天气好。风也好！真的？！好……好\n好", 6),
        ("他说：“好。”走了。", 2),
        ("第3.5版在www.a.cn上，见a.b。", 1),
        ("Fine. Really", 2),
        ("好.真好", 2),
        ("5.", 1),
        (" \u3000\t", 0),
    ],
)
def test_sentences_of_a_text(text: str, count: int) -> None:
    assert sentences(text) == [count]


def test_a_stop_at_the_end_does_not_see_the_next_text() -> None:
    assert sentences("好.", "5好", "", "a", ".5", "") == [1, 1, 0, 1, 1, 0]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text("好天5a.。”！\n，　…₂é\u0301", max_size=15), max_size=5))
def test_counts_equal_a_plain_twin(texts: list[str]) -> None:
    assert sentences(*texts) == [plain_count(text) for text in texts]


@given(st.lists(st.text("汉灣5a。\n， 😀的了", max_size=9), max_size=6))
def test_characters_are_counted_in_their_text(texts: list[str]) -> None:
    counts = count_characters(encode_texts(texts))
    assert counts.kinds.shape == (len(texts), len(Kind))
    kinds = kind_table()
    for text, row, functions in zip(texts, counts.kinds, counts.function_chars, strict=True):
        assert row.tolist() == [sum(kinds[ord(char)] == kind for char in text) for kind in Kind]
        assert functions == sum(char in FUNCTION_CHARS for char in text)


def test_only_function_characters_are_found() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert count_characters(encode_texts(["".join(every)])).function_chars == len(FUNCTION_CHARS)
    assert len(set(FUNCTION_CHARS)) == len(FUNCTION_CHARS)


def plain_count(text: str) -> int:
    """Character by character."""
    count, inside = 0, False
    for at, char in enumerate(text):
        ends = char == "\n" or char in SENTENCE_ENDS
        if ends and not (char == "." and re.match("[0-9a-zA-Z]", text[at + 1 :])):
            inside = False
        elif not inside and (is_word(char) or char == "."):
            count, inside = count + 1, True
    return count
