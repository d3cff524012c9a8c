"""The lines of a host list: of a file, a folder, or an archive that is never unpacked."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

MAX_BYTES = 1 << 29
"""Most bytes of a list, unpacked."""
MAX_FILES = 10_000
"""Most files of a folder or archive."""
MAX_LINE_BYTES = 1 << 13
"""Longer lines are passed over: no URL is as long."""

_UT1_FILES = ("domains", "urls")
_TAR_NAME = re.compile(r"\.(?:tar|tar\.gz|tgz)$", re.IGNORECASE)
_COMMENT = re.compile(r"\s+#")
_CACHE_PREFIX = re.compile(r"[0-9a-f]{16}-")
"""Before the names of fetched artifacts."""


class HostListError(ValueError):
    """A host list cannot be read; the message names the file."""


_Bytes = IO[bytes] | gzip.GzipFile


class Line(NamedTuple):
    """A line that is not blank and no comment.

    Attributes:
        category: Of its file.
        text: Without comment and outer blanks.
        is_host_file: Whether the file has hosts and URLs only, no words.
    """

    category: str
    text: str
    is_host_file: bool


def read_lines(path: Path) -> Iterator[Line]:
    """All lines of a list, of a folder's files and an archive's members in the order of names.

    Raises:
        HostListError: unreadable or too large.
    """
    budget = _Budget(path)
    try:
        if path.is_dir():
            yield from _folder_lines(path, budget)
            return
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file: _Bytes = gzip.GzipFile(fileobj=raw) if packed else raw
            if _TAR_NAME.search(path.name):
                yield from _tar_lines(file, path, budget)
            else:
                name = _CACHE_PREFIX.sub("", path.name)
                folder = path.absolute().parent.name if name == path.name else ""
                yield from _file_lines(file, folder, name.removesuffix(".gz"), budget)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise HostListError(f"{path}: cannot be read: {error}") from error
    except OSError as error:
        raise HostListError(f"{path}: cannot be read: {error.strerror or error}") from error


class _Budget:
    """What may still be read of a list."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = MAX_BYTES
        self._files = MAX_FILES

    def spend(self, count: int) -> None:
        self._bytes -= count
        if self._bytes < 0:
            raise HostListError(f"{self._path}: more than {MAX_BYTES:,} bytes unpacked")

    def spend_file(self) -> None:
        self._files -= 1
        if self._files < 0:
            raise HostListError(f"{self._path}: more than {MAX_FILES:,} files")


class _Counted(io.RawIOBase):
    """A file that spends the budget for everything that is read of it, skipped parts too."""

    def __init__(self, file: _Bytes, budget: _Budget) -> None:
        super().__init__()
        self._file = file
        self._budget = budget

    def read(self, size: int = -1) -> bytes:
        """Read up to size bytes, fewer at the end."""
        data = self._file.read(size)
        self._budget.spend(len(data))
        return data


def _folder_lines(folder: Path, budget: _Budget) -> Iterator[Line]:
    for path in sorted(folder.rglob("*")):
        budget.spend_file()
        if path.name in _UT1_FILES and path.is_file():
            with path.open("rb") as file:
                yield from _file_lines(file, path.parent.name, path.name, budget)


def _tar_lines(file: _Bytes, path: Path, budget: _Budget) -> Iterator[Line]:
    """Lines of the members, as they come by: nothing is written, links are not followed."""
    # The bytes of members are spent as the archive's.
    unbounded = _Budget(path)
    with tarfile.open(fileobj=_Counted(file, budget), mode="r|") as archive:
        for member in archive:
            budget.spend_file()
            name = PurePosixPath(member.name)
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None and name.name in _UT1_FILES:
                yield from _file_lines(content, name.parent.name, name.name, unbounded)


def _file_lines(file: _Bytes, folder: str, name: str, budget: _Budget) -> Iterator[Line]:
    is_ut1 = name in _UT1_FILES
    category = folder if is_ut1 and folder else PurePosixPath(name).stem
    goes_on = False
    while line := file.readline(MAX_LINE_BYTES):
        budget.spend(len(line))
        begins, goes_on = not goes_on, len(line) == MAX_LINE_BYTES and line[-1:] != b"\n"
        text = line.decode("utf-8", "replace").strip().removeprefix("\ufeff")
        if begins and not goes_on and text and text[0] not in "#!":
            if "#" in text:
                text = _COMMENT.split(text, maxsplit=1)[0]
            yield Line(category, text, is_ut1)
