"""Marks: control characters put beside a page's tags before it is parsed.

What the parser gives at little cost is the text of all nodes, run together. The marks say in it
where lines, links, cells and blocks begin and end. The parser carries them through as text, to
wherever it puts the tags, and drops them with the comments, attributes and heads that they may
stand in. The page itself holds none of them by then. Walking the nodes from Python takes longer
than a whole extraction does so, and so does the text writer of resiliparse.
"""

from __future__ import annotations

import numpy as np

from udfs.block_words import ELEMENT_KINDS, block_kinds
from udfs.html_guard import CODES, Tags, tag_code

# The marks. No whitespace to HTML or to Python is among them.
LINK, LINK_END = 0x01, 0x02
PARAGRAPH, ITEM, BREAK, BLOCK_END = 0x03, 0x04, 0x05, 0x06  # each also ends a line
CELL_END = 0x07
HARD_SPACE = 0x08
SCRIPT, SCRIPT_END = 0x0E, 0x0F  # marks of any kind may stand between
DIGIT, DIGIT_BITS, DIGITS = 0x10, 3, 3  # a block begins: its kinds, three bits a character
CODE, CODE_END = 0x18, 0x19
WIDGET, WIDGET_END = 0x1A, 0x1B  # other elements whose text is not for reading
MARKS_END = 0x1C  # marks are below
MARKS = bytes([*range(0x01, 0x09), *range(0x0E, MARKS_END)])
# What the page itself has of them becomes DEL: taken out, "&#200\x013;" would be a reference.
DELETE = 0x7F
_FIRST_SPACE, _LOWEST_LATE_MARK, _LATE_MARKS = 0x09, np.uint8(0x0E), MARKS_END - 0x0E
_UNMARKED = bytes.maketrans(MARKS, bytes([DELETE]) * len(MARKS))

