"""Kinds of characters: the kind of every code point. Beside them lower case and emoji ranges."""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import lru_cache

import numpy as np

from udfs.base.array_types import UInt8Array, UInt32Array
from udfs.base.chinese_script import traditional_characters
from udfs.base.code_points import CODE_POINTS
from udfs.base.language import HAN_RANGES, SENTENCE_ENDS

CASIA_HAN_RANGE = (0x4E00, 0x9FA5)
"""Han in the published script: the CJK block as Unicode 1.1 had it."""

EMOJI_RANGES = (
    (0x231A, 0x231B),
    (0x23E9, 0x23EC),
    (0x23F0, 0x23F0),
    (0x23F3, 0x23F3),
    (0x25FD, 0x25FE),
    (0x2614, 0x2615),
    (0x2648, 0x2653),
    (0x267F, 0x267F),
    (0x2693, 0x2693),
    (0x26A1, 0x26A1),
    (0x26AA, 0x26AB),
    (0x26BD, 0x26BE),
    (0x26C4, 0x26C5),
    (0x26CE, 0x26CE),
    (0x26D4, 0x26D4),
    (0x26EA, 0x26EA),
    (0x26F2, 0x26F3),
    (0x26F5, 0x26F5),
    (0x26FA, 0x26FA),
    (0x26FD, 0x26FD),
    (0x2705, 0x2705),
    (0x270A, 0x270B),
    (0x2728, 0x2728),
    (0x274C, 0x274C),
    (0x274E, 0x274E),
    (0x2753, 0x2755),
    (0x2757, 0x2757),
    (0x2795, 0x2797),
    (0x27B0, 0x27B0),
    (0x27BF, 0x27BF),
    (0x2B1B, 0x2B1C),
    (0x2B50, 0x2B50),
    (0x2B55, 0x2B55),
    (0x1F004, 0x1F004),
    (0x1F0CF, 0x1F0CF),
    (0x1F18E, 0x1F18E),
    (0x1F191, 0x1F19A),
    (0x1F1E6, 0x1F1FF),  # letters of flags
    (0x1F201, 0x1F201),
    (0x1F21A, 0x1F21A),
    (0x1F22F, 0x1F22F),
    (0x1F232, 0x1F236),
    (0x1F238, 0x1F23A),
    (0x1F250, 0x1F251),
    (0x1F300, 0x1F64F),  # from here on whole blocks, which new emoji are added to
    (0x1F680, 0x1F6FF),
    (0x1F7E0, 0x1F7EB),
    (0x1F7F0, 0x1F7F0),
    (0x1F900, 0x1F9FF),
    (0x1FA70, 0x1FAFF),
)
"""Code points that are drawn as an emoji by default, both ends included. Source: Unicode emoji
data, Emoji_Presentation; the pictograph blocks whole."""

EMOJI_SELECTOR = 0xFE0F
"""Turns the character before it, which is otherwise text (the heart of U+2764), into an emoji."""

CASED = 0x20000
"""Letters with case end well before this; looking at all 1.1 million code points takes a second."""

_ASSIGNED = ((0, 0x1FFFF), (0xE0000, 0xE0FFF))
_PRIVATE_PLANES = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))


class Kind(IntEnum):
    """Kinds of characters; every code point has exactly one.

    The order matters: WORDS and ENDS are ranges of kinds.
    """

    OTHER = 0
    """Marks, unassigned code points."""

    # Words and numbers: the range WORDS.
    HAN = 1
    """Script=Han inside the published script's range."""
    HAN_TRADITIONAL = 2
    """As HAN, and used only in traditional script."""
    HAN_REST = 3
    """Script=Han outside the published script's range."""
    HAN_REST_TRADITIONAL = 4
    DIGIT = 5
    """Category Nd: ASCII, full-width and other decimal digits."""
    LETTER = 6
    """Letters that are not Han, and numbers that are not decimal digits."""

    # Ends of sentences: the range ENDS.
    SENTENCE_END = 7
    """The marks that end a sentence; those of SENTENCE_ENDS are all of category Po."""
    NEWLINE = 8
    """Line feed, which ends a line."""

    PUNCTUATION = 9
    """Categories P*, except SENTENCE_END."""
    SYMBOL = 10
    """Categories S*, except EMOJI."""
    EMOJI = 11
    """EMOJI_RANGES."""
    EMOJI_SELECTOR = 12
    """Variation selector 16."""
    PRIVATE_USE = 13
    """Category Co."""
    CONTROL = 14
    """Category Cc without tab, line feed and carriage return; category Cf (zero-width and
    direction characters, soft hyphen, byte order mark)."""
    SPACE = 15
    """Categories Z*, tab, carriage return."""


