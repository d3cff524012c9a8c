"""jieba's cut, compiled, beside the segmenters that it stands for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import jieba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.scorers.test_scorers import ARTICLE, SPAM
from tests.udfs.tokens.plain_segment import segment
from tests.udfs.tokens.test_segment import JIEBA, PAGES
from udfs.base.code_points import encode_texts
from udfs.base.hash_table import ABSENT
from udfs.tokens.cut_words import cut_words
from udfs.tokens.jieba_data import WordTrie, child_of, jieba_data, trie_of
from udfs.tokens.tokenizer import TokenizerSettings, token_lines

ANY_TEXT = st.text(
    st.sampled_from("中国人民的学习科技一二三年月日在和了是不abcXYZ0129+#&._%-@，。 \r\n\t")
    | st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)
    | st.characters(exclude_categories=["Cs"]),
    max_size=50,
)


def compiled_words(texts: list[str]) -> list[list[str]]:
    data = jieba_data()
    assert data is not None
    encoded = encode_texts(texts)
    words, bounds = cut_words(encoded.codes, np.concatenate([[0], encoded.stops]), *data)
    found = []
    for number, text in enumerate(texts):
        ends = np.cumsum(words[bounds[number] : bounds[number + 1]]).tolist()
        found.append([text[b:e] for b, e in zip([0, *ends], ends, strict=False)])
    return found


@settings(deadline=None, max_examples=400)
@given(st.lists(ANY_TEXT, max_size=3))
def test_the_compiled_cut_is_that_of_jieba_for_any_texts(texts: list[str]) -> None:
    assert compiled_words(texts) == [jieba.lcut(text) for text in texts]


def test_the_compiled_cut_is_that_of_jieba_for_pages() -> None:
    texts = [*JIEBA, ARTICLE, SPAM, "", "䴙䴘\U00020000\U00020001的䴙#"]
    for path in sorted(PAGES.rglob("*.html")):
        texts.append(re.sub(r"<[^>]*>", "", path.read_bytes().decode("utf-8", "ignore")))
    assert compiled_words(texts) == [jieba.lcut(text) for text in texts]


@settings(deadline=None, max_examples=300)
@given(st.lists(ANY_TEXT, max_size=3))
def test_tokens_are_those_of_plain_segmentation_with_rare_ideographs_too(texts: list[str]) -> None:
    texts = [*texts, "䴙䴘在水里，䴙#和鿕龦鿖鿗", "\uf900\uf901 \U00020000\U00030000"]
    (lines,) = token_lines(texts, [TokenizerSettings(min_token_chars=1, stop_words=None)])
    assert lines == [" ".join(w for w in segment(t) if w.strip("\0").strip()) for t in texts]


def words_of(trie: WordTrie) -> dict[str, float]:
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
