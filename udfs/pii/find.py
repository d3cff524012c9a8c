"""Find and mask personal data in texts.

A number counts only if a check digit, a number plan or a word beside it distinguishes it from other
numbers. Numbers of organisations are found too, since nothing in a number says whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from udfs.base.code_points import EncodedTexts, encode_texts, text_runs
from udfs.pii import numbers, tunisia
from udfs.pii.emails import find_emails
from udfs.pii.ip_addresses import ip_at
from udfs.pii.numbers import Found

_Reader = Callable[[str, int], Found | None]

NUMBER_PLANS: Mapping[str, tuple[int, tuple[_Reader, ...]]] = {
    # Identity numbers first: they may pass as a card.
    "CN": (10, (numbers.identity_number_at, numbers.bank_card_at, numbers.phone_at)),
    "TN": (8, (tunisia.identity_number_at, numbers.bank_card_at, tunisia.phone_at)),
}
"""Country (ISO 3166) -> fewest digits of a number of it, and what finds one at a place."""

PII_KINDS = ("email", "phone", "id_number", "bank_card", "ip")
"""Kinds of personal data. A placeholder is the kind in capitals, in brackets."""

_FILE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".html")
"""Ends of file names such as icon@2x.png, which have the form of an address."""
_NO_DIGITS = 1 << 30  # more than any number has
_EXAMPLE_DOMAIN = re.compile(r"[@.]example(?:\.(?:com|net|org))?$", re.IGNORECASE)
"""Domains reserved for examples. Source: RFC 2606."""


if TYPE_CHECKING:
    from udfs.pii.candidates import Candidates


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
    texts: Sequence[str | None],
    kinds: Collection[str] = PII_KINDS,
    number_plans: Sequence[str] = ("CN",),
) -> list[list[PiiSpan]]:
    """Find personal data in each text.

    Args:
        texts: One document each, or None.
        kinds: Those to return. A place of another kind never counts as one of these: the digits of
            13812345678@mail.cn are no telephone number, whether "email" is among the kinds or not.
        number_plans: Countries of NUMBER_PLANS whose numbers are found; where two find one at the
            same place, the first.
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
    from udfs.pii.candidates import find_candidates  # imports numba, which the kinds do not need

    least = min((NUMBER_PLANS[plan][0] for plan in number_plans), default=_NO_DIGITS)
    readers = [reader for plan in number_plans for reader in NUMBER_PLANS[plan][1]]
    found: list[list[PiiSpan]] = []
    for run in text_runs(texts):
        encoded = encode_texts(run)
        of_run: list[list[PiiSpan]] = [[] for _ in run]
        for index, candidates in find_candidates(encoded, least):
            spans = _spans(_plain(encoded, index), candidates, readers)
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


def _spans(text: str, candidates: Candidates, readers: Sequence[_Reader]) -> list[PiiSpan]:
    """Personal data at the candidates' places and at signs @, ascending and disjoint."""
    mails = find_emails(text) if "@" in text else ()
    spans = [PiiSpan("email", start, stop - start) for start, stop in mails]
    spans = [span for span in spans if _is_mailbox(text, span)]
    found = [found for place in candidates.addresses if (found := ip_at(text, place))]
    for place in candidates.numbers:
        for read in readers:
            number = read(text, place)
            if number is not None:
                found.append(number)
                break
    spans += [PiiSpan(kind, start, stop - start) for kind, start, stop in found]
    return _disjoint(spans)


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
