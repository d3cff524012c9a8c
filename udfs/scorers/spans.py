"""Spans of texts, found by compiled loops: windows of tokens, and pieces between break signs."""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import BoolArray, Int64Array, UInt32Array
from udfs.base.jit import compiled


def texts_and_windows(bounds: Int64Array, size: int | None) -> tuple[Int64Array, Int64Array]:
    """Spans of tokens: each text whole, and behind it its windows.

    Windows begin half a size apart; the last one ends with the text. A text that is no longer than
    a window has none; without a size no text has any.

    Args:
        bounds: First token of each text, and the end of the last one, shape (texts + 1,).
        size: Tokens of a window, at least 1; None for no windows.
    Returns:
        First token and end of each span, shape (spans, 2); and the first span of each text with
        the end of the last one's, shape (texts + 1,).
    """
    if size is None:
        return np.stack([bounds[:-1], bounds[1:]], axis=1), np.arange(len(bounds))
    return _spans(bounds, size, max(1, size // 2))


@compiled
def _spans(bounds: Int64Array, size: int, stride: int) -> tuple[Int64Array, Int64Array]:
    most = 2 * len(bounds) + (bounds[-1] - bounds[0]) // stride
    spans = np.empty((most, 2), dtype=np.int64)
    starts = np.zeros(len(bounds), dtype=np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        first, last = bounds[text], bounds[text + 1]
        spans[count] = first, last
        count += 1
        if last - first > size:
            at = first
            while at + size < last:
                spans[count] = at, at + size
                count += 1
                at += stride
            spans[count] = last - size, last
            count += 1
        starts[text + 1] = count
    return spans[:count].copy(), starts


@compiled
def pieces_between(
    codes: UInt32Array, starts: Int64Array, stops: Int64Array, is_break: BoolArray
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """The pieces of texts between break signs, without empty ones.

    Args:
        codes: Code points of all texts.
        starts: First code point of each text, shape (texts,).
        stops: End of each text, shape (texts,).
        is_break: For every code point whether it is a break sign.
    Returns:
        First code point, end and text number of each piece, each of shape (pieces,).
    """
    begins = np.empty(len(codes), dtype=np.int64)
    ends = np.empty(len(codes), dtype=np.int64)
    owners = np.empty(len(codes), dtype=np.int64)
    count = 0
    for text in range(len(starts)):
        begin = starts[text]
        for at in range(starts[text], stops[text] + 1):
            if at == stops[text] or is_break[codes[at]]:
                if at > begin:
                    begins[count], ends[count], owners[count] = begin, at, text
                    count += 1
                begin = at + 1
    return begins[:count].copy(), ends[:count].copy(), owners[:count].copy()
