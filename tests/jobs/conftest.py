"""The sample, run once through the whole pipeline, for all tests that look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import run_pipeline
from tests.sample.build_sample import build

ROOT = Path(__file__).resolve().parents[2]
C1_ONLY = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"
"""For Java processes that run for less than what they leave out takes to pay."""
LOCAL_CONFIG = ROOT / "conf" / "local.toml"


@dataclass(frozen=True)
class Output:
    """An output folder and a session to read it with."""

    spark: SparkSession
    path: Path

    def table(self, name: str) -> DataFrame:
        return self.spark.read.parquet(str(self.path / name))


@pytest.fixture(scope="session")
def sample_warc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.warc.gz"
    build(path)
    return path


@pytest.fixture(scope="session")
def sample_output(
    spark: SparkSession, sample_warc: Path, tmp_path_factory: pytest.TempPathFactory
) -> Output:
    output = tmp_path_factory.mktemp("run") / "out"
    status = run_pipeline.main(
        [
            *("--config", str(LOCAL_CONFIG), "--input", str(sample_warc)),
            *("--output", str(output), "--set", "select.jsonl=zst"),
            *("--release", str(output / "release")),
        ]
    )
    assert status == 0
    return Output(spark, output)
