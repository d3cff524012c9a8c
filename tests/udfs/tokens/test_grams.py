"""Grams: characters and pairs of neighbours, each once, as lines and as tokens."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.tokens.grams import gram_lines, gram_tokens
from udfs.tokens.tokens import tokens_of_lines

SIGNS = st.sampled_from("加微信薇❤v1 2aB➕①\u200b\u3000\0é😀_<")


def test_grams_are_characters_and_pairs_each_once() -> None:
    assert gram_lines(["刷单刷单QQ12", "", "，"]) == ["刷 单 qq 12 刷单 单刷 单qq qq12", "", "，"]
    assert gram_lines(["➕🆅：①⑧"]) == gram_lines(["加微信：18"])


@settings(deadline=None, max_examples=60)
@example(["1 2 12", "", "💯加v", "赌-博"])
@given(st.lists(st.text(SIGNS, max_size=30), max_size=4))
def test_grams_are_the_same_as_tokens_and_as_lines(texts: list[str]) -> None:
    lines, tokens = gram_lines(texts), gram_tokens(texts)
    expected = tokens_of_lines(lines)
    for name in ("hashes", "keys", "bounds"):
        np.testing.assert_array_equal(getattr(tokens, name), getattr(expected, name), name)
    assert tokens.lines() == lines
