"""What forms consist of, a regular expression each: the plain twin of udfs/tokens/forms.py."""

from __future__ import annotations

import re
import unicodedata

from udfs.tokens.forms import CODE_WORDS, FORMULA_CHARS, NUMBER_CHARS, SHORT_LINE, SPEAKER_CHARS

_TURN = re.compile(f"([^：:]{{1,{SPEAKER_CHARS}}})[：:]")
_ARTICLE = re.compile(f"第[一二三四五六七八九十百千零〇0-9]{{1,{NUMBER_CHARS}}}[条款]")
_OPTION = re.compile(r"(?<![A-Za-z\\{$])[A-DＡ-Ｄ](?=[.．、)）])")
_FORMULAS = (r"\\[a-z]{2}", rf"\$[^$\n]{{1,{FORMULA_CHARS}}}\$")
_CODE = (r"[;{}]\n", rf"\n(?=(?:{'|'.join(CODE_WORDS)}) )", r"[a-z]\(\)", "`(?=``)")


def plain_form_counts(text: str) -> list[int]:
    """The counts of one text, in the order of COUNTS."""
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]
    speakers = [found[1].strip() for line in lines if (found := _TURN.match(line))]
    return [
        len(lines),
        sum(len(line) <= SHORT_LINE for line in lines),
        len(speakers),
        len(set(speakers)),
        len(re.findall("[？?]", text)),
        len(re.findall("[“「]", text)),
        len(re.findall("[0-9]", text)),
        len({unicodedata.normalize("NFKC", letter) for letter in _OPTION.findall(text)}),
        len(_ARTICLE.findall(text)),
        sum(len(re.findall(pattern, text)) for pattern in _FORMULAS),
        sum(len(re.findall(pattern, text)) for pattern in _CODE),
        len(re.findall("^#", text, re.MULTILINE)),
    ]
