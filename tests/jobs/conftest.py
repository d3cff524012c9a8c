"""The sample, run once through the whole pipeline, for all tests that look at it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import run_pipeline
from tests.sample.build_sample import build

ROOT = Path(__file__).resolve().parents[2]
LOCAL_CONFIG = ROOT / "conf" / "local.toml"


@dataclass(frozen=True)
class Output:
    """An output folder and a session to read it with."""

    spark: SparkSession
    path: Path

    def table(self, name: str) -> DataFrame:
        return self.spark.read.parquet(str(self.path / name))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all pytest-xdist workers of this run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder that the first worker makes, and the others wait for.

    Args:
        folder: Of all workers.
        make: Is given the path.
    """
    path, made = folder / name / "out", folder / name / "made"
    path.parent.mkdir(exist_ok=True)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(path, ignore_errors=True)
            make(path)
            made.touch()
    return path


@pytest.fixture(scope="session")
def sample_warc(shared_folder: Path) -> Path:
    def make(folder: Path) -> None:
        folder.mkdir()
        build(folder / "sample.warc.gz")

    return made_once(shared_folder, "sample", make) / "sample.warc.gz"


@pytest.fixture(scope="session")
def sample_output(spark: SparkSession, sample_warc: Path, shared_folder: Path) -> Output:
    """The output of the sample; no test changes it: other workers read it too."""

    def make(output: Path) -> None:
        status = run_pipeline.main(
            [
                *("--config", str(LOCAL_CONFIG), "--input", str(sample_warc)),
                *("--output", str(output), "--set", "select.jsonl=zst", "extract.pairs=true"),
                *("--release", str(output / "release")),
                *("--release-pairs", str(output / "release_pairs")),
            ]
        )
        assert status == 0

    return Output(spark, made_once(shared_folder, "run", make))
