"""Counts of a script's characters, in texts and in the bytes of pages before those are decoded.

Han is counted by `udfs.base.page_counts`; any other script by a table of its code points.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html.entities import html5

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.code_points import CODE_POINTS
from udfs.base.jit import compiled, uncounted
from udfs.base.language import Script, script_ranges

_REFERENCE = re.compile(rb"&#(?:0*+([0-9]{1,7})|[xX]0*+([0-9a-fA-F]{1,6}))")


@lru_cache(maxsize=8)
def script_table(script: Script) -> UInt8Array:
    """Whether each code point belongs to a script: 1 or 0, shape (CODE_POINTS,)."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for first, last in script_ranges(script):
        table[first : last + 1] = 1
    return table


def script_chars(utf8: bytes, script: Script, start: int = 0, end: int | None = None) -> int:
    """Count the characters of a script in valid UTF-8.

    >>> script_chars("ab سلام".encode(), ("Arabic",)), script_chars(b"ab", ("Latin",))
    (4, 2)
    """
    data = np.frombuffer(utf8, dtype=np.uint8)
    return int(_count(data, start, len(utf8) if end is None else end, script_table(script)))


def reference_chars(page: bytes, script: Script, start: int = 0, end: int | None = None) -> int:
    """Count the numeric character references of a page that are characters of a script.

    >>> reference_chars(b"&#1587;&#x644;&#39;", ("Arabic",))
    2
    """
    end = len(page) if end is None else end
    if page.find(b"&#", start, end) < 0:
        return 0
    table = script_table(script)
    found = (int(m[1]) if m[1] else int(m[2], 16) for m in _REFERENCE.finditer(page, start, end))
    return sum(int(table[code]) for code in found if code < CODE_POINTS)


@lru_cache(maxsize=8)
def has_named_references(script: Script) -> bool:
    """Whether HTML has names for characters of a script: &alpha; &Acy; &eacute;."""
    table = script_table(script)
    return any(table[ord(char)] for text in html5.values() for char in text)


@compiled
def _count(data: UInt8Array, start: int, end: int, table: UInt8Array) -> int:
    data, table = uncounted(data), uncounted(table)
    count, at = 0, start
    while at < end:
        byte = np.uint32(data[at])
        if byte < 0x80:
            count += int(table[byte])
            at += 1
            continue
        size = 2 + int(byte >= 0xE0) + int(byte >= 0xF0)
        if byte < 0xC0 or at + size > end:  # no character begins here, or the end cuts it
            at += 1
            continue
        code = byte & np.uint32(0x7F >> size)
        for more in range(1, size):
            code = (code << np.uint32(6)) | (np.uint32(data[at + more]) & np.uint32(0x3F))
        if code < 0x110000:
            count += int(table[code])
        at += size
    return count
