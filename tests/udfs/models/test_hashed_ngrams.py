"""Models of hashed n-grams: their n-grams, scores and files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.models.fasttext_file import ModelFileError
from udfs.models.hashed_ngrams import (
    HashedModel,
    count_ngrams,
    quantised,
    read_hashed_model,
    write_hashed_model,
)

LINES = st.lists(st.lists(st.text("abيا9", min_size=1, max_size=7), max_size=5).map(" ".join))
MASK = (1 << 64) - 1


def plain_bucket(ngram: str, buckets: int) -> int:
    hashed = 0
    for character in ngram:
        hashed = (hashed ^ (ord(character) + 1)) & MASK
        hashed = ((hashed ^ (hashed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        hashed = ((hashed ^ (hashed >> 27)) * 0x94D049BB133111EB) & MASK
        hashed ^= hashed >> 31
    return hashed % buckets


def plain_ngrams(line: str, least: int, most: int) -> list[str]:
    """Every run of a word between blanks that begins before its last blank."""
    found = []
    for word in line.split():
        padded = f" {word} "
        for first in range(len(padded) - 1):
            stops = range(first + least, min(first + most, len(padded)) + 1)
            found += [padded[first:stop] for stop in stops]
    return found


def model(buckets: int = 64, least: int = 2, most: int = 4) -> HashedModel:
    weights = np.random.default_rng(5).integers(-127, 128, buckets).astype(np.int8)
    return HashedModel(("aeb_Arab",), least, most, 0.25, {"prior": 3.0}, weights)


@given(LINES)
def test_counts_are_those_of_a_plain_twin(lines: list[str]) -> None:
    found = count_ngrams(lines, 2, 4, 64)
    counts = Counter(plain_bucket(n, 64) for line in lines for n in plain_ngrams(line, 2, 4))
    assert {bucket: count for bucket, count in enumerate(found.tolist()) if count} == counts


@given(LINES, st.sampled_from([0.0, 3.0]))
def test_a_score_is_the_mean_weight_of_a_lines_ngrams(lines: list[str], prior: float) -> None:
    ours = model()
    for line, score in zip(lines, ours.scores(lines, prior), strict=True):
        ngrams = plain_ngrams(line, 2, 4)
        total = sum(int(ours.weights[plain_bucket(ngram, 64)]) for ngram in ngrams)
        assert score == pytest.approx(0.25 * total / max(len(ngrams) + prior, 1))


def test_a_file_gives_the_model_back(tmp_path: Path) -> None:
    path = tmp_path / "a.hn"
    write_hashed_model(path, model())
    found = read_hashed_model(path)
    assert found.weights.tolist() == model().weights.tolist()
    assert (found.labels, found.scale, found.numbers) == (("aeb_Arab",), 0.25, {"prior": 3.0})


def test_weights_are_rounded_to_signed_bytes() -> None:
    weights, scale = quantised(np.array([-2.0, 0.0, 0.5, 1.0]))
    assert weights.tolist() == [-127, 0, 32, 64]
    assert np.abs(weights * scale - [-2.0, 0.0, 0.5, 1.0]).max() <= scale / 2


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "is no model": b"another file",
        "expected version 1": content[:8] + b"\x02" + content[9:],
        "power of two": content[:-1],
        "cannot be read": content.replace(b'"labels"', b'"label_"'),
        "expected 1 to 8": content.replace(b'"max_ngram": 4', b'"max_ngram": 9'),
        "not finite": content.replace(b'"scale": 0.25', b'"scale":  NaN'),
    }


@pytest.mark.parametrize("said", list(damaged(b"")))
def test_a_damaged_file_is_named(tmp_path: Path, said: str) -> None:
    path = tmp_path / "a.hn"
    write_hashed_model(path, model())
    path.write_bytes(damaged(path.read_bytes())[said])
    with pytest.raises(ModelFileError, match=rf"a\.hn: .*{said}"):
        read_hashed_model(path)
