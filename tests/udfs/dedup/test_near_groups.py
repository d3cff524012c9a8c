"""The compiled loops of the near-duplicate search against their plain twins."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.near_duplicates import shingles
from udfs.dedup.forest import Forest
from udfs.dedup.minhash import (
    distinct_hashes,
    fast_signatures,
    fold_column,
    hash_windows,
    shingle_hashes,
    shingle_sets,
    signatures,
)
from udfs.dedup.near_groups import SettleRules, settle_batches
from udfs.dedup.normalise import fold_texts
from udfs.dedup.union_find import PACKS, contract_batches, pack_batches, star_batches

WIDTH = 5
any_text = st.text(st.sampled_from("天地人aÉ \u200b\U00020000，"), max_size=40)


@given(st.lists(st.one_of(st.none(), any_text, st.text(max_size=8)), max_size=6), st.integers(0, 2))
def test_columns_are_folded_as_texts_are(texts: list[str | None], skipped: int) -> None:
    column = pa.array(texts, pa.string()).slice(skipped)
    codes, offsets = fold_column(column)
    expected_codes, expected_offsets = fold_texts([text or "" for text in texts[skipped:]])
    assert codes.tolist() == expected_codes.tolist()
    assert offsets.tolist() == expected_offsets.tolist()


@given(st.lists(st.binary(max_size=6), max_size=4))
def test_bytes_that_are_no_utf8_are_replaced(texts: list[bytes]) -> None:
    codes, offsets = fold_column(pa.array(texts, pa.binary()))
    expected = fold_texts([text.decode("utf-8", "replace") for text in texts])
    assert (codes.tolist(), offsets.tolist()) == (expected[0].tolist(), expected[1].tolist())


@pytest.mark.parametrize(
    "broken",
    [
        b"\xc0\xaf",  # overlong, of two, three and four bytes
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # above the last code point
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"\xc3",  # cut, at the end of the column
        b"\xe5\xa4",
        b"\xf0\xa0\x80",
        b"\xe5a\xa9",
        b"\xe5\xa4a",
    ],
)
def test_every_kind_of_broken_utf8_is_seen(broken: bytes) -> None:
    texts = ["天地".encode() + broken, "人".encode()]
    codes, offsets = fold_column(pa.array(texts, pa.binary()))
    expected = fold_texts([text.decode("utf-8", "replace") for text in texts])
    assert (codes.tolist(), offsets.tolist()) == (expected[0].tolist(), expected[1].tolist())


@given(st.lists(any_text, max_size=5), st.integers(1, 7))
def test_windows_and_sets_are_those_of_the_plain_twin(texts: list[str], width: int) -> None:
    codes, offsets = fold_texts(texts)
    hashes, bounds = hash_windows(codes, offsets, width)
    plain, plain_bounds = shingle_hashes(codes, offsets, width)
    assert hashes.tolist() == plain.tolist()
    assert bounds.tolist() == plain_bounds.tolist()
    ends = distinct_hashes(hashes, bounds)
    found = [hashes[start:end].tolist() for start, end in zip(bounds, ends, strict=False)]
    assert found == [one.tolist() for one in shingle_sets(plain, plain_bounds)]


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=11), max_size=4))
def test_signatures_are_those_of_the_plain_twin(hashes: list[list[int]]) -> None:
    flat = np.array([value for one in hashes for value in one], dtype=np.uint64)
    offsets = np.cumsum([0, *map(len, hashes)]).astype(np.int64)
    assert fast_signatures(flat, offsets, 9).tolist() == signatures(flat, offsets, 9).tolist()


Edge = tuple[int, int]


def components(edges: list[Edge]) -> dict[int, frozenset[int]]:
    forest = Forest()
    for one, other in edges:
        forest.join(f"{one:03d}", f"{other:03d}")
    members: dict[str, set[int]] = {}
    for node in {node for edge in edges for node in edge}:
        members.setdefault(forest.root(f"{node:03d}"), set()).add(node)
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


def group_batch(texts: dict[str, str], group: int = 1) -> pa.RecordBatch:
    """Documents that share a band, and their texts, as they meet in a task."""
    documents = [
        {"group": group, "key": key, "rank": key, "is_own": True, "bands": [7]} for key in texts
    ]
    payloads = [
        {"group": group, "key": key, "payload": text.encode()} for key, text in texts.items()
    ]
    names = ("group", "key", "rank", "is_own", "known_key", "bands", "payload")
    kinds = (pa.int64(), pa.string(), pa.string(), pa.bool_(), pa.string(), pa.list_(pa.int64()))
    schema = pa.schema(list(zip(names, (*kinds, pa.binary()), strict=True)))
    return pa.RecordBatch.from_pylist(documents + payloads, schema)


RULES = SettleRules(WIDTH, 0.5, all_pairs=100, max_pair_bucket=32, max_hub_rounds=3)


@given(st.lists(st.text("天地人", max_size=14), min_size=1, max_size=6))
def test_a_group_is_settled_as_sets_of_slices_say(texts: list[str]) -> None:
    by_key = {f"d{number}": text for number, text in enumerate(texts)}
    rows = [
        row
        for batch in settle_batches(RULES)(iter([group_batch(by_key), group_batch(by_key, 2)]))
        for row in batch.to_pylist()
        if row["rank"] is not None
    ]
    similar = {
        (one, other): len(shingles(left) & shingles(right)) / len(shingles(left) | shingles(right))
        for one, left in by_key.items()
        for other, right in by_key.items()
        if shingles(left) and shingles(right)
    }
    forest = Forest()
    for pair, value in similar.items():
        if value >= RULES.min_similarity:
            forest.join(*pair)
    expected = [(node, root, similar[node, root]) for node, root in forest.links().items()]
    found = [(row["rank"], row["kept_rank"], row["similarity"]) for row in rows]
    assert sorted(found) == sorted(expected * 2)


def test_a_document_without_its_text_stops_the_task() -> None:
    batch = group_batch({"a": "天地玄黄宇", "b": "天地玄黄宙"}).slice(0, 3)
    with pytest.raises(RuntimeError, match="without what to compare it by"):
        list(settle_batches(RULES)(iter([batch])))
