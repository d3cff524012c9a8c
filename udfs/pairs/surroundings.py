"""What surrounds image places in a page's visible text: context, link, main text, caption lines.

One compiled loop over the rows of a page; the context of a place is found by the characters that
each block of bytes has.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt64Array
from udfs.base.jit import (
    BLOCK_BYTES,
    bit_count,
    compiled,
    equal_bits,
    first_bit,
    low_bits,
    uncounted,
)
from udfs.pairs.markup import NUMBERS
from udfs.pairs.plain_values import (
    ABSENT,
    AMPERSANDS,
    OF_TEXT,
    SLOW,
    address_recipe,
    is_blank,
    reference_at,
)
from udfs.pairs.relations import FIRST, IN_LINK, LAST
from udfs.pairs.rows import (
    CONTEXT_AFTER,
    CONTEXT_BEFORE,
    ENTRY,
    IN_MAIN,
    LINE,
    LINK_TEXT,
    put_span,
    span_column,
)

CONTEXT_CHARS = 200
REFERENCE_CHARS = 100  # more that are read where references are to be resolved
_HREF = NUMBERS["href"]
_AMPERSAND, _LOWER_CASE, _OPEN, _BRACKET = 0x26, 0x20, 0x28, 0x5B
_LINK_COLUMN, _CONTEXT_COLUMN = span_column(LINK_TEXT), span_column(CONTEXT_BEFORE)
_ALL_BITS = (1 << BLOCK_BYTES) - 1
_MIDDLE = tuple(b"vecom")  # of creativecommons
_LINE_BYTES = 400  # of a line of 100 characters, at most
_SCRIPT = (0x6A, 0x61, 0x76, 0x61, 0x73, 0x63, 0x72, 0x69, 0x70, 0x74, 0x3A)  # javascript:
LIKELY_AFTER, LIKELY_BEFORE = 1, 2
"""Flags: the line behind a place may say that it is the caption; the line before it may."""


@compiled
def surround(
    page: bytes,
    text: UInt8Array,
    places: Int64Array,
    starts: Int64Array,
    ends: Int64Array,
    main: Int64Array,
    entries: Int64Array,
    attributes: Int64Array,
    rows: Int64Array,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    names: UInt64Array,
    codes: Int32Array,
) -> UInt8Array:
    """Fill rows with context, link, and line of the main text; return flags, shape (rows,).

    Texts that need more than copying get the recipe SLOW.

    Args:
        text: And places, starts, ends and main, of `udfs.pairs.text_lines.TextLines`.
        rows: Of ascending entries.
    """
    page, text, entries, rows = (
        uncounted(page),
        uncounted(text),
        uncounted(entries),
        uncounted(rows),
    )
    likely = np.zeros(len(rows), dtype=np.uint8)
    linked = np.full(len(entries), -1, dtype=np.int64)  # the first row in each link
    last = -1
    for row in range(len(rows)):
        entry = rows[row, ENTRY]
        if entry < 0:
            continue
        if last >= 0 and places[rows[last, ENTRY]] == places[entry]:
            for column in range(_CONTEXT_COLUMN, _CONTEXT_COLUMN + 6):
                rows[row, column] = rows[last, column]
            rows[row, IN_MAIN], rows[row, LINE] = rows[last, IN_MAIN], rows[last, LINE]
            likely[row] = likely[last]
        else:
            _put_context(text, places[entry], names, codes, rows, row)
            likely[row] = _put_line(text, places[entry], starts, ends, main, rows, row)
        last = row
        link = entries[entry, IN_LINK]
        if link < 0:
            continue
        if linked[link] < 0:
            linked[link] = row
            _put_link(
                page, attributes, entries, link, prefix, prefixes, max_bytes, kinds, rows, row
            )
        else:
            for column in range(_LINK_COLUMN, _LINK_COLUMN + 3):
                rows[row, column] = rows[linked[link], column]
    return likely


@compiled
def _width(byte: int) -> int:
    """Return the bytes of the character that begins with a byte."""
    return 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)


@compiled
def _starts(text: UInt8Array, at: int) -> np.uint64:
    """Return which bytes of a block begin a character."""
    return low_bits(text, at, 0x7F) | (low_bits(text, at, 0xBF) ^ np.uint64(_ALL_BITS))


@compiled
def _before(text: UInt8Array, at: int, chars: int) -> int:
    """Return the place that a number of characters precede a place, or 0."""
    while at >= BLOCK_BYTES:
        bits = _starts(text, at - BLOCK_BYTES)
        count = bit_count(bits)
        if count >= chars:
            for _ in range(count - chars):
                bits &= bits - np.uint64(1)
            return at - BLOCK_BYTES + first_bit(bits)
        chars -= count
        at -= BLOCK_BYTES
    while at > 0 and chars > 0:
        at -= 1
        chars -= text[at] & 0xC0 != 0x80
    return at


@compiled
def _behind(text: UInt8Array, at: int, chars: int) -> int:
    """Return the place behind a number of characters from a place on, or the text's end."""
    while at + BLOCK_BYTES <= len(text):
        bits = _starts(text, at)
        count = bit_count(bits)
        if count > chars:
            for _ in range(chars):
                bits &= bits - np.uint64(1)
            return at + first_bit(bits)
        chars -= count
        at += BLOCK_BYTES
    while at < len(text):
        if text[at] & 0xC0 != 0x80:
            if chars == 0:
                break
            chars -= 1
        at += 1
    return at


