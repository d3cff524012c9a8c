"""Characters that stand for a letter, a digit or an ideograph, and marks that are not seen.

Each has a kind, which says where it is folded, and what it is folded to.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import BoolArray, Int32Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS

LETTERS = 26


class Folding(IntEnum):
    """Where a character is folded."""

    ALWAYS = 1
    SMALL = 2
    """Superscripts and subscripts: in runs of two or more that follow no letter or digit of ASCII.
    So m², H₂O, 10⁻³ and the aspiration in tʰ stay."""
    REGION = 3
    """Letters of flags: in a run that is not made of flags."""
    UNSEEN = 4
    """Removed behind an ideograph, and behind a letter or digit of ASCII. The selector behind ❤ and
    the joiner between emoji stay."""
    ACCENT = 5
    """Removed behind an ideograph."""


_ALPHABETS = (
    (0x249C, ascii_lowercase),  # ⒜
    (0x24B6, ascii_uppercase),  # Ⓐ
    (0x24D0, ascii_lowercase),  # ⓐ
    (0xFF10, digits),  # ０
    (0xFF21, ascii_uppercase),
    (0xFF41, ascii_lowercase),
    (0x1F110, ascii_uppercase),  # 🄐
    (0x1F130, ascii_uppercase),  # 🄰
    (0x1F150, ascii_uppercase),  # 🅐
    (0x1F170, ascii_uppercase),  # 🅰
    (0x1FBF0, digits),  # of seven segments
)
"""First code point of a run -> what its characters stand for."""

_NUMBERS = (
    (0x2460, 1, 20),  # ①
    (0x2474, 1, 20),  # ⑴
    (0x2488, 1, 20),  # ⒈
    (0x24EA, 0, 0),
    (0x24EB, 11, 20),  # ⓫
    (0x24F5, 1, 10),  # ⓵
    (0x24FF, 0, 0),
    (0x2776, 1, 10),  # ❶
    (0x2780, 1, 10),  # ➀
    (0x278A, 1, 10),  # ➊
    (0x3251, 21, 35),
    (0x32B1, 36, 50),
    (0x1F100, 0, 0),  # 🄀
    (0x1F101, 0, 9),  # 🄁
    (0x1F10B, 0, 0),
    (0x1F10C, 0, 0),
    (0x1F51F, 10, 10),  # 🔟
)
"""First code point of a run -> its first and last number."""

_WORDS = {
    "🆎": "AB", "🆑": "CL", "🆒": "COOL", "🆓": "FREE", "🆔": "ID", "🆕": "NEW", "🆖": "NG",
    "🆗": "OK", "🆘": "SOS", "🆙": "UP", "🆚": "VS", "🆏": "WC", "🆐": "DJ", "🅪": "MC",
}  # fmt: skip

_SMALL_CAPITALS = dict(zip("ᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜰꜱ", "acdejkmoptuvwzfs", strict=True))
"""Without those of the phonetic alphabet (ɪ, ʀ, ʏ), which stand in dictionaries."""

_MATHEMATICAL = (0x1D400, 0x1D7FF)
_LETTERLIKE = "ℂℊℋℌℍℎℐℑℒℓℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ"
"""Letters that the mathematical alphabets lack, as they were encoded before."""

_IDEOGRAPHS = (
    (0x2F00, 0x2FD5),  # radicals that look like ideographs: ⼈
    (0x3220, 0x3247),  # ㈠
    (0x3280, 0x32B0),  # ㊀
    (0x1F210, 0x1F23B),  # 🈲
    (0x1F240, 0x1F248),
    (0x1F250, 0x1F251),
)
"""Ideographs in circles, squares and brackets, folded where one ideograph is inside."""

_SMALL = (
    *((0x00B2, 0x00B3), (0x00B9, 0x00B9)),
    (0x02B0, 0x02B8),
    (0x02E1, 0x02E3),
    (0x1D2C, 0x1D6A),
    (0x1D9C, 0x1DBB),
    (0x2070, 0x2079),
    (0x207F, 0x2089),
    (0x2090, 0x209C),
    (0x2C7C, 0x2C7D),
)
"""Superscripts and subscripts, folded where they stand for a letter or digit of ASCII."""

_REGIONS = 0x1F1E6
"""Letter A of flags."""

_UNSEEN = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x0305, 0x0305),  # lines over, under and through letters
    (0x0332, 0x0338),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x20D0, 0x20F0),  # frames of keys and circles
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFC),
    (0xE0001, 0xE007F),
    (0xE0100, 0xE01EF),
)
_ACCENTS = (0x0300, 0x036F)

FLAGS = """\
    AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO
    DZ EA EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT
    GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR
    KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU
    MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
    ZM ZW
