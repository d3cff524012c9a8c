"""Bank card numbers at a place in a text."""

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

_CARD = re.compile(
    r"(?:[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{6} [0-9]{10,13}|[0-9]{16,19})(?![0-9])"
)
_ISSUERS: tuple[tuple[range, frozenset[int]], ...] = (
    # First digits, as a number of as many digits; lengths.
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
_LABEL = re.compile(
    r"(?:卡号|卡號|账号|帐号|賬號|账户|帐户|银行|銀行|信用卡|借记卡|储蓄卡|银联|开户|汇款|转账|收款|打款|户名|"
    r"农行|工行|建行|中行|招行|交行|邮政|信用社|(?<![a-z])card|visa|mastercard|unionpay)[^0-9]{0,24}$",
    re.IGNORECASE,
)
_LEAST_DIFFERENT_DIGITS = 4
"""Numbers of fewer are made up: 6222 2222 2222 2222."""


def bank_card_at(text: str, place: int) -> Found | None:
    """The bank card number that begins at a place.

    Prefix, length and check digit have to be right. One number in ten has a right check digit, so
    a number that is neither UnionPay's with 16 or 19 digits nor in groups needs a word before it
    (卡号, 账号, a bank, ...).

    Returns:
        "bank_card", start, stop; None where there is none.
    """
    match = _CARD.match(text, place)
    if match is None or not begins_cleanly(text, place) or not ends_cleanly(text, match.end()):
        return None
    number = match.group().replace(" ", "").replace("-", "")
    if not _is_issued(number) or not has_luhn_digit(number):
        return None
    if len(set(number)) < _LEAST_DIFFERENT_DIGITS:
        return None
    if is_labelled_otherwise(text, place) or is_inside_url(text, place):
        return None
    certain = match.group(1) or (number.startswith("62") and len(number) in (16, 19))
    if not certain and not _LABEL.search(words_before(text, place)):
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
