"""CPU time and memory of a process with all that it started: a JVM, its Python workers.

Needs nothing but Linux and Python, so that it runs in the environment of any peer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(root: int | None = None) -> float:
    """CPU seconds of a process and its descendants, those included that have ended.

    A process that ended counts in the parent that waited for it, as every shell's ``time`` has
    it. Resolution: a clock tick, 10 ms.
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


def peak_mb(pid: int) -> float:
    """Most resident memory that a process ever had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    kilobytes = re.search(r"VmHWM:\s+(\d+) kB", status)
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
