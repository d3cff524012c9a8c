"""What stands around a number in a text and says that it is one, or part of something else.

Texts are read with ASCII digits, spaces and hyphens; ``udfs.pii`` sees to that.
"""

from __future__ import annotations

import re

Found = tuple[str, int, int]
"""Kind, start, stop of what was found in a text."""

LOOK_BACK = 24
"""Characters before a number that may say what it is."""

_URL_LOOK_BACK = 200
_URL_MARKS = ("://", "www.", ".com/", ".cn/", ".net/", ".html")
_VISIBLE = re.compile("[!-~]*")

_OTHER_LABEL = re.compile(
    r"(?:订单|單號|单号|编号|編號|编码|编为|序号|流水|条码|条形码|货号|批号|型号|书号|期号|案号|文号|税号|注册号|登记证|"
    r"执照|证书|许可证|备案|字第|保单|合同|发票|支票|邮编|信用代码|专利|ISBN|ISSN|SKU|№|(?<![a-z])NO)"
    r"(?:号码?|编号|为|是|[ :#.(])*$",
    re.IGNORECASE,
)
"""Says that the number behind it is none of a person."""


def words_before(text: str, place: int) -> str:
    """The characters before a place that may say what stands there."""
    return text[max(place - LOOK_BACK, 0) : place]


def is_labelled_otherwise(text: str, place: int) -> bool:
    """Whether the words before a number say that it is an order, a code, a certificate, ..."""
    return _OTHER_LABEL.search(words_before(text, place)) is not None


def is_inside_url(text: str, place: int) -> bool:
    """Whether the visible ASCII characters before a place, 200 at most, begin a web address."""
    before = text[max(place - _URL_LOOK_BACK, 0) : place].lower()
    begins = (before.rfind(mark) for mark in _URL_MARKS)
    return any(begin >= 0 and _VISIBLE.fullmatch(before, begin) for begin in begins)


def begins_cleanly(text: str, place: int) -> bool:
    """Whether no word, name, amount or fraction goes on at a place where digits begin."""
    before = text[max(place - 2, 0) : place]
    if not before:
        return True
    last = before[-1]
    if last in ".-":
        return not (before[:-1].isascii() and before[:-1].isalnum())
    return not (last.isascii() and last.isalpha()) and last not in "_%*$¥￥#=&"


def ends_cleanly(text: str, stop: int) -> bool:
    """Whether no word, name, fraction or further group goes on behind digits."""
    after = text[stop : stop + 2]
    if not after:
        return True
    first = after[0]
    if first.isascii() and (first.isalnum() or first in "_%@*="):
        return False
    return first not in ".:-" or not after[1:].isdigit()
