"""Windows of tokens that run over texts."""

from __future__ import annotations

import numpy as np

from udfs.compiled import compiled
from udfs.token_hashes import Numbers


def texts_and_windows(bounds: Numbers, size: int | None) -> tuple[Numbers, Numbers]:
    """Each text whole, and behind it the windows that it is seen through.

    A window begins every half of its size; the last one ends with the text. A text that is no
    longer than one has none, as has every text where there is no size.

    Args:
        bounds: Where the tokens of each text begin, and where the last one's end.
        size: Tokens of a window, 1 at least.
    Returns:
        First token and the one behind the last of each span, shape (spans, 2); and where the spans
        of each text begin, and the last one's end, shape (texts + 1,).
    """
    if size is None:
        return np.stack([bounds[:-1], bounds[1:]], axis=1), np.arange(len(bounds))
    return _spans(bounds, size, max(1, size // 2))


@compiled
def _spans(bounds: Numbers, size: int, stride: int) -> tuple[Numbers, Numbers]:
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
