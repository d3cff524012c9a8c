"""Texts in traditional script, converted to simplified with OpenCC's phrases.

What is traditional is decided first, because OpenCC's tables are made for traditional text and
damage simplified text: 打坏 becomes 打坯, 显著 becomes 显着. A text of traditional script is
converted whole. Of any other only those lines are that have a character of traditional script
alone: a quoted title, a second version.

Source: OpenCC (the distribution opencc, Apache-2.0, which brings its dictionaries).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from opencc import OpenCC

from udfs.base.chinese_script import (
    HANS_CHARACTER,
    HANT_CHARACTER,
    MIN_MINORITY_SHARE,
    script_table,
)
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.repair.repair import Repaired

TRADITIONAL = "traditional"
"""The kind of edit."""

CONFIGS = ("hk2t", "tw2s", "t2s")
"""OpenCC's conversions that are used here. All of them keep the number of characters."""

_Convert = Callable[[str], str]


def simplify_texts(texts: Sequence[str | None]) -> list[Repaired | None]:
    """Convert what is in traditional script.

    A text in traditional script is read as the web writes it, which is by the standards of Taiwan
    and Hong Kong: OpenCC's hk2t where a character of Hong Kong alone is in it, then tw2s. t2s
    expects OpenCC's own standard, and leaves 看著 and 衞生 as they are: of 2,000 texts written by
    Taiwan's standard t2s gets 99.61 % of the characters right and this 99.93 %, by Hong Kong's
    99.85 % and 99.94 %. What is left are phrases that OpenCC does not list (編著, 土著). In a text
    that is not traditional, a line in which simplified characters prevail is converted with t2s,
    because tw2s would take its 显著 and 么 for Taiwan's.

    Words stay what they are (軟體 becomes 软体, not 软件: tw2sp would translate), and so do
    quotation marks.

    Args:
        texts: Documents. A character of traditional script alone is what
            `traditional_characters` lists.
    Returns:
        As long as texts. None where there is no text, no character of traditional script alone,
        or nothing to convert. Edits of kind "traditional" are code points that changed.
    Raises:
        UnicodeEncodeError: a lone surrogate, which no Arrow string can hold.

    >>> simplify_texts(["皇后看著乾燥的頭髮", "皇后看着干燥的头发"])[0].text
    '皇后看着干燥的头发'
    """
    results: list[Repaired | None] = [None] * len(texts)
    places = [place for place, text in enumerate(texts) if text]
    present = [text for text in texts if text]
    traditional, simplified = _script_counts(encode_texts(present))
    for index in np.flatnonzero(traditional).tolist():
        text = present[index]
        telling = traditional[index] + simplified[index]
        if simplified[index] < MIN_MINORITY_SHARE * telling:
            converted = _of_the_web(text)
        else:
            converted = _lines_converted(text)
        if converted != text:
            edits = {TRADITIONAL: _code_points_changed(text, converted)}
            results[places[index]] = Repaired(converted, edits)
    return results


def _lines_converted(text: str) -> str:
    """A text with those lines converted that have characters of traditional script alone."""
    lines = text.split("\n")
    traditional, simplified = _script_counts(encode_texts(lines))
    for index in np.flatnonzero(traditional).tolist():
        prevails = traditional[index] > simplified[index]
        lines[index] = (_of_the_web if prevails else _converter("t2s"))(lines[index])
    return "\n".join(lines)


def _of_the_web(text: str) -> str:
    """Text by the standard of Taiwan, of Hong Kong or of OpenCC, converted."""
    if any(char in text for char in _hong_kong_characters()):
        text = _converter("hk2t")(text)
    return _converter("tw2s")(text)


def _script_counts(
    encoded: EncodedTexts,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many characters of traditional and of simplified script alone, shapes (texts,)."""
    flags = script_table()[encoded.codes]
    traditional = encoded.counts_of(flags == HANT_CHARACTER)
    if not traditional.any():
        return traditional, traditional
    return traditional, encoded.counts_of(flags == HANS_CHARACTER)


def _code_points_changed(before: str, after: str) -> int:
    """Code points that differ. OpenCC's tables for this direction keep the length."""
    if len(before) != len(after):
        raise ValueError(f"{len(before)} characters became {len(after)}")
    old, new = (
        np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32) for text in (before, after)
    )
    return int(np.count_nonzero(old != new))


@lru_cache(maxsize=1)
def _hong_kong_characters() -> frozenset[str]:
    """Characters of Hong Kong's standard that tw2s does not bring to the same simplified one."""
    characters = [chr(code) for code in range(0x80, 0x30000) if not 0xD800 <= code < 0xE000]
    listed = "\n".join(characters)
    direct = _converter("tw2s")(listed).split("\n")
    by_standard = _converter("tw2s")(_converter("hk2t")(listed)).split("\n")
    differ = zip(characters, direct, by_standard, strict=True)
    return frozenset(char for char, one, other in differ if one != other)


@lru_cache(maxsize=len(CONFIGS))
def _converter(config: str) -> _Convert:
    """One of OpenCC's conversions; they hold no state and take some milliseconds to load."""
    opencc = OpenCC(config)

    def convert(text: str) -> str:
        # OpenCC takes U+0000 for the end of a text.
        return "\0".join(map(opencc.convert, text.split("\0")))

    return convert
