"""Lines of a plain, gzip or zstd text file, with bounded memory whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from udfs.gzip_members import GZIP_MAGIC, GzipMembers
from udfs.pieces import Broken, Piece, PieceSource, PlainPieces, RawInput
from udfs.zstd_frames import ZstdFrames, is_zstd

_MAGIC_BYTES = 4


class BadLine(NamedTuple):
    """A line, or the rest of a file, that cannot be had."""

    reason: str  # record_too_large, cut, or what the container says of its damage
    detail: str


def read_lines(file: BinaryIO, max_line_bytes: int) -> Iterator[bytes | BadLine]:
    """Every line that is not blank, without its end.

    A line over the limit is one BadLine. So is the line that a cut file ends in, and a
    stretch of a compressed file that cannot be decompressed.

    Raises:
        OSError: from the stream.
    """
    source = _container(RawInput(file))
    line = _Line(max_line_bytes)
    while True:
        try:
            piece = source.next_piece()
        except Broken as damage:
            line = _Line(max_line_bytes)
            yield BadLine(damage.reason, damage.detail)
            continue
        if piece is None:
            break
        yield from _whole_lines(piece, line)
        if piece.cut:
            yield BadLine("cut", "the file ends inside its compressed stream")
            return
    yield from line.taken()


def _container(raw: RawInput) -> PieceSource:
    raw.ensure(_MAGIC_BYTES)
    head = raw.buf[:_MAGIC_BYTES]
    if head.startswith(GZIP_MAGIC):
        return GzipMembers(raw)
    return ZstdFrames(raw) if is_zstd(head) else PlainPieces(raw)


def _whole_lines(piece: Piece, line: _Line) -> Iterator[bytes | BadLine]:
    """The lines that end in a piece; what follows the last one stays in `line`."""
    *ended, rest = piece.data.split(b"\n")
    for part in ended:
        line.add(part)
        yield from line.taken()
    line.add(rest)


class _Line:
    """A line that is being put together from pieces."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, part: bytes) -> None:
        self._bytes += len(part)
        if self._bytes > self._max_bytes:
            self._parts.clear()
        else:
            self._parts.append(part)

    def taken(self) -> Iterator[bytes | BadLine]:
        """The line, unless it is blank; the next one begins."""
        whole, size = b"".join(self._parts), self._bytes
        self._parts, self._bytes = [], 0
        if size > self._max_bytes:
            yield BadLine("record_too_large", f"{size} bytes")
        elif whole.strip():
            yield whole.rstrip(b"\r")
