"""Where a release is put: all of it at once, and never over anything that is no release.

On local disks and hdfs:// a release is written beside its place and moved there when it is
complete. Object stores cannot move folders: files are written in their place, the card last, so
that a folder with a card is a whole release. Until then the folder has a mark, so that a release
that was interrupted is told from files of somebody else.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow.fs as pafs

from jobs.config import ConfigError
from jobs.publishing.exclusions import Exclusions
from jobs.run.store import WHOLE, Store
from udfs.files.output_files import atomic_file
from udfs.files.uris import canonical_uri, filesystem, redact

CARD, CHECKSUMS, FACTS = "README.md", "checksums.sha256", "run.json"
UNFINISHED = "_unfinished"
"""Mark of a folder in an object store whose release is being written, or was interrupted."""
_OWN_NAMES = frozenset({CARD, CHECKSUMS, FACTS, UNFINISHED})
_PARTIAL, _OLD = ".partial", ".old"


class ReleaseExists(ConfigError):
    """A release is in the way, and nobody agreed to replace it."""


def absolute(uri: str) -> str:
    """Return a URI, or a local path from the root, without a slash at its end."""
    return uri.rstrip("/") if "://" in uri else canonical_uri(uri)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that commands of releases share."""
    parser.add_argument("--output", required=True, metavar="URI", help="folder of the release")
    parser.add_argument("--yes", action="store_true", help="replace a release that is there")


def plan_notes(exclusions: Exclusions, *, is_replaced: bool) -> Iterator[str]:
    """Describe what a release leaves out and replaces."""
    if exclusions.keys:
        entries = ", ".join(f"{len(keys):,} {kind}" for kind, keys in exclusions.keys.items())
        yield f"  without what matches: {entries}"
    if is_replaced:
        yield "needs --yes: replace the release that is there"


def check_place(uri: str, folders: Sequence[str], *, may_replace: bool) -> bool:
    """Check that a release can be put somewhere.

    Args:
        folders: That a release of this kind has at its top.
    Returns:
        Whether one is there and will be replaced; one that was interrupted is none.
    Raises:
        ReleaseExists: one is there, and it may not be replaced.
        ConfigError: what is there is no release, or a file.
    """
    files, path = filesystem(uri)
    info = files.get_file_info(path)
    if info.type == pafs.FileType.File:
        raise ConfigError(f"release {redact(uri)}: is a file; name a folder")
    names = {
        found.base_name
        for found in files.get_file_info(pafs.FileSelector(path, allow_not_found=True))
    }
    own_names = _OWN_NAMES | set(folders)
    if not names or (UNFINISHED in names and CARD not in names and names <= own_names):
        return False
    if others := sorted(names - own_names):
        raise ConfigError(
            f"release {redact(uri)}: the folder holds what is no part of a release "
            f"({', '.join(others[:3])}); name a folder that is empty or does not exist"
        )
    if not may_replace:
        raise ReleaseExists(f"release {redact(uri)}: one is there already; --yes replaces it")
    return True


def has_card(uri: str) -> bool:
    """Return whether a whole release is there."""
    files, path = filesystem(uri)
    return bool(files.get_file_info(f"{path}/{CARD}").type == pafs.FileType.File)


def redo_of(uri: str) -> str | None:
    """Return why a release that was committed is written again; None for one that is there."""
    return None if has_card(uri) else "the release is not there any more"


def in_the_way(
    store: Store, stage: str, setting: str, to: str | None, folders: Sequence[str]
) -> dict[str, str]:
    """Return a release that a stage would replace and that its output did not write.

    Args:
        setting: Key that names the place, as commits of the stage have it.
        to: The place as it is written there; None for no release.
        folders: As of `check_place`.
    Raises:
        ConfigError: what is there is no release.
    """
    if to is None or not check_place(absolute(to), folders, may_replace=True):
        return {}
    commit = store.commits(stage).get(WHOLE)
    if commit is not None and commit.settings.get(setting) == to:
        return {}
    return {redact(to): "a release is there that this output did not write"}


@contextmanager
def placed(uri: str, folders: Sequence[str]) -> Iterator[str]:
    """Yield the folder to write a release to; it is in its place after the block.

    Args:
        folders: As of `check_place`, which has passed.

    Where the block raises, what was there before stays, but on an object store.
    """
    files, path = filesystem(uri)
    path = path.rstrip("/")
    if isinstance(files, pafs.S3FileSystem | pafs.GcsFileSystem):
        write_file(uri.rstrip("/"), UNFINISHED, "")
        for name in (CARD, CHECKSUMS, FACTS, *folders):
            _delete(files, f"{path}/{name}")
        yield uri.rstrip("/")
        _delete(files, f"{path}/{UNFINISHED}")
        return
    partial, old = f"{path}{_PARTIAL}", f"{path}{_OLD}"
    _delete(files, partial)
    yield f"{uri.rstrip('/')}{_PARTIAL}"
    _delete(files, old)
    if files.get_file_info(path).type == pafs.FileType.Directory:
        files.move(path, old)
    files.move(partial, path)
    _delete(files, old)


def write_file(root: str, name: str, text: str) -> bytes:
    """Write a text under a release, and return its bytes."""
    data = text.encode()
    with atomic_file(f"{root}/{name}") as file:
        file.write(data)
    return data


def _delete(files: pafs.FileSystem, path: str) -> None:
    kind = files.get_file_info(path).type
    if kind == pafs.FileType.Directory:
        files.delete_dir(path)
    elif kind == pafs.FileType.File:
        files.delete_file(path)
