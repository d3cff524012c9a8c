"""Find and mask personal data in texts.

A number counts only if a check digit, a number plan or a word beside it distinguishes it from other
numbers. Numbers of organisations are found too, since nothing in a number says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import UInt32Array
from udfs.base.code_points import EncodedTexts, encode_texts, text_runs
from udfs.pii.emails import find_emails
from udfs.pii.ip_addresses import ip_at
from udfs.pii.numbers import Found, bank_card_at, identity_number_at, phone_at

PII_KINDS = ("email", "phone", "id_number", "bank_card", "ip")
"""Kinds of personal data. A placeholder is the kind in capitals, in brackets."""

_FILE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".html")
"""Ends of file names such as icon@2x.png, which have the form of an address."""
_EXAMPLE_DOMAIN = re.compile(r"[@.]example(?:\.(?:com|net|org))?$", re.IGNORECASE)
"""Domains reserved for examples. Source: RFC 2606."""

_DIGITS = 10
"""Fewest digits of any number that is found."""
_DIGITS_WITHIN = 17
"""Most code points from the first to the tenth digit: +86 (0)10 8888 8888."""
_DOTS_WITHIN = 9
"""Most code points from the first to the third dot of an IPv4 address."""


Places = npt.NDArray[np.int64]


class PiiSpan(NamedTuple):
    """A place in a text, in code points."""

    kind: str
    start: int
    length: int


class Masked(NamedTuple):
    """A text with placeholders."""

    text: str
    spans: list[PiiSpan]
    """The placeholders."""


def pii_of_texts(
    texts: Sequence[str | None], kinds: Collection[str] = PII_KINDS
) -> list[list[PiiSpan]]:
    """Find personal data in each text.

    Args:
        texts: One document each, or None.
        kinds: Those to return. A place of another kind never counts as one of these: the digits of
            13812345678@mail.cn are no telephone number, whether "email" is among the kinds or not.
    Returns:
        As long as texts; spans ascending and disjoint, none for None.
    Raises:
        ValueError: an unknown kind.
        UnicodeEncodeError: a lone surrogate, which no Arrow string can hold.

    >>> pii_of_texts(["电话13812345678，邮箱a@b.cn"])
    [[PiiSpan(kind='phone', start=2, length=11), PiiSpan(kind='email', start=16, length=6)]]
    """
    for kind in kinds:
        if kind not in PII_KINDS:
            raise ValueError(
                f"unknown kind of personal data {kind!r}; known kinds: {', '.join(PII_KINDS)}"
            )
    found: list[list[PiiSpan]] = []
    for run in text_runs(texts):
        encoded = encode_texts(run)
        of_run: list[list[PiiSpan]] = [[] for _ in run]
        for index, numbers, addresses in _candidates(encoded):
            spans = _spans(_plain(encoded, index), numbers, addresses)
            of_run[index] = [span for span in spans if span.kind in kinds]
        found += of_run
    return found


def mask_pii(text: str, spans: Sequence[PiiSpan]) -> Masked:
    """Put a placeholder in the place of every span.

    Args:
        spans: Ascending and disjoint, of this text.
    Raises:
        ValueError: spans overlap or lie outside the text.

    >>> mask_pii("邮箱a@b.cn。", [PiiSpan("email", 2, 6)])
    Masked(text='邮箱[EMAIL]。', spans=[PiiSpan(kind='email', start=2, length=7)])
    """
    pieces: list[str] = []
    placed: list[PiiSpan] = []
    end, chars = 0, 0
    for kind, start, length in spans:
        if start < end or start + length > len(text):
            raise ValueError(f"{kind} at {start}: spans overlap or lie outside the text")
        placeholder = f"[{kind.upper()}]"
        pieces += (text[end:start], placeholder)
        chars += start - end
        placed.append(PiiSpan(kind, chars, len(placeholder)))
        chars += len(placeholder)
        end = start + length
    pieces.append(text[end:])
    return Masked("".join(pieces), placed)


def _candidates(encoded: EncodedTexts) -> Iterator[tuple[int, list[int], list[int]]]:
    """Texts that may have personal data: index, starts of numbers, starts of IP addresses.

    One search over all texts together. Starts are places in the text, ascending.
    """
    codes = encoded.codes
    digits = np.flatnonzero(_is_digit(codes))
    numbers = _number_starts(digits, encoded)
    addresses = _ip_starts(encoded)
    signs = np.flatnonzero((codes == ord("@")) | (codes == ord("＠")))
    owners = [_owners(places, encoded) for places in (numbers, addresses, signs)]
    for index in sorted(set(np.concatenate(owners).tolist())):
        start = encoded.starts[index]
        of_numbers, of_addresses = (
            slice(*np.searchsorted(owner, (index, index + 1))) for owner in owners[:2]
        )
        yield (
            index,
            (numbers[of_numbers] - start).tolist(),
            (addresses[of_addresses] - start).tolist(),
        )


def _owners(places: Places, encoded: EncodedTexts) -> Places:
    """Index of the text that each place lies in, shape (places,)."""
    owners: Places = np.searchsorted(encoded.stops, places, side="right")
    return owners


def _is_digit(codes: UInt32Array) -> npt.NDArray[np.bool_]:
    """ASCII and full-width digits."""
    flags: npt.NDArray[np.bool_] = codes - np.uint32(ord("0")) < 10  # below: wraps round
    flags |= codes - np.uint32(ord("０")) < 10
    return flags


def _number_starts(digits: Places, encoded: EncodedTexts) -> Places:
    """Starts of runs of digits where a number may begin.

    The first ten digits must be close enough for one number, and the first run must have the length
    of one that begins a number, which excludes most dates and times.
    """
    if len(digits) < _DIGITS:
        return digits[:0]
    owners = _owners(digits, encoded)
    breaks = (np.diff(digits) > 1) | (owners[1:] != owners[:-1])
    starts = np.flatnonzero(np.concatenate(([True], breaks)))
    lengths = np.diff(starts, append=len(digits))
    tenth = np.minimum(starts + _DIGITS - 1, len(digits) - 1)
    near = (digits[tenth] - digits[starts] < _DIGITS_WITHIN) & (owners[tenth] == owners[starts])
    near &= (starts + _DIGITS <= len(digits)) & (lengths > 1)
    starts, lengths = starts[near], lengths[near]
    first = encoded.codes[digits[starts]] & 15  # of a digit in either width, its value
    second = encoded.codes[digits[starts + 1]] & 15
    tens = first * 10 + second
    whole = (lengths >= 11) & (lengths <= 19)
    group = (first == 0) | (tens == 86) | (lengths == 6) | ((lengths == 7) & (first == 1))
    group |= (lengths == 4) & (tens != 19) & (tens != 20)  # no years
    group |= (lengths == 3) & (tens >= 13) & (tens < 20)
    places: Places = digits[starts[whole | (group & (lengths < 11))]]
    return places


def _ip_starts(encoded: EncodedTexts) -> Places:
    """Places where an IP address may begin, ascending."""
    return np.sort(np.concatenate((_ipv4_starts(encoded), _ipv6_starts(encoded))))


def _ipv4_starts(encoded: EncodedTexts) -> Places:
    """Places up to three digits before the first of three dots between digits."""
    codes = encoded.codes
    dots = np.flatnonzero((codes == ord(".")) | (codes == ord("．")))
    dots = dots[(dots > 0) & (dots + 1 < len(codes))]
    dots = dots[_is_digit(codes[dots - 1]) & _is_digit(codes[dots + 1])]
    firsts = dots[:-2][dots[2:] - dots[:-2] < _DOTS_WITHIN]
    lowest = encoded.starts[_owners(firsts, encoded)]
    starts = firsts - 1
    for _ in range(2):
        starts = starts - ((starts > lowest) & _is_digit(codes[starts - 1]))
    return starts[starts >= lowest]


def _ipv6_starts(encoded: EncodedTexts) -> Places:
    """Places four digits before a colon; the first digit of a global address is 2 or 3."""
    colons = np.flatnonzero(encoded.codes == ord(":"))
    starts = colons[colons >= 4] - 4
    digits = encoded.codes[starts]
    starts = starts[(digits == ord("2")) | (digits == ord("3"))]
    places: Places = starts[_owners(starts, encoded) == _owners(starts + 4, encoded)]
    return places


_PUNCTUATION = np.arange(0x2000, 0x2213, dtype=np.uint32)
_PUNCTUATION[: 0x200B - 0x2000] = ord(" ")
_PUNCTUATION[[*range(0x10, 0x16), 0x212]] = ord("-")  # dashes, minus


def _plain(encoded: EncodedTexts, index: int) -> str:
    """A text with full-width forms, dashes and spaces as in ASCII; no place moves."""
    codes = encoded.codes[encoded.starts[index] : encoded.stops[index]].copy()
    codes[codes - np.uint32(ord("！")) < 94] -= ord("！") - ord("!")
    punctuation = np.flatnonzero(codes - np.uint32(0x2000) < len(_PUNCTUATION))
    codes[punctuation] = _PUNCTUATION[codes[punctuation] - 0x2000]
    codes[(codes == 0x3000) | (codes == 0xA0)] = ord(" ")
    return codes.tobytes().decode("utf-32-le")


def _spans(text: str, numbers: Sequence[int], addresses: Sequence[int]) -> list[PiiSpan]:
    """Personal data at the candidates' places and at signs @, ascending and disjoint."""
    mails = find_emails(text) if "@" in text else ()
    spans = [PiiSpan("email", start, stop - start) for start, stop in mails]
    spans = [span for span in spans if _is_mailbox(text, span)]
    for places, read in ((addresses, ip_at), (numbers, _number_at)):
        found = filter(None, (read(text, place) for place in places))
        spans += [PiiSpan(kind, start, stop - start) for kind, start, stop in found]
    return _disjoint(spans)


def _number_at(text: str, place: int) -> Found | None:
    """The number that begins at a place. Identity numbers first: they may pass as a card."""
    return identity_number_at(text, place) or bank_card_at(text, place) or phone_at(text, place)


def _is_mailbox(text: str, span: PiiSpan) -> bool:
    address = text[span.start : span.start + span.length].lower()
    return not address.endswith(_FILE_ENDINGS) and not _EXAMPLE_DOMAIN.search(address)


def _disjoint(spans: list[PiiSpan]) -> list[PiiSpan]:
    """Keep of two overlapping spans the e-mail address, else the earlier one; ascending."""
    kept: list[PiiSpan] = []
    for span in sorted(spans, key=lambda span: span.start):
        if kept and span.start < kept[-1].start + kept[-1].length:
            if span.kind == "email" != kept[-1].kind:
                kept[-1] = span
        else:
            kept.append(span)
    return kept
