"""The measuring of a program with all its processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.bench.process_tree import Uncharged, ignores_children, pss_kb, sum_of_pss_mb

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


def stat(parent: int, ticks: int, started: str = "70") -> list[str]:
    """Fields of a process's stat after its name, with ticks in user mode."""
    fields = ["0"] * 40
    fields[1], fields[11], fields[19] = str(parent), str(ticks), started
    return fields


def test_whether_sigchld_is_ignored() -> None:
    assert ignores_children("SigIgn:\t0000000000010000\nSigCgt:\t0000000000000000\n")
    assert not ignores_children("SigIgn:\t0000000001001000\nSigCgt:\t0000000000010000\n")
    assert not ignores_children("")


def test_children_of_who_ignores_them_keep_what_they_had() -> None:
    second = os.sysconf("SC_CLK_TCK")
    found = Uncharged()
    found.look({5: stat(1, second), 6: stat(5, second), 7: stat(5, second)}, ignoring={5})
    assert found.total() == 2.0
    found.look({5: stat(1, second), 6: stat(5, 3 * second)}, ignoring={5})  # 7 has ended
    assert found.total() == 4.0
    found.look({6: stat(1, 3 * second)}, ignoring=set())  # an orphan: its new parent waits for it
    assert found.total() == 1.0
    found.forget(7)
    found.forget(8)
    assert found.total() == 0.0


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    second = os.sysconf("SC_CLK_TCK")
    found = Uncharged()
    found.look({6: stat(5, second, "70")}, ignoring={5})
    found.look({6: stat(5, 2 * second, "90")}, ignoring={5})
    assert found.total() == 3.0


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


IGNORED = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 1.5:
        pass
    time.sleep(3)
    os._exit(0)
try:
    os.wait()
except ChildProcessError:
    pass
"""
MEASURED_CPU = """
import sys
from pathlib import Path
from tests.bench.process_tree import measure

usage = measure([sys.executable, *sys.argv[1:]], sys.stderr.buffer, cwd=Path.cwd())
print(usage.cpu > 1.2)
"""


def test_processor_time_that_the_kernel_charges_to_nobody_counts() -> None:
    command = [sys.executable, "-c", MEASURED_CPU, "-c", IGNORED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_orphans_are_waited_for(tmp_path: Path) -> None:
    """In a separate process, as measure waits for every child that a process has."""
    command = [sys.executable, "-c", MEASURED, "-c", ORPHAN, str(tmp_path / "ended")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "True", "True", "True"]
