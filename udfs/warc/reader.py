"""Read the records of a WARC or ARC file from a stream, whatever state the file is in.

One pass, bounded memory, no seek needed. Everything in the file is yielded, in its order, as a
`WarcRecord` or as a `Damage`; only padding (blank lines, zero bytes) is skipped silently.

A record with a wrong Content-Length: when its block is not followed by a blank line, the next
record line (`WARC/1.0` and a header under it) decides where it ends: inside the block (length too
large), behind it (too small), or at the end of its gzip member. It is yielded with
`truncated="wrong_length"`: the page is there, only its length was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO

import zstandard

from udfs.warc.byte_pieces import CHUNK_BYTES, Broken, PieceSource, PlainPieces, RawInput
from udfs.warc.gzip_members import GZIP_MAGIC, GzipMembers, begins_record
from udfs.warc.headers import (
    ARC_FIRST,
    ARC_LINE,
    MAX_HEADER_BYTES,
    FieldNames,
    arc_headers,
    header_size,
    parse_headers,
    plain_header,
    plain_values,
    without_brackets,
)
from udfs.warc.record_window import RECORD_END, Window
from udfs.warc.records import DEFAULT_WANTED, Damage, WarcRecord
from udfs.warc.zstd_frames import ZSTD_MAGIC, ZstdFrames, is_zstd

DEFAULT_MAX_RECORD_BYTES = 32 << 20

LZ4_MAGIC = b"\x04\x22\x4d\x18"

_USUAL_VERSIONS = (b"WARC/1.0\r\n", b"WARC/1.1\r\n")
_VERSION_BYTES = len(_USUAL_VERSIONS[0])
# The fields that the reader needs of every record, and those that are read of every page.
_ASKED = ("content-type", "warc-target-uri")
_PLAIN_NAMES = FieldNames("warc-type", "content-length", "warc-truncated", *_ASKED)
_WARC_VERSION = re.compile(rb"WARC/\d{1,2}\.\d{1,3}[ \t]*\r*\n")
# At the start of a line; by a look-behind, because a pattern that begins with a literal is found
# twenty times as fast.
_WARC_MARK = re.compile(
    rb"WARC/(?<![^\n]WARC/)\d{1,2}\.\d{1,3}[ \t]*\r*\n[A-Za-z][A-Za-z0-9-]{0,40}[ \t]*:"
)
_ARC_MARK = re.compile(rb"(?:^|(?<=\n))" + ARC_LINE.pattern)
# A mark across a buffer's end is found when this much of the end is kept.
_MARK_BYTES = 128
_ARC_MARK_BYTES = 9 << 10
_PROBE_BYTES = 64 << 10
_REASON = re.compile(r"[A-Za-z0-9_-]{1,32}")
_BLANK = re.compile(rb"[\r\n\0 \t]*")
_BLANK_LINES = re.compile(rb"(?:\r*\n)+")


def read_records(
    stream: BinaryIO,
    *,
    max_record_bytes: int = DEFAULT_MAX_RECORD_BYTES,
    wanted: frozenset[str] = DEFAULT_WANTED,
) -> Iterator[WarcRecord | Damage]:
    """Read a WARC or ARC file: gzip (one member a record or not), zstd, or plain.

    A record whose gzip member fails its checksum is a `Damage`: flipped bits cannot be found in
    text. Records of the same member that end before its last megabyte were yielded before.

    Args:
        stream: Any object with read(n), at the file's start.
        max_record_bytes: A wanted record with a longer block is `record_too_large`.
        wanted: Record types whose blocks are kept.
    Raises:
        OSError: From the stream.
    """
    raw = RawInput(stream)
    if not raw.ensure(1):
        yield Damage(0, "empty_file", "no bytes", 0)
        return
    raw.ensure(CHUNK_BYTES)
    source = _container(raw)
    if source is None:
        detail = "lz4" if raw.buf.startswith(LZ4_MAGIC) else f"begins with {raw.buf[:16]!r}"
        yield Damage(0, "unsupported_format", detail, len(raw.buf))
        return
    yield from _RecordReader(source, max_record_bytes, wanted).items()


def _container(raw: RawInput) -> PieceSource | None:
    """Return the reader for the file's format; None when the first MiB has no known one."""
    head = raw.buf
    if head.startswith(GZIP_MAGIC) or GZIP_MAGIC.startswith(head):
        return GzipMembers(raw)
    if is_zstd(head):
        return ZstdFrames(raw)
    if head.startswith((b"WARC/", ARC_FIRST)):
        return PlainPieces(raw)
    if head.startswith(LZ4_MAGIC):
        return None
    if not head.strip(b"\0\r\n\t "):
        return PlainPieces(raw)
    # The file begins with other bytes than a record.
    mark = _WARC_MARK.search(head)
    end = mark.start() if mark else len(head)
    if _first(head, GZIP_MAGIC, end, begins_record) >= 0:
        return GzipMembers(raw)
    if _first(head, ZSTD_MAGIC, end, _begins_zstd_record) >= 0:
        return ZstdFrames(raw)
    return PlainPieces(raw) if mark else None


