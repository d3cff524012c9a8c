"""Repeated n-grams: known values, a plain twin, texts that are cut in pieces."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.measures.plain_measures import dup_covered, most_covered, ratio, without_blanks
from tests.udfs.measures.published_rules import published_dup_share
from udfs.base.code_points import encode_texts
from udfs.measures import repeated_ngrams as ngrams
from udfs.measures.repeated_ngrams import DUP_SIZES, TOP_SIZES, NgramShares, ngram_shares
from udfs.measures.repetition import kept_characters


def shares(*texts: str) -> NgramShares:
    return ngram_shares(kept_characters(texts, encode_texts(texts)))


def one_text(text: str) -> dict[str, float]:
    found = shares(text)
    return {
        **{f"top {size}": float(share[0]) for size, share in found.top.items()},
        **{f"dup {size}": float(share[0]) for size, share in found.dup.items()},
    }


def test_top_is_what_one_ngram_covers() -> None:
    assert one_text("天气好，天气冷，天气热")["top 2"] == 6 / 11
    assert one_text("天气好，天气好，雨")["top 3"] == 6 / 9
    assert one_text("哈哈哈哈哈")["top 2"] == 1.0, "overlapping copies count once"
    assert one_text("天气好。")["top 4"] == 1.0, "once counts too"
    assert one_text("天气好")["top 4"] == 0.0


def test_dup_is_what_all_repeated_ngrams_cover() -> None:
    run = "一二三四五"
    assert one_text(f"{run}，{run}。")["dup 5"] == 10 / 12, "every copy, the first included"
    assert one_text(f"{run}六七{run}六八")["dup 6"] == 12 / 14
    assert one_text(f"{run}六七{run}六八")["dup 7"] == 0.0
    assert one_text("哈" * 11)["dup 10"] == 1.0
    assert one_text("哈" * 10)["dup 10"] == 0.0


def test_blanks_and_case_make_no_difference() -> None:
    assert one_text("AbCdE，a b\nc\td e") == one_text("abcde，abcde")
    assert one_text("\u3000天气好 ") == one_text("天气好")


characters = st.one_of(
    st.text("哈", max_size=40),
    st.text("哈aA b", max_size=40),
    st.text("天地玄黄，宇宙洪荒。", max_size=60),
    st.text("İΣaσς\n \t。\u3000", max_size=20),
    st.sampled_from(["一二三四五六七八九十甲乙丙丁", "一二三四五六七八九十甲乙丙", "甲乙丙", ""]),
    st.text(max_size=30),
)
texts = st.lists(characters, max_size=6).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, max_size=6))
def test_shares_equal_the_plain_twin(batch: list[str]) -> None:
    found = shares(*batch)
    for index, text in enumerate(batch):
        kept = without_blanks(text)
        for size in TOP_SIZES:
            assert found.top[size][index] == ratio(most_covered(kept, size), len(kept))
        for size in DUP_SIZES:
            assert found.dup[size][index] == ratio(dup_covered(kept, size), len(kept))
        assert found.windows.every[index] == published_dup_share(text, with_last=True)
        assert found.windows.casia[index] == published_dup_share(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=4), st.integers(1, 30))
def test_long_texts_are_searched_in_pieces(batch: list[str], piece_chars: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "PIECE_CHARS", piece_chars)
        found = shares(*batch)
    for index, text in enumerate(batch):
        kept = without_blanks(text)
        pieces = [kept[at : at + piece_chars] for at in range(0, len(kept), piece_chars)]
        for size in TOP_SIZES:
            covered = sum(most_covered(piece, size) for piece in pieces)
            assert found.top[size][index] == ratio(covered, len(kept))
        for size in DUP_SIZES:
            covered = sum(dup_covered(piece, size) for piece in pieces)
            assert found.dup[size][index] == ratio(covered, len(kept))
        assert found.windows.every[index] == published_dup_share(text, with_last=True)
        assert found.windows.casia[index] == published_dup_share(text)


def test_as_many_different_characters_as_there_are_fit() -> None:
    """Numbers of 20 bits and positions of 22 must not run into one another."""
    every = "".join(map(chr, [*range(0x21, 0xD800), *range(0xE000, 0x110000)]))
    kept = kept_characters([every * 2, every[:9]], encode_texts([every * 2, every[:9]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "PIECE_CHARS", 4 * len(every))
        found = ngram_shares(kept)
    assert found.dup[10][0] == 1.0
    assert found.dup[5][1] == 0.0
    assert 4 / kept.lengths[0] <= found.top[2][0] < 100 / kept.lengths[0]


@pytest.mark.parametrize("piece_chars", [20, ngrams.PIECE_CHARS])
def test_no_ngram_reaches_into_the_next_text(
    piece_chars: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With short pieces, texts are searched a few at a time."""
    monkeypatch.setattr(ngrams, "PIECE_CHARS", piece_chars)
    dice = random.Random(3)
    batch = ["".join(dice.choices("哈呵嘻", k=dice.randint(0, 15))) for _ in range(300)]
    together = shares(*batch)
    for index, text in enumerate(batch):
        alone = shares(text)
        for size in TOP_SIZES:
            assert together.top[size][index] == alone.top[size][0]
        for size in DUP_SIZES:
            assert together.dup[size][index] == alone.dup[size][0]


def test_no_texts() -> None:
    found = shares()
    assert {len(share) for share in (*found.top.values(), *found.dup.values())} == {0}
    assert np.array_equal(shares("", "").dup[5], [0.0, 0.0])
