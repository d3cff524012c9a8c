"""Loading a configuration: defaults, rule pack, file and ``--set`` in layers, checked as a whole.

A run is described by one TOML file and ``--set section.key=value``. Every key has a default, so
the empty file is a valid configuration. An unknown key, a value of the wrong type, a word outside
its choices or a number outside its bounds stops the run on the driver before Spark starts.

TOML has no null: the word ``"off"`` switches an optional limit off (``0`` is a limit). A value is
that of ``--set``, else of the file, else of the rule pack, else the default.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.config.packs import pack_layer, read_toml
from jobs.config.scorers import declared, quality_scorers
from jobs.config.settings import Config, RulesConfig
from jobs.config.values import check_pairs, with_tables
from udfs.base.settings import ConfigError


def load_config(path: Path | None, settings: Sequence[str] = ()) -> Config:
    """Read a TOML file and ``section.key=value`` settings into a Config.

    Args:
        path: The file; None gives the defaults.
        settings: Later ones win, and all win over the file.
    Returns:
        The configuration with the rule pack's values; rules.pack is None without a pack.
    Raises:
        ConfigError: unreadable file, unknown key, wrong type, a word outside its choices, or a
            number outside its bounds.
    """
    layers = [] if path is None else [(str(path), read_toml(path))]
    layers += [(f"--set {setting}", _parse_setting(setting)) for setting in settings]
    # The layers' own [rules] first: they name the pack.
    rules = Config().rules
    for where, tables in layers:
        rules = with_tables(Config(rules=rules), _without_conditions(tables), where).rules
    pack = pack_layer(rules, layers, path)
    config = Config()
    for where, tables in [*([] if pack is None else [pack]), *layers]:
        config = with_tables(config, tables, where)
    if config.rules.mode == "casia-exact" and config.rules.conditions:
        raise ConfigError(
            f"rules.mode = 'casia-exact': makes the published decisions only; remove "
            f"rules.conditions: {', '.join(config.rules.conditions)}"
        )
    check_pairs(config)
    _check_casia_edits_nothing(config.rules)
    _check_dedup(config)
    _check_scorers(config)
    if pack is None:
        config = dataclasses.replace(config, rules=dataclasses.replace(config.rules, pack=None))
    return config


def _check_dedup(config: Config) -> None:
    """Check keys of [dedup] that depend on each other or on [score]."""
    dedup = config.dedup
    if (dedup.signature_store is None) != (dedup.snapshot is None):
        raise ConfigError(
            f"dedup.signature_store = {dedup.signature_store!r}, dedup.snapshot = "
            f"{dedup.snapshot!r}: set both or none"
        )
    if dedup.needs_scores() and config.score.rows != "all":
        raise ConfigError(
            f"dedup.keep = {dedup.keep!r}, dedup.url_keep = {dedup.url_keep!r}: best needs "
            f"score.rows = 'all', it is {config.score.rows!r}: texts must be scored before "
            "duplicates are searched"
        )


def _check_scorers(config: Config) -> None:
    """Check names of scorers, and the conditions of cutting documents to segments."""
    known = declared()
    for name in config.score.scorers:
        if name not in known:
            raise ConfigError(f"score.scorers: unknown {name!r}; known: {', '.join(known)}")
    quality_from = config.select.quality_from
    if quality_from not in quality_scorers():
        raise ConfigError(
            f"select.quality_from = {quality_from!r}: expected a scorer with a score from 0 to 1: "
            f"{', '.join(quality_scorers())}"
        )
    for name, limits in config.limits.items():
        cut = known[name].cut
        if cut is not None and getattr(limits, cut.key) is not None:
            _check_cut(config, name, f"select.{cut.key} = {getattr(limits, cut.key)}")


def _check_cut(config: Config, scorer: str, setting: str) -> None:
    """Check that documents can be cut by a scorer's segments: of the text as it is when it is cut.

    Args:
        setting: The setting that cuts, for messages.
    """
    dedup = config.dedup
    if scorer not in config.score.scorers:
        raise ConfigError(
            f"{setting}: score.scorers = {list(config.score.scorers)} has no {scorer}"
        )
    cuts_paragraphs = "paragraph" in dedup.levels and dedup.paragraph_policy != "measure"
    if cuts_paragraphs and config.score.rows == "all":
        raise ConfigError(
            f"{setting}: with paragraphs cut (dedup.levels) it needs score.rows = 'survivors': "
            "segments that are scored before have other places in the text"
        )


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, value = setting.partition("=")
    section, *keys = name.strip().split(".")
    if not (equals and section and keys and all(keys)):
        raise ConfigError(f"--set {setting}: expected section.key=value")
    parsed = parse_value(value.strip())
    for key in reversed(keys):
        parsed = {key: parsed}
    return {section: parsed}


def parse_value(value: str) -> Any:
    """Return a TOML value; other text is a string, so that words need no quotes."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _check_casia_edits_nothing(rules: RulesConfig) -> None:
    """Check that mode casia-exact leaves texts as they are, as the published decisions need.

    ``repair`` is on by default, and has no effect in that mode.
    """
    edits = {"traditional_policy": "convert", "pii_policy": "mask"}
    for key, value in edits.items():
        if rules.mode == "casia-exact" and getattr(rules, key) == value:
            raise ConfigError(
                f"rules.{key} = {value!r}: rules.mode = 'casia-exact' never changes a text; "
                "set another policy or mode fixed"
            )


def _without_conditions(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The [rules] of a layer without conditions, which may refer to the pack's."""
    rules = tables.get("rules", {})
    if isinstance(rules, dict):
        rules = {key: value for key, value in rules.items() if key != "conditions"}
    return {"rules": rules}
