"""Find disguised words at given places of a text, and how they are to be written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from udfs.folding.contexts import (
    CONTEXTS,
    DASHES,
    GAP,
    NEVER_BEFORE,
    SIGNS,
    SPACES,
    Context,
    is_plain,
    may_be_spelled,
)
from udfs.folding.words import CONTACT, LOOK_ALIKES, SPELLED, TABLES

_ADDRESS_SIGNS = ("/", "@", "_")
"""Behind them letters are part of an address."""

_HEARTS = "💗💕"
"""Other ways to write ❤, outside of the first plane."""
_ADDRESS_ENDS = (".", "/", "-", "_", "@")

Edit = tuple[int, int, str]
"""Where a word begins and ends, and what it is folded to."""


class WordTableError(ValueError):
    """A line of a table of words cannot be read; the message quotes it."""


@dataclass(frozen=True)
class DisguisedWord:
    """A way of writing a word."""

    written: str
    meant: str
    context: Context | None
    needs_gaps: bool
    """Whether it is folded only with signs between its characters."""
    may_have_gaps: bool
    pattern: re.Pattern[str]
    """Its characters, with groups for the signs between them where it may have some."""

    def edit(self, text: str, place: int) -> Edit | None:
        """The edit where it is written at a place of a text, in its context."""
        found = self.pattern.match(text, place)
        if found is None:
            return None
        end = found.end()
        gaps = [gap for gap in found.groups() if gap]
        if self.needs_gaps and not gaps:
            return None
        if gaps and not may_be_spelled(text, place, end, gaps):
            return None
        before, behind = text[place - 1 : place], text[end : end + 1]
        first, last = self.written[0], self.written[-1]
        if is_plain(before) and (is_plain(first) or first == "+"):
            return None
        if is_plain(first) and before in _ADDRESS_SIGNS:
            return None
        if behind and behind in NEVER_BEFORE.get(last, ""):
            return None
        if self.context is None:
            if is_plain(last) and _goes_on(text, end):
                return None
        elif not self.context.allows(text, place, end):
            return None
        return place, end, self.meant


@lru_cache(maxsize=1)
def disguised_words() -> tuple[DisguisedWord, ...]:
    """All ways of writing, in the order of the tables."""
    found = []
    for table in TABLES:
        for line in table.strip().splitlines():
            meant, context, *written = line.split()
            if context not in CONTEXTS or not written:
                raise WordTableError(
                    f"{line!r}: expected a meaning, one of {', '.join(CONTEXTS)}, and ways of "
                    "writing it"
                )
            has_gaps = table is CONTACT
            found += [_word(way, meant, CONTEXTS[context], has_gaps) for way in written]
    found += [_word(way, way, None, True, needs_gaps=True) for way in SPELLED.split()]
    return tuple(found)


@lru_cache(maxsize=1)
def words_by_first() -> dict[str, tuple[DisguisedWord, ...]]:
    """First character as it may be written -> the words that begin with it, longest first."""
    by_first: dict[str, list[DisguisedWord]] = {}
    for word in disguised_words():
        for first in ways_of(word.written[0]):
            by_first.setdefault(first, []).append(word)
    return {
        first: tuple(sorted(words, key=lambda word: -len(word.written)))
        for first, words in by_first.items()
    }


def first_pairs() -> Iterable[tuple[str, str]]:
    """First two characters of every word, as they may be written; without those of gaps."""
    for word in disguised_words():
        if not word.needs_gaps:
            for first in ways_of(word.written[0]):
                for second in ways_of(word.written[1]):
                    yield first, second


def plain_characters() -> dict[str, str]:
    """Character of the first plane that is written -> the one of the tables that it stands for,
    where they differ."""
    chars = {char for word in disguised_words() for char in word.written}
    plain = {way: _plain(char) for char in sorted(chars) for way in ways_of(char)}
    return {way: char for way, char in plain.items() if way != char and way not in _HEARTS}


def spellings() -> list[tuple[str, bool]]:
    """Every way of writing in characters of the tables, and whether it needs signs inside.

    What is listed with and without is last without.
    """
    words = sorted(disguised_words(), key=lambda word: not word.needs_gaps)
    return [
        ("".join(map(_plain, word.written.replace("❤", heart))), word.needs_gaps)
        for word in words
        for heart in ("❤" + _HEARTS if "❤" in word.written else "❤")
    ]


def spelled_firsts() -> Iterable[str]:
    """First characters, as they may be written, of words that may have signs inside."""
    for word in disguised_words():
        if word.may_have_gaps:
            yield from ways_of(word.written[0])


def gap_signs() -> str:
    """Signs that may stand between characters of a word."""
    return SIGNS + DASHES + SPACES


def edits_of(text: str, places: Sequence[int]) -> list[Edit]:
    """The edits of a text, of words that begin at some of its places; they do not overlap.

    Args:
        places: Ascending.
    """
    table = words_by_first()
    edits: list[Edit] = []
    done = 0
    for place in places:
        if place < done:
            continue
        for word in table.get(text[place], ()):
            edit = word.edit(text, place)
            if edit is not None:
                edits.append(edit)
                done = edit[1]
                break
    return edits


def ways_of(char: str) -> str:
    """The characters that one of a table stands for."""
    if char.isascii() and char.isalpha():
        return char.lower() + char.upper() + LOOK_ALIKES.get(char.lower(), "")
    return {"+": "+＋", "❤": "❤♡" + _HEARTS}.get(char, char)


def _plain(char: str) -> str:
    return char.lower() if char.isascii() else char


def _word(
    written: str, meant: str, context: Context | None, has_gaps: bool, needs_gaps: bool = False
) -> DisguisedWord:
    if len(written) < 2:
        raise WordTableError(f"{written!r}: expected two characters or more")
    parts = [f"[{re.escape(ways_of(char))}]" for char in written]
    pattern = re.compile((GAP if has_gaps else "").join(parts))
    return DisguisedWord(written, meant, context, needs_gaps, has_gaps, pattern)


def _goes_on(text: str, end: int) -> bool:
    """Whether letters, or the rest of an address, follow."""
    behind = text[end : end + 2]
    return is_plain(behind[:1]) or (behind[:1] in _ADDRESS_ENDS and is_plain(behind[1:]))
