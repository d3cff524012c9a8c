"""Hashes of tokens' UTF-8 bytes: fastText's own of 32 bits, and keys of 64 bits.

fastText computes the hashes of n-grams of words from its 32-bit hashes, and compares letters to
identify a word. The 64-bit key replaces that comparison here: among a million words two share a key
with a probability of 3e-8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int64Array, UInt32Array, UInt64Array
from udfs.base.jit import compiled

# FNV-1a of 32 and 64 bits. Source: Fowler, Noll, Vo; fastText, Dictionary::hash (v0.9.2), which
# reads bytes as signed.
_BASIS_32, _PRIME_32 = 2166136261, 16777619
_BASIS_64, _PRIME_64 = 14695981039346656037, 1099511628211


def hash_bytes(tokens: Sequence[bytes]) -> tuple[UInt32Array, UInt64Array]:
    """Return fastText's hash and the key of each token, both of shape (tokens,).

    Args:
        tokens: Tokens in UTF-8.
    """
    bounds = np.zeros(len(tokens) + 1, dtype=np.int64)
    np.cumsum([len(token) for token in tokens], out=bounds[1:])
    return _hash_all(np.frombuffer(b"".join(tokens), dtype=np.uint8), bounds)


@compiled
def _hash_all(data: npt.NDArray[np.uint8], bounds: Int64Array) -> tuple[UInt32Array, UInt64Array]:
    hashes = np.empty(len(bounds) - 1, dtype=np.uint32)
    keys = np.empty(len(bounds) - 1, dtype=np.uint64)
    for number in range(len(hashes)):
        short, long = np.uint32(_BASIS_32), np.uint64(_BASIS_64)
        for at in range(bounds[number], bounds[number + 1]):
            short, long = with_byte(short, long, np.uint32(data[at]))
        hashes[number], keys[number] = short, long
    return hashes, keys


@compiled
def hash_characters(codes: UInt32Array, begin: int, length: int) -> tuple[np.uint32, np.uint64]:
    """Return fastText's hash and the key of the token ``codes[begin : begin + length]``."""
    return with_characters(np.uint32(_BASIS_32), np.uint64(_BASIS_64), codes, begin, length)


@compiled
def with_characters(
    short: np.uint32, long: np.uint64, codes: UInt32Array, begin: int, length: int
) -> tuple[np.uint32, np.uint64]:
    """Return both hashes with the characters ``codes[begin : begin + length]`` behind their token.

    A token's hashes with another's characters are those of the two written as one.
    """
    for at in range(begin, begin + length):
        code = codes[at]
        if code < 0x80:
            short, long = with_byte(short, long, code)
            continue
        if code < 0x800:
            short, long = with_byte(short, long, 0xC0 | (code >> 6))
        else:
            if code < 0x10000:
                short, long = with_byte(short, long, 0xE0 | (code >> 12))
            else:
                short, long = with_byte(short, long, 0xF0 | (code >> 18))
                short, long = with_byte(short, long, 0x80 | ((code >> 12) & 0x3F))
            short, long = with_byte(short, long, 0x80 | ((code >> 6) & 0x3F))
        short, long = with_byte(short, long, 0x80 | (code & 0x3F))
    return short, long


@compiled
def with_byte(short: np.uint32, long: np.uint64, byte: np.uint32) -> tuple[np.uint32, np.uint64]:
    """Return both hashes with one more byte."""
    signed = byte | np.uint32(0xFFFFFF00) if byte >= 0x80 else byte
    return (
        np.uint32((short ^ np.uint32(signed)) * np.uint32(_PRIME_32)),
        (long ^ np.uint64(byte)) * np.uint64(_PRIME_64),
    )
