"""Compiled functions, with and without a folder for their cache, and parts inside of them."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.jit import compiled, copy_bytes, inlined, uncounted


def test_without_a_place_for_a_cache() -> None:
    names: dict[str, object] = {}
    exec("def twice(number):\n    return 2 * number", names)
    twice = names["twice"]
    assert callable(twice)
    assert compiled(twice)(21) == 42


LOADS = """
from module import twice
from udfs.base.jit import load_cached_loops
count = load_cached_loops()
twice(21), twice(21.5)
print(count, sum(twice.stats.cache_hits.values()), sum(twice.stats.cache_misses.values()))
"""


def test_code_on_disk_is_loaded_before_it_is_called(tmp_path: Path) -> None:
    """Two types of arguments have code in the second process; a changed file has none."""
    module = tmp_path / "module.py"
    text = "from udfs.base.jit import compiled\n@compiled\ndef twice(number):\n    return {}"
    found = []
    for source in ("number * 2", "number * 2", "number * 3"):
        if not module.exists() or source not in module.read_text(encoding="utf-8"):
            module.write_text(text.format(source), encoding="utf-8")
        command = [sys.executable, "-c", f"import sys; sys.path.append({str(tmp_path)!r}){LOADS}"]
        run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
        found.append(run.stdout.split())
    assert found == [["0", "0", "2"], ["2", "2", "0"], ["0", "0", "2"]]


@compiled
def _copied(source: bytes, to: int, begin: int, length: int) -> np.ndarray:
    target = np.zeros(40, dtype=np.uint8)
    copy_bytes(target, to, source, begin, length)
    return target


SUMS = """
def total(a, b, is_double=False):
    return 2 * (a + b) if is_double else a + b

def totals(number):
    return total(number, 3) + total(5, 7, True) + total(number, b=11, is_double=number > 2)
"""


def test_constants_are_numbers_of_their_type() -> None:
    """Calls with constants share the code of calls with numbers, but for those with a default."""
    names: dict[str, Any] = {}
    exec(SUMS, names)  # without a file, so that no code on disk takes the place of compiling
    total = names["total"] = compiled(names["total"])
    totals = compiled(names["totals"])
    assert [totals(number) for number in (2, 4)] == [5 + 24 + 13, 7 + 24 + 30]
    signatures = {str(of) for of in total.signatures}
    assert signatures == {"(int64, int64, omitted(default=False))", "(int64, int64, bool)"}


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=20), *[st.integers(0, 20)] * 2, st.data())
def test_bytes_are_copied(source: bytes, to: int, begin: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 20 - begin))
    expected = bytearray(40)
    expected[to : to + length] = source[begin : begin + length]
    assert _copied(source, to, begin, length).tobytes() == bytes(expected)


@inlined
def _run_end(values: np.ndarray, at: int) -> tuple[int, bool]:
    first = values[at]
    while at < len(values):
        if values[at] != first:
            return at, False
        at += 1
    return at, True


@compiled
def _runs(values: np.ndarray) -> int:
    values = uncounted(values)
    count = at = 0
    is_last = False
    while not is_last:
        at, is_last = _run_end(values, at)
        count += 1
    return count


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=30))
def test_a_part_is_compiled_into_its_caller(values: list[int]) -> None:
    expected = 1 + sum(one != two for one, two in pairwise(values))
    assert _runs(np.array(values, dtype=np.uint8)) == expected
