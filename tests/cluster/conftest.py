"""The package on a standalone cluster, and what an undisturbed run makes of the sample."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pyarrow.dataset
import pytest

from jobs import run_pipeline
from tests.builders.standalone_cluster import StandaloneCluster, standalone_cluster
from tests.jobs.conftest import LOCAL_CONFIG, ROOT
from tests.sample.build_sample import deal

DIST = ROOT / "dist"
LIMIT_S = 1_200
"""Of a test: a run takes a minute, on a busy machine several, and one that hangs takes for ever."""
FILES = 6
"""Input files of the sample, two in a wave: three waves in every stage."""


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the sample as a mirror holds a crawl: documents have the same ids
    wherever it is read."""
    folder = tmp_path_factory.mktemp("store") / "bucket"
    files = folder / "crawl-data" / "sample"
    files.mkdir(parents=True)
    deal(files, FILES)
    return folder


@pytest.fixture(scope="session")
def sample_files(bucket: Path) -> Path:
    return bucket / "crawl-data" / "sample"


@pytest.fixture(scope="session")
def undisturbed(
    bucket: Path, sample_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The corpus of a run on this machine alone."""
    output = tmp_path_factory.mktemp("undisturbed")
    arguments = ["--config", str(LOCAL_CONFIG), "--input", str(sample_files)]
    arguments += ["--output", str(output), "--set", f"input.crawl_root={bucket}"]
    assert run_pipeline.main(arguments) == 0
    return corpus_of(output)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[StandaloneCluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with standalone_cluster(folder) as running:
        yield running


@dataclass
class SubmittedRun:
    """A pipeline over the sample, started on a cluster from what make package wrote."""

    cluster: StandaloneCluster
    process: Popen[bytes]
    name: str
    output: Path

    def wait_for(self, text: str, limit_s: float = 300.0) -> None:
        """Until it has written a text; an error if it ends before."""
        self._until(lambda: text in self.log(), f"{text!r} not seen", limit_s)

    def finish(self, limit_s: float = 600.0) -> int:
        """Its exit status."""
        self._until(lambda: self.process.poll() is not None, "still runs", limit_s, ends=True)
        return self.process.returncode

    def kill_one(self, running: Callable[[], list[int]], limit_s: float = 120.0) -> int:
        """Kill one of the processes that run, as soon as there is one; its id."""
        killed: list[int] = []

        def kill() -> bool:
            for pid in running()[:1]:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            return bool(killed)

        self._until(kill, "nothing to kill", limit_s)
        return killed[0]

    def log(self) -> str:
        return self.cluster.log(self.name)

    def _until(
        self, is_so: Callable[[], bool], problem: str, limit_s: float, ends: bool = False
    ) -> None:
        deadline = time.monotonic() + limit_s
        while not is_so():
            if time.monotonic() > deadline or (not ends and self.process.poll() is not None):
                raise AssertionError(f"{self.name}: {problem}:\n{self.log()[-4000:]}")
            time.sleep(0.05)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed environment, unpacked."""
    packed = DIST / "environment.tar.gz"
    if not packed.exists():
        raise RuntimeError("these tests run what make package writes: make test-cluster")
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run(["tar", "-xzf", packed, "-C", folder], check=True)
    return folder


@pytest.fixture
def submit(
    cluster: StandaloneCluster, environment: Path, bucket: Path, sample_files: Path, tmp_path: Path
) -> Callable[..., SubmittedRun]:
    """Starts the pipeline; a second start goes on where the first one ended."""
    output = tmp_path / "out"

    def start(
        name: str,
        *settings: str,
        properties: Mapping[str, str] | None = None,
        inputs: str = str(sample_files),
        crawl_root: str = str(bucket),
        output_uri: str = str(output),
        variables: Mapping[str, str] | None = None,
        unpacks: bool = False,
    ) -> SubmittedRun:
        """Variables are those of the driver's environment and of the executors'. Executors unpack
        the environment, or take the one that is unpacked: where it is new, functions are compiled
        in it first, which takes longer than all else."""
        variables = variables or {}
        options = [
            *("--properties-file", str(ROOT / "conf" / "spark-cpu.conf")),
            *("--conf", f"spark.pyspark.driver.python={environment}/bin/python"),
            *("--conf", "spark.driver.host=127.0.0.1"),
            *("--conf", "spark.executor.memory=768m"),
            *("--conf", "spark.ui.enabled=false"),
            *("--conf", "spark.sql.shuffle.partitions=4"),
        ]
        if unpacks:
            options += ["--archives", f"{DIST / 'environment.tar.gz'}#environment"]
            options += ["--conf", "spark.pyspark.python=./environment/bin/python"]
        else:
            options += ["--conf", f"spark.pyspark.python={environment}/bin/python"]
        in_executors = {f"spark.executorEnv.{key}": value for key, value in variables.items()}
        for key, value in {**(properties or {}), **in_executors}.items():
            options += ["--conf", f"{key}={value}"]
        arguments = [
            *("--config", str(DIST / "cluster.toml")),
            *("--input", inputs, "--output", output_uri),
            *("--set", "run.wave_splits=2", f"input.crawl_root={crawl_root}", *settings),
        ]
        process = cluster.submit(DIST / "run_pipeline.py", arguments, options, name, variables)
        return SubmittedRun(cluster, process, name, output)

    return start


def corpus_of(output: Path) -> list[str]:
    """The rows of a corpus as text, sorted: equal where two corpora are."""
    rows = pyarrow.dataset.dataset(output / "corpus", format="parquet").to_table().to_pylist()
    return sorted(map(repr, rows))
