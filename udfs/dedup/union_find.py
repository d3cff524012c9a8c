"""Links between documents that share a band key, and their connected components by union-find.

Documents are numbers here (`ranks.node_of`). Two documents of one number merely become candidates
of each other: duplicates are decided by their texts, later.

Rows between tasks are packed: a row is a group of band keys as one array, so that Spark moves a few
thousand rows a task instead of twenty a document. A task links the members of a bucket that it
holds, and passes on one of them: a bucket of a hundred million documents is one row a task, and no
task has to hold all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.base.array_types import Int64Array
from udfs.base.jit import compiled
from udfs.base.worker import BatchMap, keeps_what_it_loads

PACKED_DDL = "pack int, keys binary, nodes binary"
"""pack: number of the group of keys, from 0; a negative pack holds links, whose keys are nodes too.
keys, nodes: 64-bit little-endian numbers, equally many."""

LINK_DDL = "node bigint, parent bigint"

PACKS = 4096
"""Groups of band keys. One has to fit into a task's memory: 14 x 10^9 keys make 55 MB each."""

CHUNK_ROWS = 1 << 20
"""Keys that are sorted at a time: 16 MiB, and as much again for each copy."""

_PACKED = pa.schema([("pack", pa.int32()), ("keys", pa.binary()), ("nodes", pa.binary())])

_Pair = tuple[Int64Array, Int64Array]


def star_ddl(node_type: str) -> str:
    """The columns of `contract_batches`, for nodes of a Spark type.

    parent: smallest node of the component that the run connected, the node itself included;
    members: nodes of that component; run: which run of the task, from 0.
    """
    return f"node {node_type}, parent {node_type}, members int, run int"


