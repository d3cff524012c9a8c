"""A gazetteer: names of entities, found in texts where they are whole words with a noun.

The file has one name a line, as titles of an encyclopedia are published. Names are matched as they
are written; of those that overlap the longest stays, then the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from udfs.pair_noise.nouns import words_of

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

MIN_NAME_CHARS = 2
MAX_NAME_CHARS = 100
"""A longer line is a sentence, and the file no list of names."""
MAX_NAMES = 20_000_000
MAX_VOCABULARY = 100_000
"""Most words that every image is compared with."""


class NamesFileError(ValueError):
    """A file is no list of names."""


class Mention(NamedTuple):
    """A name in a text."""

    start: int
    """First code point."""
    text: str

    @property
    def stop(self) -> int:
        """The code point behind its last one."""
        return self.start + len(self.text)


class Gazetteer:
    """Names of entities, ready to be searched for (Aho-Corasick)."""

    def __init__(self, names: Sequence[str]) -> None:
        """Hold names of MIN_NAME_CHARS and more."""
        from ahocorasick_rs import AhoCorasick, MatchKind

        self._names = names
        self._automaton: AhoCorasick = AhoCorasick(names, matchkind=MatchKind.Standard)

    def __len__(self) -> int:
        return len(self._names)

    def mentions(self, text: str) -> list[Mention]:
        """Find the names of a text, in order; they do not overlap.

        A name begins and ends where a word does, so that 中国 is none in 发展中国家, and one of its
        words is a noun or of ASCII characters.
        """
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return []
        words = words_of(text)
        starts = {word.start for word in words}
        stops = {word.stop for word in words}
        nouns = [word for word in words if word.is_noun or word.text.isascii()]
        whole = [
            Mention(start, self._names[number])
            for number, start, stop in found
            if start in starts
            and stop in stops
            and any(start <= noun.start and noun.stop <= stop for noun in nouns)
        ]
        return _longest(whole)


def read_names(path: Path) -> list[str]:
    """Read a file of names or words: UTF-8, one a line, distinct, in order; empty lines and those
    of one character are skipped.

    Raises:
        NamesFileError: not UTF-8, a line that is longer than MAX_NAME_CHARS, more than MAX_NAMES,
            or no name.
    """
    names: dict[str, None] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                name = line.strip()
                if len(name) > MAX_NAME_CHARS:
                    raise NamesFileError(
                        f"{path}: line {number}: {len(name):,} characters: a name has at most "
                        f"{MAX_NAME_CHARS}"
                    )
                if len(name) >= MIN_NAME_CHARS:
                    names[name] = None
                if len(names) > MAX_NAMES:
                    raise NamesFileError(f"{path}: more than {MAX_NAMES:,} names")
    except UnicodeDecodeError as error:
        raise NamesFileError(f"{path}: not UTF-8: {error}") from error
    if not names:
        raise NamesFileError(f"{path}: no name of {MIN_NAME_CHARS} characters or more")
    return list(names)


def _longest(mentions: Sequence[Mention]) -> list[Mention]:
    """Those that stay where mentions overlap: the longest, then the first; in order."""
    taken: list[Mention] = []
    for one in sorted(mentions, key=lambda mention: (-len(mention.text), mention.start)):
        if all(one.stop <= other.start or other.stop <= one.start for other in taken):
            taken.append(one)
    return sorted(taken)
