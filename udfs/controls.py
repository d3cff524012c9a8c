"""Control characters: line ends become newlines, tabs stay, others go."""

from __future__ import annotations

import re

_LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
_REMOVED = (
    *range(0x00, 0x09),
    *range(0x0E, 0x20),
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
    *range(0xFDD0, 0xFDF0),  # noncharacters; those of other planes nobody has seen in a page
    *(0xFFFE, 0xFFFF),
)

CONTROL_CHARACTERS = frozenset(_LINE_ENDS) | frozenset(map(chr, _REMOVED))
"""What `clean_controls` looks at."""

# Where a browser takes a number in this range for a byte of Windows-1252, a text has its character.
_WINDOWS = {
    chr(byte): bytes((byte,)).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D)
}
# What is searched for is one character: a search for alternatives takes ten times as long.
_CLEANED = re.compile(
    f"[{''.join(map(re.escape, sorted(CONTROL_CHARACTERS)))}]"
    r"(?:(?<=\r)\n"
    r"|(?<=\x1b)\[[0-?]*[ -/]*[@-~])?"  # how a terminal is told colours: nothing of it is text
)


def clean_controls(text: str) -> tuple[str, int]:
    """A text without control characters, and how many places that changed.

    A tab stays: it divides the columns of a table and indents code. A carriage return, a vertical
    tab, a form feed, U+0085, U+2028 and U+2029 end a line, as they do in what the extractors write.
    Of a terminal's colour codes the whole sequence goes, not its first character alone.

    A quotation mark or a dash that was written in Windows-1252 and read as Latin-1 becomes that
    mark.

    Source: Unicode Standard, sections 5.8 (line ends), 23.1 and 23.7 (noncharacters); ECMA-48, 5.4;
    HTML Standard, numeric character references (Windows-1252).

    >>> clean_controls("a\\r\\nb\\x00\\tc\\x1b[31m\\x93d\\x94")
    ('a\\nb\\tc“d”', 5)
    """
    return _CLEANED.subn(_cleaned, text)


def _cleaned(match: re.Match[str]) -> str:
    character = match[0][0]
    return "\n" if character in _LINE_ENDS else _WINDOWS.get(character, "")
