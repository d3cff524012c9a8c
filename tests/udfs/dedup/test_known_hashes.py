"""Hashes that are near to known ones, against comparing all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup.known_hashes import HashFileError, are_known, known_hashes, read_hashes

HASH = st.integers(0, 2**64 - 1)


@given(
    st.lists(HASH, min_size=1, max_size=20, unique=True),
    st.lists(st.tuples(HASH, st.integers(0, 19), st.sets(st.integers(0, 63), max_size=7))),
    st.integers(0, 15),
)
def test_are_known_is_brute_force(
    known: list[int], made: list[tuple[int, int, set[int]]], distance: int
) -> None:
    hashes = [value for value, _, _ in made]
    for _, place, bits in made:
        hashes.append(known[place % len(known)] ^ sum(1 << bit for bit in bits))
    found = are_known(
        np.array(hashes, dtype=np.uint64), known_hashes(np.array(known, dtype=np.uint64), distance)
    )
    assert found.tolist() == [
        any((value ^ other).bit_count() <= distance for other in known) for value in hashes
    ]


def test_a_file_has_a_hash_a_line() -> None:
    lines = ["# of COCO", "", "FFFFFFFFFFFFFFFF  # 1.jpg", "000000000000000a", "000000000000000A"]
    assert read_hashes(lines, "coco.txt").tolist() == [10, 2**64 - 1]


@pytest.mark.parametrize("line", ["12", "g000000000000000", "0000000000000000 1.jpg"])
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(HashFileError, match=r"coco\.txt, line 2: .* expected 16 hexadecimal"):
        read_hashes(["0000000000000000", line], "coco.txt")


def test_a_file_without_hashes_is_an_error() -> None:
    with pytest.raises(HashFileError, match="has no hash"):
        read_hashes(["", "# none"], "coco.txt")
