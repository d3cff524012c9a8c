"""ALIP's gates against its training loop, over a mean that is given."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import SparkSession

from udfs.pair_noise.caption_gates import ALIP, COLUMNS, AlipSettings, fit_means, gates
from udfs.pair_scorers.scorer import Pairs


def published(similarities: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The arrays of train.py of deepglint/ALIP, from similarities and moving means."""
    raw = np.exp(similarities[:, 0] - means[0]) ** 2
    sample = np.where(raw < 1, raw, 1.0)
    text = np.where(raw < 1, np.exp(similarities[:, 1] - means[1]) ** 2, 1.0)
    caption = np.where(raw < 1, np.exp(similarities[:, 2] - means[2]) ** 2, 1.0)
    return np.stack([sample, text, caption], axis=1)


def test_gates_are_those_of_the_published_loop() -> None:
    similarities = np.random.default_rng(3).uniform(-0.2, 0.9, size=(500, 3))
    means = similarities.mean(axis=0)
    expected = published(similarities, means)
    found = [gates(tuple(row), tuple(means.tolist())) for row in similarities.tolist()]
    assert np.allclose(found, expected, rtol=1e-12)
    assert 100 < (expected[:, 0] < 1).sum() < 400 and expected.max() > 1


def test_moving_means_come_to_the_mean_of_all_data() -> None:
    """What takes the place of the moving mean, over batches of a model that does not change."""
    similarities = np.random.default_rng(4).uniform(0.1, 0.5, size=(3000, 256))
    moving = 1.0
    for batch in similarities:
        moving = batch.mean() * 0.01 + moving * 0.99
    assert moving == pytest.approx(similarities.mean(), abs=2e-3)


def test_the_fit_counts_pairs_with_all_similarities(spark: SparkSession) -> None:
    values = np.random.default_rng(5).uniform(-1, 1, size=(300, 3)).tolist()
    rows = [(str(n), 0, tuple(row)) for n, row in enumerate(values)]
    rows += [("x", 1, None), ("y", 0, (0.5, None, 0.5))]
    kind = "struct<text_caption:double,image_text:double,image_caption:double>"
    frame = spark.createDataFrame(rows, f"doc_id string, place int, caption_similarity {kind}")
    one, other = (fit_means(AlipSettings(), frame.repartition(n)) for n in (1, 7))
    assert one == other
    assert one["pairs"] == 300
    assert one["means"] == pytest.approx(np.mean(values, axis=0).tolist(), abs=1e-9)
    nothing = fit_means(AlipSettings(), frame.where("false"))
    assert nothing == {"pairs": 0, "means": None}


def test_records_have_the_weights() -> None:
    scorer = ALIP.make(AlipSettings(), None, {"pairs": 9, "means": [0.5, 0.2, 0.2]})
    similarities = [(0.4, 0.3, 0.1), (0.6, 0.3, 0.1)]
    others = {"caption_similarity": [dict(zip(COLUMNS, row, strict=True)) for row in similarities]}
    pairs = Pairs(["a", "b"], [None, None], [None, None], others)
    records = scorer.score(pairs, scorer.load({}, scorer.options))
    assert [tuple(record) for record in records] == [tuple(scorer.result_type.fieldNames())] * 2
    assert list(records[0].values())[:3] == pytest.approx(np.exp([-0.2, 0.2, -0.2]).tolist())
    assert [record["failure"] for record in records] == [None, None]
    assert list(records[1].values()) == [1.0, 1.0, 1.0, None]
