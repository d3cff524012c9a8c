"""The lock: the version of every artifact that runs use.

A TOML file beside the catalogue, and the only thing that stages read of it: an id over the whole
file, the versions of code that it was made for, and a table for every artifact. The id of a table
covers the artifact and everything that it needs, directly or not: what a score depends on. Other
artifacts do not change it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jobs.catalogue.catalogue import (
    CODE,
    Artifact,
    Catalogue,
    artifact_of,
    read_catalogue,
    read_toml,
)
from jobs.catalogue.fetch import cache_folder, local_file, path_of
from jobs.config import Config, ConfigError, NamedArtifact, named_artifacts
from jobs.config.scorers import scorer_in

HOW = "run `make lock` (python -m jobs.lock_artifacts --config FILE)"

_HEAD = """\
# Written by `make lock` from the catalogue beside it; jobs read nothing else of the catalogue.
# id is over all of this file, that of an artifact over it and what it needs.

"""


@dataclass(frozen=True)
class Lock:
    """The artifacts that a run may use."""

    artifacts: dict[str, Artifact]
    """By name; files that a configuration names by path, by that path; files that are made for
    scorers, by `made_name`."""
    code: dict[str, str]
    """Name of code that artifacts need -> version."""
    id: str
    """Hex sha256 over artifacts and code."""

    def id_of(self, names: Iterable[str]) -> str:
        """Return a hex sha256 over artifacts and what they need: versions and digests, not URIs."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.artifacts[name].needs if name in self.artifacts else ()
        return _digest(sorted(map(self._identity, found)))

    def _identity(self, name: str) -> list[str]:
        artifact = self.artifacts.get(name)
        if artifact is None:
            return [name, self.code[name]]
        return [artifact.name, artifact.version, artifact.sha256]


def lock_of(artifacts: dict[str, Artifact], code: dict[str, str]) -> Lock:
    """Return the lock of artifacts as the catalogue has them."""
    said = [code, {name: asdict(artifact) for name, artifact in artifacts.items()}]
    return Lock(artifacts, code, _digest(said))


def lock_path(catalogue: Path) -> Path:
    """Return the path of a catalogue's lock."""
    return catalogue.with_suffix(".lock")


def load_lock(config: Config, config_file: Path | None) -> Lock:
    """Load the lock of the configuration's catalogue, and add the files that it names by path, and
    those that are made for scorers.

    Raises:
        ConfigError: the lock is missing, damaged, or does not match catalogue, code or
            configuration.
    """
    catalogue = read_catalogue(config, config_file)
    path = lock_path(catalogue.path)
    lock = read_lock(path)
    wrong = misfits(lock, catalogue)
    if wrong:
        raise ConfigError(f"{path}: does not match its catalogue: {'; '.join(wrong)}; {HOW}")
    folder = catalogue.path.parent
    artifacts = {name: artifact.located(folder) for name, artifact in lock.artifacts.items()}
    for asked in named_artifacts(config):
        if asked.name not in artifacts:
            artifacts[asked.name] = _local(asked, lock, catalogue, config_file)
        elif artifacts[asked.name].kind != asked.kind:
            raise ConfigError(
                f"{asked.key} = {asked.name!r}: is a {artifacts[asked.name].kind}, "
                f"expected a {asked.kind}"
            )
    for name in (*config.score.scorers, *config.score_pairs.scorers):
        make_file = scorer_in(name).make_file
        if make_file is not None:
            settings = {**config.scorers, **config.pair_scorers}[name]
            path = make_file(settings, config_file, cache_folder(config))
            artifacts[made_name(name)] = replace(local_file(path, "index"), name=name)
    return replace(lock, artifacts=artifacts)


