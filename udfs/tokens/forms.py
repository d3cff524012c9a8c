"""The forms of texts as tokens: turns of speakers, exam options, articles of law, formulas.

Words show the subject of a text. Its form shows as much whether it is a dialogue, an entry of an
encyclopedia, an exam or a statute; for a model that reads tokens, a form is one more token.

A change that gives any text other tokens takes another
`udfs.base.model_constants.FORM_TOKENS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from udfs.base.array_types import BoolArray, Int64Array, UInt8Array, UInt32Array
from udfs.base.code_points import CODE_POINTS, EncodedTexts, batch_of, encode_texts
from udfs.base.jit import compiled

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
"""First words of lines of programs."""


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

MARK = "§"
"""First character of form tokens. A segmenter cuts behind it, so no word begins with it."""

HEAD = 1_500
"""Leading characters of a text that are searched for forms."""

WORDS_PER_COPY = 24
"""Words of a text for each copy of its form tokens, so that their share is the same at all lengths
and is not lost in the mean over a long text."""

FORMS = (
    "turns", "questions", "question_title", "options", "articles", "dateline", "title_again",
    "definition", "definition_paren", "formulas", "code", "headings", "speech", "short_lines",
    "digits", "question_answered",
)  # fmt: skip
"""The forms, without the mark."""

_DIGITS_SHARE = 0.06
_TITLE_CHARS = 80
"""Most characters of a title."""
_ANSWER_CHARS = 30
"""Fewest characters of the line below a question that may answer it."""
_NO_ANSWERS = ("turns", "options", "articles", "code", "headings", "speech", "short_lines")
"""Forms of texts whose title may be a question without an answer below: stories, exams, manuals."""


_QUESTION_WORDS = re.compile("吗|呢|怎么|怎样|为什么|如何|什么|哪|多少|是否|请问|求助|请教")
# Each alternative begins with a character that `re` searches for.
_DATELINE = re.compile(
    "新华社|中新社|新华网|中新网|人民网|央视网|央广网|中国网|本报讯|本报记者|（记者|\\(记者"
    "|日(?<=[0-9]日)(?:电|讯|消息)|据[^，。\n]{2,12}(?:报道|消息)"
)
_DEFINITION = re.compile(
    r"[^，。！？；：:\n我你他她这那]{2,24}(?:（[^）\n]*）|\([^)\n]*\))?，?"
    "(?:是|位于|又名|又称|也称|亦称|指的|简称)"
)
_NAMES = re.compile(r"[^，。！？；：:\n0-9]{1,24}[（(][^）)\n]{0,80}[)）][，,]?[^。\n]")
_ENTRY_WORDS = re.compile("是|为|位于|，")


def form_tokens(texts: Sequence[str], counts: Sequence[int]) -> list[list[str]]:
    """The form tokens of texts (an `ExtraTokens` of udfs/tokens/tokenizer.py).

    Args:
        texts: Documents.
        counts: How many word tokens each has.
    Returns:
        A list a text; each token in it 1 + count // WORDS_PER_COPY times.

    >>> form_tokens(["甲：去吧！\\n乙：去。\\n甲：走！\\n乙：好。"], [7])
    [['§turns']]
    """
    return [
        [MARK + form for form in forms for _ in range(1 + count // WORDS_PER_COPY)]
        for forms, count in zip(forms_of(texts), counts, strict=True)
    ]


def forms_of(texts: Sequence[str]) -> list[list[str]]:
    """The forms of the beginning of each text, in the order of `FORMS`; white space has no form.

    Raises:
        UnicodeEncodeError: a lone surrogate.
    """
    heads = batch_of(texts).limited(HEAD)
    encoded = encode_texts(heads)
    counts = dict(zip(COUNTS, form_counts(encoded).T, strict=True))
    begun = np.array([_beginning(head) for head in heads], dtype=bool).reshape(-1, 6)
    question_title, answered, dateline, title_again, definition, definition_paren = begun.T
    lines, turns, chars = counts["lines"], counts["turns"], encoded.lengths
    digits = counts["digits"] >= _DIGITS_SHARE * chars
    formulas = counts["formulas"] >= 3
    found = {
        "turns": (turns >= 3) & (5 * turns >= 2 * lines) & (3 * counts["speakers"] <= 2 * turns),
        "questions": ~formulas & _is_dense(counts["questions"], chars, 3, 1.2),
        "question_title": ~formulas & ~digits & question_title,
        "options": counts["options"] >= 3,
        "articles": counts["articles"] >= 2,
        "dateline": dateline,
        "title_again": title_again,
        "definition": definition,
        "definition_paren": ~dateline & definition_paren,
        "formulas": formulas,
        "code": counts["code"] >= 4,
        "headings": counts["headings"] >= 2,
        "speech": _is_dense(counts["quotes"], chars, 4, 0.8),
        "short_lines": (lines >= 8) & (5 * counts["short_lines"] >= 3 * lines),
        "digits": digits,
    }
    has_other = np.any([found[form] for form in _NO_ANSWERS], axis=0)
    found["question_answered"] = found["question_title"] & answered & ~has_other
    table = np.stack([found[form] & (lines > 0) for form in FORMS], axis=1).tolist()
    return [[form for form, there in zip(FORMS, row, strict=True) if there] for row in table]


def form_counts(texts: EncodedTexts) -> Int64Array:
    """Counts of the signs and lines that forms consist of, shape (texts, COUNTS).

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
def _kinds() -> UInt8Array:
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
    codes: UInt32Array,
    bounds: Int64Array,
    kinds: UInt8Array,
    words: Int64Array,
    columns: int,
    short_line: int,
    speaker_chars: int,
    formula_chars: int,
    number_chars: int,
) -> Int64Array:
    counts = np.zeros((len(bounds) - 1, columns), dtype=np.int64)
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    speakers = np.empty(longest + 1, dtype=np.int64)
    for text in range(len(bounds) - 1):
        _count_text(
            codes, bounds[text], bounds[text + 1], kinds, words, short_line, speaker_chars,
            formula_chars, number_chars, speakers, counts[text],
        )  # fmt: skip
    return counts