def _first(data: bytes, magic: bytes, end: int, begins: Callable[[bytes], bool]) -> int:
    """Return where a unit with a record begins before `end`; -1 without one."""
    at = data.find(magic, 0, end)
    while at >= 0 and not begins(data[at : at + _PROBE_BYTES]):
        at = data.find(magic, at + 1, end)
    return at


def _begins_zstd_record(head: bytes) -> bool:
    """Whether these bytes are the start of a zstd frame with a WARC record."""
    try:
        return zstandard.ZstdDecompressor().stream_reader(head).read(5) == b"WARC/"
    except zstandard.ZstdError:
        return False


class _RecordReader:
    """The records of one file."""

    def __init__(self, source: PieceSource, max_record_bytes: int, wanted: frozenset[str]) -> None:
        self._window = Window(source, _is_warc_start)
        self._max = max_record_bytes
        self._wanted = wanted
        self._mark = _WARC_MARK
        self._mark_bytes = _MARK_BYTES
        self._unit: int | None = None
        # Set while a record or garbage is being read.
        self._open_offset: int | None = None

    def items(self) -> Iterator[WarcRecord | Damage]:
        window = self._window
        whole_unit = self._whole_unit
        nothing_yet = True
        while True:
            try:
                item = whole_unit() or self._next()
            except Broken as broken:
                item = self._after_break(broken)
                window.forget()
            self._open_offset = None
            if item is None:
                if nothing_yet:
                    yield Damage(0, "empty_file", "nothing but padding", window.position)
                return
            nothing_yet = False
            yield item

    def _whole_unit(self) -> WarcRecord | None:
        """Return the record of a unit that has one whole, well-formed record and nothing else.

        Nearly every record of a crawl is in such a unit; `_next` returns the same for it in
        several times the time. None for any other unit, which stays in the window.
        """
        window = self._window
        piece = window.fresh_unit()
        if piece is None:
            return None
        data, begins, closes, _ = piece
        if closes and data.startswith(_USUAL_VERSIONS) and data.endswith(RECORD_END):
            record = self._plain_record(data, begins) or self._parsed_record(data, begins)
            if record is not None:
                window.pass_unit(piece)
                self._unit = None
                return record
        window.push_back(piece)
        return None

    def _plain_record(self, data: bytes, begins: int) -> WarcRecord | None:
        """Return the record of a whole unit with a plain header and a correct length; else None."""
        places = plain_header(data, _VERSION_BYTES, min(len(data), MAX_HEADER_BYTES), _PLAIN_NAMES)
        size = places[1]
        length = len(data) - size - len(RECORD_END)
        if places[0] < 0 or not 0 <= length <= self._max:
            return None
        if data[places[4] : places[5]].strip() != b"%d" % length:
            return None
        record_type = _record_type(data[places[2] : places[3]])
        if not record_type:
            return None
        truncated = None
        if places[6] >= 0:
            truncated = _reason(data[places[6] : places[7]].decode("ascii").strip())
        head = data[:size]
        if record_type not in self._wanted:
            return WarcRecord(begins, record_type, head, b"", truncated)
        known = plain_values(data, places[8:], _ASKED)
        known["warc-target-uri"] = without_brackets(known["warc-target-uri"])
        return WarcRecord(begins, record_type, head, data, truncated, size, size + length, known)

    def _parsed_record(self, data: bytes, begins: int) -> WarcRecord | None:
        """The same for a header that is not plain."""
        size = data.find(b"\r\n\r\n", 0, MAX_HEADER_BYTES) + 4
        head = data[:size]
        length = len(data) - size - len(RECORD_END)
        headers = parse_headers(head) if b"\n\n" not in head else {}
        record_type = headers.get("warc-type", "").lower()
        if not record_type or not 0 <= length <= self._max:
            return None
        if headers.get("content-length") != str(length):
            return None
        if record_type not in self._wanted:
            data, size, length = b"", 0, 0
        truncated = _truncation(headers)
        return WarcRecord(begins, record_type, headers, data, truncated, size, size + length)

    def _after_break(self, broken: Broken) -> Damage:
        if self._open_offset is None:
            return Damage(broken.offset, broken.reason, broken.detail, broken.skipped)
        return Damage(self._open_offset, broken.reason, broken.detail, broken.skipped)

    def _next(self) -> WarcRecord | Damage | None:
        """Return the next item; None at the end of the file."""
        window = self._window
        reported_cut = window.cut
        while True:
            blank = _BLANK.match(window.data, window.pos)
            assert blank is not None
            if blank.end() > window.pos:
                _, self._unit = window.place(self._unit)
                window.pos = blank.end()
            if window.pos < len(window.data):
                break
            if window.cut and not reported_cut:
                offset, self._unit = window.place(self._unit)
                window.cut = False
                return Damage(offset, "cut", "the file ends before a record's first byte", 0)
            if not window.pull():
                return None
        if len(window.data) - window.pos < 16:
            window.hold(16)
        is_arc = window.data.startswith(ARC_FIRST, window.pos)
        if is_arc or window.data.startswith(b"WARC/", window.pos):
            # Decided again where ARC follows WARC, or the reverse, in concatenated files.
            self._mark = _ARC_MARK if is_arc else _WARC_MARK
            self._mark_bytes = _ARC_MARK_BYTES if is_arc else _MARK_BYTES
            window.is_start = _is_arc_start if is_arc else _is_warc_start
        offset, self._unit = window.place(self._unit)
        self._unit = None
        self._open_offset = offset
        if self._mark is _ARC_MARK:
            return self._arc_record(offset)
        if not _WARC_VERSION.match(window.data, window.pos):
            return self._garbage(offset)
        return self._warc_record(offset)

    def _garbage(self, offset: int) -> Damage:
        window = self._window
        head = window.data[window.pos : window.pos + 24]
        if len(head) < 10 and b"WARC/1.0\r\n".startswith(head) and (window.cut or window.ended):
            return Damage(offset, "cut", "the file ends in a record's first line", self._take_all())
        return Damage(offset, "garbage", f"begins with {head!r}", self._resync())

    def _rest(self) -> int:
        return len(self._window.data) - self._window.pos

    def _take_all(self) -> int:
        window = self._window
        count = len(window.data) - window.pos
        window.pos = len(window.data)
        return count

    def _resync(self) -> int:
        """Skip bytes up to the next record line or unit border; return how many."""
        window = self._window
        passed = 0
        step = 1
        while True:
            found = self._mark.search(window.data, window.pos + step)
            if found:
                passed += found.start() - window.pos
                window.pos = found.start()
                return passed
            keep = max(len(window.data) - self._mark_bytes, window.pos)
            passed += keep - window.pos
            if keep > window.pos:
                window.pos = keep
                step = 0
            if window.at_border():
                return passed + self._take_all()
            window.pull()

    def _warc_record(self, offset: int) -> WarcRecord | Damage:
        window = self._window
        start = window.pos
        size = header_size(window.data, start)
        while size == 0:
            at_hand = len(window.data) - window.pos
            if at_hand > MAX_HEADER_BYTES:
                return Damage(
                    offset,
                    "header_too_long",
                    f"no blank line in {MAX_HEADER_BYTES} bytes",
                    self._resync(),
                )
            if window.hold(at_hand + 1) == at_hand:
                skipped = self._resync()
                if (window.ended or window.cut) and not self._rest():
                    return Damage(offset, "cut", "the file ends in a header", skipped)
                return Damage(offset, "header_without_end", "another record follows", skipped)
            start = window.pos
            size = header_size(window.data, start)
        headers = parse_headers(window.data[start : start + size])
        return self._with_block(offset, headers, size)

    def _arc_record(self, offset: int) -> WarcRecord | Damage:
        window = self._window
        end = window.data.find(b"\n", window.pos, window.pos + MAX_HEADER_BYTES)
        while end < 0 and self._rest() <= MAX_HEADER_BYTES:
            at_hand = self._rest()
            if window.hold(at_hand + 1) == at_hand:
                break
            end = window.data.find(b"\n", window.pos, window.pos + MAX_HEADER_BYTES)
        line = window.data[window.pos : end + 1] if end >= 0 else b""
        headers = arc_headers(line)
        if headers is None:
            head = window.data[window.pos : window.pos + 24]
            if end < 0 and (window.ended or window.cut):
                return Damage(offset, "cut", "the file ends in a record's line", self._take_all())
            return Damage(offset, "garbage", f"begins with {head!r}", self._resync())
        return self._with_block(offset, headers, len(line))

    def _with_block(
        self, offset: int, headers: dict[str, str], header_bytes: int
    ) -> WarcRecord | Damage:
        window = self._window
        stated = headers.get("content-length")
        if stated is None or not (stated.isascii() and stated.isdigit() and len(stated) < 19):
            reason = "missing_content_length" if stated is None else "bad_content_length"
            return Damage(offset, reason, f"Content-Length: {stated}"[:200], self._resync())
        length = int(stated)
        record_type = headers.get("warc-type", "").lower()
        wanted = record_type in self._wanted

        began = window.position
        over = self._max + 1
        whole = header_bytes + length
        at_hand = len(window.data) - window.pos
        ends_here = window.closed and (
            at_hand == whole + 4 or _BLANK_LINES.fullmatch(window.data, window.pos + whole)
        )
        # As far as the next record's line, which may decide where this one ends.
        if at_hand < whole + self._mark_bytes and not ends_here:
            at_hand = window.hold(header_bytes + min(length, over) + self._mark_bytes)
        data = window.data
        start = window.pos + header_bytes
        end = start + length
        truncated: str | None = None

        if length >= over and at_hand >= header_bytes + over:
            return self._too_large(offset, headers, record_type, header_bytes, length)
        if end <= len(data) and self._ends_properly(end):
            block = data[start:end] if wanted else b""
            if window.cut and not self._more_after(end):
                truncated = "cut"
            window.pos = end
        else:
            # Content-Length is wrong.
            found = self._mark.search(data, start)
            while found is None and end <= len(window.data):
                at_hand = len(window.data) - window.pos
                if at_hand > header_bytes + self._max:
                    break
                # Twice as much each time: one piece more each time is quadratic.
                ahead = min(2 * at_hand, header_bytes + self._max)
                if window.hold(max(ahead, at_hand) + 1) == at_hand:
                    break
                start = window.pos + header_bytes
                end = start + length
                found = self._mark.search(
                    window.data, max(start, window.pos + at_hand - self._mark_bytes)
                )
            data = window.data
            stop = found.start() if found else len(data)
            truncated = "wrong_length"
            if found is None and end > stop and (window.cut or window.ended):
                truncated = "cut"
            if stop - start > self._max:
                skipped = header_bytes + stop - start
                window.pos = stop
                skipped += 0 if found else self._resync()
                return Damage(offset, "record_too_large", "longer than its length", skipped)
            block = data[start:stop]
            if truncated == "wrong_length":
                block = _without_blank_line(block)
            block = block if wanted else b""
            window.pos = stop
        if not record_type:
            return Damage(offset, "missing_warc_type", "", window.position - began)
        if truncated is None:
            truncated = _truncation(headers)
        return WarcRecord(offset, record_type, headers, block, truncated)

    def _more_after(self, end: int) -> bool:
        blank = _BLANK.match(self._window.data, end)
        return blank is not None and blank.end() < len(self._window.data)

    def _ends_properly(self, end: int) -> bool:
        """Whether the bytes behind a block that ends at `end` may follow a block."""
        window = self._window
        data = window.data
        if data.startswith(b"\r\n\r\n", end):
            return True
        blank = _BLANK_LINES.match(data, end)
        behind = blank.end() if blank else end
        if behind == len(data):
            return window.closed or window.cut or window.at_border()
        if blank is not None and blank.group().count(b"\n") >= 2:
            return True
        return self._mark.match(data, behind) is not None or (
            window.is_start(data[behind : behind + _ARC_MARK_BYTES])
        )

    def _too_large(
        self,
        offset: int,
        headers: dict[str, str],
        record_type: str,
        header_bytes: int,
        length: int,
    ) -> WarcRecord | Damage:
        window = self._window
        block_at = window.position + header_bytes
        skipped = window.drop(header_bytes + length)
        if skipped < header_bytes + length and window.rewind(block_at):
            # The file ends before: the length is wrong, unless no record follows.
            skipped = header_bytes + self._resync()
        elif skipped == header_bytes + length:
            window.hold(5)
            if not self._ends_properly(window.pos):
                skipped += self._resync()
        if record_type and record_type not in self._wanted:
            truncated = _truncation(headers)
            return WarcRecord(offset, record_type, headers, b"", truncated)
        return Damage(offset, "record_too_large", f"Content-Length: {length}", skipped)


def _is_warc_start(data: bytes) -> bool:
    return data.startswith(b"WARC/")


def _is_arc_start(data: bytes) -> bool:
    return ARC_LINE.match(data) is not None


def _truncation(headers: dict[str, str]) -> str | None:
    stated = headers.get("warc-truncated")
    return None if stated is None else _reason(stated)


def _reason(stated: str) -> str:
    return stated.lower() if _REASON.fullmatch(stated) else "unspecified"


@lru_cache(maxsize=64)  # a file has a few
def _record_type(stated: bytes) -> str:
    """Return the record type in a field's ASCII value."""
    return stated.decode("ascii").strip().lower()


def _without_blank_line(block: bytes) -> bytes:
    """Return the block without the two line ends that separate records."""
    for ending in (b"\r\n\r\n", b"\n\n"):
        if block.endswith(ending):
            return block[: -len(ending)]
    return block
