"""The paragraphs of many texts, each with a key of 128 bits, in one compiled pass.

A paragraph is a line that has text. That is what the extractor writes for a block of a page; blank
lines are rare in what it gives, and a run of lines between them is the whole page.

The key is SipHash-2-4 with 128 bits of the line's folded code points (`udfs.dedup.normalise`), four
bytes each, little-endian. A collision deletes text that is nowhere else, so the width is chosen
for 10^11 different paragraphs: one pair of them has the same key with probability 1.5e-17; of 96
bits with 6.3e-8; and of the 64 bits that CCNet takes 271 pairs are to be expected.

Source: Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012, and its variant of 128 bits;
CCNet (arXiv 1911.00359), section 3.1, for hashing lines.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int64Array, UInt32Array, UInt64Array
from udfs.base.jit import compiled

KEY = (0x7461_6F6A_696E_2D70, 0x6172_6167_7261_7068)
"""The two halves of SipHash's key. Stored keys can be compared for as long as it stays."""

_NEWLINE = 0x0A
_A = (np.uint64(13), np.uint64(51))
_B = (np.uint64(16), np.uint64(48))
_C = (np.uint64(17), np.uint64(47))
_D = (np.uint64(21), np.uint64(43))
_HALF = np.uint64(32)
_CODE_BYTES = 4
_LENGTH_SHIFT = np.uint64(56)
_START = (
    np.uint64(0x736F_6D65_7073_6575),
    np.uint64(0x646F_7261_6E64_6F6D),
    np.uint64(0x6C79_6765_6E65_7261),
    np.uint64(0x7465_6462_7974_6573),
)
_WIDE_START = np.uint64(0xEE)
_WIDE_HIGH = np.uint64(0xEE)
_WIDE_LOW = np.uint64(0xDD)


@compiled
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of SipHash."""
    v0 += v1
    v1 = ((v1 << _A[0]) | (v1 >> _A[1])) ^ v0
    v0 = (v0 << _HALF) | (v0 >> _HALF)
    v2 += v3
    v3 = ((v3 << _B[0]) | (v3 >> _B[1])) ^ v2
    v0 += v3
    v3 = ((v3 << _D[0]) | (v3 >> _D[1])) ^ v0
    v2 += v1
    v1 = ((v1 << _C[0]) | (v1 >> _C[1])) ^ v2
    v2 = (v2 << _HALF) | (v2 >> _HALF)
    return v0, v1, v2, v3


@compiled
def _absorb(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64, word: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Eight bytes of the message."""
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@compiled
def _finish(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64, last: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Both halves of the key, after the last word of the message."""
    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, last)
    v2 ^= _WIDE_HIGH
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    first = v0 ^ v1 ^ v2 ^ v3
    v1 ^= _WIDE_LOW
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return first, v0 ^ v1 ^ v2 ^ v3


@compiled
def find_paragraphs(
    codes: UInt32Array, offsets: Int64Array, folds: UInt32Array, min_chars: int, key: UInt64Array
) -> tuple[Int64Array, Int64Array, Int64Array, UInt64Array]:
    """The paragraphs of texts that lie end to end.

    Args:
        codes: Code points of n texts.
        offsets: n + 1 offsets into ``codes``.
        folds: Folded code point of every code point; 0 means dropped.
        min_chars: Fewest folded characters of a paragraph that is given; at least 1.
        key: SipHash's key, two words.
    Returns:
        Of p paragraphs in order: text (p), start in it (p), length (p), keys (p, 2). A length
        reaches up to the next line that has text, so blank lines go with the paragraph before them;
        that of a last line without a line feed counts one, so that the lengths of paragraphs that
        are cut add up to what a text loses.
    """
    texts = len(offsets) - 1
    most = texts
    for code in codes:
        most += code == _NEWLINE
    text_of = np.empty(most, dtype=np.int64)
    starts = np.empty(most, dtype=np.int64)
    lengths = np.empty(most, dtype=np.int64)
    keys = np.empty((most, 2), dtype=np.uint64)
    found = 0
    for text in range(texts):
        begin, stop = offsets[text], offsets[text + 1]
        line = begin
        is_open = False
        size = 0
        half = np.uint64(0)
        v0, v1, v2, v3 = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        for place in range(begin, stop + 1):
            if place < stop and codes[place] != _NEWLINE:
                folded = np.uint64(folds[codes[place]])
                if folded == np.uint64(0):
                    continue
                if size == 0:
                    v0 = key[0] ^ _START[0]
                    v1 = key[1] ^ _START[1] ^ _WIDE_START
                    v2 = key[0] ^ _START[2]
                    v3 = key[1] ^ _START[3]
                if size & 1:
                    v0, v1, v2, v3 = _absorb(v0, v1, v2, v3, half | (folded << _HALF))
                else:
                    half = folded
                size += 1
                continue
            if size:
                if is_open:
                    lengths[found - 1] = line - begin - starts[found - 1]
                is_open = size >= min_chars
                if is_open:
                    last = np.uint64(size * _CODE_BYTES) << _LENGTH_SHIFT  # its last 8 bits
                    if size & 1:
                        last |= half
                    text_of[found] = text
                    starts[found] = line - begin
                    keys[found, 0], keys[found, 1] = _finish(v0, v1, v2, v3, last)
                    found += 1
                size = 0
            line = place + 1
        if is_open:
            unended = stop > begin and codes[stop - 1] != _NEWLINE
            lengths[found - 1] = stop - begin - starts[found - 1] + unended
    return text_of[:found], starts[:found], lengths[:found], keys[:found]
