"""Bytes of a web page to text: which charset it is in, whatever its labels claim."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

from udfs.base.han import text_plausibility
from udfs.base.jit import compiled
from udfs.base.page_bytes import PageBytes
from udfs.charset.charset_counts import (
    Counts,
    counts_of,
    counts_of_text,
    table_utf8,
    wide_counts_of,
)
from udfs.charset.code_tables import browser_text

# Labels name subsets of what pages really contain: a page labelled gb2312 uses GB18030.
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
# Labels met on Chinese pages that the WHATWG table does not have.
_EXTRA_LABELS = {
    "cp936": "gb18030", "ms936": "gb18030", "windows-936": "gb18030", "euc-cn": "gb18030",
    "gb-18030": "gb18030", "gb-2312": "gb18030", "x-euc-cn": "gb18030", "gb18030-2000": "gb18030",
    "cp950": "big5hkscs", "ms950": "big5hkscs", "windows-950": "big5hkscs", "big-5": "big5hkscs",
    "big5-eten": "big5hkscs", "hz-gb-2312": "hz", "hz": "hz", "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be", "utf_8": "utf-8", "utf8mb4": "utf-8", "utf-8n": "utf-8",
    "cp949": "cp949", "ms949": "cp949", "uhc": "cp949",
}  # fmt: skip
CHINESE = ("gb18030", "big5hkscs")
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

_HEAD_BYTES = 4096  # the standard looks at 1,024; real pages put scripts before the meta element
# For a head in lower case: a pattern that ignores case is searched for 10 times as long.
_META = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([a-z0-9_.:\-]+)")
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([a-z0-9_.:\-]+)")

# Candidates are compared on a sample: a wrong reading of a whole page is slow (every bad byte
# passes the error handler) and adds nothing.
_SAMPLE_PIECES = 8
_PIECE_BYTES = 768
_BLOCK = 128  # counts of one fit in a byte
_NEAR = 32
_LOOK_BACK = 2  # bytes that say whether a run begins at the next

_Bytes = npt.NDArray[np.uint8]

# Share of the non-ASCII characters that may be undecodable in a page whose charset is right:
# PHP's substr() cuts UTF-8 inside characters, old boards mix in bytes of another charset.
_MAX_BAD_SHARE = 0.1
_PLAUSIBLE, _SURE = 0.4, 0.8  # of udfs.base.han.text_plausibility
# Where no reading is plausible, a label that loses nothing may be so much worse than the best.
_LABEL_MARGIN = 0.2
# A strict UTF-8 reading of so few characters proves nothing: the GBK bytes of 通知 are valid.
_FEW_EXTRA_BYTES = 48
# The library's detector takes ten times as long for six times as many bytes, and gives the same.
_DETECTED_BYTES = 1024
_MAX_LABEL_CHARS = 40  # a header may hold anything


@dataclass(frozen=True)
class Decoded:
    """The text of a payload and how it was reached.

    Attributes:
        text: Always encodable as UTF-8; undecodable bytes are U+FFFD, a character that the end
            of the payload cuts is left out, no byte order mark.
        charset: Canonical name of the Python codec: utf-8, gb18030, big5hkscs, utf-16-le, ...
        step: Rung of the ladder that decided: bom, utf8, utf16, http, meta, xml, detector or
            fallback; with the suffix _replaced when the text holds U+FFFD for bad bytes.
        declared: What the page says of itself, in the HTTP header, or else in a meta element,
            or else in its XML declaration: the codec that the label stands for, so that it can
            be compared with charset; a label that stands for none as it is, in lower case.
            None when the page says nothing.
        utf8: The text as UTF-8, where it was at hand.
    """

    text: str
    charset: str
    step: str
    declared: str | None = None
    utf8: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class _Label:
    """What one place says of the charset.

    Attributes:
        step: The place: http, meta or xml.
        name: The label, cleaned, in lower case.
        codec: The codec that it stands for, None for a label that no page may be decoded with.
    """

    step: str
    name: str
    codec: str | None


@dataclass(frozen=True)
class _Reading:
    """The marks that one way to read a payload got."""

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


def decode(payload: bytes, declared: str | None, *, is_utf8: bool = False) -> Decoded:
    """Decode a page; labels are hints that have to agree with the bytes.

    The order is: byte order mark, UTF-16 by its zero bytes, strict UTF-8, HTTP header, meta
    element, XML declaration, statistical detector (character frequencies for the Chinese
    charsets, then the library's), the least bad of all.
    A label wins only where its reading is nearly free of bad bytes and looks like a text.

    Args:
        payload: Body of the response, transfer and content codings already undone.
        declared: Value of charset in the Content-Type header; None when there is none.
        is_utf8: `udfs.charset.prefilter.plain_utf8` has found that no other reading is possible.
    Returns:
        Never fails: every payload has a reading.
    """
    labels = _page_labels(payload, declared)
    if is_utf8:
        return _decoded(*_read_utf8(payload), labels)
    return decode_as(payload, _choice(payload, labels))


@dataclass(frozen=True, slots=True)
class Choice:
    """How a payload is to be read, as far as a sample of it tells.

    Attributes:
        codec: As `Decoded.charset`.
        step: Rung of the ladder.
        labels: What the page says of itself, strongest first.
        text: The reading, where it was made to choose.
        start: Bytes of a byte order mark that was not believed.
    """

    codec: str
    step: str
    labels: list[_Label]
    text: str | None = None
    start: int = 0


def choose(payload: bytes, declared: str | None) -> Choice:
    """The first part of `decode`, without the text of a page that is not UTF-8."""
    return _choice(payload, _page_labels(payload, declared))


def decode_as(payload: bytes, choice: Choice) -> Decoded:
    """The second part of `decode`."""
    if choice.text is not None:
        return _decoded(choice.text, choice.codec, choice.step, choice.labels)
    codec, step = choice.codec, choice.step
    payload = payload[choice.start :]
    text, utf8 = _table_text(payload, codec)
    if _bad_share(text) > _MAX_BAD_SHARE:
        # The sample was not typical of the page: compare the candidates on all of it.
        reading = _best(payload, payload, choice.labels)
        codec, step = reading.codec, reading.step
        text, utf8 = _table_text(payload, codec)
    return _decoded(text, codec, _marked(step, text), choice.labels, utf8)


def _table_text(payload: bytes, codec: str) -> tuple[str, bytes | None]:
    """What `_to_text` gives, and the same as UTF-8 where a code table gave it."""
    utf8 = table_utf8(payload, codec)
    return (_to_text(payload, codec), None) if utf8 is None else (utf8.decode(), utf8)


def held_by(payload: bytes, choice: Choice) -> PageBytes | None:
    """What a page holds as UTF-8, counted before it is decoded; None where that cannot be.

    Exact but for `continuations`, which are not counted: `decode_as` gives this very reading.
    """
    if choice.text is not None:
        return None
    counts = counts_of(payload[choice.start :], choice.codec)
    if counts is None or counts.bad_share > _MAX_BAD_SHARE:
        return None
    return PageBytes(
        is_ascii=counts.high == 0,
        has_shift=False,
        references=counts.references,
        is_utf8=True,
        continuations=0,
        ideographs=counts.ideographs,
        kana=counts.kana,
    )


def _decoded(
    text: str, codec: str, step: str, labels: list[_Label], utf8: bytes | None = None
) -> Decoded:
    """With what the page declares."""
    declared = (labels[0].codec or labels[0].name) if labels else None
    return Decoded(text, codec, step, declared, utf8)


def _page_labels(payload: bytes, declared: str | None) -> list[_Label]:
    """What a page and its header say of its charset, strongest first."""
    head = payload[:_HEAD_BYTES]
    if b"\0" in head:  # without them the markup of UTF-16 is ASCII, with labels like any other
        head = head.translate(None, b"\0")
    return _labels(head, declared)


def _choice(payload: bytes, labels: list[_Label]) -> Choice:
    """How a payload is to be read."""
    start = 0
    for mark, codec in _BOMS:
        if payload.startswith(mark):
            start = len(mark)
            payload = payload[start:]
            text = _to_text(payload, codec)
            if _bad_share(text) <= _MAX_BAD_SHARE:
                return Choice(codec, _marked("bom", text), labels, text)
            break  # a template file with a mark in front of a page in another charset

    wide = _utf16_by_zero_bytes(payload)
    if wide is not None:
        text = _to_text(payload, wide)
        return Choice(wide, _marked("utf16", text), labels, text)

    utf8 = _strict_utf8(payload)
    if utf8 is not None and (
        not _doubtful(utf8, payload) or all(label.codec in ("utf-8", None) for label in labels)
    ):
        return Choice("utf-8", "utf8", labels, utf8)

    best = _best(_sample(payload), payload[:_HEAD_BYTES], labels)
    return Choice(best.codec, best.step, labels, start=start)


def _read_utf8(payload: bytes) -> tuple[str, str, str]:
    """(text, codec, step) of a payload that is certain to be UTF-8."""
    if payload.startswith(codecs.BOM_UTF8):
        return _to_text(payload[len(codecs.BOM_UTF8) :], "utf-8"), "utf-8", "bom"
    text, _ = codecs.utf_8_decode(payload, "strict", False)
    return text, "utf-8", "utf8"


def _marked(step: str, text: str) -> str:
    return f"{step}_replaced" if "\ufffd" in text else step


@lru_cache(maxsize=256)  # pages repeat a few dozen labels
def canonical_codec(label: str | None) -> str | None:
    """Python codec for a charset label, or None when no page may be decoded with it.

    >>> canonical_codec(" GB2312 "), canonical_codec("Big5"), canonical_codec("rot13")
    ('gb18030', 'big5hkscs', None)
    """
    key = _clean_label(label)
    known = _EXTRA_LABELS.get(key)
    if known is not None:
        return known
    mapped = map_encoding_to_html5(key, fallback_utf8=False)
    if mapped is None:
        return None
    try:
        name = codecs.lookup(mapped).name
    except LookupError:
        return None
    return _SUPERSETS.get(name, name)


def _clean_label(label: str | None) -> str:
    return (label or "").strip().strip("\"';").strip().lower()


def _labels(head: bytes, declared: str | None) -> list[_Label]:
    """What the page says of its charset, strongest first."""
    sources: list[tuple[str, str | None]] = [("http", declared)]
    head = head.lower()
    for step, match in (("meta", _META.search(head)), ("xml", _XML.match(head))):
        sources.append((step, match.group(1).decode("ascii") if match else None))
    found = []
    for step, label in sources:
        name = _clean_label(label)[:_MAX_LABEL_CHARS].encode("ascii", "replace").decode("ascii")
        if name:
            found.append(_Label(step, name, canonical_codec(name)))
    return found


def _utf16_by_zero_bytes(payload: bytes) -> str | None:
    """The byte order of a page that the zero bytes of its ASCII characters show to be UTF-16."""
    head = payload[:_HEAD_BYTES]
    if head.count(0) * 20 < len(head):
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) <= 10 * min(even, odd):
        return None
    # U+4E00, the commonest numeral, has its zero on the other side: read both ways.
    first, second = ("utf-16-le", "utf-16-be") if odd > even else ("utf-16-be", "utf-16-le")
    plausible = [_wide_plausibility(_to_text(head, codec)) for codec in (first, second)]
    return first if plausible[0] >= plausible[1] else second


def _wide_plausibility(text: str) -> float:
    """Plausibility with ASCII counted as well: in the wrong byte order there is none."""
    high = _high_characters(text)
    return (high * text_plausibility(text) + 0.5 * (len(text) - high)) / max(1, len(text))


def _strict_utf8(payload: bytes) -> str | None:
    """The UTF-8 reading of a payload without a cut tail, None when it has bad bytes."""
    try:
        text, used = codecs.utf_8_decode(payload, "strict", False)
    except UnicodeDecodeError:
        return None
    if used < len(payload) and used == len(text):
        return None  # the only non-ASCII bytes are an incomplete character
    return text


def _doubtful(utf8: str, payload: bytes) -> bool:
    """Whether a valid UTF-8 reading may still be chance: labels have to be asked."""
    extra_bytes = len(payload) - len(utf8)
    if extra_bytes == 0:
        return b"\x1b" in payload or b"~{" in payload or b"\0" in payload
    return extra_bytes < _FEW_EXTRA_BYTES and text_plausibility(utf8) < _PLAUSIBLE


def _best(sample: bytes, raw: bytes, labels: list[_Label]) -> _Reading:
    """The best reading of a page that is not plain UTF-8.

    Args:
        sample: Pieces of the page that hold its non-ASCII characters.
        raw: A stretch of the page as it is, for charsets whose bytes are ASCII or come in pairs.
        labels: What `_labels` found.
    """

    def mark(step: str, codec: str) -> _Reading:
        counts = _counts(raw if codec in _NEEDS_RAW else sample, codec)
        return _Reading(codec, step, counts.bad_share, counts.plausibility)

    readings: list[_Reading] = []
    if _may_be_utf8(sample):
        # Multi-byte sequences that are valid by chance are rare: a page that is nearly UTF-8
        # is it.
        readings.append(mark("utf8", "utf-8"))
        if readings[0].acceptable:
            return readings[0]
    tried = {"utf-8"}
    for label in labels:
        if label.codec is not None and label.codec not in tried:
            tried.add(label.codec)
            reading = mark(label.step, label.codec)
            readings.append(reading)
            if label.codec in CHINESE and reading.acceptable and reading.plausibility >= _SURE:
                return reading

    def best_with(guesses: Iterable[str | None]) -> _Reading:
        for guess in guesses:
            if guess is not None and guess not in tried:
                tried.add(guess)
                readings.append(mark("detector", guess))
        # max() keeps the first of equals: labels come before guesses.
        return max(readings, key=lambda reading: reading.rank)

    best = best_with(CHINESE)
    if best.codec in CHINESE and best.bad_share <= _MAX_BAD_SHARE and best.plausibility >= _SURE:
        return best
    # The library's detector knows the other languages, at a millisecond a page; it takes Korean
    # for Chinese, whose common characters stand where the syllables of Korean do.
    best = best_with(["euc_kr", canonical_codec(detect_encoding(sample[:_DETECTED_BYTES]))])
    if best.acceptable and best.codec in CHINESE:
        return best
    wide = [mark("detector", codec) for codec in ("utf-16-le", "utf-16-be") if codec not in tried]
    best = max([best, *wide], key=lambda reading: reading.rank)
    if best.acceptable:
        return best
    # Nothing looks like a text: trust the first label that loses nothing. UTF-16 without a
    # label is out: it makes rare ideographs of any bytes.
    best = max(readings, key=lambda reading: reading.rank)
    for reading in readings:
        lossless = reading.step in _LABEL_STEPS and reading.bad_share == 0
        if lossless and reading.rank >= best.rank - _LABEL_MARGIN:
            return reading
    return replace(best, step="fallback")


def _counts(sample: bytes, codec: str) -> Counts:
    """What the reading of a sample holds, as far as it is compared."""
    counts = wide_counts_of(sample, codec) if codec in _WIDE else counts_of(sample, codec)
    return counts_of_text(_to_text(sample, codec)) if counts is None else counts


def _may_be_utf8(sample: bytes) -> bool:
    """Whether few enough bytes can be bad for a page to be UTF-8, by counts alone.

    A character needs a first byte and one to three others: what is over on either side is bad.
    Reading GBK as UTF-8 to find that out costs 10 times as much.
    """
    firsts, others, places = _utf8_bytes(np.frombuffer(sample, dtype=np.uint8))
    lacking, idle = max(0, firsts - others), max(0, others - places)
    # One first byte may be that of a cut tail.
    return lacking - 1 <= _MAX_BAD_SHARE * firsts and idle <= _MAX_BAD_SHARE * (firsts + idle)


@compiled
def _utf8_bytes(sample: _Bytes) -> tuple[int, int, int]:
    """Bytes that begin a character, others above 0x7F, and places for others behind the first."""
    firsts = others = places = 0
    for byte in sample:
        firsts += byte >= 0xC0
        others += (byte >= 0x80) & (byte < 0xC0)
        places += np.int64(byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
    return firsts, others, places


def _sample(payload: bytes) -> bytes:
    """Pieces from the whole length of a page that hold its non-ASCII characters.

    Every byte above 0x7F is kept with the byte after it, which may be the second half of its
    character; a piece begins where such a run begins, so that pairs stay pairs.
    """
    page = np.frombuffer(payload, dtype=np.uint8)
    kept, runs, places = _runs(page, _SAMPLE_PIECES)
    if kept <= _SAMPLE_PIECES * _PIECE_BYTES or runs < _SAMPLE_PIECES:
        return _kept(page, 0, 4 * _SAMPLE_PIECES * _PIECE_BYTES).tobytes()
    return b"\n".join([_kept(page, place, _PIECE_BYTES).tobytes() for place in places.tolist()])


@compiled
def _runs(page: _Bytes, pieces: int) -> tuple[int, int, npt.NDArray[np.int64]]:
    """The bytes above 0x7F and behind one, the runs of them that do not begin the page, and where
    in it some runs begin, as many as asked for and equally many runs apart."""
    size = len(page)
    blocks = max(size - _LOOK_BACK + _BLOCK - 1, 0) // _BLOCK
    runs_by_block = np.zeros(blocks + 1, dtype=np.int64)
    kept = runs = 0
    for at in range(min(_LOOK_BACK, size)):
        is_high, follows = page[at] >= 0x80, at > 0 and page[0] >= 0x80
        kept += is_high or follows
        runs += at > 0 and is_high and not follows
    runs_by_block[0] = runs
    for block in range(blocks):
        first = _LOOK_BACK + block * _BLOCK
        end = min(first + _BLOCK, size)
        here, before, two_before = page[first:end], page[first - 1 :], page[first - 2 :]
        more_kept = more_runs = np.uint8(0)
        for at in range(len(here)):
            is_high = here[at] >= 0x80
            follows = before[at] >= 0x80
            more_kept = np.uint8(more_kept + (is_high | follows))
            begins = is_high & (not follows) & (two_before[at] < 0x80)
            more_runs = np.uint8(more_runs + begins)
        kept += int(more_kept)
        runs += int(more_runs)
        runs_by_block[block + 1] = runs
    places = np.zeros(pieces, dtype=np.int64)
    block = 0
    for piece in range(pieces if runs else 0):
        number = piece * runs // pieces
        while runs_by_block[block] <= number:
            block += 1
        at = 1 if block == 0 else _LOOK_BACK + (block - 1) * _BLOCK
        left = number - (runs_by_block[block - 1] if block else 0)
        while True:
            if page[at] >= 0x80 and page[at - 1] < 0x80 and (at < 2 or page[at - 2] < 0x80):
                if left == 0:
                    break
                left -= 1
            at += 1
        places[piece] = at
    return kept, runs, places


@compiled
def _kept(page: _Bytes, at: int, most: int) -> _Bytes:
    """The bytes above 0x7F and behind one, from a place on."""
    size = len(page)
    kept = np.empty(min(most, size), dtype=np.uint8)
    count = 0
    while at < size and count < len(kept):
        near = min(at + _NEAR, size)
        while at < near and page[at] < 0x80:
            at += 1
        if at == near:
            while at + _BLOCK <= size and not _any_high(page[at : at + _BLOCK]):
                at += _BLOCK
            continue
        follows = True
        while follows and at < size and count < len(kept):
            kept[count] = page[at]
            count += 1
            follows = page[at] >= 0x80
            at += 1
            follows |= at < size and page[at] >= 0x80
    return kept[:count]


@compiled
def _any_high(block: _Bytes) -> bool:
    found = False
    for byte in block:
        found |= byte >= 0x80
    return found


def _to_text(payload: bytes, codec: str) -> str:
    """Decode with U+FFFD for bad bytes and without a cut tail or a byte order mark."""
    # An incremental decoder that is never told of the end keeps the cut character to itself.
    try:
        text = codecs.getincrementaldecoder(codec)("replace").decode(payload, False)
    except UnicodeError:  # the incremental decoders of escape codes keep 8 bytes at most
        text = payload.decode(codec, "replace")
    return browser_text(text, codec).removeprefix("\ufeff")


def _bad_share(text: str) -> float:
    """Share of U+FFFD among the characters above U+007F."""
    bad = text.count("\ufffd")
    return bad / _high_characters(text) if bad else 0.0


def _high_characters(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))
