"""Telephone, identity and bank card numbers of mainland China at a place in a text.

Texts have ASCII digits, spaces and hyphens here; ``udfs.pii.find`` converts them. The characters
around a number decide whether it is one or part of something else.
"""

from __future__ import annotations

import datetime
import re

Found = tuple[str, int, int]
"""Kind, start, stop of what was found in a text."""

_MOBILE = re.compile(
    r"(?:(?:00)?86\)?[ -]{0,2}|0)?"
    r"1(?:3[0-9]|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
    r"([ -]?)[0-9]{4}([ -]?)[0-9]{4}(?![0-9])"
)
"""Source: the ranges assigned by the Ministry of Industry and Information Technology."""

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
"""Units of amounts. After a blank they may be a name: 13812345678 万经理."""


def phone_at(text: str, place: int) -> Found | None:
    """The mobile or landline number that begins at a place.

    A landline number in one piece, and groups among other groups of digits, as in a table, need a
    label. Service numbers (400, 95xxx, 110) are not personal.

    Returns:
        "phone", start, stop; the start is before a plus sign or bracket. None where none begins.
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
        or _is_labelled_otherwise(text, start)
    ):
        return False
    return not is_inside_url(text, start)


def _has_form(match: re.Match[str], text: str) -> bool:
    """Whether a number is in one piece, has signs, or cannot be the columns of a table."""
    if not any(group and group.isspace() for group in match.groups()):
        return True
    start, stop = match.span()
    before, after = text[max(start - 2, 0) : start], text[stop : stop + 2]
    if before[-1:] == " " and before[:1].isdigit():
        return False
    return after[:1] != " " or not after[1:].isdigit() or bool(_MOBILE.match(text, stop + 1))


_ID_18 = re.compile(r"[1-9][0-9]{5}([ -]?)([0-9]{8})\1([0-9]{3}[0-9Xx])(?![0-9A-Za-z])")
_ID_15 = re.compile(r"[1-9][0-9]{5}([0-9]{6})[0-9]{3}(?![0-9A-Za-z])")
_IDENTITY_LABEL = re.compile(
    r"(?:身份|身分|证件|證件|居民证|公民|(?<![a-z])ID(?:\s?card)?)[^0-9\n]{0,10}$", re.IGNORECASE
)

_PROVINCES = frozenset(
    (
        *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36"),
        *("37", "41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62"),
        *("63", "64", "65", "71", "81", "82", "83"),
    )
)
"""First two digits of region codes. Source: GB/T 2260; 81 to 83: of residence permits."""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_BIRTH_YEARS = range(1900, 2050)


def identity_number_at(text: str, place: int) -> Found | None:
    """The identity number that begins at a place.

    18 characters: region, birth date and check character must be valid. 15 digits, the form until
    1999, have no check character: a label such as 身份证 must precede them.

    Returns:
        "id_number", start, stop; None where none begins.
    """
    if not begins_cleanly(text, place):
        return None
    match = _ID_18.match(text, place)
    if match is not None:
        number = match.group().replace(" ", "").replace("-", "")
        good = _has_region_and_date(number) and has_checksum(number)
    else:
        match = _ID_15.match(text, place)
        if match is None:
            return None
        number = match.group()
        good = _has_region_and_date(f"{number[:6]}19{number[6:]}") and bool(
            _IDENTITY_LABEL.search(words_before(text, place))
        )
    return ("id_number", place, match.end()) if good else None


def has_checksum(number: str) -> bool:
    """Whether the last of 18 characters is the check character of the others.

    Source: GB 11643-1999 (ISO 7064, MOD 11-2); the example is the standard's.

    >>> has_checksum("11010519491231002X")
    True
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECK_CHARACTERS[total % 11] == number[17].upper()


def _has_region_and_date(number: str) -> bool:
    """Whether a number has a province's code and a possible birth date."""
    if number[:2] not in _PROVINCES:
        return False
    try:
        day = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return day.year in _BIRTH_YEARS


