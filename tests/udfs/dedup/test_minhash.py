"""MinHash against sets of slices and its plain twin; signatures stay as they are stored."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.near_duplicates import edited_text, random_text, shingles
from tests.udfs.dedup import plain_minhash as plain
from tests.udfs.dedup.plain_normalise import fold_texts, normalise_text
from udfs.dedup.minhash import (
    Shingles,
    band_keys,
    fold_column,
    shingle_hashes,
    shingle_sets,
    signatures,
    similarity,
    word_codes,
)

WIDTH = 5
few_letters = st.text(st.sampled_from("天地人"), max_size=40)


def signature_rows(texts: list[str], size: int = 112) -> np.ndarray:
    return signatures(*shingle_hashes(*fold_texts(texts), WIDTH), size)


def jaccard(one: str, other: str) -> float:
    hashes, starts, stops = shingle_sets(pa.array([one, other]), Shingles(WIDTH))
    return similarity(hashes, starts[0], stops[0], hashes, starts[1], stops[1], False)


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    values = np.concatenate([one, other]).astype(np.uint64)
    return similarity(values, 0, len(one), values, len(one), len(values), True)


@given(st.lists(few_letters, max_size=6), st.integers(1, 7))
def test_shingles_are_the_windows_of_each_text(texts: list[str], width: int) -> None:
    hashes, offsets = shingle_hashes(*fold_texts(texts), width)
    alone = [shingle_hashes(*fold_texts([text]), width)[0] for text in texts]
    assert np.diff(offsets).tolist() == [max(len(text) - width + 1, 0) for text in texts]
    assert hashes.tolist() == [value for part in alone for value in part.tolist()]


@given(few_letters, few_letters)
def test_jaccard_of_hashes_is_jaccard_of_shingles(one: str, other: str) -> None:
    found = jaccard(one, other)
    expected_left, expected_right = shingles(one, WIDTH), shingles(other, WIDTH)
    union = expected_left | expected_right
    exact = len(expected_left & expected_right) / len(union) if union else 0.0
    assert found == (exact if expected_left and expected_right else 0.0)


def test_order_of_characters_matters() -> None:
    assert jaccard("天地玄黄宇", "地天玄黄宇") == 0.0


def test_estimate_has_the_error_that_theory_gives_it() -> None:
    rng = random.Random(1)
    errors = []
    for share in (0.5, 0.8, 0.95):
        for _ in range(60):
            text = random_text(rng, 600)
            copy = edited_text(rng, text, share)
            exact = len(shingles(text) & shingles(copy)) / len(shingles(text) | shingles(copy))
            one, other = signature_rows([text, copy])
            errors.append((agreement(one, other) - exact) / (exact * (1 - exact) / 112) ** 0.5)
    assert abs(float(np.mean(errors))) < 0.3  # 180 draws: three standard errors are 0.22
    assert 0.8 < float(np.std(errors)) < 1.2


def test_signature_ignores_company_copies_and_layout() -> None:
    rng = random.Random(2)
    text, other = random_text(rng, 300), random_text(rng, 90_000)
    alone = signature_rows([text])[0]
    assert (signature_rows([other, text, other])[1] == alone).all()
    assert (signature_rows([text[:100] + "\n \u3000" + text[100:]])[0] == alone).all()


def test_equal_values_in_another_band_do_not_meet() -> None:
    values = np.tile(np.arange(8, dtype=np.uint32), 14)[None, :]
    assert len(set(band_keys(values, 14, 8)[0].tolist())) == 14


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4), st.integers(0, 3))
def test_one_changed_value_changes_its_band_alone(row: list[int], place: int) -> None:
    changed = list(row)
    changed[place] ^= 1
    before, after = band_keys(np.array([row, changed], dtype=np.uint32), 2, 2).tolist()
    assert [a == b for a, b in zip(before, after, strict=True)] == [place >= 2, place < 2]


def test_signature_never_changes() -> None:
    """Signatures are stored and compared with those of later runs."""
    values = signature_rows(["天地玄黄,宇宙洪荒。日月盈昃,辰宿列张。"], 4)
    assert values[0].tolist() == [9792374, 242310677, 140800255, 48882256]
    assert band_keys(values, 2, 2)[0].tolist() == [-1118945085785676943, -168727911193548758]


def test_hash_seed_of_the_interpreter_does_not_matter() -> None:
    code = (
        "from tests.udfs.dedup.test_minhash import signature_rows;"
        "print(signature_rows(['天地玄黄宇宙洪荒'], 4).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_normalise_is_what_is_shingled() -> None:
    text = "ＡＢＣ 天气，很好"
    assert (signature_rows([text]) == signature_rows([normalise_text(text)])).all()


any_text = st.text(st.sampled_from("天地人aÉ \u200b\U00020000，"), max_size=40)


@given(st.lists(st.one_of(st.none(), any_text, st.text(max_size=8)), max_size=6), st.integers(0, 2))
def test_columns_are_folded_as_texts_are(texts: list[str | None], skipped: int) -> None:
    column = pa.array(texts, pa.string()).slice(skipped)
    codes, offsets = fold_column(column)
    expected_codes, expected_offsets = fold_texts([text or "" for text in texts[skipped:]])
    assert codes.tolist() == expected_codes.tolist()
    assert offsets.tolist() == expected_offsets.tolist()


@given(st.lists(st.binary(max_size=6), max_size=4))
def test_bytes_that_are_no_utf8_are_replaced(texts: list[bytes]) -> None:
    codes, offsets = fold_column(pa.array(texts, pa.binary()))
    expected = fold_texts([text.decode("utf-8", "replace") for text in texts])
    assert (codes.tolist(), offsets.tolist()) == (expected[0].tolist(), expected[1].tolist())


@pytest.mark.parametrize(
    "broken",
    [
        b"\xc0\xaf",  # overlong, of two, three and four bytes
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # above the last code point
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"\xc3",  # cut, at the end of the column
        b"\xe5\xa4",
        b"\xf0\xa0\x80",
        b"\xe5a\xa9",
        b"\xe5\xa4a",
    ],
)
def test_every_kind_of_broken_utf8_is_seen(broken: bytes) -> None:
    texts = ["天地".encode() + broken, "人".encode()]
    codes, offsets = fold_column(pa.array(texts, pa.binary()))
    expected = fold_texts([text.decode("utf-8", "replace") for text in texts])
    assert (codes.tolist(), offsets.tolist()) == (expected[0].tolist(), expected[1].tolist())


@given(st.lists(any_text, max_size=5), st.integers(1, 7))
def test_windows_and_sets_are_those_of_the_plain_twin(texts: list[str], width: int) -> None:
    codes, offsets = fold_texts(texts)
    hashes, bounds = shingle_hashes(codes, offsets, width)
    plain_hashes, plain_bounds = plain.shingle_hashes(codes, offsets, width)
    assert hashes.tolist() == plain_hashes.tolist()
    assert bounds.tolist() == plain_bounds.tolist()
    hashes, starts, stops = shingle_sets(pa.array(texts, pa.string()), Shingles(width))
    found = [hashes[start:stop].tolist() for start, stop in zip(starts, stops, strict=True)]
    assert found == [one.tolist() for one in plain.shingle_sets(plain_hashes, plain_bounds)]


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=11), max_size=4))
def test_signatures_are_those_of_the_plain_twin(hashes: list[list[int]]) -> None:
    flat = np.array([value for one in hashes for value in one], dtype=np.uint64)
    offsets = np.cumsum([0, *map(len, hashes)]).astype(np.int64)
    assert signatures(flat, offsets, 9).tolist() == plain.signatures(flat, offsets, 9).tolist()


@given(
    st.lists(st.text(alphabet="aB Ｃ\u3000\n\u200bم", max_size=30), max_size=5), st.integers(1, 4)
)
def test_shingles_of_words_are_runs_of_words(texts: list[str], width: int) -> None:
    column = pa.array(texts, pa.string())
    codes, bounds = word_codes(column)
    words = [[normalise_text(word) for word in text.split()] for text in texts]
    words = [[word for word in of_text if word] for of_text in words]
    assert np.diff(bounds).tolist() == [len(of_text) for of_text in words]
    flat = [word for of_text in words for word in of_text]
    assert len(set(zip(flat, codes.tolist(), strict=True))) == len(set(flat))
    hashes, starts, stops = shingle_sets(column, Shingles(width, of_words=True))
    for number, of_text in enumerate(words):
        windows = {tuple(of_text[at : at + width]) for at in range(len(of_text) - width + 1)}
        assert len(hashes[starts[number] : stops[number]]) == len(windows)
