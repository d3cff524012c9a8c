"""Lock artifacts: the catalogue, and what configurations ask for -> artifacts.lock beside it.

Takes the newest versions with which every need is met, and says who asks for what where there are
none. --check writes nothing and ends with 1 where the lock does not fit; --upgrade moves
one artifact, and what it needs, and leaves the others where they are. Needs no Spark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.version import Version

from jobs.catalogue.catalogue import CODE, Artifact, Catalogue, read_catalogue
from jobs.catalogue.fetch import path_of
from jobs.catalogue.lock import Lock, lock_of, lock_path, lock_text, misfits, read_lock, unlocked
from jobs.catalogue.resolution import Need, Unresolvable, resolve
from jobs.config import ConfigError, NamedArtifact, load_config, named_artifacts


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 1 where --check finds a difference, 2 for an error."""
    parser = argparse.ArgumentParser(prog="python -m jobs.lock_artifacts", description=__doc__)
    parser.add_argument(
        "--config",
        type=Path,
        nargs="+",
        metavar="FILE.toml",
        help="configurations that the lock is for; the defaults without",
    )
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="say whether the lock still fits")
    what.add_argument("--upgrade", metavar="NAME", help="move this artifact to its newest version")
    arguments = parser.parse_args(argv)
    try:
        catalogue, asked = _request(arguments.config or [None], arguments.set)
        if arguments.check:
            return _check(catalogue, asked)
        _lock(catalogue, asked, arguments.upgrade)
    except (ConfigError, Unresolvable) as error:
        print(f"lock_artifacts: {error}", file=sys.stderr)
        return 2
    return 0


def _request(
    config_files: Sequence[Path | None], settings: Sequence[str]
) -> tuple[Catalogue, list[NamedArtifact]]:
    """The one catalogue of all configurations, and what they ask for by name."""
    catalogues: dict[Path, Catalogue] = {}
    asked: list[NamedArtifact] = []
    for file in config_files:
        config = load_config(file, settings)
        catalogue = read_catalogue(config, file)
        catalogues[catalogue.path.resolve()] = catalogue
        asked += [
            wish
            for wish in named_artifacts(config)
            if wish.name in catalogue.artifacts or path_of(wish, file) is None
        ]
    if len(catalogues) > 1:
        raise ConfigError(f"several catalogues: {', '.join(map(str, catalogues))}; lock each alone")
    return catalogue, asked


def _lock(catalogue: Catalogue, asked: Sequence[NamedArtifact], upgraded: str | None) -> None:
    """Resolve and write."""
    path = lock_path(catalogue.path)
    before = read_lock(path).artifacts if upgraded is not None else _locked_before(path)
    kept = {name: artifact.version for name, artifact in before.items()}
    if upgraded is not None and upgraded not in kept:
        raise ConfigError(f"--upgrade {upgraded}: is not locked; locked are {', '.join(kept)}")
    needs = [Need(wish.name, "", wish.key) for wish in asked]
    versions = resolve(catalogue.artifacts, needs, kept, upgraded)
    lock = lock_of(
        {
            name: catalogue.artifacts[name][version]
            for name, version in versions.items()
            if name not in CODE
        },
        {name: version for name, version in versions.items() if name in CODE},
    )
    _check_kinds(lock, asked)
    path.write_text(lock_text(lock), encoding="utf-8")
    for name in sorted(kept.keys() | lock.artifacts.keys()):
        now = lock.artifacts[name].version if name in lock.artifacts else "not locked"
        was = kept.get(name)
        print(f"{name} {now}" if was in (None, now) else f"{name} {now}, was {was}")
    print(f"{path}: {lock.id}")


def _check(catalogue: Catalogue, asked: Sequence[NamedArtifact]) -> int:
    """Say how the lock differs from catalogue, code and configurations."""
    path = lock_path(catalogue.path)
    lock = read_lock(path)
    needed = set(lock.artifacts) & {wish.name for wish in asked}
    left = list(needed)
    while left:
        new = lock.artifacts[left.pop()].needs.keys() & lock.artifacts.keys() - needed
        needed |= new
        left += new
    wrong = misfits(lock, catalogue) + unlocked(lock, asked)
    for line in sorted(wrong):
        print(f"{path}: {line}", file=sys.stderr)
    for name, artifact in sorted(lock.artifacts.items()):
        newest = max(catalogue.artifacts.get(name, [artifact.version]), key=Version)
        if Version(newest) > Version(artifact.version):
            print(f"{name} {artifact.version}: the catalogue has {newest}")
    for name in sorted(lock.artifacts.keys() - needed):
        print(f"{name}: is locked, and these configurations do not ask for it")
    if not wrong:
        print(f"{path}: fits; {lock.id}")
    return int(bool(wrong))


def _check_kinds(lock: Lock, asked: Sequence[NamedArtifact]) -> None:
    for wish in asked:
        kind = lock.artifacts[wish.name].kind if wish.name in lock.artifacts else "code"
        if kind != wish.kind:
            raise ConfigError(f"{wish.key} = {wish.name!r}: is {kind}, expected {wish.kind}")


def _locked_before(path: Path) -> dict[str, Artifact]:
    """What the lock that is written over says; nothing where it says nothing that can be used."""
    try:
        return read_lock(path).artifacts
    except ConfigError:
        return {}


if __name__ == "__main__":
    sys.exit(main())
