"""Run a program with all that it starts, and measure it: seconds, processor seconds, peak memory.

Processor time is that which the kernel charges for ended children. A process whose parent ends
first, as a JVM behind PySpark does, would be charged to nobody: this process adopts such orphans
and waits for them. Nor are children charged of a process that ignores SIGCHLD, as PySpark's daemon
does: they count what they had when they were last sampled. Memory is proportional set size (PSS): a
page that several processes share counts once. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.bench.dedup_cpu import stats_of

SAMPLE_SECONDS = 0.2
_ORPHAN_SECONDS = 30.0  # that orphans get to end by themselves
_SHARE_OF_TIME = 0.1  # at most, that sampling takes of one core
_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What one run of a program took, with all processes that it started."""

    status: int
    """Exit status of the program itself; negative for a signal."""
    wall: float
    """Seconds until the program itself ended."""
    cpu: float
    """Processor seconds, user and system."""
    peak_mb: float
    """Largest sum of the processes' PSS that was sampled."""


def pss_kb(rollup: str) -> int:
    """PSS of a process in kB, from the text of its ``smaps_rollup``; 0 where it states none."""
    found = re.search(r"^Pss:\s+(\d+) kB$", rollup, re.M)
    return int(found[1]) if found else 0


def sum_of_pss_mb(pids: Iterable[int], proc: Path = Path("/proc")) -> float:
    """PSS of some processes together, in MB; those that have ended count nothing."""
    kilobytes = 0
    for pid in pids:
        try:
            kilobytes += pss_kb((proc / str(pid) / "smaps_rollup").read_text(encoding="ascii"))
        except (FileNotFoundError, ProcessLookupError):  # it ended just now
            continue
    return kilobytes / 1024


def ignores_children(status: str) -> bool:
    """Whether a process ignores SIGCHLD, from the text of its ``status``."""
    found = re.search(r"^SigIgn:\s+([0-9a-f]+)$", status, re.M)
    return found is not None and bool(int(found[1], 16) >> (signal.SIGCHLD - 1) & 1)


class Uncharged:
    """Processor seconds of processes whose parents ignore that they end."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[int, str], float] = {}

    def look(self, stats: Mapping[int, Sequence[str]], ignoring: Container[int]) -> None:
        """Note what the processes have used by now.

        Args:
            stats: Process id -> fields of its ``stat`` after the name.
            ignoring: Ids of those that ignore SIGCHLD.
        """
        for pid, fields in stats.items():
            key = (pid, fields[19])  # when it started: process ids are used again
            if int(fields[1]) in ignoring:
                self._seconds[key] = sum(map(int, fields[11:15])) / _TICKS
            else:
                self._seconds.pop(key, None)

    def forget(self, pid: int) -> None:
        """Leave out a process that this one waited for: the kernel charged it."""
        keys = [key for key in self._seconds if key[0] == pid]
        if keys:
            del self._seconds[keys[-1]]

    def total(self) -> float:
        """Seconds of all of them."""
        return sum(self._seconds.values())


class Sampler:
    """Samples memory and processor time of all descendants while its block runs."""

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self.uncharged = Uncharged()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            start = time.monotonic()
            stats = _stats_of_descendants()
            parents = {int(fields[1]) for fields in stats.values()} & stats.keys()
            self.uncharged.look(stats, {pid for pid in parents if _ignores_children(pid)})
            self.peak_mb = max(self.peak_mb, sum_of_pss_mb(stats))
            pause = max(SAMPLE_SECONDS, (time.monotonic() - start) / _SHARE_OF_TIME)


def _stats_of_descendants() -> dict[int, list[str]]:
    return {pid: fields for pid, fields in stats_of().items() if pid != os.getpid()}


def _ignores_children(pid: int) -> bool:
    try:
        return ignores_children(Path(f"/proc/{pid}/status").read_text("utf-8", "replace"))
    except (FileNotFoundError, ProcessLookupError):  # it ended just now
        return False


def measure(
    command: Sequence[str], log: IO[bytes], *, cwd: Path, env: Mapping[str, str] | None = None
) -> Usage:
    """Run a program and wait for all that it started.

    No other child of this process may run meanwhile. What is still there half a minute after
    the program ended is killed.

    Args:
        log: For what the program prints.
    """
    _adopt_orphans()
    before = _children_cpu()
    start = time.monotonic()
    with Sampler() as sampler:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cwd, env=env)
        try:
            status = process.wait()
            wall = time.monotonic() - start
            reaped = _reap(_ORPHAN_SECONDS)
        except BaseException:
            process.kill()
            process.wait()
            _reap(0.0)
            raise
    for pid in reaped:
        sampler.uncharged.forget(pid)
    cpu = _children_cpu() - before + sampler.uncharged.total()
    return Usage(status, wall, cpu, sampler.peak_mb)


def _adopt_orphans() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _children_cpu() -> float:
    """Processor seconds of all children that were waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap(patience: float) -> list[int]:
    """Wait for all children, and kill them when patience (seconds) is over; their ids."""
    reaped = []
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return reaped
        if pid:
            reaped.append(pid)
            continue
        if time.monotonic() > deadline:
            for child in _stats_of_descendants():
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        time.sleep(0.02)
