"""What kind of character each code point is, and how many of each kind a text has."""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS, Counts, EncodedTexts
from udfs.traditional import traditional_characters

HAN_RANGES = (
    (0x2E80, 0x2E99),  # radicals
    (0x2E9B, 0x2EF3),
    (0x2F00, 0x2FD5),
    (0x3005, 0x3005),  # 々
    (0x3007, 0x3007),  # 〇
    (0x3021, 0x3029),  # Suzhou numerals
    (0x3038, 0x303B),
    (0x3400, 0x4DBF),  # Extension A
    (0x4E00, 0x9FFF),
    (0xF900, 0xFA6D),  # compatibility
    (0xFA70, 0xFAD9),
    (0x16FE2, 0x16FE3),
    (0x16FF0, 0x16FF1),
    (0x20000, 0x2A6DF),  # Extension B
    (0x2A700, 0x2B739),  # C
    (0x2B740, 0x2B81D),  # D
    (0x2B820, 0x2CEA1),  # E
    (0x2CEB0, 0x2EBE0),  # F
    (0x2EBF0, 0x2EE5D),  # I
    (0x2F800, 0x2FA1D),  # compatibility supplement
    (0x30000, 0x3134A),  # G
    (0x31350, 0x323AF),  # H
)
"""Script=Han, both ends included. Source: Unicode 16.0, Scripts.txt. Spelled out because
``unicodedata`` has no scripts, and so that a newer Python does not change the measure."""

CASIA_HAN_RANGE = (0x4E00, 0x9FA5)
"""Han in the published script: the CJK block as Unicode 1.1 had it."""


_ASSIGNED = ((0, 0x1FFFF), (0xE0000, 0xE0FFF))
_PRIVATE_PLANES = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))


class Kind(IntEnum):
    """Kinds of characters; every code point has exactly one."""

    OTHER = 0
    """Letters, marks, spaces, tabs, carriage returns, numbers that are no digits."""
    HAN = 1
    """Script=Han inside the published script's range."""
    HAN_TRADITIONAL = 2
    """As HAN, and used in traditional script only."""
    HAN_REST = 3
    """Script=Han outside the published script's range."""
    HAN_REST_TRADITIONAL = 4
    DIGIT = 5
    """Category Nd: ASCII, full-width and other decimal digits."""
    PUNCTUATION = 6
    """Categories P*."""
    SYMBOL = 7
    """Categories S*."""
    PRIVATE_USE = 8
    """Category Co."""
    CONTROL = 9
    """Category Cc without tab, line feed and carriage return; category Cf (zero-width and
    direction characters, soft hyphen, byte order mark)."""
    NEWLINE = 10
    """Line feed, which ends a line."""


def count_kinds(encoded: EncodedTexts) -> Counts:
    """How many characters of each kind every text has.

    Returns:
        Shape (texts, kinds): column ``Kind.HAN`` holds the counts of that kind.
    """
    texts, kinds = len(encoded.lengths), len(Kind)
    rows = np.repeat(np.arange(texts, dtype=np.int64) * kinds, encoded.lengths)
    rows += _kind_table()[encoded.codes]
    return np.bincount(rows, minlength=texts * kinds).reshape(texts, kinds)


@lru_cache(maxsize=1)
def _kind_table() -> npt.NDArray[np.uint8]:
    """Kind of every code point, shape (CODE_POINTS,)."""
    by_category = {
        "Nd": Kind.DIGIT,
        "Co": Kind.PRIVATE_USE,
        "Cc": Kind.CONTROL,
        "Cf": Kind.CONTROL,
        **dict.fromkeys(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"), Kind.PUNCTUATION),
        **dict.fromkeys(("Sm", "Sc", "Sk", "So"), Kind.SYMBOL),
    }
    category = unicodedata.category
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    # Four fifths of all code points are unassigned or private; asking for each takes a second.
    for first, last in _ASSIGNED:
        kinds = [by_category.get(category(chr(c)), Kind.OTHER) for c in range(first, last + 1)]
        table[first : last + 1] = kinds
    for first, last in _PRIVATE_PLANES:
        table[first : last + 1] = Kind.PRIVATE_USE
    table[[ord("\t"), ord("\r")]] = Kind.OTHER
    table[ord("\n")] = Kind.NEWLINE
    for first, last in HAN_RANGES:
        table[first : last + 1] = Kind.HAN_REST
    table[CASIA_HAN_RANGE[0] : CASIA_HAN_RANGE[1] + 1] = Kind.HAN
    for character in traditional_characters():
        inside = table[ord(character)] == Kind.HAN
        table[ord(character)] = Kind.HAN_TRADITIONAL if inside else Kind.HAN_REST_TRADITIONAL
    return table
