"""Han ideographs are counted exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.base.han import han_ideographs

PLAIN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
STRETCHES = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("plain", 0), ("été", 0), ("中文", 2), ("𠮷野家", 3), ("㐀鿿豈", 3),
        ("〇々ー、。「」", 0), ("ひらがなカタカナ한글", 0), ("⺀⼀ㄅ", 0), ("😀中", 1),
        ("\ud840中\udfff", 1),
    ],
)  # fmt: skip
def test_what_counts(text: str, count: int) -> None:
    assert han_ideographs(text) == count


@pytest.mark.parametrize(("first", "last"), STRETCHES)
def test_the_ends_of_each_stretch(first: int, last: int) -> None:
    counts = [han_ideographs(chr(code)) for code in (first - 1, first, last, last + 1)]
    assert counts == [0, 1, 1, 0]


def test_every_code_point() -> None:
    everything = "".join(map(chr, range(0x110000)))
    assert han_ideographs(everything) == sum(last + 1 - first for first, last in STRETCHES)


@given(st.text(max_size=50))
def test_the_same_as_a_regular_expression(text: str) -> None:
    assert han_ideographs(text) == len(PLAIN.findall(text))
