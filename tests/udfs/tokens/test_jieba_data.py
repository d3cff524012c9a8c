"""jieba's dictionary as a trie."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.hash_table import ABSENT
from udfs.tokens.jieba_data import DictionaryTrie, child_of, trie_of


def words_of(trie: DictionaryTrie) -> dict[str, float]:
    """All words of a trie, found by walking it, with their weights."""
    found: dict[str, float] = {}
    waiting = [(chr(code), int(node)) for code, node in enumerate(trie.roots) if node != ABSENT]
    letters = sorted({int(edge) >> 24 & 0xFFFF for edge in trie.edges if edge})
    while waiting:
        word, node = waiting.pop()
        if not math.isnan(trie.weights[node]):
            found[word] = float(trie.weights[node])
        for letter in letters:
            kid = child_of(node, np.uint32(letter), trie.edges)
            if kid != ABSENT:
                waiting.append((word + chr(letter), int(kid)))
    return found


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.text("abc中国", min_size=1, max_size=5), st.integers(0, 9), max_size=30))
def test_a_trie_has_the_words_and_no_other(counts: Mapping[str, int]) -> None:
    found = words_of(trie_of(dict(counts), 100))
    expected = {w: math.log(n) - math.log(100) for w, n in counts.items() if n > 0}
    assert found == expected
