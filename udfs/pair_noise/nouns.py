"""Nouns of a text, as rjieba cuts and tags it."""

from __future__ import annotations

from typing import NamedTuple

import rjieba

MIN_CHARS = 2
"""Fewest characters of a noun that is a concept: a single one (人, 图) is often a part of a word
that the dictionary lacks."""


class Word(NamedTuple):
    """A word of a text."""

    start: int
    """First code point in the text."""
    text: str
    is_noun: bool
    """Whether its tag is n or begins so: also names of persons, places and organisations. Verbal
    nouns (vn) and Latin words (eng) are none."""

    @property
    def stop(self) -> int:
        """The code point behind its last one."""
        return self.start + len(self.text)


def words_of(text: str) -> list[Word]:
    """Cut a text into words; together they are the text.

    >>> [(word.start, word.text, word.is_noun) for word in words_of("雨中的老桥")]
    [(0, '雨中', False), (2, '的', False), (3, '老桥', True)]
    """
    found, at = [], 0
    for word, tag in rjieba.tag(text, True):
        found.append(Word(at, word, tag[0] == "n"))
        at += len(word)
    return found


def nouns_of(text: str, min_chars: int = MIN_CHARS) -> list[str]:
    """The distinct nouns of a text, in the order in which they first occur.

    >>> nouns_of("老桥与集市，老桥的雨")
    ['老桥', '集市']
    """
    nouns = (word.text for word in words_of(text) if word.is_noun and len(word.text) >= min_chars)
    return list(dict.fromkeys(nouns))
