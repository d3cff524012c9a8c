"""What hangs, and what has no room: the run goes on, or ends with a message and can go on later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pyspark
import pytest

from tests.cluster.conftest import LIMIT_S, SubmittedRun, corpus_of
from tests.cluster.test_faults import assert_nothing_is_left

pytestmark = pytest.mark.timeout(LIMIT_S)

SPARK = tuple(int(part) for part in pyspark.__version__.split(".")[:2])


@pytest.mark.skipif(SPARK < (4, 1), reason="Spark 4.0 only warns of Python workers that are idle")
def test_a_read_that_hangs_is_ended_and_tried_again(
    submit: Callable[..., SubmittedRun], sample_files: Path, undisturbed: list[str]
) -> None:
    first = min(sample_files.iterdir())
    aside = first.with_name(f".{first.name}")
    run = submit("hang", properties={"spark.python.worker.idleTimeoutSeconds": "30s"})
    try:
        run.wait_for("Running Spark version")  # the input is planned, and not yet read
        first.rename(aside)
        os.mkfifo(first)  # who opens it waits for a writer, for ever
        run.wait_for("Lost task")
        assert "idle timeout" in run.log()
    finally:
        aside.rename(first)
    assert run.finish() == 0, run.log()[-4000:]
    assert corpus_of(run.output) == undisturbed
    assert_nothing_is_left(run.output)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """The output's folder as a separate disk; the function gives it another size."""
    disk = tmp_path / "out"
    disk.mkdir()

    def mount(*options: str) -> subprocess.CompletedProcess[str]:
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(disk)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    mounted = mount("size=400k")
    if mounted.returncode != 0:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield lambda size: mount("remount", f"size={size}").check_returncode()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_is_full_ends_the_run_and_with_room_it_goes_on(
    small_disk: Callable[[str], None],
    submit: Callable[..., SubmittedRun],
    undisturbed: list[str],
) -> None:
    full = submit("full")
    assert full.finish() == 1
    assert "No space left on device" in full.log()
    small_disk("200m")
    again = submit("room", "run.lease_s=1")
    assert again.finish() == 0, again.log()[-4000:]
    assert corpus_of(again.output) == undisturbed
    assert_nothing_is_left(again.output)