def made_name(scorer: str) -> str:
    """Return the name under which a lock has a file that is made for a scorer; no other artifact
    has such a name."""
    return f"{scorer}.file"


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        ConfigError: the file is missing, or its id does not match its contents.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no lock beside the catalogue; {HOW}")
    tables = read_toml(path)
    if tables.keys() != {"id", "code", "artifacts"}:
        raise ConfigError(f"{path}: not a lock file; {HOW}")
    artifacts = {}
    for name, table in tables["artifacts"].items():
        entry = {key: value for key, value in table.items() if key not in ("id", "version")}
        where = f"{path}: [artifacts.{name}]"
        artifacts[name] = artifact_of(name, str(table.get("version")), entry, where)
    lock = lock_of(artifacts, tables["code"])
    if lock.id != tables["id"]:
        raise ConfigError(f"{path}: was changed by hand: its id does not match its contents; {HOW}")
    return lock


def lock_text(lock: Lock) -> str:
    """Return the text of a lock file: sorted, the same for the same contents."""
    lines = [f"id = {_quoted(lock.id)}", "", "[code]"]
    lines += [f"{name} = {_quoted(version)}" for name, version in sorted(lock.code.items())]
    for name, artifact in sorted(lock.artifacts.items()):
        needs = ", ".join(f"{n} = {_quoted(v)}" for n, v in sorted(artifact.needs.items()))
        lines += [
            "",
            f"[artifacts.{name}]",
            f"version = {_quoted(artifact.version)}",
            f"kind = {_quoted(artifact.kind)}",
            f"uri = {_quoted(artifact.uri)}",
            f"sha256 = {_quoted(artifact.sha256)}",
            f"size = {artifact.size}",
            f"licence = {_quoted(artifact.licence)}",
            *([f"needs = {{{needs}}}"] if needs else []),
            f"id = {_quoted(lock.id_of([name]))}",
        ]
    return _HEAD + "\n".join(lines) + "\n"


def misfits(lock: Lock, catalogue: Catalogue, code: Mapping[str, str] = CODE) -> list[str]:
    """List the differences between a lock and catalogue or code; newer versions are not."""
    found = []
    for name, version in sorted(lock.code.items()):
        if code.get(name) != version:
            found.append(
                f"{name} is {code.get(name, 'missing')} in the code, {version} in the lock"
            )
    for name, locked in sorted(lock.artifacts.items()):
        entry = catalogue.artifacts.get(name, {}).get(locked.version)
        if entry is None:
            found.append(f"{name}@{locked.version} is locked but not in the catalogue")
        elif entry != locked:
            found += _differences(entry, locked)
    return found


def unlocked(lock: Lock, asked: Sequence[NamedArtifact]) -> list[str]:
    """List the names in a configuration that are not locked."""
    return [
        f"{a.key} needs {a.name}, which is not locked"
        for a in asked
        if a.name not in lock.artifacts
    ]


def _local(
    asked: NamedArtifact, lock: Lock, catalogue: Catalogue, config_file: Path | None
) -> Artifact:
    path = path_of(asked, config_file)
    if path is not None:
        return local_file(path, asked.kind)
    if asked.name in catalogue.artifacts:
        raise ConfigError(
            f"{asked.key} = {asked.name!r}: is in the catalogue but not in its lock; {HOW}"
        )
    file = ", and no file" if asked.or_file else ""
    names = sorted(name for name, a in lock.artifacts.items() if a.kind == asked.kind)
    raise ConfigError(
        f"{asked.key} = {asked.name!r}: no such artifact{file}; known of kind "
        f"{asked.kind}: {', '.join(names) or 'none'}"
    )


def _differences(entry: Artifact, locked: Artifact) -> list[str]:
    said, has = asdict(entry), asdict(locked)
    return [
        f"{locked.name}@{locked.version}: {key} is {said[key]!r} in the catalogue, "
        f"{has[key]!r} in the lock"
        for key in said
        if said[key] != has[key]
    ]


def _digest(contents: Any) -> str:
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def _quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are valid in TOML."""
    return json.dumps(text, ensure_ascii=False)
