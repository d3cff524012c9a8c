"""A language model of characters in memory, which scores many lines at once.

The scores are KenLM's: log10 of the probability of each character after those before it in its
line, and of the line's end, with backoff where an n-gram is unknown.

Source:
    Heafield 2011, KenLM.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from udfs.base.array_types import Float32Array, Float64Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts
from udfs.base.hash_table import FREE, table_size
from udfs.base.jit import compiled, inlined, prefetch, uncounted
from udfs.models.char_lm_tables import (
    MOST_ORDER,
    MULTIPLIER,
    UNHEARD,
    NGramTable,
    NGramTables,
    key_of,
)

_UNKNOWN_NUMBER, _BEGIN_NUMBER, _END_NUMBER = range(3)
_SPACES = frozenset(" \t\n\r\u3000\xa0\u200b\ufeff")
_NO_WORD = np.uint32(0xFFFFFFFF)
_AHEAD = 16
"""Words between the look-up of an n-gram and the time when its entry is fetched; a power of two."""


class CharLanguageModel:
    """A language model that scores many lines at once.

    Attributes:
        order: Words of the longest n-gram.
    """

    def __init__(self, ngrams: NGramTables) -> None:
        """Build the look-up tables; words of several characters are never looked up."""
        first, *longer = ngrams.orders
        self.order = len(ngrams.orders)
        self._words = _word_table(ngrams.vocabulary)
        self._unigrams = np.full((len(ngrams.vocabulary), 2), (UNHEARD, 0), dtype=np.float32)
        self._unigrams[first.words[:, 0]] = _pairs(first)
        self._entries, self._values = _hash_table(longer)

    def line_scores(
        self, codes: UInt32Array, begins: Int64Array, stops: Int64Array
    ) -> tuple[Float64Array, Int64Array]:
        """Compute log10 of the probability of each line, and count its characters.

        White space is skipped. A character that the model lacks is read as its plain form (small
        for capital, narrow for wide, 0 for a digit), else as the unknown word.

        Args:
            codes: Code points of texts.
            begins: Where each line begins in codes.
            stops: Where each line stops, exclusive.
        Returns:
            The sum over the characters and the line's end, and the number of the characters; both
            of shape (lines,). The line's end counts too, so perplexity is
            10 ** (-score / (characters + 1)).
        """
        scores = np.zeros(len(begins), dtype=np.float64)
        counts = np.zeros(len(begins), dtype=np.int64)
        numbers = _numbers(codes, begins, stops, self._words, counts)
        _score(numbers, self._unigrams, self._entries, self._values, self.order, scores)
        return scores, counts

    def encoded_scores(self, lines: EncodedTexts) -> tuple[Float64Array, Int64Array]:
        """Score each text as one line, as `line_scores` does."""
        return self.line_scores(lines.codes, lines.starts, lines.stops)


def plain_character(char: str) -> str:
    """Return the plain form of a character: small, narrow, 0 for a digit; itself without one.

    >>> "".join(map(plain_character, "Ａ8中"))
    'a0中'
    """
    plain = unicodedata.normalize("NFKC", char).lower()
    if len(plain) != 1:
        return char
    return "0" if plain.isdigit() else plain


def _word_table(vocabulary: Sequence[str]) -> UInt32Array:
    """Code point -> number of the word it is read as; _NO_WORD for white space."""
    number_of = {word: number for number, word in enumerate(vocabulary) if len(word) == 1}
    words = np.zeros(CODE_POINTS, dtype=np.uint32)
    for code, plain in _variants():
        words[code] = number_of.get(plain, _UNKNOWN_NUMBER)
    for char, number in number_of.items():
        words[ord(char)] = number
    words[[ord(char) for char in _SPACES]] = _NO_WORD
    return words


@lru_cache(maxsize=1)
def _variants() -> list[tuple[int, str]]:
    """List the characters of the basic plane that have another plain form, with that form."""
    return [
        (code, plain)
        for code in range(0x10000)
        if not 0xD800 <= code < 0xE000 and (plain := plain_character(chr(code))) != chr(code)
    ]


def _pairs(order: NGramTable) -> Float32Array:
    return np.stack([order.log10, order.backoff], axis=1).astype(np.float32)


def _hash_table(orders: Sequence[NGramTable]) -> tuple[UInt64Array, Float32Array]:
    """Build the hash table of all n-grams, of which half is free.

    An entry is a key and behind it two values, so that one cache line holds both.

    Returns:
        The table as 2 numbers of 64 bits an entry, and as 4 numbers of 32 bits.
    """
    entries = np.full(2 * table_size(sum(len(order.words) for order in orders)), FREE, np.uint64)
    values = entries.view(np.float32)
    for order in orders:
        _fill(entries, values, key_of(order.words), _pairs(order))
    return entries, values


@compiled
def _fill(
    entries: UInt64Array, values: Float32Array, keys: UInt64Array, its_values: Float32Array
) -> None:
    for number in range(len(keys)):
        slot = _find(entries, keys[number])
        entries[2 * slot] = keys[number]
        values[4 * slot + np.uint64(2)] = its_values[number, 0]
        values[4 * slot + np.uint64(3)] = its_values[number, 1]


@inlined
def _find(entries: UInt64Array, key: np.uint64) -> np.uint64:
    """The slot of a key, or the free slot where it belongs."""
    mask = np.uint64(len(entries) // 2 - 1)
    slot = (key >> np.uint64(20)) & mask
    while entries[2 * slot] != key and entries[2 * slot] != np.uint64(FREE):
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def _numbers(
    codes: UInt32Array,
    begins: Int64Array,
    stops: Int64Array,
    words: UInt32Array,
    counts: Int64Array,
) -> UInt32Array:
    """The words of all lines as numbers, each line between its begin and end; count them."""
    size = 2 * len(begins)
    for line in range(len(begins)):
        size += stops[line] - begins[line]
    numbers = np.empty(size, dtype=np.uint32)
    size = 0
    for line in range(len(begins)):
        numbers[size] = _BEGIN_NUMBER
        size += 1
        first = size
        for at in range(begins[line], stops[line]):
            number = words[codes[at]]
            numbers[size] = number
            size += number != _NO_WORD
        counts[line] = size - first
        numbers[size] = _END_NUMBER
        size += 1
    return numbers[:size]


@compiled
def _score(
    numbers: UInt32Array,
    unigrams: Float32Array,
    entries: UInt64Array,
    values: Float32Array,
    order: int,
    scores: Float64Array,
) -> None:
    entries, values = uncounted(entries), uncounted(values)
    mask = np.uint64(len(entries) // 2 - 1)
    # Keys of the n-grams that end at the next places; their entries are on the way to the cache.
    keys = np.zeros((_AHEAD, MOST_ORDER), dtype=np.uint64)
    behind_begin = 0
    # The backoffs of the n-grams that end with the preceding words, shortest first.
    backoffs = np.zeros(MOST_ORDER, dtype=np.float64)
    line = -1
    known = 0
    total = 0.0
    for ahead in range(len(numbers) + _AHEAD):
        at = ahead - _AHEAD
        if at >= 0:
            word = numbers[at]
            if word == _BEGIN_NUMBER:
                line += 1
                total = 0.0
                known = min(1, order - 1)
                backoffs[0] = unigrams[_BEGIN_NUMBER, 1]
            else:
                # Find the longest n-gram that ends here; the model knows all its prefixes.
                score = np.float64(unigrams[word, 0])
                backoff = np.float64(unigrams[word, 1])
                length = 1
                while length <= known:
                    key = keys[at & (_AHEAD - 1), length]
                    slot = _find(entries, key)
                    if entries[2 * slot] == np.uint64(FREE):
                        break
                    score = np.float64(values[4 * slot + np.uint64(2)])
                    backoffs[length - 1] = backoff
                    backoff = np.float64(values[4 * slot + np.uint64(3)])
                    length += 1
                # Back off from contexts that are longer than the n-gram that was found.
                for context in range(length - 1, known):
                    score += backoffs[context]
                total += score
                backoffs[length - 1] = backoff
                known = min(length, order - 1)
                if word == _END_NUMBER:
                    scores[line] = total
        if ahead < len(numbers):
            word = numbers[ahead]
            if word == _BEGIN_NUMBER:
                behind_begin = 0
                continue
            behind_begin += 1
            key = (np.uint64(word) + np.uint64(1)) * np.uint64(MULTIPLIER)
            key ^= key >> np.uint64(29)
            for length in range(1, min(behind_begin, order - 1) + 1):
                before = np.uint64(numbers[ahead - length]) + np.uint64(1)
                key = (key ^ before) * np.uint64(MULTIPLIER)
                key ^= key >> np.uint64(29)
                keys[ahead & (_AHEAD - 1), length] = key
                prefetch(entries, 2 * ((key >> np.uint64(20)) & mask))
