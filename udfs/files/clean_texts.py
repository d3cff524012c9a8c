"""Files of clean text: one document a line, plain or as JSON with the key ``text``."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import zstandard
from pyspark.sql.types import StringType, StructField, StructType

from udfs.files.uris import open_input, redact

ENDINGS = (".jsonl", ".ndjson", ".json", ".txt")
"""Of names of files, with ``.gz``, ``.xz``, ``.zst`` behind them or not; ``.txt`` is plain text."""

CLEAN_TEXT = StructType(
    [
        StructField("language", StringType()),  # as the request names it
        StructField("source", StringType()),  # the row's "source", or the file
        StructField("text", StringType()),  # null for a line that cannot be read
    ]
)

MAX_LINE_BYTES = 16 << 20
_BATCH_ROWS = 256
_SCHEMA = pa.schema([(field.name, pa.string()) for field in CLEAN_TEXT])


class UnreadableText(ValueError):
    """A file that is not one of clean text; the message names it."""


class CleanLine(NamedTuple):
    """A line of a file."""

    source: str
    text: str | None
    """None where it cannot be read."""


def clean_texts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read files, for mapInArrow: language, uri, lines in, rows of CLEAN_TEXT out.

    ``lines`` consecutive lines of one source are one document, joined by newlines: for sets of
    comments.

    Raises:
        UnreadableText: a file cannot be decompressed.
    """
    for batch in batches:
        for row in batch.to_pylist():
            found = _joined(read_lines(row["uri"]), row["lines"])
            while part := list(islice(found, _BATCH_ROWS)):
                columns = ([row["language"]] * len(part), *zip(*part, strict=True))
                yield pa.RecordBatch.from_arrays(
                    [pa.array(column, pa.string()) for column in columns], schema=_SCHEMA
                )


def read_lines(uri: str) -> Iterator[CleanLine]:
    """Read the lines of a file, blank ones aside.

    Raises:
        UnreadableText: no such ending, or the file cannot be decompressed.
    """
    name = uri.rsplit("/", 1)[-1]
    stem, _, compression = name.rpartition(".")
    bare = stem if compression in ("gz", "xz", "zst") else name
    if not bare.endswith(ENDINGS):
        raise UnreadableText(
            f"{redact(uri)}: expected a file of {', '.join(ENDINGS)}, with .gz, .xz, .zst or not"
        )
    is_plain = bare.endswith(".txt")
    try:
        with open_input(uri) as file, _opened(file, compression) as lines:
            for line in _lines(lines):
                yield _line(line, name, is_plain=is_plain)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise UnreadableText(f"{redact(uri)}: cannot be decompressed: {error}") from error


def _opened(file: BinaryIO, compression: str) -> Any:
    match compression:
        case "gz":
            return gzip.open(file)
        case "xz":
            return lzma.open(file)
        case "zst":
            stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            return io.BufferedReader(stream)
        case _:
            return file


def _lines(file: Any) -> Iterator[bytes | None]:
    """Lines that are not blank; None for one of more than MAX_LINE_BYTES."""
    while line := file.readline(MAX_LINE_BYTES):
        is_long = len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")
        if is_long:
            while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        if line.strip():
            yield None if is_long else line


def _line(line: bytes | None, name: str, *, is_plain: bool) -> CleanLine:
    if line is None:
        return CleanLine(name, None)
    try:
        text = line.decode("utf-8").strip()
        row = {"text": text} if is_plain else json.loads(text)
        text, source = row["text"], row.get("source") or name
        f"{text}{source}".encode()  # a lone surrogate is no text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return CleanLine(name, None)
    if not isinstance(text, str) or not isinstance(source, str):
        return CleanLine(name, None)
    return CleanLine(source, text)


def _joined(lines: Iterable[CleanLine], size: int) -> Iterator[CleanLine]:
    """Join consecutive lines of a source. A line that cannot be read stands alone."""
    source, held = "", list[str]()
    for line in lines:
        if line.text is None:
            yield line
            continue
        if held and (line.source != source or len(held) == size):
            yield CleanLine(source, "\n".join(held))
            held = []
        source = line.source
        held.append(line.text)
    if held:
        yield CleanLine(source, "\n".join(held))
