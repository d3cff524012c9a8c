"""Files of language models of characters: ARPA, and a compact format of a quarter of its size.

Both are checked when they are read, so that the model looks n-grams up without checks.

The compact format, little-endian: a header; the number of characters, and of the n-grams of each
order (4 bytes each); the characters' code points (4). Then for each order its n-grams as word
numbers (2 each); 256 levels of the probabilities (4 each) and a byte for each n-gram; and the same
of the backoffs.

Source:
    ARPA as KenLM reads it (lm/read_arpa.cc).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float32Array, UInt64Array
from udfs.base.code_points import CODE_POINTS
from udfs.models.char_lm_tables import (
    BEGIN,
    END,
    MOST_ORDER,
    RESERVED,
    NGramTable,
    NGramTables,
    key_of,
)
from udfs.models.fasttext_file import ModelFileError

if TYPE_CHECKING:
    from udfs.models.char_lm import CharLanguageModel

_MIN_LINE_BYTES = 4  # a digit, a tab, a word, a line's end

_MAGIC = b"TAOJINNG"
_VERSION = 1
_HEAD = struct.Struct("<8s2I")  # magic, version, order
_LEVELS = 256
_MAX_CHARACTERS = (1 << 16) - len(RESERVED)  # word numbers have two bytes
_MIN_LOG10 = -10.0
"""Smaller values are raised to this: what never follows would spoil the level that it shares."""


def load_language_model(path: Path) -> CharLanguageModel:
    """Load a model from a compact file or an ARPA file.

    Raises:
        ModelFileError: it has neither format, or is damaged or incomplete.
        OSError: it cannot be read.
    """
    from udfs.models.char_lm import CharLanguageModel  # compiled: checking a file does without

    return CharLanguageModel(read_language_model(path))


def read_language_model(path: Path) -> NGramTables:
    """Read the n-grams of a compact or an ARPA file. Raises as `load_language_model`."""
    return read_compact(path.read_bytes(), str(path)) if is_compact(path) else read_arpa(path)


def is_compact(path: Path) -> bool:
    """Whether a file begins as a compact one does."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def read_compact(content: bytes, name: str) -> NGramTables:
    """Parse the n-grams of a compact file.

    Raises:
        ModelFileError: its numbers do not fit its size, or one of them is out of range.
    """
    if len(content) < _HEAD.size:
        raise ModelFileError(f"{name}: {len(content)} bytes are too few for a language model")
    magic, version, orders = _HEAD.unpack_from(content)
    if magic != _MAGIC or version != _VERSION or not 1 <= orders <= MOST_ORDER:
        raise ModelFileError(
            f"{name}: is no compact language model of version {_VERSION}, order 1 to {MOST_ORDER}"
        )
    at = _HEAD.size + 4 * (1 + orders)
    if len(content) < at:
        raise ModelFileError(f"{name}: ends in its numbers of n-grams: {at} bytes needed")
    characters, *sizes = struct.unpack_from(f"<{1 + orders}I", content, _HEAD.size)
    tables = (2 * n * size + 2 * (4 * _LEVELS + size) for n, size in enumerate(sizes, 1))
    whole = at + 4 * characters + sum(tables)
    if len(content) != whole:
        raise ModelFileError(
            f"{name}: has {len(content):,} bytes, but its numbers ask for {whole:,}"
        )

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
            raise ModelFileError(
                f"{name}: has a word number out of range in an n-gram of order {n}: expected less "
                f"than {len(RESERVED) + characters:,}"
            )
        log10, backoff = (take(_LEVELS, "<f4")[take(size, "u1")] for _ in range(2))
        read.append(NGramTable(words, log10, backoff))
    return checked(NGramTables((*RESERVED, *map(chr, codes.tolist())), tuple(read)), name)


