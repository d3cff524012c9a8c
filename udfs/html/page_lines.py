"""The visible text of a page line by line, with properties of each line from the markup.

The parser is lexbor, through resiliparse; `udfs.html.markers` describes the marks in its text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from resiliparse.parse.html import HTMLTree

from udfs.base.array_types import BoolArray, Int64Array, UInt8Array
from udfs.base.jit import compiled, copy_bytes, inlined, uncounted
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
    PARAGRAPH,
    SCRIPT,
    SCRIPT_END,
    WIDGET,
    WIDGET_END,
)

_MAX_LINK_CHARS = 300  # a longer anchor was never closed

_LINE_ENDS = (PARAGRAPH, ITEM, BREAK, BLOCK_END, CODE_END)
_DIGITS_END, _VALUE_MASK = DIGIT + (1 << DIGIT_BITS), (1 << VALUE_BITS) - 1
# Rows of the array of counts, which has a column for each line.
_LINK_CHARS, _COUNTS = 4, 7
_SPACE_BYTE = 0x20  # lower bytes are spaces too, or marks
_END_BREAKS = DIGITS  # references (&#16;) can add marks of a block without its digits
_TAB, _LINE_FEED, _, _, _RETURN = b"\t\n\x0b\x0c\r"
_TAB_WIDTH, _NO_BREAK_SPACE = 4, 0xA0  # the first: in code
# First bytes of U+4000 to U+9FFF, which are all visible and not punctuation; the bytes of each.
_FIRST_HAN, _LAST_HAN, _HAN_BYTES = 0xE4, 0xE9, 3

# Properties of characters by their code points; those beyond the table are visible.
_VISIBLE, _PUNCTUATES, _LATIN_END, _SPACE = (1 << bit for bit in range(4))
_CHARACTERS = np.full(1 << 16, _VISIBLE, dtype=np.uint8)
_CHARACTERS[[*range(0x20), DELETE, 0xFEFF]] = 0
_CHARACTERS[[code for code in range(1 << 16) if chr(code).isspace()]] = _SPACE
for _bit, _listed in (
    (_PUNCTUATES, "。！？；，、,"),
    (_LATIN_END, ".!?"),  # before a space
):
    _CHARACTERS[[ord(_character) for _character in _listed]] |= _bit
# The byte that is written for each ASCII character.
_NOTHING = 0xFF
_READ_AS = np.arange(0x80, dtype=np.uint8)
_READ_AS[[mark for mark in MARKS if mark != HARD_SPACE]] = _NOTHING
_READ_AS[list(_LINE_ENDS)], _READ_AS[CELL_END] = _LINE_FEED, _TAB


@dataclass(frozen=True, slots=True)
class Blocks:
    """The block elements around a page's lines, each after its parent; 0 is the page.

    Attributes:
        parents: Parent of each block; 0 for the page itself.
        values: Value of each block, as `udfs.html.class_words.block_values` gives it.
    """

    parents: Int64Array
    values: Int64Array


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a page that have visible characters. Arrays have one entry for each.

    Attributes:
        page: All lines as UTF-8, empty ones between them included; spaces not normalised.
        numbers: Number of the line in `page`.
        starts: Start of the line in `page`, in bytes.
        ends: End of the line, without its line end.
        chars: Visible characters; spaces do not count.
        link_chars: Those in links.
        punctuation: Marks that end or divide a sentence.
        paragraph: Whether a p begins with the line.
        item: Whether a li begins with the line.
        block: The innermost block around the line's first character.
        blocks: All blocks.
    """

    page: bytes
    numbers: Int64Array
    starts: Int64Array
    ends: Int64Array
    chars: Int64Array
    link_chars: Int64Array
    punctuation: Int64Array
    paragraph: BoolArray
    item: BoolArray
    block: Int64Array
    blocks: Blocks

    def __len__(self) -> int:
        return len(self.numbers)


def parsed(page: bytes) -> HTMLTree:
    """Parse a page, which is valid UTF-8."""
    return HTMLTree.parse_from_bytes(page, "utf-8")


def body_text(tree: HTMLTree) -> bytes:
    """Return the text of all nodes of a page's body, concatenated."""
    body = tree.body
    return b"" if body is None else (body.text_content or "").encode()


def lines_of_text(text: bytes) -> Lines:
    """Divide the text of all nodes, with marks and as valid UTF-8, into lines."""
    page, counts, flags, parents, values = _read(
        np.frombuffer(text, dtype=np.uint8), _CHARACTERS, _READ_AS
    )
    numbers, starts, ends, chars, link_chars, punctuation, block = counts
    return Lines(
        page=page.tobytes(),
        numbers=numbers,
        starts=starts,
        ends=ends,
        chars=chars,
        link_chars=link_chars,
        punctuation=punctuation,
        paragraph=flags[0],
        item=flags[1],
        block=block,
        blocks=Blocks(parents, values),
    )


