"""What functions on texts ask of a language: its script, its marks, its function characters.

Scripts are ranges of code points. This module imports nothing heavy: the configuration checks what
a language pack names. Counts of a script's characters are those of `udfs.base.script_counts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Script = tuple[str, ...]
"""Names of SCRIPTS, and ranges of code points as ``U+0600-06FF``."""

HAN: Script = ("Han",)

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

SCRIPTS: dict[str, tuple[tuple[int, int], ...]] = {
    "Arabic": (
        (0x0600, 0x0604), (0x0606, 0x060B), (0x060D, 0x061A), (0x061C, 0x061E), (0x0620, 0x063F),
        (0x0641, 0x064A), (0x0656, 0x066F), (0x0671, 0x06DC), (0x06DE, 0x06FF), (0x0750, 0x077F),
        (0x0870, 0x088E), (0x0890, 0x0891), (0x0897, 0x08E1), (0x08E3, 0x08FF), (0xFB50, 0xFBC2),
        (0xFBD3, 0xFD3D), (0xFD40, 0xFD8F), (0xFD92, 0xFDC7), (0xFDCF, 0xFDCF), (0xFDF0, 0xFDFF),
        (0xFE70, 0xFE74), (0xFE76, 0xFEFC),
    ),
    "Armenian": ((0x0531, 0x0556), (0x0559, 0x058A), (0x058D, 0x058F), (0xFB13, 0xFB17)),
    "Bengali": ((0x0980, 0x09FE),),
    "Cyrillic": (
        (0x0400, 0x0484), (0x0487, 0x052F), (0x1C80, 0x1C8A), (0x2DE0, 0x2DFF), (0xA640, 0xA69F),
    ),
    "Devanagari": ((0x0900, 0x0950), (0x0955, 0x0963), (0x0966, 0x097F), (0xA8E0, 0xA8FF)),
    "Ethiopic": ((0x1200, 0x139F), (0x2D80, 0x2DDE), (0xAB01, 0xAB2E)),
    "Georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2D)),
    "Greek": ((0x0370, 0x0373), (0x0375, 0x03E1), (0x03F0, 0x03FF), (0x1F00, 0x1FFE)),
    "Han": HAN_RANGES,
    "Hangul": (
        (0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xAC00, 0xD7A3), (0xD7B0, 0xD7FB),
        (0xFFA0, 0xFFDC),
    ),
    "Hebrew": ((0x0591, 0x05F4), (0xFB1D, 0xFB4F)),
    "Hiragana": ((0x3041, 0x3096), (0x309D, 0x309F)),
    "Katakana": ((0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "Khmer": ((0x1780, 0x17F9), (0x19E0, 0x19FF)),
    "Lao": ((0x0E81, 0x0EDF),),
    "Latin": (
        (0x0041, 0x005A), (0x0061, 0x007A), (0x00AA, 0x00AA), (0x00BA, 0x00BA), (0x00C0, 0x00D6),
        (0x00D8, 0x00F6), (0x00F8, 0x02B8), (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA722, 0xA787),
        (0xFF21, 0xFF3A), (0xFF41, 0xFF5A),
    ),
    "Mongolian": ((0x1807, 0x1819), (0x1820, 0x1878), (0x1880, 0x18AA)),
    "Myanmar": ((0x1000, 0x109F), (0xA9E0, 0xA9FE), (0xAA60, 0xAA7F)),
    "Sinhala": ((0x0D81, 0x0DF4),),
    "Tamil": ((0x0B82, 0x0BFA),),
    "Telugu": ((0x0C00, 0x0C7F),),
    "Thai": ((0x0E01, 0x0E3A), (0x0E40, 0x0E5B)),
    "Tibetan": ((0x0F00, 0x0FD4), (0x0FD9, 0x0FDA)),
}  # fmt: skip
"""Name -> ranges of code points, both ends included. Source: Unicode 16.0, Scripts.txt; small
unassigned gaps inside a block count as the script. Marks and digits that several scripts share
(category Inherited, Common), as U+064B to U+0655, belong to none."""

_CODE_POINTS = 0x110000
_RANGE = re.compile(r"U\+([0-9A-Fa-f]{4,6})(?:-([0-9A-Fa-f]{4,6}))?")


class UnknownScript(ValueError):
    """A name or a range that is no script; the message has it and the known names."""


def script_ranges(script: Script) -> tuple[tuple[int, int], ...]:
    """Return the ranges of code points of a script, both ends included.

    Raises:
        UnknownScript: a part is neither a known name nor a range.

    >>> script_ranges(("U+0600-06FF", "U+200D"))
    ((1536, 1791), (8205, 8205))
    """
    found: list[tuple[int, int]] = []
    for part in script:
        if part in SCRIPTS:
            found += SCRIPTS[part]
            continue
        match = _RANGE.fullmatch(part)
        first, last = (
            (int(end, 16) for end in (match[1], match[2] or match[1])) if match else (1, 0)
        )
        if not 0 < first <= last < _CODE_POINTS:
            raise UnknownScript(
                f"{part!r}: expected a range such as U+0600-06FF, or a script: {', '.join(SCRIPTS)}"
            )
        found.append((first, last))
    return tuple(found)


SENTENCE_ENDS = ".!?。！？．｡…‼⁇⁈⁉︒︕︖﹒﹖﹗"
"""Characters that end a sentence: stop, exclamation and question mark in all widths, ellipsis."""

FUNCTION_CHARS = "的了是在和有不这這我他也就都着著与與而为為等"
"""Particles, pronouns, conjunctions and prepositions of modern Chinese, in both scripts, that are
a word by themselves. Lists and menus have few. In 752 raw crawl pages their median share is below
2.3 % on useless pages and above 5.5 % on the others; rarer ones separated the two no better."""


@dataclass(frozen=True)
class TextLanguage:
    """A language, as the measures of a text ask it; the defaults are those of Chinese."""

    script: Script = HAN
    sentence_ends: str = SENTENCE_ENDS
    """Characters that end a sentence."""
    function_chars: str = FUNCTION_CHARS
    """Characters of the measure ``function_char_share``."""
    tokenizer: str = "rjieba"
    """How texts are cut into words, as ``language.tokenizer``."""
    stop_words: tuple[str, ...] = ()
    """Words of the measure ``stop_word_share``."""
    fold: tuple[str, ...] = ()
    """Names of `udfs.base.letters.FOLDS`: differences between words that do not count."""
    number_plans: tuple[str, ...] = ("CN",)
    """Names of `udfs.pii.find.NUMBER_PLANS`: whose telephone and identity numbers are found."""

    @property
    def has_blanks(self) -> bool:
        """Whether white space and marks separate words."""
        return self.tokenizer == "words"

    @property
    def has_nouns(self) -> bool:
        """Whether the dictionary that cuts texts knows which words are nouns."""
        return self.tokenizer in ("rjieba", "jieba")
