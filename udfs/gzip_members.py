"""Gzip members, decompressed one after the other, with a way on after a broken one.

Uses ISA-L's inflate (python-isal): twice as fast as zlib on web pages, a little faster than
zlib-ng, and it checks CRC-32 and ISIZE of every member.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, cast

from isal import isal_zlib

from udfs.pieces import PIECE_BYTES, RETAINED_BYTES, Broken, Piece, RawInput

# python-isal's stub says its error were an instance of Exception.
IsalError = cast(type[Exception], cast(Any, isal_zlib.error))

GZIP_MAGIC = b"\x1f\x8b\x08"

_GZIP_WBITS = 31
# python-isal copies what lies behind a member (`unused_data`) whenever one ends, so the whole
# chunk must not be fed; a page's member is 10 to 40 KB.
_FEED_BYTES = 32 << 10
_PROBE_BYTES = 64 << 10
# A member that reading may go on at begins a WARC record, or an ARC one (a line that begins
# with a URL).
_RECORD_START = re.compile(rb"\s{0,4}(?:WARC/|[a-z]{2,10}:)")
_NOT_ZERO = re.compile(rb"[^\0]")


class GzipMembers:
    """The pieces of a gzip file of any number of members.

    A member of at most `PIECE_BYTES` comes out as one piece. Zero bytes between members or
    at the end (padding of tape and block storage) are passed over.
    """

    def __init__(self, raw: RawInput) -> None:
        self._raw = raw
        self._inflate: isal_zlib.Decompress | None = None
        self._member = 0
        self._begins = -1
        self._error: Exception | None = None

    def next_piece(self) -> Piece | None:
        if self._inflate is None and not self._open_member():
            return None
        inflate = self._inflate
        assert inflate is not None
        raw = self._raw
        if self._error is not None:
            self._give_up_inflating(self._error)
        parts: list[bytes] = []
        room = PIECE_BYTES
        closes = cut = False
        while room > 0:
            ended = raw.pos == len(raw.buf) and not raw.more(self._keep())
            feed = memoryview(raw.buf)[raw.pos : raw.pos + _FEED_BYTES]
            try:
                out = inflate.decompress(feed, room)
            except IsalError as error:
                if not parts:
                    self._give_up_inflating(error)
                self._error = error  # records that end before the damage come out first
                break
            if ended and not out:
                cut = True
                break
            left = len(inflate.unused_data) if inflate.eof else len(inflate.unconsumed_tail)
            raw.pos += len(feed) - left
            if out:
                parts.append(out)
                room -= len(out)
            if inflate.eof:
                closes = True
                break
        begins, self._begins = self._begins, -1
        if closes or cut:
            self._inflate = None
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        return Piece(data, begins, closes, cut)

    def _open_member(self) -> bool:
        raw = self._raw
        if raw.buf.startswith(GZIP_MAGIC, raw.pos):
            self._member = self._begins = raw.base + raw.pos
            self._inflate = isal_zlib.decompressobj(_GZIP_WBITS)
            return True
        while True:
            found = _NOT_ZERO.search(raw.buf, raw.pos)
            if found:
                raw.pos = found.start()
                break
            raw.pos = len(raw.buf)
            if not raw.more(raw.pos):
                return False
        at_hand = raw.ensure(len(GZIP_MAGIC))
        self._member = self._begins = raw.offset
        head = raw.buf[raw.pos : raw.pos + len(GZIP_MAGIC)]
        if head != GZIP_MAGIC and not (at_hand < len(GZIP_MAGIC) and GZIP_MAGIC.startswith(head)):
            self._give_up("garbage", "bytes between gzip members")
        self._inflate = isal_zlib.decompressobj(_GZIP_WBITS)
        return True

    def _keep(self) -> int:
        """Index of the oldest byte that a search after damage may need."""
        raw = self._raw
        return max(self._member - raw.base, raw.pos - RETAINED_BYTES, 0)

    def _give_up_inflating(self, error: Exception) -> NoReturn:
        message = str(error)
        reason = "gzip_crc_mismatch" if "checksum" in message else "gzip_corrupt"
        self._give_up(reason, message, error)

    def _give_up(self, reason: str, detail: str, cause: Exception | None = None) -> NoReturn:
        """Move behind the damage: to the next member that begins a record, or to the end."""
        raw = self._raw
        self._inflate = self._error = None
        damaged = self._member
        raw.skip_to(GZIP_MAGIC, damaged + 1, self._record_begins)
        raise Broken(damaged, reason, detail, raw.offset - damaged) from cause

    def _record_begins(self) -> bool:
        """Whether a member that holds a record begins at the position."""
        raw = self._raw
        if not raw.ensure(_PROBE_BYTES):
            return False
        return begins_record(raw.buf[raw.pos : raw.pos + _PROBE_BYTES])


def begins_record(head: bytes) -> bool:
    """Whether these bytes are the front of a gzip member that holds a WARC or ARC record."""
    if len(head) < 18 or head[3] & 0xE0:  # reserved flag bits: not gzip
        return False
    try:
        text = isal_zlib.decompressobj(_GZIP_WBITS).decompress(head, 32)
    except IsalError:
        return False
    return _RECORD_START.match(text) is not None