_BLOCK, _CELL, _ROW = 0x80, 0x81, 0x82  # not written: places for digits, and where rows begin
_START_MARKS = np.zeros(CODES, dtype=np.uint8)
_END_MARKS = np.zeros(CODES, dtype=np.uint8)
_OUTSIDE = np.zeros(CODES, dtype=np.bool_)  # marks go outside the element
_KINDS_OF_ELEMENT = np.zeros(CODES, dtype=np.uint8)
# Names that share their first three letters with another: header, not head; textarea, not text.
_FIFTH_LETTERS = np.zeros(CODES, dtype=np.uint8)
_FIFTH_LETTERS[[tag_code("header"), tag_code("textarea")]] = [ord("e"), ord("a")]
for _names, _start, _end in (
    ("a", LINK, LINK_END),
    ("p", PARAGRAPH, BREAK),
    ("li", ITEM, BREAK),
    ("br hr option", BREAK, 0),
    ("h dt dd form legend figure address details summary dialog caption", BREAK, BREAK),
    ("table", BREAK, BREAK),
    # In a table the parser lets no text stand outside of cells: they say where rows begin.
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
        _KINDS_OF_ELEMENT[tag_code(_name)] = ELEMENT_KINDS.get(_name, 0)
_OUTSIDE[tag_code("table")] = True
_IS_SCRIPT = np.zeros(CODES, dtype=np.bool_)
_IS_SCRIPT[[tag_code("script"), tag_code("style")]] = True
_LONG_SCRIPT_BYTES = 1000  # shorter ones cost less than the cut
_MAX_TAG_BYTES = 400  # what a longer tag says further on is not read
_BARE_TAG_BYTES = 7  # <center, <article: no room for an attribute that says anything


def unmarked(page: bytes) -> bytes:
    """A page without zero bytes and without characters that could be taken for marks."""
    codes = np.frombuffer(page, dtype=np.uint8)
    if (codes < _FIRST_SPACE).any() or (codes - _LOWEST_LATE_MARK < _LATE_MARKS).any():
        return page.translate(_UNMARKED, b"\0")
    return page


def without_scripts(tags: Tags) -> Tags:
    """A page without what is in its long scripts and styles: often half of its bytes.

    What looks like a script may stand in a comment or an attribute, and reach from there into the
    text: over a comment's end, over another script's tag, or from within a tag. Those stay.
    """
    raw = np.flatnonzero(_IS_SCRIPT[tags.codes])
    starts, codes = tags.starts[raw], tags.codes[raw]
    pairs = np.flatnonzero(
        ~tags.is_end[raw[:-1]]
        & tags.is_end[raw[1:]]
        & (codes[1:] == codes[:-1])
        & (np.diff(starts) > _LONG_SCRIPT_BYTES)
    )
    page = tags.page
    begins: list[int] = []
    ends: list[int] = []
    for start, end in zip(starts[pairs].tolist(), starts[pairs + 1].tolist(), strict=True):
        begin = page.find(b">", start, end) + 1
        if (
            begin
            and page.rfind(b"<", 0, start) <= page.rfind(b">", 0, start)
            and page.find(b"<!--", begin, end) < 0
            and page.find(b"-->", begin, end) < 0
        ):
            begins.append(begin)
            ends.append(end)
    if not begins:
        return tags
    gone = np.append(0, np.cumsum(np.subtract(ends, begins)))
    before = np.searchsorted(ends, tags.starts, side="right")  # scripts that end before each tag
    kept = tags.starts < np.append(begins, len(page))[before]
    return Tags(
        b"".join([page[a:b] for a, b in zip([0, *ends], [*begins, len(page)], strict=True)]),
        (tags.starts - gone[before])[kept],
        (tags.ends - gone[before])[kept],
        tags.codes[kept],
        tags.is_end[kept],
        tags.may_go_on[kept],
    )


def marked(tags: Tags) -> bytes:
    """A page with the marks put in.

    Args:
        tags: Of a page without marks of its own.
    """
    marks = np.where(tags.is_end, _END_MARKS[tags.codes], _START_MARKS[tags.codes])
    chosen = np.flatnonzero(marks)
    if not len(chosen):
        return tags.page
    page = np.frombuffer(tags.page, dtype=np.uint8)
    marks, codes, is_end = marks[chosen], tags.codes[chosen], tags.is_end[chosen]
    starts, ends = tags.starts[chosen], tags.ends[chosen]
    kept = ends <= len(page)  # a tag that the page's end cuts is none
    kept &= page[starts + 1] != ord("\\")  # <\/script> in a script
    letters = _FIFTH_LETTERS[codes]
    fifth = page[np.minimum(starts + is_end + 5, len(page) - 1)] | 0x20
    kept &= (letters == 0) | (letters == fifth)
    # The cells that are the first of their row.
    in_tables = np.flatnonzero((marks == _CELL) | (marks == _ROW))
    first_cells = in_tables[1:][(marks[in_tables[:-1]] == _ROW) & (marks[in_tables[1:]] == _CELL)]
    marks[first_cells] = _BLOCK
    kept[in_tables] &= marks[in_tables] != _ROW
    marks, codes, is_end = marks[kept], codes[kept], is_end[kept]
    starts, ends = starts[kept], ends[kept]

    is_block = marks >= _BLOCK
    blocks = np.flatnonzero(is_block)
    kinds = _KINDS_OF_ELEMENT[codes[blocks]]
    lengths = ends[blocks] - starts[blocks]
    says = np.flatnonzero(lengths > _BARE_TAG_BYTES)
    tag_starts = starts[blocks][says]
    tag_stops = tag_starts + np.minimum(lengths[says], _MAX_TAG_BYTES)
    kinds[says] |= block_kinds(
        [tags.page[a:b] for a, b in zip(tag_starts.tolist(), tag_stops.tolist(), strict=True)]
    )

    # After a start tag, before an end tag. "<" in an attribute can put two out of order.
    places = np.maximum.accumulate(np.where(is_end ^ _OUTSIDE[codes], starts, ends))
    sizes = np.where(is_block, DIGITS, 1) + (marks == _BLOCK)
    after = places + np.cumsum(sizes)
    whole = np.empty(len(page) + int(sizes.sum()), dtype=np.uint8)
    is_text = np.ones(len(whole), dtype=np.bool_)
    to = after - sizes
    is_text[to] = False
    whole[to] = np.where(is_block, BREAK, marks)
    for digit in range(DIGITS):  # over the break, for cells
        to = after[blocks] - 1 - digit
        is_text[to] = False
        whole[to] = DIGIT + (kinds >> DIGIT_BITS * digit & 7)
    whole[is_text] = page
    return whole.tobytes()
