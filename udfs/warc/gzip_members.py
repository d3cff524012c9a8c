"""Gzip members, decompressed one after the other; after a broken one reading resumes at the next.

Uses ISA-L's inflate (python-isal): twice as fast as zlib on web pages, slightly faster than
zlib-ng, and it checks CRC-32 and ISIZE of every member.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, cast

import numpy as np
from isal import igzip_lib, isal_zlib

from udfs.base.array_types import Int64Array, UInt8Array
from udfs.base.jit import compiled, uncounted
from udfs.warc.byte_pieces import PIECE_BYTES, RETAINED_BYTES, Broken, Piece, RawInput

# python-isal's stub declares its error as an instance of Exception.
IsalError = cast(type[Exception], cast(Any, isal_zlib.error))

GZIP_MAGIC = b"\x1f\x8b\x08"

_GZIP_WBITS = 31
# python-isal copies the bytes behind a member (`unused_data`) whenever one ends, so the input is
# fed in parts and not as a whole chunk; a page's member has 10 to 40 KB.
_FEED_BYTES = 32 << 10
_PROBE_BYTES = 64 << 10
# A member where reading may resume begins a WARC record, or an ARC one (a line that begins with
# a URL).
_RECORD_START = re.compile(rb"\s{0,4}(?:WARC/|[a-z]{2,10}:)")
_NOT_ZERO = re.compile(rb"[^\0]")
# A member of more compressed bytes is decompressed piece by piece at once.
_WHOLE_BYTES = 512 << 10
_MAGIC_1, _MAGIC_2, _MAGIC_3 = GZIP_MAGIC
_SEARCH_BLOCK = 512
_MIN_MEMBER_BYTES = 18


class GzipMembers:
    """The pieces of a gzip file of any number of members.

    A member of at most `PIECE_BYTES` becomes one piece. Zero bytes between members or at the end
    (padding of tape and block storage) are skipped.
    """

    def __init__(self, raw: RawInput) -> None:
        self._raw = raw
        self._inflate: isal_zlib.Decompress | None = None
        self._member = 0
        self._begins = -1
        self._error: Exception | None = None
        self._searched = b""
        self._magics: list[int] = []

    def next_piece(self) -> Piece | None:
        if self._inflate is None:
            piece = self._whole_member()
            if piece is not None:
                return piece
            if not self._open_member():
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
                if self._begins >= 0 and not parts and self._holds_another():
                    self._give_up("gzip_corrupt", "its header runs on over another member")
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

    def _whole_member(self) -> Piece | None:
        """Return the next member, decompressed by one call, if it is small and valid; else None.

        Its end is guessed from the next magic number, and the length of its content read from the
        last four bytes before: no buffer grows, no state is kept between calls. The guess is wrong
        about once in 16 MiB. None leaves the position unchanged.
        """
        raw = self._raw
        buf, start = raw.buf, raw.pos
        if not buf.startswith(GZIP_MAGIC, start):
            return None
        if self._searched is not buf:
            self._search(buf)
        magics = self._magics
        while magics and magics[-1] < start + _MIN_MEMBER_BYTES:
            magics.pop()
        member: bytes | memoryview
        if magics:
            end = magics[-1]
            size = int.from_bytes(buf[end - 4 : end], "little")
            member = memoryview(buf)[start:end]
        elif len(buf) - start <= _WHOLE_BYTES:
            ahead = raw.chunk_ahead()
            self._search(ahead)
            end = len(buf) + (self._magics[-1] if self._magics else len(ahead))
            member = buf[start:] + ahead[: end - len(buf)]
            size = int.from_bytes(member[-4:], "little")
        else:
            return None
        if not 0 < size < PIECE_BYTES:
            return None
        inflate = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
        try:
            # One byte more than expected: only then is the trailer read, too.
            data = inflate.decompress(member, size + 1)
        except IsalError:
            return None
        if not inflate.eof or inflate.unused_data:
            return None
        offset = raw.base + start
        if magics or end == len(buf):
            raw.pos = end
        else:
            raw.enter_chunk_ahead(end - len(buf))
        return Piece(data, offset, True, False)

    def _search(self, data: bytes) -> None:
        self._searched = data
        self._magics = _magics(data)

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

    def _holds_another(self) -> bool:
        """Whether a member with a record begins behind the open member's first byte."""
        buf = self._raw.buf
        at = buf.find(GZIP_MAGIC, self._member - self._raw.base + 1)
        while at >= 0 and not begins_record(buf[at : at + _PROBE_BYTES]):
            at = buf.find(GZIP_MAGIC, at + 1)
        return at >= 0

    def _keep(self) -> int:
        """Return the index of the oldest byte that a search after damage may need."""
        raw = self._raw
        return max(self._member - raw.base, raw.pos - RETAINED_BYTES, 0)

    def _give_up_inflating(self, error: Exception) -> NoReturn:
        message = str(error)
        reason = "gzip_crc_mismatch" if "checksum" in message else "gzip_corrupt"
        self._give_up(reason, message, error)

    def _give_up(self, reason: str, detail: str, cause: Exception | None = None) -> NoReturn:
        """Skip the damage, to the next member that begins a record or to the end; raise Broken."""
        raw = self._raw
        self._inflate = self._error = None
        damaged = self._member
        raw.skip_to(GZIP_MAGIC, damaged + 1, self._record_begins)
        raise Broken(damaged, reason, detail, raw.offset - damaged) from cause

    def _record_begins(self) -> bool:
        """Whether a member with a record begins at the position."""
        raw = self._raw
        if not raw.ensure(_PROBE_BYTES):
            return False
        return begins_record(raw.buf[raw.pos : raw.pos + _PROBE_BYTES])


def _magics(data: bytes) -> list[int]:
    """Return the places of the magic number, the last one first."""
    places: list[int] = _find_magics(np.frombuffer(data, dtype=np.uint8)).tolist()
    return places[::-1]


@compiled
def _find_magics(data: UInt8Array) -> Int64Array:
    """Return the places of the magic number.

    Block by block, without branches inside a block: a tenth of the time of bytes.find, which is
    slow for such a short needle.
    """
    data = uncounted(data)
    size = len(data) - 2
    places = np.empty(max(size, 0) // 3 + 1, dtype=np.int64)
    found = 0
    for begin in range(0, size, _SEARCH_BLOCK):
        end = min(begin + _SEARCH_BLOCK, size)
        first, second, third = data[begin:end], data[begin + 1 : end + 1], data[begin + 2 : end + 2]
        is_there = False
        for place in range(len(first)):
            is_there |= (
                (first[place] == _MAGIC_1)
                & (second[place] == _MAGIC_2)
                & (third[place] == _MAGIC_3)
            )
        if is_there:
            for place in range(begin, end):
                if (
                    data[place] == _MAGIC_1
                    and data[place + 1] == _MAGIC_2
                    and data[place + 2] == _MAGIC_3
                ):
                    places[found] = place
                    found += 1
    return places[:found]


def begins_record(head: bytes) -> bool:
    """Whether these bytes are the start of a gzip member with a WARC or ARC record."""
    if len(head) < 18 or head[3] & 0xE0:  # reserved flag bits: not gzip
        return False
    try:
        text = isal_zlib.decompressobj(_GZIP_WBITS).decompress(head, 32)
    except IsalError:
        return False
    return _RECORD_START.match(text) is not None
