"""Loading a configuration: defaults, rule pack, file and ``--set`` in layers, checked as a whole.

A run is described by one TOML file and ``--set section.key=value``. Every key has a default, so
the empty file is a valid configuration. An unknown key, a value of the wrong type, a word outside
its choices or a number outside its bounds stops the run on the driver before Spark starts.

TOML has no null: the word ``"off"`` switches an optional limit off (``0`` is a limit). A value is
that of ``--set``, else the one that the output remembers, else of the file, else of the rule pack,
else of the language pack, else the default.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.config.languages import (
    LANGUAGE,
    check_models,
    check_pair_measures,
    language_layer,
    spelled_out,
    tokenizer_layer,
)
from jobs.config.packs import PACK_KEYS, pack_layer, read_toml
from jobs.config.remembered import Remembered, remembered_values, toml_value
from jobs.config.scorers import declared, declared_pairs, how_to_run, quality_scorers
from jobs.config.sections import parts_of, with_parts
from jobs.config.settings import Config, RulesConfig
from jobs.config.values import check_pairs, with_tables
from udfs.base.settings import ConfigError

_LANGUAGE = re.compile(r"\b(?:language|second_language|second_language_score)\b")
"""Measures that only a second identifier gives."""


def load_config(
    path: Path | None, settings: Sequence[str] = (), remembered: Remembered | None = None
) -> Config:
    """Read a TOML file and ``section.key=value`` settings into a Config.

    Args:
        path: The file; None gives the defaults.
        settings: Later ones win, and all win over the file.
        remembered: The settings of an output, which win over the file, and lose to `settings`.
    Returns:
        The configuration with the rule packs' values; a section's pack is None without one.
    Raises:
        ConfigError: unreadable file, unknown key, wrong type, a word outside its choices, or a
            number outside its bounds.
    """
    asked = [(f"--set {setting}", _parse_setting(setting)) for setting in settings]
    if remembered is not None:
        remembered = remembered.under([tables for _, tables in asked], path)
    config = _layered(path, remembered, asked)
    if config.rules.mode == "casia-exact" and config.rules.conditions:
        raise ConfigError(
            f"rules.mode = 'casia-exact': makes the published decisions only; remove "
            f"rules.conditions: {', '.join(config.rules.conditions)}"
        )
    check_pairs(config)
    _check_casia_edits_nothing(config.rules)
    _check_second_identifier(config.rules)
    _check_dedup(config)
    _check_scorers(config)
    _check_pair_scorers(config)
    check_pair_measures(config)
    check_models(with_running_scorers(config))
    config.select.check()
    return config


def with_running_scorers(config: Config) -> Config:
    """Return a configuration whose score.scorers has those too that run by their own settings."""
    listed = config.score.scorers
    further = [
        name
        for name, scorer in declared().items()
        if name not in listed and scorer.runs_anyway(config.scorers[name])
    ]
    if not further:
        return config
    score = dataclasses.replace(config.score, scorers=(*listed, *further))
    return dataclasses.replace(config, score=score)


def kept_over_file(
    path: Path, settings: Sequence[str], config: Config
) -> list[tuple[str, str, str]]:
    """List the settings of a file that lost to those that an output remembers.

    Args:
        settings: Those of ``--set``, which are not listed.
        config: What `load_config` made of all three.
    Returns:
        ``section.key``, the value that holds and the file's, as TOML.
    """
    tables = spelled_out(read_toml(path))
    asked = [_parse_setting(setting) for setting in settings]
    holds, of_file = remembered_values(config), remembered_values(_layered(path, None, []))
    return [
        (f"{section}.{key}", toml_value(values[key]), toml_value(of_file[section][key]))
        for section, values in holds.items()
        for key in values
        if key in tables.get(section, {})
        and values[key] != of_file[section][key]
        and not any(key in of_set.get(section, {}) for of_set in asked)
    ]


def _layered(
    path: Path | None, remembered: Remembered | None, asked: Sequence[tuple[str, dict[str, Any]]]
) -> Config:
    """Put defaults, language pack, rule pack, file, remembered settings and those of ``--set`` in
    layers."""
    of_file = [] if path is None else [(str(path), spelled_out(read_toml(path)))]
    kept = [] if remembered is None else [(remembered.where, dict(remembered.tables))]
    layers = [*of_file, *kept, *asked]
    # The layers' own sections first: they name the packs.
    named = Config()
    for where, tables in layers:
        own = {section: table for section, table in tables.items() if section == LANGUAGE}
        named = with_tables(named, own, where)
    is_known = remembered is not None and remembered.is_whole
    language = [] if is_known else [language_layer(named.language.pack, path)]
    naming = Config()
    for where, tables in [*language, *layers]:
        naming = with_tables(naming, _without_conditions(tables), where)
    whole = frozenset() if remembered is None else remembered.whole_sections
    packs = {
        section: pack_layer(naming, section, layers, path)
        for section in PACK_KEYS
        if section not in whole
    }
    config = Config()
    lowest = [] if is_known else [tokenizer_layer(naming), *language]
    for where, tables in [*lowest, *filter(None, packs.values()), *of_file]:
        # The file's conditions may refer to a pack that is not read.
        tables = {section: table for section, table in tables.items() if section not in whole}
        config = with_tables(config, tables, where)
    for where, tables in kept:
        config = with_tables(_without_mappings(config, tables), tables, where)
    for where, tables in asked:
        config = with_tables(config, tables, where)
    for section, pack in packs.items():
        if pack is None:
            without = dataclasses.replace(getattr(config, section), pack=None)
            config = dataclasses.replace(config, **{section: without})
    return config


def _without_mappings(config: Config, tables: Mapping[str, Any]) -> Config:
    """Empty the mappings that remembered tables have whole; a layer else adds entries to them."""
    for section, table in tables.items():
        if section in PACK_KEYS and "pack" not in table:
            continue  # these conditions are added to those of another pack
        parts = tuple(
            dataclasses.replace(
                part,
                **{
                    field.name: {}
                    for field in dataclasses.fields(part)
                    if field.name in table and isinstance(getattr(part, field.name), Mapping)
                },
            )
            for part in parts_of(config, section)
        )
        config = with_parts(config, section, parts)
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
    if dedup.needs_scores() and config.select.quality_from is None:
        raise ConfigError(
            f"dedup.keep = {dedup.keep!r}, dedup.url_keep = {dedup.url_keep!r}: best needs "
            "select.quality_from, which is off"
        )


def _check_scorers(config: Config) -> None:
    """Check names of scorers, and the conditions of cutting documents to segments."""
    known = declared()
    for name in config.score.scorers:
        if name not in known:
            raise ConfigError(f"score.scorers: unknown {name!r}; known: {', '.join(known)}")
    quality_from = config.select.quality_from
    if quality_from is not None and quality_from not in quality_scorers():
        raise ConfigError(
            f"select.quality_from = {quality_from!r}: expected a scorer with a score from 0 to 1: "
            f"{', '.join(quality_scorers())}"
        )
    cuts = []
    for name, limits in config.limits.items():
        cut, passages = known[name].cut, known[name].passages
        if cut is not None and getattr(limits, cut.key) is not None:
            cuts.append((name, f"select.{cut.key} = {getattr(limits, cut.key)}"))
        if passages is not None and passages.is_on(limits):
            cuts.append((name, f"select.{passages.key} = {passages.when!r}"))
    for name, setting in cuts:
        _check_cut(with_running_scorers(config), name, setting)
    if len(cuts) > 1:
        raise ConfigError(
            f"{', '.join(setting for _, setting in cuts)}: only one of them can cut documents: "
            "each looks at the text as it was scored"
        )


def _check_pair_scorers(config: Config) -> None:
    """Check names of scorers of pairs, and that those run that others or limits need."""
    known, running = declared_pairs(), config.score_pairs.scorers
    for name in running:
        if name not in known:
            raise ConfigError(
                f"score_pairs.scorers: unknown {name!r}; known: {', '.join(known) or 'none'}"
            )
        settings = config.pair_scorers
        needs = known[name].needs(settings[name])
        for needed in needs:
            if needed not in running:
                raise ConfigError(
                    f"score_pairs.scorers = {list(running)}: {name} needs {needed} too"
                )
        known[name].check_needed(settings[name], {needed: settings[needed] for needed in needs})
    for name, limits in config.pair_limits.items():
        for key in known[name].limits_in_use(limits) if name not in running else ():
            raise ConfigError(
                f"select_pairs.{key} = {getattr(limits, key)!r}: score_pairs.scorers = "
                f"{list(running)} has no {name}"
            )


def _check_cut(config: Config, scorer: str, setting: str) -> None:
    """Check that documents can be cut by a scorer's segments: of the text as it is when it is cut.

    Args:
        setting: The setting that cuts, for messages.
    """
    dedup = config.dedup
    if scorer not in config.score.scorers:
        raise ConfigError(
            f"{setting}: score.scorers = {list(config.score.scorers)} has no {scorer}"
            f"{how_to_run(scorer)}"
        )
    cuts_paragraphs = "paragraph" in dedup.levels and dedup.paragraph_policy != "measure"
    if cuts_paragraphs and config.score.rows == "all":
        raise ConfigError(
            f"{setting}: with paragraphs cut (dedup.levels) it needs score.rows = 'survivors': "
            "what is scored before has other places in the text"
        )


def _parse_setting(setting: str) -> dict[str, Any]:
    name, equals, value = setting.partition("=")
    section, *keys = name.strip().split(".")
    if equals and section == LANGUAGE and not keys:
        keys = ["pack"]
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


def _check_second_identifier(rules: RulesConfig) -> None:
    """Check that what compares two identifiers of languages has a second one."""
    if rules.second_identifier is not None:
        if rules.mode == "casia-exact":
            raise ConfigError(
                f"rules.second_identifier = {rules.second_identifier!r}: rules.mode = "
                "'casia-exact' makes the published decisions only; set it off"
            )
        return
    needing = [name for name, sql in rules.conditions.items() if _LANGUAGE.search(sql)]
    if rules.language_disagreement == "reject":
        needing.append("language_disagreement")
    if needing:
        raise ConfigError(
            f"rules: {', '.join(needing)} needs a second identifier: set "
            "rules.second_identifier = 'cld3'"
        )


def _without_conditions(tables: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's sections with packs, without conditions, which may refer to those of the packs."""
    return {
        section: {key: value for key, value in table.items() if key != "conditions"}
        if isinstance(table, dict)
        else table
        for section, table in tables.items()
        if section in (*PACK_KEYS, LANGUAGE)
    }
