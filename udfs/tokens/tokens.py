"""The tokens of texts as arrays: where they stand, and the hashes that models know them by.

A text is cut once for all models that want the same words, and no token becomes a string: what a
model reads of it are hashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from udfs.base.array_types import BoolArray, Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.hash_table import FREE, find_slot, table_size
from udfs.base.jit import compiled
from udfs.base.model_constants import LABEL_PREFIX
from udfs.tokens.token_hashes import hash_bytes

Numbers = Int32Array | Int64Array | slice
"""Numbers of tokens, as they index arrays."""

_NOT_FREE = 0xFFFF_FFFF_FFFF_FFFF
"""Stands for a token's key of 0, which a hash table takes for a free slot."""

END_OF_LINE = "</s>"
"""The token that fastText puts behind every line, and ends it at."""

# What parts tokens of a line. Source: fastText, Dictionary::readWord (v0.9.2).
_TOKEN = re.compile("[^ \r\t\v\f\0]+")


@dataclass(frozen=True)
class Places:
    """Where tokens stand. Arrays of shape (tokens,), but for codes."""

    codes: UInt32Array
    """Code points that the tokens are cut from."""
    begins: Int64Array
    """Where a token begins in codes."""
    lengths: Int32Array
    """Its code points."""
    starts: Int32Array
    """Where it begins in its text, in code points."""
    stops: Int32Array
    """Where it ends there."""

    def of(self, numbers: Numbers) -> Places:
        """The places of some tokens, by number."""
        return Places(
            self.codes,
            self.begins[numbers],
            self.lengths[numbers],
            self.starts[numbers],
            self.stops[numbers],
        )


class Tokens:
    """The tokens of some texts, in order; iterating gives the range of each text's tokens.

    Attributes:
        hashes: fastText's, shape (tokens,).
        keys: Which word it is, shape (tokens,).
        bounds: Where the tokens of each text begin, and where the last one's end, shape
            (texts + 1,).
    """

    def __init__(
        self,
        places_of: Callable[[Numbers], Places],
        hashes: UInt32Array,
        keys: UInt64Array,
        bounds: Int64Array,
    ) -> None:
        """Put tokens together.

        Args:
            places_of: Returns where some of them stand, by number; few models ask for that.
        """
        self.places_of = places_of
        self.hashes = hashes
        self.keys = keys
        self.bounds = bounds

    @cached_property
    def places(self) -> Places:
        """Where each token stands."""
        return self.places_of(slice(None))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __iter__(self) -> Iterator[range]:
        bounds = self.bounds.tolist()
        return (range(first, last) for first, last in pairwise(bounds))

    def lines(self) -> list[str]:
        """The token line of each text, for a model that takes no hashes."""
        return self.part_lines(np.stack([self.bounds[:-1], self.bounds[1:]], axis=1))

    def part_lines(self, spans: Int64Array) -> list[str]:
        """The token lines of parts: first token and the one behind the last, shape (parts, 2)."""
        places = self.places
        letters = places.codes.tobytes().decode("utf-32-le")
        words = [
            letters[begin : begin + length]
            for begin, length in zip(places.begins.tolist(), places.lengths.tolist(), strict=True)
        ]
        return [" ".join(words[first:last]) for first, last in spans.tolist()]

    def with_more(self, added: Tokens, ends: Sequence[int]) -> Tokens:
        """These, with further tokens behind those of each text that has any; they stand nowhere.

        Args:
            added: Of the same texts, whatever they are cut from.
            ends: Where each text ends, in code points, which is where they are said to stand.
        """
        if not len(added.keys):
            return self
        numbers, hashes, keys, bounds = _merge(
            self.hashes, self.keys, self.bounds, added.hashes, added.keys, added.bounds
        )

        def places_of(wanted: Numbers) -> Places:
            own, more = self.places, added.places
            nowhere = np.repeat(np.array(ends, dtype=np.int32), np.diff(added.bounds))
            both = Places(
                np.concatenate([own.codes, more.codes]),
                np.concatenate([own.begins, len(own.codes) + more.begins]),
                np.concatenate([own.lengths, more.lengths]),
                np.concatenate([own.starts, nowhere]),
                np.concatenate([own.stops, nowhere]),
            )
            return both.of(numbers[wanted])

        return Tokens(places_of, hashes, keys, bounds)

    def without(self, is_dropped: BoolArray) -> Tokens:
        """These without some; shape (tokens,)."""
        numbers, hashes, keys, bounds = _select(self.hashes, self.keys, self.bounds, is_dropped)
        return Tokens(lambda wanted: self.places_of(numbers[wanted]), hashes, keys, bounds)


