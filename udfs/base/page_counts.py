"""Counts over the bytes of a page in one pass: is it ASCII, is it UTF-8, how many ideographs.

The pass runs over blocks whose size suits the processor's vector units: whether a block has bytes
above 0x7F or references, which most lack, is checked first, and only then are they counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import compiled, uncounted

_Fields = tuple[bool, bool, int, bool, int, int, int]

_BLOCK = 1024
# Counts of a part fit in a byte: of 256 bytes of valid UTF-8 no more than 192 continue a character.
_PART = 256
_BEFORE, _AFTER = 3, 6  # bytes around a block that decide what its own bytes are
_SPACE = 0x20
_AMPERSAND, _HASH = 0x26, 0x23
_ESCAPE, _TILDE, _BRACE = 0x1B, 0x7E, 0x7B


class PageCounts(NamedTuple):
    """Counts over a range of bytes. From `continuations` on, exact only for valid UTF-8.

    Attributes:
        is_ascii: No byte above 0x7F.
        has_shift: A zero byte, an escape or "~{": bytes that look like ASCII may be UTF-16,
            ISO-2022 or HZ.
        references: Numeric character references with room for four digits; shorter ones, and
            with them nearly all of quotes and spaces (&#39; &#xa0;), are left out.
        is_utf8: Strict UTF-8.
        continuations: Bytes 0x80 to 0xBF: all except the first of each character.
        ideographs: As `udfs.base.han.han_ideographs` counts them.
        kana: U+3040 to U+30FF, except U+30FB, a dot that Chinese pages use as a bullet.
    """

    is_ascii: bool
    has_shift: bool
    references: int
    is_utf8: bool
    continuations: int
    ideographs: int
    kana: int


def page_counts(page: bytes, start: int = 0, end: int | None = None) -> PageCounts:
    """Count over the bytes of a page from `start` to `end` (its end when None).

    >>> page_counts("かな漢字&#28450;".encode())[3:]
    (True, 8, 2, 2)
    """
    end = len(page) if end is None else end
    return PageCounts(*_look(page, start, end))


@compiled
def _look(page: bytes, start: int, end: int) -> _Fields:
    """Return the fields of `PageCounts`."""
    edge = np.empty(_BEFORE + _BLOCK + _AFTER, dtype=np.uint8)
    return _look_with(np.frombuffer(page, dtype=np.uint8), start, end, edge)


@compiled
def _look_with(page: UInt8Array, start: int, end: int, edge: UInt8Array) -> _Fields:
    """The same with a buffer for blocks at the edges of the page."""
    page, edge = uncounted(page), uncounted(edge)
    is_high = has_shift = is_bad = was_high = False
    references = continuations = ideographs = kana = 0
    for at in range(start, end, _BLOCK):
        size = min(_BLOCK, end - at)
        if at - _BEFORE >= start and at + size + _AFTER <= end:
            block = page[at - _BEFORE : at + size + _AFTER]
        else:
            edge[:] = _SPACE
            first, last = max(at - _BEFORE, start), min(at + size + _AFTER, end)
            edge[first - at + _BEFORE : last - at + _BEFORE] = page[first:last]
            block = edge[: _BEFORE + size + _AFTER]
        high, shift, reference = _glance(block, size)
        has_shift |= shift
        if reference:
            for part in range(0, size, _PART):
                part_size = min(_PART, size - part)
                references += _references(block[part:], part_size)
        if high or was_high:
            for part in range(0, size, _PART):
                part_size = min(_PART, size - part)
                bytes_ = block[part : part + _BEFORE + part_size]
                highest = _highest(bytes_)
                if highest < 0x80:
                    continue
                if highest < _FIRST_OF[2]:
                    bad, more = _short_characters(bytes_, part_size)
                    is_bad |= bad
                    continuations += more
                else:
                    bad, more, han, some_kana = _characters(bytes_, part_size)
                    is_bad |= bad
                    continuations += more
                    ideographs += han
                    kana += some_kana
        is_high |= high
        was_high = high
    # A character that the end cuts: its bytes are valid, but some are missing.
    for back in range(1, min(_BEFORE, end - start) + 1):
        is_bad |= page[end - back] >= _FIRST_OF[back]
    return (
        not is_high,
        has_shift,
        references,
        not is_bad,
        continuations,
        ideographs,
        kana,
    )


# The lowest first byte of a character with at least this many continuation bytes.
_FIRST_OF = (0x00, 0xC0, 0xE0, 0xF0)


@compiled
def _glance(block: UInt8Array, size: int) -> tuple[bool, bool, bool]:
    """Whether a block has a byte above 0x7F, a shift, and the beginning of a reference."""
    here, after = block[_BEFORE : _BEFORE + size], block[_BEFORE + 1 : _BEFORE + 1 + size]
    # Differences, of which one is zero, and no comparisons: they take half the time.
    high, shift, reference = np.uint8(0), np.uint8(0xFF), np.uint8(0xFF)
    for place in range(size):
        byte, following = here[place], after[place]
        high = np.uint8(high | byte)
        escape = np.uint8(byte ^ np.uint8(_ESCAPE))
        tilde = np.uint8((byte ^ np.uint8(_TILDE)) | (following ^ np.uint8(_BRACE)))
        hash_ = np.uint8((byte ^ np.uint8(_AMPERSAND)) | (following ^ np.uint8(_HASH)))
        shift = min(shift, min(byte, min(escape, tilde)))
        reference = min(reference, hash_)
    return bool(high >= 0x80), bool(shift == 0), bool(reference == 0)


@compiled
def _highest(bytes_: UInt8Array) -> np.uint8:
    highest = np.uint8(0)
    for byte in bytes_:
        highest = max(highest, byte)
    return highest


@compiled
def _short_characters(bytes_: UInt8Array, size: int) -> tuple[bool, int]:
    """The same as `_characters` where no character has more than two bytes: the alphabets."""
    here, before = bytes_[_BEFORE : _BEFORE + size], bytes_[_BEFORE - 1 : _BEFORE - 1 + size]
    continuations = np.uint8(0)
    bad = False
    for place in range(size):
        byte = here[place]
        goes_on = (byte >= 0x80) & (byte < 0xC0)
        bad |= (goes_on != (before[place] >= 0xC0)) | (byte == 0xC0) | (byte == 0xC1)
        continuations = np.uint8(continuations + goes_on)
    return bad, int(continuations)


@compiled
def _is_hex(byte: np.uint8) -> bool:
    letter = byte | 0x20
    return bool(((byte >= 0x30) & (byte <= 0x39)) | ((letter >= 0x61) & (letter <= 0x66)))


@compiled
def _references(block: UInt8Array, size: int) -> int:
    """Count the references in the first `size` bytes, at most 255.

    After "&#" comes an x or a digit, and in either case three more digits or hex digits; the last
    two of these four are checked.
    """
    first, second = block[_BEFORE : _BEFORE + size], block[_BEFORE + 1 : _BEFORE + 1 + size]
    third, fourth = block[_BEFORE + 5 : _BEFORE + 5 + size], block[_BEFORE + 6 : _BEFORE + 6 + size]
    count = np.uint8(0)
    for place in range(size):
        count = np.uint8(
            count
            + (
                (first[place] == _AMPERSAND)
                & (second[place] == _HASH)
                & _is_hex(third[place])
                & _is_hex(fourth[place])
            )
        )
    return int(count)


@compiled
def _characters(bytes_: UInt8Array, size: int) -> tuple[bool, int, int, int]:
    """Return whether a part is invalid UTF-8, and its continuations, ideographs and kana.

    A character is counted at the byte that distinguishes it from others.
    """
    here, before = bytes_[_BEFORE : _BEFORE + size], bytes_[_BEFORE - 1 : _BEFORE - 1 + size]
    two_before, three_before = bytes_[_BEFORE - 2 : _BEFORE - 2 + size], bytes_[:size]
    continuations = common = rare = kana = np.uint8(0)
    bad = False
    for place in range(size):
        byte, lead = here[place], before[place]
        lead_of_three, lead_of_four = two_before[place], three_before[place]
        goes_on = (byte >= 0x80) & (byte < 0xC0)
        bad |= goes_on != ((lead >= 0xC0) | (lead_of_three >= 0xE0) | (lead_of_four >= 0xF0))
        # Bytes that begin no character; overlong encodings; surrogates; beyond U+10FFFF.
        bad |= (byte == 0xC0) | (byte == 0xC1) | (byte >= 0xF5)
        bad |= ((lead == 0xE0) & (byte < 0xA0)) | ((lead == 0xED) & (byte >= 0xA0))
        bad |= ((lead == 0xF0) & (byte < 0x90)) | ((lead == 0xF4) & (byte >= 0x90))
        continuations = np.uint8(continuations + goes_on)
        # U+4000 to U+9FFF; U+3400 to U+3FFF, U+F900 to U+FAFF, U+20000 to U+3FFFF.
        common = np.uint8(common + ((byte >= 0xE4) & (byte <= 0xE9)))
        rare = np.uint8(
            rare
            + (
                ((lead == 0xE3) & (byte >= 0x90))
                | ((lead == 0xEF) & (byte >= 0xA4) & (byte <= 0xAB))
                | ((lead == 0xF0) & (byte >= 0xA0))
            )
        )
        kana = np.uint8(
            kana
            + (
                (lead_of_three == 0xE3)
                & (((lead >= 0x81) & (lead <= 0x82)) | ((lead == 0x83) & (byte != 0xBB)))
            )
        )
    return bad, int(continuations), int(common) + int(rare), int(kana)
