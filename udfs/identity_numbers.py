"""Mainland identity numbers at a place in a text."""

from __future__ import annotations

import datetime
import re

from udfs.number_context import Found, begins_cleanly, words_before

_ID_18 = re.compile(r"[1-9][0-9]{5}([ -]?)([0-9]{8})\1([0-9]{3}[0-9Xx])(?![0-9A-Za-z])")
_ID_15 = re.compile(r"[1-9][0-9]{5}([0-9]{6})[0-9]{3}(?![0-9A-Za-z])")
_LABEL = re.compile(
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

    18 characters: region, birth date and check character have to be right. 15 digits, the form
    given out until 1999, have no check: a word such as 身份证 has to stand before them.

    Returns:
        "id_number", start, stop; None where there is none.
    """
    if not begins_cleanly(text, place):
        return None
    match = _ID_18.match(text, place)
    if match is not None:
        number = match.group().replace(" ", "").replace("-", "")
        good = has_region_and_date(number) and has_checksum(number)
    else:
        match = _ID_15.match(text, place)
        if match is None:
            return None
        number = match.group()
        good = has_region_and_date(f"{number[:6]}19{number[6:]}") and bool(
            _LABEL.search(words_before(text, place))
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


def has_region_and_date(number: str) -> bool:
    """Whether a number begins with a province's code and then has a day of a life now."""
    if number[:2] not in _PROVINCES:
        return False
    try:
        day = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return day.year in _BIRTH_YEARS
