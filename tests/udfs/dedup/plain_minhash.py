"""MinHash in whole NumPy arrays: the plain twin of udfs/dedup/minhash.py."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from udfs.base.array_types import Int64Array, UInt32Array, UInt64Array
from udfs.dedup.minhash import _mix, _odd_constants, signature_factors


def shingle_hashes(
    codes: UInt32Array, offsets: Int64Array, width: int
) -> tuple[UInt64Array, Int64Array]:
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
    factors = _odd_constants(0, width)
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


def signatures(hashes: UInt64Array, offsets: Int64Array, size: int) -> UInt32Array:
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


def shingle_sets(hashes: UInt64Array, offsets: Int64Array) -> list[UInt64Array]:
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


def jaccard(left: UInt64Array, right: UInt64Array) -> float:
    """Jaccard similarity of two sorted sets of distinct hashes; 0.0 when either is empty."""
    if len(left) == 0 or len(right) == 0:
        return 0.0
    merged = np.concatenate((left, right))
    merged.sort()
    shared = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return shared / (len(merged) - shared)


def agreement(left: UInt32Array, right: UInt32Array) -> float:
    """Share of equal values of two signatures: the estimate of their Jaccard similarity."""
    return float(np.count_nonzero(left == right) / len(left))