def all_text(lines: Lines) -> str:
    """Return the whole text, a line for each block.

    >>> all_text(lines_of_text(b"  one  two\\x07\\x07 three \\x05\\x07four"))
    'one two\\tthree\\nfour'
    """
    return lines_text(lines, np.arange(len(lines)))


def lines_text(lines: Lines, rows: Int64Array) -> str:
    """Return the text of some lines: one space between words, one tab between cells of a row."""
    page = np.frombuffer(lines.page, dtype=np.uint8)
    return _tidy(page, lines.starts[rows], lines.ends[rows], _CHARACTERS).tobytes().decode()


@compiled
def _read(
    text: UInt8Array, characters: UInt8Array, read_as: UInt8Array
) -> tuple[UInt8Array, Int64Array, BoolArray, Int64Array, Int64Array]:
    """Read the text of all nodes once; drop scripts, widgets and marks.

    Args:
        text: Valid UTF-8, with marks.
        characters: Shape (65536,): properties of each character.
        read_as: Shape (128,): the byte that is written for each ASCII character.
    Returns:
        The page; for each line `numbers`, `starts`, `ends`, `chars`, `link_chars`, `punctuation`
        and `block`, then `paragraph` and `item`; for each block its parent and its value.
    """
    most_bytes, most_lines, most_blocks = _bounds(text)
    page = np.empty(most_bytes, dtype=np.uint8)
    counts = np.empty((_COUNTS, most_lines), dtype=np.int64)
    flags = np.empty((2, most_lines), dtype=np.bool_)
    parents = np.zeros(most_blocks, dtype=np.int64)
    values = np.zeros(most_blocks, dtype=np.int64)
    size, lines, blocks = _read_into(
        page, counts, flags, parents, values, text, characters, read_as
    )
    return page[:size], counts[:, :lines], flags[:, :lines], parents[:blocks], values[:blocks]


@compiled
def _read_into(
    page: UInt8Array,
    counts: Int64Array,
    flags: BoolArray,
    parents: Int64Array,
    values: Int64Array,
    text: UInt8Array,
    characters: UInt8Array,
    read_as: UInt8Array,
) -> tuple[int, int, int]:
    """Fill the arrays of `_read`; return the bytes of the page, its lines and its blocks."""
    page, counts, text = uncounted(page), uncounted(counts), uncounted(text)
    characters, read_as = uncounted(characters), uncounted(read_as)
    row = number = start = 0  # the next line with visible characters, the line, its first byte
    chars = punctuation = link_chars = block = 0  # of the line so far
    line_paragraph = line_item = paragraph = item = False  # the last two: a mark since the line
    latin_end = in_link = in_code = False  # the first: whether the character before is one
    link_size = link_row = link_before = 0  # its characters, first line, link characters before
    blocks, current, digits, digits_left = 1, 0, 0, 0  # the last: those that the block still takes
    at, written, end = 0, 0, len(text) + _END_BREAKS
    while at < end:
        byte = text[at] if at < len(text) else np.uint8(BREAK)
        if byte == _SPACE_BYTE and not in_code and digits_left == 0:
            punctuation += latin_end
            latin_end = False
            at, written = _copy_spaces(page, written, text, at)
            continue
        if _FIRST_HAN <= byte <= _LAST_HAN and chars and digits_left == 0:
            latin_end = False
            at, written, size = _copy_han(page, written, text, at)
            chars += size
            link_chars += size * in_link
            link_size += size
            continue
        at, written, byte, code, kind, times, in_code = _copy_character(
            page, written, text, at, byte, in_code, characters, read_as
        )
        if times == 0:
            continue
        while digits_left and times:  # whatever is there is read as digits
            digits_left -= 1
            values[blocks - 1] |= _bits_of_digit(code, digits_left)
            times -= 1
        if kind & _VISIBLE:
            if chars == 0:
                block, line_paragraph, line_item = current, paragraph, item
                paragraph = item = False
            chars += 1
            punctuation += kind & _PUNCTUATES != 0
            link_chars += in_link
            link_size += 1
            latin_end = kind & _LATIN_END != 0
            continue
        punctuation += latin_end and kind & _SPACE != 0
        latin_end = False
        if byte >= _SPACE_BYTE:
            continue
        if byte <= LINK_END or at == end:
            if in_link and link_size > _MAX_LINK_CHARS:  # never closed
                link_chars = _take_back(counts, link_row, row, link_before)
            in_link = byte == LINK
            link_size, link_row, link_before = 0, row, link_chars
        if _ends_line(byte):
            if chars:
                line = (number, start, written - 1, chars, link_chars, punctuation, block)
                _put_line(counts, flags, row, line, (line_paragraph, line_item))
                row += 1
            chars = punctuation = link_chars = 0
            number, start = number + 1, written
            paragraph |= byte == PARAGRAPH
            item |= byte == ITEM
        if byte in (BLOCK_END, CELL_END):
            current = parents[current]
        elif DIGIT <= byte < _DIGITS_END:
            if digits % DIGITS == 0:
                parents[blocks] = current
                at, values[blocks], digits_left = _block_value(text, at, code)
                current, blocks, digits = blocks, blocks + 1, digits + DIGITS - 1 - digits_left
            digits += 1
    return written, row, blocks


