"""The visible text of a page around its images, and which of its lines are main text.

A line of the page and one of the main text are the same when their ideographs, ASCII letters and
digits are: spaces, punctuation and character references, which the extraction changes, do not
count. The n-th copy of a line that the main text has several times is its n-th one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Int64Array, UInt8Array, UInt64Array
from udfs.base.hash_table import find_slot, table_size
from udfs.base.jit import BLOCK_BYTES, compiled, equal_bits, first_bit, low_bits, uncounted
from udfs.pairs.page_scan import LINE_BREAK

_SPACE, _LINE_FEED, _AMPERSAND, _SEMICOLON, _HASH = 0x20, 0x0A, 0x26, 0x3B, 0x23
_REFERENCE_BYTES = 10  # "&thetasym;"
_NBSP = (0x26, 0x6E, 0x62, 0x73, 0x70, 0x3B)
_START, _PRIME = 0xCBF29CE4, 0x100000001B3
_FIRST_IDEOGRAPH, _ALL_BITS = 0x3400, (1 << BLOCK_BYTES) - 1


@dataclass(frozen=True, slots=True)
class TextLines:
    """The visible text of a page, and its lines that have ideographs, letters or digits.

    Attributes:
        text: UTF-8, one space between words, a line feed between lines; references not resolved.
        places: Where the asked byte offsets are in it, shape (offsets,).
        starts: Where each line begins, shape (lines,).
        ends: Where it ends.
        main: The line of the main text that it is, counted from 0; -1 for none.
    """

    text: UInt8Array
    places: Int64Array
    starts: Int64Array
    ends: Int64Array
    main: Int64Array


def text_lines(text: UInt8Array, lines: int, offsets: Int64Array, main_text: str) -> TextLines:
    """Read the text of `udfs.pairs.page_scan.Scan`.

    Args:
        lines: Most lines that it has.
        offsets: Ascending byte offsets in it, shape (offsets,).
        main_text: Its lines end with line feeds.
    """
    written, places, spans, keys = _read_lines(text, lines, offsets)
    main = np.frombuffer(main_text.encode("utf-8", "replace"), dtype=np.uint8)
    found = _matched(keys, _line_keys(main)) if len(main) else np.full(len(keys), -1)
    return TextLines(written, places, spans[0], spans[1], found)


@compiled
def _read_lines(
    text: UInt8Array, most_lines: int, offsets: Int64Array
) -> tuple[UInt8Array, Int64Array, Int64Array, UInt64Array]:
    """Return the tidy text, the offsets in it, starts and ends of lines, their keys."""
    text, offsets = uncounted(text), uncounted(offsets)
    size = len(text)
    written = np.empty(size, dtype=np.uint8)
    places = np.empty(len(offsets), dtype=np.int64)
    spans, keys = np.empty((2, most_lines), dtype=np.int64), np.empty(most_lines, dtype=np.uint64)
    at = to = start = lines = asked = skip_to = 0
    gap, key = np.uint8(0), np.uint64(_START)
    while at < size:
        while asked < len(offsets) and offsets[asked] <= at:
            places[asked] = to
            asked += 1
        limit = size - 2  # of runs: up to the next offset
        if asked < len(offsets):
            limit = min(limit, offsets[asked])
        byte = text[at]
        if 0xE4 <= byte <= 0xE9 and gap == 0 and at >= skip_to and at < limit:
            while at < limit and 0xE4 <= text[at] <= 0xE9:
                key = _with_ideograph(key, text[at], text[at + 1], text[at + 2])
                written[to], written[to + 1] = text[at], text[at + 1]
                written[to + 2] = text[at + 2]
                to += 3
                at += 3
            continue
        if byte <= _SPACE and byte != LINE_BREAK:
            gap = max(gap, np.uint8(1))
            at = max(at + 1, min(limit, _after_spaces(text, at + 1)))
            continue
        if byte == LINE_BREAK:
            if key != np.uint64(_START):
                spans[0, lines], spans[1, lines], keys[lines] = start, to, key
                lines += 1
            key, gap = np.uint64(_START), np.uint8(_LINE_FEED)
            at += 1
            continue
        if _SPACE < byte < 0x80 and byte != _AMPERSAND and gap == 0 and at >= skip_to:
            stop = max(limit, at + 1)
            while at < stop and _SPACE < text[at] < 0x80 and text[at] != _AMPERSAND:
                if _is_word(text[at]):
                    key = (key ^ np.uint64(text[at])) * np.uint64(_PRIME)
                written[to] = text[at]
                to += 1
                at += 1
            continue
        blank = _blank_bytes(text, at, byte)
        if blank:
            gap = max(gap, np.uint8(1))
            at += blank
            continue
        if gap:
            if to:
                written[to] = gap if gap == _LINE_FEED else _SPACE
                to += 1
            if gap == _LINE_FEED or to == 0:
                start = to
            gap = np.uint8(0)
        if byte == _AMPERSAND:
            skip_to = at + _reference_bytes(text, at)
        if at >= skip_to:
            key = _with_byte(key, text, at, byte)
        written[to] = byte
        to += 1
        at += 1
        while at < limit and text[at] & 0xC0 == 0x80:  # the rest of the character
            written[to] = text[at]
            to += 1
            at += 1
    places[asked:] = to
    if key != np.uint64(_START):
        spans[0, lines], spans[1, lines], keys[lines] = start, to, key
        lines += 1
    return written[:to], places, spans[:, :lines], keys[:lines]


@compiled
def _after_spaces(text: UInt8Array, at: int) -> int:
    """Return the place of the next byte that is no ASCII space or control, or ends a line."""
    while at + BLOCK_BYTES <= len(text):
        bits = low_bits(text, at, _SPACE) ^ np.uint64(_ALL_BITS) | equal_bits(text, at, LINE_BREAK)
        if bits:
            return at + first_bit(bits)
        at += BLOCK_BYTES
    while at < len(text) and text[at] <= _SPACE and text[at] != LINE_BREAK:
        at += 1
    return at


@compiled
def _blank_bytes(text: UInt8Array, at: int, byte: int) -> int:
    """Return the bytes of a no-break or ideographic space at a place; 0 for something else."""
    if byte == 0xC2:
        return 2 if at + 1 < len(text) and text[at + 1] == 0xA0 else 0
    if byte == 0xE3:
        return 3 if at + 2 < len(text) and text[at + 1] == 0x80 and text[at + 2] == 0x80 else 0
    if byte == _AMPERSAND and at + 5 < len(text):
        for place in range(6):
            if text[at + place] != _NBSP[place]:
                return 0
        return 6
    return 0


@compiled
def _reference_bytes(text: UInt8Array, at: int) -> int:
    """Return the length of the character reference at an ampersand; 1 where there is none."""
    for place in range(at + 1, min(at + _REFERENCE_BYTES, len(text))):
        if text[place] == _SEMICOLON:
            return place + 1 - at
        if not (_is_word(text[place]) or text[place] == _HASH):
            break
    return 1


@compiled
def _is_word(byte: int) -> bool:
    """Whether a byte is an ASCII letter or digit."""
    return 0x61 <= byte | 0x20 <= 0x7A or 0x30 <= byte <= 0x39


@compiled
def _with_byte(key: np.uint64, text: UInt8Array, at: int, byte: int) -> np.uint64:
    """Return a line's key with the character that begins at a place."""
    if byte < 0x80:
        if _is_word(byte):
            key = (key ^ np.uint64(byte)) * np.uint64(_PRIME)
    elif 0xE3 <= byte <= 0xE9 and at + 2 < len(text):
        key = _with_ideograph(key, byte, text[at + 1], text[at + 2])
    return key


