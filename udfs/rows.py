"""Rows of JSONL and Parquet files as candidate documents, to score a corpus that exists.

A row needs a text. Its own id becomes its doc_id; a row without one gets an id from its
content, so that the same row has the same id in any file.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from isal import igzip

from udfs.html_text import clean_text
from udfs.outcomes import Candidate, Failed, Outcome, Rejected, content_id
from udfs.pages import parse_time

PARQUET_BATCH_ROWS = 256
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def jsonl_outcomes(
    file: BinaryIO, text_column: str, id_column: str, max_line_bytes: int
) -> Iterator[Outcome]:
    """One outcome a line of a plain, gzip or zstd JSONL file; blank lines are none.

    A line over the limit is skipped in pieces, so that no line is held whole. A compressed
    stream that breaks off ends in one failure.
    """
    lines = _bounded_lines(_inflated(file), max_line_bytes)
    position = 0
    while True:
        try:
            line = next(lines, None)
        except (EOFError, gzip.BadGzipFile, zstandard.ZstdError, ValueError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                raise  # the store failed, not the file: Spark tries the task again
            yield Failed(position, "corrupt_compression", str(error))
            return
        if line is None:
            return
        if line.strip():
            if len(line) > max_line_bytes:
                yield Failed(position, "record_too_large", f"over {max_line_bytes} bytes")
            else:
                yield _json_outcome(line, position, text_column, id_column)
        position += 1


def parquet_outcomes(file: BinaryIO, text_column: str, id_column: str) -> Iterator[Outcome]:
    """One outcome a row of a Parquet file, in its order; a bounded number of rows at once."""
    try:
        parquet = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        yield Failed(None, "corrupt_parquet", str(error))
        return
    present = set(parquet.schema_arrow.names)
    wanted = [c for c in (text_column, id_column, "url", "title", "capture_time") if c in present]
    if text_column not in present:
        yield Failed(None, "no_text_column", f"no column {text_column}")
        return
    position = 0
    try:
        for batch in parquet.iter_batches(batch_size=PARQUET_BATCH_ROWS, columns=wanted):
            for row in batch.to_pylist():
                yield row_outcome(row, position, text_column, id_column)
                position += 1
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        # pyarrow reports a page that does not decompress as OSError
        yield Failed(position, "corrupt_parquet", str(error))


def row_outcome(row: Mapping[str, Any], position: int, text_column: str, id_column: str) -> Outcome:
    """The outcome of one row: a candidate, `no_text`, or `empty_text`."""
    raw = row.get(text_column)
    if not isinstance(raw, str):
        return Failed(position, "no_text", f"column {text_column} is {type(raw).__name__}")
    text = clean_text(_without_surrogates(raw))
    if not text:
        return Rejected("empty_text")
    url = _string(row.get("url"))
    own_id = row.get(id_column)
    return Candidate(
        offset=position,
        doc_id=_without_surrogates(str(own_id))
        if own_id not in (None, "")
        else content_id(url or "", text),
        url=url,
        capture_time=parse_time(row.get("capture_time")),
        charset="utf-8",
        title=_string(row.get("title")),
        text=text,
    )


def _json_outcome(line: bytes, position: int, text_column: str, id_column: str) -> Outcome:
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        return Failed(position, "bad_json", f"{type(error).__name__}: {error}"[:200])
    if not isinstance(row, dict):
        return Failed(position, "bad_json", f"a {type(row).__name__}, not an object")
    return row_outcome(row, position, text_column, id_column)


def _inflated(file: BinaryIO) -> Any:
    """The file's bytes, inflated as its first bytes demand: an object with read(n)."""
    head = file.read(len(_ZSTD_MAGIC))
    whole = _Prefixed(head, file)
    if head.startswith(_GZIP_MAGIC):
        return igzip.IGzipFile(fileobj=whole, mode="rb")  # type: ignore[no-untyped-call]
    if head == _ZSTD_MAGIC:
        return zstandard.ZstdDecompressor().stream_reader(whole, read_across_frames=True)  # type: ignore[arg-type]
    return whole


def _bounded_lines(file: Any, limit: int) -> Iterator[bytes]:
    """Lines without their end; a line over the limit comes as its first limit + 1 bytes."""
    reader = io.BufferedReader(_Raw(file), 1 << 20)
    while line := reader.readline(limit + 1):
        ended = line.endswith(b"\n")
        yield line.rstrip(b"\r\n") if ended else line
        while not ended and len(line) > limit:
            rest = reader.readline(1 << 20)
            ended = not rest or rest.endswith(b"\n")


class _Prefixed(io.RawIOBase):
    """A stream with bytes put back in front of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head if size < 0 or size >= len(head) else self._put_back(head, size)
        return self._rest.read(size)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _put_back(self, head: bytes, size: int) -> bytes:
        self._head = head[size:]
        return head[:size]


class _Raw(io.RawIOBase):
    """Any object with read() as a raw stream for BufferedReader."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _string(value: object) -> str | None:
    return _without_surrogates(value) if isinstance(value, str) and value else None


def _without_surrogates(text: str) -> str:
    """The text with lone surrogates (JSON can spell them) as U+FFFD: no UTF-8 holds them."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
