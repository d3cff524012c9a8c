"""Cluster near duplicates in groups of documents that are small enough for one task.

A group holds all documents that share a bucket directly or through others, so it is clustered
alone. The rules and the results are those of `jobs.transforms.near_duplicates`, which does the same
with DataFrames: see there for candidates, mixed buckets and hubs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs.base.array_types import BoolArray, Float64Array, Int32Array, Int64Array, UInt64Array
from udfs.base.jit import compiled, uncounted
from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.dedup.minhash import Shingles, shingle_sets, similarity
from udfs.dedup.union_find import find_root, join_sets

CLUSTERS_DDL = (
    "rank string, kept_rank string, similarity double, "
    "largest_bucket int, mixed_buckets int, bridged_documents int"
)
"""A removed document and the one that stays for it; or counts alone, one row a run of groups:
members of the largest bucket of which not all pairs were compared, buckets that are still mixed
after the last round, earlier documents that a document of this run connects with others."""

_CLUSTERS = pa.schema(
    [
        ("rank", pa.string()),
        ("kept_rank", pa.string()),
        ("similarity", pa.float64()),
        ("largest_bucket", pa.int32()),
        ("mixed_buckets", pa.int32()),
        ("bridged_documents", pa.int32()),
    ]
)

_RUN_BYTES = 4 << 20
"""Bytes of groups that are clustered in one call."""


@dataclass(frozen=True)
class ClusterRules:
    """The settings that decide which documents are joined."""

    shingles: Shingles | None
    """The shingles of payloads that are texts, compared by exact Jaccard similarity;
    None: payloads are signatures, compared by their share of equal values."""
    min_similarity: float
    all_pairs: int
    """Members of a bucket up to which all of its pairs are compared at once."""
    max_pair_bucket: int
    max_hub_rounds: int


class _Documents(NamedTuple):
    """The documents of groups, in the order of groups and ranks: shape (documents,) each."""

    bands: Int64Array
    """Shape (documents, bands)."""
    has_bands: BoolArray
    is_own: BoolArray
    """Whether a document is of this run, not of an earlier snapshot."""
    known: Int64Array
    """Place of the earlier document that is known to stay for it; -1 without any."""
    values: UInt64Array
    """Shingle hashes or signatures of all documents."""
    starts: Int64Array
    """Where those of a document start in values."""
    stops: Int64Array


class _Rules(NamedTuple):
    """`ClusterRules` for compiled functions."""

    is_estimate: bool
    min_similarity: float
    all_pairs: int
    max_pair_bucket: int
    max_hub_rounds: int


class _Buckets(NamedTuple):
    """The buckets of a group, each a band and its leader: shape (bands, members) each."""

    leaders: Int32Array
    """The first member with the same key; -1 for a document without bands."""
    sizes: Int32Array
    """Members of a leader's bucket."""
    owned: BoolArray
    """Whether a document of this run is in a leader's bucket."""


def cluster_batches(rules: ClusterRules) -> BatchMap:
    """A function for mapInArrow from groups of documents to CLUSTERS_DDL.

    Rows (group, key, rank, is_own, known_key, bands, payload) come with equal groups together.
    Each document has a row with rank, and bands where it has any; the payload is in that row or in
    another row of the same key, without rank. Payloads of other keys are ignored. known_key: the
    key of the earlier document that stayed for this one, else null.

    Batch: whole groups of about 4 MiB together; memory is theirs, eight bytes a character, and a
    byte for each pair of a group.

    Raises:
        RuntimeError: a document comes without its payload, so pairs would be lost.
    """

    @keeps_what_it_loads("cluster")
    def cluster(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
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
            # The last group may continue in the next batch.
            start = int(np.searchsorted(groups, groups[-1]))
            if start > 0:
                yield _clustered(table.slice(0, start), rules)
            held = table.slice(start).to_batches()
            size = sum(one.nbytes for one in held)
            limit = max(_RUN_BYTES, 2 * size)
        if held:
            yield _clustered(pa.Table.from_batches(held), rules)

    return cluster


def _clustered(table: pa.Table, rules: ClusterRules) -> pa.RecordBatch:
    """Cluster whole groups."""
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
        _signatures(payloads) if rules.shingles is None else shingle_sets(payloads, rules.shingles)
    )
    bands, has_bands = _band_matrix(members.column("bands").combine_chunks())
    is_own = members.column("is_own").to_numpy().astype(np.bool_)
    parents = np.empty(len(rows), dtype=np.int64)
    similarities = np.empty(len(rows), dtype=np.float64)
    counts = np.zeros(3, dtype=np.int64)
    _cluster_groups(
        bounds,
        _Documents(bands, has_bands, is_own, known, values, starts, stops),
        _Rules(
            rules.shingles is None,
            rules.min_similarity,
            rules.all_pairs,
            rules.max_pair_bucket,
            rules.max_hub_rounds,
        ),
        parents,
        similarities,
        counts,
    )
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
    return pa.RecordBatch.from_arrays(columns, schema=_CLUSTERS)