@compiled
def _has_ampersand(text: UInt8Array, at: int, end: int) -> bool:
    while at + BLOCK_BYTES <= end:
        if equal_bits(text, at, _AMPERSAND):
            return True
        at += BLOCK_BYTES
    while at < end and text[at] != _AMPERSAND:
        at += 1
    return at < end


@compiled
def _put_context(
    text: UInt8Array,
    at: int,
    names: UInt64Array,
    codes: Int32Array,
    rows: Int64Array,
    row: int,
) -> None:
    """Store the context of a place; with references that are not certain, where the place is."""
    text = uncounted(text)
    begin, end = _before(text, at, CONTEXT_CHARS), _behind(text, at, CONTEXT_CHARS)
    recipe = OF_TEXT
    if _has_ampersand(text, begin, at):
        for _ in range(REFERENCE_CHARS):
            begin -= begin > 0
            while begin > 0 and text[begin] & 0xC0 == 0x80:
                begin -= 1
        begin, stop = stripped(text, begin, at)
        chars = _shown_chars(text, begin, stop, len(text), names, codes)[0]
        recipe = SLOW if chars < 0 else OF_TEXT | AMPERSANDS
        if chars > CONTEXT_CHARS:
            begin = _shown_chars(text, begin, stop, chars - CONTEXT_CHARS, names, codes)[1]
        begin, stop = stripped(text, begin, stop)
    else:
        begin, stop = stripped(text, begin, at)
    if recipe == SLOW:
        begin = stop = at
    put_span(rows, row, CONTEXT_BEFORE, begin, stop, recipe)
    recipe = OF_TEXT
    if _has_ampersand(text, at, end):
        for _ in range(REFERENCE_CHARS):
            end += _width(text[end]) if end < len(text) else 0
        begin, stop = stripped(text, at, end)
        chars, stop = _shown_chars(text, begin, stop, CONTEXT_CHARS, names, codes)
        recipe = SLOW if chars < 0 else OF_TEXT | AMPERSANDS
        begin, stop = stripped(text, begin, stop)
    else:
        begin, stop = stripped(text, at, end)
    if recipe == SLOW:
        begin = stop = at
    put_span(rows, row, CONTEXT_AFTER, begin, stop, recipe)


@compiled
def _shown_chars(
    text: UInt8Array, at: int, end: int, most: int, names: UInt64Array, codes: Int32Array
) -> tuple[int, int]:
    """Count characters, references resolved, up to a number of them; return how many they are and
    where they end; -1 where a reference is not certain."""
    chars = 0
    while at < end and chars < most:
        length = _width(text[at])
        if text[at] == _AMPERSAND:
            length, _ = reference_at(text, at, end, names, codes)
            if length == 0:
                return -1, end
        at += length
        chars += 1
    return chars, at


@compiled
def stripped(text: UInt8Array, begin: int, end: int) -> tuple[int, int]:
    """Return begin and end of a part of a text without the spaces that str.strip removes."""
    while begin < end:
        width = 1 if is_blank(text[begin]) else _space_bytes(text, begin)
        if width == 0:
            break
        begin += width
    while begin < end:
        if is_blank(text[end - 1]):
            end -= 1
        elif end - begin >= 2 and _space_bytes(text, end - 2) == 2:
            end -= 2
        elif end - begin >= 3 and _space_bytes(text, end - 3) == 3:
            end -= 3
        else:
            break
    return begin, end


@compiled
def _space_bytes(text: UInt8Array, at: int) -> int:
    """Return the bytes of a space that is not of ASCII; 0 for another character."""
    byte = text[at]
    if byte == 0xC2:
        return 2 if text[at + 1] in (0x85, 0xA0) else 0
    if byte not in (0xE1, 0xE2, 0xE3):
        return 0
    second, third = text[at + 1], text[at + 2]
    if byte == 0xE1:
        is_space = second == 0x9A and third == 0x80
    elif byte == 0xE3:
        is_space = second == 0x80 and third == 0x80
    elif second == 0x80:
        is_space = third <= 0x8A or third in (0xA8, 0xA9, 0xAF)
    else:
        is_space = second == 0x81 and third == 0x9F
    return 3 if is_space else 0


