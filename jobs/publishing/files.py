"""The files of a release, written by Python workers: whole, hashed, with the same bytes each time.

Spark's own writers name files by task, cut row groups by memory, and have zstd for JSON only where
Hadoop's native library is installed.
"""

from __future__ import annotations

import hashlib
import io
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from jobs.publishing.lines import TEXT, joined_lines, line_names
from udfs.base.array_types import Int64Array
from udfs.files.output_files import atomic_file

FILES = (
    "path string, rows bigint, bytes bigint, sha256 string, "
    "chars array<struct<labels array<string>, chars bigint>>"
)
"""A worker's row about a file; chars are the code points of texts by the labels of their rows."""
FILE = "_file"
"""Number of a row's file among all of its format."""

_ZSTD_LEVEL = 2
_FILES_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("rows", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        (
            "chars",
            pa.list_(pa.struct([("labels", pa.list_(pa.string())), ("chars", pa.int64())])),
        ),
    ]
)
_GZIP_LEVEL = 2  # of isal: as small as zlib's 3 or 4, several times as fast
_PIECE_BYTES = 1 << 20
_BYTES_WITHOUT_TEXT = 1024
"""What a row without a text counts for, in a row group."""
_MANY_VALUES = frozenset({TEXT, "doc_id", "url", "title", "original_sha256"})
"""Columns for which a dictionary of values costs and saves nothing."""


@dataclass(frozen=True)
class Layout:
    """The files of a release, in folders for its subsets."""

    split: str
    folders: tuple[tuple[str, int], ...]
    """Folder under that of a format, and the number of its files; sorted by name."""

    @property
    def files(self) -> int:
        """Number of files of a format."""
        return sum(count for _, count in self.folders)

    def first_files(self) -> dict[str, int]:
        """Return folder -> number of its first file."""
        firsts, first = {}, 0
        for folder, count in self.folders:
            firsts[folder] = first
            first += count
        return firsts

    def name_of(self, number: int) -> str:
        """Return the path of a file under the folder of its format, without an ending.

        >>> Layout("train", (("a", 1), ("b", 2))).name_of(2)
        'b/train-00001-of-00002'
        """
        firsts = list(self.first_files().values())
        place = bisect_right(firsts, number) - 1
        folder, count = self.folders[place]
        name = f"{self.split}-{number - firsts[place]:05d}-of-{count:05d}"
        return f"{folder}/{name}" if folder else name


@dataclass(frozen=True)
class FileFormat:
    """A format of a release's files."""

    name: str
    """parquet, jsonl.gz or jsonl.zst: the files' ending."""
    schema: pa.Schema
    """Columns of the rows."""
    row_group_bytes: int
    labels: tuple[str, ...] = ()
    """Columns beside those of the rows, by whose values code points of texts are counted."""
    to: str | None = None
    """Folder of its files under the release; None: data for Parquet, jsonl for lines."""
    sized: tuple[str, ...] = (TEXT,)
    """Columns of strings, or of lists of them, whose bytes fill a row group."""

    @property
    def folder(self) -> str:
        """Folder of its files under the release."""
        return self.to or ("data" if self.name == "parquet" else "jsonl")

    @property
    def columns(self) -> list[str]:
        """Columns that the files are made of."""
        names: list[str] = self.schema.names
        return names if self.name == "parquet" else line_names(names)