def _payloads(table: pa.Table, keys: list[str], members: list[str]) -> pa.Array:
    """The payload of each member, in their order."""
    column = table.column("payload").combine_chunks()
    rows_of = {keys[row]: row for row in np.flatnonzero(column.is_valid()).tolist()}
    try:
        rows = [rows_of[key] for key in members]
    except KeyError as missing:
        raise RuntimeError(
            f"near duplicates: document {missing} came without its text or signature"
        ) from None
    return column.take(pa.array(rows, pa.int64()))


def _signatures(payloads: pa.Array) -> tuple[UInt64Array, Int64Array, Int64Array]:
    """Values of signatures, and where those of each document start and stop."""
    rows = payloads.to_pylist()
    values = np.frombuffer(b"".join(rows), dtype="<u4").astype(np.uint64)
    ends = np.cumsum(np.fromiter((len(row) // 4 for row in rows), np.int64, len(rows)))
    return values, np.append(0, ends)[:-1], ends


def _band_matrix(column: pa.ListArray) -> tuple[Int64Array, BoolArray]:
    """Band keys, shape (documents, bands), and which documents have any."""
    has_bands = column.is_valid().to_numpy(zero_copy_only=False)
    flat = column.flatten().to_numpy()
    filled = int(np.count_nonzero(has_bands))
    matrix = np.zeros((len(column), len(flat) // max(filled, 1)), dtype=np.int64)
    matrix[has_bands] = flat.reshape(filled, -1) if filled else 0
    return matrix, has_bands


@compiled
def _cluster_groups(
    bounds: Int64Array,
    documents: _Documents,
    rules: _Rules,
    parents: Int64Array,
    similarities: Float64Array,
    counts: Int64Array,
) -> None:
    """Cluster the documents of groups, each from one bound to the next, in the order of ranks.

    Fills parents (the place of the document that stays for each); similarities to them, of removed
    documents of this run; and counts (members of the largest bucket, mixed buckets, bridged
    documents).
    """
    # Borrowed from the caller: else every function that takes them counts references.
    documents = _Documents(
        uncounted(documents.bands),
        uncounted(documents.has_bands),
        uncounted(documents.is_own),
        uncounted(documents.known),
        uncounted(documents.values),
        uncounted(documents.starts),
        uncounted(documents.stops),
    )
    for group in range(len(bounds) - 1):
        first, stop = bounds[group], bounds[group + 1]
        _cluster_group(first, stop - first, documents, rules, parents, counts)
        for place in range(first, stop):
            root = find_root(parents, place)
            if root == place:
                continue
            if documents.is_own[place]:
                similarities[place] = _similarity_of(documents, rules, root, place)
            elif documents.known[place] < 0:
                counts[2] += 1
        for place in range(first, stop):
            parents[place] = find_root(parents, place)


@compiled
def _cluster_group(
    first: int,
    count: int,
    documents: _Documents,
    rules: _Rules,
    parents: Int64Array,
    counts: Int64Array,
) -> None:
    """Cluster the documents from first to first + count; members are numbered from first on."""
    for place in range(first, first + count):
        parents[place] = place
    for place in range(first, first + count):
        if documents.known[place] >= 0:
            join_sets(parents, place, documents.known[place])
    buckets = _buckets_of(first, count, documents)
    seen = np.zeros((count, count), dtype=np.bool_)
    largest = _compare_in_buckets(first, count, documents, rules, buckets, seen, parents)
    if largest > 0:
        counts[0] = max(counts[0], largest)
        counts[1] += _compare_in_mixed(first, count, documents, rules, buckets, seen, parents)


@compiled
def _buckets_of(first: int, count: int, documents: _Documents) -> _Buckets:
    width = documents.bands.shape[1]
    leaders = np.full((width, count), -1, dtype=np.int32)
    sizes = np.zeros((width, count), dtype=np.int32)
    owned = np.zeros((width, count), dtype=np.bool_)
    for band in range(width):
        for member in range(count):
            if not documents.has_bands[first + member]:
                continue
            key = documents.bands[first + member, band]
            leader = member
            for other in range(member):
                if leaders[band, other] == other and documents.bands[first + other, band] == key:
                    leader = other
                    break
            leaders[band, member] = leader
            sizes[band, leader] += 1
            owned[band, leader] |= documents.is_own[first + member]
    return _Buckets(leaders, sizes, owned)


@compiled
def _compare_in_buckets(
    first: int,
    count: int,
    documents: _Documents,
    rules: _Rules,
    buckets: _Buckets,
    seen: BoolArray,
    parents: Int64Array,
) -> int:
    """Compare all pairs of small buckets, and the members of others with their leader.

    Returns:
        Members of the largest bucket that is not small; 0 without any.
    """
    largest = 0
    leaders, sizes = buckets.leaders, buckets.sizes
    for band in range(leaders.shape[0]):
        for member in range(count):
            leader = leaders[band, member]
            if leader < 0 or leader == member or not buckets.owned[band, leader]:
                continue
            behind = member
            if sizes[band, leader] > rules.all_pairs:
                largest = max(largest, sizes[band, leader])
                behind = leader + 1
            for hub in range(leader, behind):
                if leaders[band, hub] == leader:
                    _compare(first, hub, member, documents, rules, seen, parents)
    return largest


@compiled
def _compare_in_mixed(
    first: int,
    count: int,
    documents: _Documents,
    rules: _Rules,
    buckets: _Buckets,
    seen: BoolArray,
    parents: Int64Array,
) -> int:
    """Compare members of mixed buckets across components, as `near_duplicates._Search.resolved`.

    Returns:
        Large buckets that are still mixed after the last round and have a hub left to try.
    """
    leaders, sizes = buckets.leaders, buckets.sizes
    is_hub = np.zeros(leaders.shape, dtype=np.bool_)  # of a bucket the leader is the first hub
    for band in range(leaders.shape[0]):
        for member in range(count):
            if leaders[band, member] == member and buckets.owned[band, member]:
                is_hub[band, member] = sizes[band, member] > rules.all_pairs
    labels = np.empty(count, dtype=np.int64)
    mixed = 0
    for turn in range(rules.max_hub_rounds + 1):
        for member in range(count):
            labels[member] = find_root(parents, first + member)
        is_last = turn == rules.max_hub_rounds
        is_done = True
        for band in range(leaders.shape[0]):
            for leader in range(count):
                of_band = leaders[band]
                if not is_hub[band, leader] or of_band[leader] != leader:
                    continue
                if not _is_mixed(of_band, labels, leader):
                    continue
                if sizes[band, leader] <= rules.max_pair_bucket:
                    if turn == 0 and not is_last:
                        is_done = False
                        _compare_across(
                            first, leader, of_band, labels, documents, rules, seen, parents
                        )
                    continue
                hub = _next_hub(of_band, labels, is_hub[band], leader)
                if is_last:
                    mixed += hub >= 0
                    continue
                is_done = False
                if hub >= 0:
                    is_hub[band, hub] = True
                    _compare_with_hub(
                        first, leader, hub, of_band, labels, documents, rules, seen, parents
                    )
        if is_done:
            break
    return mixed


@compiled
def _is_mixed(leaders: Int32Array, labels: Int64Array, leader: int) -> bool:
    """Whether members of a bucket are in more than one component."""
    for member in range(leader, len(leaders)):
        if leaders[member] == leader and labels[member] != labels[leader]:
            return True
    return False


@compiled
def _next_hub(leaders: Int32Array, labels: Int64Array, is_hub: BoolArray, leader: int) -> int:
    """The first member of a bucket whose component has given it no hub; -1 without any."""
    for member in range(leader, len(leaders)):
        if leaders[member] != leader:
            continue
        has_hub = False
        for hub in range(leader, len(leaders)):
            if leaders[hub] == leader and is_hub[hub] and labels[hub] == labels[member]:
                has_hub = True
                break
        if not has_hub:
            return member
    return -1


@compiled
def _compare_across(
    first: int,
    leader: int,
    leaders: Int32Array,
    labels: Int64Array,
    documents: _Documents,
    rules: _Rules,
    seen: BoolArray,
    parents: Int64Array,
) -> None:
    """Compare all pairs of a bucket that lie in two components."""
    for member in range(leader + 1, len(leaders)):
        if leaders[member] != leader:
            continue
        for hub in range(leader, member):
            if leaders[hub] == leader and labels[hub] != labels[member]:
                _compare(first, hub, member, documents, rules, seen, parents)


@compiled
def _compare_with_hub(
    first: int,
    leader: int,
    hub: int,
    leaders: Int32Array,
    labels: Int64Array,
    documents: _Documents,
    rules: _Rules,
    seen: BoolArray,
    parents: Int64Array,
) -> None:
    """Compare the members of a bucket with one of them, across components."""
    for member in range(leader, len(leaders)):
        if leaders[member] == leader and labels[member] != labels[hub]:
            _compare(first, min(member, hub), max(member, hub), documents, rules, seen, parents)


@compiled
def _compare(
    first: int,
    hub: int,
    member: int,
    documents: _Documents,
    rules: _Rules,
    seen: BoolArray,
    parents: Int64Array,
) -> None:
    """Join two members that are similar enough, unless they are joined or were compared before.

    Earlier documents come first, so where the later of the two is one, both are, and are not
    compared.
    """
    if seen[hub, member] or not documents.is_own[first + member]:
        return
    seen[hub, member] = True
    low, high = find_root(parents, first + hub), find_root(parents, first + member)
    if low == high:
        return
    if _similarity_of(documents, rules, first + hub, first + member) >= rules.min_similarity:
        parents[max(low, high)] = min(low, high)


@compiled
def _similarity_of(documents: _Documents, rules: _Rules, one: int, other: int) -> float:
    values, starts, stops = documents.values, documents.starts, documents.stops
    return similarity(
        values, starts[one], stops[one], values, starts[other], stops[other], rules.is_estimate
    )
