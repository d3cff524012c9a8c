"""Captions and their best images, against one product of everything."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.images.reassignment import MatchOptions, best_images, matches, with_kept
from tests.builders.checkpoints import parquet_checkpoint
from udfs.pair_noise.embeddings import unit_rows

WIDTH = 32
PAIRS = 2000


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def made_pairs() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Images and texts around 40 topics; some images are equal, and so are some texts."""
    rng = np.random.default_rng(21)
    topics = rng.normal(size=(40, WIDTH))
    of_pair = topics[rng.integers(40, size=PAIRS)] + 0.5 * rng.normal(size=(PAIRS, WIDTH))
    images = unit_rows(of_pair + 0.3 * rng.normal(size=(PAIRS, WIDTH)))
    texts = unit_rows(of_pair + 0.3 * rng.normal(size=(PAIRS, WIDTH)))
    images[:60] = images[60:120]
    texts[:30] = texts[30:60]
    return (
        {key_of(f"image {n}"): vector for n, vector in enumerate(images)},
        {key_of(f"text {n}"): vector for n, vector in enumerate(texts)},
    )


IMAGES, TEXTS = made_pairs()


def frame_of(spark: SparkSession, vectors: dict[str, np.ndarray], partitions: int) -> DataFrame:
    rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
    return spark.createDataFrame(rows, "key string, vector binary").repartition(partitions)


def brute_force(
    images: int, texts: int
) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, tuple[str, float]]]:
    """The best images of each text, the best texts of each image, and the winners."""
    image_keys, text_keys = sorted(IMAGES), sorted(TEXTS)
    of_images = np.stack([IMAGES[key] for key in image_keys]).astype(np.float64)
    of_texts = np.stack([TEXTS[key] for key in text_keys]).astype(np.float64)
    products = of_texts @ of_images.T
    top_images = np.argsort(-products, axis=1, kind="stable")[:, :images]
    top_texts = np.argsort(-products.T, axis=1, kind="stable")[:, :texts]
    between = of_texts @ of_texts.T
    best = {}
    for text in range(len(text_keys)):
        scored = [
            (-between[text, top_texts[image]].mean(), -products[text, image], image_keys[image])
            for image in top_images[text].tolist()
        ]
        score, _, image_key = min(scored)
        best[text_keys[text]] = (image_key, -score)
    return (
        {text_keys[n]: [image_keys[i] for i in top] for n, top in enumerate(top_images.tolist())},
        {image_keys[n]: [text_keys[i] for i in top] for n, top in enumerate(top_texts.tolist())},
        best,
    )


def matches_of(found: DataFrame, of_text: bool) -> dict[str, list[str]]:
    rows: dict[str, list[tuple[float, str]]] = {}
    for row in found.where(found.of_text == of_text).collect():
        rows.setdefault(row["key"], []).append((-row["similarity"], row["match"]))
    return {key: [match for _, match in sorted(of_key)] for key, of_key in rows.items()}


@pytest.mark.slow
@pytest.mark.parametrize("partitions, block_rows", [(1, 700), (5, 256)])
def test_exact_blocks_equal_one_product_of_everything(
    spark: SparkSession, tmp_path: Path, partitions: int, block_rows: int
) -> None:
    options = MatchOptions(images=15, texts=2, block_rows=block_rows)
    top_images, top_texts, best = brute_force(15, 2)
    checkpoint = parquet_checkpoint(tmp_path)
    texts = frame_of(spark, TEXTS, partitions)
    found = checkpoint(
        matches(frame_of(spark, IMAGES, partitions), texts, options, checkpoint), "matches"
    )
    assert matches_of(found, True) == top_images
    assert matches_of(found, False) == top_texts
    winners = checkpoint(best_images(found, texts), "best")
    rows = winners.collect()
    assert {row["text_key"]: row["image_key"] for row in rows} == {
        key: image for key, (image, _) in best.items()
    }
    assert {row["text_key"]: row["cycle_score"] for row in rows} == pytest.approx(
        {key: score for key, (_, score) in best.items()}
    )
    kept = with_kept(winners, 0.9, len(TEXTS)).collect()
    assert sum(row["is_kept"] for row in kept) == 0.9 * PAIRS
    assert min(row["cycle_score"] for row in kept if row["is_kept"]) >= max(
        row["cycle_score"] for row in kept if not row["is_kept"]
    )


@pytest.mark.slow
def test_cells_find_most_of_what_all_products_find(spark: SparkSession, tmp_path: Path) -> None:
    top_images, top_texts, _ = brute_force(15, 2)
    recalls = []
    for partitions, probes in ((1, 4), (4, 4), (2, 16)):
        options = MatchOptions(cells=32, probes=probes, block_rows=64)
        checkpoint = parquet_checkpoint(tmp_path / f"{partitions} {probes}")
        sides = [frame_of(spark, vectors, partitions) for vectors in (IMAGES, TEXTS)]
        found = checkpoint(matches(*sides, options, checkpoint), "matches")
        recalls.append(
            (
                recall(matches_of(found, True), top_images),
                recall(matches_of(found, False), top_texts),
            )
        )
    assert recalls[0] == recalls[1]
    assert 0.8 < recalls[0][0] < 1 and recalls[0][1] > 0.8
    assert recalls[2][0] > 0.99 and recalls[2][1] > 0.99


def recall(found: dict[str, list[str]], expected: dict[str, list[str]]) -> float:
    """Share of the expected matches that were found."""
    hits = sum(len({*found.get(key, ())} & {*matched}) for key, matched in expected.items())
    return hits / sum(map(len, expected.values()))


@pytest.mark.parametrize("cells", [None, 8])
def test_nothing_is_reassigned_where_nothing_was_embedded(
    spark: SparkSession, tmp_path: Path, cells: int | None
) -> None:
    nothing = spark.createDataFrame([], "key string, vector binary")
    checkpoint = parquet_checkpoint(tmp_path)
    found = checkpoint(matches(nothing, nothing, MatchOptions(cells=cells), checkpoint), "matches")
    best = checkpoint(best_images(found, nothing), "best")
    assert with_kept(best, 0.9, 0).collect() == []
