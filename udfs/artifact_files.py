"""Artifacts on an executor: the file that the driver shipped, checked before it is opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 1 << 20


class ArtifactMismatch(RuntimeError):
    """A file is not the artifact that the configuration names."""


@dataclass(frozen=True)
class ArtifactFile:
    """One artifact as it travels to the executors: small, picklable, verifiable.

    The driver hands the file itself to ``SparkContext.addFile``; Spark fetches it once an
    executor.
    """

    name: str
    """Artifact name in the catalogue."""
    version: str
    """Version in the catalogue."""
    file_name: str
    """Name under which SparkFiles holds it; unique a run."""
    sha256: str
    """Hex digest of its bytes."""

    def local_path(self) -> Path:
        """Where the file lies on this executor, after checking its digest.

        Raises:
            ArtifactMismatch: its bytes are not those the catalogue promises.
        """
        from pyspark import SparkFiles

        path = Path(SparkFiles.get(self.file_name))
        check_sha256(path, self.sha256, self.name)
        return path


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
