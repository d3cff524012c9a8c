"""The shape of pages, beside a plain twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.tokens.plain_shape_measures import KIND_OF, plain_shape
from udfs.tokens.shape_measures import NAMES, WORDS, shape_measures

MENU = "首页\n新闻 | 图片\n　联系我们　\n"
PROSE = "昨天下午，我们在城北的旧书店里坐了很久，店主给每个人都倒了茶，说这里的书大多是他父亲的。"
SPAM = "澳门赌场注册送彩金，时时彩开奖走势图，百家乐老虎机投注返水，欢迎来到太阳城国际娱乐城。"

PIECES = st.one_of(
    st.sampled_from(
        [PROSE, SPAM, "\n", "　", "鼡", "\x1c", "\0", "甲" * 40, "，", "。", "！", "-"]
    ),
    st.sampled_from(sorted(KIND_OF)),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace").decode()),
)
TEXTS = st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=4)


def measured(text: str) -> dict[str, float]:
    return dict(zip(NAMES, shape_measures([text])[0].tolist(), strict=True))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_measures_are_those_of_the_plain_twin(texts: list[str]) -> None:
    table = shape_measures(texts)
    assert table.shape == (len(texts), len(NAMES))
    for row, text in zip(table, texts, strict=True):
        assert dict(zip(NAMES, row.tolist(), strict=True)) == pytest.approx(plain_shape(text))


def test_a_menu_has_lines_and_no_prose() -> None:
    found = measured(MENU)
    assert found["longest_line"] == 7
    assert found["clean_prose_chars"] == found["prose_sentences"] == found["prose_variety"] == 0
    assert found["open_lines_share"] == found["lines_before_prose_share"] == 1.0
    assert found["short_lines_share"] == pytest.approx(2 / 3)
    assert found["shop_words"] == 1


def test_prose_is_clean_where_no_word_of_spam_is_in_its_line() -> None:
    assert measured(PROSE)["clean_prose_chars"] == len(PROSE)
    assert measured(f"{PROSE}\n{SPAM}")["clean_prose_chars"] == len(PROSE)
    assert measured(PROSE + SPAM)["clean_prose_chars"] == 0


def test_repeats_are_windows_that_came_before() -> None:
    once, twice = measured(PROSE), measured(f"{PROSE}\n{PROSE}")
    assert (once["prose_top_window"], once["prose_repeats_share"]) == (1, 0.0)
    assert (twice["prose_top_window"], twice["prose_repeats_share"]) == (2, 0.5)


def test_windows_are_told_apart_by_64_bits() -> None:
    """U+3000 and U+0000 differ above the 12 bits that the oldest character of a window has."""
    text = f"{PROSE}\0{PROSE}\u3000{PROSE}"
    assert measured(text) == pytest.approx(plain_shape(text))


def test_a_word_counts_once_and_the_longest_one_counts() -> None:
    assert measured("娱乐城 娱乐城")["gambling_words"] == 1
    assert measured("德州扑克")["gambling_words"] == 1
    assert measured("扑克")["gambling_words"] == 1


def test_texts_of_a_batch_are_measured_each_on_its_own() -> None:
    texts = [PROSE, "", SPAM, " \n\t\n", MENU, PROSE * 30]
    together = shape_measures(texts)
    assert np.array_equal(together, np.concatenate([shape_measures([text]) for text in texts]))
    assert not together[[1, 3]].any()


def test_words_are_of_one_category() -> None:
    assert len(KIND_OF) == sum(map(len, WORDS.values()))
