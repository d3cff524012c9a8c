"""The compact file of an n-gram model of characters, a quarter of its ARPA file.

After the head come the number of characters and of the n-grams of each order (4 bytes each), and
the characters' code points (4). Then for each order its n-grams as numbers of words (2 each), 256
levels of its probabilities and of its backoffs (4), and a byte for each n-gram's of either.
Little-endian.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS
from udfs.fasttext_file import ModelFileError
from udfs.ngram_arpa import read_arpa
from udfs.ngram_checks import checked
from udfs.ngram_model import MOST_ORDER, RESERVED, Floats, NGramModel, NGrams, Order

_MAGIC = b"TAOJINNG"
_VERSION = 1
_HEAD = struct.Struct("<8s2I")  # magic, version, order
_LEVELS = 256
_MOST_CHARACTERS = (1 << 16) - len(RESERVED)  # words are numbered in two bytes
_LEAST_LOG10 = -10.0
"""There is no less: what never follows would spoil the level that it shares."""


def load_ngrams(path: Path) -> NGramModel:
    """A model from a compact file, or from an ARPA file.

    Raises:
        ModelFileError: it is neither, or not a whole one.
        OSError: it cannot be read.
    """
    return NGramModel(read_ngrams(path))


def read_ngrams(path: Path) -> NGrams:
    """The n-grams of a compact file, or of an ARPA file; else as `load_ngrams`."""
    return read_compact(path.read_bytes(), str(path)) if is_compact(path) else read_arpa(path)


def is_compact(path: Path) -> bool:
    """Whether a file begins as a compact one does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def compact_bytes(ngrams: NGrams) -> bytes:
    """The compact file of a model of characters.

    Raises:
        ModelFileError: a word is no single character, or there are 65,533 or more of them.
    """
    words = ngrams.vocabulary[len(RESERVED) :]
    if len(words) > _MOST_CHARACTERS or any(len(word) != 1 for word in words):
        odd = next((word for word in words if len(word) != 1), f"{len(words):,} words")
        raise ModelFileError(
            f"{odd}: a compact file is of single characters, {_MOST_CHARACTERS:,} at most"
        )
    codes = [ord(char) for char in words]
    sizes = [len(order.words) for order in ngrams.orders]
    parts = [
        _HEAD.pack(_MAGIC, _VERSION, len(sizes)),
        np.array([len(codes), *sizes, *codes], dtype="<u4").tobytes(),
    ]
    for order in ngrams.orders:
        parts.append(order.words.astype("<u2").tobytes())
        for values in (order.log10, order.backoff):
            levels, places = _quantised(values)
            parts += [levels.astype("<f4").tobytes(), places.tobytes()]
    return b"".join(parts)


def read_compact(content: bytes, name: str) -> NGrams:
    """The n-grams that a compact file holds.

    Raises:
        ModelFileError: its numbers do not fit its size, or one of them is out of range.
    """
    if len(content) < _HEAD.size:
        raise ModelFileError(f"{name}: {len(content)} bytes are too few for an n-gram model")
    magic, version, orders = _HEAD.unpack_from(content)
    if magic != _MAGIC or version != _VERSION or not 1 <= orders <= MOST_ORDER:
        raise ModelFileError(f"{name}: is no n-gram model of version {_VERSION}")
    at = _HEAD.size + 4 * (1 + orders)
    if len(content) < at:
        raise ModelFileError(f"{name}: ends in its numbers of n-grams")
    characters, *sizes = struct.unpack_from(f"<{1 + orders}I", content, _HEAD.size)
    tables = (2 * n * size + 2 * (4 * _LEVELS + size) for n, size in enumerate(sizes, 1))
    whole = at + 4 * characters + sum(tables)
    if len(content) != whole:
        raise ModelFileError(f"{name}: has {len(content):,} bytes, its numbers ask for {whole:,}")

    def take(count: int, kind: str) -> npt.NDArray[Any]:
        nonlocal at
        part = np.frombuffer(content, dtype=kind, count=count, offset=at)
        at += part.nbytes
        return part

    codes = take(characters, "<u4")
    if (codes >= CODE_POINTS).any() or len(np.unique(codes)) != characters:
        raise ModelFileError(f"{name}: has a character twice, or one beyond Unicode")
    read = []
    for n, size in enumerate(sizes, 1):
        words = take(n * size, "<u2").reshape(size, n).astype(np.uint32)
        if (words >= len(RESERVED) + characters).any():
            raise ModelFileError(f"{name}: has an n-gram of a word that it does not name")
        log10, backoff = (take(_LEVELS, "<f4")[take(size, "u1")] for _ in range(2))
        read.append(Order(words, log10, backoff))
    return checked(NGrams((*RESERVED, *map(chr, codes.tolist())), tuple(read)), name)


def _quantised(values: Floats) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """256 levels, and the nearest of each value: as many values at one level as at another."""
    values = np.clip(values, _LEAST_LOG10, None)
    distinct = np.unique(values)
    if len(distinct) > _LEVELS:
        edges = np.quantile(values.astype(np.float64), np.linspace(0, 1, _LEVELS + 1))
        place = np.searchsorted(edges[1:-1], values, side="left")
        counts = np.bincount(place, minlength=_LEVELS)
        sums = np.bincount(place, values.astype(np.float64), minlength=_LEVELS)
        distinct = np.unique((sums[counts > 0] / counts[counts > 0]).astype(np.float32))
    levels = np.full(_LEVELS, distinct[-1], dtype=np.float32)
    levels[: len(distinct)] = distinct
    middles = (distinct[1:].astype(np.float64) + distinct[:-1]) / 2
    return levels, np.searchsorted(middles, values).astype(np.uint8)