@inlined
def _copy_spaces(page: UInt8Array, written: int, text: UInt8Array, at: int) -> tuple[int, int]:
    """Copy a run of spaces, a fifth of a page's text; return the next place, and bytes written."""
    while at < len(text) and text[at] == _SPACE_BYTE:
        page[written] = _SPACE_BYTE
        written, at = written + 1, at + 1
    return at, written


@inlined
def _copy_han(page: UInt8Array, written: int, text: UInt8Array, at: int) -> tuple[int, int, int]:
    """Copy a run of visible characters, most of a Chinese text; return their number, too."""
    begin = at
    while at < len(text) and _FIRST_HAN <= text[at] <= _LAST_HAN:
        at += _HAN_BYTES
    copy_bytes(page, written, text, begin, at - begin)
    return at, written + at - begin, (at - begin) // _HAN_BYTES


@inlined
def _copy_character(
    page: UInt8Array,
    written: int,
    text: UInt8Array,
    at: int,
    byte: np.uint8,
    in_code: bool,
    characters: UInt8Array,
    read_as: UInt8Array,
) -> tuple[int, int, np.uint8, np.int64, np.uint8, int, bool]:
    """Copy one character or mark as it is read.

    Returns:
        The next place, the bytes written; the byte as it is read, its code point and properties;
        how many times it is read, 0 where it is skipped; and whether code follows.
    """
    times = 1
    if byte >= 0x80:
        code, after = _character_at(text, at)
        kind = characters[code] if code < len(characters) else np.uint8(_VISIBLE)
        while at < after:
            page[written] = text[at]
            written, at = written + 1, at + 1
        return at, written, byte, code, kind, times, in_code
    at += 1
    if byte == SCRIPT:
        while at < len(text) and text[at] != SCRIPT_END:
            at += 1
        return min(at + 1, len(text)), written, byte, np.int64(0), np.uint8(0), 0, in_code
    if byte == WIDGET:
        after = _after_widget(text, at)
        if after:
            return after, written, byte, np.int64(0), np.uint8(0), 0, in_code
    elif byte == CODE_END:
        in_code = False
    elif in_code and byte <= _SPACE_BYTE:
        if byte == _RETURN:
            return at, written, byte, np.int64(0), np.uint8(0), 0, in_code
        if byte == _LINE_FEED:
            byte = np.uint8(BREAK)
        elif byte == _SPACE_BYTE:
            byte = np.uint8(HARD_SPACE)
        elif byte == _TAB:
            byte = np.uint8(HARD_SPACE)
            times = _TAB_WIDTH
    elif byte == CODE:
        in_code = True
        byte = np.uint8(BREAK)
    if _TAB <= byte <= _RETURN:
        byte = np.uint8(_SPACE_BYTE)
    read = read_as[byte]
    if read != _NOTHING:
        for _ in range(times):
            page[written] = read
            written += 1
    return at, written, byte, np.int64(byte), characters[byte], times, in_code


@inlined
def _block_value(text: UInt8Array, at: int, code: np.int64) -> tuple[int, np.int64, int]:
    """Read the digits behind a block's first one; return the next place, the value, digits left."""
    value, left = _bits_of_digit(code, DIGITS - 1), DIGITS - 1
    while left and at < len(text) and DIGIT <= text[at] < _DIGITS_END:
        left -= 1
        value |= _bits_of_digit(np.int64(text[at]), left)
        at += 1
    return at, value, left


@inlined
def _take_back(counts: Int64Array, link_row: int, row: int, link_before: int) -> int:
    """Remove the link characters of a link since it began; return those of the current line."""
    if link_row < row:
        counts[_LINK_CHARS, link_row] = link_before
        counts[_LINK_CHARS, link_row + 1 : row] = 0
    return link_before if link_row == row else 0


@inlined
def _put_line(
    counts: Int64Array, flags: BoolArray, row: int, line: tuple[int, ...], marks: tuple[bool, ...]
) -> None:
    """Store the numbers of a line, in the order of the rows of `counts`, and its two flags."""
    for place in range(_COUNTS):
        counts[place, row] = line[place]
    flags[0, row], flags[1, row] = marks


