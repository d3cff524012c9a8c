"""Language packs: folders with all that a language says, whose values come before every other layer
but the defaults.

``language.toml`` has a table [language], and keys of the sections that work on texts. A file that
it names lies in its folder, or is an artifact.
"""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jobs.config.packs import PACK_KEYS, read_toml
from jobs.config.scorers import declared, declared_pairs
from jobs.config.sections import artifact_keys, section_types
from jobs.config.settings import Config
from udfs.base.settings import ConfigError

LANGUAGE = "language"
_FILE = "language.toml"
_SECTIONS = frozenset(
    {LANGUAGE, "extract", "rules", "dedup", "score", "select", "pair_rules", "interleave"}
)
"""Sections that a pack may set, beside those of scorers."""

Layer = tuple[str, dict[str, Any]]
"""File or name of a layer, for messages, and its tables."""


def bundled_languages() -> dict[str, Traversable]:
    """Name -> folder of the language packs that come with the code."""
    checkout = Path(__file__).resolve().parents[2] / "conf" / "languages"
    bundled = files("jobs") / "bundled" / "languages"  # installed, or in a zip
    folder: Traversable = checkout if checkout.is_dir() else bundled
    found = [one for one in folder.iterdir() if one.is_dir() and one.joinpath(_FILE).is_file()]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def language_layer(name: str, config_file: Path | None) -> Layer:
    """Return the layer of a language pack.

    Args:
        name: ``language.pack``.
        config_file: A pack's path may be relative to it.
    Raises:
        ConfigError: no such pack, a section that is not a pack's, or a tokenizer that is not
            installed.
    """
    where, folder, tables = _read(name, config_file)
    known = _SECTIONS | declared().keys()
    if surplus := [section for section in tables if section not in known]:
        raise ConfigError(
            f"{where}: [{surplus[0]}] is not of a language; its sections: "
            f"{', '.join(sorted(known))}"
        )
    own = tables.get(LANGUAGE)
    if not isinstance(own, dict) or "pack" in own:
        raise ConfigError(f"{where}: expected a table [{LANGUAGE}], without the key pack")
    return where, {
        section: _with_paths(section, table, folder) for section, table in tables.items()
    }


def tokenizer_layer(config: Config) -> Layer:
    """Return the layer that gives every scorer's ``segmentation`` the language's tokenizer.

    Raises:
        ConfigError: it is not installed.
    """
    tokenizer = config.language.tokenizer
    if tokenizer in ("rjieba", "jieba") and importlib.util.find_spec(tokenizer) is None:
        raise ConfigError(
            f"language.tokenizer = {tokenizer!r}: not installed; pip install {tokenizer}"
        )
    tables = {
        name: {"segmentation": tokenizer}
        for name, settings in config.scorers.items()
        if hasattr(settings, "segmentation")
    }
    return f"language.tokenizer = {tokenizer!r}", tables


def spelled_out(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer's tables with ``language = "NAME"`` as the table that it stands for."""
    named = tables.get(LANGUAGE)
    return {**tables, LANGUAGE: {"pack": named}} if isinstance(named, str) else dict(tables)


def check_models(config: Config) -> None:
    """Check that the scorers that run have a model for the language.

    Raises:
        ConfigError: one has only its bundled model, which is of other languages.
    """
    for name in config.score.scorers:
        settings = config.scorers[name]
        artifact = getattr(settings, "artifact", None)
        is_bundled = artifact is not None and artifact == type(settings)().artifact
        if is_bundled and not config.language.has_model(name):
            raise ConfigError(
                f"score.scorers = {list(config.score.scorers)}: {name} has no model for the "
                f"language {config.language.pack!r} (language.scorers = "
                f"{list(config.language.scorers or ())}); leave it out, or set {name}.artifact to "
                "a model of your own"
            )


def check_pair_measures(config: Config) -> None:
    """Check that the tokenizer of the language gives what rules and scorers of pairs look at.

    Raises:
        ConfigError: it gives no words or no nouns.
    """
    if not config.extract.pairs:
        return
    language, limits = config.language.text_language, config.pair_rules
    has_words = language.has_nouns or language.has_blanks
    keys = {
        "min_nouns": language.has_nouns, "min_words": has_words, "max_words": has_words,
    }  # fmt: skip
    lacking = f"which the tokenizer {language.tokenizer!r} of language {config.language.pack!r}"
    for key, is_there in keys.items():
        if not is_there and getattr(limits, key) is not None:
            raise ConfigError(
                f"pair_rules.{key} = {getattr(limits, key)}: needs {key[4:]}, {lacking} does not "
                f"give; set pair_rules.{key} = 'off'"
            )
    for name in config.score_pairs.scorers:
        if declared_pairs()[name].reads_nouns and not language.has_nouns:
            raise ConfigError(
                f"score_pairs.scorers = {list(config.score_pairs.scorers)}: {name} needs nouns, "
                f"{lacking} does not give; leave it out"
            )


def _read(name: str, config_file: Path | None) -> tuple[str, Path | None, dict[str, Any]]:
    """Return a pack's file or name, its folder where that is one of this machine, its tables."""
    bundled = bundled_languages()
    if name in bundled:
        text = bundled[name].joinpath(_FILE).read_text(encoding="utf-8")
        return f"language {name}", None, tomllib.loads(text)
    folders: Sequence[Path] = [Path(), *([] if config_file is None else [config_file.parent])]
    found = [path for folder in reversed(folders) if (path := folder / name / _FILE).is_file()]
    if not found:
        raise ConfigError(
            f"language.pack = {name!r}: no such pack, and no folder with {_FILE}; known packs: "
            f"{', '.join(bundled)}"
        )
    return str(found[0]), found[0].parent, read_toml(found[0])


def _with_paths(section: str, table: Any, folder: Path | None) -> Any:
    """A section's table with the files of the pack's folder by their whole paths."""
    if folder is None or not isinstance(table, dict):
        return table
    names_files = {
        key
        for part in section_types().get(section, ())
        for key, mark in artifact_keys(part).items()
        if mark.or_file
    } | ({"pack"} if section in PACK_KEYS else set())
    return {
        key: _located(value, folder) if key in names_files else value
        for key, value in table.items()
    }


def _located(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_located(item, folder) for item in value]
    is_file = isinstance(value, str) and (folder / value).is_file()
    return str((folder / value).resolve()) if is_file else value
