"""HTTP responses as crawlers store them: header, body, and the codings of the body.

As lenient as browsers, because stored messages are often wrong: Common Crawl and others store
bodies already de-chunked and decompressed under their original headers, so a declared coding is
applied only where the bytes match it.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import brotli
from isal import isal_zlib

from udfs.warc.byte_pieces import Broken, RawInput
from udfs.warc.gzip_members import IsalError
from udfs.warc.headers import FieldNames, named_fields, plain_header, plain_values
from udfs.warc.zstd_frames import ZstdFrames, is_zstd

MAX_HEAD_BYTES = 1 << 20

_STATUS_LINE = re.compile(rb"\s*HTTP(?:/\d{1,2}(?:\.\d{1,2})?)?[ \t]+(\d{3})(?:[ \t][^\r\n]*)?\s*$")
_HEAD_END = re.compile(rb"\n\r*\n")
_VISIBLE = re.compile(rb"[^\r\n \t]")
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1024})?\r?\n")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_MIME = re.compile(r"\s*([^;,\s]*/[^;,\s]*)")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

# Headers whose repeated lines form one list (RFC 9110, 5.3) and that this project reads, with
# their separators: each line of X-Robots-Tag may name the crawler that it is for.
_LIST_HEADERS = {
    **dict.fromkeys(("content-encoding", "transfer-encoding", "link", "vary"), ", "),
    **dict.fromkeys(("content-language", "content-usage", "content-signal"), ", "),
    "x-robots-tag": "\n",
}

# The fields that are read of every page.
_PLAIN = ("content-type", "content-encoding", "transfer-encoding")
_PLAIN_NAMES = FieldNames(*_PLAIN)

_OUTPUT_STEP = 256 << 10
_SALVAGE_STEP = 4 << 10


class HttpError(ValueError):
    """A message without a page.

    Attributes:
        reason: `empty_http` (no bytes), `malformed_http` (no status line), `body_too_large`
            (the decoded body exceeds the limit).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(slots=True, eq=False)
