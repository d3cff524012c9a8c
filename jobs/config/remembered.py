"""The settings that an output remembers: which they are, their TOML, and what is left of them where
a later command changes the rule pack.

Remembered is all that tables depend on. [release], [run], [artifacts], [spark], and how the files
of [input] are reached and cut, belong to a command and its machine.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.config.packs import pack_layer
from jobs.config.sections import section_types, section_values
from jobs.config.settings import Config, RulesConfig
from jobs.config.values import with_tables
from udfs.base.settings import OFF, ConfigError

Tables = Mapping[str, Mapping[str, Any]]
"""Section -> key -> value, as TOML gives them."""

_OF_THE_COMMAND = frozenset({"run", "release", "artifacts", "spark"})
_OF_INPUT = ("text_column", "id_column")
"""Keys of [input] that tables depend on; the format is part of each split."""
_CHOOSE_RULES = ("pack", "mode")
"""Keys of [rules] that decide where values of other keys come from."""


@dataclass(frozen=True)
class Remembered:
    """The settings of an output, as a layer between configuration file and ``--set``."""

    where: str
    """The file that holds them, for messages."""
    tables: Tables

    @property
    def has_all_rules(self) -> bool:
        """Whether every key of [rules] has a value, so that no pack is read."""
        names = {field.name for field in dataclasses.fields(RulesConfig)}
        return names <= self.tables.get("rules", {}).keys()

    def without(self, names: Sequence[str], config_file: Path | None) -> Remembered:
        """Forget settings.

        Args:
            names: ``section.key``, or a section for all its keys; none for all settings.
        Raises:
            ConfigError: an unknown name.
        """
        if not names:
            return dataclasses.replace(self, tables={})
        kept = self
        known = remembered_values(Config())
        for name in names:
            section, _, key = name.partition(".")
            if section not in known or (key and key not in known[section]):
                keys = known.get(section, known)
                raise ConfigError(
                    f"--reset {name}: not a setting that an output remembers; known: "
                    f"{', '.join(keys)}"
                )
            if section == "rules" and key in _CHOOSE_RULES:
                kept = kept.with_own_rules(config_file)
            table = dict(kept.tables.get(section, {}))
            left = {k: v for k, v in table.items() if key and k != key}
            kept = dataclasses.replace(kept, tables={**kept.tables, section: left})
        return kept

    def under(self, asked: Iterable[Tables], config_file: Path | None) -> Remembered:
        """Leave out what other values of ``--set`` decide: those of a rule pack or a mode."""
        rules = self.tables.get("rules", {})
        for tables in asked:
            of_rules = tables.get("rules", {})
            if any(key in of_rules and of_rules[key] != rules.get(key) for key in _CHOOSE_RULES):
                return self.with_own_rules(config_file)
        return self

    def with_own_rules(self, config_file: Path | None) -> Remembered:
        """Leave out the values of [rules] that are those of the rule pack, and pack and mode.

        Raises:
            ConfigError: the pack is a file that is not there.
        """
        rules = self.tables.get("rules", {})
        chosen = {key: rules[key] for key in _CHOOSE_RULES if key in rules}
        base = with_tables(Config(), {"rules": chosen}, self.where)
        pack = pack_layer(base.rules, [(self.where, {"rules": chosen})], config_file)
        if pack is not None:
            base = with_tables(base, pack[1], pack[0])
        of_pack = remembered_values(base)["rules"]
        conditions = {
            name: sql
            for name, sql in rules.get("conditions", {}).items()
            if of_pack["conditions"].get(name) != sql
        }
        own = {
            key: value
            for key, value in rules.items()
            if key not in (*_CHOOSE_RULES, "conditions") and as_toml(of_pack.get(key)) != value
        }
        own |= {"conditions": conditions} if conditions else {}
        return dataclasses.replace(self, tables={**self.tables, "rules": own})


def remembered_values(config: Config) -> dict[str, dict[str, Any]]:
    """Section -> key -> value of what an output remembers of the settings, in order."""
    found = {}
    for section in section_types():
        values = section_values(config, section)
        if section == "input":
            values = {key: values[key] for key in _OF_INPUT}
        if section not in _OF_THE_COMMAND:
            found[section] = values
    return found


def known_tables(tables: Tables) -> tuple[Tables, list[str]]:
    """Part tables into those whose keys this version has, and the names of the others."""
    known = remembered_values(Config())
    kept: dict[str, dict[str, Any]] = {}
    unknown = []
    for section, table in tables.items():
        for key, value in table.items():
            if key in known.get(section, {}):
                kept.setdefault(section, {})[key] = value
            else:
                unknown.append(f"{section}.{key}")
    return kept, unknown


def settings_text(config: Config, sections: Sequence[str] | None = None) -> str:
    """Return the remembered settings as TOML, a table for each section and each mapping.

    Args:
        sections: Those to write; None for all.
    """
    lines: list[str] = []
    for section, values in remembered_values(config).items():
        if sections is not None and section not in sections:
            continue
        lines += ["", f"[{section}]"]
        mappings = {key: value for key, value in values.items() if isinstance(value, Mapping)}
        lines += [f"{k} = {toml_value(v)}" for k, v in values.items() if k not in mappings]
        for key, table in mappings.items():
            lines += ["", f"[{section}.{key}]"]
            lines += [f"{_quoted(name)} = {toml_value(value)}" for name, value in table.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def as_toml(value: Any) -> Any:
    """Return a setting's value as TOML has it: lists for tuples, a word for what is off."""
    if value is None:
        return OFF
    return list(value) if isinstance(value, tuple) else value


def toml_value(value: Any) -> str:
    """Return a setting's value as it is written in TOML.

    >>> toml_value(None), toml_value(True), toml_value(("zh",)), toml_value(20_000), toml_value({})
    ('"off"', 'true', '["zh"]', '20000', '{}')
    """
    value = as_toml(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        items = ", ".join(f"{_quoted(name)} = {toml_value(item)}" for name, item in value.items())
        return f"{{{items}}}"
    return str(value)


def _quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are valid in TOML, which wants one for DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
