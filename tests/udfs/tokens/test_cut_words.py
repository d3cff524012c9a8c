"""jieba's cut, compiled, compared with jieba and with plain segmentation."""

from __future__ import annotations

import re

import jieba
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.scorers.test_scorers import ARTICLE, SPAM
from tests.udfs.tokens.plain_segment import segment
from tests.udfs.tokens.test_segment import JIEBA, PAGES
from udfs.base.code_points import encode_texts
from udfs.tokens.cut_words import cut_words
from udfs.tokens.jieba_data import jieba_data
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