class HttpResponse:
    """A response message.

    Attributes:
        status: 100 to 999 as sent.
        header: The header's fields, or its bytes, which `headers` parses when first used.
        data: Bytes that contain the body, from `start` to `end` (their own end when None): a page
            is not copied out of its record.
        known: Fields that were read already; None for a missing one.
    """

    status: int
    header: dict[str, str] | bytes
    data: bytes
    start: int = 0
    end: int | None = None
    known: Mapping[str, str | None] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """All fields by lower-case names. Of a repeated header the first value; of a list header
        (Content-Encoding, ...) all values joined by ", ", of X-Robots-Tag by line feeds.
        """
        if isinstance(self.header, bytes):
            self.header = named_fields(self.header, _LIST_HEADERS)
        return self.header

    def field(self, name: str) -> str | None:
        """Return one header; None where it is missing."""
        known = self.known
        return known[name] if known and name in known else self.headers.get(name)

    @property
    def body(self) -> bytes:
        """The body as stored, no coding removed. A copy."""
        return self.data[self.start : self.end]

    @property
    def is_coded(self) -> bool:
        """Whether a coding of the body is declared."""
        return (
            self.field("transfer-encoding") is not None
            or self.field("content-encoding") is not None
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HttpResponse):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]

    def _values(self) -> tuple[int, dict[str, str], bytes]:
        return self.status, self.headers, self.body


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body; `cut` when its coding ended early or broke, `data` being the part before."""

    data: bytes
    cut: bool


def parse_response(data: bytes, start: int = 0, end: int | None = None) -> HttpResponse:
    """Split a response record's block into header and body.

    Bare line feeds, HTTP/2 status lines, missing reason phrases, folded headers, lines that
    are not headers, no header at all and a missing blank line before the page are all accepted.

    Args:
        data: Bytes that contain the block, from `start` to `end` (their own end when None).
    Raises:
        HttpError: empty_http, malformed_http.
    """
    end = len(data) if end is None else end
    if start >= end:
        raise HttpError("empty_http")
    line_end = data.find(b"\n", start, min(end, start + MAX_HEAD_BYTES))
    if line_end >= 0 and not data[start:line_end].strip():  # blank lines before the status line
        visible = _VISIBLE.search(data, line_end, end)
        start = visible.start() if visible else end
        line_end = data.find(b"\n", start, min(end, start + MAX_HEAD_BYTES))
    line = data[start : min(line_end if line_end >= 0 else end, start + 4096)]
    status = _status(line)
    if status is None:
        raise HttpError("malformed_http", repr(line[:32]))
    if line_end < 0:
        return HttpResponse(status, {}, b"")
    places = plain_header(data, line_end + 1, min(end, start + MAX_HEAD_BYTES), _PLAIN_NAMES)
    if places[0] >= 0:
        head = data[line_end + 1 : places[0]]
        known = plain_values(data, places[2:], _PLAIN)
        return HttpResponse(status, head, data, places[1], end, known)
    blank = _HEAD_END.search(data, line_end, min(end, start + MAX_HEAD_BYTES))
    head_end = blank.start() + 1 if blank else end
    body_start = blank.end() if blank else end
    # A page that follows its headers without a blank line.
    tag = data.find(b"\n<", line_end, head_end)
    if tag >= 0:
        head_end = body_start = tag + 1
    return HttpResponse(status, data[line_end + 1 : head_end], data, body_start, end)


@lru_cache(maxsize=256)  # nearly all pages of a crawl have one of a few
def _status(line: bytes) -> int | None:
    """Return the status in a status line; None for another line."""
    stated = _STATUS_LINE.match(line)
    return int(stated[1]) if stated else None


def content_type(headers: dict[str, str]) -> tuple[str, str | None]:
    """Return the MIME type, lower-case ("" without one), and the charset as written.

    >>> content_type({"content-type": "Text/HTML; Charset='GBK'"})
    ('text/html', 'GBK')
    """
    return media_type(headers.get("content-type", ""))


@lru_cache(maxsize=1024)
def media_type(value: str) -> tuple[str, str | None]:
    """The same for the value of a Content-Type header."""
    type_named = _MIME.match(value)
    mime = type_named[1].lower() if type_named else ""
    charset = _CHARSET.search(value)
    return mime, charset[1] if charset else None


def decode_body(response: HttpResponse, max_bytes: int) -> Body:
    """Remove the transfer and content codings of a body.

    A declared coding that the bytes do not have is ignored, an unknown one too (the caller gets
    bytes that it cannot read, and reports that with its own reason). At most `max_bytes` and one
    step of a decompressor are in memory.

    Raises:
        HttpError: body_too_large.
    """
    data = response.body
    cut = False
    if "chunked" in (response.field("transfer-encoding") or "").lower():
        data, cut = _dechunk(data)
    encodings = response.field("content-encoding")
    if encodings:
        for encoding in reversed(encodings.lower().split(",")):
            data, broke = _decompress(encoding.strip(), data, max_bytes)
            cut = cut or broke
    if len(data) > max_bytes:
        raise HttpError("body_too_large", f"more than {max_bytes} bytes")
    return Body(data, cut)


def _dechunk(data: bytes) -> tuple[bytes, bool]:
    """Join the chunks; return whether the coding ended early or broke, too.

    The bytes are returned unchanged when they do not begin with a chunk line, or its chunk does
    not end where it states. After a valid chunk, bytes that are not a chunk are kept unchanged.
    """
    parts: list[bytes] = []
    at = 0
    while True:
        line = _CHUNK_LINE.match(data, at)
        if line is None:
            if not parts:
                return data, False
            rest = data[at:]
            # A cut inside a chunk line leaves a few digits, not text.
            if len(rest) > 10:
                parts.append(rest)
            return b"".join(parts), True
        size = int(line[1], 16)
        if size == 0:
            return b"".join(parts), False
        end = line.end() + size
        if end >= len(data):
            parts.append(data[line.end() :])
            return b"".join(parts), True
        newline = 2 if data.startswith(b"\r\n", end) else 1 if data.startswith(b"\n", end) else 0
        if not newline:
            if not parts:
                return data, False
            parts.append(data[line.end() :])
            return b"".join(parts), True
        parts.append(data[line.end() : end])
        at = end + newline
        if at >= len(data):
            return b"".join(parts), True


def _decompress(encoding: str, data: bytes, max_bytes: int) -> tuple[bytes, bool]:
    if encoding in ("gzip", "x-gzip"):
        if not data.startswith(b"\x1f\x8b"):
            return data, False
        return _inflate(data, 31, max_bytes)
    if encoding == "deflate":
        if data.startswith(b"\x1f\x8b"):
            return _inflate(data, 31, max_bytes)
        if _is_text(data):
            return data, False
        # RFC 9110 means zlib; half of the servers that declare deflate send it without its header.
        zlib_head = len(data) >= 2 and data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0
        out, cut = _inflate(data, 15 if zlib_head else -15, max_bytes)
        return (out, cut) if out or not data else (data, False)
    if encoding == "br":
        return (data, False) if _is_text(data) else _unbrotli(data, max_bytes)
    if encoding == "zstd":
        return _unzstd(data, max_bytes) if is_zstd(data) else (data, False)
    return data, False


def _is_text(data: bytes) -> bool:
    """Whether the bytes cannot be compressed data: no control byte in the first 256.

    Compressed data of that length has none with a probability below 1e-11. UTF-16 text has some,
    but fails to decompress.
    """
    head = data[:256]
    return len(head) >= 16 and _CONTROL.search(head) is None


def _inflate(data: bytes, wbits: int, max_bytes: int) -> tuple[bytes, bool]:
    """Inflate one stream, or several gzip members end to end."""
    parts: list[bytes] = []
    room = max_bytes
    feed: bytes | memoryview = data
    while True:
        inflate = isal_zlib.decompressobj(wbits)
        try:
            while not inflate.eof:
                out = inflate.decompress(feed, min(_OUTPUT_STEP, room + 1))
                feed = inflate.unconsumed_tail
                parts.append(out)
                room -= len(out)
                if room < 0:
                    raise HttpError("body_too_large", f"more than {max_bytes} bytes")
                if not out and not feed and not inflate.eof:
                    return b"".join(parts), True
        except IsalError:
            return _salvage(data, wbits, max_bytes), True
        feed = inflate.unused_data
        if wbits != 31 or not feed.startswith(b"\x1f\x8b"):
            return b"".join(parts), False


def _salvage(data: bytes, wbits: int, max_bytes: int) -> bytes:
    """Return everything that a broken stream yields before its first invalid byte.

    ISA-L loses the output of the call that fails; zlib's state can be copied, so the last
    good state is fed byte by byte.
    """
    parts: list[bytes] = []
    room = max_bytes
    for out in _outputs(data, wbits):
        parts.append(out)
        room -= len(out)
        if room < 0:
            raise HttpError("body_too_large", f"more than {max_bytes} bytes")
    return b"".join(parts)


def _outputs(data: bytes, wbits: int) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits)
    at = 0
    try:
        while at < len(data) and not inflate.eof:
            saved = inflate.copy()
            try:
                # At most 1032 times the step: deflate's greatest ratio.
                yield inflate.decompress(data[at : at + _SALVAGE_STEP])
            except zlib.error:
                inflate = saved
                for index in range(at, len(data)):
                    yield inflate.decompress(data[index : index + 1])
            at += _SALVAGE_STEP
    except zlib.error:
        return


def _unbrotli(data: bytes, max_bytes: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    room = max_bytes
    decoder = brotli.Decompressor()
    feed = data
    try:
        while not decoder.is_finished():
            out = decoder.process(feed, output_buffer_limit=min(_OUTPUT_STEP, room + 1))
            feed = b""
            parts.append(out)
            room -= len(out)
            if room < 0:
                raise HttpError("body_too_large", f"more than {max_bytes} bytes")
            if not out and decoder.can_accept_more_data():
                return b"".join(parts), True
    except brotli.error:
        decoded = b"".join(parts)
        return (decoded, True) if decoded else (data, False)
    return b"".join(parts), False


def _unzstd(data: bytes, max_bytes: int) -> tuple[bytes, bool]:
    parts: list[bytes] = []
    room = max_bytes
    frames = ZstdFrames(RawInput(io.BytesIO(data)))
    try:
        while (piece := frames.next_piece()) is not None:
            parts.append(piece.data)
            room -= len(piece.data)
            if room < 0:
                raise HttpError("body_too_large", f"more than {max_bytes} bytes")
            if piece.cut:
                return b"".join(parts), True
    except Broken:
        decoded = b"".join(parts)
        return (decoded, True) if decoded else (data, False)
    return b"".join(parts), False
