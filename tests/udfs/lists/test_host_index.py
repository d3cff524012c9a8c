"""The compact map of host names."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from udfs.lists.host_lists import HostIndex

names = st.text("ab.cn汉", max_size=4)


@given(st.lists(st.tuples(names, st.sampled_from("pqr")), max_size=12), names)
def test_it_is_a_dictionary(entries: list[tuple[str, str]], other: str) -> None:
    index = HostIndex()
    for name, category in entries:
        index.add(name, category)
    index.freeze()
    expected = dict(entries)
    assert len(index) == len(expected)
    assert {name: index.get(name) for name in [*expected, other]} == {
        name: expected.get(name) for name in [*expected, other]
    }


def test_one_hash_alone_is_not_believed() -> None:
    with mock.patch("udfs.lists.host_lists.hash", lambda name: ord(name[0]), create=True):
        index = HostIndex()
        index.add("ab", "p")
        index.freeze()
        assert (index.get("ab"), index.get("ac")) == ("p", None)
