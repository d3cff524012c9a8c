"""Near duplicates inside groups of documents that are small enough for one task.

A group holds all documents that may resemble each other by any bucket, so nothing outside it has
a say. What `jobs.transforms.near_duplicates` does with frames is done here with arrays, by the
same rules and to the same answer: see there for candidates, mixed buckets and hubs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.base.jit import compiled
from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.dedup.minhash import distinct_hashes, fold_column, hash_windows

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SETTLED_DDL = (
    "rank string, kept_rank string, similarity double, "
    "largest_bucket int, unsettled_buckets int, bridged_documents int"
)
"""A removed document and the one that stays for it; or a row of counts alone, one a run of groups:
members of the largest bucket that only its hub was first compared with, buckets that stay
unsettled, earlier documents that a document of this run connects with others."""

_SETTLED = pa.schema(
    [
        ("rank", pa.string()),
        ("kept_rank", pa.string()),
        ("similarity", pa.float64()),
        ("largest_bucket", pa.int32()),
        ("unsettled_buckets", pa.int32()),
        ("bridged_documents", pa.int32()),
    ]
)

_RUN_BYTES = 4 << 20
"""Groups are settled together once so many bytes are held: calls are then few."""


@dataclass(frozen=True)
class SettleRules:
    """What decides, beside the documents."""

    shingle_chars: int | None
    """Payloads are texts, compared by the exact Jaccard similarity of their shingles of so many
    characters; None: they are signatures, compared by agreement."""
    min_similarity: float
    all_pairs: int
    """Members of a bucket up to which all of its pairs are candidates at once."""
    max_pair_bucket: int
    max_hub_rounds: int


@compiled
def _root(parents: Numbers, node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def _similarity(
    values: npt.NDArray[np.uint64], start: int, stop: int, begin: int, end: int, is_estimate: bool
) -> float:
    """Of two sorted sets: Jaccard; of two signatures: the share of equal values."""
    if start == stop or begin == end:
        return 0.0
    shared = 0
    if is_estimate:
        for place in range(stop - start):
            shared += values[start + place] == values[begin + place]
        return shared / (stop - start)
    total = (stop - start) + (end - begin)
    while start < stop and begin < end:  # no branch on what is compared: it is never foreseen
        left, right = values[start], values[begin]
        shared += left == right
        start += left <= right
        begin += right <= left
    return shared / (total - shared)


@compiled
def _settle_group(
    first: int,
    count: int,
    bands: Numbers,
    has_bands: Flags,
    is_own: Flags,
    known: Numbers,
    values: npt.NDArray[np.uint64],
    starts: Numbers,
    stops: Numbers,
    is_estimate: bool,
    min_similarity: float,
    all_pairs: int,
    max_pair_bucket: int,
    max_hub_rounds: int,
    parents: Numbers,
    counts: Numbers,
) -> None:
    """Settle the documents first to first + count, which are in the order of their ranks.

    Fills parents (the place of the document that stays for each) and adds to counts.
    """
    for place in range(first, first + count):
        parents[place] = place
    for place in range(first, first + count):
        if known[place] >= 0:
            low, high = _root(parents, place), _root(parents, known[place])
            parents[max(low, high)] = min(low, high)
    # leaders[band, member]: the first member with its key; a bucket is a band and its leader.
    width = bands.shape[1]
    leaders = np.full((width, count), -1, dtype=np.int32)
    sizes = np.zeros((width, count), dtype=np.int32)
    owned = np.zeros((width, count), dtype=np.bool_)
    for band in range(width):
        for member in range(count):
            if not has_bands[first + member]:
                continue
            key = bands[first + member, band]
            leader = member
            for other in range(member):
                if leaders[band, other] == other and bands[first + other, band] == key:
                    leader = other
                    break
            leaders[band, member] = leader
            sizes[band, leader] += 1
            owned[band, leader] |= is_own[first + member]
    seen = np.zeros((count, count), dtype=np.bool_)
    is_large = False
    for band in range(width):
        for member in range(count):
            leader = leaders[band, member]
            if leader < 0 or leader == member or not owned[band, leader]:
                continue
            if sizes[band, leader] > all_pairs:
                is_large = True
                counts[0] = max(counts[0], sizes[band, leader])
                lowest = leader
                highest = leader + 1
            else:
                lowest = leader
                highest = member
            for hub in range(lowest, highest):
                if leaders[band, hub] == leader:
                    _compare(
                        first, hub, member, is_own, values, starts, stops, is_estimate,
                        min_similarity, seen, parents,
                    )  # fmt: skip
    if not is_large:
        return
    # As near_duplicates._Search.settled: hubs of a bucket are marked, its leader is the first.
    is_hub = np.zeros((width, count), dtype=np.bool_)
    for band in range(width):
        for member in range(count):
            leader = leaders[band, member]
            if leader == member and owned[band, leader] and sizes[band, leader] > all_pairs:
                is_hub[band, member] = True
    labels = np.empty(count, dtype=np.int64)
    for turn in range(2, 3 + max_hub_rounds):
        for member in range(count):
            labels[member] = _root(parents, first + member)
        is_last = turn == 2 + max_hub_rounds
        any_small = False
        any_large = False
        for band in range(width):
            for leader in range(count):
                size = sizes[band, leader]
                if not is_hub[band, leader] or leaders[band, leader] != leader:
                    continue
                is_mixed = False
                for member in range(leader, count):
                    if leaders[band, member] == leader and labels[member] != labels[leader]:
                        is_mixed = True
                        break
                if not is_mixed:
                    continue
                if size <= max_pair_bucket:
                    if turn > 2 or is_last:
                        continue
                    any_small = True
                    for member in range(leader + 1, count):
                        if leaders[band, member] != leader:
                            continue
                        for hub in range(leader, member):
                            if leaders[band, hub] == leader and labels[hub] != labels[member]:
                                _compare(
                                    first, hub, member, is_own, values, starts, stops,
                                    is_estimate, min_similarity, seen, parents,
                                )  # fmt: skip
                    continue
                # The next hub is the first member whose component has given none.
                next_hub = -1
                for member in range(leader, count):
                    if leaders[band, member] != leader:
                        continue
                    is_waiting = True
                    for hub in range(leader, count):
                        if (
                            leaders[band, hub] == leader
                            and is_hub[band, hub]
                            and labels[hub] == labels[member]
                        ):
                            is_waiting = False
                            break
                    if is_waiting:
                        next_hub = member
                        break
                if is_last:
                    if next_hub >= 0:
                        counts[1] += 1
                    continue
                any_large = True
                if next_hub < 0:
                    continue
                is_hub[band, next_hub] = True
                for member in range(leader, count):
                    if leaders[band, member] == leader and labels[member] != labels[next_hub]:
                        _compare(
                            first, min(member, next_hub), max(member, next_hub), is_own, values,
                            starts, stops, is_estimate, min_similarity, seen, parents,
                        )  # fmt: skip
        if not any_small and not any_large:
            break


@compiled
def _compare(
    first: int,
    hub: int,
    member: int,
    is_own: Flags,
    values: npt.NDArray[np.uint64],
    starts: Numbers,
    stops: Numbers,
    is_estimate: bool,
    min_similarity: float,
    seen: npt.NDArray[np.bool_],
    parents: Numbers,
) -> None:
    """Join two members that are similar enough, unless they are joined or were compared before.

    Earlier documents come first: where the later of the two is one, both are.
    """
    if seen[hub, member] or not is_own[first + member]:
        return
    seen[hub, member] = True
    low, high = _root(parents, first + hub), _root(parents, first + member)
    if low == high:
        return
    similarity = _similarity(
        values,
        starts[first + hub],
        stops[first + hub],
        starts[first + member],
        stops[first + member],
        is_estimate,
    )
    if similarity >= min_similarity:
        parents[max(low, high)] = min(low, high)


@compiled
def _settle_groups(
    bounds: Numbers,
    bands: Numbers,
    has_bands: Flags,
    is_own: Flags,
    known: Numbers,
    values: npt.NDArray[np.uint64],
    starts: Numbers,
    stops: Numbers,
    is_estimate: bool,
    min_similarity: float,
    all_pairs: int,
    max_pair_bucket: int,
    max_hub_rounds: int,
    parents: Numbers,
    similarities: npt.NDArray[np.float64],
    counts: Numbers,
) -> None:
    """Settle groups, each from one bound to the next.

    Fills parents; similarities to them, of documents of this run that do not stay; counts (the
    largest bucket, unsettled buckets, bridged documents).
    """
    for group in range(len(bounds) - 1):
        first, stop = bounds[group], bounds[group + 1]
        _settle_group(
            first, stop - first, bands, has_bands, is_own, known, values, starts, stops,
            is_estimate, min_similarity, all_pairs, max_pair_bucket, max_hub_rounds, parents,
            counts,
        )  # fmt: skip
        for place in range(first, stop):
            root = _root(parents, place)
            if root == place:
                continue
            if is_own[place]:
                similarities[place] = _similarity(
                    values, starts[root], stops[root], starts[place], stops[place], is_estimate
                )
            elif known[place] < 0:
                counts[2] += 1
        for place in range(first, stop):
            parents[place] = _root(parents, place)


def settle_batches(rules: SettleRules) -> BatchMap:
    """A function for mapInArrow from groups of documents to SETTLED_DDL.

    Rows (group, key, rank, is_own, known_key, bands, payload) come with equal groups together.
    Each document has a row with rank, and bands where it has any; the payload comes in it or in
    another row of the same key, without rank. Rows of a payload that no document asks for are
    left out. known_key: of the earlier document that stayed for this one, else null.

    Batch: groups are worked on together as batches bring them; memory is theirs, with eight bytes
    a character, and a bit for each pair of a group.

    Raises:
        RuntimeError: a document without its payload; to go on would lose pairs silently.
    """

    @keeps_what_it_loads("settle")
    def settle(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[pa.RecordBatch] = []
        size, limit = 0, _RUN_BYTES
        for batch in batches:
            if len(batch) == 0:
                continue
            held.append(batch)
            size += batch.nbytes
            if size < limit:
                continue
            table = pa.Table.from_batches(held)
            groups = table.column("group").to_numpy()
            # The last group may go on in the next batch.
            start = int(np.searchsorted(groups, groups[-1]))
            if start > 0:
                yield _settled(table.slice(0, start), rules)
            held = table.slice(start).to_batches()
            size = sum(one.nbytes for one in held)
            limit = max(_RUN_BYTES, 2 * size)
        if held:
            yield _settled(pa.Table.from_batches(held), rules)

    return settle


def _settled(table: pa.Table, rules: SettleRules) -> pa.RecordBatch:
    """Settle whole groups."""
    table = table.combine_chunks()
    groups = table.column("group").to_numpy()
    ranks = table.column("rank").to_pylist()
    keys = table.column("key").to_pylist()
    rows = sorted(
        (row for row, rank in enumerate(ranks) if rank is not None),
        key=lambda row: (groups[row], ranks[row]),
    )
    places = {keys[row]: place for place, row in enumerate(rows)}
    members = table.take(pa.array(rows, pa.int64()))
    known_keys = members.column("known_key").to_pylist()
    known = np.array(
        [-1 if key is None else places.get(key, -1) for key in known_keys], dtype=np.int64
    )
    member_groups = groups[rows]
    changes = np.flatnonzero(member_groups[1:] != member_groups[:-1]) + 1
    bounds = np.concatenate(([0], changes, [len(rows)])).astype(np.int64)
    payloads = _payloads(table, keys, [keys[row] for row in rows])
    values, starts, stops = (
        _signatures(payloads) if rules.shingle_chars is None else _sets(payloads, rules)
    )
    bands, has_bands = _band_matrix(members.column("bands").combine_chunks())
    is_own = members.column("is_own").to_numpy().astype(np.bool_)
    parents = np.empty(len(rows), dtype=np.int64)
    similarities = np.empty(len(rows), dtype=np.float64)
    counts = np.zeros(3, dtype=np.int64)
    _settle_groups(
        bounds, bands, has_bands, is_own, known, values, starts, stops,
        rules.shingle_chars is None, rules.min_similarity, rules.all_pairs,
        rules.max_pair_bucket, rules.max_hub_rounds, parents, similarities, counts,
    )  # fmt: skip
    removed = np.flatnonzero((parents != np.arange(len(rows))) & is_own)
    member_ranks = members.column("rank").combine_chunks()
    columns = [
        pa.concat_arrays([member_ranks.take(pa.array(removed)), pa.nulls(1, pa.string())]),
        pa.concat_arrays([member_ranks.take(pa.array(parents[removed])), pa.nulls(1, pa.string())]),
        pa.concat_arrays([pa.array(similarities[removed]), pa.nulls(1, pa.float64())]),
        *(
            pa.concat_arrays([pa.nulls(len(removed), pa.int32()), pa.array([count], pa.int32())])
            for count in counts.tolist()
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SETTLED)


def _payloads(table: pa.Table, keys: list[str], members: list[str]) -> pa.Array:
    """The payload of each member, in their order."""
    column = table.column("payload").combine_chunks()
    rows_of = {keys[row]: row for row in np.flatnonzero(column.is_valid()).tolist()}
    try:
        rows = [rows_of[key] for key in members]
    except KeyError as missing:
        raise RuntimeError(f"document {missing} arrived without what to compare it by") from None
    return column.take(pa.array(rows, pa.int64()))


def _sets(texts: pa.Array, rules: SettleRules) -> tuple[Any, Numbers, Numbers]:
    assert rules.shingle_chars is not None
    hashes, offsets = hash_windows(*fold_column(texts), rules.shingle_chars)
    return hashes, offsets[:-1], distinct_hashes(hashes, offsets)


def _signatures(payloads: pa.Array) -> tuple[Any, Numbers, Numbers]:
    rows = payloads.to_pylist()
    values = np.frombuffer(b"".join(rows), dtype="<u4").astype(np.uint64)
    ends = np.cumsum(np.fromiter((len(row) // 4 for row in rows), np.int64, len(rows)))
    return values, np.append(0, ends)[:-1], ends


def _band_matrix(column: pa.ListArray) -> tuple[Numbers, Flags]:
    """Shape (documents, bands), and which documents have any."""
    has_bands = column.is_valid().to_numpy(zero_copy_only=False)
    flat = column.flatten().to_numpy()
    filled = int(np.count_nonzero(has_bands))
    matrix = np.zeros((len(column), len(flat) // max(filled, 1)), dtype=np.int64)
    matrix[has_bands] = flat.reshape(filled, -1) if filled else 0
    return matrix, has_bands
