"""Zstandard frames, decompressed one after the other.

Frames are read block by block: a block decompresses to at most 128 KiB, so a bomb costs no memory,
and the end of a frame is known to the byte.

Source: RFC 8878, section 3.1.1; for the dictionary frame, IIPC "WARC Zstandard compression" 1.0.
"""

from __future__ import annotations

from typing import NoReturn

import zstandard

from udfs.warc.byte_pieces import PIECE_BYTES, RETAINED_BYTES, Broken, Piece, RawInput

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY_MAGIC = b"\x5d\x2a\x4d\x18"

_BLOCK_OUTPUT_BYTES = 128 << 10
_MAX_WINDOW_BYTES = 128 << 20  # what `zstd --long` reads by default
_MAX_DICTIONARY_BYTES = 16 << 20


def is_zstd(head: bytes) -> bool:
    """Whether a file that begins with these bytes is zstd (skippable frames included)."""
    return head.startswith(ZSTD_MAGIC) or (
        len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50
    )


class ZstdFrames:
    """The pieces of a zstd file of any number of frames, with an optional dictionary."""

    def __init__(self, raw: RawInput) -> None:
        self._raw = raw
        self._context = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        self._frame = 0
        self._begins = -1
        self._open: zstandard.ZstdDecompressionObj | None = None
        self._checksum = False

    def next_piece(self) -> Piece | None:
        raw = self._raw
        if self._open is None:
            header = self._open_frame()
            if header is None:
                return None
            if header == b"":
                return self._cut(b"")
            parts = [self._call(header)]
        else:
            parts = []
        room = PIECE_BYTES
        while room > 0:
            if raw.ensure(3) < 3:
                return self._cut(b"".join(parts))
            block = int.from_bytes(raw.buf[raw.pos : raw.pos + 3], "little")
            last, kind, size = block & 1, block >> 1 & 3, block >> 3
            if kind == 3 or size > _BLOCK_OUTPUT_BYTES:
                self._give_up("zstd_corrupt", f"block of kind {kind} and size {size}")
            length = 3 + (1 if kind == 1 else size) + (4 if last and self._checksum else 0)
            if not self._hold(length):
                # The part of a cut block decompresses to nothing.
                raw.pos = len(raw.buf)
                return self._cut(b"".join(parts))
            out = self._call(raw.buf[raw.pos : raw.pos + length])
            raw.pos += length
            parts.append(out)
            room -= len(out)
            if last:
                self._open = None
                begins, self._begins = self._begins, -1
                return Piece(b"".join(parts), begins, True, False)
        begins, self._begins = self._begins, -1
        return Piece(b"".join(parts), begins, False, False)

    def _cut(self, data: bytes) -> Piece:
        self._open = None
        self._raw.pos = len(self._raw.buf)
        begins, self._begins = self._begins, -1
        return Piece(data, begins, False, True)

    def _hold(self, count: int) -> bool:
        raw = self._raw
        while len(raw.buf) - raw.pos < count:
            if not raw.more(max(self._frame - raw.base, raw.pos - RETAINED_BYTES, 0)):
                return False
        return True

    def _open_frame(self) -> bytes | None:
        """Read the next frame's header; None at the end of the file, b"" when it is cut."""
        raw = self._raw
        while True:
            at_hand = raw.ensure(18)
            if at_hand == 0:
                return None
            self._frame = self._begins = raw.offset
            head = raw.buf[raw.pos : raw.pos + 18]
            if head.count(0) == len(head):  # padding
                raw.pos += len(head)
                continue
            if head.startswith(ZSTD_MAGIC):
                break
            if not is_zstd(head):
                if at_hand < 4 and ZSTD_MAGIC.startswith(head):
                    return b""
                self._give_up("garbage", "bytes between zstd frames")
            if at_hand < 8:
                return b""
            self._skippable(head)
        # Frame header (RFC 8878, 3.1.1.1): descriptor, window, dictionary id, content size.
        if at_hand < 6:
            return b""
        descriptor = head[4]
        single = descriptor >> 5 & 1
        size_flag = descriptor >> 6
        length = (
            5
            + (1 - single)
            + (0, 1, 2, 4)[descriptor & 3]
            + ((1 if single else 0) if size_flag == 0 else (0, 2, 4, 8)[size_flag])
        )
        if at_hand < length:
            return b""
        self._checksum = bool(descriptor & 4)
        self._open = self._context.decompressobj()
        raw.pos += length
        return head[:length]

    def _skippable(self, head: bytes) -> None:
        raw = self._raw
        size = int.from_bytes(head[4:8], "little")
        raw.pos += 8
        if head.startswith(DICTIONARY_MAGIC) and raw.base + raw.pos == 8:
            if size > _MAX_DICTIONARY_BYTES:
                self._give_up("zstd_dictionary", f"dictionary of {size} bytes")
            have = raw.ensure(size)
            dictionary = raw.buf[raw.pos : raw.pos + min(size, have)]
            raw.pos += len(dictionary)
            try:
                if dictionary.startswith(ZSTD_MAGIC):
                    dictionary = zstandard.ZstdDecompressor().decompress(
                        dictionary, max_output_size=_MAX_DICTIONARY_BYTES
                    )
                self._context = zstandard.ZstdDecompressor(
                    dict_data=zstandard.ZstdCompressionDict(dictionary),
                    max_window_size=_MAX_WINDOW_BYTES,
                )
            except zstandard.ZstdError as error:
                self._give_up("zstd_dictionary", str(error), error)
            return
        while size > 0:
            have = min(raw.ensure(1), size)
            if have == 0:
                return
            raw.pos += have
            size -= have

    def _call(self, data: bytes) -> bytes:
        assert self._open is not None
        try:
            return self._open.decompress(data)
        except zstandard.ZstdError as error:
            self._give_up("zstd_corrupt", str(error), error)

    def _give_up(self, reason: str, detail: str, cause: Exception | None = None) -> NoReturn:
        """Skip the damage, to the next frame or to the end; raise Broken."""
        raw = self._raw
        self._open = None
        damaged = self._frame
        raw.skip_to(ZSTD_MAGIC, damaged + 1, self._plausible)
        raise Broken(damaged, reason, detail, raw.offset - damaged) from cause

    def _plausible(self) -> bool:
        """Whether the bytes at the position are a valid frame header."""
        raw = self._raw
        raw.ensure(18)
        try:
            zstandard.get_frame_parameters(raw.buf[raw.pos : raw.pos + 18])
        except zstandard.ZstdError:
            return False
        return True
