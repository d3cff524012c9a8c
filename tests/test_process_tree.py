"""The measuring of a program with all its processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.bench.process_tree import pss_kb, sum_of_pss_mb

ROOT = Path(__file__).resolve().parents[1]
ROLLUP = """\
55d0c0a00000-7ffd7a1f5000 ---p 00000000 00:00 0                          [rollup]
Rss:                9000 kB
Pss:                2048 kB
Pss_Dirty:           100 kB
Pss_Anon:             90 kB
SwapPss:               7 kB
"""


def test_pss_is_read_from_its_line_alone() -> None:
    assert pss_kb(ROLLUP) == 2048
    assert pss_kb("Rss: 1 kB\nSwapPss:   7 kB\n") == 0
    assert pss_kb("") == 0  # of a process that is ending


def test_memory_of_processes_is_added_and_ended_ones_count_nothing(tmp_path: Path) -> None:
    for pid in (11, 12):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "smaps_rollup").write_text(ROLLUP, encoding="ascii")
    assert sum_of_pss_mb([11, 12, 13], tmp_path) == 4.0


ORPHAN = """
import os, sys, time
if os.fork() == 0:
    time.sleep(0.3)
    open(sys.argv[1], "w").close()
    os._exit(0)
os._exit(3)
"""
MEASURED = """
import sys
from pathlib import Path
from tests.bench.process_tree import measure

usage = measure([sys.executable, *sys.argv[1:]], sys.stderr.buffer, cwd=Path.cwd())
print(usage.status, usage.cpu > 0, usage.peak_mb > 0, Path(sys.argv[-1]).exists())
"""


def test_orphans_are_waited_for(tmp_path: Path) -> None:
    """In a separate process, as measure waits for every child that a process has."""
    command = [sys.executable, "-c", MEASURED, "-c", ORPHAN, str(tmp_path / "ended")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True", "True", "True"]
