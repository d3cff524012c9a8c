"""Rule packs: files with a ``[rules]`` table, whose values come before those of the run's file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jobs.config.settings import Config, RulesConfig
from jobs.config.values import with_tables
from udfs.base.settings import ConfigError

_TOML = ".toml"


def bundled_packs() -> dict[str, Traversable]:
    """Name -> file of the rule packs that come with the code."""
    checkout = Path(__file__).resolve().parents[2] / "conf" / "packs"
    bundled = files("jobs") / "bundled" / "packs"  # installed, or in a zip
    found = (checkout if checkout.is_dir() else bundled).iterdir()
    packs = {file.name.removesuffix(_TOML): file for file in found if file.name.endswith(_TOML)}
    return dict(sorted(packs.items()))


def pack_layer(
    rules: RulesConfig, layers: Sequence[tuple[str, Mapping[str, Any]]], path: Path | None
) -> tuple[str, dict[str, Any]] | None:
    """Return the layer of the rule pack: its file or name, and its tables; None without a pack.

    Args:
        rules: The [rules] of defaults and layers, without the pack.
        layers: The run's file and settings.
        path: The run's file; a pack's path may be relative to it.
    Raises:
        ConfigError: no such pack, other tables than [rules], or a pack for another mode.
    """
    is_named = any("pack" in tables.get("rules", {}) for _, tables in layers)
    if rules.pack is None or (rules.mode == "casia-exact" and not is_named):
        return None
    where, tables = _read_pack(rules.pack, path)
    surplus = [name for name in tables if name != "rules"]
    own = tables.get("rules", {})
    if surplus or not isinstance(own, dict) or "pack" in own:
        raise ConfigError(
            f"{where}: a rule pack has one table [rules], with the keys of a run's except pack"
        )
    pack = with_tables(Config(), tables, where).rules
    if pack.mode == "casia-exact" and pack.conditions:
        raise ConfigError(
            f"{where}: mode = 'casia-exact' makes the published decisions only; remove its "
            f"conditions: {', '.join(pack.conditions)}"
        )
    if rules.mode == "casia-exact" and pack.mode != "casia-exact":
        raise ConfigError(
            f"rules.pack = {rules.pack!r}: is a pack for mode fixed; with rules.mode = "
            "'casia-exact' set rules.pack = 'off'"
        )
    return where, tables


def _read_pack(name: str, config_file: Path | None) -> tuple[str, dict[str, Any]]:
    """Return a pack's file or name, and its tables."""
    packs = bundled_packs()
    if name in packs:
        return f"rules.pack {name}", tomllib.loads(packs[name].read_text(encoding="utf-8"))
    folders = [Path(), *([] if config_file is None else [config_file.parent])]
    found = [path for folder in reversed(folders) if (path := folder / name).is_file()]
    if not found:
        raise ConfigError(
            f"rules.pack = {name!r}: no such pack or file; known packs: {', '.join(packs)}"
        )
    return str(found[0]), read_toml(found[0])


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises ConfigError naming it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
