"""CPU time and memory of a process with all that it started: a JVM, its Python workers.

Needs nothing but Linux and Python, so that it runs in the environment of any peer.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

ROLES = ("driver", "jvm", "workers")
_TICKS = os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(root: int | None = None) -> float:
    """CPU seconds of a process and its descendants, those included that have ended.

    A process that ended counts in the parent that waited for it, as every shell's ``time`` has
    it; PySpark's daemon waits for none of its workers (see RoleMeter). Resolution: a clock tick,
    10 ms.
    """
    ticks = sum(sum(map(int, fields[11:15])) for _, fields in _tree(root or os.getpid()))
    return ticks / _TICKS


def cpu_seconds_by_name(root: int | None = None) -> dict[str, float]:
    """The same by the name of the process: java, python3."""
    seconds: dict[str, float] = {}
    for (_, name), fields in _tree(root or os.getpid()):
        seconds[name] = seconds.get(name, 0.0) + sum(map(int, fields[11:15])) / _TICKS
    return seconds


def tree_of(root: int | None = None) -> dict[int, str]:
    """Process id -> name of a process and its descendants that are there."""
    return {pid: name for (pid, name), _ in _tree(root or os.getpid())}


def stats_of(root: int | None = None) -> dict[int, list[str]]:
    """Process id -> fields of /proc/PID/stat after the name, of a process and its descendants."""
    return {pid: fields for (pid, _), fields in _tree(root or os.getpid())}


def peak_mb(pid: int) -> float:
    """Most resident memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes[1]) / 1024 if kilobytes else 0.0


class RoleMeter:
    """CPU seconds of the processes of a Spark application under a local master, by role.

    ``driver`` is the root, a Python process; ``jvm`` the Java process that it starts; ``workers``
    the Python processes that Java starts. PySpark's daemon ignores SIGCHLD, so that the kernel
    charges nobody for workers that ended, and Spark ends those that are idle for a minute: here a
    process that ended keeps what it had when it was last looked at. A thread looks in intervals
    while the block runs; processes that live for less are missed.
    """

    def __init__(self, root: int | None = None, interval: float = 0.25) -> None:
        self._root = root or os.getpid()
        self._interval = interval
        self._seen: dict[tuple[int, str], tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_in_intervals, daemon=True)

    def __enter__(self) -> RoleMeter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def seconds(self) -> dict[str, float]:
        """Role -> seconds until now."""
        with self._lock:
            self._look()
            total = dict.fromkeys(ROLES, 0.0)
            for role, seconds in self._seen.values():
                total[role] += seconds
            return total

    def _look_in_intervals(self) -> None:
        while not self._ended.wait(self._interval):
            with self._lock:
                self._look()

    def _look(self) -> None:
        processes = [(pid, name, fields) for (pid, name), fields in _tree(self._root)]
        roles = roles_of(self._root, {pid: (name, int(f[1])) for pid, name, f in processes})
        for pid, _, fields in processes:
            key = (pid, fields[19])  # when it started: process ids are used again
            # Of now: what the launcher's process becomes is Java.
            self._seen[key] = (roles[pid], sum(map(int, fields[11:13])) / _TICKS)


def memory_by_role(root: int | None = None) -> dict[str, float]:
    """Proportional resident MB of the processes of a Spark application, by role.

    Memory that workers share since they were forked is divided among them (PSS).
    """
    root = root or os.getpid()
    processes = {pid: (name, int(fields[1])) for (pid, name), fields in _tree(root)}
    megabytes = dict.fromkeys(ROLES, 0.0)
    for pid, role in roles_of(root, processes).items():
        megabytes[role] += _pss_mb(pid)
    return megabytes


def roles_of(root: int, processes: Mapping[int, tuple[str, int]]) -> dict[int, str]:
    """Process id -> driver, jvm or workers.

    Args:
        processes: Process id -> name and parent, of the root and its descendants.
    """
    roles: dict[int, str] = {}
    for pid in processes:
        path, at = [], pid
        while at != root and at in processes:  # a parent may have ended just now
            name, parent = processes[at]
            path.append(name)
            at = parent
        if "java" not in path:
            roles[pid] = "driver"
        else:
            roles[pid] = "jvm" if path[0] == "java" else "workers"
    return roles


def _pss_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # it ended just now
        return 0.0
    kilobytes = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(kilobytes[1]) / 1024 if kilobytes else 0.0


def _tree(root: int) -> Iterator[tuple[tuple[int, str], list[str]]]:
    """((pid, name), fields of /proc/PID/stat after the name) of a process and its descendants."""
    found: dict[int, tuple[str, list[str]]] = {}
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            line = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):  # it ended just now
            continue
        head, _, tail = line.rpartition(")")  # a name may hold blanks and brackets
        fields = tail.split()
        found[int(folder.name)] = (head.partition("(")[2], fields)
        children.setdefault(int(fields[1]), []).append(int(folder.name))
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in found:
            name, fields = found[pid]
            yield (pid, name), fields
        waiting += children.get(pid, [])