@compiled
def _bounds(text: UInt8Array) -> tuple[int, int, int]:
    """Return upper bounds of the bytes written for a text, its lines, and its blocks."""
    tabs, digits, most_lines = 0, 0, _END_BREAKS
    for byte in text:
        tabs += byte == _TAB
        digits += (byte >= DIGIT) & (byte < _DIGITS_END)
        most_lines += _ends_line(byte) | (byte == CODE) | (byte == _LINE_FEED)  # code has lines
    most_bytes = len(text) + (_TAB_WIDTH - 1) * tabs + _END_BREAKS
    return most_bytes, most_lines, 1 + (digits + DIGITS - 1) // DIGITS


@compiled
def _ends_line(byte: np.uint8) -> bool:
    return bool(((byte >= PARAGRAPH) & (byte <= BLOCK_END)) | (byte == CODE_END))


@compiled
def _bits_of_digit(code: np.int64, place: int) -> np.int64:
    """Return a digit's bits of a value; the last is at place 0. References add invalid digits."""
    return ((code - DIGIT) << DIGIT_BITS * place) & _VALUE_MASK


@compiled
def _character_at(text: UInt8Array, at: int) -> tuple[np.int64, int]:
    """Return the code point of the non-ASCII character that begins at a byte, and its end."""
    lead = text[at]
    code = np.int64(text[at + 1]) & 0x3F
    if lead < 0xE0:
        return (np.int64(lead) & 0x1F) << 6 | code, at + 2
    code = code << 6 | (np.int64(text[at + 2]) & 0x3F)
    if lead < 0xF0:
        return (np.int64(lead) & 0x0F) << 12 | code, at + 3
    code = code << 6 | (np.int64(text[at + 3]) & 0x3F)
    return (np.int64(lead) & 0x07) << 18 | code, at + 4


@compiled
def _after_widget(text: UInt8Array, at: int) -> int:
    """Return the end of a widget that begins before a byte; 0 where another begins, or none ends.

    Marks inside a script do not count.
    """
    in_script = False
    for place in range(at, len(text)):
        byte = text[place]
        if in_script:
            in_script = byte != SCRIPT_END
        elif byte == WIDGET_END:
            return place + 1
        elif byte == WIDGET:
            return 0
        elif byte == SCRIPT:
            in_script = True
    return 0


@inlined
def _after_run(page: UInt8Array, at: int, end: int, characters: UInt8Array) -> int:
    """Return the end of the run of characters from a place on that are no spaces."""
    while at < end:
        byte = page[at]
        if _FIRST_HAN <= byte <= _LAST_HAN:
            at += _HAN_BYTES
        elif _SPACE_BYTE < byte < DELETE:
            at += 1
        else:
            code, after = _character_at(page, at) if byte > DELETE else (np.int64(_SPACE_BYTE), at)
            if code < len(characters) and characters[code] & _SPACE:
                break
            at = after
    return at


@compiled
def _tidy(
    page: UInt8Array, starts: Int64Array, ends: Int64Array, characters: UInt8Array
) -> UInt8Array:
    """Return some lines of a page without the spaces around them and around their cells."""
    page, characters = uncounted(page), uncounted(characters)
    tidy = np.empty((ends - starts).sum() + len(starts), dtype=np.uint8)
    written = 0
    for row in range(len(starts)):
        if row:
            tidy[written] = _LINE_FEED
            written += 1
        kept = line = written  # where what is kept ends, and where the line begins
        in_cell, after_space, at = False, False, starts[row]
        while at < ends[row]:
            run = _after_run(page, at, ends[row], characters)
            if run > at:
                if not in_cell and kept > line:
                    tidy[written] = _TAB
                    written += 1
                in_cell, after_space = True, False
                copy_bytes(tidy, written, page, at, run - at)
                written += run - at
                kept, at = written, run
                continue
            byte = page[at]
            code, after = _character_at(page, at) if byte >= 0x80 else (np.int64(byte), at + 1)
            is_other_space = characters[code] & _SPACE != 0
            if byte == _TAB:
                written = kept
                in_cell = after_space = False
            elif code in (_SPACE_BYTE, _NO_BREAK_SPACE):
                if in_cell and not after_space:
                    tidy[written] = _SPACE_BYTE
                    written += 1
                after_space = True
            elif in_cell or not is_other_space:
                if not in_cell and kept > line:
                    tidy[written] = _TAB
                    written += 1
                in_cell, after_space = True, False
                for place in range(at, after):
                    tidy[written] = _SPACE_BYTE if byte == HARD_SPACE else page[place]
                    written += 1
                kept = kept if is_other_space else written
            at = after
        written = kept
    return tidy[:written]
