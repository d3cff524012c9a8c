"""Rows of JSONL and Parquet files as candidate documents, to score an existing corpus.

A row needs a text, which stays unchanged. The row's own id becomes its doc_id; a row without one
gets an id from its content, so that the same row has the same id in any file. JSONL files may be
plain, gzip or zstd; lines are read with bounded memory whatever the file contains.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from udfs.extract.outcomes import Candidate, Failed, Outcome, Rejected, content_id
from udfs.extract.pages import parse_time
from udfs.warc.byte_pieces import Broken, Piece, PieceSource, PlainPieces, RawInput
from udfs.warc.gzip_members import GZIP_MAGIC, GzipMembers
from udfs.warc.zstd_frames import ZstdFrames, is_zstd

_MAGIC_BYTES = 4
_PARQUET_BATCH_ROWS = 256


def jsonl_outcomes(
    file: BinaryIO, text_column: str, id_column: str, max_line_bytes: int
) -> Iterator[Outcome]:
    """Yield one outcome for each line of a plain, gzip or zstd JSONL file, except blank lines.

    A line over the limit is skipped piece by piece and never held in memory. A stream that is cut
    or corrupt ends in one failure; the lines before the damage are kept.
    """
    position = -1
    for position, line in enumerate(read_lines(file, max_line_bytes)):
        if isinstance(line, BadLine):
            yield Failed(position, line.reason, line.detail)
        else:
            yield _json_outcome(line, position, text_column, id_column)
    if position < 0:
        yield Failed(None, "empty_file", "no line")


def parquet_outcomes(file: BinaryIO, text_column: str, id_column: str) -> Iterator[Outcome]:
    """Yield one outcome for each row of a Parquet file, in its order; few rows are in memory.

    A file without rows is one failure, as an empty WARC or JSONL file is.
    """
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
        for batch in parquet.iter_batches(batch_size=_PARQUET_BATCH_ROWS, columns=wanted):
            for row in batch.to_pylist():
                yield row_outcome(row, position, text_column, id_column)
                position += 1
        if position == 0:
            yield Failed(None, "empty_file", "no row")
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        # pyarrow reports a page that does not decompress as OSError
        yield Failed(position, "corrupt_parquet", str(error))


def row_outcome(row: Mapping[str, Any], position: int, text_column: str, id_column: str) -> Outcome:
    """Return the outcome of one row: a candidate, `no_text`, or `empty_text`."""
    raw = row.get(text_column)
    if not isinstance(raw, str):
        return Failed(position, "no_text", f"column {text_column} is {type(raw).__name__}")
    if not raw:
        return Rejected("empty_text")
    text = _without_surrogates(raw)
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


def _string(value: object) -> str | None:
    return _without_surrogates(value) if isinstance(value, str) and value else None


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates, which JSON can write and UTF-8 cannot, by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class BadLine(NamedTuple):
    """A line, or the rest of a file, that cannot be read."""

    reason: str  # record_too_large, cut, or the container's reason
    detail: str


def read_lines(file: BinaryIO, max_line_bytes: int) -> Iterator[bytes | BadLine]:
    """Yield every line that is not blank, without its line end.

    A line over the limit is one BadLine; so are the line in which a cut file ends, and a part of
    a compressed file that cannot be decompressed.

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
    """Yield the lines that end in a piece; the rest behind the last one stays in `line`."""
    *ended, rest = piece.data.split(b"\n")
    for part in ended:
        line.add(part)
        yield from line.taken()
    line.add(rest)


class _Line:
    """A line that is collected from pieces."""

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
        """Yield the line, unless it is blank, and begin the next one."""
        whole, size = b"".join(self._parts), self._bytes
        self._parts, self._bytes = [], 0
        if size > self._max_bytes:
            yield BadLine("record_too_large", f"{size} bytes")
        elif whole.strip():
            yield whole.rstrip(b"\r")
