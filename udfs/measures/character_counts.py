"""Counts of single characters and of sentences, in one pass over the code points of many texts."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import Int64Array, UInt8Array, UInt32Array
from udfs.base.characters import ENDS, WORDS, Kind, kind_table
from udfs.base.code_points import EncodedTexts
from udfs.base.jit import compiled, uncounted
from udfs.base.language import TextLanguage

# Bits of a code point; its kind is in the lowest.
_KIND = (1 << 4) - 1
_IS_FUNCTION, _IS_WORD, _IS_END = (1 << bit for bit in (4, 5, 6))

_FULL_STOP = ord(".")
_CHINESE = TextLanguage()


class CharacterCounts(NamedTuple):
    """Counts in each text."""

    kinds: Int64Array
    """Characters of each kind, shape (texts, kinds): column ``Kind.HAN`` holds those of that."""
    function_chars: Int64Array
    """Function characters of the language, shape (texts,)."""
    sentences: Int64Array
    """Sentences, shape (texts,). A sentence is the text between two ends that has a letter or
    digit; an end is one of the language's marks or a line feed. An ASCII full stop before an ASCII
    letter or digit is part of a number or a name, and does not end a sentence."""


def count_characters(encoded: EncodedTexts, language: TextLanguage = _CHINESE) -> CharacterCounts:
    """Count the kinds of characters, function characters and sentences of texts."""
    texts = len(encoded.lengths)
    counts = CharacterCounts(
        np.zeros((texts, len(Kind)), np.int64), np.zeros(texts, np.int64), np.zeros(texts, np.int64)
    )
    _count(encoded.codes, encoded.starts, encoded.stops, _table(language), *counts)
    return counts


@compiled
def _count(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    table: UInt8Array,
    kinds: Int64Array,
    function_chars: Int64Array,
    sentences: Int64Array,
) -> None:
    """Add to the fields of `CharacterCounts`."""
    codes, table = uncounted(codes), uncounted(table)
    for text in range(len(starts)):
        of_kind = kinds[text]
        functions = begun = 0
        is_inside = False
        for place in range(starts[text], stops[text]):
            bits = table[codes[place]]
            of_kind[bits & _KIND] += 1
            functions += (bits & _IS_FUNCTION) != 0
            if bits & _IS_WORD:
                begun += not is_inside
                is_inside = True
            elif bits & _IS_END:
                is_inner = (
                    codes[place] == _FULL_STOP
                    and place + 1 < stops[text]
                    and _is_ascii_word(codes[place + 1])
                )
                begun += is_inner and not is_inside
                is_inside = is_inner
        function_chars[text] += functions
        sentences[text] += begun


@compiled
def _is_ascii_word(code: np.uint32) -> bool:
    letter = code | np.uint32(0x20)
    return bool(
        (np.uint32(0x61) <= letter <= np.uint32(0x7A))
        or (np.uint32(0x30) <= code <= np.uint32(0x39))
    )


@lru_cache(maxsize=4)
def _table(language: TextLanguage) -> UInt8Array:
    """Bits of every code point, shape (CODE_POINTS,)."""
    kinds = kind_table(language.sentence_ends)
    table = kinds.copy()
    for (first, last), bit in ((WORDS, _IS_WORD), (ENDS, _IS_END)):
        table[(kinds >= first) & (kinds <= last)] |= bit
    table[[ord(char) for char in language.function_chars]] |= _IS_FUNCTION
    return table