"""
"""Pairs of letters that are drawn as a flag. Source: Unicode emoji data, emoji-sequences."""


@dataclass(frozen=True)
class CharacterTable:
    """Folded characters in arrays; row 0 stands for all others."""

    numbers: npt.NDArray[np.uint16]
    """Row of every code point, shape (CODE_POINTS,)."""
    kinds: UInt8Array
    """`Folding` of each row, 0 for row 0."""
    begins: Int32Array
    """Where the characters of each row begin in `codes`, and the last one's end: (rows + 1,)"""
    codes: UInt32Array
    """What rows are folded to, end to end."""
    flags: BoolArray
    """Whether two letters of flags are one: 26 * first + second."""


def folded_characters() -> dict[str, tuple[Folding, str]]:
    """Every folded character, with its kind and what it is folded to."""
    found = dict(_unseen())
    for first, meant in _ALPHABETS:
        found |= {chr(first + at): (Folding.ALWAYS, char) for at, char in enumerate(meant)}
    for first, low, high in _NUMBERS:
        found |= {chr(first + n - low): (Folding.ALWAYS, str(n)) for n in range(low, high + 1)}
    for char, meant in (_WORDS | _SMALL_CAPITALS).items():
        found[char] = (Folding.ALWAYS, meant)
    for char in (*_LETTERLIKE, *_characters(_MATHEMATICAL)):
        plain = unicodedata.normalize("NFKC", char)
        if plain.isascii() and plain.isalnum():
            found[char] = (Folding.ALWAYS, plain)
    for block in _IDEOGRAPHS:
        for char in _characters(block):
            inside = unicodedata.normalize("NFKC", char).strip("()〔〕")
            if len(inside) == 1 and "\u4e00" <= inside <= "\u9fff":
                found[char] = (Folding.ALWAYS, inside)
    for block in _SMALL:
        for char in _characters(block):
            plain = unicodedata.normalize("NFKC", char)
            if plain.isascii() and plain.isalnum():
                found[char] = (Folding.SMALL, plain)
    for at, letter in enumerate(ascii_uppercase):
        found[chr(_REGIONS + at)] = (Folding.REGION, letter)
    return found


@lru_cache(maxsize=1)
def character_table() -> CharacterTable:
    """`folded_characters` in arrays."""
    found = folded_characters()
    numbers = np.zeros(CODE_POINTS, dtype=np.uint16)
    numbers[[ord(char) for char in found]] = np.arange(1, len(found) + 1)
    kinds = np.array([0, *(kind for kind, _ in found.values())], dtype=np.uint8)
    lengths = [0, *(len(meant) for _, meant in found.values())]
    begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    meanings = "".join(meant for _, meant in found.values())
    flags = np.zeros(LETTERS * LETTERS, dtype=np.bool_)
    flags[[LETTERS * (ord(f[0]) - 65) + ord(f[1]) - 65 for f in FLAGS.split()]] = True
    codes = np.frombuffer(meanings.encode("utf-32-le"), dtype=np.uint32)
    return CharacterTable(numbers, kinds, begins, codes, flags)


def _unseen() -> Iterator[tuple[str, tuple[Folding, str]]]:
    for char in _characters(_ACCENTS):
        yield char, (Folding.ACCENT, "")
    for block in _UNSEEN:
        for char in _characters(block):
            yield char, (Folding.UNSEEN, "")


def _characters(block: tuple[int, int]) -> Iterator[str]:
    """The characters of a block, both ends included."""
    return map(chr, range(block[0], block[1] + 1))
