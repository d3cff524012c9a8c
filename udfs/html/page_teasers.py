"""Teasers: blocks that have the title of another page as a link and the beginning of its text.

The beginning may be several paragraphs, as on the first page of a blog, so that a line does not
tell: siblings of one signature do, when nearly all that have prose begin with a link of the
length of a title. Posts of a thread begin with short links, the names of their authors.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.jit import compiled

_TITLE_BYTES = 18  # six Han characters; most names of users are shorter
_NUMBERED_BYTES = 24
_REACH = 2  # lines from a title to the prose that follows it, where they share no block
_FEWEST, _TITLED = 3, 0.6  # siblings with prose, and the share of them that begin with a title
_NO_ROW = 1 << 60


@compiled
def is_title(size: int, chars: int, link_chars: int, digits: int, copies: int) -> bool:
    """Whether a line is the title of another page: a long link, no time, not on the page twice.

    Copies may differ in digits, as those of counters do; a longer line with digits may be one of
    numbered titles.

    Args:
        size: Bytes of the line.
    """
    is_link = link_chars * 5 >= chars * 4 and digits * 4 < chars
    is_copied = copies > 0 and (digits == 0 or size < _NUMBERED_BYTES)
    return bool(is_link and size >= _TITLE_BYTES and not is_copied)


@compiled
def teaser_lines(
    sizes: Int64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    digits: Int64Array,
    copies: Int64Array,
    prose: Float64Array,
    block: Int64Array,
    parents: Int64Array,
    signatures: Int64Array,
) -> BoolArray:
    """Return which lines are inside of teasers; shape (lines,).

    Args:
        sizes: Bytes of each line.
    """
    blocks = len(parents)
    first_title = np.full(blocks, _NO_ROW, dtype=np.int64)
    first_prose = np.full(blocks, _NO_ROW, dtype=np.int64)
    is_titles = np.zeros(len(chars) + _REACH, dtype=np.bool_)  # of the lines from _REACH on
    for row in range(len(chars)):
        place = block[row]
        if link_chars[row] * 5 >= chars[row] * 4:
            if is_title(sizes[row], chars[row], link_chars[row], digits[row], copies[row]):
                first_title[place] = min(first_title[place], row)
                is_titles[row + _REACH] = True
        elif prose[row] > 0:
            first_prose[place] = min(first_prose[place], row)
    for number in range(blocks - 1, 0, -1):
        parent = parents[number]
        first_title[parent] = min(first_title[parent], first_title[number])
        first_prose[parent] = min(first_prose[parent], first_prose[number])
    size = 16
    while size < 2 * blocks:
        size *= 2
    keys = np.full(size, -1, dtype=np.int64)
    counts = np.zeros((2, size), dtype=np.int64)
    places = np.full(blocks, -1, dtype=np.int64)
    for number in range(1, blocks):
        if first_prose[number] == _NO_ROW:
            continue
        key = parents[number] << 10 | signatures[number]
        place = (key ^ key >> 10) & (size - 1)
        while keys[place] != -1 and keys[place] != key:
            place = (place + 1) & (size - 1)
        keys[place] = key
        counts[0, place] += 1
        row = first_prose[number]
        counts[1, place] += first_title[number] < row or is_titles[row : row + _REACH].any()
        places[number] = place
    inside = np.zeros(blocks, dtype=np.bool_)
    for number in range(1, blocks):
        place = places[number]
        inside[number] = inside[parents[number]]
        if place >= 0 and counts[1, place] >= _FEWEST:
            inside[number] |= counts[1, place] >= _TITLED * counts[0, place]
    found = np.empty(len(chars), dtype=np.bool_)
    for row in range(len(chars)):
        found[row] = inside[block[row]]
    return found
