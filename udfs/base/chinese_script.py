"""Simplified and traditional script: which characters belong to one of them alone, which script a
text is written in, and whether zhconv would change it (ChineseWebText 2.0's rule).

All of it comes from the tables of the package zhconv, read when first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from udfs.base.array_types import (
    BoolArray,
    Int32Array,
    Int64Array,
    UInt8Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.code_points import CODE_POINTS, EncodedTexts
from udfs.base.hash_table import ABSENT
from udfs.base.jit import compiled, uncounted
from udfs.base.word_trie import longest_word, may_begin, word_beginnings, word_trie

HANS, HANT, MIXED = "hans", "hant", "mixed"  # the first two are ISO 15924 in lower case

MIN_MINORITY_SHARE = 0.05
MIN_MINORITY_CHARS = 5
"""A text is mixed when each script has at least this share and number of the characters that
belong to one script alone.

Text of one script has a few of the other: a name, a quoted title, 衹 in an old edition. Of 15,865
texts from sources of one script 6 pass both limits, and those do have sentences in the other
script or its spellings. Of texts with a tenth of their length in the other script 94 % pass, with
a fifth 98 %.
"""

HANS_CHARACTER, HANT_CHARACTER = 1, 2
"""Values of `script_table`: characters of simplified and of traditional script alone."""

CASIA_LOCALE = "zh-cn"


def script_of(text: str) -> str | None:
    """Return the script of a Chinese text, by the characters that only one script uses.

    Three of ten characters of running text decide: 个 and 这, or 個 and 這. Characters of both
    scripts (后, 里, 台, 只) say nothing. Japanese shares characters with either script, so the
    language must be known to be Chinese.

    Returns:
        "hans" or "hant" for the script with more such characters; "mixed" when the other one has
        at least `MIN_MINORITY_SHARE` of them and `MIN_MINORITY_CHARS`, or when both have the
        same number; None when the text has no such character.

    >>> script_of("这个问题很简单"), script_of("這個問題很簡單"), script_of("山高水深")
    ('hans', 'hant', None)
    """
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
    flags = script_table()[codes]
    simplified = int(np.count_nonzero(flags == HANS_CHARACTER))
    traditional = int(np.count_nonzero(flags == HANT_CHARACTER))
    telling, minority = simplified + traditional, min(simplified, traditional)
    if telling == 0:
        return None
    if simplified == traditional:
        return MIXED
    if minority >= MIN_MINORITY_CHARS and minority >= MIN_MINORITY_SHARE * telling:
        return MIXED
    return HANS if simplified > traditional else HANT


@lru_cache(maxsize=1)
def script_table() -> UInt8Array:
    """Script of each code point: HANS_CHARACTER, HANT_CHARACTER or 0, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    table[[ord(char) for char in simplified_characters()]] = HANS_CHARACTER
    table[[ord(char) for char in traditional_characters()]] = HANT_CHARACTER
    return table


@lru_cache(maxsize=1)
def traditional_characters() -> frozenset[str]:
    """Return the characters that are used only in traditional script.

    zhconv lists them together with some that simplified text uses too (乾 in 乾坤, 於 in names,
    覆 in 覆盖): characters of the simplified standard GB 2312 are therefore left out.
    """
    from zhconv import zhconv

    zhconv.loaddict()
    return frozenset(char for char in zhconv.zhcdicts["TRADONLY"] if not _in(char, "gb2312"))


@lru_cache(maxsize=1)
def simplified_characters() -> frozenset[str]:
    """Return the characters that are used only in simplified script.

    zhconv lists some that traditional text uses too (后 in 皇后, 里 in 公里, 台 in 台灣):
    characters of the traditional standard Big5 are left out, and those that zhconv itself writes
    in traditional text (户, 税 and 温 in Hong Kong).
    """
    from zhconv import zhconv

    zhconv.loaddict()
    tables = [zhconv.zhcdicts[name] for name in ("zh2Hant", "zh2TW", "zh2HK")]
    written = {value for table in tables for key, value in table.items() if len(key) == 1}
    return frozenset(
        char
        for char in zhconv.zhcdicts["SIMPONLY"]
        if char not in written and not _in(char, "big5")
    )


class ConversionCheck:
    """Decide whether zhconv's conversion would change a text, mostly without converting it.

    zhconv replaces, from left to right, the longest table key that begins at each position. The
    first replacement that differs from its key decides: before it, the result equals the text;
    there, it differs, unless key or replacement is a prefix of the other. Only then the text is
    converted and compared.

    Source: ChineseWebText 2.0's script, rule "character"; zhconv 1.4.3 `convert`.
    """

    def __init__(self, table: Mapping[str, str], locale: str = CASIA_LOCALE) -> None:
        self._locale = locale
        # A one-character key that maps to itself advances by one, as without a key: leaving
        # the 3,800 of them out is exact. Longer keys that map to themselves protect the
        # characters that they cover and must stay.
        pairs = [(key, value) for key, value in table.items() if len(key) > 1 or key != value]
        self._certain = [_certainly_differs(key, value) for key, value in pairs]
        self._changes = np.array([key != value for key, value in pairs], dtype=np.bool_)
        keys = [key for key, _ in pairs]
        self._trie, self._beginnings = word_trie(keys), word_beginnings(keys)

    def changes(self, texts: Sequence[str], encoded: EncodedTexts) -> BoolArray:
        """Return whether conversion changes each text.

        Args:
            texts: The texts.
            encoded: The same texts' code points.
        Returns:
            Shape (texts,).
        """
        found = np.empty(len(texts), dtype=np.int64)
        _find_first_change(
            encoded.codes,
            encoded.starts,
            encoded.stops,
            self._trie.keys,
            self._trie.nodes,
            self._trie.words,
            self._beginnings,
            CODE_POINTS,
            self._changes,
            found,
        )
        changes: BoolArray = found != ABSENT
        for index in np.flatnonzero(changes).tolist():
            changes[index] = self._certain[found[index]] or self._converts_differently(texts[index])
        return changes

    def _converts_differently(self, text: str) -> bool:
        from zhconv import zhconv

        return bool(zhconv.convert(text, self._locale) != text)


@compiled
def _find_first_change(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    keys: UInt64Array,
    nodes: Int32Array,
    words: Int64Array,
    beginnings: UInt8Array,
    step: int,
    changes: BoolArray,
    found: Int64Array,
) -> None:
    """Write the first key in each text that its replacement differs from, or ABSENT.

    Args:
        keys: Of a `WordTrie`, as are nodes and words; its words are the keys.
        beginnings: `word_beginnings` of them.
        step: CODE_POINTS.
        changes: Whether the replacement of each key differs from it.
    """
    codes, keys, nodes = uncounted(codes), uncounted(keys), uncounted(nodes)
    words, beginnings = uncounted(words), uncounted(beginnings)
    for text in range(len(starts)):
        found[text] = ABSENT
        place, stop = starts[text], stops[text]
        while place < stop:
            length = 0
            if may_begin(codes, place, stop, beginnings):
                key, length = longest_word(codes, place, stop, keys, nodes, words, step)
                if length and changes[key]:
                    found[text] = key
                    break
            place += max(length, 1)


@lru_cache(maxsize=1)
def casia_conversion() -> ConversionCheck:
    """Return the check of ChineseWebText's published script: conversion to zh-cn."""
    from zhconv import zhconv

    return ConversionCheck(zhconv.getdict(CASIA_LOCALE))


def _certainly_differs(key: str, value: str) -> bool:
    """Whether a text that begins with key cannot equal a result that begins with value."""
    shared = min(len(key), len(value))
    return key[:shared] != value[:shared]


def _in(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
