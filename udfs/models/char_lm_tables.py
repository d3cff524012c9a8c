"""The n-grams of a language model of characters, as files have them; nothing here is compiled.

Checking a file before a run needs these tables, and not the model that scores texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Float32Array, UInt32Array, UInt64Array

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
RESERVED = (UNKNOWN, BEGIN, END)
"""The words with the numbers 0, 1 and 2; characters follow."""
UNHEARD = -100.0
"""log10 of a word without any entry, where a model has none for unknown ones either (KenLM's)."""
MOST_ORDER = 6

MULTIPLIER = 0x9E3779B97F4A7C15
"""Of the hash of n-grams: 2^64 by the golden ratio, made odd."""


@dataclass(frozen=True)
class NGramTable:
    """The n-grams of one order."""

    words: UInt32Array
    """Numbers of words, shape (n-grams, order)."""
    log10: Float32Array
    """Of the probability of the last word after those before it, shape (n-grams,)."""
    backoff: Float32Array
    """log10 of what shorter contexts are worth behind it; 0 where nothing is known to follow."""


@dataclass(frozen=True)
class NGramTables:
    """The n-grams of all orders, as an ARPA file has them."""

    vocabulary: tuple[str, ...]
    """Words by number, the first of them `RESERVED`."""
    orders: tuple[NGramTable, ...]
    """From 1 on; what an n-gram begins and ends with is there too."""


def key_of(words: UInt32Array) -> UInt64Array:
    """The keys of n-grams, from their words' numbers.

    From the last word to the first, so that a context's key grows as it is looked back on. The
    order is no part of a key: two of n n-grams of any order share one with a probability of
    n^2 / 2^65, a millionth of a millionth for ten thousand, three in a hundred million for a
    million.
    """
    keys = np.zeros(len(words), dtype=np.uint64)
    for column in words.T[::-1]:
        keys = (keys ^ (column.astype(np.uint64) + np.uint64(1))) * np.uint64(MULTIPLIER)
        keys ^= keys >> np.uint64(29)
    return keys
