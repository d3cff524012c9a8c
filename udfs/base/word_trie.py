"""A set of words as a trie in arrays, for compiled functions that search texts for words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt32Array, UInt64Array
from udfs.base.code_points import CODE_POINTS
from udfs.base.hash_table import ABSENT, find_value, hash_map
from udfs.base.jit import compiled

PAIRS = 1 << 16
"""Entries of `WordTrie.begins`."""

_PAIR, _SINGLE = 1, 2
_SINGLE_PLACES = PAIRS - 1


@dataclass(frozen=True)
class WordTrie:
    """A trie of words; node 0 is the empty prefix."""

    keys: UInt64Array
    """Hash table of edges, each node * CODE_POINTS + character + 1."""
    nodes: Int32Array
    """Child node of each edge, at the same index as in keys."""
    words: Int64Array
    """Node -> index of the word that ends there, or ABSENT."""
    begins: npt.NDArray[np.bool_]
    """Whether a word may begin with two characters, by `pair_place`: a quick test, which most
    places of a text fail."""


def word_trie(words: Sequence[str]) -> WordTrie:
    """Build the trie of words; a word's index is its position among them."""
    steps: dict[int, int] = {}
    numbers = [ABSENT]
    for number, word in enumerate(words):
        node = 0
        for char in word:
            node = steps.setdefault(node * CODE_POINTS + ord(char) + 1, len(numbers))
            if node == len(numbers):
                numbers.append(ABSENT)
        numbers[node] = number
    keys = np.fromiter(steps, dtype=np.uint64, count=len(steps))
    nodes = np.fromiter(steps.values(), dtype=np.int32, count=len(steps))
    begins = np.zeros(PAIRS, dtype=np.bool_)
    for word in words:
        begins[[pair_place(ord(word[0]), ord(second)) for second in word[1:2]]] = True
    return WordTrie(*hash_map(keys, nodes), np.array(numbers, dtype=np.int64), begins)


@compiled
def pair_place(first: int, second: int) -> int:
    """Return the index of two characters in `WordTrie.begins`; several pairs share an index."""
    return (first * 0x9E5 ^ second) & 0xFFFF


def word_beginnings(words: Sequence[str]) -> UInt8Array:
    """What `may_begin` looks at, shape (PAIRS,): bits for pairs and for words of one character."""
    beginnings = np.zeros(PAIRS, dtype=np.uint8)
    for word in words:
        first = ord(word[0])
        if len(word) == 1:
            beginnings[first & _SINGLE_PLACES] |= _SINGLE
        else:
            beginnings[pair_place(first, ord(word[1]))] |= _PAIR
    return beginnings


@compiled
def may_begin(codes: UInt32Array, at: int, stop: int, beginnings: UInt8Array) -> bool:
    """Whether a word may begin at a place: a quick test, which most places of a text fail."""
    first = int(codes[at])
    if beginnings[first & _SINGLE_PLACES] & _SINGLE:
        return True
    return at + 1 < stop and beginnings[pair_place(first, int(codes[at + 1]))] & _PAIR != 0


@compiled
def child(keys: UInt64Array, nodes: Int32Array, node: int, code: np.uint32, step: int) -> int:
    """The node that a character leads to, or ABSENT; arguments as for `longest_word`."""
    return find_value(keys, nodes, np.uint64(node * step + np.int64(code) + 1))


@compiled
def longest_word(
    codes: UInt32Array,
    at: int,
    stop: int,
    keys: UInt64Array,
    nodes: Int32Array,
    words: Int64Array,
    step: int,
) -> tuple[int, int]:
    """Find the longest word that begins at a place.

    Args:
        codes: Code points.
        at: Where the word begins.
        stop: End of the places that are searched, exclusive.
        keys: Of a `WordTrie`, as are nodes and words.
        step: CODE_POINTS.
    Returns:
        Index of the word and its length in code points; ABSENT and 0 where no word begins here.
    """
    node, found, length = 0, ABSENT, 0
    for place in range(at, stop):
        node = child(keys, nodes, node, codes[place], step)
        if node == ABSENT:
            break
        if words[node] != ABSENT:
            found, length = words[node], place + 1 - at
    return found, length
