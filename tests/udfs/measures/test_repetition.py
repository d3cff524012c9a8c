"""Windows of long texts, which are counted a part at a time."""

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
@given(texts, st.integers(1, 40), st.integers(1, 40))
def test_long_texts_have_the_shares_of_the_twin(text: str, held: int, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repetition, "LONG_CHARS", 12)
        patch.setattr(repetition, "_HELD_WINDOWS", held)
        patch.setattr(repetition, "_BLOCK_CHARS", block)
        shares = window_shares([text], encode_texts([text]))
    assert shares.every[0] == published_dup_share(text, with_last=True)
    assert shares.casia[0] == published_dup_share(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=5))
def test_kept_characters_are_those_of_the_normalised_texts(batch: list[str]) -> None:
    kept = kept_characters(batch, encode_texts(batch))
    normalised = [normalise_for_windows(text) for text in batch]
    assert kept.lengths.tolist() == [len(text) for text in normalised]
    codes = kept.codes.astype("<u4").tobytes().decode("utf-32-le")
    assert [c.lower() if c != "İ" else c for c in codes] == list("".join(normalised))
