"""Cut a document into the segments that an encoder scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Span = tuple[int, int]
"""Start and end of a segment, in code points of its text."""

PUBLISHED_CHARS = 510
"""Characters of the longest segment of the published script."""
PUBLISHED_MIN_CHARS = 200
"""The published script drops shorter segments."""
SENTENCE_ENDS = ".?!。？！"
MIN_TOKENS = 128
"""Fewest tokens of a segment, except in a shorter text."""

_ENDS = np.array([ord(char) for char in SENTENCE_ENDS], np.uint32)
_NEWLINE = ord("\n")


def published_segments(text: str) -> list[Span]:
    """The segments of the published script, which drops those under 200 characters.

    A segment ends before the last newline, or behind the last sentence end, of its 510 characters;
    the last 511 characters of a text are not searched for one. A newline that a segment ends at
    begins the next one.

    >>> published_segments("一" * 300 + "。" + "二" * 400)
    [(0, 301), (301, 701)]

    Source:
        ChineseWebText (BERTEval, utils/encode.py).
    """
    spans = []
    start = 0
    while start < len(text):
        stop = _published_stop(text, start)
        if stop - start >= PUBLISHED_MIN_CHARS:
            spans.append((start, stop))
        start = stop
    return spans


def _published_stop(text: str, start: int) -> int:
    window = start + PUBLISHED_CHARS
    if window < len(text) - 1:
        for place in range(window - 1, start, -1):
            if text[place] == "\n":
                return place
            if text[place] in SENTENCE_ENDS:
                return place + 1
    return min(window, len(text))


def token_segments(text: str, offsets: Sequence[Span], max_tokens: int) -> list[Span]:
    """Cut a text into segments of `MIN_TOKENS` to ``max_tokens`` tokens that hold every token.

    A segment ends at the last end of a line or sentence in its second half, or when it is full. The
    last two segments share their tokens where the last one would be too short.

    Args:
        offsets: Start and end of each token in the text, in code points.
        max_tokens: At least twice `MIN_TOKENS`.
    Returns:
        Ranges of token numbers, in order.
    """
    places = np.array(offsets, np.int64).reshape(-1, 2)
    ends = _ends_before(text, places)
    spans = []
    start = 0
    while (left := len(places) - start) > max_tokens:
        reach = max_tokens if left >= max_tokens + MIN_TOKENS else (left + 1) // 2
        before = int(np.searchsorted(ends, start + reach, side="right"))
        found = int(ends[before - 1]) if before else 0
        stop = found if found >= start + max(reach // 2, MIN_TOKENS) else start + reach
        spans.append((start, stop))
        start = stop
    return [*spans, (start, len(places))] if left else spans


def _ends_before(text: str, places: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Numbers of the tokens that follow the end of a line or sentence, ascending."""
    codes: Any = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    lines = np.concatenate([[0], np.cumsum(codes == _NEWLINE)])
    stops, starts = places[:-1, 1], places[1:, 0]
    ends_line = lines[starts] > lines[stops]
    ends_sentence = np.isin(codes[stops - 1], _ENDS)
    return np.flatnonzero(ends_line | ends_sentence) + 1
