"""Prices, ratings and currencies as shops write them, to numbers and codes."""

from __future__ import annotations

import re
from typing import Final

MAX_NUMBER_CHARS = 60

_NUMBER = re.compile(r"\d(?:[\d.,'\u00a0\u202f ]{0,24}\d)?")
_SPACES = re.compile(r"['\u00a0\u202f ]")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_DOTTED_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3}){2,}")
_CODE = re.compile(r"\A[A-Za-z]{3}\Z")
_SIGNS: Final = {
    "¥": "CNY",
    "￥": "CNY",
    "元": "CNY",
    "人民币": "CNY",
    "RMB": "CNY",
    "NT$": "TWD",
    "HK$": "HKD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
}
"""Signs that mean one currency on a Chinese page; a lone dollar sign means many."""


def numbers_of(text: str) -> list[float]:
    """Return the numbers of a price or rating, in order.

    A comma divides thousands where three digits follow each, else decimals where it is the last
    mark and one or two digits follow. Text beyond 60 characters is not read.

    >>> [numbers_of(price) for price in ("￥1,299.00", "99 - 199元", "12,50 €", "面议")]
    [[1299.0], [99.0, 199.0], [12.5], []]
    """
    found = []
    for match in _NUMBER.finditer(text[:MAX_NUMBER_CHARS]):
        number = _number(match[0])
        if number is not None:
            found.append(number)
    return found


def _number(written: str) -> float | None:
    bare = _SPACES.sub("", written)
    whole, dot, rest = bare.rpartition(".")
    if "," in bare and dot and "," not in rest and _THOUSANDS.fullmatch(whole):
        bare = whole.replace(",", "") + "." + rest
    elif _THOUSANDS.fullmatch(bare):
        bare = bare.replace(",", "")
    elif _DOTTED_THOUSANDS.fullmatch(bare):
        bare = bare.replace(".", "")
    elif "," in bare:
        units, _, decimals = bare.rpartition(",")
        if "," in units or not 1 <= len(decimals) <= 2:
            return None
        bare = units.replace(".", "") + "." + decimals
    try:
        return float(bare)
    except ValueError:  # two dots, as in a version or a date
        return None


def currency_of(stated: str | None, price: str | None = None) -> str | None:
    """Return a currency's code of ISO 4217 in upper case; null where none is stated.

    Args:
        stated: A code or a sign.
        price: A price as written, which may have a sign.

    >>> currency_of("cny"), currency_of(None, "HK$ 88"), currency_of(None, "$5")
    ('CNY', 'HKD', None)
    """
    if stated is not None:
        if _CODE.match(stated):
            code = stated.upper()
            return _SIGNS.get(code, code)
        for sign, code in _SIGNS.items():
            if sign in stated:
                return code
    for sign, code in _SIGNS.items():
        if price is not None and sign in price[:MAX_NUMBER_CHARS]:
            return code
    return None
