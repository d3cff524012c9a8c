"""Estimate a character language model: interpolated modified Kneser-Ney.

Source:
    Chen and Goodman 1999; counts, discounts and pruning as in lmplz (Heafield et al. 2013): lower
    orders count the distinct characters before an n-gram, except at the beginning of a line; a
    pruned n-gram still counts in its context.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array, UInt32Array, UInt64Array
from udfs.models.char_lm_tables import RESERVED, NGramTable, NGramTables

MOST_ORDER = 5
_BITS = 12
_MASK = np.uint64((1 << _BITS) - 1)
MOST_WORDS = 1 << _BITS
"""Largest vocabulary, the entries for begin, end and unknown included."""

FEW_DISCOUNTS = (0.0, 0.5, 1.0, 1.5)
"""Discounts of lmplz with --discount_fallback."""

_NEVER = -99.0
"""log10 of a probability of 0, as KenLM writes it."""


def estimate(
    lines: Sequence[str], order: int, min_counts: Sequence[int], most_words: int = MOST_WORDS
) -> NGramTables:
    """Estimate the model of lines, each character of which is a word.

    Args:
        lines: Text without white space; each is a sentence with a begin and an end.
        order: Characters of the longest n-gram, 2 to 5.
        min_counts: Least count of the n-grams that are kept, by order from 1 on; not falling, the
            first one 1.
        most_words: Size of the vocabulary; rarer characters are unknown.
    Raises:
        ValueError: arguments out of range, or no line.
    """
    if not 2 <= order <= MOST_ORDER or len(min_counts) != order or min_counts[0] != 1:
        raise ValueError(
            f"order {order}, min_counts {list(min_counts)}: expected an order of 2 to {MOST_ORDER} "
            "and as many counts, the first one 1"
        )
    if list(min_counts) != sorted(min_counts) or most_words > MOST_WORDS:
        raise ValueError(
            f"min_counts {list(min_counts)}, most_words {most_words}: expected counts that do not "
            f"fall, and at most {MOST_WORDS} words"
        )
    if not lines:
        raise ValueError("lines: expected at least one")
    vocabulary = _vocabulary(lines, most_words)
    numbers = _numbers(lines, vocabulary)
    raw = [_counted(numbers, n) for n in range(1, order + 1)]
    orders: list[NGramTable] = []
    lower: tuple[UInt64Array, Float64Array] | None = None
    for n in range(1, order + 1):
        keys, counts = raw[n - 1]
        adjusted = counts if n == order else _adjusted(keys, counts, raw[n][0], n)
        kept = counts >= min_counts[n - 1]
        probabilities, contexts, weights = _interpolated(
            keys, adjusted, kept, n, lower, len(vocabulary)
        )
        if n > 1:
            orders[-1] = _with_backoff(orders[-1], contexts, weights)
        if n == 1:
            keys, probabilities = _with_unknown(keys, probabilities, len(vocabulary), weights[0])
            kept = np.ones(len(keys), dtype=np.bool_)
        lower = (keys[kept], probabilities[kept])
        with np.errstate(divide="ignore"):
            log10 = np.maximum(np.log10(probabilities[kept]), _NEVER)
        floats = log10.astype(np.float32)
        orders.append(NGramTable(_unpacked(keys[kept], n), floats, np.zeros_like(floats)))
    return NGramTables(vocabulary, tuple(orders))


def _vocabulary(lines: Sequence[str], most_words: int) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(line)
    ranked = sorted(counts, key=lambda char: (-counts[char], char))
    return (*RESERVED, *ranked[: most_words - 3])


def _numbers(lines: Sequence[str], vocabulary: Sequence[str]) -> UInt64Array:
    """All lines, concatenated, as word numbers."""
    number_of = {word: number for number, word in enumerate(vocabulary)}
    numbers: list[int] = []
    for line in lines:
        numbers.append(1)
        numbers += [number_of.get(char, 0) for char in line]
        numbers.append(2)
    return np.array(numbers, dtype=np.uint64)


def _counted(numbers: UInt64Array, n: int) -> tuple[UInt64Array, Int64Array]:
    """The n-grams within lines, and their counts."""
    count = len(numbers) - n + 1
    keys = np.zeros(max(0, count), dtype=np.uint64)
    crosses = np.zeros(max(0, count), dtype=np.bool_)
    for at in range(n):
        part = numbers[at : at + count]
        keys = (keys << np.uint64(_BITS)) | part
        if at:
            crosses |= part == 1  # a line begins inside
    found, counts = np.unique(keys[~crosses], return_counts=True)
    return found, counts.astype(np.int64)


def _adjusted(keys: UInt64Array, counts: Int64Array, longer: UInt64Array, n: int) -> Int64Array:
    """Number of distinct characters before each n-gram; at the beginning of a line, its count."""
    ends = longer & np.uint64((1 << (_BITS * n)) - 1)
    found, before = np.unique(ends, return_counts=True)
    adjusted = np.zeros(len(keys), dtype=np.int64)
    adjusted[np.searchsorted(keys, found)] = before
    begins = (keys >> np.uint64(_BITS * (n - 1))) == 1
    return np.where(begins, counts, adjusted)


def _interpolated(
    keys: UInt64Array,
    counts: Int64Array,
    kept: BoolArray,
    n: int,
    lower: tuple[UInt64Array, Float64Array] | None,
    words: int,
) -> tuple[Float64Array, UInt64Array, Float64Array]:
    """Probabilities of one order; its contexts, and the weight that each leaves to lower orders."""
    of_begin = keys == 1 if n == 1 else np.zeros(len(keys), dtype=np.bool_)
    counts = np.where(of_begin, 0, counts)  # a line's begin is given, not predicted
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    contexts, which = np.unique(keys >> np.uint64(_BITS), return_inverse=True)
    totals = np.bincount(which, counts)
    left = np.where(kept, np.maximum(counts - discounts, 0.0), 0.0)
    weights = 1.0 - np.bincount(which, left) / totals
    if lower is None:
        shorter = np.full(len(keys), 1 / (words - 1))
    else:
        ends = keys & np.uint64((1 << (_BITS * (n - 1))) - 1)
        place = np.minimum(np.searchsorted(lower[0], ends), len(lower[0]) - 1)
        shorter = np.where(lower[0][place] == ends, lower[1][place], 0.0)
    probabilities = left / totals[which] + weights[which] * shorter
    return np.where(of_begin, 0.0, probabilities), contexts, weights


def _discounts(counts: Int64Array) -> Float64Array:
    """Discounts of a count of 0, 1, 2, and 3 or more; `FEW_DISCOUNTS` for too little text."""
    of = [int((counts == number).sum()) for number in range(5)]
    if 0 not in of[1:]:
        share = of[1] / (of[1] + 2 * of[2])
        discounts = [0.0] + [
            number - (number + 1) * share * of[number + 1] / of[number] for number in (1, 2, 3)
        ]
        if all(0 <= discount <= number for number, discount in enumerate(discounts)):
            return np.array(discounts)
    return np.array(FEW_DISCOUNTS)


def _with_unknown(
    keys: UInt64Array, probabilities: Float64Array, words: int, weight: float
) -> tuple[UInt64Array, Float64Array]:
    """Unigrams of the whole vocabulary: those not in the text get the remaining probability."""
    whole = np.zeros(words)
    whole[0] = weight / (words - 1)
    whole[keys.astype(np.int64)] = probabilities
    return np.arange(words, dtype=np.uint64), whole


def _with_backoff(order: NGramTable, contexts: UInt64Array, weights: Float64Array) -> NGramTable:
    packed = np.zeros(len(order.words), dtype=np.uint64)
    for column in order.words.T:
        packed = (packed << np.uint64(_BITS)) | column
    place = np.minimum(np.searchsorted(contexts, packed), len(contexts) - 1)
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log10(weights[place]), _NEVER)
    backoff = np.where(contexts[place] == packed, logs, 0.0).astype(np.float32)
    return replace(order, backoff=backoff)


def _unpacked(keys: UInt64Array, n: int) -> UInt32Array:
    columns = [(keys >> np.uint64(_BITS * (n - 1 - at))) & _MASK for at in range(n)]
    return np.stack(columns, axis=1).astype(np.uint32)
