"""Links and stars beside a plain union-find."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.near_duplicates import union_find
from udfs.dedup.union_find import PACKS, contract_batches, pack_batches, star_batches

Edge = tuple[int, int]


def components(edges: list[Edge]) -> dict[int, frozenset[int]]:
    """The component of each node."""
    members: dict[str, set[int]] = {}
    for node, least in union_find([(f"{one:03d}", f"{other:03d}") for one, other in edges]).items():
        members.setdefault(least, set()).add(int(node))
    return {node: frozenset(group) for group in members.values() for node in group}


@given(
    st.lists(st.lists(st.integers(-9, 9), max_size=3), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=3),
    st.integers(1, 5),
    st.integers(1, 3),
)
def test_links_connect_what_shares_a_key(
    bands: list[list[int]], known: list[Edge], held: int, tasks: int
) -> None:
    """However little a task holds at a time, and over however many tasks documents are spread."""
    schema = pa.schema(
        [("node", pa.int64()), ("kept_node", pa.int64()), ("bands", pa.list_(pa.int64()))]
    )
    rows: list[tuple[int, int | None, list[int] | None]] = [
        (node, None, keys) for node, keys in enumerate(bands)
    ]
    rows += [(node, kept, None) for node, kept in known]
    packed = []
    for task in range(tasks):
        batches = [
            pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True))], schema)
            for row in rows[task::tasks]
        ]
        packed += [
            row
            for batch in pack_batches(packs=4, chunk_rows=held)(iter(batches))
            for row in batch.to_pylist()
        ]
    assert all(-PACKS <= row["pack"] < 4 for row in packed)
    packed.sort(key=lambda row: row["pack"])
    ordered = [pa.RecordBatch.from_pylist([row]) for row in packed]
    found = [
        (row["node"], row["parent"])
        for batch in star_batches(max_rows=held)(iter(ordered))
        for row in batch.to_pylist()
    ]
    holders: dict[int, int] = {}
    edges = [edge for edge in known if edge[0] != edge[1]]
    for node, keys in enumerate(bands):
        edges += [(node, first) for key in keys if (first := holders.setdefault(key, node)) != node]
    assert components(found) == components(edges)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(1, 30))
def test_contracted_numbers_keep_the_components(edges: list[Edge], most: int) -> None:
    batches = [pa.RecordBatch.from_pydict({"node": [a], "hub": [b]}) for a, b in edges]
    rows = [row for batch in contract_batches(most)(iter(batches)) for row in batch.to_pylist()]
    expected = components(edges)
    assert components([(row["node"], row["parent"]) for row in rows]) == expected
    if len(edges) <= most:
        assert {(row["node"], row["parent"], row["members"], row["run"]) for row in rows} == {
            (node, min(group), len(group), 0) for node, group in expected.items()
        }


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(1, 30))
def test_contracted_names_keep_the_components(edges: list[Edge], most: int) -> None:
    batches = [pa.RecordBatch.from_pydict({"node": [str(a)], "hub": [str(b)]}) for a, b in edges]
    rows = [row for batch in contract_batches(most)(iter(batches)) for row in batch.to_pylist()]
    expected = components(edges)
    assert components([(int(row["node"]), int(row["parent"])) for row in rows]) == expected
    if len(edges) <= most:
        assert {row["node"]: int(row["parent"]) for row in rows} == {
            str(node): min(group) for node, group in expected.items()
        }


def test_a_run_goes_on_while_its_stars_are_few() -> None:
    batches = [
        pa.RecordBatch.from_pydict({"node": [number % 3] * 4, "hub": [0] * 4})
        for number in range(9)
    ]
    rows = [row for batch in contract_batches(6)(iter(batches)) for row in batch.to_pylist()]
    assert [(row["node"], row["parent"], row["members"], row["run"]) for row in rows] == [
        (0, 0, 3, 0), (1, 0, 3, 0), (2, 0, 3, 0),
    ]  # fmt: skip
