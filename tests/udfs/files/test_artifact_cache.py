"""Many processes and one cache: a file is fetched once, and no process reads half of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from udfs.files.artifact_cache import cached_copy, machine_folder

WHOLE = b"0123456789" * 200_000
PROCESSES = 6


def slow_fetch(target: Path) -> None:
    """Writes in pieces, and one line to the log for each time that it is called."""
    with (target.parent.parent / "log").open("a") as log:
        log.write("fetched\n")
    with target.open("wb") as file:
        for start in range(0, len(WHOLE), len(WHOLE) // 10):
            file.write(WHOLE[start : start + len(WHOLE) // 10])
            file.flush()
            time.sleep(0.02)


def take(folder: str, begin: Barrier, results: multiprocessing.Queue[int]) -> None:
    begin.wait()
    results.put(len(cached_copy(Path(folder), "model.bin", slow_fetch).read_bytes()))


def hang(folder: str) -> None:
    def fetch(target: Path) -> None:
        target.write_bytes(WHOLE[:10])
        time.sleep(60)

    cached_copy(Path(folder), "model.bin", fetch)


def test_processes_that_want_a_file_at_once_fetch_it_once_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    begin = context.Barrier(PROCESSES)
    processes = [
        context.Process(target=take, args=(str(folder), begin, results)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    sizes = [results.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    assert sizes == [len(WHOLE)] * PROCESSES
    assert (folder / "log").read_text() == "fetched\n"
    assert sorted(path.name for path in folder.iterdir()) == [".model.bin.lock", "log", "model.bin"]


def test_a_process_that_is_killed_while_fetching_blocks_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=hang, args=(str(folder),))
    process.start()
    while not list(folder.glob(".model.bin.partial-*/model.bin")):
        time.sleep(0.02)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert not (folder / "model.bin").exists()
    assert cached_copy(folder, "model.bin", slow_fetch).read_bytes() == WHOLE
    assert list(folder.glob(".model.bin.partial-*")) == []


def test_a_fetch_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def fetch(target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        cached_copy(tmp_path, "model.bin", fetch)
    assert [path.name for path in tmp_path.iterdir()] == [".model.bin.lock"]


def test_without_a_home_there_is_a_folder_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert machine_folder() == tmp_path / "home" / "taojin"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert machine_folder() == tmp_path / f"taojin-{os.getuid()}"
    monkeypatch.setattr("os.getuid", lambda: 4242)
    (tmp_path / "taojin-4242").mkdir()
    with pytest.raises(PermissionError, match="another user"):
        machine_folder()
