"""The visible text of a page, line by line, with what its markup says of each line.

The parser is lexbor, through resiliparse; `udfs.html.markers` says how its text is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from resiliparse.parse.html import HTMLTree

from udfs.base.jit import compiled
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

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MAX_LINK_CHARS = 300  # an anchor that is still open after these was never closed

_LINE_ENDS = (PARAGRAPH, ITEM, BREAK, BLOCK_END, CODE_END)
_DIGITS_END = DIGIT + (1 << DIGIT_BITS)
# What is counted of each line.
_NUMBER, _START, _END, _CHARS, _LINK_CHARS, _PUNCTUATION, _BLOCK = range(7)
_COUNTS = 7
_SPACE_BYTE = 0x20  # the bytes below are space too, or marks
_END_BREAKS = DIGITS  # references (&#16;) can put in marks that we did not, and promise digits
_TAB, _LINE_FEED, _, _, _RETURN = b"\t\n\x0b\x0c\r"
_TAB_WIDTH = 4  # in code
_NO_BREAK_SPACE = 0xA0
# First bytes of U+4000 to U+9FFF, which are visible all and no punctuation; the bytes of each.
_FIRST_HAN, _LAST_HAN, _HAN_BYTES = 0xE4, 0xE9, 3

# What the model asks of a character, by its code; those past the table are visible.
_VISIBLE, _PUNCTUATES, _LATIN_END, _SPACE = (1 << bit for bit in range(4))
_CHARACTERS = np.full(1 << 16, _VISIBLE, dtype=np.uint8)
_CHARACTERS[[*range(0x20), DELETE, 0xFEFF]] = 0
_CHARACTERS[[code for code in range(1 << 16) if chr(code).isspace()]] = _SPACE
for _bit, _listed in (
    (_PUNCTUATES, "。！？；，、,"),
    (_LATIN_END, ".!?"),  # before a space
):
    _CHARACTERS[[ord(_character) for _character in _listed]] |= _bit
# What is read for each ASCII character.
_NOTHING = 0xFF
_READ_AS = np.arange(0x80, dtype=np.uint8)
_READ_AS[[mark for mark in MARKS if mark != HARD_SPACE]] = _NOTHING
_READ_AS[list(_LINE_ENDS)] = _LINE_FEED
_READ_AS[CELL_END] = _TAB


@dataclass(frozen=True, slots=True)
class Blocks:
    """The block elements around a page's lines, each after its parent; 0 is the page.

    Attributes:
        parents: Of each block; 0 for the page itself.
        kinds: A bit for each of `udfs.html.class_words.KINDS` that its tag says.
    """

    parents: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a page that have visible characters. Arrays have one entry for each.

    Attributes:
        page: All of them as UTF-8, with the empty lines between; not tidy.
        numbers: Which line of `page` each is.
        starts: Where in `page` each begins, in bytes.
        ends: Where each ends, without its line end.
        chars: Visible characters; spaces are left out.
        link_chars: Those in links.
        punctuation: Marks that end or divide a sentence.
        paragraph: Whether a p begins with it.
        item: Whether a li does.
        block: The innermost block around its first character.
        blocks: All blocks.
    """

    page: bytes
    numbers: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    chars: npt.NDArray[np.int64]
    link_chars: npt.NDArray[np.int64]
    punctuation: npt.NDArray[np.int64]
    paragraph: npt.NDArray[np.bool_]
    item: npt.NDArray[np.bool_]
    block: npt.NDArray[np.int64]
    blocks: Blocks

    def __len__(self) -> int:
        return len(self.numbers)


def parsed(page: bytes) -> HTMLTree:
    """A page, parsed.

    Args:
        page: Valid UTF-8.
    """
    return HTMLTree.parse_from_bytes(page, "utf-8")


def body_text(tree: HTMLTree) -> bytes:
    """The text of all nodes of a page's body, run together."""
    body = tree.body
    return b"" if body is None else (body.text_content or "").encode()


def lines_of_text(text: bytes) -> Lines:
    """The lines of the text of all nodes, with marks.

    Args:
        text: Valid UTF-8.
    """
    page, counts, flags, parents, kinds = _read(
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
        blocks=Blocks(parents, kinds),
    )


def all_text(lines: Lines) -> str:
    """The whole text, a line for each block.

    >>> all_text(lines_of_text(b"  one  two\\x07\\x07 three \\x05\\x07four"))
    'one two\\tthree\\nfour'
    """
    return lines_text(lines, np.arange(len(lines)))


