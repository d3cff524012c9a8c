"""Candidate pairs, streamed in groups of one hub."""

from __future__ import annotations

import pyarrow as pa
import pytest

from udfs.dedup.minhash import Shingles
from udfs.dedup.pair_similarity import compare_batches

WIDTH = 5


def test_pairs_are_compared_across_batches() -> None:
    texts = {"a": "天地玄黄宇宙洪荒", "b": "天地玄黄宇宙洪", "c": "日月盈昃辰宿列张"}
    rows = [("a", "a"), ("a", "b"), ("a", "c"), ("c", "c"), ("c", "b")]
    batches = [
        pa.RecordBatch.from_pydict({"hub": [hub], "node": [node], "payload": [texts[node]]})
        for hub, node in rows
    ]
    found = [
        row
        for batch in compare_batches(Shingles(WIDTH))(iter(batches))
        for row in batch.to_pylist()
    ]
    assert found == [
        {"node": "b", "hub": "a", "similarity": 3 / 4},
        {"node": "c", "hub": "a", "similarity": 0.0},
        {"node": "b", "hub": "c", "similarity": 0.0},
    ]


def test_a_member_without_its_hub_stops_the_task() -> None:
    batch = pa.RecordBatch.from_pydict({"hub": ["a"], "node": ["b"], "payload": ["天地玄黄宇"]})
    with pytest.raises(RuntimeError, match="without its hub"):
        list(compare_batches(Shingles(WIDTH))(iter([batch])))
