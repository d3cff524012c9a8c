"""Words of texts in languages that separate them by white space and marks, and stop words.

A word is a run of letters, digits and marks that combine with them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.characters import word_table
from udfs.base.code_points import EncodedTexts
from udfs.base.hash_table import ABSENT, find_value, hash_map
from udfs.base.jit import compiled, uncounted
from udfs.base.language import TextLanguage
from udfs.base.letters import letter_table

_BASE = 0x9E3779B97F4A7C15  # any odd number


class BlankWordCounts(NamedTuple):
    """Counts in each text, shape (texts,) each."""

    words: Int64Array
    word_chars: Int64Array
    """Characters of all words."""
    stop_words: Int64Array
    """Words that are stop words, each occurrence."""


def count_words(encoded: EncodedTexts, language: TextLanguage) -> BlankWordCounts:
    """Count words and stop words.

    Stop words are compared in lower case, and without the differences that the language folds, in
    the list as in the text.
    """
    counts = BlankWordCounts(
        *(np.zeros(len(encoded.lengths), np.int64) for _ in BlankWordCounts._fields)
    )
    folded = letter_table(language.fold)
    stop_words = _stop_words(language.stop_words, language.fold)
    _count(encoded.codes, encoded.starts, encoded.stops, word_table(), folded, *stop_words, *counts)
    return counts


@lru_cache(maxsize=4)
def _stop_words(words: tuple[str, ...], fold: tuple[str, ...]) -> tuple[UInt64Array, Int32Array]:
    """A hash table of words as `_count` hashes them."""
    table = letter_table(fold)
    keys = [_hash(np.array([ord(char) for char in word], np.uint32), table) for word in words]
    return hash_map(np.array(keys, np.uint64), np.arange(len(keys), dtype=np.int32))


def _hash(codes: UInt32Array, folded: UInt32Array) -> int:
    hash_ = 0
    for code in folded[codes].tolist():
        if code:
            hash_ = (hash_ + code) * _BASE % 2**64
    return hash_ | 1


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    is_word: UInt8Array,
    folded: UInt32Array,
    stop_keys: UInt64Array,
    stop_rows: Int32Array,
    words: Int64Array,
    word_chars: Int64Array,
    stop_words: Int64Array,
) -> None:
    """Add to the fields of `BlankWordCounts`."""
    codes, is_word, folded = uncounted(codes), uncounted(is_word), uncounted(folded)
    for text in range(len(starts)):
        hash_ = np.uint64(0)
        length = 0
        for place in range(starts[text], stops[text] + 1):
            is_inside = place < stops[text] and is_word[codes[place]] != 0
            if is_inside:
                code = folded[codes[place]]
                if code:
                    hash_ = (hash_ + np.uint64(code)) * np.uint64(_BASE)
                length += 1
            elif length:
                words[text] += 1
                word_chars[text] += length
                key = hash_ | np.uint64(1)
                stop_words[text] += find_value(stop_keys, stop_rows, key) != ABSENT
                hash_ = np.uint64(0)
                length = 0
