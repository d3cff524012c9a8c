"""Files that appear whole or not at all, on local disks, hdfs:// and object stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow.fs as pafs

from udfs.files import filesystem


@contextmanager
def atomic_file(uri: str) -> Iterator[BinaryIO]:
    """A file to write; a reader sees it when the block has ended without an error.

    Its folder is made if it is not there.
    """
    files, path = filesystem(uri)
    files.create_dir(path.rsplit("/", 1)[0], recursive=True)
    if isinstance(files, pafs.S3FileSystem | pafs.GcsFileSystem):
        # An object appears when its upload completes; renaming it would copy it.
        with files.open_output_stream(path) as file:
            yield cast(BinaryIO, file)
        return
    with files.open_output_stream(f"{path}.partial") as file:
        yield cast(BinaryIO, file)
    files.move(f"{path}.partial", path)