def lines_text(lines: Lines, rows: Numbers) -> str:
    """Lines as they are read: one space between words, one tab between the cells of a row."""
    page = np.frombuffer(lines.page, dtype=np.uint8)
    return _tidy(page, lines.starts[rows], lines.ends[rows], _CHARACTERS).tobytes().decode()


@compiled
def _read(
    text: Bytes, characters: Bytes, read_as: Bytes
) -> tuple[Bytes, Numbers, Flags, Numbers, Bytes]:
    """The text of all nodes, read once, without what is not for reading.

    Args:
        text: Valid UTF-8, with marks.
        characters: Shape (65536,): what each character is.
        read_as: Shape (128,): what stands in the page for each ASCII character.
    Returns:
        The page; of each line `numbers`, `starts`, `ends`, `chars`, `link_chars`, `punctuation`
        and `block`, then `paragraph` and `item`; of each block its parent and its kinds.
    """
    most_bytes, most_lines, most_blocks = _bounds(text)
    page = np.empty(most_bytes, dtype=np.uint8)
    counts = np.empty((_COUNTS, most_lines), dtype=np.int64)
    flags = np.empty((2, most_lines), dtype=np.bool_)
    parents = np.zeros(most_blocks, dtype=np.int64)
    kinds = np.zeros(most_blocks, dtype=np.uint8)

    row = number = start = 0  # the next line with visible characters, the line, its first byte
    chars = punctuation = link_chars = block = 0  # of the line so far
    line_paragraph = line_item = False
    paragraph = item = False  # a mark since the line before
    latin_end = False  # whether the character before is one
    in_link = in_code = False
    # Of the link: its characters, the line it began in, and that line's link characters by then.
    link_size = link_row = link_before = 0
    blocks, current = 1, 0
    digits, digits_left = 0, 0  # so far, and those that the last block still takes
    at = written = 0
    end = len(text) + _END_BREAKS
    while at < end:
        byte = text[at] if at < len(text) else np.uint8(BREAK)
        times = 1
        if byte == _SPACE_BYTE and not in_code and digits_left == 0:
            # A fifth of a page's text is space between its tags.
            punctuation += latin_end
            latin_end = False
            while at < len(text) and text[at] == _SPACE_BYTE:
                page[written] = _SPACE_BYTE
                written += 1
                at += 1
            continue
        if _FIRST_HAN <= byte <= _LAST_HAN and chars and digits_left == 0:
            # Most of a Chinese text: characters that are visible and nothing else.
            latin_end = False
            while at < len(text) and _FIRST_HAN <= text[at] <= _LAST_HAN:
                page[written] = text[at]
                page[written + 1] = text[at + 1]
                page[written + 2] = text[at + 2]
                at += _HAN_BYTES
                written += _HAN_BYTES
                chars += 1
                link_chars += in_link
                link_size += 1
            continue
        if byte >= 0x80:
            code, after = _character_at(text, at)
            kind = characters[code] if code < len(characters) else np.uint8(_VISIBLE)
            while at < after:
                page[written] = text[at]
                written += 1
                at += 1
        else:
            at += 1
            if byte == SCRIPT:
                while at < len(text) and text[at] != SCRIPT_END:
                    at += 1
                at = min(at + 1, len(text))
                continue
            if byte == WIDGET:
                after = _after_widget(text, at)
                if after:
                    at = after
                    continue
            elif byte == CODE_END:
                in_code = False
            elif in_code and byte <= _SPACE_BYTE:
                if byte == _RETURN:
                    continue
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
            code = np.int64(byte)
            kind = characters[byte]
            read = read_as[byte]
            if read != _NOTHING:
                for _ in range(times):
                    page[written] = read
                    written += 1

        while digits_left and times:  # whatever stands there is read as digits
            digits_left -= 1
            kinds[blocks - 1] |= _kinds_of_digit(code, digits_left)
            times -= 1
        if kind & _VISIBLE:
            if chars == 0:
                block = current
                line_paragraph, line_item = paragraph, item
                paragraph = item = False
            chars += 1
            punctuation += kind & _PUNCTUATES != 0
            link_chars += in_link
            link_size += 1
            latin_end = kind & _LATIN_END != 0
            continue
        if latin_end:
            punctuation += kind & _SPACE != 0
            latin_end = False
        if byte >= _SPACE_BYTE:
            continue

        if byte <= LINK_END or at == end:
            if in_link and link_size > _MAX_LINK_CHARS:
                # Never closed: takes back what it added.
                if link_row < row:
                    counts[_LINK_CHARS, link_row] = link_before
                    counts[_LINK_CHARS, link_row + 1 : row] = 0
                    link_chars = 0
                else:
                    link_chars = link_before
            in_link = byte == LINK
            link_size, link_row, link_before = 0, row, link_chars
        if _ends_line(byte):
            if chars:
                counts[_NUMBER, row] = number
                counts[_START, row] = start
                counts[_END, row] = written - 1
                counts[_CHARS, row] = chars
                counts[_LINK_CHARS, row] = link_chars
                counts[_PUNCTUATION, row] = punctuation
                counts[_BLOCK, row] = block
                flags[0, row] = line_paragraph
                flags[1, row] = line_item
                row += 1
            chars = punctuation = link_chars = 0
            number += 1
            start = written
            paragraph |= byte == PARAGRAPH
            item |= byte == ITEM
        if byte in (BLOCK_END, CELL_END):
            current = parents[current]
        elif DIGIT <= byte < _DIGITS_END:
            if digits % DIGITS == 0:
                parents[blocks] = current
                kinds[blocks] = _kinds_of_digit(code, DIGITS - 1)
                current = blocks
                blocks += 1
                digits_left = DIGITS - 1
            digits += 1
    return page[:written], counts[:, :row], flags[:, :row], parents[:blocks], kinds[:blocks]


