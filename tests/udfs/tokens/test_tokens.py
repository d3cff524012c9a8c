"""Tokens as arrays beside the same in plain Python: words, places, characters, what is left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.tokens.plain_segment import segment
from udfs.tokens.tokenizer import TokenizerSettings, token_lines, tokenize_texts
from udfs.tokens.tokens import Tokens, drop_repeated, tokens_of_lines

MIXED_TEXT = st.text(
    st.one_of(
        st.sampled_from("aC1+#&._%-@中国人民的我们 \r\n\t\0\u3000\x1c\u2003\x85"),
        st.characters(),  # lone surrogates too
    ),
    max_size=60,
)
TEXTS = st.lists(MIXED_TEXT, max_size=4)
DIFFERENT = [
    "AT&T和C++的v.qq.com 1.5L3.5% a.5% .5 5. a-1 --",
    "\r\n",
    "",
    "我们的数学\ud800很美\r\n",
]


def is_blank(word: str) -> bool:
    return all(sign.isspace() or sign == "\0" for sign in word)


def plain_line(text: str, least: int) -> str:
    """Words of a reading without stop words."""
    return " ".join(w for w in segment(text) if len(w) >= least and not is_blank(w))


def written(tokens: Tokens, texts: Sequence[str]) -> list[list[str]]:
    """The text at the place of each token."""
    return [
        [text[tokens.places.starts[word] : tokens.places.stops[word]] for word in words]
        for text, words in zip(texts, tokens, strict=True)
    ]


@settings(deadline=None)
@given(TEXTS, st.integers(1, 3))
def test_tokens_are_the_words_of_plain_segmentation(texts: list[str], least: int) -> None:
    texts = [*texts, *DIFFERENT]
    (tokens,) = tokenize_texts(texts, [TokenizerSettings(min_token_chars=least, stop_words=None)])
    assert tokens.lines() == [plain_line(text, least) for text in texts]
    clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    assert [" ".join(words) for words in written(tokens, clean)] == tokens.lines()
    again = tokens_of_lines(tokens.lines())
    for name in ("hashes", "keys", "bounds"):
        np.testing.assert_array_equal(getattr(tokens, name), getattr(again, name))


@settings(deadline=None)
@given(TEXTS, st.integers(1, 2))
def test_joined_lines_stand_where_they_stood(texts: list[str], least: int) -> None:
    texts = [*texts, "中国\r人\n民共\r\n和国"]
    texts = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    reading = TokenizerSettings(min_token_chars=least, stop_words=None, join_lines=True)
    (tokens,) = tokenize_texts(texts, [reading])
    joined = [re.sub("[\r\n]", "", text) for text in texts]
    assert tokens.lines() == [plain_line(text, least) for text in joined]
    places = [[re.sub("[\r\n]", "", w) for w in words] for words in written(tokens, texts)]
    assert [" ".join(words) for words in places] == tokens.lines()
    assert written(tokens, texts)[-1] == ["中国", "人\n民共\r\n和国"]


@settings(deadline=None)
@given(TEXTS)
def test_characters_are_single_but_for_runs_of_letters_and_digits(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode("utf-8") for text in [*texts, "ABc12中，Ａ"]]
    # One code point for one: "İ" becomes two, and a sigma at a word's end another one.
    texts = [text.replace("İ", "").replace("Σ", "") for text in texts]
    (lines,) = token_lines(texts, [TokenizerSettings("characters", 1, None)])
    expected = [re.findall(r"[a-z]+|[0-9]+|[^\sa-z0-9\0]", text.lower()) for text in texts]
    assert lines == [" ".join(tokens) for tokens in expected]
    assert lines[-1] == "abc 12 中 ， ａ"


def test_white_space_is_no_token_whatever_it_is() -> None:
    for code in range(0x3100):
        (line,) = token_lines([chr(code)], [TokenizerSettings(min_token_chars=1, stop_words=None)])[
            0
        ]
        assert (line == "") == is_blank(chr(code)), hex(code)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12), max_size=5))
def test_repeated_tokens_are_dropped_of_those_that_are_kept(
    texts: list[list[tuple[int, bool]]],
) -> None:
    keys = np.array([key for text in texts for key, _ in text], dtype=np.uint64)
    is_dropped = np.array([flag for text in texts for _, flag in text], dtype=np.bool_)
    expected = [
        flag or (key, False) in text[:at] for text in texts for at, (key, flag) in enumerate(text)
    ]
    drop_repeated(keys, np.cumsum([0, *map(len, texts)]), is_dropped)
    assert is_dropped.tolist() == expected


def test_distinct_words_come_once_where_they_come_first() -> None:
    texts = ["数学历史数学地理历史", "数学", ""]
    (lines,) = token_lines(texts, [TokenizerSettings(distinct=True)])
    assert lines == ["数学 历史 地理", "数学", ""]


def counted(texts: Sequence[str], counts: Sequence[int]) -> list[list[str]]:
    """Two further tokens that say what they were made of; of one text none."""
    return [
        [] if "无" in text else [f"§{len(text)}", f"§{count}"]
        for text, count in zip(texts, counts, strict=True)
    ]


def test_further_tokens_stand_behind_the_words_of_texts_that_have_any() -> None:
    texts = ["数学数学历史", "的", "无数学", "地理数学"]
    reading = TokenizerSettings(max_chars=4, distinct=True, extra=counted)
    (tokens,) = tokenize_texts(texts, [reading])
    assert tokens.lines() == ["数学 §4 §1", "", "数学", "地理 数学 §4 §2"]
    assert written(tokens, texts) == [["数学", "", ""], [], ["数学"], ["地理", "数学", "", ""]]
    again = tokens_of_lines(tokens.lines())
    np.testing.assert_array_equal(tokens.keys, again.keys)
    np.testing.assert_array_equal(tokens.hashes, again.hashes)


def test_lines_are_read_as_fasttext_does() -> None:
    tokens = tokens_of_lines(["一\t二 三\0四", "__label__x 一 </s> 二", "", "   "])
    assert tokens.lines() == ["一 二 三 四", "一", "", ""]
    assert [len(words) for words in tokens] == [4, 1, 0, 0]
    assert tokens.places.starts.tolist() == [0, 2, 4, 6, 11]
    with pytest.raises(ValueError, match="one line at a time"):
        tokens_of_lines(["一\n二"])
