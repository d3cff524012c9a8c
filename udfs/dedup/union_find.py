"""Links between documents that share a band key: keys of many documents in, stars out.

Documents are numbers here (`ranks.node_of`). Two ids of one number would only mean that their
documents are looked at together: what is a duplicate is said by texts, later.

What travels between tasks is packed: a row is a group of band keys as one array, so that Spark
moves some thousand rows a task where it would move twenty a document. A task puts together the
members of a bucket that it has itself, and passes one of them on: a bucket of a hundred million
documents is one row a task, and nothing has to hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.base.jit import compiled
from udfs.base.worker import BatchMap, keeps_what_it_loads

Numbers = npt.NDArray[np.int64]

PACKED_DDL = "pack int, keys binary, nodes binary"
"""pack: number of the group of keys, from 0; below 0 the keys are nodes too, each linked with the
node at its place. keys, nodes: as many 64-bit numbers."""

STAR_DDL = "node bigint, parent bigint, members int, run int"
"""parent: smallest node of those that were seen to be connected, itself included; members: how
many they are; run: which run of the task saw them, from 0."""

LINK_DDL = "node bigint, parent bigint"

PACKS = 4096
"""Groups of band keys. One has to fit into a task's memory: 14 x 10^9 keys make 55 MB each."""

CHUNK_ROWS = 1 << 20
"""About so many keys are put in order at a time: 16 MiB, and as much again for each copy."""

_PACKED = pa.schema([("pack", pa.int32()), ("keys", pa.binary()), ("nodes", pa.binary())])
_STAR = pa.schema(
    [("node", pa.int64()), ("parent", pa.int64()), ("members", pa.int32()), ("run", pa.int32())]
)


@compiled
def _join(first: Numbers, second: Numbers, parents: Numbers) -> None:
    """Union-find over places: every parent is the smallest place of its set in the end."""
    for edge in range(len(first)):
        low, high = first[edge], second[edge]
        while parents[low] != low:
            parents[low] = parents[parents[low]]
            low = parents[low]
        while parents[high] != high:
            parents[high] = parents[parents[high]]
            high = parents[high]
        if low < high:
            parents[high] = low
        else:
            parents[low] = high
    for place in range(len(parents)):  # a parent is smaller, so it is settled
        parents[place] = parents[parents[place]]