_CARD = re.compile(
    r"(?:[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{6} [0-9]{10,13}|[0-9]{16,19})(?![0-9])"
)
_ISSUERS: tuple[tuple[range, frozenset[int]], ...] = (
    # Prefixes, as numbers; lengths.
    (range(62, 63), frozenset((16, 17, 18, 19))),  # UnionPay
    (range(81, 82), frozenset((16, 17, 18, 19))),  # UnionPay
    (range(9558, 9559), frozenset((16, 19))),  # ICBC, before UnionPay's numbers
    (range(4, 5), frozenset((16, 19))),  # Visa
    (range(51, 56), frozenset((16,))),  # Mastercard
    (range(2221, 2721), frozenset((16,))),  # Mastercard
    (range(3528, 3590), frozenset((16, 17, 18, 19))),  # JCB
    (range(6011, 6012), frozenset((16, 19))),  # Discover
    (range(644, 660), frozenset((16, 19))),  # Discover
)
"""Source: ISO/IEC 7812-1 and the ranges that the networks publish."""
_CARD_LABEL = re.compile(
    r"(?:卡号|卡號|账号|帐号|賬號|账户|帐户|银行|銀行|信用卡|借记卡|储蓄卡|银联|开户|汇款|转账|收款|打款|户名|"
    r"农行|工行|建行|中行|招行|交行|邮政|信用社|(?<![a-z])card|visa|mastercard|unionpay)[^0-9]{0,24}$",
    re.IGNORECASE,
)
_LEAST_DIFFERENT_DIGITS = 4
"""Numbers with fewer are invented: 6222 2222 2222 2222."""


def bank_card_at(text: str, place: int) -> Found | None:
    """The bank card number that begins at a place.

    Prefix, length and check digit must be valid. One number in ten has a valid check digit, so a
    number that is neither UnionPay's with 16 or 19 digits nor in groups needs a label (卡号, 账号,
    a bank, ...).

    Returns:
        "bank_card", start, stop; None where none begins.
    """
    match = _CARD.match(text, place)
    if match is None or not begins_cleanly(text, place) or not ends_cleanly(text, match.end()):
        return None
    number = match.group().replace(" ", "").replace("-", "")
    if not _is_issued(number) or not has_luhn_digit(number):
        return None
    if len(set(number)) < _LEAST_DIFFERENT_DIGITS:
        return None
    if _is_labelled_otherwise(text, place) or is_inside_url(text, place):
        return None
    certain = match.group(1) or (number.startswith("62") and len(number) in (16, 19))
    if not certain and not _CARD_LABEL.search(words_before(text, place)):
        return None
    return "bank_card", place, match.end()


def has_luhn_digit(number: str) -> bool:
    """Whether the last digit is the check digit of the others.

    Source: ISO/IEC 7812-1, annex B.

    >>> has_luhn_digit("4111111111111111"), has_luhn_digit("4111111111111112")
    (True, False)
    """
    total = 0
    for position, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _is_issued(number: str) -> bool:
    return any(
        len(number) in lengths and int(number[: len(str(prefixes.start))]) in prefixes
        for prefixes, lengths in _ISSUERS
    )


_LOOK_BACK = 24
"""Characters before a number in which a label is searched."""

_URL_LOOK_BACK = 200
_URL_MARKS = ("://", "www.", ".com/", ".cn/", ".net/", ".html")
_VISIBLE = re.compile("[!-~]*")

_OTHER_LABEL = re.compile(
    r"(?:订单|單號|单号|编号|編號|编码|编为|序号|流水|条码|条形码|货号|批号|型号|书号|期号|案号|文号|税号|注册号|登记证|"
    r"执照|证书|许可证|备案|字第|保单|合同|发票|支票|邮编|信用代码|专利|ISBN|ISSN|SKU|№|(?<![a-z])NO)"
    r"(?:号码?|编号|为|是|[ :#.(])*$",
    re.IGNORECASE,
)
"""Labels of numbers that are not personal."""


def words_before(text: str, place: int) -> str:
    """The characters before a place, in which a label is searched."""
    return text[max(place - _LOOK_BACK, 0) : place]


def _is_labelled_otherwise(text: str, place: int) -> bool:
    """Whether a label before a number says that it is an order, a code, a certificate, ..."""
    return _OTHER_LABEL.search(words_before(text, place)) is not None


def is_inside_url(text: str, place: int) -> bool:
    """Whether the visible ASCII characters before a place, 200 at most, begin a URL."""
    before = text[max(place - _URL_LOOK_BACK, 0) : place].lower()
    begins = (before.rfind(mark) for mark in _URL_MARKS)
    return any(begin >= 0 and _VISIBLE.fullmatch(before, begin) for begin in begins)


def begins_cleanly(text: str, place: int) -> bool:
    """Whether digits begin at a place without a word, name, amount or fraction before them."""
    before = text[max(place - 2, 0) : place]
    if not before:
        return True
    last = before[-1]
    if last in ".-":
        return not (before[:-1].isascii() and before[:-1].isalnum())
    return not (last.isascii() and last.isalpha()) and last not in "_%*$¥￥#=&"


def ends_cleanly(text: str, stop: int) -> bool:
    """Whether digits end at a place without a word, name, fraction or further group after them."""
    after = text[stop : stop + 2]
    if not after:
        return True
    first = after[0]
    if first.isascii() and (first.isalnum() or first in "_%@*="):
        return False
    return first not in ".:-" or not after[1:].isdigit()