def compact_bytes(ngrams: NGramTables) -> bytes:
    """Return the compact file of a language model of characters.

    Raises:
        ModelFileError: a word is not a single character, or there are more than 65,533 of them.
    """
    words = ngrams.vocabulary[len(RESERVED) :]
    if len(words) > _MAX_CHARACTERS or any(len(word) != 1 for word in words):
        odd = next((word for word in words if len(word) != 1), f"{len(words):,} words")
        raise ModelFileError(
            f"{odd}: expected words that are single characters, {_MAX_CHARACTERS:,} at most, for a "
            "compact file"
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


def read_arpa(path: Path) -> NGramTables:
    """Read the n-grams of an ARPA file.

    Raises:
        ModelFileError: it is not an ARPA file, or incomplete, or as `checked`.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            max_ngrams = path.stat().st_size // _MIN_LINE_BYTES
            return checked(_ngrams(iter(file), max_ngrams, str(path)), str(path))
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{path}: is not UTF-8 text: {error.reason}") from error


def arpa_text(ngrams: NGramTables) -> str:
    """Return a model in the ARPA format."""
    sizes = (f"ngram {n}={len(order.words)}" for n, order in enumerate(ngrams.orders, 1))
    parts = ["\\data\\", *sizes, ""]
    for n, order in enumerate(ngrams.orders, 1):
        parts.append(f"\\{n}-grams:")
        for words, log10, backoff in zip(
            order.words.tolist(), order.log10.tolist(), order.backoff.tolist(), strict=True
        ):
            text = " ".join(ngrams.vocabulary[word] for word in words)
            further = f"\t{backoff:.7g}" if n < len(ngrams.orders) else ""
            parts.append(f"{log10:.7g}\t{text}{further}")
        parts.append("")
    return "\n".join([*parts, "\\end\\", ""])


def checked(ngrams: NGramTables, name: str) -> NGramTables:
    """Check n-grams, and return them.

    Args:
        name: Name of the file in errors.
    Raises:
        ModelFileError: an n-gram occurs twice, or lacks the shorter ones that it begins and ends
            with; a log10 of a probability is not finite or above 0; BEGIN or END is missing; or
            most words are not one character.
    """
    shorter = None
    for n, order in enumerate(ngrams.orders, 1):
        keys = np.sort(key_of(order.words))  # np.unique and np.isin take five times as long
        if (keys[1:] == keys[:-1]).any():
            raise ModelFileError(f"{name}: an n-gram of order {n} occurs twice")
        if not (np.isfinite(order.log10) & np.isfinite(order.backoff) & (order.log10 <= 0)).all():
            raise ModelFileError(
                f"{name}: a probability of order {n} is out of range: expected log10 of 0 at most, "
                "and a finite backoff"
            )
        if shorter is not None:
            for part in (order.words[:, 1:], order.words[:, :-1]):
                if not _all_in(key_of(part), shorter):
                    raise ModelFileError(
                        f"{name}: an n-gram of order {n} lacks the {n - 1} words that it begins or "
                        "ends with"
                    )
        shorter = keys
    words = [ngrams.vocabulary[number] for number in ngrams.orders[0].words[:, 0]]
    if missing := [word for word in (BEGIN, END) if word not in words]:
        raise ModelFileError(f"{name}: has no {missing[0]} among its words")
    own = [word for word in words if word not in RESERVED]
    characters = sum(len(word) == 1 for word in own)
    if 2 * characters < len(own):
        raise ModelFileError(
            f"{name}: {characters:,} of {len(own):,} words are one character; expected a model of "
            "characters"
        )
    return ngrams


def _quantised(values: Float32Array) -> tuple[Float32Array, npt.NDArray[np.uint8]]:
    """Return 256 levels of about as many values each, and the index of each value's level."""
    values = np.clip(values, _MIN_LOG10, None)
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


def _ngrams(lines: Iterator[str], max_ngrams: int, name: str) -> NGramTables:
    sizes = _sizes(lines, max_ngrams, name)
    number_of = {word: number for number, word in enumerate(RESERVED)}
    orders = []
    for n, size in enumerate(sizes, 1):
        words = np.zeros((size, n), dtype=np.uint32)
        values = np.zeros((2, size), dtype=np.float32)
        for row in range(size):
            line = next(lines, "")
            try:
                log10, joined, *backoff = line.rstrip("\r\n").split("\t")
                entry = joined.split(" ")
                if n == 1:
                    number_of.setdefault(joined, len(number_of))
                words[row] = [number_of[word] for word in entry] if len(entry) == n else ()
                values[0, row] = float(log10)
                values[1, row] = float(*backoff)
            except (KeyError, TypeError, ValueError) as error:
                shown = line.rstrip()[:80]
                raise ModelFileError(
                    f"{name}: n-gram {row + 1} of order {n} is {shown!r}: expected log10, {n} "
                    "known words and perhaps a backoff, separated by tabs"
                ) from error
        orders.append(NGramTable(words, *values))
        _skip_to(lines, f"\\{n + 1}-grams:" if n < len(sizes) else "\\end\\", name)
    return NGramTables(tuple(number_of), tuple(orders))


def _sizes(lines: Iterator[str], max_ngrams: int, name: str) -> list[int]:
    """Read the number of n-grams of each order, and the first heading."""
    _skip_to(lines, "\\data\\", name)
    sizes: list[int] = []
    for line in lines:
        text = line.strip()
        if text == "\\1-grams:":
            break
        order, _, size = text.removeprefix("ngram ").partition("=")
        if text and not (order.strip() == str(len(sizes) + 1) and size.strip().isdecimal()):
            raise ModelFileError(
                f"{name}: {text[:80]!r} among the numbers of n-grams: expected "
                f"'ngram {len(sizes) + 1}=NUMBER'"
            )
        if text:
            sizes.append(int(size))
    if not 1 <= len(sizes) <= MOST_ORDER or 0 in sizes or sum(sizes) > max_ngrams:
        raise ModelFileError(
            f"{name}: numbers of n-grams {sizes}: expected 1 to {MOST_ORDER} orders, and no more "
            "n-grams than the file has room for"
        )
    return sizes


def _skip_to(lines: Iterator[str], heading: str, name: str) -> None:
    for line in lines:
        if line.strip() == heading:
            return
        if line.strip():
            raise ModelFileError(f"{name}: {line.strip()[:80]!r} where {heading} was expected")
    raise ModelFileError(f"{name}: ends before {heading}, which was expected")


def _all_in(keys: UInt64Array, ascending: UInt64Array) -> bool:
    """Whether all keys occur among others, which are sorted."""
    if not len(ascending):
        return not len(keys)
    places = np.searchsorted(ascending, keys)
    return bool((ascending[np.minimum(places, len(ascending) - 1)] == keys).all())
