"""Code tables for one and two bytes, built from Python's own codecs.

Characters of more bytes (four in GB18030, three in EUC-JP, composed Hangul) are not in them: the
codec decodes such bytes.
"""

from __future__ import annotations

import codecs
import sys
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int32Array

PAIR, BAD, ODD = -1, -2, -3
"""In place of a character: the first of two bytes; a bad byte; a character not in the tables."""

BROWSER_CHARACTERS = {
    "gb18030": (("\ue5e5", "\u3000"),),
    "big5hkscs": (
        ("\u2022", "\u2027"), ("\uff64", "\ufe51"), ("\u223c", "\uff5e"), ("\u203e", "\u00af"),
        ("\u2641", "\u2295"), ("\u2609", "\u2299"), ("\u00a5", "\uffe5"), ("\u00a2", "\uffe0"),
        ("\u00a3", "\uffe1"), ("\uffed", "\u2593"),
    ),
}  # fmt: skip
"""Characters of Python's tables, and what browsers, which authors used, show for the same bytes.

GB18030: A3 A0, the wide space of old editors. Big5: the dots of foreign names, the tilde, the
currency signs. No other bytes decode to a character on the left.

Source: WHATWG Encoding Standard, indexes gb18030 and big5.
"""

_DOUBLE_BYTE = frozenset(
    {"gb18030", "big5hkscs", "euc_kr", "cp949", "shift_jis", "cp932", "euc_jp"}
)
_WITH_FOUR_BYTES = "gb18030"
# Bytes that a codec decodes only together with others: composed Hangul, JIS X 0212.
_ODD_PAIRS = {"euc_kr": (b"\xa4\xd4",)}
_ODD_LEADS = {"euc_jp": (0x8F,)}
_HIGH, _BYTE_ORDER_MARK = 0x80, 0xFEFF


class CodeTable(NamedTuple):
    """The tables of one codec.

    Attributes:
        singles: Shape (256,): for each byte above 0x7F its character, or `PAIR`, `BAD`, `ODD`.
        pairs: Shape (128, 256): the same for two bytes, by the first minus 0x80 and the second.
        has_four: The codec has characters of four bytes, as GB18030 has.
    """

    singles: Int32Array
    pairs: Int32Array
    has_four: bool


@lru_cache(maxsize=64)
def code_table(codec: str) -> CodeTable | None:
    """Return the tables of a codec; the first call takes about ten milliseconds.

    Args:
        codec: Canonical name, as `udfs.charset.labels.canonical_codec` gives it.
    Returns:
        None for a codec that is not one of ASCII and two bytes.
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
    # No pair has a line feed as its second byte: each pair can be on its own line.
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
    """Return a text with the characters that browsers show."""
    for python, browsers in BROWSER_CHARACTERS.get(codec, ()):
        text = text.replace(python, browsers)
    return text


def _character(reading: str) -> int:
    """Return the code point; `BAD` for U+FFFD, `ODD` for other than one character above U+007F."""
    if reading.startswith("\ufffd"):  # more may follow, decoded from the second byte
        return BAD
    code = ord(reading) if len(reading) == 1 else 0
    return ODD if code < _HIGH or code == _BYTE_ORDER_MARK else code
