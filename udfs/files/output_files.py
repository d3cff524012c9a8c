"""Output files that appear whole or not at all, on local disks, hdfs:// and object stores.

Among them compressed JSONL files, one a task, written by the Python workers: Spark's own writer has
zstd only where Hadoop's native library is installed.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.fs as pafs
import zstandard
from pyspark import TaskContext

from udfs.files.uris import filesystem

_IN_MEMORY_BYTES = 8 << 20


@contextmanager
def atomic_file(uri: str) -> Iterator[BinaryIO]:
    """Open a file to write; a reader sees it after the block has ended without an error.

    Its folder is created if it is missing.
    """
    files, path = filesystem(uri)
    files.create_dir(path.rsplit("/", 1)[0], recursive=True)
    if isinstance(files, pafs.S3FileSystem | pafs.GcsFileSystem):
        # An object appears when its upload ends, and pyarrow ends an upload after an error, too.
        # So the upload begins when the data is complete; renaming an object would copy it.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as held:
            yield cast(BinaryIO, held)
            held.seek(0)
            with files.open_output_stream(path, compression=None) as stream:
                shutil.copyfileobj(held, stream)
        return
    with files.open_output_stream(f"{path}.partial", compression=None) as file:
        yield cast(BinaryIO, file)
    files.move(f"{path}.partial", path)


WRITTEN = "file string, rows bigint"
"""Schema of a task's row about its file."""
_ZSTD_LEVEL = 3
_GZIP_LEVEL = 6


def jsonl_writer(
    folder: str, compression: str
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for mapInArrow that writes a column ``line`` of JSON texts.

    A task that is retried writes the same bytes under the same name. A file appears when it is
    complete.

    Args:
        folder: A URI that `udfs.files.uris.filesystem` accepts.
        compression: ``gz`` or ``zst``.
    """

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        number = context.partitionId() if context is not None else 0
        name = f"part-{number:05d}.jsonl.{compression}"
        rows = 0
        with atomic_file(f"{folder}/{name}") as file, _compressor(file, compression) as out:
            for batch in batches:
                for line in batch.column("line"):
                    out.write(line.as_py().encode() + b"\n")
                rows += batch.num_rows
        yield pa.RecordBatch.from_pydict({"file": [name], "rows": [rows]})

    return write


def _compressor(file: BinaryIO, compression: str) -> AbstractContextManager[Any]:
    if compression == "zst":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(file, closefd=False)
    # A fixed time in the header: the same rows give the same bytes.
    return gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0)
