"""Numbers of tokens of texts: estimated from kinds of characters, or counted by a tokenizer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from udfs.base.array_types import Float64Array, Int64Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts, batch_of, text_runs
from udfs.base.jit import compiled, uncounted
from udfs.base.language import HAN_RANGES
from udfs.base.worker import cores_of_task
from udfs.tokens.token_files import CLASSES, FEATURES, read_coefficients, read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_HAN, _LATIN, _DIGITS, _SPACES = 1, 2, 3, 4  # in the order of RUNS
_GROUP_OF = {
    **dict.fromkeys(("han_common", "han_second", "han_rest"), _HAN),
    "latin": _LATIN,
    "digits": _DIGITS,
    **dict.fromkeys(("spaces", "line_breaks"), _SPACES),
}
_CLASS_BITS = 4
_CHARACTER_LIMITS = (0x80, 0x800, 0x10000)  # from each on UTF-8 takes one byte more

_LETTERS = (
    (0x0250, 0x02FF),  # phonetic, modifiers
    (0x0370, 0x1DFF),  # Greek, Cyrillic, ..., to the letters below Latin additions
    (0x1F00, 0x1FFF),
    (0x3040, 0x318F),  # kana, bopomofo, Hangul letters
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0xA000, 0xABFF),
    (0xAC00, 0xD7FF),  # Hangul
    (0xFB00, 0xFDFF),
    (0xFE70, 0xFEFE),
    (0xFF66, 0xFFDC),  # half-width kana and Hangul
    (0x10000, 0x1BFFF),
)
_WIDE_MARKS = ((0x00A1, 0x00BF), (0x2010, 0x205E), (0x3001, 0x303F), (0xFE30, 0xFE6F))
_SPACE_CHARS = (0x09, 0x0B, 0x0C, 0x20, 0x85, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)


class TokenCounter(Protocol):
    """Counts the tokens of texts."""

    def count(self, texts: Sequence[str]) -> Int64Array:
        """Tokens of each text, shape (texts,)."""


class TextCounts(NamedTuple):
    """Counts in each text."""

    features: Int64Array
    """Shape (texts, features), in the order of `FEATURES`."""
    utf8_bytes: Int64Array
    """Bytes of the text as UTF-8, shape (texts,)."""


def count_features(encoded: EncodedTexts) -> TextCounts:
    """Count what an estimate of tokens is made from, and bytes, in one pass over the texts.

    >>> from udfs.base.code_points import encode_texts
    >>> counts = count_features(encode_texts(["共3页 page"]))
    >>> {name: n for name, n in zip(FEATURES, counts.features[0].tolist(), strict=True) if n}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'han_common': 2, 'latin': 4, 'digits': 1, 'spaces': 1, 'han_runs': 2, 'latin_runs': 1,
     'digit_runs': 1, 'space_runs': 1}
    >>> counts.utf8_bytes.tolist()
    [12]
    """
    texts = len(encoded.lengths)
    counts = TextCounts(np.zeros((texts, len(FEATURES)), np.int64), np.zeros(texts, np.int64))
    limits = np.array(_CHARACTER_LIMITS, np.uint32)
    _count(encoded.codes, encoded.starts, encoded.stops, _table(), limits, len(CLASSES), *counts)
    return counts


class TokenEstimate:
    """Tokens estimated by a linear function of `FEATURES`."""

    def __init__(self, coefficients: Float64Array) -> None:
        """Take a coefficient for each feature, shape (features,)."""
        self.coefficients = coefficients

    def count(self, texts: Sequence[str]) -> Int64Array:
        """Estimated tokens of each text, shape (texts,): at least 1 unless it is empty."""
        encoded = batch_of(texts).encoded
        return self.of_features(count_features(encoded).features)

    def of_features(self, features: Int64Array) -> Int64Array:
        """Estimated tokens of texts by their counts, shape (texts,)."""
        is_empty = features[:, : len(CLASSES)].sum(axis=1) == 0
        estimated = np.rint(features @ self.coefficients).astype(np.int64)
        found: Int64Array = np.where(is_empty, 0, np.maximum(estimated, 1))
        return found


class TokenizerCounter:
    """Tokens counted by a tokenizer of the library tokenizers."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def count(self, texts: Sequence[str]) -> Int64Array:
        """Tokens of each text without those that mark its begin and end, shape (texts,).

        Batch:
            Texts of about 131,000 characters, or a single longer one, are encoded together: the
            memory taken does not grow with the number of texts.
        """
        cores = cores_of_task()
        if cores is not None:  # before the first use, which makes the tokenizer's threads
            os.environ["RAYON_NUM_THREADS"] = str(cores)
        counts: list[int] = []
        for run in text_runs(texts):
            encodings = self.tokenizer.encode_batch_fast(run, add_special_tokens=False)
            counts += map(len, encodings)
        return np.array(counts, np.int64)


