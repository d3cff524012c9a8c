"""Near duplicates of one group beside sets of slices."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.near_duplicates import shingles, union_find
from udfs.dedup.minhash import Shingles
from udfs.dedup.near_groups import ClusterRules, cluster_batches

WIDTH = 5


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


RULES = ClusterRules(Shingles(WIDTH), 0.5, all_pairs=100, max_pair_bucket=32, max_hub_rounds=3)


@given(st.lists(st.text("天地人", max_size=14), min_size=1, max_size=6))
def test_a_group_is_clustered_as_sets_of_slices_say(texts: list[str]) -> None:
    by_key = {f"d{number}": text for number, text in enumerate(texts)}
    rows = [
        row
        for batch in cluster_batches(RULES)(iter([group_batch(by_key), group_batch(by_key, 2)]))
        for row in batch.to_pylist()
        if row["rank"] is not None
    ]
    similar = {
        (one, other): len(shingles(left) & shingles(right)) / len(shingles(left) | shingles(right))
        for one, left in by_key.items()
        for other, right in by_key.items()
        if shingles(left) and shingles(right)
    }
    kept = union_find([pair for pair, value in similar.items() if value >= RULES.min_similarity])
    expected = [
        (node, least, similar[node, least]) for node, least in kept.items() if node != least
    ]
    found = [(row["rank"], row["kept_rank"], row["similarity"]) for row in rows]
    assert sorted(found) == sorted(expected * 2)


def test_a_document_without_its_text_stops_the_task() -> None:
    batch = group_batch({"a": "天地玄黄宇", "b": "天地玄黄宙"}).slice(0, 3)
    with pytest.raises(RuntimeError, match="without its text"):
        list(cluster_batches(RULES)(iter([batch])))
