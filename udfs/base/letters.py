"""Letters of the Arabic script that are written in several ways, and what makes them one.

`normalise_letters` changes texts, step by step; `letter_table` is for words before they are looked
up: web text writes no vowel marks, lists made of other text do, and either must find the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from udfs.base.array_types import UInt32Array
from udfs.base.characters import lowered_characters

_TATWEEL = 0x0640
_MARKS = (
    *range(0x0610, 0x061B), *range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD),
    *range(0x06DF, 0x06E5), 0x06E7, 0x06E8, *range(0x06EA, 0x06EE), *range(0x08D3, 0x08E2),
    *range(0x08E3, 0x0900),
)  # fmt: skip
_ALEF = {0x0622: "ا", 0x0623: "ا", 0x0625: "ا", 0x0671: "ا", 0x0672: "ا", 0x0673: "ا"}
_PRESENTATION = (*range(0xFB50, 0xFDFE), *range(0xFE70, 0xFEFD))

FOLDS: dict[str, dict[int, str]] = {
    "arabic_marks": dict.fromkeys(_MARKS, ""),
    "tatweel": {_TATWEEL: ""},
    "alef_forms": _ALEF,
    "alef_maqsura": {0x0649: "ي"},
    "teh_marbuta": {0x0629: "ه"},
    "presentation_forms": {
        code: unicodedata.normalize("NFKC", chr(code))
        for code in _PRESENTATION
        if unicodedata.normalize("NFKC", chr(code)) != chr(code)
    },
}
"""Name of a step -> code point -> what stands in its place. ``arabic_marks`` are vowel and Koranic
marks, ``tatweel`` is the line that stretches a word, ``alef_forms`` writes alef with hamza, madda
or wasla as alef, ``presentation_forms`` are the glyphs of old code tables, with ligatures.

Source: Unicode 16.0, chapter 9.2 (Arabic), and NFKC of the presentation forms."""


def normalise_letters(text: str, steps: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Apply steps to a text; return it, and step -> characters changed, at least 1.

    >>> normalise_letters("برشــا", ["tatweel", "alef_forms"])
    ('برشا', {'tatweel': 2})
    """
    edits = {}
    for step in steps:
        found = len(_pattern(step).findall(text))
        if found:
            text = text.translate(FOLDS[step])
            edits[step] = found
    return text, edits


def fold_letters(text: str, steps: Sequence[str]) -> str:
    """Return a text in lower case and without the differences of some steps.

    >>> fold_letters("بَرْشَا أكثر OK", ["arabic_marks", "alef_forms"])
    'برشا اكثر ok'
    """
    return text.lower().translate(_together(tuple(steps)))


@lru_cache(maxsize=4)
def letter_table(steps: tuple[str, ...]) -> UInt32Array:
    """Code point that stands for each in look-ups, lower case; 0 for one that is left out. A step
    leaves alone what becomes several characters.

    Returns:
        Shape (CODE_POINTS,).
    """
    table = lowered_characters().copy()
    for code, text in _together(steps).items():
        if len(text) < 2:
            table[code] = ord(text) if text else 0
    return table


def _together(steps: Sequence[str]) -> dict[int, str]:
    return {code: text for step in steps for code, text in FOLDS[step].items()}


@lru_cache(maxsize=len(FOLDS))
def _pattern(step: str) -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(re.escape, map(chr, FOLDS[step])))}]")
