"""The parts of a page's tokenizer: where comments, end tags of raw text and names end.

They read bytes as a browser's tokenizer does, and are called from compiled loops over a page.

Source:
    HTML Standard, 13.2.5 (tokenization).
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import BLOCK_BYTES, compiled, equal_bits, first_bit, low_bits, uncounted, word_at

_LESS, _GREATER, _SLASH, _MINUS, _EXCLAMATION, _EQUALS = b"<>/-!="
_DOUBLE_QUOTE, _SINGLE_QUOTE = b"\"'"
_BRACKET, _LINE_FEED = 0x5B, 0x0A
_SPACE, _TAB, _FORM_FEED, _RETURN = b" \t\f\r"
_LOWER_CASE = 0x20
_UPPER_A, _UPPER_Z = 0x41, 0x5A
_HASH_START, _PRIME, _WORD_BYTES = 0xCBF29CE484222325, 0x100000001B3, 8
_SCRIPT = (0x73, 0x63, 0x72, 0x69, 0x70, 0x74)
_SPREAD = 0x9E3779B97F4A7C15  # tells a name from one that ends with a zero byte
_ONES, _HIGH, _LOW = 0x0101010101010101, 0x8080808080808080, 0x7F7F7F7F7F7F7F7F


def name_hash(name: str) -> int:
    """Return the `name_key` of a name in lower case."""
    written = name.encode()
    key = _HASH_START ^ len(written) * _SPREAD & (1 << 64) - 1
    for at in range(0, len(written), _WORD_BYTES):
        word = int.from_bytes(written[at : at + _WORD_BYTES], "little")
        key = (key ^ word) * _PRIME & (1 << 64) - 1
        key ^= key >> 32
    return key


@compiled
def name_key(page: bytes | UInt8Array, begin: int, end: int) -> np.uint64:
    """Return a hash of the name between two places, in lower case, eight bytes at a time."""
    key = np.uint64(_HASH_START) ^ np.uint64(end - begin) * np.uint64(_SPREAD)
    at = begin
    while at < end:
        length = min(end - at, _WORD_BYTES)
        if at + _WORD_BYTES <= len(page):
            word = word_at(page, at) & ~np.uint64(0) >> np.uint64(8 * (_WORD_BYTES - length))
        else:
            word = _last_word(page, at, length)
        key = (key ^ _small_letters(word)) * np.uint64(_PRIME)
        key ^= key >> np.uint64(32)
        at += _WORD_BYTES
    return key


@compiled
def _last_word(page: bytes | UInt8Array, at: int, length: int) -> np.uint64:
    """Return the bytes before the page's end as a number, the first as the lowest."""
    word = np.uint64(0)
    for place in range(length):
        word |= np.uint64(page[at + place]) << np.uint64(8 * place)
    return word


@compiled
def _small_letters(word: np.uint64) -> np.uint64:
    """Return eight bytes with the letters A to Z as a to z."""
    low = word & np.uint64(_LOW)
    from_a = low + np.uint64((0x80 - _UPPER_A) * _ONES)
    beyond_z = low + np.uint64((0x7F - _UPPER_Z) * _ONES)
    upper = (from_a ^ beyond_z) & ~word & np.uint64(_HIGH)
    return word | upper >> np.uint64(2)


@compiled
def ends_name(byte: int) -> bool:
    return byte <= _GREATER and (byte in (_GREATER, _SLASH) or is_space(byte))


@compiled
def name_end(page: bytes, at: int) -> int:
    """Return the place of the byte that ends the name of a tag, or the page's end."""
    size = len(page)
    while at + BLOCK_BYTES <= size:
        bits = equal_bits(page, at, _GREATER) | equal_bits(page, at, _SLASH)
        bits |= low_bits(page, at, _SPACE)
        while bits:
            place = at + first_bit(bits)
            if ends_name(page[place]):
                return place
            bits &= bits - np.uint64(1)
        at += BLOCK_BYTES
    while at < size and not ends_name(page[at]):
        at += 1
    return at


