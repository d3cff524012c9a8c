"""Pieces of a decompressed byte stream, which every container (gzip, zstd, plain bytes) yields.

Pieces say where a unit (a gzip member, a zstd frame, a whole plain file) begins and ends: a unit's
place in the file is what a CDX index calls a record's offset, and after damage reading resumes at
the next unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, NamedTuple, Protocol

CHUNK_BYTES = 1 << 20
"""Bytes read from the stream at a time: large enough for object stores, small for a worker."""

PIECE_BYTES = 1 << 20
"""Most decompressed bytes in a piece (a bomb costs this much a step, not its whole size)."""

RETAINED_BYTES = 1 << 20
"""Compressed bytes kept before the reading position while a unit is being decompressed.

A broken deflate stream is noticed some kilobytes after the damage; a unit that begins in between
(a cut file with another one appended to it) is found only in these bytes.
"""


class Piece(NamedTuple):
    """Some bytes of the decompressed stream.

    Attributes:
        begins: File offset of the unit that begins with this piece; -1 when it continues one.
        closes: The unit ends here and has passed its checks.
        cut: The file ends inside the unit.
    """

    data: bytes
    begins: int
    closes: bool
    cut: bool


class Broken(Exception):
    """A part of the file that cannot be decompressed; the source's position is behind it.

    Attributes:
        offset: File offset of the broken unit, or of the first byte that belongs to no unit.
        reason: A snake_case name.
        skipped: File bytes from `offset` to where reading continues.
    """

    def __init__(self, offset: int, reason: str, detail: str, skipped: int) -> None:
        super().__init__(f"{reason} at {offset}: {detail}")
        self.offset = offset
        self.reason = reason
        self.detail = detail
        self.skipped = skipped


class PieceSource(Protocol):
    """A container, read from its start to its end."""

    def next_piece(self) -> Piece | None:
        """Return the next piece; None at the end of the file.

        Raises:
            Broken: The damaged part was skipped; the next call continues behind it.
            OSError: From the stream below.
        """


class RawInput:
    """The file's own bytes, buffered, with a bounded part kept before the position.

    Attributes:
        buf: The buffer; `base` is the file offset of `buf[0]`, `pos` the index of the next unread
            byte.
    """

    __slots__ = ("_ahead", "_eof", "_stream", "base", "buf", "pos")

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._eof = False
        self._ahead = b""
        self.buf = b""
        self.base = 0
        self.pos = 0

    @property
    def offset(self) -> int:
        """File offset of the next unread byte."""
        return self.base + self.pos

    def chunk_ahead(self) -> bytes:
        """Return the chunk behind the buffer without taking it; b"" at the end of the file."""
        if self._ahead or self._eof:
            return self._ahead
        # Whole chunks whatever the stream returns a call: where a broken stream is given up
        # depends on chunk borders, and the result must not depend on the network.
        parts: list[bytes] = []
        missing = CHUNK_BYTES
        while missing > 0:
            part = self._stream.read(missing)
            if not part:
                self._eof = True
                break
            parts.append(part)
            missing -= len(part)
        self._ahead = parts[0] if len(parts) == 1 else b"".join(parts)
        return self._ahead

    def more(self, keep: int) -> bool:
        """Append a chunk and drop the bytes before index `keep` (at most `pos`).

        Returns:
            False at the end of the file; nothing is dropped then.
        """
        chunk = self.chunk_ahead()
        if not chunk:
            return False
        self._ahead = b""
        self.buf = self.buf[keep:] + chunk if keep < len(self.buf) else chunk
        self.base += keep
        self.pos -= keep
        return True

    def enter_chunk_ahead(self, pos: int) -> None:
        """Drop the buffer and continue at an index of the chunk behind it."""
        self.base += len(self.buf)
        self.buf, self._ahead = self._ahead, b""
        self.pos = pos

    def rewind(self, offset: int) -> bool:
        """Go back to a file offset; False when the stream cannot seek."""
        seekable = getattr(self._stream, "seekable", None)
        if seekable is None or not seekable():
            return False
        self._stream.seek(offset)
        self._eof = False
        self._ahead = b""
        self.buf = b""
        self.base = offset
        self.pos = 0
        return True

    def ensure(self, count: int) -> int:
        """Try to buffer `count` bytes from `pos` on; return how many there are."""
        while len(self.buf) - self.pos < count and self.more(self.pos):
            pass
        return len(self.buf) - self.pos

    def skip_to(self, magic: bytes, start: int, begins: Callable[[], bool]) -> None:
        """Move to the next unit after damage, or to the end of the file.

        Args:
            magic: The first bytes of a unit.
            start: File offset where the search begins.
            begins: Returns whether a unit begins at the position, where the magic number was
                found; it may read more, but not move.
        """
        at = max(start - self.base, 0)
        while True:
            found = self.buf.find(magic, at)
            if found >= 0:
                self.pos = found
                if begins():
                    return
                at = self.pos + 1
                continue
            keep = max(len(self.buf) - len(magic) + 1, at)
            self.pos = keep
            if not self.more(keep):
                self.pos = len(self.buf)
                return
            at = 0


class PlainPieces:
    """A file that is not compressed: one unit from its first byte to its last."""

    def __init__(self, raw: RawInput) -> None:
        self._raw = raw

    def next_piece(self) -> Piece | None:
        raw = self._raw
        if raw.pos == len(raw.buf) and not raw.more(raw.pos):
            return None
        data = raw.buf[raw.pos :] if raw.pos else raw.buf
        begins = 0 if raw.offset == 0 else -1
        raw.pos = len(raw.buf)
        return Piece(data, begins, False, False)

    def rewind(self, offset: int) -> bool:
        """Go back to a file offset; False when the stream cannot seek."""
        return self._raw.rewind(offset)
