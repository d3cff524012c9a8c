"""Words found as one goes."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.base.code_points import CODE_POINTS
from udfs.base.hash_table import ABSENT
from udfs.base.word_trie import longest_word, may_begin, pair_place, word_beginnings, word_trie

WORDS = st.lists(st.text("甲乙丙a𠀀", min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@given(WORDS, st.text("甲乙丙a𠀀b", max_size=20))
def test_the_longest_word_at_each_place_is_found(words: list[str], text: str) -> None:
    trie = word_trie(words)
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    by_length = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    for at in range(len(text)):
        found = by_length.match(text, at)
        expected = (words.index(found[0]), len(found[0])) if found else (ABSENT, 0)
        got = longest_word(codes, at, len(text), trie.keys, trie.nodes, trie.words, CODE_POINTS)
        assert got == expected
        if found and len(found[0]) > 1:
            assert trie.begins[pair_place(ord(text[at]), ord(text[at + 1]))]
        if found:
            assert may_begin(codes, at, len(text), word_beginnings(words))


def test_few_places_pass_the_quick_test() -> None:
    beginnings = word_beginnings(["甲乙丙", "丁"])
    codes = np.frombuffer("甲丙甲乙甲丁甲".encode("utf-32-le"), dtype=np.uint32)
    passed = [may_begin(codes, at, len(codes), beginnings) for at in range(len(codes))]
    assert passed == [False, False, True, False, False, True, False]


def test_a_word_that_ends_behind_the_stop_is_not_found() -> None:
    trie = word_trie(["甲乙丙", "甲"])
    codes = np.frombuffer("甲乙丙".encode("utf-32-le"), dtype=np.uint32)
    assert longest_word(codes, 0, 2, trie.keys, trie.nodes, trie.words, CODE_POINTS) == (1, 1)
