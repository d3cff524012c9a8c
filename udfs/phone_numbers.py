"""Telephone numbers of mainland China at a place in a text."""

from __future__ import annotations

import re

from udfs.number_context import (
    Found,
    begins_cleanly,
    ends_cleanly,
    is_inside_url,
    is_labelled_otherwise,
    words_before,
)

_MOBILE = re.compile(
    r"(?:(?:00)?86\)?[ -]{0,2}|0)?"
    r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
    r"([ -]?)[0-9]{4}([ -]?)[0-9]{4}(?![0-9])"
)
"""Source: the ranges that the Ministry of Industry and Information Technology has given out."""

_LANDLINE = re.compile(
    r"(?:(?:00)?86\)?[ -]{0,2}(?:\(0?\) ?)?0?|0)"
    r"(?:(?:10|2[0-57-9])(\)? ?-{0,2} ?)[2-9][0-9]{2,3}[ -]?[0-9]{4}"
    r"|[3-9][0-9]{2}(\)? ?-{0,2} ?)[2-9][0-9]{2,3}[ -]?[0-9]{4})(?![0-9])"
    r"(?:(?:-|转|轉|\*)[0-9]{1,5}(?![0-9]))?"
)
"""Area code, seven or eight digits, extension.

Source: the national numbering plan (area codes 10, 2x, 3xx to 9xx behind the trunk prefix 0).
"""

_LABEL = re.compile(
    r"(?:电话|電話|手机|手機|热线|熱線|专线|传真|傳真|座机|联系|聯繫|咨询|致电|拨打|来电|客服|直拨|总机|微信|"
    r"tel|phone|fax|mobile|mob|call|cell|wechat|weixin|whatsapp|vx)[^0-9\n]{0,8}$",
    re.IGNORECASE,
)
_LETTERS = re.compile(
    r"(?:^|[^a-z])(?:tel|phone|fax|mobile|mob|call|cell|wechat|weixin|whatsapp|wx|vx|v|t|m|qq)-?$",
    re.IGNORECASE,
)
"""Letters that may touch a telephone number."""
_UNIT = re.compile(r"(?:元|万|亿|美元|块|日元|港元|英镑|欧元|人民币|吨|股|平方|米|kg)")
"""Behind an amount; with a blank between it may be a name: 13812345678 万经理."""


def phone_at(text: str, place: int) -> Found | None:
    """The mobile or landline number that begins at a place.

    A landline number in one piece, and groups among other groups of digits, as in a table, need a
    word that says what they are. Service numbers (400, 95xxx, 110) are nobody's.

    Returns:
        "phone", start, stop; the start is before a plus sign or bracket. None where there is none.
    """
    mobile = _MOBILE.match(text, place)
    match = mobile or _LANDLINE.match(text, place)
    if match is None:
        return None
    start, stop = place, match.end()
    marks = "+(" if ")" in match.group() else "+"
    while start and text[start - 1] in marks:
        start -= 1
    if not _stands_alone(text, start, stop):
        return None
    certain = start < place or ((mobile or any(match.groups())) and _has_form(match, text))
    if not certain and not _LABEL.search(words_before(text, start)):
        return None
    return "phone", start, stop


def _stands_alone(text: str, start: int, stop: int) -> bool:
    if not begins_cleanly(text, start) and not _LETTERS.search(words_before(text, start)):
        return False
    if (
        not ends_cleanly(text, stop)
        or _UNIT.match(text, stop)
        or is_labelled_otherwise(text, start)
    ):
        return False
    return not is_inside_url(text, start)


def _has_form(match: re.Match[str], text: str) -> bool:
    """Whether a number in one piece or with signs, or groups that cannot be a table's columns."""
    if not any(group and group.isspace() for group in match.groups()):
        return True
    start, stop = match.span()
    before, after = text[max(start - 2, 0) : start], text[stop : stop + 2]
    if before[-1:] == " " and before[:1].isdigit():
        return False
    return after[:1] != " " or not after[1:].isdigit() or bool(_MOBILE.match(text, stop + 1))
