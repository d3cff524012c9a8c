"""Repair of texts: undo what encodings, input methods and templates did to them.

No repair changes the meaning of visible text. The rules and their reasons are documented with each
step: `udfs.repair.mojibake`, `udfs.repair.characters`, `udfs.repair.invisible`. Private-use
characters stay, since their meaning is unknown; a measure counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.code_points import CODE_POINTS, EncodedTexts, encode_texts
from udfs.repair.characters import (
    CONTROL_CHARACTERS,
    RUN_LIMITS,
    WIDE_CHARACTERS,
    clean_controls,
    compose,
    composition_characters,
    narrow,
    shorten_runs,
)
from udfs.repair.invisible import INVISIBLE_CHARACTERS, remove_invisible
from udfs.repair.mojibake import mend_lines, mojibake_shares


class Repaired(NamedTuple):
    """A changed text and its edits."""

    text: str
    edits: dict[str, int]
    """Kind of edit -> places changed, at least 1; kinds that changed nothing are left out."""


_STEPS: tuple[tuple[str, Callable[[str], tuple[str, int]]], ...] = (
    ("mojibake_line", mend_lines),  # first: garbled lines contain controls and invisible bytes
    ("control", clean_controls),
    ("invisible", remove_invisible),
    ("width", narrow),
    ("nfc", compose),  # after width: a full-width letter does not compose with an accent
    ("punctuation", shorten_runs),
)
KINDS = tuple(kind for kind, _ in _STEPS)
"""The kinds of edits, in the order in which they are made."""

_MOJIBAKE_LINE, _CONTROL, _INVISIBLE, _WIDTH, _NFC, _PUNCTUATION = (
    np.uint8(1 << place) for place in range(len(KINDS))
)


def repair_texts(texts: Sequence[str | None]) -> list[Repaired | None]:
    """Repair texts. Repairing a repaired text changes nothing.

    Args:
        texts: Documents.
    Returns:
        As long as texts; None where there is no text, or nothing to repair. The text is empty when
        no line of it is legible. Edits count lines for "mojibake_line", sequences of characters
        for "nfc" and "punctuation", characters for "control", "invisible" and "width".
    Raises:
        UnicodeEncodeError: a lone surrogate, which no Arrow string can hold.

    >>> repair_texts(["ＡＢＣ１２３，好\u200b的！！！！！！"])[0].text
    'ABC123，好的！！！'
    """
    results: list[Repaired | None] = [None] * len(texts)
    pending = [place for place, text in enumerate(texts) if text]
    current = [text for text in texts if text]
    # One step can make work for another: removing a character joins its neighbours. The loop ends,
    # since each step leaves fewer of the characters that any step can change.
    while pending:
        changed_places, changed_texts = [], []
        for index, needs in _needs(encode_texts(current)):
            text, place = current[index], pending[index]
            repaired, edits = _repair(text, needs)
            if repaired == text:
                continue
            before = results[place]
            edits.update(before.edits if before else {})
            results[place] = Repaired(repaired, dict(edits))
            changed_places.append(place)
            changed_texts.append(repaired)
        pending, current = changed_places, changed_texts
    return results


def _repair(text: str, needs: int) -> tuple[str, Counter[str]]:
    """Apply the steps that a text needs; return it with the places changed by each."""
    edits: Counter[str] = Counter()
    for place, (kind, step) in enumerate(_STEPS):
        if needs >> place & 1:
            text, places = step(text)
            if places:
                edits[kind] += places
    return text, edits


def _needs(encoded: EncodedTexts) -> list[tuple[int, int]]:
    """Indexes of the texts that steps may change, and a bit for each step."""
    needs = np.zeros(len(encoded.lengths), dtype=np.uint8)
    filled = np.flatnonzero(encoded.lengths)
    if len(filled):
        flags = _table()[encoded.codes]
        needs[filled] = np.bitwise_or.reduceat(flags, encoded.starts[filled])
        needs &= ~_PUNCTUATION
        needs[_texts_with_runs(encoded, flags)] |= _PUNCTUATION
        needs[mojibake_shares(encoded) > 0] |= _MOJIBAKE_LINE
    found = np.flatnonzero(needs)
    return list(zip(found.tolist(), needs[found].tolist(), strict=True))


def _texts_with_runs(encoded: EncodedTexts, flags: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Indexes of texts that may have too long a run of a mark."""
    codes, limits = encoded.codes, _run_limits()
    marks = np.flatnonzero(flags[:-1] & _PUNCTUATION)
    marks = marks[codes[marks] == codes[marks + 1]]
    ends = marks + limits[codes[marks]]
    inside = ends < len(codes)
    marks, ends = marks[inside], ends[inside]
    found = marks[codes[marks] == codes[ends]]
    return np.unique(np.searchsorted(encoded.stops, found, side="right"))


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint8]:
    """Steps that may change each code point, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for step, characters in (
        (_CONTROL, CONTROL_CHARACTERS),
        (_INVISIBLE, INVISIBLE_CHARACTERS),
        (_WIDTH, WIDE_CHARACTERS),
        (_NFC, composition_characters()),
        (_PUNCTUATION, RUN_LIMITS),
    ):
        table[[ord(character) for character in characters]] |= step
    return table


@lru_cache(maxsize=1)
def _run_limits() -> npt.NDArray[np.uint8]:
    """Longest allowed run of each mark, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for mark, limit in RUN_LIMITS.items():
        table[ord(mark)] = limit
    return table