def load_token_counter(path: Path) -> TokenCounter:
    """Load an estimate, or a tokenizer.

    Raises:
        TokenFileError: the file is neither.
        ModuleNotFoundError: it is a tokenizer, and the library tokenizers is not installed.
    """
    coefficients = read_coefficients(path)
    if coefficients is None:
        return TokenizerCounter(read_tokenizer(path))
    return TokenEstimate(np.array([coefficients[name] for name in FEATURES]))


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    table: UInt8Array,
    limits: UInt32Array,
    classes: int,
    features: Int64Array,
    utf8_bytes: Int64Array,
) -> None:
    """Add to the fields of `TextCounts`; a class is in the lowest bits of the table, a group above.

    A run of group n is counted in column ``classes + n - 1``.
    """
    codes, table = uncounted(codes), uncounted(table)
    for text in range(len(starts)):
        row = features[text]
        group_before = 0
        size = 0
        for place in range(starts[text], stops[text]):
            code = codes[place]
            bits = table[code]
            row[bits & 15] += 1
            group = bits >> 4
            if group != group_before and group != 0:
                row[classes + group - 1] += 1
            group_before = group
            size += 1 + (code >= limits[0]) + (code >= limits[1]) + (code >= limits[2])
        utf8_bytes[text] += size


@lru_cache(maxsize=1)
def _table() -> UInt8Array:
    """Class and group of every code point, shape (CODE_POINTS,).

    Classes follow whole blocks of Unicode: `udfs.base.characters.kind_table`, which looks up every
    code point, takes 0.2 s to make.
    """
    table = np.zeros(CODE_POINTS, np.uint8)

    def fill(name: str, ranges: Sequence[tuple[int, int]]) -> None:
        number = CLASSES.index(name) | _GROUP_OF.get(name, 0) << _CLASS_BITS
        for first, last in ranges:
            table[first : last + 1] = number

    fill("ascii_marks", [(0x21, 0x7E)])
    fill("wide_marks", [*_WIDE_MARKS, (0xFF01, 0xFF65)])
    fill("latin", [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)])
    fill("latin", [(0xFF21, 0xFF3A), (0xFF41, 0xFF5A)])
    fill("letters", _LETTERS)
    fill("digits", [(0x30, 0x39), (0xFF10, 0xFF19)])
    fill("spaces", [(code, code) for code in _SPACE_CHARS])
    fill("line_breaks", [(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)])
    fill("han_rest", HAN_RANGES)
    fill("han_second", [(code, code) for code in _gb2312_codes(0xD8, 0xF7)])
    fill("han_common", [(code, code) for code in _gb2312_codes(0xB0, 0xD7)])
    return table


def _gb2312_codes(first: int, last: int) -> list[int]:
    """The code points of rows of GB 2312, by their lead bytes."""
    rows = bytes(
        byte
        for lead in range(first, last + 1)
        for trail in range(0xA1, 0xFF)
        for byte in (lead, trail)
        if (lead, trail) < (0xD7, 0xFA) or lead > 0xD7  # the last five places of level 1 are empty
    )
    return [ord(character) for character in rows.decode("gb2312", "ignore")]
