"""Telephone and identity numbers of Tunisia at a place in a text.

Texts have ASCII digits, spaces and hyphens here, as for `udfs.pii.numbers`. Eight digits alone say
nothing: prices, dates and years together have as many. A country code or a word before them counts.
"""

from __future__ import annotations

import re

from udfs.pii.numbers import Found, begins_cleanly, ends_cleanly, is_inside_url, words_before

_PHONE = re.compile(
    r"((?:00 ?|\+ ?)?\(?216\)?[ .-]{0,2})?[2-57-9][0-9](?:([ .-]?)[0-9]{3}\2[0-9]{3}"
    r"|([ .-]?)[0-9]{2}\3[0-9]{2}\3[0-9]{2})(?![0-9])"
)
"""Country code 216, then eight digits in groups of 2-3-3 or 2-2-2-2.

Source: Plan national de numérotation (INT): 2, 4, 5, 9 mobile, 3 and 7 fixed, 8 services."""

_LABEL = re.compile(
    r"(?:هاتف|الهاتف|تلفون|تليفون|التليفون|نومرو|نومروا|رقم|اتصل|إتصل|كلم|واتساب|واتس|فاكس|الفاكس|"
    r"(?<![a-z])(?:tel|tél|telephone|téléphone|phone|fax|mobile|mob|gsm|num|numero|numéro|nomrou|"
    r"whatsapp|viber|call|contact))[^0-9\n]{0,12}$",
    re.IGNORECASE,
)

_CIN = re.compile(r"[01][0-9]{7}(?![0-9])")
"""Source: the national identity card has eight digits, of which the first is 0 or 1."""
_CIN_LABEL = re.compile(
    r"(?:(?:التعريف|تعريف|الهوية)(?: الوطنية)?|ب\.? ?ت\.? ?و|"
    r"(?<![a-z])(?:c\.? ?i\.? ?n|carte d.identit[eé]))[^0-9\n]{0,12}$",
    re.IGNORECASE,
)


def phone_at(text: str, place: int) -> Found | None:
    """The telephone number that begins at a place: with the country code, or behind a word that
    says so (هاتف, تلفون, tel, ...).

    Returns:
        "phone", start, stop; the start is before a plus sign or bracket. None where none begins.

    >>> phone_at("نومرو 22 345 678", 6), phone_at("22 345 678", 0)
    (('phone', 6, 16), None)
    """
    match = _PHONE.match(text, place)
    if match is None:
        return None
    start = place
    while start and text[start - 1] in "+(":
        start -= 1
    country = match[1]
    has_country = country is not None and (start < place or country.startswith("00"))
    if not has_country and not _LABEL.search(words_before(text, start)):
        return None
    if not begins_cleanly(text, start) or not ends_cleanly(text, match.end()):
        return None
    return None if is_inside_url(text, start) else ("phone", start, match.end())


def identity_number_at(text: str, place: int) -> Found | None:
    """The number of an identity card (CIN) that begins at a place, behind a word that says so.

    Returns:
        "id_number", start, stop; None where none begins.

    >>> identity_number_at("CIN: 07654321", 5)
    ('id_number', 5, 13)
    """
    match = _CIN.match(text, place)
    if match is None or not begins_cleanly(text, place) or not ends_cleanly(text, match.end()):
        return None
    if not _CIN_LABEL.search(words_before(text, place)):
        return None
    return "id_number", place, match.end()
