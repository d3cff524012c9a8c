"""What happens on a cluster when machines vanish: the same corpus, and nothing left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import LIMIT_S, SubmittedRun, corpus_of

pytestmark = pytest.mark.timeout(LIMIT_S)

STAGES = (
    "extract_documents, wave 1 of 2",
    "apply_rules, wave 1 of 2",
    "find_duplicates",
    "score_documents, wave 1 of 2",
)
"""What is reported as done when the run has just begun something else."""
LOST = "Lost task"
"""What Spark says of a task whose worker went."""


def test_an_executor_dies_in_every_stage(
    submit: Callable[..., SubmittedRun], undisturbed: list[str]
) -> None:
    run = submit("executors")
    killed = set()
    for stage in STAGES:
        run.wait_for(f"{stage}: done")
        killed.update(run.kill(lambda: run.cluster.executors()[:1]))
    assert run.finish() == 0, run.log()[-4000:]
    assert len(killed) == len(STAGES)
    assert corpus_of(run.output) == undisturbed
    assert_nothing_is_left(run.output)


def test_python_workers_die_at_work(
    submit: Callable[..., SubmittedRun], undisturbed: list[str]
) -> None:
    run = submit("workers")
    for stage in STAGES[::2]:
        run.wait_for(f"{stage}: done")
        lost = run.log().count(LOST)
        while run.log().count(LOST) == lost:  # one that is idle is only replaced
            run.kill(run.cluster.python_workers)
            time.sleep(1.0)  # until it is said; a task that is lost too often ends the run
    assert run.finish() == 0, run.log()[-4000:]
    assert corpus_of(run.output) == undisturbed
    assert_nothing_is_left(run.output)


def test_the_driver_dies_and_the_run_is_started_again(
    submit: Callable[..., SubmittedRun], undisturbed: list[str]
) -> None:
    first = submit("first")
    first.wait_for("extract_documents, wave 1 of 2: done")
    os.killpg(first.process.pid, signal.SIGKILL)
    first.finish()
    second = submit("second")  # it takes over the lease of a process that is gone
    assert second.finish() == 0, second.log()[-4000:]
    assert "extract_documents, wave 1 of 2: done" not in second.log()
    assert "extract_documents, wave 2 of 2: done" in second.log()
    assert corpus_of(second.output) == undisturbed
    assert_nothing_is_left(second.output)


def assert_nothing_is_left(output: Path) -> None:
    """No temporary file of a run, a stage or a task."""
    left = [
        str(path.relative_to(output))
        for path in output.rglob("*")
        if path.name.startswith(("_temporary", ".spark-staging", "_scratch"))
        or path.suffix == ".partial"
        or path.parent.name == "_lease"
    ]
    assert left == []
