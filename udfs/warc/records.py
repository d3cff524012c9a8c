"""Records of a WARC file, and Damage: the parts of the file that gave no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from udfs.warc.headers import parse_headers

DEFAULT_WANTED = frozenset({"response", "resource", "conversion"})
"""Record types that hold pages: their blocks are delivered."""


@dataclass(slots=True, eq=False)
class WarcRecord:
    """One record.

    Attributes:
        offset: The record's place, unique in its file. The record that begins a gzip member or
            zstd frame has that unit's file offset, as in a CDX index; a record of a plain file
            its own. A further record of a unit has no address in the file: its offset is the
            NEGATIVE of its position in the decompressed stream.
        record_type: Lower-case `WARC-Type`.
        header: The header's fields, or its bytes, which `headers` parses when first used.
        data: Bytes that contain the block, from `start` to `end` (their own end when None): a
            page's block is not copied out of its gzip member.
        truncated: None for a whole record; the value of `WARC-Truncated` ("length", "time",
            ..., "unspecified" where it is not a single word); "cut" when the file ended inside
            the record; "wrong_length" when Content-Length was wrong and the bytes that follow
            the block decided its end.
        known: Fields that were read already; None for a missing one.
    """

    offset: int
    record_type: str
    header: dict[str, str] | bytes
    data: bytes
    truncated: str | None
    start: int = 0
    end: int | None = None
    known: Mapping[str, str | None] | None = None

    def field(self, name: str) -> str | None:
        """Return one of `headers`; None where it is missing."""
        known = self.known
        return known[name] if known and name in known else self.headers.get(name)

    @property
    def headers(self) -> dict[str, str]:
        """All fields by lower-case names; of a repeated header the first value; folded lines
        joined by one space; `<>` around a target URI removed. A header that is not UTF-8 is read
        as Latin-1.
        """
        if isinstance(self.header, bytes):
            self.header = parse_headers(self.header)
        return self.header

    @property
    def block(self) -> bytes:
        """All bytes behind the header; empty when the type was not wanted. A copy."""
        return self.data[self.start : self.end]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WarcRecord):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]

    def _values(self) -> tuple[int, str, dict[str, str], bytes, str | None]:
        return self.offset, self.record_type, self.headers, self.block, self.truncated


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of the file that gave no record.

    Attributes:
        offset: As in `WarcRecord`.
        reason: `empty_file`, `unsupported_format`, `cut`, `garbage`, `gzip_corrupt`,
            `gzip_crc_mismatch`, `zstd_corrupt`, `zstd_dictionary`, `header_too_long`,
            `header_without_end`, `missing_content_length`, `bad_content_length`,
            `missing_warc_type`, `record_too_large`.
        detail: More about it, for people.
        skipped_bytes: Length of the part: bytes of the file when the container is damaged, else
            bytes of the decompressed stream.
    """

    offset: int
    reason: str
    detail: str
    skipped_bytes: int
