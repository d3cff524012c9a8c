"""Words of a lexicon in texts: every occurrence of every word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.lists.test_lexicon import OURS
from udfs.base.code_points import encode_texts
from udfs.lists import word_counts
from udfs.lists.lexicon import Lexicon, read_lexicon
from udfs.lists.word_counts import count_words


def found_in(lexicon: Lexicon, *texts: str) -> dict[tuple[int, str], int]:
    found = count_words(lexicon, encode_texts(texts))
    columns = (column.tolist() for column in found)
    return {(text, lexicon.words[word]): times for text, word, times in zip(*columns, strict=True)}


words = st.lists(st.text(alphabet="abA赌球城𠮷\n ", min_size=1, max_size=4), max_size=12)
texts = st.lists(st.text(alphabet="abA赌球城𠮷\n xé", max_size=60), max_size=5)


@given(words, texts, st.sampled_from([1, 9000]))
def test_every_occurrence_of_every_word_is_found(
    chosen: list[str], batch: list[str], room: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_counts, "_ROOM", room)
        found = found_in(Lexicon(dict.fromkeys(chosen, "其他")), *batch)
    expected = {
        (index, word): times
        for index, text in enumerate(batch)
        for word in sorted(set(chosen))
        if (times := sum(text.startswith(word, start) for start in range(len(text))))
    }
    assert found == expected
    assert list(found) == list(expected), "by text, then by word"


def test_a_text_is_searched_with_words_of_one_character_and_without() -> None:
    assert found_in(Lexicon({"赌": "a", "赌球": "a"}), "赌球赌") == {(0, "赌"): 2, (0, "赌球"): 1}
    assert found_in(Lexicon({"赌球": "a"}), "赌球赌", "球") == {(0, "赌球"): 1}
    assert found_in(Lexicon({}), "赌球", "") == {}


def test_counts_start_again_for_each_text() -> None:
    lexicon = Lexicon({"赌": "a"})
    counts = [count_words(lexicon, encode_texts(["赌赌", "赌"])).times for _ in range(2)]
    assert np.array_equal(counts, [[2, 1], [2, 1]])


def test_no_word_of_our_own_list_is_inside_another() -> None:
    """It would count twice wherever the longer one stands."""
    lexicon = read_lexicon(OURS)
    assert set(found_in(lexicon, *lexicon.words).values()) == {1}
    assert len(found_in(lexicon, *lexicon.words)) == len(lexicon.words)


def test_our_own_list_leaves_plain_reporting_alone() -> None:
    report = (
        "警方提醒市民警惕网络赌博和电信诈骗，不要出借银行卡。法院审理了一起贩卖毒品案，"
        "被告人非法持有枪支。银行下调贷款利率，彩票发行规模稳定，投资者关注市场走势。"
    )
    assert found_in(read_lexicon(OURS), report) == {}
