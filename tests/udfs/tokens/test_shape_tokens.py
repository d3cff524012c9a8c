"""The tokens that tell a bag-of-words model the shape of a text."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.code_points import encode_texts
from udfs.tokens.shape_measures import NAMES
from udfs.tokens.shape_tokens import (
    BUCKETS,
    MARK,
    TITLE_CHARS,
    WORDS_A_COPY,
    WORDS_A_TITLE,
    all_shape_tokens,
    shape_buckets,
    shape_tokens,
)
from udfs.tokens.token_hashes import hash_bytes

SHAPES = len(NAMES) // 2


def tokens_of(text: str, count: int) -> list[str]:
    return shape_tokens([text], [count]).lines()[0].split(" ")


def plain_pairs(text: str) -> list[str]:
    """Tokens of a text's title, as one would write it without a compiler."""
    line = next((line for line in text.replace("\0", " ").split("\n") if line.strip()), "")
    plain = "".join(
        "0" if c in "0123456789０１２３４５６７８９" else c for c in "_".join(line.split())
    )
    plain = plain[:TITLE_CHARS]
    return list(dict.fromkeys(f"{MARK}:{plain[at : at + 2]}" for at in range(len(plain) - 1)))


def test_every_measure_has_buckets_and_is_named_by_one_pair() -> None:
    assert set(BUCKETS) == set(NAMES)
    assert all(list(steps) == sorted(set(steps)) for steps in BUCKETS.values())
    names = [token for token, _, _ in all_shape_tokens()]
    assert len(set(names)) == len(names)
    assert {m for _, measures, _ in all_shape_tokens() for m in measures} == set(range(len(NAMES)))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("甲乙 \t\n1７_\0\x1c𠀀", max_size=90), max_size=4),
    st.integers(0, 400),
)
def test_tokens_are_those_of_buckets_and_title(texts: list[str], count: int) -> None:
    tokens = shape_tokens(texts, [count] * len(texts))
    names = {(measures, buckets): token for token, measures, buckets in all_shape_tokens()}
    rows = shape_buckets(encode_texts(texts)).tolist()
    for line, text, row in zip(tokens.lines(), texts, rows, strict=True):
        pairs = plain_pairs(text)
        of_title = max(1, round(count / (WORDS_A_TITLE * max(1, len(pairs)) ** 0.5)))
        shape = [names[(m, m + 1), (row[m], row[m + 1])] for m in range(0, len(NAMES), 2)]
        expected = shape * max(1, round(count / WORDS_A_COPY)) + pairs * of_title
        assert line == " ".join(expected if count else [])


def test_arrays_say_what_the_lines_say() -> None:
    tokens = shape_tokens(["新闻 2024\n记者", "公司"], [60, 10])
    words = " ".join(tokens.lines()).split(" ")
    hashes, keys = hash_bytes([word.encode() for word in words])
    assert np.array_equal(tokens.hashes, hashes)
    assert np.array_equal(tokens.keys, keys)
    assert tokens.bounds.tolist() == [0, len(words) - SHAPES - 1, len(words)]


def test_title_is_the_first_line_with_anything_in_it() -> None:
    found = Counter(tokens_of(" \n\t新闻 2024\n第二行", 10))
    pairs = {token for token in found if token[1] == ":"}
    assert pairs == {"§:新闻", "§:闻_", "§:_0", "§:00"}


def test_copies_keep_the_share_of_a_line() -> None:
    short, long = Counter(tokens_of("新闻", 50)), Counter(tokens_of("新闻", 500))
    shapes = [token for token in short if token[1] != ":"]
    assert len(shapes) == SHAPES
    assert {long[token] / short[token] for token in shapes} == {10.0}
    assert round(500 / WORDS_A_COPY) == long[shapes[0]]


def test_a_text_without_words_gets_no_tokens() -> None:
    assert shape_tokens(["新闻", "新闻"], [0, 1]).lines()[0] == ""
