"""Fingerprints of documents, and URLs of preferred hosts."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from tests.builders.near_duplicates import random_text
from udfs.dedup.fingerprints import Banding, PreferredHosts, fingerprint_batch
from udfs.dedup.minhash import Shingles

WIDTH = 5


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
    rows = fingerprint_batch(batch, Banding(Shingles(WIDTH), 3, 2, keep_signature=True)).to_pylist()
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
    banding = Banding(Shingles(WIDTH), 14, 8, keep_signature=True)
    batch = documents_batch(texts)
    whole = fingerprint_batch(batch, banding).to_pylist()
    parts = [fingerprint_batch(batch.slice(start, 1), banding).to_pylist() for start in range(30)]
    assert whole == [row for part in parts for row in part]


def test_broken_utf8_is_a_document_like_others() -> None:
    batch = documents_batch([b"\xe5\xa4\xa9\xff\xe5\xa4", "天地玄黄宇".encode()])
    rows = fingerprint_batch(batch, None).to_pylist()
    assert rows[0]["chars"] == 3
    assert rows[0]["bands"] is None


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://people.com.cn/1", True),
        ("HTTPS://News.People.com.cn:8080/1", True),
        ("http://people.com.cn./", True),
        ("http://otherpeople.com.cn/", False),
        ("http://com.cn/", False),
        ("http://e.cn/people.com.cn", False),
        ("http://people.com.cn.e.cn/", False),
        ("http://xn--fiqs8s/", True),
        ("http://a.中国/", True),
        ("http://[broken/", False),
        ("no address", False),
        ("", False),
        (None, False),
    ],
)
def test_a_host_and_those_below_it(url: str | None, is_one: bool) -> None:
    assert PreferredHosts(["People.com.cn", "中国"]).match(url) == is_one


def test_none_is_preferred_where_none_is_named() -> None:
    assert not PreferredHosts([]).match("http://people.com.cn/")
