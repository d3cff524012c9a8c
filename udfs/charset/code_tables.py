"""Code tables of one and two bytes, made of what Python's own codecs give for them.

What is no matter of two bytes (GB18030's characters of four, those of three in EUC-JP, composed
Hangul) is not in them: such bytes the codec has to read.
"""

from __future__ import annotations

import codecs
import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int32]

PAIR, BAD, ODD = -1, -2, -3
"""In place of a character: the first of two bytes; none; one that is not in the tables."""

BROWSER_CHARACTERS = {
    "gb18030": (("\ue5e5", "\u3000"),),
    "big5hkscs": (
        ("\u2022", "\u2027"), ("\uff64", "\ufe51"), ("\u223c", "\uff5e"), ("\u203e", "\u00af"),
        ("\u2641", "\u2295"), ("\u2609", "\u2299"), ("\u00a5", "\uffe5"), ("\u00a2", "\uffe0"),
        ("\u00a3", "\uffe1"), ("\uffed", "\u2593"),
    ),
}  # fmt: skip
"""Where Python's tables part from those of browsers, which are what authors saw.

GB18030: A3 A0, the wide space of old editors. Big5: the dots of foreign names, the tilde, the
currency signs. Neither table has what stands on the left for any other bytes.

Source: WHATWG Encoding Standard, indexes gb18030 and big5.
"""

_DOUBLE_BYTE = frozenset(
    {"gb18030", "big5hkscs", "euc_kr", "cp949", "shift_jis", "cp932", "euc_jp"}
)
_WITH_FOUR_BYTES = "gb18030"
# What a codec gives only together with other bytes: Hangul that is put together, JIS X 0212.
_ODD_PAIRS = {"euc_kr": (b"\xa4\xd4",)}
_ODD_LEADS = {"euc_jp": (0x8F,)}
_HIGH, _BYTE_ORDER_MARK = 0x80, 0xFEFF


class CodeTable(NamedTuple):
    """One codec.

    Attributes:
        singles: Shape (256,): of each byte above 0x7F its character, or `PAIR`, `BAD`, `ODD`.
        pairs: Shape (128, 256): the same of two bytes, by the first less 0x80 and the second.
        has_four: The codec has characters of four bytes, as GB18030 has.
    """

    singles: Codes
    pairs: Codes
    has_four: bool


@lru_cache(maxsize=64)
def code_table(codec: str) -> CodeTable | None:
    """The table of a codec, some ten milliseconds the first time.

    Args:
        codec: Canonical name, as `udfs.charset.decode.canonical_codec` gives it.
    Returns:
        None for a codec that is none of ASCII and two bytes.
    """
    decoder = codecs.getincrementaldecoder(codec)
    is_charmap = hasattr(sys.modules[decoder.__module__], "decoding_table")
    ascii_bytes = bytes(range(_HIGH))
    if not (is_charmap or codec in _DOUBLE_BYTE):
        return None
    if ascii_bytes.decode(codec, "replace") != ascii_bytes.decode("ascii"):
        return None
    singles = np.zeros(256, dtype=np.int32)
    pairs = np.full((_HIGH, 256), BAD, dtype=np.int32)
    # A line feed is the second of no pair: each can stand on a line of its own.
    trails = np.flatnonzero(np.arange(256) != ord("\n"))
    for lead in range(_HIGH, 256):
        reading = decoder("replace").decode(bytes((lead,)), False)
        singles[lead] = _character(reading) if reading else PAIR
        if not reading:
            lines = b"\n".join([bytes((lead, trail)) for trail in trails])
            readings = browser_text(lines.decode(codec, "replace"), codec).split("\n")
            pairs[lead - _HIGH, trails] = [_character(reading) for reading in readings]
    for pair in _ODD_PAIRS.get(codec, ()):
        pairs[pair[0] - _HIGH, pair[1]] = ODD
    for lead in _ODD_LEADS.get(codec, ()):
        singles[lead] = ODD
    return CodeTable(singles, pairs, codec == _WITH_FOUR_BYTES)


def browser_text(text: str, codec: str) -> str:
    """A text as browsers read it."""
    for python, browsers in BROWSER_CHARACTERS.get(codec, ()):
        text = text.replace(python, browsers)
    return text


def _character(reading: str) -> int:
    """What a codec reads; `BAD` for U+FFFD, `ODD` for what is no single character above U+007F."""
    if reading.startswith("\ufffd"):  # and what follows when it reads on behind the first byte
        return BAD
    code = ord(reading) if len(reading) == 1 else 0
    return ODD if code < _HIGH or code == _BYTE_ORDER_MARK else code
