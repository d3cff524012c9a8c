"""Contexts: what stands before or behind a disguised word where it is folded.

A context looks at a few characters on either side of a word that was found at a place of a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BEFORE_CHARS, BEHIND_CHARS = 8, 32
"""Characters that are looked at on either side."""

_LINK = r"[\s:：，,~～→➡=＝＋+➕「【(（\-—_号码是为]{0,4}"
_ACCOUNT = rf"{_LINK}@?(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{{5,}}"
"""An account: at least five letters, digits, - and _, a digit among them."""

_ASK = "(?:加我|加下|加一下|私加|请加|速加|可加|欢迎加|添加|加他|加她|[＋+➕✚])"
_REACH = r"(?:(?<![增附参叠追更])加|[➕✚]|(?<![A-Za-z0-9)}\]\s])[＋+]|添|扫|搜|私|咨询|详询|客服"
_REACH += "|联系|联络|找我|备注|我的|交流|聊)"
_OFFERS = "(?:领|看|进群|进裙|进来|私|详|咨|获取|拿|送|备注|免费|找我|发你|聊)"


@dataclass(frozen=True)
class Context:
    """Patterns of which one must match; None matches nowhere."""

    before: re.Pattern[str] | None = None
    """Searched for in the characters before the word; ends where that begins."""
    behind: re.Pattern[str] | None = None
    """Matched behind the word."""
    unless_before: re.Pattern[str] | None = None
    """As ``before``, and the word is not folded."""

    def allows(self, text: str, begin: int, end: int) -> bool:
        """Whether a word is folded that stands from one place to another.

        Of letters that go on behind it, an account must begin there; and where that begins with a
        letter, as wxPython3 does, the word must be asked for as well.
        """
        earlier = text[max(0, begin - BEFORE_CHARS) : begin]
        if self.unless_before is not None and self.unless_before.search(earlier):
            return False
        is_asked = self.before is not None and self.before.search(earlier) is not None
        later = text[end : end + BEHIND_CHARS]
        if not (is_plain(text[end - 1]) and is_plain(later[:1])):
            if is_asked:
                return True
        elif later[0].isalpha() and not is_asked:
            return False
        return self.behind is not None and self.behind.match(later) is not None


def is_plain(char: str) -> bool:
    """Whether a character is a letter or digit of ASCII; an empty string is none."""
    return char.isascii() and char.isalnum()


CONTEXTS: dict[str, Context | None] = {
    "any": None,
    "contact": Context(
        re.compile(rf"{_REACH}[\s:：，,下个的]{{0,2}}\Z"),
        re.compile(rf"{_ACCOUNT}|{_LINK}(?:同号|联系|咨询|客服|私聊|详聊|领取|扫码|二维码)"),
    ),
    "account": Context(None, re.compile(_ACCOUNT)),
    "asked": Context(re.compile(rf"{_ASK}的?[\s:：]{{0,2}}\Z")),
    "offer": Context(
        None, re.compile(rf"{_ACCOUNT}|[\s:：，,]{{0,2}}{_OFFERS}"), re.compile(r"[增附参叠追更]\Z")
    ),
    "web": Context(
        re.compile(r"(?:网络|线上|在线)\Z"),
        re.compile(r"(?:城|网站|平台|行业|代理|导航|包网|引流|台子|娱乐|盘口|群|app|App|APP)"),
    ),
}
"""Name of a context in `udfs.folding.words` -> what it asks for; None for nothing.

- ``any``: wherever the word is.
- ``contact``: beside a word that asks to get in touch, or before an account.
- ``account``: before an account.
- ``asked``: behind "add me".
- ``offer``: before an account, or what an advertisement promises; not behind 增 and the like.
- ``web``: beside words for platforms.
"""

NEVER_BEFORE = {"裙": "子摆底边装带角裤里撑袍腰褶衫楼房"}
"""Last character of a word -> characters that it is not folded before: they are of another word."""

SIGNS = "*＊^﹡✱✳#＃$&%@~～♥♡❤★☆※●○◆◇■□▲△◎♠♣♦♪✿❀✦✧⊙"
"""Signs that part the characters of a word wherever it is."""
DASHES = "-‐‑‒–—―_.·•‧∙|｜/／\\＼+＋=＝"
"""Signs that part other words, too: a word is folded that ends for certain on one side."""
FUNCTION_CHARS = "的地得和与或及是在有了过吗呢吧等我你他去来到做玩搞能可会想要就都也又很不被让给"
"""Characters that are a word by themselves: beside one a word ends."""
SPACES = " \t\u00a0\u3000"
"""White space: likewise, on both sides."""
MOST_SIGNS = 3
"""Signs between two characters of a word, at most."""

GAP = f"([{re.escape(SIGNS + DASHES + SPACES)}]{{0,{MOST_SIGNS}}})"
"""Pattern of what may stand between two characters of a word."""


def may_be_spelled(text: str, begin: int, end: int, gaps: list[str]) -> bool:
    """Whether the signs inside a word make it one rather than parting two others.

    Args:
        text: Where it is found.
        begin: Where it begins.
        end: Where it ends.
        gaps: What stands between its characters, where that is not empty; at least one.

    >>> may_be_spelled("北京出发-票价", 3, 6, ["-"]), may_be_spelled("网上赌-博", 2, 5, ["-"])
    (False, True)
    """
    signs = "".join(gaps)
    if len(gaps) > 1 and not signs.isspace():
        return True
    if any(sign in SIGNS for sign in signs):
        return True
    sides = text[begin - 1 : begin], text[end : end + 1]
    if signs.isspace():
        # Between a letter and an ideograph a space is usual.
        if any(map(is_plain, text[begin:end])):
            return True
        return not any(_is_word(side) for side in sides)
    return not all(_is_word(side) for side in sides)


def _is_word(side: str) -> bool:
    """Whether a character may be of the same word as that beside it."""
    return side.isalnum() and side not in FUNCTION_CHARS