def file_writer(
    root: str, file_format: FileFormat, layout: Layout
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow that writes the files of a partition.

    Needs: FILE and the format's labels and columns, in the order of the rows of a file, each file's
    rows together and in one partition. A task that is retried writes the same files again.

    Args:
        root: Folder of the release, a URI that `udfs.files.uris.filesystem` accepts.
    """

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with ExitStack() as held:
            current, writer = -1, None
            for number, rows in _by_file(batches):
                if number != current or writer is None:
                    if writer is not None:
                        yield writer.close()
                    current = number
                    path = path_of(layout, file_format, number)
                    writer = held.enter_context(_writer(root, path, file_format))
                if file_format.labels:
                    writer.count(rows, file_format.labels)
                writer.add(rows.select(file_format.columns))
            if writer is not None:
                yield writer.close()

    return write


def write_empty(root: str, file_format: FileFormat, layout: Layout, number: int) -> dict[str, Any]:
    """Write a file that no row came into, and return its row of FILES."""
    with _writer(root, path_of(layout, file_format, number), file_format) as writer:
        row: dict[str, Any] = writer.close().to_pylist()[0]
    return row


def path_of(layout: Layout, file_format: FileFormat, number: int) -> str:
    """Return a file's path under the release."""
    return f"{file_format.folder}/{layout.name_of(number)}.{file_format.name}"


def _by_file(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cut batches where the file changes."""
    for batch in batches:
        if not batch.num_rows:
            continue
        numbers = batch.column(FILE).to_numpy()
        starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1), len(numbers)]
        rows = batch.drop_columns([FILE])
        for start, stop in pairwise(starts):
            yield int(numbers[start]), rows.slice(start, stop - start)


class HashedFile(io.RawIOBase):
    """A file that is written, with the size and the digest of what was."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self.size = 0
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = memoryview(data).nbytes
        self.digest.update(data)
        self._file.write(data)
        self.size += count
        return count


class _FileWriter(AbstractContextManager["_FileWriter"]):
    """Writes a file; it appears in its place with `close`."""

    def __init__(self, root: str, path: str) -> None:
        self._held = ExitStack()
        self._file = HashedFile(self._held.enter_context(atomic_file(f"{root}/{path}")))
        self._path = path
        self._chars: Counter[tuple[str | None, ...]] = Counter()
        self.rows = 0

    def __exit__(self, *error: Any) -> None:
        self._held.__exit__(*error)

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows."""
        raise NotImplementedError

    def count(self, rows: pa.RecordBatch, labels: Sequence[str]) -> None:
        """Count the code points of texts by labels: several times as fast as Java counts them."""
        counted = pa.table(
            [*(rows.column(name) for name in labels), pc.utf8_length(rows.column(TEXT))],
            names=[*labels, "chars"],
        )
        sums = counted.group_by(list(labels), use_threads=False).aggregate([("chars", "sum")])
        for row in sums.to_pylist():
            self._chars[tuple(row[name] for name in labels)] += row["chars_sum"] or 0

    def close(self) -> pa.RecordBatch:
        """End the file and return its row of FILES."""
        self._held.close()
        row = {
            "path": self._path,
            "rows": self.rows,
            "bytes": self._file.size,
            "sha256": self._file.digest.hexdigest(),
            "chars": [{"labels": list(of), "chars": n} for of, n in self._chars.items()],
        }
        return pa.RecordBatch.from_pylist([row], schema=_FILES_SCHEMA)


class _ParquetWriter(_FileWriter):
    """Cuts row groups by bytes of text, wherever the batches end."""

    def __init__(self, root: str, path: str, file_format: FileFormat) -> None:
        super().__init__(root, path)
        self._schema = file_format.schema
        self._most = file_format.row_group_bytes
        self._sized = file_format.sized
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_bytes = 0
        self._parquet = self._held.enter_context(
            pq.ParquetWriter(
                self._file,
                self._schema,
                compression="zstd",
                compression_level=_ZSTD_LEVEL,
                use_dictionary=_with_dictionary(self._schema),
                write_page_index=True,
            )
        )

    def add(self, rows: pa.RecordBatch) -> None:
        sizes = np.cumsum(_sizes(rows, self._sized))
        start, taken = 0, 0
        while start < rows.num_rows:
            left = self._most - self._waiting_bytes
            # Up to and with the row that fills the group.
            stop = int(np.searchsorted(sizes, taken + left, side="left")) + 1
            stop = min(stop, rows.num_rows)
            self._waiting.append(rows.slice(start, stop - start))
            self._waiting_bytes += int(sizes[stop - 1]) - taken
            start, taken = stop, int(sizes[stop - 1])
            if self._waiting_bytes >= self._most:
                self._write_group()

    def close(self) -> pa.RecordBatch:
        self._write_group()
        return super().close()

    def _write_group(self) -> None:
        if self._waiting:
            group = pa.Table.from_batches(self._waiting).cast(self._schema)
            # Pages end with chunks: in one chunk they are the same whatever the batches were.
            group = group.combine_chunks()
            self._parquet.write_table(group, row_group_size=group.num_rows)
            self.rows += group.num_rows
        self._waiting, self._waiting_bytes = [], 0


class _JsonlWriter(_FileWriter):
    """Gives lines to the compressor in equal pieces: the sizes of pieces change its bytes."""

    def __init__(self, root: str, path: str, file_format: FileFormat) -> None:
        super().__init__(root, path)
        self._out = self._held.enter_context(_compressor(self._file, file_format.name))
        self._waiting = bytearray()

    def add(self, rows: pa.RecordBatch) -> None:
        self._waiting += joined_lines(rows)
        self.rows += rows.num_rows
        whole = len(self._waiting) - len(self._waiting) % _PIECE_BYTES
        with memoryview(self._waiting) as waiting:
            for start in range(0, whole, _PIECE_BYTES):
                self._out.write(waiting[start : start + _PIECE_BYTES])
        del self._waiting[:whole]

    def close(self) -> pa.RecordBatch:
        self._out.write(self._waiting)
        return super().close()


def _sizes(rows: pa.RecordBatch, names: Sequence[str]) -> Int64Array:
    """Return the bytes of each row's columns."""
    columns = [rows.column(name) for name in names if name in rows.schema.names]
    if not columns:
        return np.full(rows.num_rows, _BYTES_WITHOUT_TEXT, dtype=np.int64)
    return np.asarray(np.sum([_bytes_of(column) for column in columns], axis=0), dtype=np.int64)


def _bytes_of(column: pa.Array) -> Int64Array:
    """Return the bytes of each string, or of each list of strings."""
    if pa.types.is_list(column.type):
        lengths = pc.fill_null(pc.binary_length(column.values), 0).to_numpy(zero_copy_only=False)
        before = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        offsets = column.offsets.to_numpy()
        return np.asarray(np.diff(before[offsets]), dtype=np.int64)
    sizes = pc.fill_null(pc.binary_length(column), 0)
    return np.asarray(sizes.to_numpy(zero_copy_only=False), dtype=np.int64)


def _writer(root: str, path: str, file_format: FileFormat) -> _FileWriter:
    kind = _ParquetWriter if file_format.name == "parquet" else _JsonlWriter
    return kind(root, path, file_format)


def _compressor(file: HashedFile, name: str) -> AbstractContextManager[Any]:
    if name == "jsonl.zst":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(
            cast(BinaryIO, file), closefd=False
        )
    from isal import igzip

    # A fixed time in the header: the same rows give the same bytes.
    compressed: AbstractContextManager[Any] = igzip.IGzipFile(  # type: ignore[no-untyped-call]
        filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0
    )
    return compressed


def _with_dictionary(schema: pa.Schema) -> list[str]:
    """Return the paths of the columns whose values repeat."""
    empty = io.BytesIO()
    pq.write_table(schema.empty_table(), empty)
    columns = pq.ParquetFile(empty).schema
    paths = [columns.column(number).path for number in range(len(columns))]
    return [path for path in paths if path.partition(".")[0] not in _MANY_VALUES]
