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
from udfs.base.hash_table import FREE, probe, table_size
from udfs.base.jit import compiled
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
        self._places, self._values = _hash_table(longer)

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
        _score(
            codes, begins, stops, self._words, self._unigrams, self._places, self._values,
            self.order, scores, counts,
        )  # fmt: skip
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
    """Build the hash table of all n-grams: keys, of which half are free, and two values each."""
    size = table_size(sum(len(order.words) for order in orders))
    places, values = np.full(size, FREE, np.uint64), np.zeros((size, 2), dtype=np.float32)
    for order in orders:
        _fill(places, values, key_of(order.words), _pairs(order))
    return places, values


@compiled
def _fill(
    places: UInt64Array, values: Float32Array, keys: UInt64Array, its_values: Float32Array
) -> None:
    for number in range(len(keys)):
        at = probe(places, keys[number], keys[number] >> np.uint64(20))
        places[at] = keys[number]
        values[at, 0] = its_values[number, 0]
        values[at, 1] = its_values[number, 1]


@compiled
def _score(
    codes: UInt32Array,
    begins: Int64Array,
    stops: Int64Array,
    words: UInt32Array,
    unigrams: Float32Array,
    places: UInt64Array,
    values: Float32Array,
    order: int,
    scores: Float64Array,
    counts: Int64Array,
) -> None:
    # The preceding words, nearest first; and the backoffs of the n-grams that end with them,
    # shortest first. Both for the n-grams that are known.
    before = np.zeros(MOST_ORDER, dtype=np.uint64)
    backoffs = np.zeros(MOST_ORDER, dtype=np.float64)
    found = np.zeros(MOST_ORDER, dtype=np.float64)
    for line in range(len(begins)):
        before[0] = _BEGIN_NUMBER
        backoffs[0] = unigrams[_BEGIN_NUMBER, 1]
        known = min(1, order - 1)
        total = 0.0
        count = 0
        for at in range(begins[line], stops[line] + 1):
            if at == stops[line]:
                word = np.uint64(_END_NUMBER)
            else:
                number = words[codes[at]]
                if number == _NO_WORD:
                    continue
                word = np.uint64(number)
                count += 1
            # Find the longest n-gram that ends here; the model knows all its prefixes.
            score = np.float64(unigrams[word, 0])
            found[0] = unigrams[word, 1]
            key = (word + np.uint64(1)) * np.uint64(MULTIPLIER)
            key ^= key >> np.uint64(29)
            length = 1
            while length <= known:
                key = (key ^ (before[length - 1] + np.uint64(1))) * np.uint64(MULTIPLIER)
                key ^= key >> np.uint64(29)
                place = probe(places, key, key >> np.uint64(20))
                if places[place] == FREE:
                    break
                score = np.float64(values[place, 0])
                found[length] = values[place, 1]
                length += 1
            # Back off from contexts that are longer than the n-gram that was found.
            for context in range(length - 1, known):
                score += backoffs[context]
            total += score
            known = min(length, order - 1)
            for step in range(known - 1, 0, -1):
                before[step] = before[step - 1]
            before[0] = word
            for step in range(known):
                backoffs[step] = found[step]
        scores[line] = total
        counts[line] = count
