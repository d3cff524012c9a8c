"""MinHash on character shingles, in whole arrays: pages to signatures, signatures to band keys.

Every function takes the documents of a block as one flat array with offsets. All constants come
from one seed by integer arithmetic, so a signature is the same on every machine, for ever: a
stored signature stays comparable. Change a constant and you have another signature.

Source:
    Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3
    (banding). Presets: FineWeb 14 bands x 8 rows, HPLT 3.0 17 bands x 15 rows.

UTF-8 to shingle hashes in compiled loops: what `fold_texts` and `shingle_hashes` give, in a
third of their time, and without a Python string of any text.

`minhash.signatures` in one compiled pass over the hashes: a sixth of its time.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numpy.typing import NDArray

from udfs.base.jit import compiled
from udfs.dedup.normalise import Codes, Offsets, fold_table, fold_texts

Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]

_SEED = 0x7A0_114
_MASK64 = (1 << 64) - 1
# About 100,000 hashes: an array of 32-bit products stays in the second-level cache.
BLOCK_CHARS = 1 << 16


@lru_cache(maxsize=64)
def _odd_constants(purpose: int, count: int) -> Hashes:
    """Odd 64-bit constants by splitmix64; ``purpose`` separates the families."""
    state = _SEED + (purpose << 32)
    constants = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & _MASK64
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK64
        constants.append((mixed ^ (mixed >> 31)) | 1)
    return np.array(constants, dtype=np.uint64)


def _mix(hashes: Hashes) -> Hashes:
    """Spread every input bit over all 64 (MurmurHash3's finaliser), in place."""
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def shingle_factors(width: int) -> Hashes:
    """One odd factor for each character of a shingle: transposed characters are kept apart."""
    return _odd_constants(0, width)


def shingle_hashes(codes: Codes, offsets: Offsets, width: int) -> tuple[Hashes, Offsets]:
    """64-bit hashes of every window of ``width`` characters; no window crosses documents.

    Args:
        codes: Code points of n documents in a row.
        offsets: n + 1 offsets into ``codes``.
        width: Characters a shingle, at least 1.
    Returns:
        The hashes in text order, copies included, and n + 1 offsets. A document shorter than
        ``width`` has none.
    """
    lengths = np.diff(offsets)
    counts = np.maximum(lengths - (width - 1), 0)
    hash_offsets = np.zeros(len(offsets), dtype=np.int64)
    np.cumsum(counts, out=hash_offsets[1:])
    windows = len(codes) - (width - 1)
    if windows <= 0 or hash_offsets[-1] == 0:
        return np.empty(0, dtype=np.uint64), hash_offsets
    wide = codes.astype(np.uint64)  # multilinear hashing
    factors = shingle_factors(width)
    hashes = wide[:windows] * factors[0]
    for position in range(1, width):
        hashes += wide[position : position + windows] * factors[position]
    if len(lengths) > 1:
        inside = np.ones(windows, dtype=bool)
        for back in range(1, width):  # the last starts of a document would reach into the next
            starts = offsets[1:-1] - back
            inside[starts[(starts >= 0) & (starts < windows)]] = False
        hashes = hashes[inside]
    return _mix(hashes), hash_offsets


def signature_factors(size: int) -> NDArray[np.uint32]:
    """One odd factor for each value of a signature: its products permute the 32-bit hashes."""
    return (_odd_constants(1, size) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)


def signatures(hashes: Hashes, offsets: Offsets, size: int) -> Signatures:
    """MinHash signatures, one row a document that has shingles.

    Args:
        hashes: Shingle hashes of n documents in a row.
        offsets: n + 1 offsets; every document needs at least one hash.
        size: Values a signature.
    Returns:
        Shape (n, size). Two documents of Jaccard similarity J agree in a share of values whose
        mean is J and whose standard deviation is sqrt(J (1 - J) / size).
    """
    count = len(offsets) - 1
    minima = np.empty((size, count), dtype=np.uint32)
    if count == 0:
        return minima.T
    high = (hashes >> np.uint64(32)).astype(np.uint32)
    factors = signature_factors(size)  # the least product is the sample
    products = np.empty_like(high)
    starts = offsets[:-1]
    for row in range(size):
        np.multiply(high, factors[row], out=products)
        np.minimum.reduceat(products, starts, out=minima[row])
    return np.ascontiguousarray(minima.T)


def band_keys(values: Signatures, bands: int, rows: int) -> NDArray[np.int64]:
    """One key a band: equal keys mean, up to 64-bit chance, the same band with equal values.

    Args:
        values: Signatures, shape (n, at least bands * rows).
        bands: Bands a signature is cut into.
        rows: Values a band.
    Returns:
        Shape (n, bands), signed because Spark's long is. The band's number is part of the key:
        equal values in different bands do not meet.
    """
    wide = values[:, : bands * rows].reshape(len(values), bands, rows).astype(np.uint64)
    # Each value is spread before it is summed: sums of small products would collide.
    keys = (_mix(wide + np.uint64(1)) * _odd_constants(2, rows)).sum(axis=2, dtype=np.uint64)
    keys += _odd_constants(3, bands)
    return _mix(keys).view(np.int64)


def shingle_sets(hashes: Hashes, offsets: Offsets) -> list[Hashes]:
    """The sorted distinct shingle hashes of each document."""
    sets = []
    for start, end in pairwise(offsets.tolist()):
        ordered = np.sort(hashes[start:end])
        if len(ordered) > 1:
            fresh = np.empty(len(ordered), dtype=bool)
            fresh[0] = True
            np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
            ordered = ordered[fresh]
        sets.append(ordered)
    return sets


def jaccard(left: Hashes, right: Hashes) -> float:
    """Jaccard similarity of two sorted sets of distinct hashes; 0.0 when either is empty."""
    if len(left) == 0 or len(right) == 0:
        return 0.0
    merged = np.concatenate((left, right))
    merged.sort()
    shared = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return shared / (len(merged) - shared)


def agreement(left: Signatures, right: Signatures) -> float:
    """Share of equal values of two signatures: the estimate of their Jaccard similarity."""
    return float(np.count_nonzero(left == right) / len(left))


Bytes = npt.NDArray[np.uint8]

_BROKEN = -1


@compiled
def _fold(data: Bytes, bounds: Offsets, table: Codes, codes: Codes, offsets: Offsets) -> int:
    """Decode and fold texts that lie one behind the other; gives _BROKEN where one is no UTF-8."""
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
def _hash(
    codes: Codes, offsets: Offsets, factors: Hashes, hashes: Hashes, hash_offsets: Offsets
) -> None:
    """Windows of each text; `hash_offsets` says where those of a text go."""
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
def _unique(hashes: Hashes, offsets: Offsets, kept: Offsets) -> None:
    """Move the distinct values of each sorted stretch to its front; `kept` says where they end."""
    for text in range(len(offsets) - 1):
        to = offsets[text]
        for at in range(offsets[text], offsets[text + 1]):
            if at == offsets[text] or hashes[at] != hashes[at - 1]:
                # What is compared with next has not been overwritten yet: to <= at.
                hashes[to] = hashes[at]
                to += 1
        kept[text] = to


def fold_column(column: pa.Array) -> tuple[Codes, Offsets]:
    """Folded code points of a column of texts, as `fold_texts` gives them.

    Null is the empty text; broken UTF-8 is replaced, not raised.
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
    count = _fold(data, bounds, fold_table(), codes, offsets)
    if count == _BROKEN:
        return fold_texts([one.decode("utf-8", "replace") for one in column.to_pylist()])
    return codes[:count], offsets


def hash_windows(codes: Codes, offsets: Offsets, width: int) -> tuple[Hashes, Offsets]:
    """As `minhash.shingle_hashes`."""
    hash_offsets = np.zeros(len(offsets), dtype=np.int64)
    np.cumsum(np.maximum(np.diff(offsets) - (width - 1), 0), out=hash_offsets[1:])
    hashes = np.empty(hash_offsets[-1], dtype=np.uint64)
    _hash(codes, offsets, shingle_factors(width), hashes, hash_offsets)
    return hashes, hash_offsets


def distinct_hashes(hashes: Hashes, offsets: Offsets) -> Offsets:
    """Sort the hashes of each text, in place, with the distinct ones in front.

    Returns:
        Where the distinct hashes of each text end, shape (texts,).
    """
    for start, stop in pairwise(offsets.tolist()):
        hashes[start:stop].sort()
    ends = np.empty(len(offsets) - 1, dtype=np.int64)
    _unique(hashes, offsets, ends)
    return ends


@compiled
def _minima(
    hashes: Hashes, offsets: Offsets, factors: npt.NDArray[np.uint32], minima: Signatures
) -> None:
    """The least product of each factor with the upper half of any hash of a text."""
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


def fast_signatures(hashes: Hashes, offsets: Offsets, size: int) -> Signatures:
    """As `minhash.signatures`; every document needs at least one hash."""
    minima = np.empty((len(offsets) - 1, size), dtype=np.uint32)
    _minima(hashes, offsets, signature_factors(size), minima)
    return minima