def stars(nodes: Numbers, hubs: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Components of edges, shape (edges,) each.

    Returns:
        Every node that occurs, in order; the smallest of its component; the component's size.
    """
    names, places = np.unique(np.concatenate((nodes, hubs)), return_inverse=True)
    parents = np.arange(len(names))
    _join(places[: len(nodes)], places[len(nodes) :], parents)
    return names, names[parents], np.bincount(parents, minlength=len(names))[parents]


def bucket_links(keys: Numbers, nodes: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Put the members of each bucket together, shape (members,) each.

    Returns:
        node, hub: a link from each member that is not the first of its bucket to that one.
        key, first: one row a bucket, in the order of keys.
    """
    order = np.argsort(keys)
    keys, nodes = keys[order], nodes[order]
    is_first = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    firsts = np.flatnonzero(is_first)
    bucket = np.cumsum(is_first) - 1
    others = np.flatnonzero(~is_first)
    return nodes[others], nodes[firsts[bucket[others]]], keys[firsts], nodes[firsts]


def pack_batches(packs: int = PACKS, chunk_rows: int = CHUNK_ROWS) -> BatchMap:
    """A function for mapInArrow from (node, kept_node, bands) to PACKED_DDL.

    kept_node, where it is not null, is a node that this one is known to belong to.

    Args:
        packs: Groups of keys, a power of two.
        chunk_rows: Keys that are held.
    """

    @keeps_what_it_loads("pack")
    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[tuple[Numbers, Numbers]] = []
        count = 0
        for batch in batches:
            nodes, kept = batch.column("node"), batch.column("kept_node")
            if kept.null_count < len(kept):
                known = kept.is_valid()
                yield _links(_numbers(nodes.filter(known)), _numbers(kept.filter(known)))
            bands = batch.column("bands")
            keys = _numbers(bands.flatten())
            lengths = bands.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
            held.append((keys, np.repeat(_numbers(nodes), lengths)))
            count += len(keys)
            if count >= chunk_rows:
                yield from _packed(held, packs)
                held, count = [], 0
        yield from _packed(held, packs)

    return pack


def star_batches(max_rows: int = CHUNK_ROWS) -> BatchMap:
    """A function for mapInArrow from PACKED_DDL, equal packs in a row, to LINK_DDL.

    Gives links that connect the same documents as the keys and links it takes, at most one a
    document and run; what lies in two runs, or in two tasks, is joined later.

    Args:
        max_rows: Keys, and links, that are held beside one pack; a run ends above it.
    """

    @keeps_what_it_loads("connect")
    def connect(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[tuple[Numbers, Numbers]] = []
        links: list[tuple[Numbers, Numbers]] = []
        rows = links_held = 0
        last: int | None = None
        for batch in batches:
            columns = (batch.column(name) for name in ("pack", "keys", "nodes"))
            for pack, keys, nodes in zip(*(one.to_pylist() for one in columns), strict=True):
                if pack != last and rows > max_rows:
                    links.append(_links_of(held))
                    links_held += len(links[-1][0])
                    held, rows = [], 0
                last = pack
                pair = (np.frombuffer(keys, dtype="<i8"), np.frombuffer(nodes, dtype="<i8"))
                if pack < 0:
                    links.append(pair)
                    links_held += len(pair[0])
                else:
                    held.append(pair)
                    rows += len(pair[0])
                if links_held > max_rows:
                    yield _contracted(links)
                    links, links_held = [], 0
        links.append(_links_of(held))
        yield _contracted(links)

    return connect


def contract_batches(max_links: int) -> BatchMap:
    """A function for mapInArrow from edges (node, hub) to STAR_DDL with the same components.

    Edges are contracted in runs of about max_links, which bounds the memory (some 100 bytes
    each). Every node that occurs has a row, roots too; members is of the run.
    """

    @keeps_what_it_loads("contract")
    def contract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[tuple[Numbers, Numbers]] = []
        count = run = 0
        for batch in batches:
            held.append((_numbers(batch.column("node")), _numbers(batch.column("hub"))))
            count += len(batch)
            if count > max_links:
                yield _star_batch(held, run)
                held, count, run = [], 0, run + 1
        if held:
            yield _star_batch(held, run)

    return contract


def _numbers(column: pa.Array) -> Numbers:
    return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _joined(parts: list[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    none = [np.empty(0, dtype=np.int64)]
    return (
        np.concatenate(none + [first for first, _ in parts]),
        np.concatenate(none + [second for _, second in parts]),
    )


def _links(nodes: Numbers, others: Numbers) -> pa.RecordBatch:
    """A pack of links; its number spreads it over the tasks."""
    number = -1 - int(nodes[0] % PACKS) if len(nodes) else -1
    columns = ([number], [nodes.astype("<i8").tobytes()], [others.astype("<i8").tobytes()])
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _PACKED, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_PACKED)


def _packed(held: list[tuple[Numbers, Numbers]], packs: int) -> Iterator[pa.RecordBatch]:
    members, hubs, keys, firsts = bucket_links(*_joined(held))
    if len(members):
        names, parents, _ = stars(members, hubs)
        is_link = names != parents
        yield _links(names[is_link], parents[is_link])
    if len(keys) == 0:
        return
    group = (keys & (packs - 1)).astype(np.int32)
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=packs)
    ends = np.append(0, np.cumsum(counts[counts > 0]) * 8).astype(np.int32)
    offsets = pa.py_buffer(ends)
    arrays = [
        pa.Array.from_buffers(
            pa.binary(), len(ends) - 1, [None, offsets, pa.py_buffer(values[order].astype("<i8"))]
        )
        for values in (keys, firsts)
    ]
    numbers = pa.array(np.flatnonzero(counts).astype(np.int32))
    yield pa.RecordBatch.from_arrays([numbers, *arrays], schema=_PACKED)


def _links_of(held: list[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    members, hubs, _, _ = bucket_links(*_joined(held))
    return members, hubs


def _contracted(links: list[tuple[Numbers, Numbers]]) -> pa.RecordBatch:
    names, parents, _ = stars(*_joined(links))
    is_link = names != parents
    arrays = [pa.array(names[is_link]), pa.array(parents[is_link])]
    return pa.RecordBatch.from_arrays(arrays, names=["node", "parent"])


def _star_batch(edges: list[tuple[Numbers, Numbers]], run: int) -> pa.RecordBatch:
    names, parents, members = stars(*_joined(edges))
    arrays = [
        pa.array(names),
        pa.array(parents),
        pa.array(members.astype(np.int32)),
        pa.array(np.full(len(names), run, dtype=np.int32)),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_STAR)