WORDS = (Kind.HAN, Kind.LETTER)
"""First and last kind of characters in words."""
ENDS = (Kind.SENTENCE_END, Kind.NEWLINE)
"""First and last kind of characters that end a sentence."""


@lru_cache(maxsize=1)
def lowered_characters() -> UInt32Array:
    """Lower case of every code point, shape (CODE_POINTS,).

    A character whose lower case has several characters (İ alone) stays as it is.
    """
    lowered = np.arange(CODE_POINTS, dtype=np.uint32)
    lowered[:CASED] = [ord(low) if len(low := chr(c).lower()) == 1 else c for c in range(CASED)]
    return lowered


@lru_cache(maxsize=4)
def kind_table(sentence_ends: str = SENTENCE_ENDS) -> UInt8Array:
    """Kind of every code point, shape (CODE_POINTS,).

    Args:
        sentence_ends: Characters of the kind SENTENCE_END.
    """
    by_category = {
        "Nd": Kind.DIGIT,
        "Co": Kind.PRIVATE_USE,
        "Cc": Kind.CONTROL,
        "Cf": Kind.CONTROL,
        **dict.fromkeys(("Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"), Kind.PUNCTUATION),
        **dict.fromkeys(("Sm", "Sc", "Sk", "So"), Kind.SYMBOL),
        **dict.fromkeys(("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "No"), Kind.LETTER),
        **dict.fromkeys(("Zs", "Zl", "Zp"), Kind.SPACE),
    }
    category = unicodedata.category
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    # Four fifths of all code points are unassigned or private; looking up each takes a second.
    for first, last in _ASSIGNED:
        kinds = [by_category.get(category(chr(c)), Kind.OTHER) for c in range(first, last + 1)]
        table[first : last + 1] = kinds
    for first, last in _PRIVATE_PLANES:
        table[first : last + 1] = Kind.PRIVATE_USE
    for first, last in EMOJI_RANGES:
        table[first : last + 1] = Kind.EMOJI
    table[EMOJI_SELECTOR] = Kind.EMOJI_SELECTOR
    table[[ord(mark) for mark in sentence_ends]] = Kind.SENTENCE_END
    table[[ord("\t"), ord("\r")]] = Kind.SPACE
    table[ord("\n")] = Kind.NEWLINE
    for first, last in HAN_RANGES:
        table[first : last + 1] = Kind.HAN_REST
    table[CASIA_HAN_RANGE[0] : CASIA_HAN_RANGE[1] + 1] = Kind.HAN
    for character in traditional_characters():
        inside = table[ord(character)] == Kind.HAN
        table[ord(character)] = Kind.HAN_TRADITIONAL if inside else Kind.HAN_REST_TRADITIONAL
    return table


@lru_cache(maxsize=1)
def word_table() -> UInt8Array:
    """1 for code points of words in languages that separate them: letters, digits and the marks
    that combine with them; 0 for others. Shape (CODE_POINTS,)."""
    kinds = kind_table()
    table = ((kinds >= WORDS[0]) & (kinds <= WORDS[1])).astype(np.uint8)
    table[[code for code in range(CASED) if unicodedata.category(chr(code))[0] == "M"]] = 1
    return table
