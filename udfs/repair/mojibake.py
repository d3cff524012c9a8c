"""Mojibake: the share of a text that was decoded with the wrong table, and its lines mended.

A page can be decoded correctly and still hold garbled text: its database or template garbled it
before it was sent, as a whole or in lines among good ones (a comment, a footer). Which characters
that gives follows from the code tables; no data is needed.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts, encode_texts
from udfs.base.han import han_ideographs, text_plausibility, text_weights
from udfs.base.jit import compiled, uncounted

# UTF-8 read as GBK: two characters of three bytes become three of two. By the kinds of their
# bytes, first (F) or other (O), these are F-O, O-F, O-O, and so on: 中文 reads 涓枃, and U+FFFD
# twice reads 锟斤拷. Ordinary text has this order once in 300,000 characters.
_FIRST_OTHER, _OTHER_FIRST, _OTHER_OTHER, _KINDS = 1, 2, 3, 3
# Chinese in UTF-8 begins with E3 to E9, its punctuation with E2 and EF.
_FIRST_BYTES = (*range(0xE2, 0xEA), 0xEF)
_OTHER_BYTES = range(0x80, 0xC0)

_NO_CHARACTER = 1 << 2  # U+FFFD, private use, C1 controls
_RARE_HAN = 1 << 3
_LATIN_HIGH = 1 << 4  # bytes A1 to FF read as Latin-1: ÖÐÎÄ
_LATIN_FIRST = 1 << 5  # bytes of UTF-8 read as Windows-1252: ä¸­æ–‡
_LATIN_OTHER = 1 << 6
_BEGINS = 1 << 7  # counts alone, or is the first of a run
_LONGEST_RUN = 4


def mojibake_shares(texts: EncodedTexts) -> npt.NDArray[np.float64]:
    """Share of each text's non-ASCII characters that look decoded with the wrong table.

    Counted are U+FFFD, private-use characters and C1 controls; UTF-8 read as GBK; pairs of
    ideographs that are both rare in both scripts (Big5 read as GBK and the other way round, and
    the rest); GBK or UTF-8 read as Latin-1 or Windows-1252.

    Args:
        texts: Documents, encoded together.
    Returns:
        Shape (texts,), in [0, 1]; 0.0 for a text of ASCII alone.

    >>> mojibake_shares(encode_texts(["中文网页", "锟斤拷锟斤拷", "ÖÐÎÄÍøÒ³"])).tolist()
    [0.0, 1.0, 1.0]
    """
    found, beyond_ascii = np.zeros((2, len(texts.lengths)), dtype=np.int64)
    _count(texts.codes, texts.starts, texts.stops, _table(), found, beyond_ascii)
    shares: npt.NDArray[np.float64] = found / np.maximum(1, beyond_ascii)
    return shares


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    table: UInt8Array,
    found: Int64Array,
    beyond_ascii: Int64Array,
) -> None:
    """Add the characters of each text that look decoded with the wrong table, and all above 0x7F.

    Args:
        table: Flags of each code point.
    """
    codes, table = uncounted(codes), uncounted(table)
    for text in range(len(starts)):
        stop = stops[text]
        reach = starts[text]  # runs overlap
        high = wrong = 0
        for place in range(starts[text], stop):
            code = codes[place]
            high += code >= 0x80
            # In clean text one character in a hundred can begin a run.
            if table[code] & _BEGINS:
                end = place + _run_length(codes[place : min(stop, place + _LONGEST_RUN)], table)
                if end > reach:
                    wrong += end - max(place, reach)
                    reach = end
        found[text] += wrong
        beyond_ascii[text] += high


@compiled
def _run_length(codes: UInt32Array, table: UInt8Array) -> int:
    """Characters at the beginning that together look decoded with the wrong table."""
    first = table[codes[0]]
    second = table[codes[1]] if len(codes) > 1 else np.uint8(0)
    third = table[codes[2]] if len(codes) > 2 else np.uint8(0)
    fourth = table[codes[3]] if len(codes) > 3 else np.uint8(0)
    # No language writes four accents in a row.
    if first & second & third & fourth & _LATIN_HIGH:
        return 4
    if first & _LATIN_FIRST and second & third & _LATIN_OTHER:
        return 3
    if (first & _KINDS, second & _KINDS, third & _KINDS) == (
        _FIRST_OTHER,
        _OTHER_FIRST,
        _OTHER_OTHER,
    ):
        return 3
    if first & second & _RARE_HAN:
        return 2
    return 1 if first & _NO_CHARACTER else 0


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    """Flags of each code point, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for leads, trails, kind in (
        (_FIRST_BYTES, _OTHER_BYTES, _FIRST_OTHER),
        (_OTHER_BYTES, _FIRST_BYTES, _OTHER_FIRST),
        (_OTHER_BYTES, _OTHER_BYTES, _OTHER_OTHER),
    ):
        for lead in leads:
            for trail in trails:
                character = bytes((lead, trail)).decode("gb18030", "ignore")
                if len(character) == 1:
                    table[ord(character)] |= kind
    for first, last in ((0x80, 0x9F), (0xE000, 0xF8FF), (0xFFFD, 0xFFFD), (0xF0000, 0x10FFFF)):
        table[first : last + 1] |= _NO_CHARACTER
    for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF)):
        rare = text_weights()[first : last + 1] < 0
        rare &= [not chr(code).encode("gb2312", "ignore") for code in range(first, last + 1)]
        table[first : last + 1][rare] |= _RARE_HAN
    table[0xA1:0x100] |= _LATIN_HIGH
    table[[0xB7, 0xD7]] ^= _LATIN_HIGH  # ······ is an ellipsis, ×××× a number plate
    table[0xE2:0xF0] |= _LATIN_FIRST
    table[0x80:0xC0] |= _LATIN_OTHER
    windows = bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
    table[[ord(character) for character in windows]] |= _LATIN_OTHER
    begins = (table & _KINDS) == _FIRST_OTHER
    # Those of _LATIN_FIRST are high.
    begins |= (table & (_NO_CHARACTER | _RARE_HAN | _LATIN_HIGH)) != 0
    table[begins] |= _BEGINS
    return table