@compiled
def _with_ideograph(key: np.uint64, first: int, second: int, third: int) -> np.uint64:
    """Return a line's key with a character of three bytes, if it is an ideograph or beyond."""
    code = (first & 15) << 12 | (second & 63) << 6 | third & 63
    if code < _FIRST_IDEOGRAPH:
        return key
    return (key ^ np.uint64(code)) * np.uint64(_PRIME)


@compiled
def _line_keys(text: UInt8Array) -> UInt64Array:
    """Return the key of each line of the main text."""
    text = uncounted(text)
    lines = 1
    for byte in text:
        lines += byte == _LINE_FEED
    keys = np.empty(lines, dtype=np.uint64)
    line, key = 0, np.uint64(_START)
    at, size = 0, len(text)
    while at < size:
        byte = text[at]
        if byte >= 0xE0 and at + 2 < size:
            if 0xE3 <= byte <= 0xE9:
                key = _with_ideograph(key, byte, text[at + 1], text[at + 2])
            at += 3
            continue
        if byte == _LINE_FEED:
            keys[line] = key
            line, key = line + 1, np.uint64(_START)
        elif _is_word(byte):
            key = (key ^ np.uint64(byte)) * np.uint64(_PRIME)
        at += 1
    keys[line] = key
    return keys


@compiled
def _matched(keys: UInt64Array, main_keys: UInt64Array) -> Int64Array:
    """Return for each line of the page the line of the main text that it is, or -1."""
    keys, main_keys = uncounted(keys), uncounted(main_keys)
    entries = np.zeros(table_size(len(main_keys)), dtype=np.uint64)
    first = np.full(len(entries), -1, dtype=np.int64)  # the next line that a copy will be
    following = np.full(len(main_keys), -1, dtype=np.int64)
    for line in range(len(main_keys) - 1, -1, -1):
        key = max(main_keys[line], np.uint64(1))
        slot = find_slot(entries, key)
        entries[slot] = key
        following[line] = first[slot]
        first[slot] = line
    found = np.full(len(keys), -1, dtype=np.int64)
    for line in range(len(keys)):
        slot = find_slot(entries, max(keys[line], np.uint64(1)))
        found[line] = first[slot]
        if found[line] >= 0 and following[found[line]] >= 0:
            first[slot] = following[found[line]]
    return found
