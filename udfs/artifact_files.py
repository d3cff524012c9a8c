"""Artifacts on an executor: a file that the driver shipped or a store holds, checked before it is
opened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from udfs.artifact_cache import cached_copy, machine_folder
from udfs.artifact_sources import SourceMismatch, download

_CHUNK_BYTES = 1 << 20


class ArtifactMismatch(RuntimeError):
    """A file is not the artifact that the configuration names."""


@dataclass(frozen=True)
class ArtifactFile:
    """One artifact as it travels to the executors: small, picklable, verifiable.

    What a store of the cluster holds is read from there, once a machine and user. Everything else
    the driver hands to ``SparkContext.addFile``, and Spark fetches it once an executor.
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
    """Number of its bytes; None where nobody has said."""
    uri: str = ""
    """Where executors read it by themselves; empty where the driver ships it."""
    cache: str = ""
    """Folder that files read from ``uri`` are kept in; empty for the machine's own. The executors
    of a machine share it."""

    @property
    def stamp(self) -> str:
        """Name, version and the beginning of the digest: ``quality@1+6eb8aaaf2ec9``."""
        return stamp_of(self.name, self.version, self.sha256)

    def local_path(self) -> Path:
        """Where the file lies on this executor, after checking its size and digest.

        Raises:
            ArtifactMismatch: its bytes are not those the catalogue promises.
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
    """How an artifact is named in tables and messages.

    >>> stamp_of("quality", "1", "6eb8aaaf2ec9f7e8520a5717d1948da7")
    'quality@1+6eb8aaaf2ec9'
    """
    return f"{name}@{version}+{sha256[:12]}"


def fetch_checked(uri: str, target: Path, sha256: str, size: int | None, name: str) -> None:
    """Write the file of a URI to a path, and check it.

    Raises:
        ArtifactMismatch: it has another size or digest.
        FileNotFoundError, OSError, ValueError: as `udfs.artifact_sources.download`.
    """
    try:
        download(uri, target, size)
    except SourceMismatch as error:
        raise ArtifactMismatch(f"artifact {name}: {error}") from error
    check_file(target, sha256, size, name)


def check_file(path: Path, sha256: str, size: int | None, name: str) -> None:
    """Raise ArtifactMismatch unless a file has this size, looked at first, and this digest."""
    actual = path.stat().st_size
    if size is not None and actual != size:
        raise ArtifactMismatch(f"artifact {name}: {path} has {actual:,} bytes, expected {size:,}")
    check_sha256(path, sha256, name)


def check_sha256(path: Path, expected: str, name: str) -> None:
    """Raise ArtifactMismatch unless the file has this digest."""
    actual = sha256_of(path)
    if actual != expected:
        raise ArtifactMismatch(f"artifact {name}: {path} has sha256 {actual}, expected {expected}")


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
