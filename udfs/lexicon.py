"""Word lists: read, and found in texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import ahocorasick_rs

from udfs.word_list_files import LexiconError, read_words

__all__ = ["Found", "Lexicon", "LexiconError", "cached_lexicon", "read_lexicon"]

PIECE_BYTES = 1 << 20
"""Bytes searched at a time: a match costs 140 bytes while it is being listed."""


class Found(NamedTuple):
    """What of a lexicon occurs in a text."""

    words: set[int]
    """Indexes into ``Lexicon.words``: exactly the words for which ``word in text`` is true."""
    total: int
    """Occurrences of all of them."""


class Lexicon:
    """Words with their categories, and an automaton that finds them all in one pass."""

    def __init__(self, categories: Mapping[str, str]) -> None:
        """Build the automaton.

        Args:
            categories: Category of each word; no word may be empty.
        """
        self.categories = dict(categories)
        self.words = tuple(sorted(self.categories))
        # Matching UTF-8 bytes finds what matching characters finds (no character's bytes lie
        # inside another's), 1.5 times as fast as the library's str variant.
        encoded = [word.encode() for word in self.words]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            encoded, implementation=ahocorasick_rs.Implementation.DFA
        )
        self._reach = max(map(len, encoded), default=1) - 1

    def find(self, text: str) -> Found:
        """Every occurrence of every word, inside longer words and overlapping too.

        Args:
            text: Any text without lone surrogates.
        """
        words: set[int] = set()
        total = 0
        for indexes in self._found_in(text.encode()):
            words.update(indexes)
            total += len(indexes)
        return Found(words, total)

    def count(self, text: str) -> Counter[int]:
        """How often each word occurs that does, by its index into ``words``; as in ``find``."""
        counts: Counter[int] = Counter()
        for indexes in self._found_in(text.encode()):
            counts.update(indexes)
        return counts

    def _found_in(self, data: bytes) -> Iterator[list[int]]:
        """Indexes of the words that begin in one piece after another, once an occurrence."""
        find = self._automaton.find_matches_as_indexes
        if len(data) <= PIECE_BYTES:
            yield [index for index, _, _ in find(data, overlapping=True)]
            return
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES + self._reach]
            found = find(piece, overlapping=True)
            # What begins behind the piece belongs to the next one.
            yield [index for index, begin, _ in found if begin < PIECE_BYTES]


def read_lexicon(path: Path) -> Lexicon:
    """Read a word list, in any of the forms that ``read_words`` knows.

    Raises:
        LexiconError: it cannot be read.
    """
    return Lexicon(read_words(path))


@lru_cache(maxsize=4)
def cached_lexicon(path: Path, sha256: str) -> Lexicon:
    """``read_lexicon``, once a worker process for each file with its digest."""
    return read_lexicon(path)
