"""Near hashes against brute force: no pair within the distance is missed, no other is linked."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from tests.builders.near_duplicates import union_find
from udfs.base.array_types import Int64Array
from udfs.dedup import near_hashes
from udfs.dedup.near_hashes import bands_of, link_hashes, pack_hashes


def hashes(seed: int, distinct: int, copies: int, most_bits: int) -> Int64Array:
    """Random hashes, and copies of them with up to a number of bits turned."""
    rng = np.random.default_rng(seed)
    first = rng.integers(-(1 << 63), 1 << 63, distinct, dtype=np.int64)
    values = list(first.tolist())
    for value in rng.choice(first, copies).tolist():
        for bit in rng.choice(64, rng.integers(0, most_bits + 1), replace=False).tolist():
            value ^= 1 << bit if bit < 63 else -(1 << 63)
        values.append(value)
    return np.unique(np.array(values, dtype=np.int64))


def links_of(values: Int64Array, distance: int, batches: int) -> list[tuple[int, int]]:
    """What tasks find: hashes packed in some batches, packs brought together."""
    parts = [pa.record_batch({"phash": part}) for part in np.array_split(values, batches)]
    packed = [batch for part in parts for batch in pack_hashes(distance)([part])]
    table = pa.Table.from_batches(packed).sort_by("pack")
    found = list(link_hashes(distance)(table.to_batches(max_chunksize=7)))
    return [
        (node, parent)
        for batch in found
        for node, parent in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]


def differing(one: int, other: int) -> int:
    return ((one ^ other) % (1 << 64)).bit_count()


@pytest.mark.parametrize("distance", [0, 1, 2, 5, 9])
@pytest.mark.parametrize("all_pairs", [1, 256])
def test_components_are_those_of_brute_force(
    distance: int, all_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_hashes, "ALL_PAIRS", all_pairs)
    values = hashes(distance, 150, 250, distance + 2)
    links = links_of(values, distance, batches=3)
    assert all(differing(*link) <= distance for link in links)
    near = [pair for pair in combinations(values.tolist(), 2) if differing(*pair) <= distance]
    assert union_find(links) == union_find(near)
    assert links == links_of(np.flip(values).copy(), distance, batches=1)


def test_many_near_hashes_give_few_links() -> None:
    values = np.unique(hashes(4, 1, 3000, 2))
    assert len(links_of(values, 4, batches=2)) <= 5 * (len(values) - 1)


@pytest.mark.parametrize(("bits", "distance"), [(64, 0), (64, 5), (53, 5), (64, 15), (0, 0)])
def test_bands_are_all_bits_once(bits: int, distance: int) -> None:
    bands = bands_of(bits, distance)
    assert len(bands) == distance + 1
    assert [bit for band in bands for bit in range(band.shift, band.shift + band.bits)] == list(
        range(bits)
    )
