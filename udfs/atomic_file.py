"""Files that appear whole or not at all, on local disks, hdfs:// and object stores."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow.fs as pafs

from udfs.files import filesystem

_IN_MEMORY_BYTES = 8 << 20


@contextmanager
def atomic_file(uri: str) -> Iterator[BinaryIO]:
    """A file to write; a reader sees it when the block has ended without an error.

    Its folder is made if it is not there.
    """
    files, path = filesystem(uri)
    files.create_dir(path.rsplit("/", 1)[0], recursive=True)
    if isinstance(files, pafs.S3FileSystem | pafs.GcsFileSystem):
        # An object appears when its upload ends, and pyarrow ends an upload in an error, too. So
        # it begins when all is there; renaming an object would copy it.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as held:
            yield cast(BinaryIO, held)
            held.seek(0)
            with files.open_output_stream(path, compression=None) as stream:
                shutil.copyfileobj(held, stream)
        return
    with files.open_output_stream(f"{path}.partial", compression=None) as file:
        yield cast(BinaryIO, file)
    files.move(f"{path}.partial", path)
