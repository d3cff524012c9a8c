"""The settings that an output remembers: which they are, their TOML, and what is left of them where
a later command changes the rule pack.

Remembered is all that tables depend on. [release], [release_pairs], [run], [artifacts], [spark],
and how the files of [input] are reached and cut, belong to a command and its machine.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.config.languages import LANGUAGE, language_layer, tokenizer_layer
from jobs.config.packs import PACK_KEYS, pack_layer
from jobs.config.sections import section_types, section_values
from jobs.config.settings import Config
from jobs.config.values import with_tables
from udfs.base.settings import OFF, ConfigError

Tables = Mapping[str, Mapping[str, Any]]
"""Section -> key -> value, as TOML gives them."""

_OF_THE_COMMAND = frozenset({"run", "release", "release_pairs", "artifacts", "spark"})
_OF_INPUT = ("text_column", "id_column")
"""Keys of [input] that tables depend on; the format is part of each split."""


@dataclass(frozen=True)
class Remembered:
    """The settings of an output, as a layer between configuration file and ``--set``."""

    where: str
    """The file that holds them, for messages."""
    tables: Tables

    @property
    def is_whole(self) -> bool:
        """Whether every remembered key of this version has a value, so that no pack is read."""
        return all(
            values.keys() <= self.tables.get(section, {}).keys()
            for section, values in remembered_values(Config()).items()
        )

    @property
    def whole_sections(self) -> frozenset[str]:
        """The sections with packs of which every key has a value, so that no pack is read."""
        defaults = Config()
        return frozenset(
            section
            for section in PACK_KEYS
            if {field.name for field in dataclasses.fields(getattr(defaults, section))}
            <= self.tables.get(section, {}).keys()
        )

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
            if key in PACK_KEYS.get(section, ()):
                kept = kept.with_own_values(section, config_file)
            if section == LANGUAGE and key in ("", "pack"):
                kept = kept.without_language(config_file)
            table = dict(kept.tables.get(section, {}))
            left = {k: v for k, v in table.items() if key and k != key}
            kept = dataclasses.replace(kept, tables={**kept.tables, section: left})
        return kept

    def under(self, asked: Iterable[Tables], config_file: Path | None) -> Remembered:
        """Leave out what other values of ``--set`` decide: those of a language or rule pack, or a
        mode."""
        layers = list(asked)
        kept = self
        language = self.tables.get(LANGUAGE, {}).get("pack")
        others = (tables.get(LANGUAGE, {}).get("pack", language) for tables in layers)
        if any(other != language for other in others):
            kept = kept.without_language(config_file)
        for section, keys in PACK_KEYS.items():
            own = self.tables.get(section, {})
            of_set = [tables.get(section, {}) for tables in layers]
            if any(key in table and table[key] != own.get(key) for table in of_set for key in keys):
                kept = kept.with_own_values(section, config_file)
        return kept

    def with_own_values(self, section: str, config_file: Path | None) -> Remembered:
        """Leave out the values of a section that are those of its rule pack, and pack and mode.

        Raises:
            ConfigError: the pack is a file that is not there.
        """
        table = self.tables.get(section, {})
        choosing = PACK_KEYS[section]
        chosen = {key: table[key] for key in choosing if key in table}
        base = with_tables(Config(), {section: chosen}, self.where)
        pack = pack_layer(base, section, [(self.where, {section: chosen})], config_file)
        if pack is not None:
            base = with_tables(base, pack[1], pack[0])
        of_pack = remembered_values(base)[section]
        conditions = {
            name: sql
            for name, sql in table.get("conditions", {}).items()
            if of_pack["conditions"].get(name) != sql
        }
        own = {
            key: value
            for key, value in table.items()
            if key not in (*choosing, "conditions") and as_toml(of_pack.get(key)) != value
        }
        own |= {"conditions": conditions} if conditions else {}
        return dataclasses.replace(self, tables={**self.tables, section: own})

    def without_language(self, config_file: Path | None) -> Remembered:
        """Leave out the values that are those of the language pack or of a rule pack, and the names
        of packs and modes.

        Raises:
            ConfigError: the language pack is a folder that is not there.
        """
        kept = self
        for section in PACK_KEYS:
            kept = kept.with_own_values(section, config_file)
        pack = self.tables.get(LANGUAGE, {}).get("pack", Config().language.pack)
        where, tables = language_layer(pack, config_file)
        config = with_tables(Config(), tables, where)
        where, segmentation = tokenizer_layer(config)
        config = with_tables(with_tables(Config(), segmentation, where), tables, where)
        of_pack = remembered_values(config)
        left: dict[str, dict[str, Any]] = {}
        for section, table in kept.tables.items():
            values = of_pack[section] | ({"pack": pack} if section == LANGUAGE else {})
            left[section] = {
                key: value for key, value in table.items() if as_toml(values.get(key)) != value
            }
            conditions = table.get("conditions")
            if isinstance(conditions, Mapping):
                base = values["conditions"]
                own = {name: sql for name, sql in conditions.items() if base.get(name) != sql}
                left[section] |= {"conditions": own} if own else {}
        return dataclasses.replace(self, tables=left)


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
