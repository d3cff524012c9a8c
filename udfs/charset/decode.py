"""Decode the bytes of a web page: find its charset, whatever its labels claim."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from resiliparse.parse.encoding import detect_encoding

from udfs.base.array_types import UInt8Array
from udfs.base.han import text_plausibility
from udfs.base.jit import compiled
from udfs.base.page_counts import PageCounts
from udfs.charset.charset_counts import (
    Counts,
    counts_of,
    counts_of_text,
    table_utf8,
    wide_counts_of,
)
from udfs.charset.code_tables import browser_text
from udfs.charset.labels import HEAD_BYTES, Label, canonical_codec, page_labels
from udfs.charset.sample import sample_of

CHINESE = ("gb18030", "big5hkscs")
"""Charsets that are tried first by default."""
_WIDE = ("utf-16-le", "utf-16-be")
_NEEDS_RAW = ("hz", "iso2022_jp", *_WIDE, "utf-32-le", "utf-32-be")
_LABEL_STEPS = ("http", "meta", "xml")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Largest share of undecodable non-ASCII characters in a page whose charset is right: PHP's
# substr() cuts UTF-8 inside characters, old boards mix in bytes of another charset.
_MAX_BAD_SHARE = 0.1
_PLAUSIBLE, _SURE = 0.4, 0.8  # of udfs.base.han.text_plausibility
# Where no candidate is plausible, a label without bad bytes may be worse than the best by this.
_LABEL_MARGIN = 0.2
# Valid UTF-8 of so few non-ASCII bytes proves nothing: the GBK bytes of 通知 are valid UTF-8.
_FEW_EXTRA_BYTES = 48
# The library's detector takes ten times as long for six times as many bytes, with the same result.
_DETECTED_BYTES = 1024


@dataclass(frozen=True)
class Decoded:
    """The text of a payload, and how its charset was found.

    Attributes:
        text: Always encodable as UTF-8; undecodable bytes are U+FFFD; without a character that
            the end of the payload cuts, and without a byte order mark.
        charset: Canonical name of the Python codec: utf-8, gb18030, big5hkscs, utf-16-le, ...
        step: The step that decided: bom, utf8, utf16, http, meta, xml, detector or fallback;
            with the suffix _replaced when the text has U+FFFD for bad bytes.
        declared: The page's label in the HTTP header, else in a meta element, else in its XML
            declaration: its codec, so that it can be compared with charset; a label without a
            codec unchanged, in lower case. None when the page has no label.
        utf8: The text as UTF-8; None where it was not computed.
    """

    text: str
    charset: str
    step: str
    declared: str | None = None
    utf8: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class _CharsetScore:
    """The scores of one candidate charset."""

    codec: str
    step: str
    bad_share: float
    plausibility: float

    @property
    def acceptable(self) -> bool:
        return self.bad_share <= _MAX_BAD_SHARE and self.plausibility >= _PLAUSIBLE

    @property
    def rank(self) -> float:
        return self.plausibility - 4 * self.bad_share


def decode(
    payload: bytes,
    declared: str | None,
    *,
    is_utf8: bool = False,
    preferred: tuple[str, ...] = CHINESE,
) -> Decoded:
    """Decode a page; its labels are hints that must agree with the bytes.

    The steps in order: byte order mark, UTF-16 by its zero bytes, strict UTF-8, HTTP header, meta
    element, XML declaration, statistical detector (character frequencies for the preferred
    charsets, then the library's), the least bad of all.
    A label wins only where the text has few bad bytes and is plausible.

    Args:
        payload: Body of the response without transfer and content codings.
        declared: Value of charset in the Content-Type header; None when it has none.
        is_utf8: `udfs.charset.prefilter.plain_utf8` has shown that the page is UTF-8.
        preferred: Charsets that are tried before the library's detector is asked, as codecs.
    Returns:
        A text for every payload: it never fails.
    """
    labels = page_labels(payload, declared)
    if is_utf8:
        return _decoded(*_read_utf8(payload), labels)
    return decode_as(payload, _choice(payload, labels, preferred), preferred)


@dataclass(frozen=True, slots=True)
class Choice:
    """The charset chosen for a payload from a sample of it.

    Attributes:
        codec: As `Decoded.charset`.
        step: As `Decoded.step`.
        labels: The page's labels, strongest first.
        text: The text, where choosing decoded it; else None.
        start: Bytes of a byte order mark that was ignored.
    """

    codec: str
    step: str
    labels: list[Label]
    text: str | None = None
    start: int = 0


def choose(payload: bytes, declared: str | None, preferred: tuple[str, ...] = CHINESE) -> Choice:
    """Choose the charset: the first part of `decode`, which decodes UTF-8 alone."""
    return _choice(payload, page_labels(payload, declared), preferred)


def decode_as(payload: bytes, choice: Choice, preferred: tuple[str, ...] = CHINESE) -> Decoded:
    """Decode with the chosen charset: the second part of `decode`."""
    if choice.text is not None:
        return _decoded(choice.text, choice.codec, choice.step, choice.labels)
    codec, step = choice.codec, choice.step
    payload = payload[choice.start :]
    text, utf8 = _table_text(payload, codec)
    if _bad_share(text) > _MAX_BAD_SHARE:
        # The sample was not typical of the page: compare the candidates on all of it.
        candidate = _best(payload, payload, choice.labels, preferred)
        codec, step = candidate.codec, candidate.step
        text, utf8 = _table_text(payload, codec)
    return _decoded(text, codec, _marked(step, text), choice.labels, utf8)


def _table_text(payload: bytes, codec: str) -> tuple[str, bytes | None]:
    """Return the result of `_to_text`, and as UTF-8 too where a code table decoded it."""
    utf8 = table_utf8(payload, codec)
    return (_to_text(payload, codec), None) if utf8 is None else (utf8.decode(), utf8)


def utf8_counts(payload: bytes, choice: Choice) -> PageCounts | None:
    """Count over a page as UTF-8 before it is decoded; None where this is not possible.

    Exact for the text that `decode_as` returns, except `continuations`, which is 0.
    """
    if choice.text is not None:
        return None
    counts = counts_of(payload[choice.start :], choice.codec)
    if counts is None or counts.bad_share > _MAX_BAD_SHARE:
        return None
    return PageCounts(
        is_ascii=counts.high == 0,
        has_shift=False,
        references=counts.references,
        is_utf8=True,
        continuations=0,
        ideographs=counts.ideographs,
        kana=counts.kana,
    )


def _decoded(
    text: str, codec: str, step: str, labels: list[Label], utf8: bytes | None = None
) -> Decoded:
    """Return the result with the page's declared charset."""
    declared = (labels[0].codec or labels[0].name) if labels else None
    return Decoded(text, codec, step, declared, utf8)


def _choice(payload: bytes, labels: list[Label], preferred: tuple[str, ...]) -> Choice:
    """Choose the charset of a payload."""
    start = 0
    for mark, codec in _BOMS:
        if payload.startswith(mark):
            start = len(mark)
            payload = payload[start:]
            text = _to_text(payload, codec)
            if _bad_share(text) <= _MAX_BAD_SHARE:
                return Choice(codec, _marked("bom", text), labels, text)
            break  # a template file with a mark, before a page in another charset

    wide = _utf16_by_zero_bytes(payload)
    if wide is not None:
        text = _to_text(payload, wide)
        return Choice(wide, _marked("utf16", text), labels, text)

    utf8 = _strict_utf8(payload)
    if utf8 is not None and (
        not _doubtful(utf8, payload) or all(label.codec in ("utf-8", None) for label in labels)
    ):
        return Choice("utf-8", "utf8", labels, utf8)

    best = _best(sample_of(payload), payload[:HEAD_BYTES], labels, preferred)
    return Choice(best.codec, best.step, labels, start=start)


def _read_utf8(payload: bytes) -> tuple[str, str, str]:
    """Return text, codec and step of a payload that is certainly UTF-8."""
    if payload.startswith(codecs.BOM_UTF8):
        return _to_text(payload[len(codecs.BOM_UTF8) :], "utf-8"), "utf-8", "bom"
    text, _ = codecs.utf_8_decode(payload, "strict", False)
    return text, "utf-8", "utf8"


def _marked(step: str, text: str) -> str:
    return f"{step}_replaced" if "\ufffd" in text else step


def _utf16_by_zero_bytes(payload: bytes) -> str | None:
    """Return the codec of a page that its zero bytes show to be UTF-16; None for any other."""
    head = payload[:HEAD_BYTES]
    if head.count(0) * 20 < len(head):
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= 10 * min(even, odd):
        return None
    # U+4E00, the most frequent numeral, has its zero byte on the other side: decode both ways.
    first, second = ("utf-16-le", "utf-16-be") if odd > even else ("utf-16-be", "utf-16-le")
    plausible = [_wide_plausibility(_to_text(head, codec)) for codec in (first, second)]
    return first if plausible[0] >= plausible[1] else second


def _wide_plausibility(text: str) -> float:
    """Plausibility with ASCII included: text in the wrong byte order has none."""
    high = _high_characters(text)
    return (high * text_plausibility(text) + 0.5 * (len(text) - high)) / max(1, len(text))


def _strict_utf8(payload: bytes) -> str | None:
    """Decode strict UTF-8 without a cut last character; None when the payload has bad bytes."""
    try:
        text, used = codecs.utf_8_decode(payload, "strict", False)
    except UnicodeDecodeError:
        return None
    if used < len(payload) and used == len(text):
        return None  # the only non-ASCII bytes are an incomplete character
    return text


def _doubtful(utf8: str, payload: bytes) -> bool:
    """Whether valid UTF-8 may be a coincidence, so that labels are considered."""
    extra_bytes = len(payload) - len(utf8)
    if extra_bytes == 0:
        return b"\x1b" in payload or b"~{" in payload or b"\0" in payload
    return extra_bytes < _FEW_EXTRA_BYTES and text_plausibility(utf8) < _PLAUSIBLE


def _best(
    sample: bytes, raw: bytes, labels: list[Label], preferred: tuple[str, ...]
) -> _CharsetScore:
    """Return the best candidate for a page that is not plain UTF-8.

    Args:
        sample: Pieces of the page with its non-ASCII characters.
        raw: The unchanged beginning of the page, for charsets whose bytes are ASCII or pairs.
        labels: As `page_labels` returns them.
        preferred: As for `decode`.
    """

    def rate(step: str, codec: str) -> _CharsetScore:
        counts = _counts(raw if codec in _NEEDS_RAW else sample, codec)
        return _CharsetScore(codec, step, counts.bad_share, counts.plausibility)

    candidates: list[_CharsetScore] = []
    if _may_be_utf8(sample):
        # Multi-byte sequences are rarely valid by coincidence: a page that is nearly valid UTF-8
        # is UTF-8.
        candidates.append(rate("utf8", "utf-8"))
        if candidates[0].acceptable:
            return candidates[0]
    tried = {"utf-8"}
    for label in labels:
        if label.codec is not None and label.codec not in tried:
            tried.add(label.codec)
            candidate = rate(label.step, label.codec)
            candidates.append(candidate)
            if (
                label.codec in preferred
                and candidate.acceptable
                and candidate.plausibility >= _SURE
            ):
                return candidate

    def best_with(guesses: Iterable[str | None]) -> _CharsetScore:
        for guess in guesses:
            if guess is not None and guess not in tried:
                tried.add(guess)
                candidates.append(rate("detector", guess))
        # max() keeps the first of equals: labels come before guesses.
        return max(candidates, key=lambda candidate: candidate.rank)

    best = best_with(preferred)
    if best.codec in preferred and best.bad_share <= _MAX_BAD_SHARE and best.plausibility >= _SURE:
        return best
    # The library's detector knows the other languages, at a millisecond a page; it mistakes Korean
    # for Chinese, whose common characters have the codes of Korean syllables.
    best = best_with(["euc_kr", canonical_codec(detect_encoding(sample[:_DETECTED_BYTES]))])
    if best.acceptable and best.codec in preferred:
        return best
    wide = [rate("detector", codec) for codec in ("utf-16-le", "utf-16-be") if codec not in tried]
    best = max([best, *wide], key=lambda candidate: candidate.rank)
    if best.acceptable:
        return best
    # No candidate is plausible: use the first label without bad bytes. UTF-16 without a label is
    # excluded: it decodes any bytes to rare ideographs.
    best = max(candidates, key=lambda candidate: candidate.rank)
    for candidate in candidates:
        lossless = candidate.step in _LABEL_STEPS and candidate.bad_share == 0
        if lossless and candidate.rank >= best.rank - _LABEL_MARGIN:
            return candidate
    return replace(best, step="fallback")


def _counts(sample: bytes, codec: str) -> Counts:
    """Count the fields of a decoded sample that are compared."""
    counts = wide_counts_of(sample, codec) if codec in _WIDE else counts_of(sample, codec)
    return counts_of_text(_to_text(sample, codec)) if counts is None else counts


def _may_be_utf8(sample: bytes) -> bool:
    """Whether a page may be UTF-8 with few bad bytes, by counts of its bytes alone.

    A character needs a first byte and one to three continuation bytes: the excess of either is
    bad. Decoding GBK as UTF-8 to find that out takes 10 times as long.
    """
    firsts, others, places = _utf8_bytes(np.frombuffer(sample, dtype=np.uint8))
    lacking, idle = max(0, firsts - others), max(0, others - places)
    # One first byte may be that of a cut tail.
    return lacking - 1 <= _MAX_BAD_SHARE * firsts and idle <= _MAX_BAD_SHARE * (firsts + idle)


@compiled
def _utf8_bytes(sample: UInt8Array) -> tuple[int, int, int]:
    """Count first bytes, continuation bytes, and the continuation bytes that first bytes need."""
    firsts = others = places = 0
    for byte in sample:
        firsts += byte >= 0xC0
        others += (byte >= 0x80) & (byte < 0xC0)
        places += np.int64(byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
    return firsts, others, places


def _to_text(payload: bytes, codec: str) -> str:
    """Decode with U+FFFD for bad bytes, without a cut last character or a byte order mark."""
    # An incremental decoder without final=True drops the cut character.
    try:
        text = codecs.getincrementaldecoder(codec)("replace").decode(payload, False)
    except UnicodeError:  # the incremental decoders of escape codes keep at most 8 bytes
        text = payload.decode(codec, "replace")
    return browser_text(text, codec).removeprefix("\ufeff")


def _bad_share(text: str) -> float:
    """Share of U+FFFD among the characters above U+007F."""
    bad = text.count("\ufffd")
    return bad / _high_characters(text) if bad else 0.0


def _high_characters(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
