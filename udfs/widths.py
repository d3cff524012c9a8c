"""Full-width letters, digits and symbols, and spaces of other widths."""

from __future__ import annotations

import re

# What the national standard for punctuation lists stays as it is, and the dot, which is looked at
# by itself.
_CHINESE = "！（），：；？［］～．"
_NARROW = {
    code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in _CHINESE
} | dict.fromkeys((0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F), 0x20)

WIDE_CHARACTERS = frozenset(map(chr, _NARROW)) | {"．", "\u3000"}
"""What `narrow` looks at."""

_WIDE = re.compile(f"[{''.join(map(re.escape, map(chr, _NARROW)))}]+")
_DOT = re.compile("．(?<=[0-9A-Za-z]．)")
_INDENT_CHARS = 100  # what is further in is in the middle of a line
_IDEOGRAPHIC_SPACES = re.compile("\u3000+")


def narrow(text: str) -> tuple[str, int]:
    """A text with half-width letters, digits and symbols, and how many characters that changed.

    - Letters, digits and the symbols of ASCII become half-width. What Chinese is punctuated
      with stays: ，：；！？（）［］ and the ～ of a range. So do ￥ and half-width kana.
    - ． becomes a full stop behind a letter or a digit (３．１４, １．前言). Elsewhere it is the
      dot of a foreign name or a full stop of scientific text, and stays.
    - No-break and typographic spaces become spaces, one each: as wide as the letters, that is.
      The ideographic space does inside a line. At its beginning it stays, because two of them are
      how Chinese marks a paragraph: of 17,606 documents 6 % do.

    Source: GB/T 15834-2011 for what is Chinese punctuation; Unicode, Halfwidth and Fullwidth Forms.

    >>> narrow("　　ＩＳＯ　９００１：２０１５，共３．５％")
    ('　　ISO 9001：2015，共3.5%', 16)
    """
    changed = 0

    def narrowed(match: re.Match[str]) -> str:
        nonlocal changed
        changed += len(match[0])
        return match[0].translate(_NARROW)

    def spaced(match: re.Match[str]) -> str:
        nonlocal changed
        start = match.start()
        begin = text.rfind("\n", max(0, start - _INDENT_CHARS), start) + 1
        if (begin or start < _INDENT_CHARS) and not text[begin:start].strip():
            return match[0]
        changed += len(match[0])
        return " " * len(match[0])

    text = _WIDE.sub(narrowed, text)
    if "．" in text:
        text, dots = _DOT.subn(".", text)
        changed += dots
    if "\u3000" in text:
        text = _IDEOGRAPHIC_SPACES.sub(spaced, text)
    return text, changed
