"""The lines of a page, found by numpy and regular expressions in many passes over its text.

It is the twin of the compiled loop in ``udfs.html.page_lines``, and shares with it what the marks
are.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from udfs.html.class_words import VALUE_BITS
from udfs.html.markers import (
    BLOCK_END,
    BREAK,
    CELL_END,
    CODE,
    CODE_END,
    DELETE,
    DIGIT,
    DIGIT_BITS,
    DIGITS,
    HARD_SPACE,
    ITEM,
    LINK,
    LINK_END,
    MARKS,
    MARKS_END,
    PARAGRAPH,
)
from udfs.html.page_lines import Blocks, Lines

_MAX_LINK_CHARS = 300

_SCRIPT_TEXT = re.compile(rb"\x0e[^\x0f]*+\x0f?")
_WIDGET_TEXT = re.compile(rb"\x1a[^\x1a\x1b]*+\x1b")
_CODE_TEXT = re.compile(rb"\x18[^\x19]*+")
_CODE_SPACES = ((b"\r", b""), (b"\n", b"\x05"), (b"\t", b"\x08" * 4), (b" ", b"\x08"))
_SPACES = bytes.maketrans(b"\t\n\x0b\x0c\r", b"     ")
_LINE_ENDS = bytes([PARAGRAPH, ITEM, BREAK, BLOCK_END, CODE_END])
_READABLE = bytes.maketrans(_LINE_ENDS + bytes([CELL_END]), b"\n\n\n\n\n\t")
_UNREADABLE = bytes(set(MARKS) - {*_LINE_ENDS, CELL_END, HARD_SPACE})
# References (&#16;) can put in marks that we did not: the end has room for what they promise.
_SPACE_RUN = re.compile(b"  +")
_END_OF_TEXT = bytes([BREAK]) * DIGITS
# What the model asks of a character, by its code; those past the table are visible.
_VISIBLE, _PUNCTUATES, _LATIN_END, _SPACE, _ENDS_LINE = (1 << bit for bit in range(5))
_CHARACTERS = np.full(1 << 16, _VISIBLE, dtype=np.uint8)
_CHARACTERS[[*range(0x20), DELETE, 0xFEFF]] = 0
_CHARACTERS[[code for code in range(1 << 16) if chr(code).isspace()]] = _SPACE
for _bit, _listed in (
    (_PUNCTUATES, "。！？；，、,"),
    (_LATIN_END, ".!?"),  # before a space
    (_ENDS_LINE, _LINE_ENDS.decode()),
):
    _CHARACTERS[[ord(_character) for _character in _listed]] |= _bit
# Visible characters in the lower half of a number and punctuation in the upper one: to add both
# up in one go takes half the time.
_HALF = 32
_LOW_HALF = (1 << _HALF) - 1
_COUNTS = (np.arange(256) & _VISIBLE > 0) + (
    (np.arange(256) & _PUNCTUATES > 0).astype(np.int64) << _HALF
)


def plain_lines(text: bytes) -> Lines:
    """The lines of the text of all nodes, with marks."""
    text = _WIDGET_TEXT.sub(b"", _SCRIPT_TEXT.sub(b"", text))
    if CODE in text:
        text = _CODE_TEXT.sub(_with_hard_spaces, text)
    text = text.translate(_SPACES) + _END_OF_TEXT
    codes = np.frombuffer(text.decode().encode("utf-32-le"), dtype="<u4")
    kinds = _CHARACTERS.take(codes, mode="clip")
    breaks = np.flatnonzero(kinds & _ENDS_LINE > 0)
    line_starts = np.append(0, breaks[:-1] + 1)

    visible = np.flatnonzero(kinds & _VISIBLE > 0)
    counts = _COUNTS[kinds]
    latin_end = np.flatnonzero(kinds & _LATIN_END > 0)
    counts[latin_end[kinds[latin_end + 1] & _SPACE > 0]] += 1 << _HALF  # the last is a break
    counts = np.add.reduceat(counts, line_starts)
    chars = counts & _LOW_HALF
    numbers = np.flatnonzero(chars)
    so_far = np.cumsum(chars)[numbers]
    chars = chars[numbers]
    first = visible[so_far - chars]
    marks = np.flatnonzero(codes < MARKS_END)
    mark_codes = codes[marks]
    block, blocks = _blocks(codes, marks, first)
    page = text.translate(_READABLE, _UNREADABLE)
    ends = np.array([end.start() for end in re.finditer(b"\n", page)])
    return Lines(
        page=page,
        numbers=numbers,
        starts=np.append(0, ends[:-1] + 1)[numbers],
        ends=ends[numbers],
        chars=chars,
        link_chars=_link_chars(marks, mark_codes, visible, so_far),
        punctuation=counts[numbers] >> _HALF,
        paragraph=_lines_after(marks[mark_codes == PARAGRAPH], first),
        item=_lines_after(marks[mark_codes == ITEM], first),
        block=block,
        blocks=blocks,
    )


def _with_hard_spaces(code: re.Match[bytes]) -> bytes:
    """Preformatted text whose spaces and line ends stay."""
    text = code[0][1:]
    for space, hard in _CODE_SPACES:
        text = text.replace(space, hard)
    return b"\x05" + text


def _lines_after(marks: npt.NDArray[np.intp], first: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """The lines that begin behind a mark, without another line between."""
    found = np.zeros(len(first) + 1, dtype=np.bool_)
    found[np.searchsorted(first, marks)] = True
    return found[:-1]


def _link_chars(
    marks: npt.NDArray[np.intp],
    codes: npt.NDArray[np.uint32],
    visible: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
) -> npt.NDArray[np.intp]:
    """Visible characters of each line in links: between a link's start and its next mark.

    Args:
        marks: Where marks are.
        codes: Of the marks.
        visible: Where visible characters are.
        ends: How many of them stand before the end of each line.
    """
    is_link = codes <= LINK_END
    before = np.searchsorted(visible, marks[is_link])  # visible characters before each mark
    opens = np.append(codes[is_link] == LINK, False)
    before = np.append(before, len(visible))
    sizes = np.diff(before)
    sizes[~opens[:-1] | (sizes > _MAX_LINK_CHARS)] = 0
    so_far = np.append(0, np.cumsum(sizes))
    last = np.searchsorted(before, ends) - 1  # the last mark before each line's end
    rest = np.minimum(ends - before[last], np.append(sizes, 0)[last])
    in_links = np.where(last < 0, 0, so_far[last] + rest)
    return np.asarray(np.diff(in_links, prepend=0))


def _blocks(
    codes: npt.NDArray[np.uint32], marks: npt.NDArray[np.intp], first: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], Blocks]:
    """The block of each line, and all blocks.

    Args:
        codes: Of all characters.
        marks: Where marks are.
        first: Where each line's first visible character is.
    """
    mark_codes = codes[marks]
    is_digit = (mark_codes >= DIGIT) & (mark_codes < DIGIT + (1 << DIGIT_BITS))
    starts = np.flatnonzero(is_digit)[::DIGITS]
    chosen = (mark_codes == BLOCK_END) | (mark_codes == CELL_END)
    chosen[starts] = True
    starts = marks[starts]
    marks, is_digit = marks[chosen], is_digit[chosen]
    parents = [0]
    inside = [0]  # the block after each number of marks
    around: list[int] = []
    current = 0
    for is_start in is_digit.tolist():
        if is_start:
            around.append(current)
            parents.append(current)
            current = len(parents) - 1
        elif around:
            current = around.pop()
        inside.append(current)
    values = np.zeros(len(parents), dtype=np.int64)
    for digit in range(DIGITS):
        bits = codes[starts + (DIGITS - 1 - digit)].astype(np.int64) - DIGIT
        values[1:] |= (bits << DIGIT_BITS * digit) & (1 << VALUE_BITS) - 1
    return np.array(inside)[np.searchsorted(marks, first)], Blocks(np.array(parents), values)


def plain_tidy(text: bytes) -> str:
    """Lines as they are read: one space between words, one tab between the cells of a row."""
    text = _SPACE_RUN.sub(b" ", text.replace(b"\xc2\xa0", b" "))
    lines = [line.strip() for line in text.decode().split("\n")]
    if b"\t" in text:
        lines = ["\t".join(_cells(line)) if "\t" in line else line for line in lines]
    return "\n".join(lines).replace(chr(HARD_SPACE), " ")


def _cells(line: str) -> list[str]:
    return [stripped for cell in line.split("\t") if (stripped := cell.strip())]