@compiled
def _below(values: Int64Array, limit: int) -> int:
    """Return how many of ascending values are below a limit."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _put_line(
    text: UInt8Array,
    at: int,
    starts: Int64Array,
    ends: Int64Array,
    main: Int64Array,
    rows: Int64Array,
    row: int,
) -> int:
    """Store the line of the main text for a place without a caption; return its flags."""
    before, following = _below(starts, at) - 1, _below(ends, at + 1)
    likely = 0
    if following < len(ends) and starts[following] >= at:
        likely |= LIKELY_AFTER * _may_be_marked(text, starts[following], ends[following])
    if before >= 0 and ends[before] <= at:
        likely |= LIKELY_BEFORE * _points_down(text, starts[before], ends[before])
    if before >= 0 and main[before] >= 0:
        rows[row, IN_MAIN], rows[row, LINE] = 1, main[before]
    elif following < len(main) and main[following] >= 0:
        rows[row, IN_MAIN], rows[row, LINE] = 1, main[following] - 1
    return likely


@compiled
def _may_be_marked(text: UInt8Array, begin: int, end: int) -> bool:
    """Whether a line has a character without which `udfs.pairs.texts.is_marked_caption` is false:
    one of 图摄照, or one of ▲△↑（([【 first."""
    if end - begin > _LINE_BYTES:
        return False
    if text[begin] in (_OPEN, _BRACKET):
        return True
    for at in range(begin, end - 2):
        byte = text[at]
        if byte < 0xE2:
            continue
        second, third = text[at + 1], text[at + 2]
        if byte == 0xE5:
            if second == 0x9B and third == 0xBE:
                return True
        elif byte == 0xE6:
            if second == 0x91 and third == 0x84:
                return True
        elif byte == 0xE7:
            if second == 0x85 and third == 0xA7:
                return True
        elif at == begin:
            if byte == 0xE2 and second in (0x86, 0x96) and third in (0x91, 0xB2, 0xB3):
                return True
            if byte == 0xEF and second == 0xBC and third == 0x88:
                return True
            if byte == 0xE3 and second == 0x80 and third == 0x90:
                return True
    return False


@compiled
def _points_down(text: UInt8Array, begin: int, end: int) -> bool:
    """Whether a line may be one of `udfs.pairs.texts.is_caption_of_next`: it begins with ▼▽↓."""
    if not 3 <= end - begin <= _LINE_BYTES or text[begin] != 0xE2:
        return False
    return text[begin + 1] in (0x86, 0x96) and text[begin + 2] in (0x93, 0xBC, 0xBD)


@compiled
def _put_link(
    page: bytes,
    attributes: Int64Array,
    entries: Int64Array,
    link: int,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    rows: Int64Array,
    row: int,
) -> None:
    """Store the target of a link, if it has one that may be an address."""
    for at in range(entries[link, FIRST], entries[link, LAST]):
        if attributes[at, 0] != _HREF:
            continue
        begin, end, start, recipe = address_recipe(
            page, attributes[at, 1], attributes[at, 2], prefix, prefixes, max_bytes, kinds
        )
        if recipe != ABSENT and not _is_script(page, begin, end):
            put_span(rows, row, LINK_TEXT, start, end, recipe)


@compiled
def _is_script(page: bytes, begin: int, end: int) -> bool:
    """Whether an address is one of JavaScript, which is no target."""
    if end - begin < len(_SCRIPT):
        return False
    for place in range(len(_SCRIPT)):
        byte = page[begin + place]
        if (byte | _LOWER_CASE if byte >= 0x41 else byte) != _SCRIPT[place]:
            return False
    return True


@compiled
def may_hold_license(page: bytes) -> bool:
    """Whether a page has the middle of "creativecommons", block by block."""
    page = uncounted(page)
    at, size, letters = 0, len(page), len(_MIDDLE)
    while at + BLOCK_BYTES + letters <= size:
        bits = equal_bits(page, at, _MIDDLE[0])
        for place in range(1, letters):
            bits &= equal_bits(page, at + place, _MIDDLE[place])
        if bits:
            return True
        at += BLOCK_BYTES
    while at + letters <= size:
        found = 0
        while found < letters and page[at + found] == _MIDDLE[found]:
            found += 1
        if found == letters:
            return True
        at += 1
    return False
