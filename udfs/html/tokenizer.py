"""The parts of a page's tokenizer: where comments, end tags of raw text and names end.

They read bytes as a browser's tokenizer does, and are called from compiled loops over a page.

Source:
    HTML Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import compiled
from udfs.html.tags import next_less

_LESS, _GREATER, _SLASH, _MINUS, _EXCLAMATION = b"<>/-!"
_BRACKET, _LINE_FEED = 0x5B, 0x0A
_SPACE, _TAB, _FORM_FEED, _RETURN = b" \t\f\r"
_LOWER_CASE = 0x20
_UPPER_A, _UPPER_Z = 0x41, 0x5A
_HASH_START, _PRIME = 0xCBF29CE4, 0x100000001B3
_SCRIPT = (0x73, 0x63, 0x72, 0x69, 0x70, 0x74)


def name_hash(name: str) -> int:
    """Return the `name_key` of a name in lower case."""
    key = _HASH_START
    for byte in name.encode():
        key = (key ^ byte) * _PRIME & (1 << 64) - 1
    return key


@compiled
def name_key(page: bytes | UInt8Array, begin: int, end: int) -> np.uint64:
    """Return a hash of the name between two places, in lower case, by the steps of FNV-1a."""
    key = np.uint64(_HASH_START)
    for at in range(begin, end):
        byte = page[at]
        if _UPPER_A <= byte <= _UPPER_Z:
            byte |= _LOWER_CASE
        key = (key ^ np.uint64(byte)) * np.uint64(_PRIME)
    return key


@compiled
def ends_name(byte: int) -> bool:
    return byte <= _GREATER and (byte in (_GREATER, _SLASH) or is_space(byte))


@compiled
def is_space(byte: int) -> bool:
    return byte <= _SPACE and byte in (_SPACE, _LINE_FEED, _TAB, _RETURN, _FORM_FEED)


@compiled
def place_after(page: bytes, at: int, byte: int) -> int:
    """Return the place behind the next occurrence of a byte, or the page's end."""
    while at < len(page) and page[at] != byte:
        at += 1
    return min(at + 1, len(page))


@compiled
def after_declaration(page: bytes, at: int) -> int:
    """Return the end of a comment, a doctype or similar; the page's end where it is not certain."""
    size = len(page)
    if page[at + 1] == _EXCLAMATION:
        if page[at + 2] == _BRACKET:
            return size  # <![CDATA[, in foreign content
        if page[at + 2] == _MINUS and at + 3 < size and page[at + 3] == _MINUS:
            place = at + 4
            if place < size and page[place] == _GREATER:
                return place + 1
            if place + 1 < size and page[place] == _MINUS and page[place + 1] == _GREATER:
                return place + 2
            while place + 2 < size:
                if page[place] == _MINUS and page[place + 1] == _MINUS:
                    if page[place + 2] == _GREATER:
                        return place + 3
                    if (
                        page[place + 2] == _EXCLAMATION
                        and place + 3 < size
                        and page[place + 3] == _GREATER
                    ):
                        return place + 4
                place += 1
            return size
    return place_after(page, at + 2, _GREATER)


@compiled
def raw_end(page: bytes, at: int, name_at: int, length: int) -> int:
    """Return the start of the end tag of an element of raw text, or the page's end."""
    size = len(page)
    while True:
        at = next_less(page, at)
        if at + 2 + length >= size:
            return size
        if (
            page[at + 1] == _SLASH
            and ends_name(page[at + 2 + length])
            and same_letters(page, at + 2, name_at, length)
        ):
            return at
        at += 1


@compiled
def same_letters(page: bytes, at: int, other: int, length: int) -> bool:
    """Whether the letters at two places are equal, in upper or lower case."""
    for place in range(length):
        if page[at + place] | _LOWER_CASE != page[other + place] | _LOWER_CASE:
            return False
    return True


@compiled
def script_end(page: bytes, at: int) -> int:
    """Return the start of the end tag of a script whose content begins at a place, or the page's
    end.

    A script that has "<!--" and then "<script" needs two end tags, or "-->" before the one.
    """
    size = len(page)
    is_escaped = is_nested = False
    while True:
        if not is_escaped:
            at = next_less(page, at)
        if at + 8 >= size:  # "</script" and a byte that ends the name
            return size
        byte = page[at]
        if byte == _MINUS:
            if is_escaped and page[at + 1] == _MINUS and page[at + 2] == _GREATER:
                is_escaped = is_nested = False
        elif byte == _LESS:
            if (
                not is_escaped
                and page[at + 1] == _EXCLAMATION
                and page[at + 2] == _MINUS
                and page[at + 3] == _MINUS
            ):
                is_escaped = True
                at += 1  # "<!-->" ends it: its "--" counts twice
            elif page[at + 1] == _SLASH:
                if _is_script(page, at + 2) and ends_name(page[at + 8]):
                    if not is_nested:
                        return at
                    is_nested = False
            elif is_escaped and _is_script(page, at + 1) and ends_name(page[at + 7]):
                is_nested = True
        at += 1


@compiled
def _is_script(page: bytes, at: int) -> bool:
    """Whether "script" is at a place, in upper or lower case."""
    is_equal = True
    for place in range(6):
        is_equal &= page[at + place] | _LOWER_CASE == _SCRIPT[place]
    return is_equal
