"""Repeated images and pairs, against plain Python."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from pyspark.sql import SparkSession

from jobs.transforms.images.duplicates import (
    equal_image_sets,
    equal_pairs,
    frequent_values,
    near_images,
    repeats_in_documents,
)
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.near_duplicates import union_find


def differing(one: int, other: int) -> int:
    return ((one ^ other) % (1 << 64)).bit_count()


def made_hashes(count: int) -> list[int]:
    """Hashes of which most have neighbours, at 0 to 7 bits."""
    rng = np.random.default_rng(7)
    values = rng.integers(-(1 << 63), 1 << 63, count // 4, dtype=np.int64).tolist()
    while len(values) < count:
        value = values[int(rng.integers(len(values)))]
        for bit in rng.choice(63, int(rng.integers(0, 8)), replace=False).tolist():
            value ^= 1 << bit
        values.append(value)
    return values


def test_near_images_are_those_of_brute_force_for_any_partitioning(
    spark: SparkSession, tmp_path: Path
) -> None:
    values = made_hashes(2000)
    ranks = [f"{value % 9973:05d}-{place}" for place, value in enumerate(values)]
    distinct = sorted(set(values))
    root = union_find([pair for pair in combinations(distinct, 2) if differing(*pair) <= 5])
    members: dict[int, list[tuple[str, int]]] = {}
    for rank, value in zip(ranks, values, strict=True):
        members.setdefault(root.get(value, value), []).append((rank, value))
    expected = set()
    for cluster in members.values():
        kept, kept_value = min(cluster)
        expected |= {
            (rank, kept, differing(value, kept_value), len(cluster))
            for rank, value in cluster
            if rank != kept
        }
    rows: list[tuple[str, int | None]] = [*zip(ranks, values, strict=True), ("none", None)]
    for partitions in (1, 5):
        frame = spark.createDataFrame(rows, "rank string, phash bigint").repartition(partitions)
        checkpoint = parquet_checkpoint(tmp_path / str(partitions))
        found = near_images(frame, checkpoint, 20).collect()
        assert len(found) == len(expected) > 500
        assert {tuple(row) for row in found} == expected


PLACES = [  # document, place, address, hash
    *[("d1", place, f"http://a/{place}", 1 << place) for place in range(3)],
    ("d1", 3, "http://a/1", 0b11111 << 20),
    ("d1", 4, None, None),
    *[("d2", place, f"http://a/{2 - place}", (1 << 40) - 1 - place) for place in range(3)],
    ("d3", 0, "http://a/1", -1),
    ("d3", 1, "http://a/2", 0),
    *[(f"e{number}", 0, "http://logo", None) for number in range(4)],
]


def test_addresses_sets_and_repeats(spark: SparkSession) -> None:
    frame = spark.createDataFrame(PLACES, "rank string, place int, url string, phash bigint")
    counts = Counter(url for _, _, url, _ in PLACES if url)
    assert {tuple(row) for row in frequent_values(frame, "url", 2).collect()} == {
        (url, count) for url, count in counts.items() if count > 2
    }
    assert {tuple(row) for row in equal_image_sets(frame).collect()} == {
        ("d2", "d1"),
        *((f"e{number}", "e0") for number in range(1, 4)),
    }
    assert sorted(tuple(row) for row in repeats_in_documents(frame, 4).collect()) == [
        *(("d1", 1), ("d1", 2), ("d2", 1), ("d2", 2)),
    ]


def test_equal_pairs(spark: SparkSession) -> None:
    rows = [
        *(("p3", "http://a", "图"), ("p1", "http://a", "图"), ("p2", "http://a", "画")),
        *(
            ("p4", "http://a图", ""),
            ("p5", None, "图"),
            ("p6", None, "图"),
            ("p0", "图", "http://a"),
        ),
    ]
    frame = spark.createDataFrame(rows, "rank string, url string, text string")
    found = equal_pairs(frame, ("url", "text")).collect()
    assert [tuple(row) for row in found] == [("p3", "p1")]
