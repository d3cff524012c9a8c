"""make history serves the event log of a run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import EVENTS, LIMIT_S, SubmittedRun
from tests.jobs.conftest import ROOT

pytestmark = pytest.mark.timeout(LIMIT_S)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Callable[[Path], Callable[[str], Any]]]:
    """Starts the server on a folder; gives what asks it, and waits while it still starts."""
    servers: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "history.log"

    def serve(events: Path) -> Callable[[str], Any]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["make", "history", f"EVENTS={events}", f"PORT={port}", f"VENV={sys.prefix}"]
        with log.open("wb") as out:
            server = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )
        servers.append(server)

        def ask(path: str) -> Any:
            while server.poll() is None:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1{path}") as answer:
                        return json.load(answer)
                except OSError:
                    time.sleep(0.2)
            raise AssertionError(log.read_text(encoding="utf-8"))

        return ask

    yield serve
    for server in servers:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def test_a_run_is_served(
    reference: SubmittedRun, history: Callable[[Path], Callable[[str], Any]]
) -> None:
    ask = history(reference.output.parent / EVENTS)
    while not (runs := ask("/applications")):
        time.sleep(0.2)  # it answers before it has read the folder
    (run,) = runs
    assert run["name"] == "taojin run_pipeline"
    assert [attempt["completed"] for attempt in run["attempts"]] == [True]
    stages = ask(f"/applications/{run['id']}/stages")
    assert {"COMPLETE"} <= {stage["status"] for stage in stages} <= {"COMPLETE", "SKIPPED"}
