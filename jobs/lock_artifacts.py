"""Lock artifacts: the catalogue, and what configurations ask for -> artifacts.lock beside it.

Chooses the newest versions with which every need is met, and names the conflicting needs if there
are none. --check writes nothing and exits with 1 if the lock does not match; --upgrade moves one
artifact, and what it needs, and keeps the others. Needs no Spark.
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
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status: 1 if --check finds a difference, 2 for an error."""
    parser = argparse.ArgumentParser(
        prog="python -m jobs.lock_artifacts",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config",
        type=Path,
        nargs="+",
        metavar="FILE.toml",
        help="configurations that the lock is for; without it the defaults",
    )
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--check", action="store_true", help="check whether the lock still matches; write nothing"
    )
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
    """Return the one catalogue of all configurations, and the artifacts that they name."""
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
        raise ConfigError(
            f"--config: several catalogues: {', '.join(map(str, catalogues))}; lock each alone"
        )
    return catalogue, asked


def _lock(catalogue: Catalogue, asked: Sequence[NamedArtifact], upgraded: str | None) -> None:
    """Resolve the versions and write the lock."""
    path = lock_path(catalogue.path)
    before = read_lock(path).artifacts if upgraded is not None else _locked_before(path)
    kept = {name: artifact.version for name, artifact in before.items()}
    if upgraded is not None and upgraded not in kept:
        raise ConfigError(f"--upgrade {upgraded}: not a locked artifact; known: {', '.join(kept)}")
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
    """Print how the lock differs from catalogue, code and configurations; return the status."""
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
        print(f"{name}: is locked but not used by these configurations")
    if not wrong:
        print(f"{path}: matches; {lock.id}")
    return int(bool(wrong))


def _check_kinds(lock: Lock, asked: Sequence[NamedArtifact]) -> None:
    for wish in asked:
        kind = lock.artifacts[wish.name].kind if wish.name in lock.artifacts else "code"
        if kind != wish.kind:
            raise ConfigError(f"{wish.key} = {wish.name!r}: is {kind}, expected {wish.kind}")


def _locked_before(path: Path) -> dict[str, Artifact]:
    """Return the artifacts of the lock that will be replaced; none if it cannot be read."""
    try:
        return read_lock(path).artifacts
    except ConfigError:
        return {}


if __name__ == "__main__":
    sys.exit(until_interrupted("lock_artifacts", main))
