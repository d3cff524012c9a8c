"""Places where personal data may begin, by one compiled pass over the code points of many texts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts
from udfs.base.jit import compiled, uncounted

_MANY_DIGITS = 10
"""Fewest digits of a number of mainland China."""
_DIGITS_WITHIN = 17
"""Most code points from the first to the last needed digit: +86 (0)10 8888 8888."""
_LONGEST_NUMBER = 19
_DOTS_WITHIN = 9
"""Most code points from the first to the third dot of an IPv4 address."""

_DIGIT, _DOT, _COLON, _SIGN = 1, 2, 3, 4  # marks of code points
_NUMBER, _ADDRESS = 0, 1  # kinds of candidates beside _SIGN
_TWO, _THREE = ord("2"), ord("3")


class Candidates(NamedTuple):
    """Where personal data may begin in a text, e-mail addresses aside; ascending."""

    numbers: list[int]
    """Runs of digits where a number may begin."""
    addresses: list[int]
    """Where an IP address may begin."""


def find_candidates(
    encoded: EncodedTexts, least: int = _MANY_DIGITS
) -> Iterator[tuple[int, Candidates]]:
    """Find the texts that may have personal data, those with a sign @ too, ascending.

    Args:
        least: Fewest digits of any number that is found.
    """
    found = np.empty((3, len(encoded.codes) + len(encoded.lengths)), dtype=np.int32)
    count = _find(encoded.codes, encoded.starts, encoded.stops, _marks(), least, found)
    by_text: dict[int, Candidates] = {}
    for text, kind, place in zip(*found[:, :count].tolist(), strict=True):
        candidates = by_text.setdefault(text, Candidates([], []))
        if kind != _SIGN:
            candidates[kind].append(place)
    for candidates in by_text.values():
        candidates.addresses.sort()
    return iter(by_text.items())


@compiled
def _find(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    marks: UInt8Array,
    least: int,
    found: Int32Array,
) -> int:
    """Find candidates.

    Args:
        marks: Of every code point.
        least: Fewest digits of a number.
        found: Room for text, kind and place in the text, shape (3, characters and texts).
    Returns:
        How many were found.
    """
    codes, marks = uncounted(codes), uncounted(marks)
    count = 0
    for text in range(len(starts)):
        start, stop = starts[text], stops[text]
        has_sign = False
        before = np.uint8(0)
        for place in range(start, stop):
            mark = marks[codes[place]]
            if mark:
                kind, begin = -1, place
                if mark == _DIGIT:
                    if before != _DIGIT and _may_be_number(codes[place:stop], marks, least):
                        kind = _NUMBER
                elif mark == _DOT:
                    if before == _DIGIT and _dots(codes[place - 1 : stop], marks) >= 3:
                        kind, begin = _ADDRESS, place - 1
                        for _ in range(2):  # up to three digits before the dot
                            if begin > start and marks[codes[begin - 1]] == _DIGIT:
                                begin -= 1
                elif mark == _COLON:
                    # Four digits before it; the first of a global address is 2 or 3.
                    if place - 4 >= start and _TWO <= codes[place - 4] <= _THREE:
                        kind, begin = _ADDRESS, place - 4
                elif not has_sign:
                    kind, has_sign = _SIGN, True
                if kind >= 0:
                    found[0, count], found[1, count] = text, kind
                    found[2, count] = begin - start
                    count += 1
            before = mark
    return count


@compiled
def _may_be_number(codes: UInt32Array, marks: UInt8Array, least: int) -> bool:
    """Whether a number may begin with a run of digits.

    The first digits, as many as the shortest number has, must be close enough for one number. Where
    those are ten, the first run must have the length of one that begins a number, which excludes
    most dates and times.
    """
    length = 0
    while length < len(codes) and length <= _LONGEST_NUMBER and marks[codes[length]] == _DIGIT:
        length += 1
    if length < 2 or length > _LONGEST_NUMBER:
        return False
    digits = 0
    for place in range(min(len(codes), _DIGITS_WITHIN)):
        digits += marks[codes[place]] == _DIGIT
    if digits < least:
        return False
    if least < _MANY_DIGITS or length > _MANY_DIGITS:
        return True
    first, second = codes[0] & 15, codes[1] & 15  # of a digit in either width, its value
    tens = first * 10 + second
    return bool(
        first == 0
        or tens == 86
        or length == 6
        or (length == 7 and first == 1)
        or (length == 4 and tens != 19 and tens != 20)  # no years
        or (length == 3 and 13 <= tens < 20)
    )


@compiled
def _dots(codes: UInt32Array, marks: UInt8Array) -> int:
    """Dots between digits near a beginning, which is one of them behind a digit."""
    dots = 0
    for place in range(1, min(len(codes) - 1, _DOTS_WITHIN + 1)):
        if marks[codes[place]] == _DOT:
            is_between = marks[codes[place - 1]] == _DIGIT and marks[codes[place + 1]] == _DIGIT
            if place == 1 and not is_between:
                return 0
            dots += is_between
    return dots


@lru_cache(maxsize=1)
def _marks() -> UInt8Array:
    """Mark of every code point, shape (CODE_POINTS,); 0 for those that say nothing."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for mark, characters in (
        (_DIGIT, "0123456789０１２３４５６７８９"),
        (_DOT, ".．"),
        (_COLON, ":"),
        (_SIGN, "@＠"),
    ):
        table[[ord(character) for character in characters]] = mark
    return table
