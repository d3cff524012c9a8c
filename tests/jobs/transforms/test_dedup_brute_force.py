"""Near duplicates among thousands of documents against an exact search and union-find."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.config import DedupConfig
from tests.bench.dedup_pass import clusters_by_kept
from tests.bench.dedup_quality import quality
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.duplicate_search import find_duplicates
from tests.builders.near_duplicates import (
    Pairs,
    clusters_of,
    edited_text,
    exact_pairs,
    planted_documents,
    random_text,
    similar_pairs,
)
from tests.builders.spark_settings import changed_settings

DOCUMENTS = 5_000
DOCUMENTS_DDL = "doc_id string, url string, capture_time timestamp, text string"


@cache
def texts() -> dict[str, str]:
    """5,000 documents: singles, families, chains, copies."""
    dice = random.Random(31)
    found = planted_documents(31, families=950, singles=1500, chars=(80, 400))
    for chain in range(60):
        link = random_text(dice, 300)
        for number in range(8):
            found[f"chain-{chain:02d}-{number}"] = link
            link = edited_text(dice, link, dice.uniform(0.8, 0.95))
    copied = dice.sample(sorted(found), 100)
    found |= {f"again-{doc_id}": found[doc_id] for doc_id in copied}
    singles = DOCUMENTS - len(found)
    return found | {f"s{number:04d}": random_text(dice, 200) for number in range(singles)}


@cache
def truth() -> Pairs:
    return exact_pairs(list(texts().values()), DedupConfig().min_similarity)


@pytest.fixture(scope="module")
def frame(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFrame]:
    """The documents, read from files, with Arrow batches of a sensible size."""
    folder = tmp_path_factory.mktemp("documents")
    rows = [(doc_id, None, None, text) for doc_id, text in texts().items()]
    with changed_settings(spark, {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"}):
        spark.createDataFrame(rows, DOCUMENTS_DDL).write.parquet(f"{folder}/rows")
        yield spark.read.parquet(f"{folder}/rows")


Kept = dict[str, str]


@pytest.fixture
def kept_of(frame: DataFrame, tmp_path: Path) -> Callable[[DedupConfig], Kept]:
    """The kept id of each removed document."""

    def search(config: DedupConfig) -> Kept:
        removed = find_duplicates(frame, config, parquet_checkpoint(tmp_path)).collect()
        assert len({row.doc_id for row in removed}) == len(removed)
        return {row.doc_id: row.kept_doc_id for row in removed}

    return search


def test_the_exact_search_is_exact() -> None:
    """The fast twin that all here is held against, held against the slow one."""
    some = dict(sorted(texts().items())[:700])
    some |= {"empty": "", "short": "四个字了", "same": "好" * 30, "other": "好" * 40}
    ids = sorted(some)
    for least in (0.5, 0.8, 1.0):
        pairs = exact_pairs([some[doc_id] for doc_id in ids], least)
        found = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.similarity, strict=True)
        assert {(ids[left], ids[right]): value for left, right, value in found} == similar_pairs(
            some, least
        )


@pytest.mark.slow
def test_kept_documents_are_those_of_brute_force(kept_of: Callable[[DedupConfig], Kept]) -> None:
    """With bands enough that no pair is left to chance."""
    ids = list(texts())
    assert len(ids) == DOCUMENTS
    kept = kept_of(DedupConfig(levels=("near",), bands=50, rows=5))
    clusters = clusters_of(DOCUMENTS, truth().left.tolist(), truth().right.tolist())
    best: dict[int, str] = {}
    for doc_id, cluster in zip(ids, clusters.tolist(), strict=True):
        rivals = (doc_id, best.get(cluster, doc_id))
        best[cluster] = min(rivals, key=lambda one: (-len(texts()[one]), one))
    expected = {
        doc_id: best[cluster]
        for doc_id, cluster in zip(ids, clusters.tolist(), strict=True)
        if best[cluster] != doc_id
    }
    assert len(expected) > 900
    assert kept == expected


@pytest.mark.parametrize(
    ("bands", "rows", "least"), [(14, 8, 0.97), pytest.param(20, 8, 0.99, marks=pytest.mark.slow)]
)
def test_presets_find_what_they_promise_and_remove_nothing_else(
    kept_of: Callable[[DedupConfig], Kept], bands: int, rows: int, least: float
) -> None:
    kept = kept_of(DedupConfig(levels=("near",), bands=bands, rows=rows))
    found = quality(clusters_by_kept(list(texts()), kept), truth())
    assert found.precision == 1.0
    assert found.recall >= least


def test_quality_is_measured_right() -> None:
    """Clusters {0, 1, 2}, {3, 4}; similar: 0-1, 3-4, 2-4."""
    pairs = Pairs(np.array([0, 3, 2]), np.array([1, 4, 4]), np.ones(3))
    found = quality(np.array([0, 0, 0, 3, 3]), pairs)
    # 2 is removed wrongly; 2-4 is not found.
    assert (found.recall, found.precision, found.removed) == (2 / 3, 2 / 3, 3)


@pytest.mark.slow
def test_partitions_change_no_row(spark: SparkSession, frame: DataFrame, tmp_path: Path) -> None:
    some = frame.filter("doc_id LIKE 'chain%' OR doc_id LIKE 'again%' OR doc_id LIKE 'doc%7'")
    answers = []
    for partitions in (1, 2, 7):
        settings = {
            "spark.sql.shuffle.partitions": str(partitions),
            "spark.sql.adaptive.coalescePartitions.enabled": "false",
        }
        with changed_settings(spark, settings):
            found = find_duplicates(
                some.repartition(partitions),
                DedupConfig(levels=("exact", "near")),
                parquet_checkpoint(tmp_path / str(partitions)),
            )
            answers.append(sorted(found.collect()))
    assert answers[0] == answers[1] == answers[2]
    assert {row.kind for row in answers[0]} == {"exact", "near"}
