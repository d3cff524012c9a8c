"""Compiled functions, with and without a folder for their cache, and parts inside of them."""

from __future__ import annotations

from itertools import pairwise

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


@compiled
def _copied(source: bytes, to: int, begin: int, length: int) -> np.ndarray:
    target = np.zeros(40, dtype=np.uint8)
    copy_bytes(target, to, source, begin, length)
    return target


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
