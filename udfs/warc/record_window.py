"""The window of a decompressed stream that the record reader looks at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from udfs.warc.byte_pieces import Broken, Piece, PieceSource, PlainPieces

RECORD_END = b"\r\n\r\n"
"""The two line ends behind every block (ISO 28500:2017, section 4)."""


class Window:
    """Bytes of the decompressed stream, and where units begin in them.

    Attributes:
        data, pos: The bytes, and the index of the first unread one.
        is_start: Returns whether bytes begin a record; the caller may change it.
        closed: The last unit in the window has ended.
        cut: The file ended inside the last unit.
    """

    __slots__ = ("_ahead", "_base", "_marks", "_source", "closed", "cut", "data", "ended",
                 "is_plain", "is_start", "pos")  # fmt: skip

    def __init__(self, source: PieceSource, is_start: Callable[[bytes], bool]) -> None:
        self._source = source
        self._ahead: Piece | Broken | None = None
        self._base = 0
        self._marks: deque[tuple[int, int]] = deque()
        self.is_plain = isinstance(source, PlainPieces)
        self.is_start = is_start
        self.data = b""
        self.pos = 0
        self.closed = False
        self.cut = False
        self.ended = False

    @property
    def position(self) -> int:
        """Position of the next byte in the decompressed stream."""
        return self._base + self.pos

    def place(self, unit: int | None) -> tuple[int, int | None]:
        """Return the offset of a record that begins here, and the unit for the next call.

        Args:
            unit: File offset of a unit in which no record has begun yet; None without one.
        """
        here = self._base + self.pos
        marks = self._marks
        while marks and marks[0][0] <= here:
            at, offset = marks.popleft()
            unit = offset if at == here else None
        if self.is_plain:
            return here, None
        return (-here if unit is None else unit), unit

    def pull(self) -> bool:
        """Append the next piece to the window; False at the end of the file."""
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, Broken):
            raise ahead
        piece = self._source.next_piece() if ahead is None else ahead
        if piece is None:
            self.ended = True
            return False
        self._append([piece.data], piece)
        return True

    def _append(self, parts: list[bytes], last: Piece) -> None:
        if self.pos == len(self.data) and len(parts) == 1:
            self._base += self.pos
            fresh = parts[0]
        else:
            self._base += self.pos
            fresh = b"".join([self.data[self.pos :], *parts])
        self.pos = 0
        if last.begins >= 0:
            self._marks.append((self._base + len(fresh) - len(last.data), last.begins))
        self.data = fresh
        self.closed = last.closes
        self.cut = last.cut

    def fresh_unit(self) -> Piece | None:
        """Take the next piece if the window is consumed and that piece begins a unit; else None.

        A window with only the end of the unit's last record counts as consumed.
        """
        if self.is_plain or self.cut:
            return None
        if self.pos != len(self.data):
            # Otherwise all records after one that was read in the window would be read there, too.
            rest = len(self.data) - self.pos
            if not (self.closed and rest == len(RECORD_END) and self.data.endswith(RECORD_END)):
                return None
            self.pos = len(self.data)
        piece = self._source.next_piece() if self._ahead is None else self._ahead
        self._ahead = None
        if isinstance(piece, Broken) or (piece is not None and piece.begins < 0):
            self._ahead = piece
            return None
        return piece

    def push_back(self, piece: Piece) -> None:
        """Return a piece of `fresh_unit` to the window."""
        self._ahead = piece

    def pass_unit(self, piece: Piece) -> None:
        """Count a unit as read that was never in the window."""
        self._base += len(self.data) + len(piece.data)
        self.data = b""
        self.pos = 0
        self.closed = True

    def rewind(self, position: int) -> bool:
        """Go back in a plain file; False when its stream cannot."""
        if not isinstance(self._source, PlainPieces) or not self._source.rewind(position):
            return False
        self._base = position
        self.data = b""
        self.pos = 0
        self._ahead = None
        self.ended = False
        return True

    def at_border(self) -> bool:
        """Whether the current record cannot continue behind the window.

        True at the end of the file, and at the end of a unit when the next unit begins a
        record or is broken.
        """
        if self.ended:
            return True
        if self._ahead is None:
            try:
                piece = self._source.next_piece()
            except Broken as broken:
                if not self.closed:
                    raise
                self._ahead = broken
                return True
            if piece is None:
                self.ended = True
                return True
            self._ahead = piece
        if isinstance(self._ahead, Broken):
            return True
        return self._ahead.begins >= 0 and self.closed and self.is_start(self._ahead.data)

    def hold(self, count: int) -> int:
        """Read until `count` bytes follow `pos`, or the record cannot continue; return how many."""
        missing = count - (len(self.data) - self.pos)
        if missing <= 0:
            return len(self.data) - self.pos
        # Collected and joined once: appending piece by piece is quadratic.
        parts: list[bytes] = []
        marks: list[tuple[int, int]] = []
        gathered = 0
        end = self._base + len(self.data)
        last: Piece | None = None
        while gathered < missing and not self.at_border():
            piece = self._ahead
            assert isinstance(piece, Piece)
            self._ahead = None
            if piece.begins >= 0:
                marks.append((end + gathered, piece.begins))
            parts.append(piece.data)
            gathered += len(piece.data)
            last = piece
            self.closed = piece.closes
            self.cut = piece.cut
        if last is not None:
            self._append(parts, last._replace(begins=-1))
            self._marks.extend(marks)
        return len(self.data) - self.pos

    def drop(self, count: int) -> int:
        """Skip `count` bytes, or fewer when the record ends earlier; return how many."""
        left = count
        while True:
            here = min(len(self.data) - self.pos, left)
            self.pos += here
            left -= here
            if left == 0 or self.at_border():
                return count - left
            self.pull()

    def forget(self) -> None:
        """Drop the window's bytes: they belong to a broken unit."""
        self._base += len(self.data)
        self.data = b""
        self.pos = 0
        self.closed = False
        self.cut = False
