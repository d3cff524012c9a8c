"""What the bytes of a page hold, counted in one pass.

Blocks of a size that the processor's vector units like: what most pages do not have (bytes above
0x7F, references) is asked for block by block, and looked into only where a block has some.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.jit import compiled, uncounted

Bytes = npt.NDArray[np.uint8]
_Fields = tuple[bool, bool, int, bool, int, int, int]

_BLOCK = 1024
# Counts of a part fit in a byte: of 256 bytes of valid UTF-8 no more than 192 continue a character.
_PART = 256
_BEFORE, _AFTER = 3, 6  # bytes around a block that say something about its own
_SPACE = 0x20
_AMPERSAND, _HASH = 0x26, 0x23
_ESCAPE, _TILDE, _BRACE = 0x1B, 0x7E, 0x7B


class PageBytes(NamedTuple):
    """What a stretch of bytes holds. From `continuations` on, exact where it is valid UTF-8.

    Attributes:
        is_ascii: No byte above 0x7F.
        has_shift: A zero byte, an escape or "~{": what may be ASCII is UTF-16, ISO-2022 or HZ.
        references: Numeric character references with room for four digits; those of fewer, and
            nearly all of quotes, spaces and their like (&#39; &#xa0;), are left out.
        is_utf8: Strict UTF-8.
        continuations: Bytes 0x80 to 0xBF: all but the first of each character.
        ideographs: As `udfs.base.han.han_ideographs` counts them.
        kana: U+3040 to U+30FF, but for U+30FB, a dot that Chinese pages use for a bullet.
    """

    is_ascii: bool
    has_shift: bool
    references: int
    is_utf8: bool
    continuations: int
    ideographs: int
    kana: int


def page_bytes(page: bytes, start: int = 0, end: int | None = None) -> PageBytes:
    """What a page holds from `start` to `end` (its end when None).

    >>> page_bytes("かな漢字&#28450;".encode())[3:]
    (True, 8, 2, 2)
    """
    end = len(page) if end is None else end
    return PageBytes(*_look(page, start, end))


@compiled
def _look(page: bytes, start: int, end: int) -> _Fields:
    """The fields of `PageBytes`."""
    edge = np.empty(_BEFORE + _BLOCK + _AFTER, dtype=np.uint8)
    return _look_with(np.frombuffer(page, dtype=np.uint8), start, end, edge)


@compiled
def _look_with(page: Bytes, start: int, end: int, edge: Bytes) -> _Fields:
    """The same with room for a block at an edge of the page."""
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
    # A character that the end cuts: no byte of it is wrong, but some are not there.
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


# The lowest first byte of a character that goes on so many bytes further, at least.
_FIRST_OF = (0x00, 0xC0, 0xE0, 0xF0)


@compiled
def _glance(block: Bytes, size: int) -> tuple[bool, bool, bool]:
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
def _highest(bytes_: Bytes) -> np.uint8:
    highest = np.uint8(0)
    for byte in bytes_:
        highest = max(highest, byte)
    return highest


@compiled
def _short_characters(bytes_: Bytes, size: int) -> tuple[bool, int]:
    """What `_characters` gives where no character has more than two bytes: the alphabets."""
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
def _references(block: Bytes, size: int) -> int:
    """The references in the first `size` bytes, at most 255.

    After "&#" comes an x or a digit, and in either case three more digits or hex digits; the last
    two of these four places tell.
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
def _characters(bytes_: Bytes, size: int) -> tuple[bool, int, int, int]:
    """Whether a part is no UTF-8; its continuations, ideographs and kana.

    A character is counted where the byte is that tells it from others.
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
        # Bytes that begin nothing; spellings that are too long; surrogates; beyond U+10FFFF.
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
