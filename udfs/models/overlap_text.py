"""Texts folded for the search of benchmark questions, and keys of their n-grams of characters.

A character is folded by itself: its compatibility form (NFKC) without accents, in lower case, of
which only letters and digits stay. So another layout, full-width forms, other punctuation and the
signs of formulas make no difference; simplified and traditional characters stay apart.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.code_points import CODE_POINTS
from udfs.base.jit import compiled

FOLD_VERSION = 1
"""To be raised with every change of what a character is folded to, or of a key."""

_UNCHANGED = (
    (0x3400, 0x4DBF),  # Han, Extension A
    (0x4E00, 0x9FFF),  # Han
    (0xAC00, 0xD7A3),  # Hangul
    (0x20000, 0x2F7FF),  # Han, Extensions B to F and I
    (0x30000, 0x323AF),  # Han, Extensions G and H
)
"""Blocks of letters that fold to themselves, whether this Python knows all of them or not."""
_LOOKED_AT = ((0x0000, 0xD7FF), (0xF900, 0x1FFFF), (0x2F800, 0x2FA1F))
"""Other characters that may be letters or digits."""

_LONG = np.uint32(1 << 31)
_LENGTH_BITS = 5  # the longest expansion has 18 characters
_LENGTH_MASK = np.uint32((1 << _LENGTH_BITS) - 1)

# Odd constants of SplitMix64 and of the golden ratio; any odd ones would do.
_CHARACTER = np.uint64(0xBF58476D1CE4E5B9)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FINAL = np.uint64(0x94D049BB133111EB)
_HALF = np.uint64(32)
_THIRD = np.uint64(29)


class FoldTable(NamedTuple):
    """What every code point is folded to."""

    singles: UInt32Array
    """Shape (CODE_POINTS,): 0 for a character that is dropped, its folded code point, or the place
    and length of several ones in ``expansions``."""
    expansions: UInt32Array
    """Folded code points of characters that become several, end to end."""


class FoldedTexts(NamedTuple):
    """Folded texts, end to end."""

    codes: UInt32Array
    """Folded code points, shape (characters,)."""
    places: Int32Array
    """The character of its text that each was, shape (characters,)."""
    offsets: Int64Array
    """Where each text begins, and the end of the last one, shape (texts + 1,)."""


def folded_character(char: str) -> str:
    """What a character is folded to; empty for one that is dropped.

    >>> [folded_character(char) for char in "Ａé㎡①。+中"]
    ['a', 'e', 'm2', '1', '', '', '中']
    """
    if any(first <= ord(char) <= last for first, last in _UNCHANGED):
        return char
    parts = unicodedata.normalize("NFKD", char)
    bare = "".join(part for part in parts if not unicodedata.category(part).startswith("M"))
    plain = unicodedata.normalize("NFKC", bare).lower()
    return "".join(part for part in plain if unicodedata.category(part)[0] in "LN")


@lru_cache(maxsize=1)
def fold_table() -> FoldTable:
    """The table of all characters, 4.3 MiB, made once a process in 0.1 s."""
    singles = np.zeros(CODE_POINTS, dtype=np.uint32)
    expansions: list[int] = []
    for first, last in _LOOKED_AT:
        for code in range(first, last + 1):
            if unicodedata.category(chr(code)) in ("Cn", "Cc", "Cf"):
                continue
            folded = [ord(char) for char in folded_character(chr(code))]
            if len(folded) == 1:
                singles[code] = folded[0]
            elif folded:
                singles[code] = int(_LONG) | len(expansions) << _LENGTH_BITS | len(folded)
                expansions += folded
    for first, last in _UNCHANGED:
        singles[first : last + 1] = np.arange(first, last + 1)
    return FoldTable(singles, np.array(expansions, dtype=np.uint32))


def fold_texts(codes: UInt32Array, starts: Int64Array, stops: Int64Array) -> FoldedTexts:
    """Fold texts.

    Args:
        codes: Code points of all texts.
        starts: First code point of each text, shape (texts,).
        stops: End of each text, shape (texts,).
    """
    table = fold_table()
    return FoldedTexts(*_fold(codes, starts, stops, table.singles, table.expansions))


@compiled
def _fold(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    singles: UInt32Array,
    expansions: UInt32Array,
) -> tuple[UInt32Array, Int32Array, Int64Array]:
    size = 0
    for text in range(len(starts)):
        for at in range(starts[text], stops[text]):
            single = singles[codes[at]]
            if single >= _LONG:
                size += single & _LENGTH_MASK
            else:
                size += single != 0
    folded = np.empty(size, dtype=np.uint32)
    places = np.empty(size, dtype=np.int32)
    offsets = np.zeros(len(starts) + 1, dtype=np.int64)
    size = 0
    for text in range(len(starts)):
        begin = starts[text]
        for at in range(begin, stops[text]):
            single = singles[codes[at]]
            if single >= _LONG:
                first = np.int64((single ^ _LONG) >> np.uint32(_LENGTH_BITS))
                for number in range(np.int64(single & _LENGTH_MASK)):
                    folded[size] = expansions[first + number]
                    places[size] = at - begin
                    size += 1
            elif single != 0:
                folded[size] = single
                places[size] = at - begin
                size += 1
        offsets[text + 1] = size
    return folded, places, offsets


@compiled
def mixed(code: np.uint32) -> np.uint64:
    """A folded code point spread over 64 bits."""
    spread = np.uint64(code) * _CHARACTER
    return spread ^ (spread >> _HALF)


@compiled
def final_key(total: np.uint64, size: int) -> np.uint64:
    """The key of an n-gram from the sum over its characters; never 0."""
    key = (total ^ np.uint64(size)) * _FINAL
    key ^= key >> _THIRD
    key *= _CHARACTER
    key ^= key >> _HALF
    return key if key != np.uint64(0) else np.uint64(1)


@compiled
def power_of_base(exponent: int) -> np.uint64:
    """The factor of the character that leaves a window."""
    power = np.uint64(1)
    for _ in range(exponent):
        power *= _BASE
    return power


@compiled
def with_next(total: np.uint64, code: np.uint32) -> np.uint64:
    """The sum over a window's characters and one behind them."""
    return total * _BASE + mixed(code)


@compiled
def gram_keys(
    codes: UInt32Array, begins: Int64Array, ends: Int64Array, size: int
) -> tuple[UInt64Array, Int64Array]:
    """The keys of all n-grams of stretches of folded texts.

    A stretch that is shorter than an n-gram has one key, of the whole of it. Two n-grams of N
    different ones have the same key with a probability of about N^2 / 2^65.

    Args:
        begins: Where each stretch begins in ``codes``.
        ends: Where each ends; none is empty.
        size: Characters of an n-gram.
    Returns:
        Keys, and the stretch of each, in the order of both.
    Source:
        Karp and Rabin, Efficient randomized pattern-matching algorithms, 1987, modulo 2^64, with
        the finalizer of SplitMix64.
    """
    count = 0
    for stretch in range(len(begins)):
        count += max(1, ends[stretch] - begins[stretch] - size + 1)
    keys = np.empty(count, dtype=np.uint64)
    owners = np.empty(count, dtype=np.int64)
    count = 0
    for stretch in range(len(begins)):
        begin, end = begins[stretch], ends[stretch]
        own = min(size, end - begin)
        leaving = power_of_base(own)
        total = np.uint64(0)
        for at in range(begin, end):
            total = with_next(total, codes[at])
            if at - begin >= own:
                total -= mixed(codes[at - own]) * leaving
            if at - begin >= own - 1:
                keys[count] = final_key(total, own)
                owners[count] = stretch
                count += 1
    return keys, owners
