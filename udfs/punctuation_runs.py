"""Marks that are repeated more often than anybody reads."""

from __future__ import annotations

import re

RUN_LIMITS = {
    **dict.fromkeys("！？，、；：～!?~", 3),
    "。": 2,
    "…": 4,
    "—": 4,
    "·": 6,
    ".": 6,
    **dict.fromkeys("-=*_", 10),
}
"""How often a mark may stand in a row; what `shorten_runs` looks at."""

# What is searched for is one pattern that begins with one class: alternatives take ten times as
# long.
_RUNS = re.compile(f"([{''.join(map(re.escape, RUN_LIMITS))}])\\1\\1+")
_HAN = re.compile("[\u3400-\u9fff]")
_ADDRESS_CHARS = 300
_NO_ADDRESS = re.compile("[^!-~]")
_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)
_RULES = "-=*_"
_SHORT = {"。": "……", "…": "……", "—": "——", "·": "······", ".": "......"}


def shorten_runs(text: str) -> tuple[str, int]:
    """A text with bounded runs of the same mark, and how many runs were shortened.

    - ！ and ？ stand at most three times, as the standard has it; so do ，、；：～. Alternating
      ones (？！？！) are left alone.
    - Three and more 。 are an ellipsis typed in haste: ……. Two may be a slip, and stay.
    - An ellipsis is …… and, for lines left out, ………… ; what is longer is a leader: ……. A dash is
      ——; what is over four becomes one. Six ··· or ... are an ellipsis; what is longer becomes six.
    - ! ? ~ and . of ASCII are treated so in lines with Chinese text only, and not where the line
      has a | or a ` (tables, code) nor inside an address. Commas of ASCII are left alone: they are
      the empty fields of a table.
    - A line that is nothing but more than ten of - = * or _ becomes three of them, which mean the
      same in Markdown. Inside a line they are tables, code, or blanks to be filled in.

    Emoji, stars and frames are no punctuation: ★★★★★ is a mark out of five.

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
    """Whether a place is in an address: what stands before it, up to anything but ASCII, says."""
    before = _NO_ADDRESS.split(text[max(0, place - _ADDRESS_CHARS) : place])[-1]
    return bool(_ADDRESS.search(before))
