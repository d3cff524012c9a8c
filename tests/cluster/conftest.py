"""The package on a standalone cluster, and what an undisturbed run makes of the sample."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import pyarrow.dataset
import pytest

from tests.builders.standalone_cluster import StandaloneCluster, standalone_cluster
from tests.jobs.conftest import ROOT
from tests.jobs.test_bad_input import HTML, PROSE, record
from tests.sample.build_sample import deal

DIST = ROOT / "dist"
POISON = "http://example.cn/poison"
HOSTILE_FILE = "part-9.warc.gz"
EVENTS = "events"
"""Beside the output of a run that keeps an event log."""
LIMIT_S = 1_200
"""Of a test: a run takes a minute, on a busy machine several, and one that hangs takes for ever."""
SAMPLE_FILES = 3
"""With one of hostile pages, two in a wave: two waves in every stage, a task for each worker."""
HOSTILE = {
    "record_too_large": record("<html><body>" + "<p>" + "x" * 50_000_000 + "</p></body></html>"),
    "html_too_deep": record(f"<html><body>{'<div>' * 20_000}{PROSE}{'</div>' * 20_000}"),
    "http_error": record(HTML, status="404 Not Found", url=POISON),
}
"""Pages that would cost a worker its memory or its stack, and one that `test_poisoned_page` makes
deadly; each with the reason that it is not read for."""


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the sample as a mirror holds a crawl: documents have the same ids
    wherever it is read."""
    folder = tmp_path_factory.mktemp("store") / "bucket"
    files = folder / "crawl-data" / "sample"
    files.mkdir(parents=True)
    deal(files, SAMPLE_FILES)
    (files / HOSTILE_FILE).write_bytes(b"".join(HOSTILE.values()))
    return folder


@pytest.fixture(scope="session")
def sample_files(bucket: Path) -> Path:
    return bucket / "crawl-data" / "sample"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneCluster]:
    """One for all tests: each starts its own runs on it, and waits until they have ended."""
    with standalone_cluster(tmp_path_factory.mktemp("cluster")) as running:
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

    def kill(self, running: Callable[[], list[int]], limit_s: float = 120.0) -> list[int]:
        """Kill those processes that run, as soon as there is one; their ids."""
        killed: list[int] = []

        def kill() -> bool:
            for pid in running():
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            return bool(killed)

        self._until(kill, "nothing to kill", limit_s)
        return killed

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

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
        raise RuntimeError(f"{packed} is missing: make package test SUITE=cluster")
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run(["tar", "-xzf", packed, "-C", folder], check=True)
    return folder


@dataclass(frozen=True)
class Package:
    """What make package wrote, and the input."""

    environment: Path
    bucket: Path
    sample_files: Path

    def start(
        self,
        cluster: StandaloneCluster,
        name: str,
        output: Path,
        *settings: str,
        properties: Mapping[str, str] | None = None,
        inputs: Sequence[str] = (),
        crawl_root: str | None = None,
        variables: Mapping[str, str] | None = None,
        unpacks: bool = False,
        master: str | None = None,
    ) -> SubmittedRun:
        """Start the pipeline.

        Args:
            settings: Of the pipeline, as --set takes them.
            properties: Of Spark, beside those of conf/spark-cpu.conf.
            inputs: Other input than the sample.
            variables: Of the driver's environment and of the executors'.
            unpacks: Whether executors unpack the environment, as those of a cluster of machines
                do, or take the one that is unpacked.
            master: Another one than the cluster.
        """
        variables = variables or {}
        options = [
            *("--master", master or cluster.master_url),
            *("--properties-file", str(ROOT / "conf" / "spark-cpu.conf")),
            *("--conf", f"spark.pyspark.driver.python={self.environment}/bin/python"),
            *("--conf", "spark.driver.host=127.0.0.1"),
            *("--conf", "spark.executor.memory=768m"),
            *("--conf", "spark.ui.enabled=false"),
            *("--conf", "spark.sql.shuffle.partitions=2"),
        ]
        if unpacks:
            options += ["--archives", f"{DIST / 'environment.tar.gz'}#environment"]
            options += ["--conf", "spark.pyspark.python=./environment/bin/python"]
        else:
            options += ["--conf", f"spark.pyspark.python={self.environment}/bin/python"]
        in_executors = {f"spark.executorEnv.{key}": value for key, value in variables.items()}
        for key, value in {**(properties or {}), **in_executors}.items():
            options += ["--conf", f"{key}={value}"]
        arguments = [
            *("--config", str(DIST / "cluster.toml")),
            *("--input", *(inputs or [str(self.sample_files)]), "--output", str(output)),
            *("--set", "run.wave_splits=2"),
            *(f"input.crawl_root={crawl_root or self.bucket}", *settings),
        ]
        process = cluster.submit(DIST / "run_pipeline.py", arguments, options, name, variables)
        return SubmittedRun(cluster, process, name, output)


@pytest.fixture(scope="session")
def package(environment: Path, bucket: Path, sample_files: Path) -> Package:
    return Package(environment, bucket, sample_files)


@pytest.fixture(scope="session")
def reference(
    cluster: StandaloneCluster, package: Package, tmp_path_factory: pytest.TempPathFactory
) -> SubmittedRun:
    """A run that nothing disturbs, without the cluster, of the same code; it keeps an event log."""
    output = tmp_path_factory.mktemp("reference") / "out"
    events = output.parent / EVENTS
    events.mkdir()
    run = package.start(
        cluster,
        "reference",
        output,
        master="local[2]",
        properties={"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri()},
    )
    assert run.finish() == 0, run.log()[-4000:]
    return run


@pytest.fixture(scope="session")
def undisturbed(reference: SubmittedRun) -> list[str]:
    """The corpus of the reference."""
    return corpus_of(reference.output)


@pytest.fixture
def submit(
    cluster: StandaloneCluster, package: Package, tmp_path: Path
) -> Iterator[Callable[..., SubmittedRun]]:
    """Starts the pipeline on the cluster; a second start goes on where the first one ended."""
    started: list[SubmittedRun] = []

    def start(name: str, *settings: str, **more: Any) -> SubmittedRun:
        # Those of a run that was killed end a moment after it, and would be mistaken for its own.
        cluster.wait_for_no_executor()
        run = package.start(cluster, name, tmp_path / "out", *settings, **more)
        started.append(run)
        return run

    yield start
    for run in started:
        run.end()


def corpus_of(output: Path) -> list[str]:
    """The rows of a corpus as text, sorted: equal where two corpora are."""
    rows = pyarrow.dataset.dataset(output / "corpus", format="parquet").to_table().to_pylist()
    return sorted(map(repr, rows))
