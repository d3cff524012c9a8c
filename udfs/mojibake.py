"""How much of a text is mojibake: bytes that somebody read through the wrong table.

A page can be decoded rightly and be garbage still, where its author's database or template
garbled the text before it was sent. Nothing here needs data: what a wrong reading looks like
follows from the code tables.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS, EncodedTexts
from udfs.han import text_weights

# UTF-8 read as GBK: two characters of three bytes become three of two. By the kinds of their
# bytes, first (F) or other (O), these are F-O, O-F, O-O, and so on again: 中文 reads 涓枃, and
# U+FFFD twice reads 锟斤拷. A rare character, then one of common ones, in just this order, is
# what ordinary text has once in 300,000 characters.
_FIRST_OTHER, _OTHER_FIRST, _OTHER_OTHER, _KINDS = 1, 2, 3, 3
# Chinese in UTF-8 begins with E3 to E9, its punctuation with E2 and EF.
_FIRST_BYTES = (*range(0xE2, 0xEA), 0xEF)
_OTHER_BYTES = range(0x80, 0xC0)

_NO_CHARACTER = 1 << 2  # U+FFFD, private use, C1 controls
_RARE_HAN = 1 << 3
_LATIN_HIGH = 1 << 4  # bytes A1 to FF read as Latin-1: ÖÐÎÄ
_LATIN_FIRST = 1 << 5  # bytes of UTF-8 read as Windows-1252: ä¸­æ–‡
_LATIN_OTHER = 1 << 6
_BEGINS = 1 << 7  # what counts alone, or is the first of a run

# Neighbours that count together: for each of them a mask over its flags, and what that leaves.
_RUNS = (
    ((_KINDS, _FIRST_OTHER), (_KINDS, _OTHER_FIRST), (_KINDS, _OTHER_OTHER)),
    ((_RARE_HAN, _RARE_HAN),) * 2,
    ((_LATIN_HIGH, _LATIN_HIGH),) * 4,  # no language writes so many accents in a row
    ((_LATIN_FIRST, _LATIN_FIRST), (_LATIN_OTHER, _LATIN_OTHER), (_LATIN_OTHER, _LATIN_OTHER)),
)


def mojibake_share(text: str) -> float:
    """Share of a text's non-ASCII characters that look like a wrong reading.

    Counted are U+FFFD, private-use characters and C1 controls; UTF-8 read as GBK; pairs of
    ideographs that are both rare in both scripts (Big5 read as GBK and the other way round, and
    the rest); GBK or UTF-8 read as Latin-1 or Windows-1252.

    Args:
        text: One document. Lone surrogates count as ASCII.
    Returns:
        In [0, 1]; 0.0 for a text of ASCII alone.

    >>> mojibake_share("中文网页"), mojibake_share("锟斤拷锟斤拷"), mojibake_share("ÖÐÎÄÍøÒ³")
    (0.0, 1.0, 1.0)
    """
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
    return float(mojibake_shares(EncodedTexts(codes, np.array([len(codes)])))[0])


def mojibake_shares(texts: EncodedTexts) -> npt.NDArray[np.float64]:
    """`mojibake_share` of many texts at once, shape (texts,)."""
    flags = _table()[texts.codes]
    # Of clean text one character in a hundred can begin anything: only there is looked further.
    begins = np.flatnonzero(flags & _BEGINS)
    if not len(begins):
        return np.zeros(len(texts.lengths))
    first = flags[begins]
    left = texts.stops[np.searchsorted(texts.stops, begins, side="right")] - begins
    found = np.zeros(len(flags), dtype=bool)
    found[begins[(first & _NO_CHARACTER) != 0]] = True
    for (first_mask, first_wanted), *others in _RUNS:
        runs = begins[((first & first_mask) == first_wanted) & (left > len(others))]
        for place, (mask, wanted) in enumerate(others, 1):
            if len(runs):
                runs = runs[(flags[runs + place] & mask) == wanted]
        if len(runs):
            for place in range(len(others) + 1):
                found[runs + place] = True
    shares: npt.NDArray[np.float64] = texts.counts_of(found) / np.maximum(
        1, texts.counts_of(texts.codes >= 0x80)
    )
    return shares


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
