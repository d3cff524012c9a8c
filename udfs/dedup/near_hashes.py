"""Hashes of 64 bits that differ in few bits: found without comparing all pairs, and none missed.

The bits are cut into one band more than bits may differ, so two near hashes are equal in a band.
Hashes that are equal in a band come together, and are compared there; many of them are cut once
more, by the bits that are left. What comes out are links of a forest, not all pairs: a thousand
near-equal pictures have half a million pairs and 999 links.

Source: Manku et al., Detecting Near-Duplicates for Web Crawling, WWW 2007 (bands of simhashes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Int64Array, UInt64Array
from udfs.base.jit import compiled
from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.dedup.union_find import find_root, join_sets

HASH_PACK_DDL = "pack int, hashes binary"
"""pack: number of a group of hashes that may be equal in a band; hashes: 64-bit little-endian."""
NEAR_LINK_DDL = "node bigint, parent bigint"
"""Two hashes that differ in few bits."""

MAX_DISTANCE = 15
PACKS = 4096
"""Groups over all bands. One has to fit into a task's memory: 10^9 hashes with six bands make
12 MB each."""
CHUNK_HASHES = 1 << 18
ALL_PAIRS = 256
"""Members of a bucket up to which all pairs are compared before it is cut once more."""

_PACKED = pa.schema([("pack", pa.int32()), ("hashes", pa.binary())])


class Band(NamedTuple):
    """Some neighbouring bits of a hash."""

    shift: int
    bits: int


def bands_of(bits: int, distance: int) -> list[Band]:
    """Cut a number of bits into bands, so that two numbers within a distance are equal in one.

    >>> bands_of(64, 5)[0], len(bands_of(64, 5))
    (Band(shift=0, bits=11), 6)
    """
    count = distance + 1
    edges = [-(-bits * number // count) for number in range(count + 1)]
    return [Band(low, high - low) for low, high in pairwise(edges)]


def pack_hashes(distance: int, chunk_hashes: int = CHUNK_HASHES) -> BatchMap:
    """A function for mapInArrow from distinct hashes (phash bigint) to HASH_PACK_DDL.

    Every hash goes to one pack of each band: 8 bytes a band.
    """
    bands = bands_of(64, distance)
    packs = max(PACKS // len(bands), 1)

    @keeps_what_it_loads("pack_hashes")
    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[UInt64Array] = []
        count = 0
        for batch in batches:
            held.append(batch.column("phash").to_numpy(zero_copy_only=False).astype(np.uint64))
            count += len(batch)
            if count >= chunk_hashes:
                yield _packed(np.concatenate(held), bands, packs)
                held, count = [], 0
        if count:
            yield _packed(np.concatenate(held), bands, packs)

    return pack


def link_hashes(distance: int) -> BatchMap:
    """A function for mapInArrow from HASH_PACK_DDL, rows of a pack together, to NEAR_LINK_DDL."""
    bands = bands_of(64, distance)
    packs = max(PACKS // len(bands), 1)

    @keeps_what_it_loads("link_hashes")
    def link(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[UInt64Array] = []
        last: int | None = None
        for batch in batches:
            numbers, parts = batch.column("pack").to_pylist(), batch.column("hashes").to_pylist()
            for number, part in zip(numbers, parts, strict=True):
                if last is not None and number != last:
                    yield _links_of_pack(held, bands[last // packs], distance)
                    held = []
                last = number
                held.append(np.frombuffer(part, dtype="<u8"))
        if last is not None:
            yield _links_of_pack(held, bands[last // packs], distance)

    return link


def _packed(hashes: UInt64Array, bands: list[Band], packs: int) -> pa.RecordBatch:
    numbers: list[int] = []
    parts: list[bytes] = []
    for place, band in enumerate(bands):
        key = (hashes >> np.uint64(band.shift)) & np.uint64((1 << band.bits) - 1)
        group = (key % np.uint64(packs)).astype(np.int64)
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=packs))
        start = 0
        for number, end in enumerate(ends.tolist()):
            if end > start:
                numbers.append(place * packs + number)
                parts.append(hashes[order[start:end]].astype("<u8").tobytes())
            start = end
    return pa.RecordBatch.from_arrays(
        [pa.array(numbers, pa.int32()), pa.array(parts, pa.binary())], schema=_PACKED
    )


def _links_of_pack(held: list[UInt64Array], band: Band, distance: int) -> pa.RecordBatch:
    """The links between hashes of a pack that are equal in its band."""
    values = np.unique(np.concatenate(held))
    key = (values >> np.uint64(band.shift)) & np.uint64((1 << band.bits) - 1)
    order = np.argsort(key, kind="stable")
    values, key = values[order], key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    parents = np.arange(len(values))
    found = np.empty((len(values), 2), dtype=np.int64)
    count = _link_buckets(
        values,
        np.append(starts, len(values)),
        band.shift,
        band.bits,
        *_edges(bands_of(64 - band.bits, distance)),
        distance,
        parents,
        found,
        ALL_PAIRS,
    )
    links = values[found[:count]].astype(np.int64)
    arrays = [pa.array(links[:, 0]), pa.array(links[:, 1])]
    return pa.RecordBatch.from_arrays(arrays, names=["node", "parent"])


def _edges(bands: list[Band]) -> tuple[Int64Array, Int64Array]:
    return (
        np.array([band.shift for band in bands], dtype=np.int64),
        np.array([band.bits for band in bands], dtype=np.int64),
    )


@compiled
def differing_bits(one: np.uint64, other: np.uint64) -> int:
    """Bits that differ; becomes one instruction."""
    x = one ^ other
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _link_all(
    values: UInt64Array,
    members: Int64Array,
    distance: int,
    parents: Int64Array,
    found: Int64Array,
    count: int,
) -> int:
    """Compare all pairs of some values; returns the number of links with those found here."""
    for place in range(len(members)):
        one = members[place]
        value = values[one]
        for behind in range(place + 1, len(members)):
            other = members[behind]
            if differing_bits(value, values[other]) > distance:
                continue
            if find_root(parents, one) != find_root(parents, other):
                join_sets(parents, one, other)
                found[count, 0], found[count, 1] = other, one
                count += 1
    return count


@compiled
def _link_cut(
    values: UInt64Array,
    members: Int64Array,
    rests: UInt64Array,
    shifts: Int64Array,
    bits: Int64Array,
    distance: int,
    parents: Int64Array,
    found: Int64Array,
    count: int,
) -> int:
    """Compare values that are equal in a band of their rests; the rests differ where values do."""
    for band in range(len(shifts)):
        size = np.int64(1) << bits[band]
        shift, mask = np.uint64(shifts[band]), np.uint64(size - 1)
        ends = np.zeros(size + 1, dtype=np.int64)
        for place in range(len(rests)):
            ends[int((rests[place] >> shift) & mask) + 1] += 1
        for key in range(size):
            ends[key + 1] += ends[key]
        next_place = ends[:-1].copy()
        ordered = np.empty(len(rests), dtype=np.int64)
        for place in range(len(rests)):
            slot = int((rests[place] >> shift) & mask)
            ordered[next_place[slot]] = members[place]
            next_place[slot] += 1
        for key in range(size):
            if ends[key + 1] - ends[key] > 1:
                count = _link_all(
                    values, ordered[ends[key] : ends[key + 1]], distance, parents, found, count
                )
    return count


@compiled
def _link_buckets(
    values: UInt64Array,
    starts: Int64Array,
    shift: int,
    width: int,
    shifts: Int64Array,
    bits: Int64Array,
    distance: int,
    parents: Int64Array,
    found: Int64Array,
    all_pairs: int,
) -> int:
    """Link the values of each bucket, which are equal in the bits from shift to shift + width."""
    count = 0
    low = (np.uint64(1) << np.uint64(shift)) - np.uint64(1)
    for bucket in range(len(starts) - 1):
        members = np.arange(starts[bucket], starts[bucket + 1])
        if len(members) <= all_pairs or len(shifts) < 2:
            count = _link_all(values, members, distance, parents, found, count)
            continue
        rests = np.empty(len(members), dtype=np.uint64)
        for place in range(len(members)):
            value = values[members[place]]
            high = np.uint64(0)
            if shift + width < 64:
                high = (value >> np.uint64(shift + width)) << np.uint64(shift)
            rests[place] = high | (value & low)
        count = _link_cut(values, members, rests, shifts, bits, distance, parents, found, count)
    return count