@compiled
def next_attribute(page: bytes, at: int) -> tuple[int, int, int, int, int]:
    """Return where the name of the attribute at a place ends, begin and end of its value, the first
    byte of the value with its quote, and where the tag goes on.

    The page's end instead where it cuts a value in quotes.
    """
    page = uncounted(page)
    size = len(page)
    at = _attribute_name_end(page, at + 1)  # an equals sign may begin a name
    stop = at
    while at < size and is_space(page[at]):
        at += 1
    if at == size or page[at] != _EQUALS:
        return stop, stop, stop, stop, at
    at += 1
    while at < size and is_space(page[at]):
        at += 1
    if at == size or page[at] == _GREATER:
        return stop, at, at, at, at
    quote = page[at]
    if quote in (_DOUBLE_QUOTE, _SINGLE_QUOTE):
        end = find_byte(page, at + 1, quote)
        return stop, at + 1, end, at, end + 1
    end = _plain_value_end(page, at)
    return stop, at, end, at, end


@compiled
def _attribute_name_end(page: bytes, at: int) -> int:
    size = len(page)
    while at + BLOCK_BYTES <= size:
        bits = equal_bits(page, at, _GREATER) | equal_bits(page, at, _SLASH)
        bits |= low_bits(page, at, _SPACE) | equal_bits(page, at, _EQUALS)
        while bits:
            place = at + first_bit(bits)
            if page[place] == _EQUALS or ends_name(page[place]):
                return place
            bits &= bits - np.uint64(1)
        at += BLOCK_BYTES
    while at < size and page[at] != _EQUALS and not ends_name(page[at]):
        at += 1
    return at


@compiled
def _plain_value_end(page: bytes, at: int) -> int:
    """Return the end of a value without quotes."""
    size = len(page)
    while at + BLOCK_BYTES <= size:
        bits = equal_bits(page, at, _GREATER) | low_bits(page, at, _SPACE)
        while bits:
            place = at + first_bit(bits)
            if page[place] == _GREATER or is_space(page[place]):
                return place
            bits &= bits - np.uint64(1)
        at += BLOCK_BYTES
    while at < size and page[at] != _GREATER and not is_space(page[at]):
        at += 1
    return at


@compiled
def is_space(byte: int) -> bool:
    return byte <= _SPACE and byte in (_SPACE, _LINE_FEED, _TAB, _RETURN, _FORM_FEED)


@compiled
def find_byte(page: bytes, at: int, byte: int) -> int:
    """Return the place of the next occurrence of a byte, or the page's end."""
    size = len(page)
    while at + BLOCK_BYTES <= size:
        bits = equal_bits(page, at, byte)
        if bits:
            return at + first_bit(bits)
        at += BLOCK_BYTES
    while at < size and page[at] != byte:
        at += 1
    return min(at, size)


@compiled
def place_after(page: bytes, at: int, byte: int) -> int:
    """Return the place behind the next occurrence of a byte, or the page's end."""
    return min(find_byte(page, at, byte) + 1, len(page))


@compiled
def after_declaration(page: bytes, at: int) -> int:
    """Return the end of a comment, a doctype or similar; the page's end where it is not certain."""
    page = uncounted(page)
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
            while True:
                place = find_byte(page, place, _GREATER)
                if place == size:
                    return size
                last = place - (page[place - 1] == _EXCLAMATION)
                if last >= at + 6 and page[last - 1] == _MINUS and page[last - 2] == _MINUS:
                    return place + 1
                place += 1
            return size
    return place_after(page, at + 2, _GREATER)


@compiled
def raw_end(page: bytes, at: int, name_at: int, length: int) -> int:
    """Return the start of the end tag of an element of raw text, or the page's end."""
    size = len(page)
    while True:
        at = find_byte(page, at, _LESS)
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
            at = find_byte(page, at, _LESS)
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
