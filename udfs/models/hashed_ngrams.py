"""Linear models over hashed n-grams of the characters of words, one weight of a byte for a bucket.

An n-gram never crosses a word, but has the blanks around it: of a word in blanks every run of
``min_ngram`` to ``max_ngram`` characters is one. A text's score is the mean of the weights of its
n-grams. Different n-grams of one bucket share a weight.

A file is little-endian: a header (magic, version, length of the settings), the settings as JSON,
and a signed byte for each bucket, in units of ``scale``.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float64Array, Int64Array, UInt32Array
from udfs.base.code_points import encode_texts
from udfs.base.jit import compiled
from udfs.models.fasttext_file import ModelFileError

MOST_BITS = 22
"""Most bits of a bucket's number."""
MOST_CHARS = 8
"""Longest n-gram."""

_MAGIC = b"TAOJINHN"
_VERSION = 1
_HEAD = struct.Struct("<8s2I")
_MOST_SETTINGS = 1 << 16
_MOST_WEIGHT = 127
_BLANK = 32


@dataclass(frozen=True)
class HashedModel:
    """A model as its file has it."""

    labels: tuple[str, ...]
    """What the model says yes to, one for each script that its n-grams are of."""
    min_ngram: int
    max_ngram: int
    """Characters of the shortest and the longest n-gram."""
    scale: float
    """Weight of one unit of a byte."""
    numbers: Mapping[str, float]
    """Numbers that a scorer turns scores into probabilities with, by name."""
    weights: npt.NDArray[np.int8]
    """Shape (buckets,), a power of two."""

    def scores(self, lines: Sequence[str], prior: float = 0.0) -> Float64Array:
        """Return the score of each line of words that single blanks separate, (lines,).

        Args:
            lines: Words as the model's training had them.
            prior: n-grams of weight 0 that each line has more: a line of few words scores near 0.
        """
        buckets, starts = _ngrams(lines, self.min_ngram, self.max_ngram, len(self.weights))
        running = np.concatenate([[0], np.cumsum(self.weights[buckets], dtype=np.int64)])
        sums = np.diff(running[starts])
        means: Float64Array = self.scale * sums / np.maximum(np.diff(starts) + prior, 1.0)
        return means


def count_ngrams(
    lines: Sequence[str], min_ngram: int, max_ngram: int, buckets: int
) -> Float64Array:
    """Count the n-grams of lines by bucket, shape (buckets,).

    Args:
        buckets: A power of two.
    """
    found, _ = _ngrams(lines, min_ngram, max_ngram, buckets)
    return np.bincount(found, minlength=buckets).astype(np.float64)


def write_hashed_model(path: Path, model: HashedModel) -> None:
    """Write a model's file."""
    settings = {
        field.name: getattr(model, field.name)
        for field in dataclasses.fields(model)
        if field.name != "weights"
    }
    content = json.dumps(settings, ensure_ascii=True).encode()
    head = _HEAD.pack(_MAGIC, _VERSION, len(content))
    path.write_bytes(head + content + model.weights.astype(np.int8).tobytes())


def quantised(weights: Float64Array) -> tuple[npt.NDArray[np.int8], float]:
    """Round weights to signed bytes; return these and the weight of one unit."""
    scale = max(float(np.abs(weights).max()), 1e-12) / _MOST_WEIGHT
    return np.rint(weights / scale).astype(np.int8), scale


def read_hashed_model(path: Path) -> HashedModel:
    """Read a model's file.

    Raises:
        ModelFileError: another file, or one that is damaged or incomplete.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    if len(content) < _HEAD.size or content[: len(_MAGIC)] != _MAGIC:
        raise ModelFileError(f"{path}: is no model of hashed n-grams")
    _, version, size = _HEAD.unpack_from(content)
    if version != _VERSION or size > _MOST_SETTINGS:
        raise ModelFileError(f"{path}: expected version {_VERSION} of the format, found {version}")
    weights = np.frombuffer(content, dtype=np.int8, offset=min(_HEAD.size + size, len(content)))
    bits = len(weights).bit_length() - 1
    if len(weights) == 0 or len(weights) != 1 << bits or bits > MOST_BITS:
        raise ModelFileError(
            f"{path}: has {len(weights):,} weights: expected a power of two, 2^{MOST_BITS} at most"
        )
    try:
        model = _model_of(json.loads(content[_HEAD.size : _HEAD.size + size]), weights)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError(f"{path}: its settings cannot be read: {error}") from error
    if not 1 <= model.min_ngram <= model.max_ngram <= MOST_CHARS:
        raise ModelFileError(
            f"{path}: n-grams of {model.min_ngram} to {model.max_ngram} characters: expected 1 to "
            f"{MOST_CHARS}"
        )
    if not np.isfinite([model.scale, *model.numbers.values()]).all():
        raise ModelFileError(f"{path}: a number of its settings is not finite")
    return model


def _model_of(settings: dict[str, Any], weights: npt.NDArray[np.int8]) -> HashedModel:
    return HashedModel(
        labels=tuple(map(str, settings["labels"])),
        min_ngram=int(settings["min_ngram"]),
        max_ngram=int(settings["max_ngram"]),
        scale=float(settings["scale"]),
        numbers={str(name): float(value) for name, value in settings["numbers"].items()},
        weights=weights,
    )


def _ngrams(
    lines: Sequence[str], min_ngram: int, max_ngram: int, buckets: int
) -> tuple[UInt32Array, Int64Array]:
    encoded = encode_texts(lines)
    bounds = np.concatenate([[0], encoded.stops])
    return _buckets(encoded.codes, bounds, min_ngram, max_ngram, buckets)


@compiled
def _mixed(hashed: np.uint64) -> np.uint64:
    """Spread a hash over its lower bits. Source: Steele et al. 2014, splitmix64."""
    hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


@compiled
def _buckets(
    codes: UInt32Array, bounds: Int64Array, min_ngram: int, max_ngram: int, buckets: int
) -> tuple[UInt32Array, Int64Array]:
    """Find the bucket of each n-gram of all lines, and where the n-grams of each line begin."""
    mask = np.uint64(buckets - 1)
    # A word and the blank behind it begin at most one n-gram a character, and one before.
    found = np.empty(2 * (len(codes) + len(bounds)) * (max_ngram - min_ngram + 1), dtype=np.uint32)
    starts = np.zeros(len(bounds), dtype=np.int64)
    count = 0
    for line in range(len(bounds) - 1):
        begin = bounds[line]
        while begin < bounds[line + 1]:
            stop = begin
            while stop < bounds[line + 1] and codes[stop] != np.uint32(_BLANK):
                stop += 1
            for first in range(begin - 1, stop if stop > begin else begin - 1):
                hashed = np.uint64(0)
                for last in range(first, min(first + max_ngram, stop + 1)):
                    is_blank = last < begin or last == stop
                    code = np.uint64(_BLANK) if is_blank else np.uint64(codes[last])
                    hashed = _mixed(hashed ^ (code + np.uint64(1)))
                    if last - first + 1 >= min_ngram:
                        found[count] = np.uint32(hashed & mask)
                        count += 1
            begin = stop + 1
        starts[line + 1] = count
    return found[:count], starts
