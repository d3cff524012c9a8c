"""PySpark's daemon with everything loaded: started ahead, handed over, or on its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.serializers import read_int

from udfs.base.worker_daemon import DAEMON, MODULES, daemon_ahead

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks with libraries loaded")

MODULE = "udfs.base.hash_table"
VARIABLES = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "SPARK_REUSE_WORKER": "1"}


@contextmanager
def launched(**variables: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A daemon as Java launches it, and the port that it prints; its input ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", DAEMON, "pyspark.worker"],
        env={**os.environ, **VARIABLES, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        try:
            yield launcher, read_int(launcher.stdout)
        finally:
            launcher.stdin.close()
            launcher.wait(timeout=20)


def parent_of_worker(port: int) -> int:
    """Let a daemon fork a worker, and return the process that did."""
    with socket.create_connection(("127.0.0.1", port)) as worker:
        stat = Path(f"/proc/{read_int(worker.makefile('rb'))}/stat").read_text(encoding="ascii")
    return int(stat.rpartition(")")[2].split()[1])


@pytest.fixture(autouse=True)
def _spark_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_the_first_launch_has_the_daemon_that_was_started_ahead() -> None:
    with daemon_ahead(sys.executable, [MODULE]):
        with launched() as (first, port), launched() as (second, other_port):
            assert parent_of_worker(port) != first.pid
            assert parent_of_worker(other_port) == second.pid
            assert first.poll() is None
        assert first.returncode == 0
        with launched() as (third, port):
            assert parent_of_worker(port) == third.pid


def test_a_launch_of_another_hash_seed_is_a_daemon_of_its_own() -> None:
    with daemon_ahead(sys.executable, [MODULE]), launched(PYTHONHASHSEED="7") as (launcher, port):
        assert parent_of_worker(port) == launcher.pid


def test_a_daemon_that_nobody_asks_for_ends_with_the_block(
    capfd: pytest.CaptureFixture[str],
) -> None:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    others = set(children.read_text(encoding="ascii").split())
    with daemon_ahead(sys.executable, [MODULE]):
        ahead = set(children.read_text(encoding="ascii").split()) - others
        assert ahead
    assert not ahead & set(children.read_text(encoding="ascii").split())
    assert capfd.readouterr().err == ""


def test_a_module_that_cannot_be_loaded_is_left_to_the_workers(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with launched(**{MODULES: f"{MODULE},udfs.absent"}) as (launcher, port):
        assert parent_of_worker(port) == launcher.pid
    assert capfd.readouterr().err.startswith(
        "worker daemon: ModuleNotFoundError: No module named 'udfs.absent'\n"
    )


def test_without_a_socket_nothing_is_started_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with daemon_ahead(sys.executable, [MODULE]), launched() as (launcher, port):
        assert parent_of_worker(port) == launcher.pid
