"""Marks: control characters inserted beside a page's tags before it is parsed.

The parser returns the text of all nodes, concatenated, at little cost. The marks show in it where
lines, links, cells and blocks begin and end. The parser treats them as text beside the tags, and
drops those that are in comments, attributes and heads. The page's own control characters are
replaced before. Walking the nodes from Python takes longer than a whole extraction this way, and
so does the text writer of resiliparse.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import BoolArray, Int64Array, IntpArray, UInt8Array
from udfs.base.jit import compiled, copy_bytes
from udfs.html.class_words import VALUE_BITS, block_values, element_value
from udfs.html.tags import CODES, Tags, tag_code

# The marks. None of them is whitespace in HTML or in Python.
LINK, LINK_END = 0x01, 0x02
PARAGRAPH, ITEM, BREAK, BLOCK_END = 0x03, 0x04, 0x05, 0x06  # each also ends a line
CELL_END = 0x07
HARD_SPACE = 0x08
SCRIPT, SCRIPT_END = 0x0E, 0x0F  # other marks may be between them
DIGIT, DIGIT_BITS = 0x10, 3  # a block begins: its value, three bits a character
DIGITS = -(-VALUE_BITS // DIGIT_BITS)
CODE, CODE_END = 0x18, 0x19
WIDGET, WIDGET_END = 0x1A, 0x1B  # other elements whose text is not part of the page's
MARKS_END = 0x1C  # all marks are lower
MARKS = bytes([*range(0x01, 0x09), *range(0x0E, MARKS_END)])
# The page's own ones become DEL: without them, "&#200\x013;" would be a reference.
DELETE = 0x7F
_FIRST_SPACE, _LOWEST_LATE_MARK = 0x09, 0x0E
_UNMARKED = bytes.maketrans(MARKS, bytes([DELETE]) * len(MARKS))

_BLOCK, _CELL, _ROW = 0x80, 0x81, 0x82  # not written: replaced by digits; where rows begin
_START_MARKS = np.zeros(CODES, dtype=np.uint8)
_END_MARKS = np.zeros(CODES, dtype=np.uint8)
_OUTSIDE = np.zeros(CODES, dtype=np.bool_)  # marks go outside the element
_VALUE_OF_ELEMENT = np.zeros(CODES, dtype=np.int64)  # of those that are blocks
# Names with the first three letters of another: header, not head; textarea, not text.
_FIFTH_LETTERS = np.zeros(CODES, dtype=np.uint8)
_FIFTH_LETTERS[[tag_code("header"), tag_code("textarea")]] = [ord("e"), ord("a")]
for _names, _start, _end in (
    ("a", LINK, LINK_END),
    ("p", PARAGRAPH, BREAK),
    ("li", ITEM, BREAK),
    ("br hr option", BREAK, 0),
    ("h dt dd form legend figure address details summary dialog caption", BREAK, BREAK),
    ("table", BREAK, BREAK),
    # The parser moves text outside cells out of a table: cells mark where rows begin.
    ("tr", _ROW, 0),
    ("td th", _CELL, CELL_END),
    ("div section article main ul ol dl aside footer header nav", _BLOCK, BLOCK_END),
    ("center blockquote fieldset", _BLOCK, BLOCK_END),
    ("pre", CODE, CODE_END),
    ("script", SCRIPT, SCRIPT_END),
    ("style textarea iframe noscript select button", WIDGET, WIDGET_END),
):
    for _name in _names.split():
        _START_MARKS[tag_code(_name)] = _start
        _END_MARKS[tag_code(_name)] = _end
        if _start in (_BLOCK, _CELL):
            _VALUE_OF_ELEMENT[tag_code(_name)] = element_value(_name, tag_code(_name))
_OUTSIDE[tag_code("table")] = True
_IS_SCRIPT = np.zeros(CODES, dtype=np.bool_)
_IS_SCRIPT[[tag_code("script"), tag_code("style")]] = True
_LONG_SCRIPT_BYTES = 1000  # parsing shorter ones costs less than cutting them out
_SCRIPT_BLOCK = 512
_MAX_TAG_BYTES = 400  # the rest of a longer tag is not read
_LESS, _GREATER, _MINUS, _EXCLAMATION = 0x3C, 0x3E, 0x2D, 0x21
_BACKSLASH, _LOWER_CASE = 0x5C, 0x20  # the bit that letters of lower case have
_BARE_TAG_BYTES = 7  # <center, <article: no room for a class or an id


def unmarked(page: bytes) -> bytes:
    """Return a page without zero bytes and without control characters that are marks."""
    return page.translate(_UNMARKED, b"\0") if _holds_marks(page) else page


@compiled
def _holds_marks(page: bytes) -> bool:
    """Whether a page has a mark or a zero byte."""
    found = False
    for byte in page:  # to the end: without an early exit the loop is vectorised
        found |= byte < _FIRST_SPACE or _LOWEST_LATE_MARK <= byte < MARKS_END
    return found


def without_scripts(tags: Tags) -> Tags:
    """Return a page without the content of its long scripts and styles: often half of its bytes.

    What looks like a script may begin in a comment or an attribute, and extend into the text: over
    a comment's end, over another script's tag, or from within a tag. Such ones stay.
    """
    page = tags.page
    begins, stops, starts, ends, codes, is_end, may_continue = _without_scripts(
        page, tags.starts, tags.ends, tags.codes, tags.is_end, tags.may_continue, _IS_SCRIPT
    )
    if not len(begins):
        return tags
    parts = zip([0, *stops.tolist()], [*begins.tolist(), len(page)], strict=True)
    return Tags(
        b"".join([page[start:end] for start, end in parts]),
        starts,
        ends,
        codes,
        is_end,
        may_continue,
    )


@compiled
def _without_scripts(
    page: bytes,
    starts: IntpArray,
    ends: IntpArray,
    codes: IntpArray,
    is_end: BoolArray,
    may_continue: BoolArray,
    is_script: BoolArray,
) -> tuple[
    IntpArray,
    IntpArray,
    IntpArray,
    IntpArray,
    IntpArray,
    BoolArray,
    BoolArray,
]:
    """Return the starts and ends of the cuts, and the arrays of the remaining tags."""
    room = len(page) // _LONG_SCRIPT_BYTES + 1
    begins, stops = np.empty(room, dtype=np.intp), np.empty(room, dtype=np.intp)
    cuts, opening = 0, -1
    for tag in range(len(codes)):
        if not is_script[codes[tag]]:
            continue
        if not is_end[tag]:
            opening = tag
            continue
        if opening >= 0 and codes[tag] == codes[opening]:
            start, begin, stop = starts[opening], ends[opening], starts[tag]
            if (
                stop - start > _LONG_SCRIPT_BYTES
                and begin <= stop
                and not _within_tag(page, start)
                and not _holds_comment_mark(page, begin, stop)
            ):
                begins[cuts], stops[cuts] = begin, stop
                cuts += 1
        opening = -1

    left = len(codes) if cuts else 0
    new_starts, new_ends, new_codes = (
        np.empty(left, dtype=np.intp),
        np.empty(left, dtype=np.intp),
        np.empty(left, dtype=np.intp),
    )
    new_is_end, new_may_go_on = np.empty(left, dtype=np.bool_), np.empty(left, dtype=np.bool_)
    kept = cut = gone = 0
    for tag in range(left):
        while cut < cuts and stops[cut] <= starts[tag]:
            gone += stops[cut] - begins[cut]
            cut += 1
        if cut == cuts or starts[tag] < begins[cut]:
            new_starts[kept], new_ends[kept] = starts[tag] - gone, ends[tag] - gone
            new_codes[kept] = codes[tag]
            new_is_end[kept], new_may_go_on[kept] = is_end[tag], may_continue[tag]
            kept += 1
    return (
        begins[:cuts],
        stops[:cuts],
        new_starts[:kept],
        new_ends[:kept],
        new_codes[:kept],
        new_is_end[:kept],
        new_may_go_on[:kept],
    )


@compiled
def _within_tag(page: bytes, place: int) -> bool:
    """Whether the last "<" or ">" before a place is a "<"."""
    at = place - 1
    while at >= 0 and page[at] != _LESS and page[at] != _GREATER:
        at -= 1
    return at >= 0 and page[at] == _LESS


@compiled
def _holds_comment_mark(page: bytes, begin: int, end: int) -> bool:
    """Whether a range of a page has "<!--" or "-->"."""
    at = begin
    while at < end - 1:
        while at + _SCRIPT_BLOCK < end and not _holds_minuses(page[at : at + _SCRIPT_BLOCK + 1]):
            at += _SCRIPT_BLOCK
        for place in range(at, min(at + _SCRIPT_BLOCK, end - 1)):
            if _is_comment_mark(page, place, begin, end):
                return True
        at += _SCRIPT_BLOCK
    return False


@compiled
def _holds_minuses(block: bytes) -> bool:
    """Whether two minus signs are adjacent; without an early exit, so the loop is vectorised."""
    found = False
    first, second = block[:-1], block[1:]
    for place in range(len(first)):
        found |= (first[place] == _MINUS) & (second[place] == _MINUS)
    return found


@compiled
def _is_comment_mark(page: bytes, at: int, begin: int, end: int) -> bool:
    """Whether two minus signs at a place are the second half of "<!--" or the first of "-->"."""
    return bool(
        page[at] == _MINUS
        and page[at + 1] == _MINUS
        and (
            (at + 2 < end and page[at + 2] == _GREATER)
            or (at - 2 >= begin and page[at - 1] == _EXCLAMATION and page[at - 2] == _LESS)
        )
    )


def marked(tags: Tags) -> bytes:
    """Insert the marks into a page.

    Args:
        tags: Tags of a page after `unmarked`.
    """
    page = tags.page
    places, marks, values, asked, starts, stops = _chosen_marks(
        page,
        tags.starts,
        tags.ends,
        tags.codes,
        tags.is_end,
        _START_MARKS,
        _END_MARKS,
        _OUTSIDE,
        _VALUE_OF_ELEMENT,
        _FIFTH_LETTERS,
    )
    if not len(marks):
        return page
    values[asked] = block_values(page, starts, stops, values[asked])
    return _with_marks(page, places, marks, values).tobytes()


@compiled
def _chosen_marks(
    page: bytes,
    starts: IntpArray,
    ends: IntpArray,
    codes: IntpArray,
    is_end: BoolArray,
    start_marks: UInt8Array,
    end_marks: UInt8Array,
    outside: BoolArray,
    value_of_element: Int64Array,
    fifth_letters: UInt8Array,
) -> tuple[
    IntpArray,
    UInt8Array,
    Int64Array,
    IntpArray,
    IntpArray,
    IntpArray,
]:
    """Choose the marks and their places.

    Returns:
        For each mark, in order: its place in the page, the mark, and its element's value; then, for
        each start tag whose attributes may change it: the mark's number, the tag's start and end.
    """
    room = len(codes)
    places, marks = np.empty(room, dtype=np.intp), np.empty(room, dtype=np.uint8)
    values = np.empty(room, dtype=np.int64)
    asked, asked_starts, asked_stops = (
        np.empty(room, dtype=np.intp),
        np.empty(room, dtype=np.intp),
        np.empty(room, dtype=np.intp),
    )
    count = asked_count = place = 0
    row_begins = False
    for tag in range(room):
        code, closes = codes[tag], is_end[tag]
        mark = end_marks[code] if closes else start_marks[code]
        if mark == 0:
            continue
        if mark == _ROW:
            row_begins = True
            continue
        if mark == _CELL:
            if row_begins:
                mark = _BLOCK  # the first cell of its row
            row_begins = False
        start, end = starts[tag], ends[tag]
        # A tag that the page's end cuts is not a tag; <\/script> is part of a script.
        if end > len(page) or page[start + 1] == _BACKSLASH:
            continue
        fifth = fifth_letters[code]
        if fifth and page[min(start + closes + 5, len(page) - 1)] | _LOWER_CASE != fifth:
            continue
        # After a start tag, before an end tag. "<" in an attribute can put two out of order.
        place = max(place, start if closes != outside[code] else end)
        places[count], marks[count], values[count] = place, mark, value_of_element[code]
        if mark >= _BLOCK and end - start > _BARE_TAG_BYTES:
            asked[asked_count], asked_starts[asked_count] = count, start
            asked_stops[asked_count] = min(end, start + _MAX_TAG_BYTES)
            asked_count += 1
        count += 1
    return (
        places[:count],
        marks[:count],
        values[:count],
        asked[:asked_count],
        asked_starts[:asked_count],
        asked_stops[:asked_count],
    )


@compiled
def _with_marks(
    page: bytes,
    places: IntpArray,
    marks: UInt8Array,
    values: Int64Array,
) -> UInt8Array:
    """Insert marks at these places, which do not decrease."""
    size = len(page)
    for mark in marks:
        size += 1 if mark < _BLOCK else DIGITS + (mark == _BLOCK)
    whole = np.empty(size, dtype=np.uint8)
    at = to = 0
    for number in range(len(marks)):
        length = places[number] - at
        copy_bytes(whole, to, page, at, length)
        at += length
        to += length
        mark, value = marks[number], values[number]
        if mark < _BLOCK:
            whole[to] = mark
            to += 1
            continue
        if mark == _BLOCK:
            whole[to] = BREAK
            to += 1
        for digit in range(DIGITS):
            whole[to] = DIGIT + (value >> DIGIT_BITS * (DIGITS - 1 - digit) & 7)
            to += 1
    copy_bytes(whole, to, page, at, len(page) - at)
    return whole
