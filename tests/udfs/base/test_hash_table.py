"""Hash tables beside a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.base.hash_table import ABSENT, FREE, find_slot, find_value, hash_map, table_size


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60) | st.integers(1, 2**64 - 1), st.integers(0, 99))),
    st.lists(st.integers(1, 60) | st.integers(1, 2**64 - 1)),
)
def test_a_map_answers_as_a_dictionary(pairs: list[tuple[int, int]], asked: list[int]) -> None:
    keys = np.array([key for key, _ in pairs], dtype=np.uint64)
    values = np.array([value for _, value in pairs], dtype=np.int32)
    table = hash_map(keys, values)
    assert len(table[0]) >= 2 * len(pairs)
    known = dict(pairs)  # the last of a key counts
    for key in [*known, *asked, 0]:
        assert find_value(*table, np.uint64(key)) == known.get(key, ABSENT)


@settings(deadline=None)
@given(st.dictionaries(st.integers(1, 2**40 - 1), st.integers(0, 2**24 - 1)))
def test_an_entry_holds_its_value_below_the_key(known: dict[int, int]) -> None:
    entries = np.full(table_size(len(known)), FREE, dtype=np.uint64)
    for key, value in known.items():
        slot = find_slot(entries, np.uint64(key), 24)
        assert entries[slot] == FREE
        entries[slot] = np.uint64(key << 24 | value)
    for key, value in known.items():
        assert int(entries[find_slot(entries, np.uint64(key), 24)]) == key << 24 | value
