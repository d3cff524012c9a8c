"""Repairs of characters: controls, widths, canonical composition, runs of punctuation marks.

Each step takes a text and returns it with the number of places that it changed. Beside each are
the characters that it can change, by which `udfs.repair.repair` skips the step for most texts.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LINE_ENDS = "\r\x0b\x0c\x85\u2028\u2029"
_REMOVED = (
    *range(0x00, 0x09),
    *range(0x0E, 0x20),
    *range(0x7F, 0x85),
    *range(0x86, 0xA0),
    *range(0xFDD0, 0xFDF0),  # noncharacters; those of other planes do not occur in pages
    *(0xFFFE, 0xFFFF),
)

CONTROL_CHARACTERS = frozenset(_LINE_ENDS) | frozenset(map(chr, _REMOVED))
"""Characters that `clean_controls` can change."""

# Browsers read these numbers as bytes of Windows-1252, and so does `clean_controls`.
_WINDOWS = {
    chr(byte): bytes((byte,)).decode("cp1252")
    for byte in range(0x80, 0xA0)
    if byte not in (0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D)
}
# One character class first: a search for alternatives takes ten times as long.
_CLEANED = re.compile(
    f"[{''.join(map(re.escape, sorted(CONTROL_CHARACTERS)))}]"
    r"(?:(?<=\r)\n"
    r"|(?<=\x1b)\[[0-?]*[ -/]*[@-~])?"  # a terminal's colour codes
)


def clean_controls(text: str) -> tuple[str, int]:
    """Remove control characters; return the text and the number of places changed.

    A tab stays: it separates the columns of a table and indents code. A carriage return, a vertical
    tab, a form feed, U+0085, U+2028 and U+2029 become newlines, as in extracted texts. The whole
    sequence of a terminal's colour code is removed, not its first character alone. A quotation mark
    or a dash that was written in Windows-1252 and read as Latin-1 becomes that mark.

    Source: Unicode Standard, sections 5.8 (line ends), 23.1 and 23.7 (noncharacters); ECMA-48, 5.4;
    HTML Standard, numeric character references (Windows-1252).

    >>> clean_controls("a\\r\\nb\\x00\\tc\\x1b[31m\\x93d\\x94")
    ('a\\nb\\tc“d”', 5)
    """
    return _CLEANED.subn(_cleaned, text)


def _cleaned(match: re.Match[str]) -> str:
    character = match[0][0]
    return "\n" if character in _LINE_ENDS else _WINDOWS.get(character, "")


# Full-width marks of the national standard for punctuation stay; the dot has its own rule.
_CHINESE = "！（），：；？［］～．"
_NARROW = {
    code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in _CHINESE
} | dict.fromkeys((0x00A0, *range(0x2000, 0x200B), 0x202F, 0x205F), 0x20)

WIDE_CHARACTERS = frozenset(map(chr, _NARROW)) | {"．", "\u3000"}
"""Characters that `narrow` can change."""

_WIDE = re.compile(f"[{''.join(map(re.escape, map(chr, _NARROW)))}]+")
_DOT = re.compile("．(?<=[0-9A-Za-z]．)")
INDENT_CHARS = 100
"""Where an indent begins in its line at most: behind a longer beginning there is none."""
_IDEOGRAPHIC_SPACES = re.compile("\u3000+")


def narrow(text: str) -> tuple[str, int]:
    """Make letters, digits and symbols half-width; return the text and the characters changed.

    - Letters, digits and the symbols of ASCII become half-width. The punctuation of Chinese stays:
      ，：；！？（）［］ and the ～ of a range. So do ￥ and half-width kana.
    - ． becomes a full stop behind a letter or a digit (３．１４, １．前言). Elsewhere it is the
      dot of a foreign name or a full stop of scientific text, and stays.
    - No-break and typographic spaces become spaces, one each, and so does the ideographic space
      inside a line. At the beginning of a line it stays, because two of them mark a paragraph in
      Chinese: of 17,606 documents 6 % have them.

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
        begin = text.rfind("\n", max(0, start - INDENT_CHARS), start) + 1
        if (begin or start < INDENT_CHARS) and not text[begin:start].strip():
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


# Beyond them are only private use and characters without a canonical mapping.
_RANGES = ((0x00C0, 0x1FFFF), (0x2F800, 0x2FA1F))


MAX_SEQUENCE = 1000
"""Longest sequence that is composed: ordering its accents takes time that grows with the square."""


