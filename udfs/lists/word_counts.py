"""Words of a lexicon in texts: how often each occurs, by one search over all words at once."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import (
    Int32Array,
    Int64Array,
    UInt8Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.code_points import CODE_POINTS, EncodedTexts
from udfs.base.hash_table import ABSENT
from udfs.base.jit import compiled, uncounted
from udfs.base.word_trie import WordTrie, child, may_begin, word_beginnings, word_trie
from udfs.lists.lexicon import Lexicon

_ROOM = 1 << 13


class WordCounts(NamedTuple):
    """The words that occur in texts, by text, then by word; shape (pairs of both,) each."""

    texts: Int64Array
    """Index of the text."""
    words: Int64Array
    """Index into ``Lexicon.words``."""
    times: Int64Array
    """Occurrences, at least 1: inside longer words and overlapping ones too."""


def count_words(lexicon: Lexicon, encoded: EncodedTexts) -> WordCounts:
    """Count the occurrences of every word in texts.

    >>> from udfs.base.code_points import encode_texts
    >>> found = count_words(Lexicon({"ab": "x", "b": "y"}), encode_texts(["", "abab b"]))
    >>> [column.tolist() for column in found]
    [[1, 1], [0, 1], [2, 3]]
    """
    trie, beginnings = _trie(lexicon)
    times = np.zeros(len(lexicon.words), dtype=np.int64)
    parts = [np.zeros((3, 0), dtype=np.int64)]
    text = 0
    while text < len(encoded.lengths):
        found = np.empty((3, len(times) + _ROOM), dtype=np.int64)
        text, pairs = _count(
            encoded.codes,
            encoded.starts,
            encoded.stops,
            trie.keys,
            trie.nodes,
            trie.words,
            beginnings,
            CODE_POINTS,
            text,
            times,
            found,
        )
        parts.append(found[:, :pairs])
    pairs_found = np.concatenate(parts, axis=1)
    order = np.lexsort((pairs_found[1], pairs_found[0]))
    return WordCounts(*pairs_found[:, order])


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    keys: UInt64Array,
    nodes: Int32Array,
    words: Int64Array,
    beginnings: UInt8Array,
    step: int,
    first: int,
    times: Int64Array,
    found: Int64Array,
) -> tuple[int, int]:
    """Count words from a text on, while there is room.

    Args:
        keys: Of a `WordTrie`, as are nodes and words.
        beginnings: As `word_beginnings` returns them.
        step: CODE_POINTS.
        first: Index of the first text.
        times: A zero for each word.
        found: Room for text, word and occurrences, shape (3, pairs).
    Returns:
        Index of the text behind the last, and how many pairs were found.
    """
    codes, keys, nodes = uncounted(codes), uncounted(keys), uncounted(nodes)
    words, beginnings, times = uncounted(words), uncounted(beginnings), uncounted(times)
    pairs = 0
    for text in range(first, len(starts)):
        if pairs + len(times) > found.shape[1]:
            return text, pairs
        before, stop = pairs, stops[text]
        for place in range(starts[text], stop):
            if not may_begin(codes, place, stop, beginnings):
                continue
            node = 0
            for at in range(place, stop):
                node = child(keys, nodes, node, codes[at], step)
                if node == ABSENT:
                    break
                word = words[node]
                if word != ABSENT:
                    if times[word] == 0:
                        found[0, pairs], found[1, pairs] = text, word
                        pairs += 1
                    times[word] += 1
        for pair in range(before, pairs):
            found[2, pair] = times[found[1, pair]]
            times[found[1, pair]] = 0
    return len(starts), pairs


@lru_cache(maxsize=4)
def _trie(lexicon: Lexicon) -> tuple[WordTrie, UInt8Array]:
    return word_trie(lexicon.words), word_beginnings(lexicon.words)
