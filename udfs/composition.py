"""Canonical composition: one code point for a letter and its accents."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Beyond them stand only private use and what has no canonical mapping.
_RANGES = ((0x00C0, 0x1FFFF), (0x2F800, 0x2FA1F))
# Vowels and final consonants, which compose by arithmetic instead of by a table.
_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


MAX_SEQUENCE = 1000
"""Accents on one letter that are looked at: putting them in order takes the square of the time."""


def compose(text: str) -> tuple[str, int]:
    """A text in Normalization Form C, and how many sequences of it were in another form.

    NFC, not NFKC: ①, ㎡, ℃ and Ⅲ are spellings of their own, which NFKC would take away. Of
    Chinese text it changes CJK compatibility ideographs (U+F9xx, which Korean tables brought),
    Å and Ω as units, and accents that stand behind their letter. A sequence of more than
    `MAX_SEQUENCE` characters stays as it is; nobody writes one.

    Source:
        Unicode Standard Annex #15. The characters are those of the interpreter's version of
        Unicode; what a version assigns keeps its normal form in all later ones.
    """
    pieces: list[str] = []
    done = changed = 0
    for match in _sequences().finditer(text):
        # Together with the letter before.
        begin, end = max(match.start() - 1, done), match.end()
        if end - begin > MAX_SEQUENCE:
            continue
        before = text[begin:end]
        after = unicodedata.normalize("NFC", before)
        if after != before:
            pieces += (text[done:begin], after)
            done = end
            changed += 1
    return "".join((*pieces, text[done:])), changed


@lru_cache(maxsize=1)
def composition_characters() -> frozenset[str]:
    """Characters that are not always as they are in NFC.

    They change by themselves, compose with the character before them, or stand in an order: before
    all others a text can be cut, and its pieces composed one by one.
    """
    normalize, decomposition = unicodedata.normalize, unicodedata.decomposition
    found = {chr(code) for code in _JAMO}
    for first, last in _RANGES:
        for character in map(chr, range(first, last + 1)):
            mapping = decomposition(character)
            if unicodedata.combining(character):
                found.add(character)
            if not mapping or mapping.startswith("<"):
                continue
            if normalize("NFC", character) != character:
                found.add(character)
            elif " " in mapping:
                found.add(chr(int(mapping.split()[1], 16)))
    return frozenset(found)


@lru_cache(maxsize=1)
def _sequences() -> re.Pattern[str]:
    """Such characters in a row.

    All beyond the basic plane are taken for such: a search for a hundred ranges there takes a
    hundred times as long, and what is found in vain is rare.
    """
    listed = "".join(sorted(char for char in composition_characters() if char <= "\uffff"))
    return re.compile(f"[{re.escape(listed)}\U00010000-\U0010ffff]+")
