"""MinHash on shingles of characters or words: folded code points, hashes, signatures, band keys.

Every function takes the documents of a block as one flat array with offsets. The loops are
compiled; no document becomes a Python string. All constants follow from one seed by integer
arithmetic, so a signature is the same on every machine and stored signatures stay comparable.
A changed constant or formula takes another SIGNATURE_VERSION.

Source:
    Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3
    (banding). Presets: FineWeb 14 bands x 8 rows, HPLT 3.0 17 bands x 15 rows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.jit import compiled
from udfs.dedup.normalise import blank_table, fold_table

SIGNATURE_VERSION = 1
"""Version of the constants and formulas here: stored signatures of another one do not compare."""

BLOCK_CHARS = 1 << 16
"""Characters of documents that are hashed together: about 100,000 hashes, whose arrays stay in the
second-level cache."""

_SEED = 0x7A0_114
_MASK64 = (1 << 64) - 1
_BROKEN = -1


class Shingles(NamedTuple):
    """What the shingles of texts are."""

    width: int
    """Characters, or words, of one."""
    of_words: bool = False


def fold_column(column: pa.Array, *, with_blanks: bool = False) -> tuple[UInt32Array, Int64Array]:
    """Normalise a column of texts by `normalise.fold_table`.

    Args:
        column: Strings or binary. Null is the empty text; broken UTF-8 is replaced, not raised.
        with_blanks: Keep a space for every white space, which is else dropped.
    Returns:
        Folded code points of all texts end to end, and offsets, shape (texts + 1,): text i is
        ``codes[offsets[i]:offsets[i + 1]]``.
    """
    column = column.cast(pa.large_binary())
    if column.null_count:
        column = column.fill_null(b"")
    _, raw_bounds, raw_data = column.buffers()
    bounds = np.frombuffer(raw_bounds, dtype=np.int64)[column.offset :][: len(column) + 1]
    data = np.frombuffer(raw_data, dtype=np.uint8) if raw_data else np.empty(0, dtype=np.uint8)
    offsets = np.zeros(len(column) + 1, dtype=np.int64)
    if len(column) == 0:
        return np.empty(0, dtype=np.uint32), offsets
    codes = np.empty(bounds[-1] - bounds[0], dtype=np.uint32)
    table = blank_table() if with_blanks else fold_table()
    count = _fold(data, bounds, table, codes, offsets)
    if count == _BROKEN:
        mended = pa.array([one.decode("utf-8", "replace") for one in column.to_pylist()])
        return fold_column(mended, with_blanks=with_blanks)
    return codes[:count], offsets


def shingle_hashes(
    codes: UInt32Array, offsets: Int64Array, width: int
) -> tuple[UInt64Array, Int64Array]:
    """64-bit hashes of every window of ``width`` characters; no window crosses documents.

    Args:
        codes: Code points of documents end to end.
        offsets: Where each begins and the last one ends, shape (documents + 1,).
        width: Characters a shingle, at least 1.
    Returns:
        The hashes in text order, repeated ones included, and their offsets, shape
        (documents + 1,). A document shorter than ``width`` has none.
    """
    hash_offsets = np.zeros(len(offsets), dtype=np.int64)
    np.cumsum(np.maximum(np.diff(offsets) - (width - 1), 0), out=hash_offsets[1:])
    hashes = np.empty(hash_offsets[-1], dtype=np.uint64)
    # One odd factor for each character of a shingle, so that transposed characters differ.
    _hash(codes, offsets, _odd_constants(0, width), hashes, hash_offsets)
    return hashes, hash_offsets


def word_codes(column: pa.Array) -> tuple[UInt32Array, Int64Array]:
    """A 32-bit hash of every word of a column of texts: what stands between blanks, folded.

    Args:
        column: As for `fold_column`.
    Returns:
        The hashes of the words of all texts end to end, and their offsets, shape (texts + 1,): as
        code points for `shingle_hashes`, whose windows are then of words.
    """
    codes, bounds = fold_column(column, with_blanks=True)
    words = np.empty(len(codes), dtype=np.uint32)
    offsets = np.zeros(len(bounds), dtype=np.int64)
    count = _hash_words(codes, bounds, words, offsets)
    return words[:count], offsets


def shingle_sets(
    column: pa.Array, shingles: Shingles
) -> tuple[UInt64Array, Int64Array, Int64Array]:
    """The sorted distinct shingle hashes of each text of a column.

    Returns:
        The hashes, and where those of each text start and stop in them, shape (texts,) each. The
        stretches between two sets belong to no set.
    """
    codes, bounds = word_codes(column) if shingles.of_words else fold_column(column)
    hashes, offsets = shingle_hashes(codes, bounds, shingles.width)
    for start, stop in pairwise(offsets.tolist()):
        hashes[start:stop].sort()
    stops = np.empty(len(offsets) - 1, dtype=np.int64)
    _unique(hashes, offsets, stops)
    return hashes, offsets[:-1], stops


def signatures(hashes: UInt64Array, offsets: Int64Array, size: int) -> UInt32Array:
    """MinHash signatures.

    Args:
        hashes: Shingle hashes of documents, end to end.
        offsets: Shape (documents + 1,); every document needs at least one hash.
        size: Values a signature.
    Returns:
        Shape (documents, size). Two documents of Jaccard similarity J agree in a share of values
        whose mean is J and whose standard deviation is sqrt(J (1 - J) / size).
    """
    minima = np.empty((len(offsets) - 1, size), dtype=np.uint32)
    _minima(hashes, offsets, signature_factors(size), minima)
    return minima


def signature_factors(size: int) -> UInt32Array:
    """One odd factor for each value of a signature: its products permute the 32-bit hashes."""
    return (_odd_constants(1, size) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)


def band_keys(values: UInt32Array, bands: int, rows: int) -> Int64Array:
    """One 64-bit key a band; two documents that share a key have equal values in that band.

    Args:
        values: Signatures, shape (n, at least bands * rows).
        bands: Bands a signature is cut into.
        rows: Values a band.
    Returns:
        Shape (n, bands), signed because Spark's long is. The band's number is part of the key:
        equal values in different bands give different keys.
    """
    wide = values[:, : bands * rows].reshape(len(values), bands, rows).astype(np.uint64)
    # Each value is spread before it is summed: sums of small products would collide.
    keys = (_mix(wide + np.uint64(1)) * _odd_constants(2, rows)).sum(axis=2, dtype=np.uint64)
    keys += _odd_constants(3, bands)
    return _mix(keys).view(np.int64)


@compiled
def similarity(
    left: UInt64Array,
    left_start: int,
    left_stop: int,
    right: UInt64Array,
    right_start: int,
    right_stop: int,
    is_estimate: bool,
) -> float:
    """Similarity of two stretches of values, in [0, 1]; 0.0 where either is empty.

    Args:
        left: Signatures, or sets as `shingle_sets` gives them.
        right: The same, perhaps the same array.
        is_estimate: The stretches are signatures, of which the share of equal values is taken;
            else they are sets, of which the Jaccard similarity is.
    """
    if left_start == left_stop or right_start == right_stop:
        return 0.0
    shared = 0
    if is_estimate:
        for place in range(left_stop - left_start):
            shared += left[left_start + place] == right[right_start + place]
        return shared / (left_stop - left_start)
    total = (left_stop - left_start) + (right_stop - right_start)
    while left_start < left_stop and right_start < right_stop:
        one, other = left[left_start], right[right_start]
        shared += one == other  # no branch on hashes: the processor cannot predict it
        left_start += one <= other
        right_start += other <= one
    return shared / (total - shared)


@lru_cache(maxsize=64)
def _odd_constants(purpose: int, count: int) -> UInt64Array:
    """Odd 64-bit constants by splitmix64; ``purpose`` separates the families."""
    state = _SEED + (purpose << 32)
    constants = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _MASK64
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK64
        constants.append((mixed ^ (mixed >> 31)) | 1)
    return np.array(constants, dtype=np.uint64)


def _mix(hashes: UInt64Array) -> UInt64Array:
    """Spread every input bit over all 64 (MurmurHash3's finaliser), in place."""
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


@compiled
def _fold(
    data: UInt8Array,
    bounds: Int64Array,
    table: UInt32Array,
    codes: UInt32Array,
    offsets: Int64Array,
) -> int:
    """Decode and fold texts that lie end to end; returns _BROKEN where one is not UTF-8."""
    count = 0
    at = bounds[0]
    for text in range(len(bounds) - 1):
        end = bounds[text + 1]
        while at < end:
            first = np.uint32(data[at])
            if first < 0x80:
                code = first
                at += 1
            elif 0xE0 <= first < 0xF0:  # nearly every character of a Chinese text
                if at + 2 >= end:
                    return _BROKEN
                second, third = np.uint32(data[at + 1]), np.uint32(data[at + 2])
                if (second ^ np.uint32(0x80)) | (third ^ np.uint32(0x80)) >= 0x40:
                    return _BROKEN
                code = (
                    ((first & np.uint32(0x0F)) << np.uint32(12))
                    | ((second & np.uint32(0x3F)) << np.uint32(6))
                    | (third & np.uint32(0x3F))
                )
                if code < 0x800 or 0xD800 <= code < 0xE000:
                    return _BROKEN
                at += 3
            else:
                if first < 0xC2 or first > 0xF4:
                    return _BROKEN
                more = 1 if first < 0xE0 else 3
                if at + more >= end:
                    return _BROKEN
                code = first & np.uint32(0x3F >> more)
                for step in range(more):
                    byte = np.uint32(data[at + 1 + step])
                    if byte & np.uint32(0xC0) != 0x80:
                        return _BROKEN
                    code = (code << np.uint32(6)) | (byte & np.uint32(0x3F))
                at += 1 + more
                if more == 3 and (code < 0x10000 or code > 0x10FFFF):
                    return _BROKEN
            folded = table[code]
            if folded != 0:
                codes[count] = folded
                count += 1
        offsets[text + 1] = count
    return count


@compiled
def _hash_words(
    codes: UInt32Array, bounds: Int64Array, words: UInt32Array, offsets: Int64Array
) -> int:
    """Fill the hash of each word and where those of each text begin; return their number."""
    count = 0
    for text in range(len(bounds) - 1):
        hash_ = np.uint64(0)
        is_inside = False
        for place in range(bounds[text], bounds[text + 1] + 1):
            if place < bounds[text + 1] and codes[place] != 0x20:
                hash_ = (hash_ + np.uint64(codes[place])) * np.uint64(0x9E3779B97F4A7C15)
                is_inside = True
            elif is_inside:
                words[count] = np.uint32((hash_ ^ (hash_ >> np.uint64(29))) >> np.uint64(32))
                count += 1
                hash_ = np.uint64(0)
                is_inside = False
        offsets[text + 1] = count
    return count


@compiled
def _hash(
    codes: UInt32Array,
    offsets: Int64Array,
    factors: UInt64Array,
    hashes: UInt64Array,
    hash_offsets: Int64Array,
) -> None:
    """Fill the hashes of each text, from its `hash_offsets` on (multilinear hashing)."""
    width = len(factors)
    for text in range(len(offsets) - 1):
        start, stop = hash_offsets[text], hash_offsets[text + 1]
        if start == stop:
            continue
        values = hashes[start:stop]
        values[:] = 0
        for position in range(width):
            factor = factors[position]
            shifted = codes[offsets[text] + position :]
            for window in range(len(values)):
                values[window] += np.uint64(shifted[window]) * factor
        for window in range(len(values)):
            value = values[window]
            value ^= value >> np.uint64(33)
            value *= np.uint64(0xFF51AFD7ED558CCD)
            value ^= value >> np.uint64(33)
            value *= np.uint64(0xC4CEB9FE1A85EC53)
            value ^= value >> np.uint64(33)
            values[window] = value


@compiled
def _unique(hashes: UInt64Array, offsets: Int64Array, kept: Int64Array) -> None:
    """Move the distinct values of each sorted stretch to its front; fills where they end."""
    for text in range(len(offsets) - 1):
        to = offsets[text]
        for at in range(offsets[text], offsets[text + 1]):
            if at == offsets[text] or hashes[at] != hashes[at - 1]:
                # The next comparison reads a value that is not overwritten yet: to <= at.
                hashes[to] = hashes[at]
                to += 1
        kept[text] = to


@compiled
def _minima(
    hashes: UInt64Array, offsets: Int64Array, factors: UInt32Array, minima: UInt32Array
) -> None:
    """Fill the least product of each factor with the upper half of any hash of a text."""
    for text in range(len(offsets) - 1):
        row = minima[text]
        row[:] = np.uint32(0xFFFFFFFF)
        at, end = offsets[text], offsets[text + 1]
        while at + 4 <= end:  # four at a time: one load and one store for four products
            first = np.uint32(hashes[at] >> np.uint64(32))
            second = np.uint32(hashes[at + 1] >> np.uint64(32))
            third = np.uint32(hashes[at + 2] >> np.uint64(32))
            fourth = np.uint32(hashes[at + 3] >> np.uint64(32))
            for place in range(len(factors)):
                factor = factors[place]
                row[place] = min(
                    min(row[place], min(np.uint32(first * factor), np.uint32(second * factor))),
                    min(np.uint32(third * factor), np.uint32(fourth * factor)),
                )
            at += 4
        while at < end:
            last = np.uint32(hashes[at] >> np.uint64(32))
            for place in range(len(factors)):
                row[place] = min(row[place], np.uint32(last * factors[place]))
            at += 1