@compiled
def _count_text(
    codes: UInt32Array,
    start: int,
    end: int,
    kinds: UInt8Array,
    words: Int64Array,
    short_line: int,
    speaker_chars: int,
    formula_chars: int,
    number_chars: int,
    speakers: Int64Array,
    row: Int64Array,
) -> None:
    """Fill the counts of one text; speakers is space for the hashes of its speakers."""
    lines = short_lines = turns = names = questions = quotes = digits = 0
    letters = articles = formulas = code = headings = 0
    begin = start
    while begin < end:
        first = last = colon = dollar = -1  # first and last of signs that are not white space
        number = -1  # how many numerals came behind 第; -1 without it
        word = np.int64(0)  # hash of what the line begins with; -1 when that is over
        at = begin
        while at < end and codes[at] != 0x0A:
            sign = codes[at]
            kind = kinds[sign]
            if not kind & _SPACE:
                last = at
                first = at if first < 0 else first
            if number >= 0:
                if kind & _NUMERAL:
                    number += 1
                else:
                    articles += bool(kind & _ARTICLE) and 0 < number <= number_chars
                    number = -1
            if sign == 0x7B2C:
                number = 0
            if word >= 0:
                code += sign == 0x20 and begin > start and _is_among(words, word)
                word = _longer_word(word, sign)
            if kind:
                digits += bool(kind & _DIGIT)
                questions += bool(kind & _QUESTION)
                quotes += bool(kind & _QUOTE)
                if kind & _COLON and colon < 0:
                    colon = at
                if kind & _SIGN and at > begin:
                    letters |= _option(codes, at - 1, begin)
            elif sign == 0x5C:  # a backslash
                formulas += _begins_command(codes, at, end)
            elif sign == 0x24:  # a dollar
                if dollar >= 0 and 1 < at - dollar <= formula_chars + 1:
                    formulas += 1
                    dollar = -1
                else:
                    dollar = at
            elif sign == 0x60:  # a backtick
                code += at - begin >= 2 and codes[at - 1] == 0x60 and codes[at - 2] == 0x60
            elif sign == 0x28:  # a bracket
                code += at > begin and _is_call(codes, at, end)
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
    options = (letters & 1) + (letters >> 1 & 1) + (letters >> 2 & 1) + (letters >> 3)
    row[0], row[1], row[2], row[3] = lines, short_lines, turns, names
    row[4], row[5], row[6], row[7] = questions, quotes, digits, options
    row[8], row[9], row[10], row[11] = articles, formulas, code, headings


@compiled
def _is_among(words: Int64Array, word: np.int64) -> bool:
    found = False
    for known in words:
        found |= known == word
    return found


@compiled
def _longer_word(word: np.int64, sign: np.uint32) -> np.int64:
    """The hash of a word of small letters and # with one more sign; -1 where it ends."""
    if 0x61 <= sign <= 0x7A or sign == 0x23:
        return (word * _HASH_FACTOR + np.int64(sign)) & _HASH_MASK
    return np.int64(-1)


@compiled
def _begins_command(codes: UInt32Array, at: int, end: int) -> bool:
    """Whether two small letters are behind a backslash."""
    return at + 2 < end and _is_small(codes[at + 1]) and _is_small(codes[at + 2])


@compiled
def _is_call(codes: UInt32Array, at: int, end: int) -> bool:
    """Whether a bracket has a small letter before it and its other half behind it."""
    return at + 1 < end and codes[at + 1] == 0x29 and _is_small(codes[at - 1])


@compiled
def _speaker(codes: UInt32Array, kinds: UInt8Array, first: int, colon: int) -> np.int64:
    """Hash the text before a colon, without white space at its end."""
    while kinds[codes[colon - 1]] & _SPACE:
        colon -= 1
    name = np.int64(0)
    for at in range(first, colon):
        name = (name * _HASH_FACTOR + np.int64(codes[at])) & _HASH_MASK
    return name


@compiled
def _option(codes: UInt32Array, at: int, begin: int) -> int:
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


def _beginning(head: str) -> tuple[bool, ...]:
    """Whether the first line is a question; whether it is a title above a line of text; whether
    there is a dateline; and whether the text begins like an entry: with its title again, with
    "X is ...", with "X (...) ...".
    """
    title, _, rest = head.lstrip().partition("\n")
    title = title.rstrip()
    body = rest.lstrip().partition("\n")[0]
    titled = body != "" and len(title) <= 20 and not any(sign in title for sign in "。！？，")
    first = body if titled else title
    return (
        _is_question(title),
        len(title) <= _TITLE_CHARS and len(body) >= _ANSWER_CHARS,
        _DATELINE.search(head, 0, 200) is not None,
        titled and title in first[:40],
        _DEFINITION.match(first) is not None,
        _NAMES.match(first) is not None and _ENTRY_WORDS.search(first, 0, 80) is not None,
    )


def _is_question(title: str) -> bool:
    """Whether a first line is a question."""
    end = max(title.find("？", 0, 81), title.find("?", 0, 81))
    if end >= 4:
        return "。" not in title[:end]
    return len(title) <= 40 and "。" not in title and _QUESTION_WORDS.search(title) is not None


def _is_dense(counts: Int64Array, chars: Int64Array, least: int, per_hundred: float) -> BoolArray:
    dense: BoolArray = (counts >= least) & (100 * counts >= per_hundred * chars)
    return dense
