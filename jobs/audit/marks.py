"""Places in a text that a person should look at: words, spans, and where two texts differ.

Places are code points. The work is bounded for any two texts: a comparison takes a fixed number of
passes over their pieces.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MAX_MARKS = 100
"""Most marks of a text."""

_PIECE = re.compile(r"[^。！？!?；;，,\s]*[。！？!?；;，,\s]|[^。！？!?；;，,\s]+")
_MAX_DEPTH = 16
"""Rounds of a comparison; what is left then counts as different."""


class Mark(NamedTuple):
    """A place in a text, in code points."""

    start: int
    length: int
    what: str
    """What is there: ``differs``, ``toxic``, a kind of personal data, a word's category."""


class PieceBlock(NamedTuple):
    """Pieces of one text, and pieces of another that are in their place."""

    start: int
    stop: int
    other_start: int
    other_stop: int


def word_marks(text: str, words: Mapping[str, str]) -> list[Mark]:
    """Mark the occurrences of words, those inside others too.

    Args:
        words: Word -> what its marks say.

    >>> word_marks("abab", {"ab": "x"})
    [Mark(start=0, length=2, what='x'), Mark(start=2, length=2, what='x')]
    """
    found = []
    for word, what in words.items():
        at = text.find(word) if word else -1
        of_word = 0
        while at >= 0 and of_word < MAX_MARKS:
            found.append(Mark(at, len(word), what))
            of_word += 1
            at = text.find(word, at + 1)
    return sorted(found)[:MAX_MARKS]


def stretch_of(
    text: str, marks: Sequence[Mark], most: int, default: int = 0
) -> tuple[str, list[Mark]]:
    """Cut the part of a text around its first mark.

    Args:
        most: Most code points of the part; a quarter of them lie before the mark.
        default: Place to show where there is no mark.
    Returns:
        The part, and the marks in it, where they lie in the part.

    >>> stretch_of("0123456789", [Mark(8, 1, "x"), Mark(1, 1, "y")], 4)
    ('0123', [Mark(start=1, length=1, what='y')])
    """
    ordered = sorted(marks)
    first = ordered[0].start if ordered else default
    start = max(0, min(first - most // 4, len(text) - most))
    stop = min(start + most, len(text))
    inside = []
    for mark in ordered:
        begins, ends = max(mark.start, start), min(mark.start + mark.length, stop)
        if begins < ends:
            inside.append(Mark(begins - start, ends - begins, mark.what))
    return text[start:stop], inside[:MAX_MARKS]


def difference_marks(text: str, other: str, what: str) -> tuple[list[Mark], list[Mark]]:
    """Mark where two texts differ, in each of them.

    Texts are compared by clauses: those that occur once in both are matched in the longest order
    that both have, and what lies between two matches is compared in the same way. Of clauses that
    stand in each other's place, the characters at both ends that are equal are not marked.

    >>> difference_marks("one, two, six.", "one, too, six.", "differs")[0]
    [Mark(start=6, length=1, what='differs')]
    """
    pieces, others = _PIECE.findall(text), _PIECE.findall(other)
    starts, other_starts = _starts(pieces), _starts(others)
    found: tuple[list[Mark], list[Mark]] = [], []
    for block in sorted(_different_blocks(pieces, others)):
        at, other_at = starts[block.start], other_starts[block.other_start]
        here = text[at : starts[block.stop]]
        there = other[other_at : other_starts[block.other_stop]]
        before = _equal_start(here, there)
        behind = _equal_start(here[before:][::-1], there[before:][::-1])
        for marks, start, part in ((found[0], at, here), (found[1], other_at, there)):
            length = len(part) - before - behind
            if length > 0:
                marks.append(Mark(start + before, length, what))
    return found[0][:MAX_MARKS], found[1][:MAX_MARKS]


def _equal_start(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _starts(pieces: Sequence[str]) -> list[int]:
    """Return where each piece starts, and where the last one ends."""
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    return starts


def _different_blocks(pieces: Sequence[str], others: Sequence[str]) -> Iterable[PieceBlock]:
    """Yield the blocks of two lists that differ, in no order."""
    waiting = [(PieceBlock(0, len(pieces), 0, len(others)), 0)]
    while waiting:
        block, depth = waiting.pop()
        block = _without_equal_ends(block, pieces, others)
        if block.start == block.stop and block.other_start == block.other_stop:
            continue
        anchors = _anchors(block, pieces, others) if depth < _MAX_DEPTH else []
        if not anchors:
            yield block
            continue
        start, other_start = block.start, block.other_start
        for at, other_at in [*anchors, (block.stop, block.other_stop)]:
            waiting.append((PieceBlock(start, at, other_start, other_at), depth + 1))
            start, other_start = at + 1, other_at + 1


def _without_equal_ends(
    block: PieceBlock, pieces: Sequence[str], others: Sequence[str]
) -> PieceBlock:
    """Leave out the pieces at both ends of a block that are equal."""
    start, stop, other_start, other_stop = block
    while start < stop and other_start < other_stop and pieces[start] == others[other_start]:
        start, other_start = start + 1, other_start + 1
    while start < stop and other_start < other_stop and pieces[stop - 1] == others[other_stop - 1]:
        stop, other_stop = stop - 1, other_stop - 1
    return PieceBlock(start, stop, other_start, other_stop)


def _anchors(
    block: PieceBlock, pieces: Sequence[str], others: Sequence[str]
) -> list[tuple[int, int]]:
    """Return pairs of equal pieces, each of which occurs once on both sides, in an order that both
    sides have: the longest one.

    Source: patience diff (Bram Cohen).
    """
    times = Counter(pieces[block.start : block.stop])
    other_times = Counter(others[block.other_start : block.other_stop])
    places = {
        others[at]: at
        for at in range(block.other_start, block.other_stop)
        if other_times[others[at]] == 1
    }
    pairs = [
        (at, places[pieces[at]])
        for at in range(block.start, block.stop)
        if times[pieces[at]] == 1 and pieces[at] in places
    ]
    # The longest increasing run of places: its last places by length, and the pair before each.
    lasts: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(lasts, place)
        before.append(ends[length - 1] if length else -1)
        lasts[length : length + 1] = [place]
        ends[length : length + 1] = [number]
    longest = []
    number = ends[-1] if ends else -1
    while number >= 0:
        longest.append(pairs[number])
        number = before[number]
    return longest[::-1]
