"""Artifacts on the driver: find, fetch, check and ship what a configuration names.

A model, word list or label set is used only if it is locked, or if the configuration names the file
itself; its bytes must have the digest in the lock. Files are cached under their digest, so a second
run fetches nothing.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from pyspark import SparkContext

from jobs.catalogue.catalogue import Artifact
from jobs.config import Config, ConfigError, NamedArtifact
from udfs.files.artifact_cache import cached_copy
from udfs.files.artifacts import ArtifactFile, check_file, fetch_checked, is_in_store, sha256_of
from udfs.files.uris import redact

_LOG = logging.getLogger("taojin")
_UNSAFE = re.compile(r"[^\w.-]")

LOCAL = "local"
"""Version of a file that a configuration names by path."""


def find_artifact(artifacts: Mapping[str, Artifact], name: str, key: str) -> Artifact:
    """Return the locked artifact that a configuration value names.

    Raises:
        ConfigError: naming the key, the value and the known names.
    """
    if name not in artifacts:
        known = ", ".join(sorted(artifacts))
        raise ConfigError(f"{key} = {name!r}: not a locked artifact; known: {known}")
    return artifacts[name]


def find_artifact_or_file(artifacts: Mapping[str, Artifact], name: str, key: str) -> Artifact:
    """Like `find_artifact`, but also accept a path to a file."""
    path = Path(name)
    if name in artifacts or not path.is_file():
        return find_artifact(artifacts, name, key)
    return local_file(path, "lexicon")


def local_file(path: Path, kind: str) -> Artifact:
    """Return a file outside the catalogue as an artifact."""
    size = path.stat().st_size
    uri = str(path.resolve())
    return Artifact(path.name, LOCAL, uri, sha256_of(path), "not stated", kind, size)


def catalogue_entry(path: Path, kind: str) -> str:
    """Return the catalogue's lines for a user's file, without name and licence."""
    made = local_file(path, kind)
    return f'kind = "{kind}"\nuri = "{path}"\nsha256 = "{made.sha256}"\nsize = {made.size}'


def path_of(asked: NamedArtifact, config_file: Path | None) -> Path | None:
    """Return the file that a value names; None if there is none.

    A relative path is looked up beside the configuration file, then in the working folder.
    """
    if not asked.or_file:
        return None
    folders = ([] if config_file is None else [config_file.parent]) + [Path()]
    return next((path for folder in folders if (path := folder / asked.name).is_file()), None)


def fetch(artifact: Artifact, config: Config) -> Path:
    """Return the artifact's file in the cache, fetched if missing, with size and digest checked.

    Raises:
        ArtifactMismatch: size or digest differ from the lock.
        ConfigError: the file does not exist, or its uri is wrong.
        OSError: reading or writing failed.
    """

    def fetched(target: Path) -> None:
        if "://" in artifact.uri and not artifact.uri.startswith("file:"):
            size = "" if artifact.size is None else f", {artifact.size / 1e6:,.1f} MB"
            _LOG.info("fetching artifact %s%s: %s", artifact.name, size, redact(artifact.uri))
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


def known_path(artifact: Artifact, config: Config) -> Path | None:
    """Return the artifact's file where it is on this machine, fetched earlier or not; else None."""
    paths = (Path(artifact.uri), cache_folder(config) / _file_name(artifact))
    return next((path for path in paths if path.is_file()), None)


def ship(context: SparkContext, artifact: Artifact, config: Config) -> ArtifactFile:
    """Make an artifact available to the executors.

    Executors read a file in an object store themselves, into a cache that those of one machine
    share. Any other file is fetched here and passed to ``SparkContext.addFile``: Spark copies it
    once per executor, under a lock and by a rename, before the first task that may use it.
    """
    name = _file_name(artifact)
    file = (artifact.name, artifact.version, name, artifact.sha256, artifact.size)
    if is_in_store(artifact.uri):
        return ArtifactFile(*file, uri=artifact.uri, cache=config.artifacts.cache or "")
    context.addFile(str(fetch(artifact, config)))
    return ArtifactFile(*file)


def cache_folder(config: Config) -> Path:
    """Return the folder of fetched artifacts on this machine."""
    if config.artifacts.cache is not None:
        return Path(config.artifacts.cache).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "taojin"


def _file_name(artifact: Artifact) -> str:
    """Return a name that changes with the content, without a query, which may be a signature."""
    name = artifact.uri.partition("?")[0].rsplit("/", 1)[-1]
    return f"{artifact.sha256[:16]}-{_UNSAFE.sub('_', name)}"
