"""Compiled functions, with and without a place for their code."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.jit import compiled, copy_bytes


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
