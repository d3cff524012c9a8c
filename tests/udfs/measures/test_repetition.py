"""Repeated windows, those of long texts counted a part at a time, equal the plain twin's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.measures.published_rules import published_dup_share
from udfs.base.code_points import encode_texts
from udfs.measures import repetition
from udfs.measures.repetition import kept_characters, normalise_for_windows, window_shares

run = "一二三四五六七八九十甲乙丙"
texts = st.lists(
    st.one_of(
        st.sampled_from([run, run[:7], "aΣ", "İ", " ", "\n", "\u3000", "A"]),
        st.text("哈a", max_size=30),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=4), st.integers(1, 100))
def test_window_shares_equal_the_twin(batch: list[str], held: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repetition, "HELD_WINDOWS", held)
        shares = window_shares(batch, encode_texts(batch))
    assert shares.every.tolist() == [published_dup_share(text, with_last=True) for text in batch]
    assert shares.casia.tolist() == [published_dup_share(text) for text in batch]


def test_a_part_may_have_more_than_its_share_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repetition, "HELD_WINDOWS", 1)
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 40))) * 2
    for start in range(30):
        some = text[start:]
        assert window_shares([some], encode_texts([some])).casia[0] == published_dup_share(some)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=5))
def test_kept_characters_are_those_of_the_normalised_texts(batch: list[str]) -> None:
    kept = kept_characters(batch, encode_texts(batch))
    normalised = [normalise_for_windows(text) for text in batch]
    assert kept.lengths.tolist() == [len(text) for text in normalised]
    codes = kept.codes.astype("<u4").tobytes().decode("utf-32-le")
    assert [c.lower() if c != "İ" else c for c in codes] == list("".join(normalised))
