"""The same corpus for any cut of the work, and for a second run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import run_pipeline
from jobs.pipeline import extraction_wave
from jobs.run import current_documents
from tests.jobs.conftest import LOCAL_CONFIG
from tests.sample.build_sample import deal

FILES = 7
pytestmark = pytest.mark.slow  # three pipelines

EDITS = ("rules.traditional_policy=convert", "rules.pii_policy=mask")
"""All that changes texts."""


@pytest.fixture(scope="module")
def warc_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's pages over seven files, dealt round-robin."""
    folder = tmp_path_factory.mktemp("dealt")
    deal(folder, FILES)
    return folder


def sorted_corpus(spark: SparkSession, output: Path) -> list[str]:
    rows = spark.read.parquet(str(output / "corpus")).toJSON().collect()
    return sorted(rows, key=lambda row: json.loads(row)["doc_id"])


def run_with(spark: SparkSession, warc_files: Path, output: Path, *settings: str) -> list[str]:
    arguments = ["--config", str(LOCAL_CONFIG), "--input", str(warc_files)]
    arguments += ["--output", str(output), "--set", *EDITS, *settings]
    assert run_pipeline.main(arguments) == 0
    return sorted_corpus(spark, output)


@pytest.fixture(scope="module")
def one_partition(
    spark: SparkSession, warc_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The corpus of one task that reads all files, in one wave."""
    output = tmp_path_factory.mktemp("one") / "out"
    rows = run_with(spark, warc_files, output, "run.partitions=1")
    assert len(rows) > 40
    assert any('"kind":"traditional"' in row for row in rows)
    return rows


def test_two_partitions_change_no_byte(
    spark: SparkSession, warc_files: Path, one_partition: list[str], tmp_path: Path
) -> None:
    assert run_with(spark, warc_files, tmp_path / "out", "run.partitions=2") == one_partition


def test_seven_partitions_waves_and_shuffles_change_no_byte(
    spark: SparkSession,
    warc_files: Path,
    one_partition: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor do plans that are compiled, and change while they run, nor who counts the ledgers."""
    monkeypatch.setattr(current_documents, "DRIVER_DOCUMENTS", 0)
    monkeypatch.setattr(extraction_wave, "DRIVER_DOCUMENTS", 0)
    plans = {
        "spark.sql.shuffle.partitions": "7",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.codegen.wholeStage": "true",
        "spark.sql.codegen.factoryMode": "FALLBACK",
    }
    settings = ["run.partitions=7", "run.wave_splits=3", "spark.small_properties=off"]
    before = {key: spark.conf.get(key) for key in plans}
    for key, value in plans.items():
        spark.conf.set(key, value)
    try:
        rows = run_with(spark, warc_files, tmp_path / "out", *settings)
    finally:
        for key, value in before.items():
            spark.conf.set(key, str(value))
    assert rows == one_partition
