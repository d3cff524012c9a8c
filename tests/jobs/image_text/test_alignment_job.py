"""Scorer alignment through the real job, with its bundled model, on the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason='not installed: pip install "taojin[pairs]"')

from pyspark.sql import SparkSession

from jobs.image_text.pair_scoring import read_fitted
from jobs.pairs import score_pairs, select_pairs
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG

pytestmark = pytest.mark.bert

CONFIG = LOCAL_CONFIG.parent / "alignment.toml"
SCORERS = 'score_pairs.scorers=["alignment", "alignment_level"]'


@pytest.mark.slow
def test_aligned_pairs_of_the_sample_are_above_swapped_ones(
    spark: SparkSession, sample_warc: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    arguments = ["--config", str(CONFIG), "--output", str(output), "--input", str(sample_warc)]
    more = ["--set", SCORERS, "alignment.vectors=true", "alignment_level.levels=3"]
    assert score_pairs.main([*arguments, *more]) == 0
    scored = spark.read.parquet(str(output / "pair_scores" / "alignment"))
    rows = scored.where("similarity is not null").dropDuplicates(["image_vector"]).collect()
    images, texts = (
        np.stack([np.frombuffer(row[name], "<f2") for row in rows]).astype(np.float32)
        for name in ("image_vector", "text_vector")
    )
    similarity = images @ texts.T
    assert np.diagonal(similarity) == pytest.approx([row.similarity for row in rows], abs=2e-3)
    aligned = float(np.trace(similarity)) / len(rows)
    swapped = (float(similarity.sum()) - float(np.trace(similarity))) / (
        len(rows) * (len(rows) - 1)
    )
    assert len(rows) >= 8 and aligned > swapped + 0.05

    store = Store.at(str(output))
    [commit] = store.commits("score_pairs_alignment").values()
    assert commit.rows == commit.kept + sum(commit.failed.values()) == 29
    edges = read_fitted(store)["alignment_level"]["edges"]
    levels = spark.read.parquet(str(output / "pair_scores" / "alignment_level"))
    both = scored.join(levels, ["doc_id", "place"]).where("similarity is not null").collect()
    assert {row.level for row in both} == {0, 1, 2}
    assert all(row.level == sum(edge <= row.similarity for edge in edges) for row in both)

    limits = ["select_pairs.pages=all", "select_pairs.top_alignment=0.5", "pair_rules.pack=off"]
    assert select_pairs.main([*arguments, "--set", *limits]) == 0
    kept = spark.read.parquet(str(output / "selected_pairs")).collect()
    reasons = [
        reason
        for row in spark.read.parquet(str(output / "rejected_pairs")).collect()
        for reason in row.reasons
    ]
    assert "not_top_alignment" in reasons and "unscored" in reasons
    middle = sorted(row.similarity for row in both)[len(both) // 2]
    assert kept and all(row.scores.alignment.similarity >= middle - 0.1 for row in kept)