@compiled
def _bounds(text: Bytes) -> tuple[int, int, int]:
    """The most bytes that are read of a text, the most lines, and the most blocks."""
    tabs, digits, most_lines = 0, 0, _END_BREAKS
    for byte in text:
        tabs += byte == _TAB
        digits += (byte >= DIGIT) & (byte < _DIGITS_END)
        # Code begins with a line end, and has some of its own.
        most_lines += _ends_line(byte) | (byte == CODE) | (byte == _LINE_FEED)
    most_bytes = len(text) + (_TAB_WIDTH - 1) * tabs + _END_BREAKS
    return most_bytes, most_lines, 1 + (digits + DIGITS - 1) // DIGITS


@compiled
def _ends_line(byte: np.uint8) -> bool:
    return bool(((byte >= PARAGRAPH) & (byte <= BLOCK_END)) | (byte == CODE_END))


@compiled
def _kinds_of_digit(code: np.int64, place: int) -> np.int64:
    """The kinds that a digit says; the first is at place 2. References can put others there."""
    return ((code - DIGIT) << DIGIT_BITS * place) & 0xFF


@compiled
def _character_at(text: Bytes, at: int) -> tuple[np.int64, int]:
    """The code of the character other than ASCII that begins at a byte; then where it ends."""
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
def _after_widget(text: Bytes, at: int) -> int:
    """Where a widget ends that begins before a byte; 0 where another begins first, or none ends.

    What a script holds is no mark.
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


@compiled
def _tidy(page: Bytes, starts: Numbers, ends: Numbers, characters: Bytes) -> Bytes:
    """Some lines of a page, without the space around them and around their cells."""
    tidy = np.empty((ends - starts).sum() + len(starts), dtype=np.uint8)
    written = 0
    for row in range(len(starts)):
        if row:
            tidy[written] = _LINE_FEED
            written += 1
        kept = line = written  # where what is kept ends, and where the line begins
        in_cell = after_space = False
        at = starts[row]
        while at < ends[row]:
            byte = page[at]
            is_han = _FIRST_HAN <= byte <= _LAST_HAN
            if is_han or _SPACE_BYTE < byte < DELETE:  # no space
                if not in_cell and kept > line:
                    tidy[written] = _TAB
                    written += 1
                in_cell, after_space = True, False
                tidy[written] = byte
                if is_han:
                    tidy[written + 1] = page[at + 1]
                    tidy[written + 2] = page[at + 2]
                    at += _HAN_BYTES
                    written += _HAN_BYTES
                else:
                    at += 1
                    written += 1
                kept = written
                continue
            code, after = np.int64(byte), at + 1
            if byte >= 0x80:
                code, after = _character_at(page, at)
            is_other_space = code < len(characters) and characters[code] & _SPACE != 0
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
                if not is_other_space:
                    kept = written
            at = after
        written = kept
    return tidy[:written]
