"""Ctrl-C and SIGTERM: two lines, the exit status, no process left, and a rerun that goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs import run_pipeline
from jobs.run.store import Store
from tests.builders.spark_settings import short_run_options
from tests.jobs.conftest import LOCAL_CONFIG, ROOT

pytestmark = pytest.mark.usefixtures("spark")


def arguments(folder: Path, output: Path) -> list[str]:
    return [
        *("--config", str(LOCAL_CONFIG), "--input", str(folder), "--input-format", "jsonl"),
        *("--output", str(output), "--set", "run.wave_splits=1", "extract.languages=[]"),
        "run.allow_empty=true",
    ]


def processes_of(session: int) -> set[int]:
    """Processes of a session that run."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text(errors="replace").rpartition(")")[2].split()[:4]
        except OSError:  # it has ended just now
            continue
        if int(of) == session and state not in "ZX":
            found.add(int(path.parent.name))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(3):
        rows = (
            json.dumps({"text": f"第{number}篇第{n}段，今天天气很好。" * 30}) for n in range(20)
        )
        (folder / f"{number}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def stopped(
    folder: Path, output: Path, begun: str, number: signal.Signals, *, is_group: bool
) -> tuple[int, str]:
    """Start a run, send it a signal once a file exists; return its status and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.run_pipeline", *arguments(folder, output)],
        cwd=ROOT,
        env={**os.environ, "JDK_JAVA_OPTIONS": short_run_options()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends Ctrl-C to all processes of a group
    )
    while process.poll() is None and not list(output.glob(begun)):
        time.sleep(0.02)
    (os.killpg if is_group else os.kill)(process.pid, number)
    printed, said = process.communicate()
    for words in ("Traceback", "Exception", "Error", "py4j"):
        assert words not in said + printed
    while processes_of(process.pid):  # workers learn from Java's end that they are not needed
        time.sleep(0.02)
    assert Store.at(str(output)).list_names("_lease") == []
    return process.returncode, said


def two_lines(by: str) -> list[str]:
    return [
        f"run_pipeline: stopped by {by}",
        "what was committed stays; the same command goes on from there",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "is_group", "status", "by"),
    [
        (signal.SIGINT, True, 130, "Ctrl-C"),
        (signal.SIGTERM, False, 143, "SIGTERM"),
    ],
)
def test_a_stop_is_quiet_and_whole_and_a_rerun_goes_on(
    folder: Path, tmp_path: Path, number: signal.Signals, is_group: bool, status: int, by: str
) -> None:
    output = tmp_path / "out"
    first = "_commits/extract_documents/wave-00000.json"
    ended, said = stopped(folder, output, first, number, is_group=is_group)
    assert (ended, said.splitlines()[-2:]) == (status, two_lines(by))

    before = (output / first).read_bytes()
    assert run_pipeline.main(arguments(folder, output)) == 0
    assert (output / first).read_bytes() == before
    assert len(Store.at(str(output)).commits("extract_documents")) == 3


def test_a_java_that_is_only_starting_ends_too(folder: Path, tmp_path: Path) -> None:
    ended, said = stopped(folder, tmp_path / "out", "logs/*.log", signal.SIGINT, is_group=True)
    assert (ended, said.splitlines()[-2:]) == (130, two_lines("Ctrl-C"))
