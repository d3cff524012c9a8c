"""Hash tables in arrays with open addressing and linear probing, for compiled functions.

A table is an array of entries, a power of two of them, at least half of them free. An entry is a
64-bit key, or a shorter key with a value in the bits below it. 0 is a free slot: no key may be 0.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int32Array, UInt64Array
from udfs.base.jit import compiled

FREE = 0
"""The entry of a free slot."""
ABSENT = -1
"""The value of a key that a table does not hold."""

_SPREAD = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: neighbouring keys get slots far apart


@compiled
def table_size(keys: int) -> int:
    """Slots of a table that is at most half full.

    >>> table_size(0), table_size(3), table_size(4)
    (2, 8, 8)
    """
    size = 2
    while size < 2 * keys:
        size *= 2
    return size


@compiled
def find_slot(entries: UInt64Array, key: np.uint64, value_bits: int = 0) -> np.uint64:
    """The slot of a key, or the free slot where it belongs.

    Args:
        entries: A table with at least one free slot.
        key: Not 0.
        value_bits: Bits of an entry below its key.
    """
    return probe(entries, key, (key * np.uint64(_SPREAD)) >> np.uint64(32), value_bits)


@compiled
def probe(entries: UInt64Array, key: np.uint64, start: np.uint64, value_bits: int = 0) -> np.uint64:
    """`find_slot` for keys whose bits are mixed already.

    Args:
        start: Where the search starts, modulo the number of slots.
    """
    mask = np.uint64(len(entries) - 1)
    slot = start & mask  # unsigned: a signed index is tested for being negative
    while entries[slot] >> np.uint64(value_bits) != key and entries[slot] != np.uint64(FREE):
        slot = (slot + np.uint64(1)) & mask
    return slot


def hash_map(keys: UInt64Array, values: Int32Array) -> tuple[UInt64Array, Int32Array]:
    """A table for `find_value`.

    Args:
        keys: Shape (keys,), none of them 0. The last value of a repeated key counts.
        values: At least 0, shape (keys,).
    Returns:
        Entries, and values by slot: shape (slots,) each.
    """
    entries = np.full(table_size(len(keys)), FREE, dtype=np.uint64)
    values_by_slot = np.full(len(entries), ABSENT, dtype=np.int32)
    _fill(entries, values_by_slot, keys, values)
    return entries, values_by_slot


@compiled
def _fill(
    entries: UInt64Array, values_by_slot: Int32Array, keys: UInt64Array, values: Int32Array
) -> None:
    for number in range(len(keys)):
        slot = find_slot(entries, keys[number])
        entries[slot] = keys[number]
        values_by_slot[slot] = values[number]


@compiled
def find_value(entries: UInt64Array, values_by_slot: Int32Array, key: np.uint64) -> int:
    """The value of a key; ABSENT where the table does not hold it."""
    return int(values_by_slot[find_slot(entries, key)])
