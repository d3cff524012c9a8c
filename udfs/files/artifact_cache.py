"""A folder of fetched files that many processes of a machine share.

One process fetches a file while the others wait for it, and it appears whole. So neither several
Python workers of an executor, nor several executors or runs on a machine, fetch it twice or read
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
    """Return the file of this name in a folder; fetch it first if it is missing.

    Args:
        folder: Created if it is missing, readable by this user alone.
        name: Must change with the file's content: an existing file is not checked here.
        fetch: Writes the file to the given path and checks it.
    Raises:
        OSError: the folder cannot be used; and any error of ``fetch``, which leaves no file.
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
    """Return this user's cache folder on this machine.

    It is under the temporary folder where there is no home that can be written, as in many
    containers.

    Raises:
        PermissionError: another user owns the folder under the temporary one.
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
        raise PermissionError(
            f"{folder} belongs to another user; set artifacts.cache or XDG_CACHE_HOME"
        )
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a file's lock until the block or the process ends.

    Yields False where the file system has no locks: a file may then be fetched twice, but still
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
        os.close(descriptor)  # the file stays: a waiting process has it open


def _drop_leftovers(folder: Path, name: str) -> None:
    """Remove partial files of processes that were killed during a fetch."""
    for path in folder.glob(f"{_partial(name)}*"):
        shutil.rmtree(path, ignore_errors=True)


def _partial(name: str) -> str:
    return f".{name}.partial-"
