"""A standalone Spark cluster of processes on this machine: a master, workers, their executors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from tests.builders.spark_settings import short_run_options

SPARK_HOME = Path(pyspark.__file__).parent
_MASTER_URL = re.compile(r"spark://127\.0\.0\.1:\d+")
_REGISTERED = "Successfully registered with master"
_START_S = 180.0  # a second on an idle machine


class ClusterFailed(RuntimeError):
    """A daemon did not start; the message ends with its log."""


@dataclass
class StandaloneCluster:
    """A running cluster."""

    folder: Path
    """Logs and the executors' own files."""
    master_url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def submit(
        self,
        script: Path,
        arguments: Sequence[str],
        options: Sequence[str] = (),
        name: str = "run",
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start spark-submit; its output goes to NAME.log of the folder.

        Args:
            options: Of spark-submit; --master is this cluster's `master_url`, or another one.
            variables: Added to the driver's environment; executors have the workers'.
        """
        command = [SPARK_HOME / "bin" / "spark-submit", *options, script, *arguments]
        return self._start(command, name, variables)

    def executors(self) -> list[int]:
        """Process ids of the running executors."""
        backend = b"org.apache.spark.executor.CoarseGrainedExecutorBackend"
        return [pid for pid in _processes() if backend in _command(pid) and self._is_here(pid)]

    def wait_for_no_executor(self) -> None:
        """Until those of runs that have ended have ended as well."""
        deadline = time.monotonic() + _START_S
        while running := self.executors():
            if time.monotonic() > deadline:
                raise ClusterFailed(f"executors of an ended run still run: {running}")
            time.sleep(0.1)

    def python_workers(self) -> list[int]:
        """Process ids of the Python processes that executors have started: what forks the workers
        behind the workers, so that each can be reached when all are killed one by one."""
        parents = set(self.executors())
        found: list[int] = []
        while children := [pid for pid in _children(parents) if pid not in found]:
            found += children
            parents = set(children)
        return [pid for pid in reversed(found) if b"pyspark" in _command(pid)]

    def _is_here(self, pid: int) -> bool:
        """Whether a process works in this cluster's folder, as executors do."""
        try:
            return Path(f"/proc/{pid}/cwd").resolve().is_relative_to(self.folder)
        except OSError:
            return False  # it has ended meanwhile

    def log(self, name: str) -> str:
        """What a process has written."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def _start(
        self, command: Sequence[object], name: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                list(map(str, command)),
                stdout=log,
                stderr=log,
                env={**_environment(), **(variables or {})},
                cwd=self.folder,
                start_new_session=True,  # so that all it starts can be ended with it
            )
        self.processes.append(process)
        return process

    def _wait_for(self, pattern: re.Pattern[str], name: str) -> str:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if found := pattern.search(self.log(name)):
                return found[0]
            time.sleep(0.1)
        raise ClusterFailed(f"{name} did not start:\n{self.log(name)[-2000:]}")

    def stop(self) -> None:
        """End all processes that it has started, and those that they have started."""
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def standalone_cluster(
    folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g"
) -> Iterator[StandaloneCluster]:
    """A cluster for the time of the block.

    Args:
        folder: An empty one; its path tells the executors of this cluster from others.
        cores: Of each worker.
        memory: Of each worker, for the Java part of its executors.
    """
    cluster = StandaloneCluster(folder, "")
    spark_class = SPARK_HOME / "bin" / "spark-class"
    local = ("--host", "127.0.0.1", "--webui-port", "0")
    try:
        master = "org.apache.spark.deploy.master.Master"
        cluster._start([spark_class, master, *local, "--port", "0"], "master")
        cluster.master_url = cluster._wait_for(_MASTER_URL, "master")
        worker = "org.apache.spark.deploy.worker.Worker"
        size = ("--cores", str(cores), "--memory", memory)
        for number in range(workers):
            place = ("--work-dir", str(folder / f"worker-{number}"))
            command = [spark_class, worker, *local, *size, *place, cluster.master_url]
            cluster._start(command, f"worker-{number}")
        for number in range(workers):
            cluster._wait_for(re.compile(_REGISTERED), f"worker-{number}")
        yield cluster
    finally:
        cluster.stop()


def _environment() -> Mapping[str, str]:
    """Of this process, without what a test session's own Spark has left in it, and without a
    proxy: every request is to this machine."""
    others = ("PYSPARK_", "SPARK_", "AWS_")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(others) and not name.lower().endswith("_proxy")
    }
    inherited.pop("PYTHONPATH", None)
    return inherited | {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": short_run_options(),
    }


def _processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _children(parents: set[int]) -> list[int]:
    return [pid for pid in _processes() if _parent(pid) in parents]


def _parent(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0  # it has ended meanwhile
    return int(status.rsplit(")", 1)[1].split()[1])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it has ended meanwhile
