"""The artifact catalogue: every model, word list and label set, in all its versions."""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jobs.config import Config, ConfigError
from udfs.base import model_constants
from udfs.files.artifacts import stamp_of

KINDS = ("model", "tokenizer", "lexicon", "taxonomy", "hosts", "stopwords", "rubric")

CODE = {
    "segmentation": model_constants.SEGMENTATION,
    "form_tokens": model_constants.FORM_TOKENS,
    "shape_tokens": model_constants.SHAPE_TOKENS,
    "folding": model_constants.FOLDING,
}
"""Code that artifacts may need: name -> version, which only the code decides."""

_KEYS = {"kind": str, "uri": str, "sha256": str, "size": int, "licence": str}
_NEEDS = "needs"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Artifact:
    """One version of an artifact."""

    name: str
    version: str
    uri: str
    sha256: str
    licence: str
    kind: str = "model"
    size: int | None = None
    """Bytes; None if unknown."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Name of an artifact or of code -> specifiers of the versions that this one works with."""

    @property
    def stamp(self) -> str:
        """Name, version and the start of the digest, as in tables and messages."""
        return stamp_of(self.name, self.version, self.sha256)

    def located(self, folder: Path) -> Artifact:
        """Return the artifact with a relative uri resolved against a folder."""
        if "://" in self.uri:
            return self
        return replace(self, uri=str((folder / self.uri).resolve()))


@dataclass(frozen=True)
class Catalogue:
    """A catalogue file."""

    path: Path
    artifacts: dict[str, dict[str, Artifact]]
    """Name -> version -> artifact, with its uri as written."""


def read_catalogue(config: Config, config_file: Path | None) -> Catalogue:
    """Read the catalogue that the configuration names.

    Args:
        config_file: A relative catalogue path is looked up beside it, then in the bundled conf.
    Raises:
        ConfigError: the file does not exist or is not TOML; a wrong name, version, key or value.
    """
    path = find_catalogue(config.artifacts.catalogue, config_file)
    tables = read_toml(path)
    return Catalogue(path, {name: _versions(name, table, path) for name, table in tables.items()})


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def find_catalogue(name: str, config_file: Path | None) -> Path:
    """Find a catalogue: beside the configuration file, else in the bundled conf.

    Raises:
        ConfigError: it is in neither.
    """
    if config_file is not None and (config_file.parent / name).is_file():
        return config_file.parent / name
    path = bundled_conf() / name
    if not path.is_file():
        raise ConfigError(
            f"artifacts.catalogue = {name!r}: no such file beside the configuration, nor in "
            f"{path.parent}"
        )
    return path


def bundled_conf() -> Path:
    """Return the conf folder of a checkout, an installation or a zip."""
    checkout = Path(__file__).resolve().parents[2] / "conf"
    if (checkout / "artifacts.toml").is_file():
        return checkout
    bundled = files("jobs") / "bundled"
    if isinstance(bundled, Path):
        return bundled
    unpacked = Path(tempfile.mkdtemp(prefix="taojin-conf-"))  # code runs from inside a wheel
    _unpack(bundled, unpacked)
    return unpacked


def artifact_of(name: str, version: str, table: Any, where: str) -> Artifact:
    """Parse one entry of a catalogue or a lock. Raises ConfigError."""
    if not isinstance(table, dict) or table.keys() - {_NEEDS} != _KEYS.keys():
        raise ConfigError(
            f"{where}: expected the keys {', '.join(_KEYS)} and, if it needs others, {_NEEDS}; "
            "quote a version that has dots"
        )
    for key, kind in _KEYS.items():
        if not isinstance(table[key], kind) or isinstance(table[key], bool):
            raise ConfigError(f"{where}: {key} = {table[key]!r}: expected {kind.__name__}")
    if table["kind"] not in KINDS:
        raise ConfigError(f"{where}: kind = {table['kind']!r}: expected one of {', '.join(KINDS)}")
    if not _SHA256.fullmatch(table["sha256"]):
        raise ConfigError(f"{where}: sha256 = {table['sha256']!r}: expected 64 hex digits")
    if table["size"] < 1:
        raise ConfigError(f"{where}: size = {table['size']}: expected 1 or more")
    for key in ("uri", "licence"):
        if not table[key] or not table[key].isprintable():
            raise ConfigError(f"{where}: {key} = {table[key]!r}: expected printable text")
    needs = table.get(_NEEDS, {})
    if not isinstance(needs, dict) or not all(isinstance(value, str) for value in needs.values()):
        raise ConfigError(f"{where}: needs = {needs!r}: expected NAME = 'SPECIFIERS'")
    return Artifact(
        name,
        version,
        table["uri"],
        table["sha256"],
        table["licence"],
        table["kind"],
        table["size"],
        dict(sorted(needs.items())),
    )


def _versions(name: str, table: Any, path: Path) -> dict[str, Artifact]:
    where = f"{path}: [{name}]"
    if not _NAME.fullmatch(name) or name in CODE:
        raise ConfigError(f"{where}: expected a name in snake_case other than {', '.join(CODE)}")
    if not isinstance(table, dict) or not table:
        raise ConfigError(f"{where}: expected a table [{name}.VERSION]")
    for version in table:
        if not _VERSION.fullmatch(version):
            raise ConfigError(
                f"{path}: [{name}.{version}]: expected [NAME.VERSION], a version such as 1.2"
            )
    return {
        version: artifact_of(name, version, entry, f"{path}: [{name}.{version}]")
        for version, entry in table.items()
    }


def _unpack(folder: Traversable, target: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir():
            (target / item.name).mkdir()
            _unpack(item, target / item.name)
        else:
            (target / item.name).write_bytes(item.read_bytes())
