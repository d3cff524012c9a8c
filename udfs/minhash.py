"""MinHash on character shingles, in whole arrays: pages to signatures, signatures to band keys.

Every function takes the documents of a block as one flat array with offsets. All constants come
from one seed by integer arithmetic, so a signature is the same on every machine, for ever: a
stored signature stays comparable. Change a constant and you have another signature.

Source:
    Broder 1997 (MinHash); Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3
    (banding). Presets: FineWeb 14 bands x 8 rows, HPLT 3.0 17 bands x 15 rows.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from udfs.normalise import Codes, Offsets

Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]

SIGNATURE_VERSION = 1
"""To be raised with every change of a constant or formula here: stored signatures are of one."""

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
