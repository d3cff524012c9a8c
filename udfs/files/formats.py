"""Format of an input file, by its name and by its first bytes.

WARC and ARC records, JSON lines and Parquet; the first two plain, gzip or zstd. The first bytes
decide where they can: a name only says what a file should be.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from functools import partial

import zstandard

from udfs.files.object_store import StoreReads
from udfs.files.retry import RetryPolicy
from udfs.files.uris import (
    GZIP_MAGIC,
    canonical_uri,
    filesystem,
    open_input,
    redact,
    scheme_of,
)

WARC, JSONL, PARQUET = "warc", "jsonl", "parquet"

FORMAT_NAMES = {WARC: "WARC", "wet": "WARC", JSONL: "JSON lines", PARQUET: "Parquet"}
"""Formats in words; the files of a crawl with text alone (wet) are WARC files too."""

HEAD_BYTES = 64 << 10
"""Bytes at a file's start that show its format, and the first rows of JSON lines."""

_CONTENT_BYTES = 256 << 10  # of a head that inflates further, the rest is not looked at
_MAX_WINDOW_BYTES = 128 << 20
_MAX_ROWS = 1000

_ENDINGS = {
    "warc": WARC,
    "arc": WARC,
    "wet": WARC,
    "wat": WARC,
    "jsonl": JSONL,
    "ndjson": JSONL,
    "json": JSONL,
    "parquet": PARQUET,
}
_COMPRESSED = frozenset({"gz", "gzip", "zst", "zstd"})

_BLANK = b"\0\t\n\r "
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PARQUET_MAGIC = (b"PAR1", b"PARE")
_ZSTD_START = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
_ZSTD_DICTIONARY = b"\x5d\x2a\x4d\x18"
_OTHERS = (
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"BZh", "bzip2: unpack it first"),
    (b"\xfd7zXZ\0", "xz: unpack it first"),
    (b"\x04\x22\x4d\x18", "lz4: unpack it first"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1", "Arrow: write it as Parquet"),
    (b"[", "a JSON array; JSON lines have one object a line"),
)


def format_of_name(uri: str) -> str | None:
    """Return the format that a file's name says; None for a name that says none.

    >>> format_of_name("s3://bucket/CC-MAIN-20240501-00000.warc.gz")
    'warc'
    >>> format_of_name("part-00000.snappy.parquet")
    'parquet'
    >>> format_of_name("part-00000.gz")
    """
    name = uri.rpartition("/")[2]
    if "://" in uri:
        name = name.partition("?")[0].partition("#")[0]
    for part in reversed(name.lower().split(".")[1:]):
        if part not in _COMPRESSED:
            return _ENDINGS.get(part)
    return None


@dataclass(frozen=True, slots=True)
class Head:
    """The start of a file."""

    format: str | None
    """None where the bytes do not show it."""
    content: bytes
    """First bytes, decompressed."""
    is_whole: bool
    """Whether the file ends with the content."""

    @property
    def is_empty(self) -> bool:
        """Whether the file holds nothing but blanks."""
        return self.is_whole and not self.content.strip(_BLANK)

    @property
    def description(self) -> str:
        """What the file is, for messages about an unknown format."""
        for magic, words in _OTHERS:
            if self.content.startswith(magic):
                return f"is {words}"
        return f"begins with {self.content[:16]!r}"


def head_of(data: bytes, is_whole: bool) -> Head:
    """Describe a file by its first bytes, whatever they are.

    Args:
        data: At most `HEAD_BYTES` bytes, from the file's first one.
        is_whole: Whether the file ends with them.
    """
    if data.startswith(_ZSTD_DICTIONARY):  # only WARC files have such a frame
        return Head(WARC, data, is_whole)
    content, ended = _decompressed(data)
    return Head(_format_of_content(content), content, is_whole and ended)


def _format_of_content(content: bytes) -> str | None:
    if content.startswith(_PARQUET_MAGIC):
        return PARQUET
    start = content.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    if start.startswith((b"WARC/", b"filedesc://")):
        return WARC
    return JSONL if start.startswith(b"{") else None


def _decompressed(data: bytes) -> tuple[bytes, bool]:
    """Return the start of the content, and whether it is all that the data holds.

    What cannot be decompressed ends the content.
    """
    if data.startswith(GZIP_MAGIC):
        return _inflated(data)
    if not _ZSTD_START.match(data):
        return data, True
    context = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    parts: list[bytes] = []
    room = _CONTENT_BYTES
    try:
        with context.stream_reader(data, read_across_frames=True) as stream:
            while room > 0 and (part := stream.read(min(room, HEAD_BYTES))):
                parts.append(part)
                room -= len(part)
    except (zstandard.ZstdError, MemoryError):
        return b"".join(parts), False
    return b"".join(parts), room > 0


def _inflated(data: bytes) -> tuple[bytes, bool]:
    content = bytearray()
    while data.startswith(GZIP_MAGIC) and len(content) < _CONTENT_BYTES:
        member = zlib.decompressobj(wbits=31)
        try:
            content += member.decompress(data, _CONTENT_BYTES - len(content))
        except zlib.error:
            return bytes(content), False
        if not member.eof:
            return bytes(content), False
        data = member.unused_data
    return bytes(content), not data


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first rows of a file of JSON lines."""

    rows: int
    """Lines that are objects."""
    columns: tuple[str, ...]
    """Keys of these objects, in the order of their first use."""
    error: str | None
    """Why the first line is no object; None if it is, or if no line ends in the head."""


def first_rows(head: Head) -> FirstRows:
    """Parse the whole lines of a head of JSON lines."""
    lines = head.content.removeprefix(_BYTE_ORDER_MARK).split(b"\n")
    if not head.is_whole:
        lines.pop()  # it may be cut
    columns: dict[str, None] = {}
    rows = 0
    error = None
    for line in [line for line in lines if line.strip()][:_MAX_ROWS]:
        try:
            row = json.loads(line.decode("utf-8", "replace"))
            problem = None if isinstance(row, dict) else f"a {type(row).__name__}, not an object"
        except (ValueError, RecursionError) as failure:
            problem = str(failure)
        if problem is None:
            rows += 1
            columns |= dict.fromkeys(row)
        elif rows == 0 and error is None:
            error = problem
    return FirstRows(rows, tuple(columns), error)


def read_head(uri: str, policy: RetryPolicy) -> Head:
    """Read and describe the start of a file by one small request.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it cannot be read.
        ValueError: the scheme is unknown, or the URI has credentials.
    """
    data = _first_bytes(canonical_uri(uri), HEAD_BYTES + 1, policy)
    return head_of(data[:HEAD_BYTES], len(data) <= HEAD_BYTES)


def _first_bytes(uri: str, length: int, policy: RetryPolicy) -> bytes:
    if scheme_of(uri) in ("", "http", "https"):
        data = b""
        with open_input(uri, policy) as file:
            while len(data) < length and (piece := file.read(length - len(data))):
                data += piece
        return data
    # Not open_input: it fetches blocks of megabytes, and the next one ahead.
    store, path = filesystem(uri)
    reads = StoreReads(partial(store.open_input_file, path), redact(uri), policy)
    try:
        return reads.read(0, length)
    finally:
        reads.close()