def compose(text: str) -> tuple[str, int]:
    """Compose to Normalization Form C; return the text and the number of sequences changed.

    NFC, not NFKC, which would replace ①, ㎡, ℃ and Ⅲ. In Chinese text NFC changes CJK compatibility
    ideographs (U+F9xx, from Korean code tables), Å and Ω as units, and accents behind their letter.
    A sequence of more than `MAX_SEQUENCE` characters stays as it is; real text has none.

    Source:
        Unicode Standard Annex #15. The characters are those of the interpreter's version of
        Unicode; what a version assigns keeps its normal form in all later ones.
    """
    pieces: list[str] = []
    done = changed = 0
    for match in _sequences().finditer(text):
        # Together with the letter before.
        begin, end = max(match.start() - 1, done), match.end()
        sequence = text[begin:end]
        if len(sequence) <= MAX_SEQUENCE and not unicodedata.is_normalized("NFC", sequence):
            pieces += (text[done:begin], unicodedata.normalize("NFC", sequence))
            done = end
            changed += 1
    return "".join((*pieces, text[done:])), changed


@lru_cache(maxsize=1)
def composition_characters() -> frozenset[str]:
    """Return the characters that NFC can change or move.

    They change by themselves, compose with the character before them, or are ordered. Before any
    other character a text can be cut and its pieces composed one by one.
    """
    found: set[str] = set()
    for first, last in _RANGES:
        for character in map(chr, range(first, last + 1)):
            is_composed = unicodedata.is_normalized("NFC", character)
            if unicodedata.combining(character) or not is_composed:
                found.add(character)
            if is_composed:  # all that it is made of but the first composes with what is before
                found.update(unicodedata.normalize("NFD", character)[1:])
    return frozenset(found)


@lru_cache(maxsize=1)
def _sequences() -> re.Pattern[str]:
    """Match sequences of `composition_characters`.

    All characters beyond the basic plane match: a search for a hundred ranges there takes a hundred
    times as long, and false matches are rare.
    """
    listed = "".join(sorted(char for char in composition_characters() if char <= "\uffff"))
    return re.compile(f"[{re.escape(listed)}\U00010000-\U0010ffff]+")


RUN_LIMITS = {
    **dict.fromkeys("！？，、；：～!?~", 3),
    "。": 2,
    "…": 4,
    "—": 4,
    "·": 6,
    ".": 6,
    **dict.fromkeys("-=*_", 10),
}
"""Longest run of each mark that `shorten_runs` leaves alone."""

# One pattern that begins with one class: alternatives take ten times as long.
_RUNS = re.compile(f"([{''.join(map(re.escape, RUN_LIMITS))}])\\1\\1+")
_HAN = re.compile("[\u3400-\u9fff]")
_ADDRESS_CHARS = 300
_NO_ADDRESS = re.compile("[^!-~]")
_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)
_RULES = "-=*_"
_SHORT = {"。": "……", "…": "……", "—": "——", "·": "······", ".": "......"}


def shorten_runs(text: str) -> tuple[str, int]:
    """Shorten runs of the same mark; return the text and the number of runs changed.

    - ！ and ？ repeat at most three times, as in the standard; so do ，、；：～. Alternating ones
      (？！？！) are left alone.
    - Three and more 。 become an ellipsis: ……. Two may be a typing error, and stay.
    - An ellipsis is …… and, for lines left out, …………; a longer run is a leader and becomes ……. A
      dash is ——; a run over four becomes one. Over six · or . become six.
    - ! ? ~ and . of ASCII are shortened only in lines with Chinese text, and neither in lines with
      a | or a ` (tables, code) nor inside a URL. Commas of ASCII are left alone: they are the empty
      fields of a table.
    - A line of nothing but more than ten of - = * or _ becomes three of them, the same in Markdown.
      Inside a line they are tables, code, or blanks to fill in.

    Emoji, stars and frames are no punctuation: ★★★★★ is a rating.

    Source: GB/T 15834-2011, on question and exclamation mark (at most three), ellipsis and dash.

    >>> shorten_runs("好！！！！！！走了。。。。。。")
    ('好！！！走了……', 2)
    """
    changed = line_end = 0
    line = ""
    prose = False

    def shortened(match: re.Match[str]) -> str:
        nonlocal changed, line, line_end, prose
        run, mark = match[0], match[1]
        if len(run) <= RUN_LIMITS[mark]:
            return run
        if mark.isascii():
            if not line or match.start() > line_end:
                begin = text.rfind("\n", 0, match.start()) + 1
                line_end = text.find("\n", match.end())
                line_end = line_end if line_end >= 0 else len(text)
                line = text[begin:line_end]
                prose = "|" not in line and "`" not in line and bool(_HAN.search(line))
            if mark in _RULES:
                if line.strip() != run:
                    return run
            elif not prose or _in_address(text, match.start()):
                return run
        changed += 1
        return _SHORT.get(mark, mark * 3)

    return _RUNS.sub(shortened, text), changed


def _in_address(text: str, place: int) -> bool:
    """Whether a place is in a URL, by the visible ASCII characters before it."""
    before = _NO_ADDRESS.split(text[max(0, place - _ADDRESS_CHARS) : place])[-1]
    return bool(_ADDRESS.search(before))