@compiled
def _select(
    hashes: UInt32Array, keys: UInt64Array, bounds: Int64Array, is_dropped: BoolArray
) -> tuple[Int32Array, UInt32Array, UInt64Array, Int64Array]:
    """The tokens that are not dropped: numbers, hashes, keys, and bounds of texts."""
    count = 1  # a dropped token is written too, and then overwritten: a branch takes longer
    for token in range(len(keys)):
        count += not is_dropped[token]
    numbers = np.empty(count, np.int32)
    of_hashes, of_keys = np.empty(count, np.uint32), np.empty(count, np.uint64)
    of_bounds = np.empty(len(bounds), np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        of_bounds[text] = count
        for token in range(bounds[text], bounds[text + 1]):
            numbers[count] = token
            of_hashes[count] = hashes[token]
            of_keys[count] = keys[token]
            count += not is_dropped[token]
    of_bounds[len(bounds) - 1] = count
    return numbers[:count], of_hashes[:count], of_keys[:count], of_bounds


@compiled
def _merge(
    hashes: UInt32Array,
    keys: UInt64Array,
    bounds: Int64Array,
    added_hashes: UInt32Array,
    added_keys: UInt64Array,
    added_bounds: Int64Array,
) -> tuple[Int32Array, UInt32Array, UInt64Array, Int64Array]:
    """The tokens of each text and behind them further ones, whose numbers follow those of all."""
    count = len(keys) + len(added_keys)
    numbers = np.empty(count, np.int32)
    of_hashes, of_keys = np.empty(count, np.uint32), np.empty(count, np.uint64)
    of_bounds = np.empty(len(bounds), np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        of_bounds[text] = count
        first, last = bounds[text], bounds[text + 1]
        for token in range(first, last):
            numbers[count] = token
            of_hashes[count] = hashes[token]
            of_keys[count] = keys[token]
            count += 1
        if first == last:
            continue
        for token in range(added_bounds[text], added_bounds[text + 1]):
            numbers[count] = len(keys) + token
            of_hashes[count] = added_hashes[token]
            of_keys[count] = added_keys[token]
            count += 1
    of_bounds[len(bounds) - 1] = count
    return numbers[:count], of_hashes[:count], of_keys[:count], of_bounds


def tokens_of_words(words: Sequence[Sequence[str]]) -> Tokens:
    """Some words of each text as tokens, which stand nowhere in it."""
    # The same few words come again and again: each is hashed once.
    every = list(chain.from_iterable(words))
    known = {word: number for number, word in enumerate(dict.fromkeys(every))}
    numbers = np.fromiter(map(known.__getitem__, every), dtype=np.int32, count=len(every))
    hashes, keys = hash_bytes([word.encode("utf-8") for word in known])
    lengths = np.array([len(word) for word in known], dtype=np.int32)
    begins = np.cumsum(lengths, dtype=np.int64) - lengths
    nowhere = np.zeros(len(known), dtype=np.int32)
    codes = np.frombuffer("".join(known).encode("utf-32-le"), dtype=np.uint32)
    places = Places(codes, begins, lengths, nowhere, nowhere)
    bounds = np.concatenate([[0], np.cumsum([len(of_text) for of_text in words], dtype=np.int64)])
    return Tokens(lambda wanted: places.of(numbers[wanted]), hashes[numbers], keys[numbers], bounds)


def tokens_of_lines(lines: Sequence[str]) -> Tokens:
    """The tokens that fastText reads of token lines.

    A token in the shape of a label is none, and one that looks like a line's end is one.

    Raises:
        ValueError: a line holds a line break.
    """
    places: list[tuple[int, int]] = []
    tokens: list[str] = []
    bounds = [0]
    for line in lines:
        if "\n" in line:
            raise ValueError("a model reads one line at a time (take the line breaks out)")
        for found in _TOKEN.finditer(line):
            token = found[0]
            if token == END_OF_LINE:
                break
            if not token.startswith(LABEL_PREFIX):
                tokens.append(token)
                places.append(found.span())
        bounds.append(len(tokens))
    hashes, keys = hash_bytes([token.encode("utf-8") for token in tokens])
    spans = np.array(places, dtype=np.int32).reshape(-1, 2)
    lengths = spans[:, 1] - spans[:, 0]
    stand = Places(
        np.frombuffer("".join(tokens).encode("utf-32-le"), dtype=np.uint32),
        np.cumsum(lengths, dtype=np.int64) - lengths,
        lengths,
        np.ascontiguousarray(spans[:, 0]),
        np.ascontiguousarray(spans[:, 1]),
    )
    return Tokens(stand.of, hashes, keys, np.array(bounds, dtype=np.int64))


@compiled
def drop_repeated(keys: UInt64Array, bounds: Int64Array, is_dropped: BoolArray) -> None:
    """Mark the tokens that repeat one of their text that is not dropped; shape (tokens,)."""
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    entries = np.empty(table_size(longest), dtype=np.uint64)
    for text in range(len(bounds) - 1):
        seen = entries[: table_size(bounds[text + 1] - bounds[text])]
        seen[:] = FREE
        for token in range(bounds[text], bounds[text + 1]):
            if is_dropped[token]:
                continue
            key = keys[token] if keys[token] != np.uint64(FREE) else np.uint64(_NOT_FREE)
            slot = find_slot(seen, key)
            is_dropped[token] = seen[slot] != np.uint64(FREE)
            seen[slot] = key
