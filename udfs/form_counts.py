"""What the forms of texts are told by: counts of signs and lines, in one compiled pass."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from udfs.code_points import CODE_POINTS, CodePoints, Counts, EncodedTexts
from udfs.compiled import compiled

COUNTS = (
    "lines", "short_lines", "turns", "speakers", "questions", "quotes", "digits", "options",
    "articles", "formulas", "code", "headings",
)  # fmt: skip
"""The columns of `form_counts`."""

SHORT_LINE = 12
"""Most characters of a short line."""
SPEAKER_CHARS = 8
"""Most characters before the colon of a turn."""
FORMULA_CHARS = 80
"""Most characters between two dollar signs of a formula."""
NUMBER_CHARS = 7
"""Most characters of the number of an article."""
CODE_WORDS = (
    "import", "def", "class", "public", "private", "return", "function", "var", "let", "const",
    "#include",
)  # fmt: skip
"""What lines of programs begin with."""

Kinds = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.int64]

# What a character is: bits. A digit is a numeral too.
_SPACE, _NUMERAL, _DIGIT, _QUESTION, _QUOTE, _SIGN, _ARTICLE, _COLON = (1 << n for n in range(8))
_KINDS = {
    _NUMERAL: "一二三四五六七八九十百千零〇0123456789",
    _DIGIT: "0123456789",
    _QUESTION: "？?",
    _QUOTE: "“「",
    _SIGN: ".．、)）",
    _ARTICLE: "条款",
    _COLON: "：:",
}
_HASH_FACTOR = 131
_HASH_MASK = (1 << 48) - 1


def form_counts(texts: EncodedTexts) -> Counts:
    """Counts of what forms consist of, shape (texts, COUNTS).

    Lines are those that are not blank, without the white space around them.

    - short_lines: of at most SHORT_LINE characters
    - turns: lines with a colon behind 1 to SPEAKER_CHARS characters; speakers: different ones
    - questions, quotes, digits: question marks, opening quotes, 0 to 9
    - options: how many of the letters A to D stand alone before a stop, a bracket or a comma of
      lists; full-width letters are the same
    - articles: 第, a number, 条 or 款
    - formulas: backslashes with a command behind, and pairs of dollar signs in a line
    - code: ends of lines with a semicolon or brace, lines that begin with a word of CODE_WORDS,
      calls without arguments, three backticks
    - headings: lines that begin with #
    """
    words = np.array([_hash_of(word) for word in CODE_WORDS], dtype=np.int64)
    bounds = np.concatenate([[0], texts.stops])
    return _counts(
        texts.codes, bounds, _kinds(), words, len(COUNTS), SHORT_LINE, SPEAKER_CHARS,
        FORMULA_CHARS, NUMBER_CHARS,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _kinds() -> Kinds:
    """Code point -> its bits."""
    kinds = np.zeros(CODE_POINTS, dtype=np.uint8)
    for code in range(0x3001):  # no white space comes behind
        kinds[code] = _SPACE * chr(code).isspace()
    for bit, signs in _KINDS.items():
        for sign in signs:
            kinds[ord(sign)] |= bit
    return kinds


def _hash_of(word: str) -> int:
    value = 0
    for sign in word:
        value = (value * _HASH_FACTOR + ord(sign)) & _HASH_MASK
    return value


@compiled
def _counts(
    codes: CodePoints,
    bounds: Counts,
    kinds: Kinds,
    words: Hashes,
    columns: int,
    short_line: int,
    speaker_chars: int,
    formula_chars: int,
    number_chars: int,
) -> Counts:
    counts = np.zeros((len(bounds) - 1, columns), dtype=np.int64)
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    speakers = np.empty(longest + 1, dtype=np.int64)
    for text in range(len(bounds) - 1):
        end = bounds[text + 1]
        lines = short_lines = turns = names = questions = quotes = digits = 0
        letters = articles = formulas = code = headings = 0
        begin = bounds[text]
        while begin < end:
            first = last = -1  # of the line's signs that are no white space
            colon = dollar = -1
            number = -1  # how many numerals came behind 第; -1 without it
            word = np.int64(0)  # hash of what the line begins with; -1 when that is over
            at = begin
            while at < end and codes[at] != 0x0A:
                sign = codes[at]
                kind = kinds[sign]
                if not kind & _SPACE:
                    last = at
                    if first < 0:
                        first = at
                if number >= 0:
                    if kind & _NUMERAL:
                        number += 1
                    else:
                        articles += bool(kind & _ARTICLE) and 0 < number <= number_chars
                        number = -1
                if sign == 0x7B2C:
                    number = 0
                if word >= 0:
                    if sign == 0x20:
                        for known in words:
                            code += begin > bounds[text] and word == known
                        word = np.int64(-1)
                    elif 0x61 <= sign <= 0x7A or sign == 0x23:
                        word = (word * _HASH_FACTOR + np.int64(sign)) & _HASH_MASK
                    else:
                        word = np.int64(-1)
                if kind:
                    digits += bool(kind & _DIGIT)
                    questions += bool(kind & _QUESTION)
                    quotes += bool(kind & _QUOTE)
                    if kind & _COLON and colon < 0:
                        colon = at
                    if kind & _SIGN and at > begin:
                        letters |= _option(codes, at - 1, begin)
                elif sign == 0x5C:  # a backslash
                    formulas += (
                        at + 2 < end and _is_small(codes[at + 1]) and _is_small(codes[at + 2])
                    )
                elif sign == 0x24:  # a dollar
                    if dollar >= 0 and 1 < at - dollar <= formula_chars + 1:
                        formulas += 1
                        dollar = -1
                    else:
                        dollar = at
                elif sign == 0x60:  # a backtick
                    code += at - begin >= 2 and codes[at - 1] == 0x60 and codes[at - 2] == 0x60
                elif sign == 0x28:  # a bracket
                    code += (
                        at > begin
                        and at + 1 < end
                        and codes[at + 1] == 0x29
                        and _is_small(codes[at - 1])
                    )
                at += 1
            if at > begin:
                headings += codes[begin] == 0x23
                sign = codes[at - 1]
                code += at < end and (sign == 0x3B or sign == 0x7B or sign == 0x7D)
            if first >= 0:
                lines += 1
                short_lines += last - first < short_line
                if 0 < colon - first <= speaker_chars:
                    turns += 1
                    name = _speaker(codes, kinds, first, colon)
                    place = 0
                    while place < names and speakers[place] != name:
                        place += 1
                    speakers[place] = name
                    names = max(names, place + 1)
            begin = at + 1
        options = 0
        for letter in range(4):
            options += (letters >> letter) & 1
        row = counts[text]
        row[0], row[1], row[2], row[3] = lines, short_lines, turns, names
        row[4], row[5], row[6], row[7] = questions, quotes, digits, options
        row[8], row[9], row[10], row[11] = articles, formulas, code, headings
    return counts


@compiled
def _speaker(codes: CodePoints, kinds: Kinds, first: int, colon: int) -> np.int64:
    """The hash of what stands before a colon, without white space at its end."""
    while kinds[codes[colon - 1]] & _SPACE:
        colon -= 1
    name = np.int64(0)
    for at in range(first, colon):
        name = (name * _HASH_FACTOR + np.int64(codes[at])) & _HASH_MASK
    return name


@compiled
def _option(codes: CodePoints, at: int, begin: int) -> int:
    """The bit of an option's letter: A to D, of either width, behind none of ``A-Za-z\\{$``."""
    letter = codes[at]
    if letter >= 0xFF21:
        letter -= np.uint32(0xFEE0)
    if not 0x41 <= letter <= 0x44:
        return 0
    if at > begin:
        before = codes[at - 1]
        if 0x61 <= (before | 0x20) <= 0x7A or before == 0x5C or before == 0x7B or before == 0x24:
            return 0
    return 1 << (int(letter) - 0x41)


@compiled
def _is_small(sign: np.uint32) -> bool:
    return bool(0x61 <= sign <= 0x7A)