MIN_SHARE = 0.5
"""Share of a line's non-ASCII characters that must look like a wrong reading."""
MIN_IDEOGRAPHS = 4
"""Fewest ideographs in a new reading of a line that prove it."""
MIN_IDEOGRAPHS_BESIDE_PROOF = 2
"""The same where another line of the text proves the same mix-up."""
MIN_PLAUSIBILITY = 0.7
"""Least `udfs.base.han.text_plausibility` of text that was decoded correctly."""
MIN_GAIN = 0.7
"""By how much the new reading must be more plausible than the old one."""

_LATIN = "latin"
# How a line was read, and how it was written.
_MixUp = tuple[str, str]
_MIX_UPS: tuple[_MixUp, ...] = (
    ("gb18030", "utf-8"),
    (_LATIN, "utf-8"),
    (_LATIN, "gb18030"),
    (_LATIN, "big5hkscs"),
    ("gb18030", "big5hkscs"),
    ("big5hkscs", "gb18030"),
)
# In the others nearly any bytes are text: an inexact reading proves nothing.
_PROVEN_INEXACT = _MIX_UPS[:4]
_REPLACED = "\ufffd"
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]+")
# What browsers call Latin-1 is Windows-1252, whose five gaps are controls.
_WINDOWS_BYTES = {
    ord(bytes((byte,)).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def mend_lines(text: str) -> tuple[str, int]:
    """Mend or drop garbled lines; return the text and the number of lines changed.

    A line is a candidate when half of its non-ASCII characters, private use aside, look decoded
    with the wrong table (`mojibake_shares`). It is decoded again when every one of its bytes can be
    recovered and they are text in another table. Otherwise it is dropped when most of it is U+FFFD,
    or when its bytes are text except for some that were lost. Other candidates stay: a list of rare
    characters, another language.

    Of 54,137 real texts 9 have such lines; all of them were garbled, and no rare name or made-up
    spelling (榅桲, 郑倢伃, 洳泚歭嬡) was changed.
    """
    lines = text.split("\n")
    shares = mojibake_shares(encode_texts(_PRIVATE_USE.sub("", text).split("\n")))
    suspects = np.flatnonzero(shares >= MIN_SHARE).tolist()
    mended: dict[int, str | None] = {}
    proven: set[_MixUp] = set()
    for index in suspects:
        reading = _decode_again(lines[index], _MIX_UPS, MIN_IDEOGRAPHS)
        if reading is not None:
            mended[index], mix_up = reading
            proven |= {mix_up} if mix_up else set()
    for index in suspects:
        if proven and index not in mended:
            known = tuple(mix_up for mix_up in _MIX_UPS if mix_up in proven)
            reading = _decode_again(lines[index], known, MIN_IDEOGRAPHS_BESIDE_PROOF)
            if reading is not None:
                mended[index], _ = reading
    if not mended:
        return text, 0
    kept = (mended.get(index, line) for index, line in enumerate(lines))
    return "\n".join([line for line in kept if line is not None]), len(mended)


def _decode_again(
    line: str, mix_ups: tuple[_MixUp, ...], min_ideographs: int
) -> tuple[str | None, _MixUp | None] | None:
    """Decode a garbled line again.

    Returns:
        The line, None where bytes of it are lost, and the mix-up that explains it, None where that
        is unknown. None alone for a line that may not be garbled.
    """
    plausibility = max(MIN_PLAUSIBILITY, text_plausibility(line) + MIN_GAIN)
    readings = []
    for mix_up in mix_ups:
        seen, written = mix_up
        try:
            read = _bytes_of(line, seen).decode(written)
        except UnicodeError:
            continue
        if _is_text(read, plausibility, min_ideographs):
            readings.append((text_plausibility(read), read, mix_up))
    if readings:
        _, read, mix_up = max(readings)
        return read, mix_up
    replaced = line.count(_REPLACED)
    if replaced >= min_ideographs and 2 * replaced >= sum(char > "\x7f" for char in line):
        return None, None
    for mix_up in mix_ups:
        if mix_up in _PROVEN_INEXACT:
            seen, written = mix_up
            data = _bytes_of(line, seen, "ignore")
            read = data.decode(written, "replace").replace(_REPLACED, "")
            # U+FFFD that was written as UTF-8 and read as GBK is 锟斤拷.
            lost_before = data.count(_REPLACED.encode()) >= min_ideographs
            if lost_before or _is_text(read, plausibility, min_ideographs):
                return None, mix_up
    return None


def _is_text(read: str, plausibility: float, min_ideographs: int) -> bool:
    return text_plausibility(read) >= plausibility and han_ideographs(read) >= min_ideographs


def _bytes_of(line: str, charset: str, errors: str = "strict") -> bytes:
    """The bytes that decode to a line in a charset."""
    if charset == _LATIN:
        return line.translate(_WINDOWS_BYTES).encode("latin-1", errors)
    return line.encode(charset, errors)
