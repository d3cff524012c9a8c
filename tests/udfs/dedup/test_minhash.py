"""MinHash in arrays against sets of slices, and the promises that stored signatures rest on."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.near_duplicates import edited_text, random_text, shingles
from udfs.dedup.fingerprints import Banding, fingerprint_batch
from udfs.dedup.forest import Forest, contract_batches
from udfs.dedup.minhash import (
    agreement,
    band_keys,
    jaccard,
    shingle_hashes,
    shingle_sets,
    signatures,
)
from udfs.dedup.normalise import fold_texts, normalise_text
from udfs.dedup.pair_similarity import compare_batches

WIDTH = 5
few_letters = st.text(st.sampled_from("天地人"), max_size=40)


def signature_rows(texts: list[str], size: int = 112) -> np.ndarray:
    return signatures(*shingle_hashes(*fold_texts(texts), WIDTH), size)


@given(st.lists(few_letters, max_size=6), st.integers(1, 7))
def test_shingles_are_the_windows_of_each_text(texts: list[str], width: int) -> None:
    hashes, offsets = shingle_hashes(*fold_texts(texts), width)
    alone = [shingle_hashes(*fold_texts([text]), width)[0] for text in texts]
    assert np.diff(offsets).tolist() == [max(len(text) - width + 1, 0) for text in texts]
    assert hashes.tolist() == [value for part in alone for value in part.tolist()]


@given(few_letters, few_letters)
def test_jaccard_of_hashes_is_jaccard_of_shingles(one: str, other: str) -> None:
    left, right = shingle_sets(*shingle_hashes(*fold_texts([one, other]), WIDTH))
    expected_left, expected_right = shingles(one, WIDTH), shingles(other, WIDTH)
    union = expected_left | expected_right
    exact = len(expected_left & expected_right) / len(union) if union else 0.0
    assert jaccard(left, right) == (exact if expected_left and expected_right else 0.0)


def test_order_of_characters_matters() -> None:
    left, right = shingle_sets(*shingle_hashes(*fold_texts(["天地玄黄宇", "地天玄黄宇"]), WIDTH))
    assert jaccard(left, right) == 0.0


def test_estimate_has_the_error_that_theory_gives_it() -> None:
    rng = random.Random(1)
    errors = []
    for similarity in (0.5, 0.8, 0.95):
        for _ in range(60):
            text = random_text(rng, 600)
            copy = edited_text(rng, text, similarity)
            exact = len(shingles(text) & shingles(copy)) / len(shingles(text) | shingles(copy))
            one, other = signature_rows([text, copy])
            errors.append((agreement(one, other) - exact) / (exact * (1 - exact) / 112) ** 0.5)
    assert abs(float(np.mean(errors))) < 0.3  # 180 draws: three standard errors are 0.22
    assert 0.8 < float(np.std(errors)) < 1.2


def test_signature_ignores_company_copies_and_layout() -> None:
    rng = random.Random(2)
    text, other = random_text(rng, 300), random_text(rng, 90_000)
    alone = signature_rows([text])[0]
    assert (signature_rows([other, text, other])[1] == alone).all()
    assert (signature_rows([text[:100] + "\n \u3000" + text[100:]])[0] == alone).all()


def test_equal_values_in_another_band_do_not_meet() -> None:
    values = np.tile(np.arange(8, dtype=np.uint32), 14)[None, :]
    assert len(set(band_keys(values, 14, 8)[0].tolist())) == 14


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4), st.integers(0, 3))
def test_one_changed_value_changes_its_band_alone(row: list[int], place: int) -> None:
    changed = list(row)
    changed[place] ^= 1
    before, after = band_keys(np.array([row, changed], dtype=np.uint32), 2, 2).tolist()
    assert [a == b for a, b in zip(before, after, strict=True)] == [place >= 2, place < 2]


def test_signature_never_changes() -> None:
    """Signatures are stored and compared with those of later runs."""
    values = signature_rows(["天地玄黄,宇宙洪荒。日月盈昃,辰宿列张。"], 4)
    assert values[0].tolist() == [9792374, 242310677, 140800255, 48882256]
    assert band_keys(values, 2, 2)[0].tolist() == [-1118945085785676943, -168727911193548758]


def test_hash_seed_of_the_interpreter_does_not_matter() -> None:
    code = (
        "from tests.udfs.dedup.test_minhash import signature_rows;"
        "print(signature_rows(['天地玄黄宇宙洪荒'], 4).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def documents_batch(texts: list[str | bytes | None]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "doc_id": [f"d{index}" for index in range(len(texts))],
            "capture_micros": pa.array([None] * len(texts), pa.int64()),
            "url": pa.array([f"http://e.cn/{index}" for index in range(len(texts))]),
            "text": pa.array(texts, pa.string() if bytes not in map(type, texts) else pa.binary()),
        }
    )


def test_short_documents_have_no_bands() -> None:
    batch = documents_batch(["天地玄黄", "天地玄黄宇", "", None, "天 地 玄 黄"])
    rows = fingerprint_batch(batch, Banding(WIDTH, 3, 2, keep_signature=True)).to_pylist()
    assert [row["bands"] is None for row in rows] == [True, False, True, True, True]
    assert [row["signature"] is None for row in rows] == [True, False, True, True, True]
    assert [row["text_key"] is None for row in rows] == [False, False, True, True, False]
    assert [row["chars"] for row in rows] == [4, 5, 0, 0, 4]
    assert rows[0]["text_key"] == rows[4]["text_key"]


def test_batching_changes_nothing() -> None:
    rng = random.Random(3)
    texts: list[str | bytes | None] = [
        random_text(rng, rng.choice((0, 3, 50, 40_000, 70_000))) for _ in range(30)
    ]
    banding = Banding(WIDTH, 14, 8, keep_signature=True)
    batch = documents_batch(texts)
    whole = fingerprint_batch(batch, banding).to_pylist()
    parts = [fingerprint_batch(batch.slice(start, 1), banding).to_pylist() for start in range(30)]
    assert whole == [row for part in parts for row in part]


def test_broken_utf8_is_a_document_like_others() -> None:
    batch = documents_batch([b"\xe5\xa4\xa9\xff\xe5\xa4", "天地玄黄宇".encode()])
    rows = fingerprint_batch(batch, None).to_pylist()
    assert rows[0]["chars"] == 3
    assert rows[0]["bands"] is None


def test_pairs_are_compared_across_batches() -> None:
    texts = {"a": "天地玄黄宇宙洪荒", "b": "天地玄黄宇宙洪", "c": "日月盈昃辰宿列张"}
    rows = [("a", "a"), ("a", "b"), ("a", "c"), ("c", "c"), ("c", "b")]
    batches = [
        pa.RecordBatch.from_pydict({"hub": [hub], "node": [node], "payload": [texts[node]]})
        for hub, node in rows
    ]
    found = [row for batch in compare_batches(WIDTH)(iter(batches)) for row in batch.to_pylist()]
    assert found == [
        {"node": "b", "hub": "a", "similarity": 3 / 4},
        {"node": "c", "hub": "a", "similarity": 0.0},
        {"node": "b", "hub": "c", "similarity": 0.0},
    ]


def test_a_member_without_its_hub_stops_the_task() -> None:
    batch = pa.RecordBatch.from_pydict({"hub": ["a"], "node": ["b"], "payload": ["天地玄黄宇"]})
    with pytest.raises(RuntimeError, match="without its hub"):
        list(compare_batches(WIDTH)(iter([batch])))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_contracted_edges_keep_the_components(edges: list[tuple[int, int]]) -> None:
    def links(pairs: list[tuple[str, str]]) -> dict[str, str]:
        forest = Forest()
        for pair in pairs:
            forest.join(*pair)
        return forest.links()

    named = [(str(a), str(b)) for a, b in edges]
    batches = [pa.RecordBatch.from_pydict({"node": [a], "hub": [b]}) for a, b in named]
    contracted = [
        (row["node"], row["parent"])
        for batch in contract_batches(2)(iter(batches))
        for row in batch.to_pylist()
    ]
    assert links(contracted) == links(named)
    assert links(named) == {
        node: least for node, least in naive_components(named).items() if node != least
    }


def naive_components(edges: list[tuple[str, str]]) -> dict[str, str]:
    labels = {node: node for edge in edges for node in edge}
    for _ in labels:
        for a, b in edges:
            labels[a] = labels[b] = min(labels[a], labels[b])
    return labels


def test_normalise_is_what_is_shingled() -> None:
    text = "ＡＢＣ 天气，很好"
    assert (signature_rows([text]) == signature_rows([normalise_text(text)])).all()
