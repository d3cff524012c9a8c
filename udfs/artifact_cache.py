"""A folder of fetched files that many processes of a machine share.

A file is fetched by one process while the others wait, and it appears whole. So neither several
Python workers of an executor, nor several executors or runs of a machine, fetch it twice or see
half of it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
