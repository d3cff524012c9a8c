"""Images of interleaved documents and the texts that they belong to, by a small model."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason='not installed: pip install "taojin[pairs]"')

from pyspark.sql import SparkSession

from jobs.image_text.line_matching import encoded_images, matched_images
from jobs.tables import IMAGES, INTERLEAVED, schema_of
from tests.builders.dual_encoders import packed_of
from tests.builders.pair_outputs import made_documents, made_images, made_pairs
from udfs.alignment.alignment import (
    ALIGNMENT,
    AlignmentSettings,
    load,
    score_alignment,
)
from udfs.alignment.assignment import assigned_lines
from udfs.files.artifacts import ArtifactFile, sha256_of
from udfs.pair_scorers.scorer import Pairs

pytestmark = pytest.mark.bert


def test_the_assignment_has_the_largest_sum() -> None:
    similarity = np.random.default_rng(4).normal(size=(4, 6)).astype(np.float32)
    found = assigned_lines(similarity)
    best = max(
        sum(similarity[image, line] for image, line in enumerate(lines))
        for lines in permutations(range(6), 4)
    )
    assert sum(value for _, value in found) == pytest.approx(best, abs=1e-4)
    assert len({line for line, _ in found}) == 4
    more = assigned_lines(similarity.T)
    assert len(more) == 6 and {line for line, _ in more} == set(range(4))


def test_each_image_has_a_text_of_its_document_or_a_failure(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = packed_of(tmp_path, "chinese_clip")
    settings = AlignmentSettings(artifact=str(path), device="cpu", dtype="float32")

    class Files:
        def shipped(self, key: str) -> ArtifactFile:
            spark.sparkContext.addFile(str(path))
            return ArtifactFile("clip", "local", path.name, sha256_of(path))

    scorer = ALIGNMENT.make(settings, Files(), {})  # type: ignore[arg-type]
    images = made_images(6)
    rows = made_documents(made_pairs(images, 24))
    documents = spark.createDataFrame(rows, schema_of(INTERLEAVED))
    stored = spark.createDataFrame(images, schema_of(IMAGES))
    results = []
    for parts in (1, 3):
        vectors = encoded_images(documents.repartition(parts), stored, scorer).cache()
        table = matched_images(documents.repartition(parts), vectors, scorer)
        results.append({(r.doc_id, r.position): r for r in table.collect()})
    assert results[0] == results[1]
    places = {
        (row["doc_id"], place): (row, meta["sha256"])
        for row in rows
        for place, meta in enumerate(row["metadata"])
        if meta is not None
    }
    assert results[0].keys() == places.keys()
    bodies = {row["sha256"]: row["body"] for row in images if row["reason"] is None}
    model = load({"artifact": path}, settings)
    for key, match in results[0].items():
        row, digest = places[key]
        assert (match.failure is None) == (digest in bodies) == (match.matched_sim is not None)
        if match.failure is None:
            text = row["texts"][match.matched_text_index]
            [record] = score_alignment(Pairs(["0"], [text], [bodies[digest]]), model)
            assert match.matched_sim == pytest.approx(record["similarity"], abs=2e-5)
    for doc_id in {key[0] for key in results[0]}:
        own = [
            m.matched_text_index for k, m in results[0].items() if k[0] == doc_id and not m.failure
        ]
        assert len(own) == len(set(own))
