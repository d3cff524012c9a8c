"""Pairs that go because others fit better: the top share, and the best of blocks."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from jobs.transforms.images.pair_alignment import alignment_cuts
from tests.builders.checkpoints import parquet_checkpoint
from udfs.alignment.alignment import AlignmentLimits
from udfs.alignment.blocks import are_best

JUDGED_DDL = (
    "doc_id string, place int, reasons array<string>, "
    "scores struct<alignment:struct<similarity:double>>"
)
VECTORS_DDL = "doc_id string, place int, image_vector binary, text_vector binary"
PAIRS = 60


def unit_vectors(seed: int, near: np.ndarray | float = 0.0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(PAIRS, 8)) + 4 * near
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype("<f2")


IMAGES = unit_vectors(1)
TEXTS = unit_vectors(2, IMAGES)
SIMILARITIES = [round(float(i.astype(float) @ t), 5) for i, t in zip(IMAGES, TEXTS, strict=True)]


def gone(
    spark: SparkSession, folder: Path, limits: AlignmentLimits, seed: int, *, refused: int = 0
) -> dict[str, str]:
    """doc_id -> reason of the pairs that go; the first ones have another reason already."""
    order = random.Random(seed).sample(range(PAIRS), PAIRS)
    judged = [
        (f"{n:032x}", 0, ["rule"] if n < refused else [], ((SIMILARITIES[n],),)) for n in order
    ]
    vectors = [(f"{n:032x}", 0, IMAGES[n].tobytes(), TEXTS[n].tobytes()) for n in order]
    found = alignment_cuts(
        spark.createDataFrame(judged, JUDGED_DDL).repartition(seed + 1),
        spark.createDataFrame(vectors, VECTORS_DDL).repartition(3 - seed),
        limits,
        parquet_checkpoint(folder / f"{seed}"),
    )
    assert found is not None
    return {row.doc_id: row.reason for row in found.collect()}


def test_the_top_share_stays(spark: SparkSession, tmp_path: Path) -> None:
    limits = AlignmentLimits(top_alignment=0.25)
    found = gone(spark, tmp_path, limits, 0, refused=20)
    ranked = sorted(range(20, PAIRS), key=lambda n: -SIMILARITIES[n])
    assert found == {f"{n:032x}": "not_top_alignment" for n in ranked[10:]}


def test_the_best_of_a_block_stay_for_any_partitioning(spark: SparkSession, tmp_path: Path) -> None:
    limits = AlignmentLimits(alignment_block=PAIRS)  # one block of all
    similarity = IMAGES.astype(np.float32) @ TEXTS.astype(np.float32).T
    own = np.diagonal(similarity)
    best = [
        own[n] >= similarity[n].max() - 1e-6 or own[n] >= similarity[:, n].max() - 1e-6
        for n in range(PAIRS)
    ]
    assert 2 < sum(best) < PAIRS - 2
    expected = {f"{n:032x}": "not_best_of_block" for n in range(PAIRS) if not best[n]}
    assert gone(spark, tmp_path, limits, 0) == expected
    small = AlignmentLimits(alignment_block=10)
    assert gone(spark, tmp_path, small, 1) == gone(spark, tmp_path, small, 2) != expected


def test_both_limits_look_at_what_the_first_has_left(spark: SparkSession, tmp_path: Path) -> None:
    limits = AlignmentLimits(top_alignment=0.5, alignment_block=PAIRS)
    found = gone(spark, tmp_path, limits, 0)
    left = [n for n in range(PAIRS) if found.get(f"{n:032x}") != "not_top_alignment"]
    assert len(left) == PAIRS // 2
    best = are_best(IMAGES[left].astype(np.float32), TEXTS[left].astype(np.float32))
    assert {n for n, is_best in zip(left, best, strict=True) if not is_best} == {
        int(doc_id, 16) for doc_id, reason in found.items() if reason == "not_best_of_block"
    }


def test_a_text_that_two_pairs_have_removes_neither() -> None:
    vectors = np.float32([[1, 0], [0, 1], [0, 1]])
    assert are_best(vectors, vectors) == [True, True, True]


@pytest.mark.parametrize("similarity", [(-1.0, 1.0)])
def test_the_outer_similarities_have_steps(
    spark: SparkSession, tmp_path: Path, similarity: tuple[float, float]
) -> None:
    rows = [(f"{n:032x}", 0, [], ((value,),)) for n, value in enumerate(similarity)]
    found = alignment_cuts(
        spark.createDataFrame(rows, JUDGED_DDL),
        spark.createDataFrame([], VECTORS_DDL),
        AlignmentLimits(top_alignment=0.5),
        parquet_checkpoint(tmp_path),
    )
    assert found is not None
    assert [row.doc_id for row in found.collect()] == [f"{0:032x}"]
