"""Rule packs: files with a table of rules, whose values come before those of the run's file."""

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

PACK_KEYS: Mapping[str, tuple[str, ...]] = {"rules": ("pack", "mode"), "pair_rules": ("pack",)}
"""Sections that have packs -> the keys that decide where values of their other keys come from."""

_TOML = ".toml"
_FOLDERS: Mapping[str, tuple[str, ...]] = {"rules": (), "pair_rules": ("pairs",)}


def bundled_packs(section: str = "rules") -> dict[str, Traversable]:
    """Name -> file of a section's rule packs that come with the code."""
    checkout = Path(__file__).resolve().parents[2] / "conf" / "packs"
    bundled = files("jobs") / "bundled" / "packs"  # installed, or in a zip
    folder = checkout if checkout.is_dir() else bundled
    found = folder.joinpath(*_FOLDERS[section]).iterdir()
    packs = {file.name.removesuffix(_TOML): file for file in found if file.name.endswith(_TOML)}
    return dict(sorted(packs.items()))


def pack_layer(
    config: Config,
    section: str,
    layers: Sequence[tuple[str, Mapping[str, Any]]],
    path: Path | None,
) -> tuple[str, dict[str, Any]] | None:
    """Return the layer of a rule pack: its file or name, and its tables; None without a pack.

    Args:
        config: Has the section's values of defaults and layers, without the pack.
        section: A key of PACK_KEYS.
        layers: The run's file and settings.
        path: The run's file; a pack's path may be relative to it.
    Raises:
        ConfigError: no such pack, other tables than the section, or a pack for another mode.
    """
    is_named = any("pack" in tables.get(section, {}) for _, tables in layers)
    is_exact = section == "rules" and config.rules.mode == "casia-exact"
    name = getattr(config, section).pack
    if name is None or (is_exact and not is_named):
        return None
    where, tables = _read_pack(section, name, path)
    surplus = [other for other in tables if other != section]
    own = tables.get(section, {})
    if surplus or not isinstance(own, dict) or "pack" in own:
        raise ConfigError(
            f"{where}: a rule pack has one table [{section}], with the keys of a run's except pack"
        )
    of_pack = with_tables(Config(), tables, where)
    if section == "rules":
        _check_mode(config.rules, of_pack.rules, where)
    return where, tables


def _check_mode(rules: RulesConfig, pack: RulesConfig, where: str) -> None:
    """Check that a pack of [rules] fits the mode.

    Args:
        rules: The section without the pack.
        pack: The pack's values over the defaults.
    """
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


def _read_pack(section: str, name: str, config_file: Path | None) -> tuple[str, dict[str, Any]]:
    """Return a pack's file or name, and its tables."""
    packs = bundled_packs(section)
    if name in packs:
        return f"{section}.pack {name}", tomllib.loads(packs[name].read_text(encoding="utf-8"))
    folders = [Path(), *([] if config_file is None else [config_file.parent])]
    found = [path for folder in reversed(folders) if (path := folder / name).is_file()]
    if not found:
        raise ConfigError(
            f"{section}.pack = {name!r}: no such pack or file; known packs: {', '.join(packs)}"
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
