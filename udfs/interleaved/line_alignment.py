"""Which lines of a text are left in a later version of it.

Versions differ by edits inside lines and by lines that were cut. A place in a text is the number of
lines before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence


def moved_places(versions: Sequence[str], places: Sequence[int]) -> list[int]:
    """Return where places of a text are in its last version.

    A place between two lines follows the last line before it that is left.

    Args:
        versions: The text as it was first, then each later version; lines end with line feeds.
        places: Numbers of lines before, ascending or not; one beyond the text is at its end.
    Returns:
        Numbers of lines of the last version, in the order of places; of two places the later one
        never comes first.

    >>> moved_places(["a\\nb\\nc\\nd", "a\\nb*\\nc\\nd", "a\\nb*\\nd"], [0, 1, 2, 3, 4])
    [0, 1, 2, 2, 3]
    """
    lines = versions[0].split("\n")
    moved = [min(max(place, 0), len(lines)) for place in places]
    for version in versions[1:]:
        later = version.split("\n")
        left = _lines_before(lines, later)
        moved = [left[place] for place in moved]
        lines = later
    return moved


def _lines_before(lines: Sequence[str], later: Sequence[str]) -> list[int]:
    """Return for each place of a text the lines of its next version that are before it."""
    if len(lines) == len(later):
        return list(range(len(lines) + 1))
    found = _matched(lines, later)
    before = [0]
    for match in found:
        before.append(before[-1] if match < 0 else match + 1)
    return before


def _matched(lines: Sequence[str], later: Sequence[str]) -> list[int]:
    """Return the line of the next version that each line is, ascending; -1 for one that is gone.

    Each later line is the next line equal to it, so that where lines were only cut none is missed.
    Between two such lines equally many that are left are the same lines, edited.
    """
    places = defaultdict(list)
    for number, line in enumerate(lines):
        if line.strip():  # an empty line says nothing of its place
            places[line].append(number)
    found = [-1] * len(lines)
    begin, later_begin = 0, 0
    for number, line in enumerate(later):
        copies = places.get(line, [])
        next_copy = bisect_left(copies, begin)
        if next_copy == len(copies):
            continue
        at = copies[next_copy]
        _match_gap(found, begin, at, later_begin, number)
        found[at] = number
        begin, later_begin = at + 1, number + 1
    _match_gap(found, begin, len(lines), later_begin, len(later))
    return found


def _match_gap(found: list[int], begin: int, end: int, later_begin: int, later_end: int) -> None:
    """Match lines between two that are matched, where both versions have equally many."""
    if end - begin == later_end - later_begin:
        found[begin:end] = range(later_begin, later_end)
