"""Tokens for the form of a text: turns of speakers, exam options, articles of law, formulas.

Words tell a text's subject. What a dialogue, an entry of an encyclopedia, an exam or a statute is,
is told by its form as much; for a model that reads tokens, a form is one more token.

To make other tokens is another `udfs.code_versions.FORM_TOKENS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.code_points import Counts, encode_texts
from udfs.form_counts import COUNTS, form_counts

MARK = "§"
"""What the tokens begin with. A segmenter parts it from what follows, so that no word is one."""

HEAD = 1_500
"""Characters of a text that are looked at; a form shows at once."""

WORDS_PER_COPY = 24
"""A token is repeated for so many words of its text, so that its share is the same in all lengths
and is not lost in the mean over a long one."""

FORMS = (
    "turns", "questions", "question_title", "options", "articles", "dateline", "title_again",
    "definition", "definition_paren", "formulas", "code", "headings", "speech", "short_lines",
    "digits",
)  # fmt: skip
"""What `forms_of` finds, without the mark."""

_DIGITS_SHARE = 0.06

Flags = npt.NDArray[np.bool_]

_QUESTION_WORDS = re.compile("吗|呢|怎么|怎样|为什么|如何|什么|哪|多少|是否|请问|求助|请教")
# Each alternative begins with a sign of its own, which `re` then looks for.
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
    """The form tokens of texts (an `ExtraTokens` of udfs/token_lines.py).

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
    """The forms that the beginning of each text has, in the order of `FORMS`; none for white space.

    Raises:
        UnicodeEncodeError: a lone surrogate.
    """
    heads = [text[:HEAD] for text in texts]
    encoded = encode_texts(heads)
    counts = dict(zip(COUNTS, form_counts(encoded).T, strict=True))
    begun = np.array([_beginning(head) for head in heads], dtype=bool).reshape(-1, 5)
    question_title, dateline, title_again, definition, definition_paren = begun.T
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
    table = np.stack([found[form] & (lines > 0) for form in FORMS], axis=1).tolist()
    return [[form for form, there in zip(FORMS, row, strict=True) if there] for row in table]


def _beginning(head: str) -> tuple[bool, bool, bool, bool, bool]:
    """Whether the first line asks something, whether there is a dateline; and whether the text
    begins as an entry does: with its title once more, "X is ...", "X (...) ...", under a title X
    or not.
    """
    title, _, rest = head.lstrip().partition("\n")
    title = title.rstrip()
    body = rest.lstrip().partition("\n")[0]
    titled = body != "" and len(title) <= 20 and not any(sign in title for sign in "。！？，")
    first = body if titled else title
    return (
        _is_question(title),
        _DATELINE.search(head, 0, 200) is not None,
        titled and title in first[:40],
        _DEFINITION.match(first) is not None,
        _NAMES.match(first) is not None and _ENTRY_WORDS.search(first, 0, 80) is not None,
    )


def _is_question(title: str) -> bool:
    """Whether a first line asks something."""
    end = max(title.find("？", 0, 81), title.find("?", 0, 81))
    if end >= 4:
        return "。" not in title[:end]
    return len(title) <= 40 and "。" not in title and _QUESTION_WORDS.search(title) is not None


def _is_dense(counts: Counts, chars: Counts, least: int, per_hundred: float) -> Flags:
    dense: Flags = (counts >= least) & (100 * counts >= per_hundred * chars)
    return dense
