"""Find the sentences of a text that are formulas and figures rather than words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import BoolArray, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS
from udfs.base.jit import compiled
from udfs.base.language import SENTENCE_ENDS

MAX_SHARE = 0.5
"""A sentence with a larger share of digits and symbols is a formula. Source: ChineseWebText 2.0,
section on toxicity."""

# Kinds of characters, as bits.
_SPACE, _OTHER, _FORMULA, _END, _STOP = 0, 1, 2, 4, 8

_PROSE_MARKS = ",.!?;:'\""
"""ASCII punctuation of prose; all other ASCII punctuation counts as a symbol."""

_PICTOGRAPHS = 0x2460
"""Enclosed letters, shapes and emoji begin here and do not count as symbols: spam is full of them,
and no formula has them. Mathematical and currency symbols from here on do count."""

_NO_MORE_SYMBOLS = 0x20000
"""No digit or symbol is assigned from here on."""


def formula_flags(codes: UInt32Array, bounds: npt.NDArray[np.int64]) -> BoolArray:
    """Mark the characters of sentences of which more than half is digits and symbols.

    A sentence ends at a mark of SENTENCE_ENDS or a line break; a full stop before an ASCII digit or
    letter is inside a number or a name. White space does not count. Punctuation is no symbol, but
    ASCII brackets, slashes and the like are.

    Args:
        codes: Code points of texts end to end.
        bounds: Where each text begins, and where the last one ends, shape (texts + 1,).
    Returns:
        Shape (code points,).
    """
    return _flags(codes, bounds, _kinds(), MAX_SHARE)


@lru_cache(maxsize=1)
def _kinds() -> UInt8Array:
    """Code point -> bits of its kind, shape (CODE_POINTS,)."""
    kinds = np.full(CODE_POINTS, _OTHER, dtype=np.uint8)
    for code in range(_NO_MORE_SYMBOLS):
        sign = chr(code)
        category = unicodedata.category(sign)
        if sign.isspace():
            kinds[code] = _SPACE
        elif (
            category in ("Nd", "Sm", "Sc")
            or (code < _PICTOGRAPHS and category in ("No", "So", "Sk"))
            or (code < 0x80 and category[0] == "P" and sign not in _PROSE_MARKS)
        ):
            kinds[code] = _FORMULA
    for sign in SENTENCE_ENDS:
        kinds[ord(sign)] |= _END
    for sign in "\n\r\v\f\x85\u2028\u2029":
        kinds[ord(sign)] |= _END
    kinds[ord(".")] = _OTHER | _STOP
    return kinds


@compiled
def _flags(
    codes: UInt32Array, bounds: npt.NDArray[np.int64], kinds: UInt8Array, max_share: float
) -> BoolArray:
    flags = np.zeros(len(codes), dtype=np.bool_)
    for text in range(len(bounds) - 1):
        begin = bounds[text]
        end = bounds[text + 1]
        formula = total = 0
        for at in range(begin, end):
            kind = kinds[codes[at]]
            formula += (kind & _FORMULA) != 0
            total += (kind & (_FORMULA | _OTHER)) != 0
            is_end = (kind & _END) != 0
            if kind & _STOP:
                is_end = at + 1 == end or not _is_ascii_word(codes[at + 1])
            if is_end or at + 1 == end:
                if formula > max_share * total:
                    flags[begin : at + 1] = True
                begin = at + 1
                formula = total = 0
    return flags


@compiled
def _is_ascii_word(code: np.uint32) -> bool:
    return bool((0x30 <= code <= 0x39) | (0x61 <= (code | 0x20) <= 0x7A))
