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

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts, encode_texts, text_runs
from udfs.base.jit import compiled, uncounted
from udfs.repair.characters import (
    CONTROL_CHARACTERS,
    INDENT_CHARS,
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
_INDENT, _SPACE = np.uint8(1 << 6), np.uint8(1 << 7)
_NEWLINE, _IDEOGRAPHIC_SPACE = ord("\n"), 0x3000


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
    return [repaired for run in text_runs(texts) for repaired in _repair_run(run)]


def _repair_run(texts: list[str]) -> list[Repaired | None]:
    """`repair_texts` of texts that are searched together."""
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
    places = (encoded.codes, encoded.starts, encoded.stops)
    _look(*places, _table(), _run_limits(), INDENT_CHARS, needs)
    needs[mojibake_shares(encoded) > 0] |= _MOJIBAKE_LINE
    # A step before may change what is before an indent.
    indented = (needs & _INDENT) != 0
    needs &= ~_INDENT
    needs[indented & ((needs & (_MOJIBAKE_LINE | _CONTROL | _INVISIBLE)) != 0)] |= _WIDTH
    found = np.flatnonzero(needs)
    return list(zip(found.tolist(), needs[found].tolist(), strict=True))


@compiled
def _look(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    table: UInt8Array,
    limits: UInt8Array,
    indent_chars: int,
    needs: UInt8Array,
) -> None:
    """Add the steps that may change each text, but for mojibake; and whether it has an indent.

    Args:
        table: Steps that may change each code point.
        limits: Longest allowed run of each.
        indent_chars: INDENT_CHARS.
    """
    codes, table, limits = uncounted(codes), uncounted(table), uncounted(limits)
    for text in range(len(starts)):
        of_text = np.uint8(0)
        line_start = starts[text]
        is_line_blank, is_indent = True, False
        before = np.uint32(0)
        run = 0
        for place in range(starts[text], stops[text]):
            code = codes[place]
            steps = table[code]
            if steps & _PUNCTUATION:
                run = run + 1 if code == before else 1
                if run > limits[code]:
                    of_text |= _PUNCTUATION
            if code == _IDEOGRAPHIC_SPACE:
                if code != before:
                    is_indent = is_line_blank and place - line_start < indent_chars
                of_text |= _INDENT if is_indent else _WIDTH
            else:
                of_text |= steps & ~(_PUNCTUATION | _SPACE)
            before = code
            if code == _NEWLINE:
                line_start = place + 1
                is_line_blank = True
            elif is_line_blank and not steps & _SPACE:
                is_line_blank = False
        needs[text] |= of_text


@lru_cache(maxsize=1)
def _table() -> UInt8Array:
    """Steps that may change each code point, and _SPACE for white space, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for step, characters in (
        (_CONTROL, CONTROL_CHARACTERS),
        (_INVISIBLE, INVISIBLE_CHARACTERS),
        (_WIDTH, WIDE_CHARACTERS),
        (_NFC, composition_characters()),
        (_PUNCTUATION, RUN_LIMITS),
    ):
        table[[ord(character) for character in characters]] |= step
    table[[code for code in range(0x10000) if chr(code).isspace()]] |= _SPACE
    return table


@lru_cache(maxsize=1)
def _run_limits() -> UInt8Array:
    """Longest allowed run of each mark, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for mark, limit in RUN_LIMITS.items():
        table[ord(mark)] = limit
    return table