@compiled
def find_root(parents: Int64Array, node: int) -> int:
    """The root of a node's set; halves the path to it."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def join_sets(parents: Int64Array, one: int, other: int) -> None:
    """Join the sets of two nodes; the smaller root becomes the root of both."""
    low, high = find_root(parents, one), find_root(parents, other)
    if low < high:
        parents[high] = low
    else:
        parents[low] = high


class Stars(NamedTuple):
    """The components of a graph, a star each."""

    nodes: pa.Array
    """Every node that occurs, ascending."""
    parents: Int64Array
    """Place of the smallest node of its component, shape (nodes,)."""
    members: Int64Array
    """Nodes of its component, shape (nodes,)."""


def find_stars(nodes: pa.Array, hubs: pa.Array) -> Stars:
    """The components of edges between numbers, or between names.

    Args:
        nodes: One end of each edge.
        hubs: The other, of the same type.
    """
    names, ends = _numbered(pa.concat_arrays([nodes, hubs]))
    parents = np.arange(len(names))
    _join_all(ends[: len(nodes)], ends[len(nodes) :], parents)
    members = np.bincount(parents, minlength=len(names))[parents]
    return Stars(names, parents, members)


def _numbered(values: pa.Array) -> tuple[pa.Array, Int64Array]:
    """The distinct values, ascending, and the place among them of each value."""
    if pa.types.is_integer(values.type):  # sorting numbers is faster than hashing them
        distinct, places = np.unique(values.to_numpy(), return_inverse=True)
        return pa.array(distinct), places
    encoded = values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    place_of = np.empty(len(order), dtype=np.int64)
    place_of[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), place_of[encoded.indices.to_numpy()]


@compiled
def _join_all(nodes: Int64Array, hubs: Int64Array, parents: Int64Array) -> None:
    for edge in range(len(nodes)):
        join_sets(parents, nodes[edge], hubs[edge])
    for node in range(len(parents)):  # a parent is smaller, so its own parent is a root already
        parents[node] = parents[parents[node]]


def contract_batches(max_links: int) -> BatchMap:
    """A function for mapInArrow from edges (node, hub) to `star_ddl` with the same components.

    Edges are held until they are more than max_links, and then contracted to stars; a run ends
    when those have more than half as many nodes. Memory: some 100 bytes an edge of numbers. Nodes
    of several runs or tasks are still to be joined; members counts those of the run.
    """

    @keeps_what_it_loads("contract")
    def contract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[tuple[pa.Array, pa.Array]] = []
        count = run = 0
        for batch in batches:
            held.append((batch.column("node"), batch.column("hub")))
            count += len(batch)
            if count <= max_links:
                continue
            stars = find_stars(*_concatenated(held))
            count = len(stars.nodes)
            if 2 * count > max_links:
                yield _star_batch(stars, run)
                held, count, run = [], 0, run + 1
            else:
                held = [(stars.nodes, stars.nodes.take(pa.array(stars.parents)))]
        if held:
            yield _star_batch(find_stars(*_concatenated(held)), run)

    return contract


def bucket_links(keys: Int64Array, nodes: Int64Array) -> tuple[*_Pair, *_Pair]:
    """Link the members of each bucket.

    Args:
        keys: Band key of each member, shape (members,).
        nodes: Its document.
    Returns:
        node, hub: a link from each member that is not the first of its bucket to the first.
        key, first: one row a bucket, ascending by key.
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

    kept_node, where it is not null, is a node that is known to be in the same component.

    Args:
        packs: Groups of keys, a power of two.
        chunk_rows: Keys to hold before they are packed.
    """

    @keeps_what_it_loads("pack")
    def pack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[_Pair] = []
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
    """A function for mapInArrow from PACKED_DDL, rows of a pack together, to LINK_DDL.

    Gives links that connect the same documents as the keys and links that come in, at most one a
    document and run. Documents of several runs or tasks are still to be joined.

    Args:
        max_rows: Keys, and links, to hold beside one pack; a run ends above it.
    """

    @keeps_what_it_loads("connect")
    def connect(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[_Pair] = []
        links: list[_Pair] = []
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


def _numbers(column: pa.Array) -> Int64Array:
    return column.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def _joined(parts: list[_Pair]) -> _Pair:
    none = [np.empty(0, dtype=np.int64)]
    return (
        np.concatenate(none + [first for first, _ in parts]),
        np.concatenate(none + [second for _, second in parts]),
    )


def _links(nodes: Int64Array, others: Int64Array) -> pa.RecordBatch:
    """A pack of links, numbered so that packs spread over the tasks."""
    number = -1 - int(nodes[0] % PACKS) if len(nodes) else -1
    columns = ([number], [nodes.astype("<i8").tobytes()], [others.astype("<i8").tobytes()])
    arrays = [pa.array(column, field.type) for column, field in zip(columns, _PACKED, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=_PACKED)


def _packed(held: list[_Pair], packs: int) -> Iterator[pa.RecordBatch]:
    members, hubs, keys, firsts = bucket_links(*_joined(held))
    if len(members):
        yield _links(*_links_of_edges(members, hubs))
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


def _links_of(held: list[_Pair]) -> _Pair:
    members, hubs, _, _ = bucket_links(*_joined(held))
    return members, hubs


def _contracted(links: list[_Pair]) -> pa.RecordBatch:
    arrays = [pa.array(one) for one in _links_of_edges(*_joined(links))]
    return pa.RecordBatch.from_arrays(arrays, names=["node", "parent"])


def _links_of_edges(nodes: Int64Array, hubs: Int64Array) -> _Pair:
    """A link from each node to the smallest of its component, but for that one itself."""
    stars = find_stars(pa.array(nodes), pa.array(hubs))
    names = stars.nodes.to_numpy()
    is_link = stars.parents != np.arange(len(names))
    return names[is_link], names[stars.parents[is_link]]


def _concatenated(edges: list[tuple[pa.Array, pa.Array]]) -> tuple[pa.Array, pa.Array]:
    return tuple(map(pa.concat_arrays, zip(*edges, strict=True)))


def _star_batch(stars: Stars, run: int) -> pa.RecordBatch:
    arrays = [
        stars.nodes,
        stars.nodes.take(pa.array(stars.parents)),
        pa.array(stars.members.astype(np.int32)),
        pa.array(np.full(len(stars.nodes), run, dtype=np.int32)),
    ]
    return pa.RecordBatch.from_arrays(arrays, names=["node", "parent", "members", "run"])
