"""Windows over texts: they cover all of a text, overlap by half, and end with it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.scorers.spans import texts_and_windows


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), max_size=6), st.integers(1, 12))
def test_windows_of_texts(lengths: list[int], size: int) -> None:
    bounds = np.cumsum([0, *lengths])
    spans, starts = texts_and_windows(bounds, size)
    assert len(starts) == len(lengths) + 1
    for text, length in enumerate(lengths):
        begin = bounds[text]
        whole, *windows = spans[starts[text] : starts[text + 1]].tolist()
        assert whole == [begin, begin + length]
        firsts = list(range(begin, begin + length - size, max(1, size // 2)))
        expected = [*firsts, begin + length - size] if length > size else []
        assert windows == [[first, first + size] for first in expected]
        covered = {token for first, last in windows for token in range(first, last)}
        assert not windows or covered == set(range(*whole))


def test_without_a_size_there_are_whole_texts_alone() -> None:
    spans, starts = texts_and_windows(np.array([0, 3, 3, 90]), None)
    assert spans.tolist() == [[0, 3], [3, 3], [3, 90]]
    assert starts.tolist() == [0, 1, 2, 3]
