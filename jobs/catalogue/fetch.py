"""Artifacts on the driver: finding what a configuration names, fetching, checking, shipping.

A model, word list or label set is used only if the lock names it, or the configuration names the
file itself; its bytes have to be those that the lock promises. Files are kept in a cache folder
under their digest, so that a second run fetches nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pyspark import SparkContext

from jobs.catalogue.catalogue import Artifact
from jobs.config import Config, ConfigError, NamedArtifact
from udfs.files.artifacts import (
    ArtifactFile,
    cached_copy,
    check_file,
    fetch_checked,
    is_in_store,
    sha256_of,
)
from udfs.files.uris import redact

_UNSAFE = re.compile(r"[^\w.-]")

LOCAL = "local"
"""Version of a file that a configuration names by its path."""


def find_artifact(artifacts: Mapping[str, Artifact], name: str, key: str) -> Artifact:
    """The artifact of a configuration value.

    Raises:
        ConfigError: naming the key, the value and the known names.
    """
    if name not in artifacts:
        known = ", ".join(sorted(artifacts))
        raise ConfigError(f"{key} = {name!r}: no such artifact; locked are {known}")
    return artifacts[name]


def find_artifact_or_file(artifacts: Mapping[str, Artifact], name: str, key: str) -> Artifact:
    """As `find_artifact`, but a path to a file is taken too, under its own digest."""
    path = Path(name)
    if name in artifacts or not path.is_file():
        return find_artifact(artifacts, name, key)
    return local_file(path, "lexicon")


def local_file(path: Path, kind: str) -> Artifact:
    """A file that no catalogue has, under its own digest."""
    size = path.stat().st_size
    uri = str(path.resolve())
    return Artifact(path.name, LOCAL, uri, sha256_of(path), "not stated", kind, size)


def catalogue_entry(path: Path, kind: str) -> str:
    """The lines of the catalogue that a file of one's own makes, but for its name and licence."""
    made = local_file(path, kind)
    return f'kind = "{kind}"\nuri = "{path}"\nsha256 = "{made.sha256}"\nsize = {made.size}'


def path_of(asked: NamedArtifact, config_file: Path | None) -> Path | None:
    """The file that a value names where it names no artifact; None where there is none.

    Relative ones are looked up beside the configuration file, then where the run was started.
    """
    if not asked.or_file:
        return None
    folders = ([] if config_file is None else [config_file.parent]) + [Path()]
    return next((path for folder in folders if (path := folder / asked.name).is_file()), None)


def fetch(artifact: Artifact, config: Config) -> Path:
    """The artifact's file in the cache, fetched if it is not there, its size and digest checked.

    Raises:
        ArtifactMismatch: the bytes are not those that the lock promises.
        ConfigError: there is no such file, or its uri cannot be read.
        OSError: it cannot be had.
    """

    def fetched(target: Path) -> None:
        try:
            fetch_checked(artifact.uri, target, artifact.sha256, artifact.size, artifact.name)
        except FileNotFoundError as error:
            uri = redact(artifact.uri)
            raise ConfigError(f"artifact {artifact.name}: no file {uri}: {error}") from error
        except ValueError as error:
            raise ConfigError(f"artifact {artifact.name}: {error}") from error

    path = cached_copy(cache_folder(config), _file_name(artifact), fetched)
    check_file(path, artifact.sha256, artifact.size, artifact.name)
    return path


def ship(context: SparkContext, artifact: Artifact, config: Config) -> ArtifactFile:
    """Give an artifact to the executors.

    What lies in a store that they reach they read from there, into a cache that the executors of a
    machine share. Any other file is fetched here and handed to ``SparkContext.addFile``: Spark
    fetches it once an executor, under a lock and by a rename, before a task that may use it.
    """
    name = _file_name(artifact)
    file = (artifact.name, artifact.version, name, artifact.sha256, artifact.size)
    if is_in_store(artifact.uri):
        return ArtifactFile(*file, uri=artifact.uri, cache=config.artifacts.cache or "")
    context.addFile(str(fetch(artifact, config)))
    return ArtifactFile(*file)


def cache_folder(config: Config) -> Path:
    """Where fetched artifacts lie on a machine."""
    if config.artifacts.cache is not None:
        return Path(config.artifacts.cache).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "taojin"


def _file_name(artifact: Artifact) -> str:
    """A name that changes with the content; what follows a ? may be a signature and is left out."""
    name = artifact.uri.partition("?")[0].rsplit("/", 1)[-1]
    return f"{artifact.sha256[:16]}-{_UNSAFE.sub('_', name)}"
