"""Checked values: tables of a TOML file or of ``--set`` become settings of the declared types."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, get_args, get_origin

from jobs.config.pair_rule_settings import PAIR_RULE_REASONS
from jobs.config.sections import parts_of, section_types, with_parts
from jobs.config.settings import RULE_REASONS, Config
from udfs.base.settings import OFF, Bounds, ConfigError

_REASON_NAME = re.compile(r"[a-z][a-z0-9_]*")
_REASONS = {"rules": RULE_REASONS, "pair_rules": PAIR_RULE_REASONS}
"""Section with conditions -> the reasons of its built-in rules."""
_EXPECTED = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}


def with_tables(config: Config, tables: Mapping[str, Any], where: str) -> Config:
    """Return a configuration updated with the values of a layer.

    Args:
        tables: Section -> key -> value, as TOML gives them.
        where: File or setting that they come from, for messages.
    Raises:
        ConfigError: unknown section or key, wrong type, a word outside its choices, or a number
            outside its bounds.
    """
    known = section_types()
    for section, values in tables.items():
        if section not in known:
            raise ConfigError(
                f"{where}: unknown section [{section}]; known sections: {', '.join(known)}"
            )
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {section} = {values!r}: expected a table [{section}]")
        parts = _with_values(parts_of(config, section), section, values, where)
        config = with_parts(config, section, parts)
    return config


def _with_values(
    parts: tuple[Any, ...], section: str, values: Mapping[str, Any], where: str
) -> tuple[Any, ...]:
    """The objects of a section with some keys changed; a key belongs to one of them."""
    hints = [typing.get_type_hints(type(part), include_extras=True) for part in parts]
    changed: list[dict[str, Any]] = [{} for _ in parts]
    for key, value in values.items():
        number = next((n for n, of_part in enumerate(hints) if key in of_part), None)
        if number is None:
            keys = ", ".join(name for of_part in hints for name in of_part)
            raise ConfigError(
                f"{where}: unknown key {section}.{key} = {value!r}; known keys of [{section}]: "
                f"{keys}"
            )
        hint, current = hints[number][key], getattr(parts[number], key)
        if get_origin(hint) is dict:
            is_sql = key == "conditions"
            merge = partial(_merged, _REASONS[section]) if is_sql else partial(_mapping, hint)
            current = {} if key == "mix" else current  # shares of two layers add up to nothing
            changed[number][key] = merge(current, value, f"{where}: {section}.{key}")
        else:
            changed[number][key] = _checked(value, hint, f"{where}: {section}.{key} = {value!r}")
    return tuple(dataclasses.replace(part, **new) for part, new in zip(parts, changed, strict=True))


def _merged(
    reasons: Sequence[str], conditions: Mapping[str, str], value: Any, where: str
) -> dict[str, str]:
    """Conditions with those of a later layer, which may switch earlier ones off.

    Args:
        reasons: Names that a condition cannot have.
    """
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r}: expected a table of name = SQL expression")
    merged = dict(conditions)
    for name, expression in value.items():
        if not isinstance(expression, str) or not expression.strip():
            raise ConfigError(f"{where}.{name} = {expression!r}: expected an SQL expression")
        if not _REASON_NAME.fullmatch(name):
            raise ConfigError(f"{where}.{name}: expected a reject reason in snake_case")
        if name in reasons:
            raise ConfigError(
                f"{where}.{name}: is the reason of a built-in rule; take another name than "
                f"{', '.join(reasons)}"
            )
        if expression == OFF and name not in merged:
            raise ConfigError(
                f"{where}.{name}: no such condition to switch off; known conditions: "
                f"{', '.join(merged) or 'none'}"
            )
        merged[name] = expression
        if expression == OFF:
            del merged[name]
    return merged


def _mapping(hint: Any, table: Mapping[str, Any], value: Any, where: str) -> dict[str, Any]:
    """A mapping updated with the entries of a later layer."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} = {value!r}: expected a table of name = value")
    _, kind = get_args(hint)
    added = {
        name: _checked(item, kind, f"{where}.{name} = {item!r}") for name, item in value.items()
    }
    return {**table, **added}


def _checked(value: Any, hint: Any, where: str) -> Any:
    """Return the value in its field's type; raise ConfigError with what the field expects."""
    or_off = ""
    if get_origin(hint) in (types.UnionType, typing.Union):
        if value == OFF:
            return None
        or_off = ", or off"
        hint = next(choice for choice in get_args(hint) if choice is not type(None))
    bounds = bounds_of(hint)
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: expected one of {', '.join(map(str, get_args(hint)))}")
        return value
    if get_origin(hint) is tuple:
        of_item = get_args(hint)[0]
        kind = get_args(of_item)[0] if get_origin(of_item) is Annotated else of_item
        if not isinstance(value, list):
            raise ConfigError(f"{where}: expected a list of {_EXPECTED[kind].removeprefix('a ')}s")
        return tuple(_checked(item, of_item, f"{where}: {item!r}") for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(f"{where}: expected {_EXPECTED[hint]}{or_off}")
    if bounds is not None and not bounds.allow(value):
        raise ConfigError(f"{where}: expected {bounds.words()}{or_off}")
    return value


def bounds_of(hint: Any) -> Bounds | None:
    """The bounds that a type names, for itself, for its alternative to off or for its values."""
    if get_origin(hint) is Annotated:
        return next((mark for mark in hint.__metadata__ if isinstance(mark, Bounds)), None)
    return next((found for part in get_args(hint) if (found := bounds_of(part))), None)


def check_pairs(config: Config) -> None:
    """Check keys that may be at most as large as another key of their section.

    Raises:
        ConfigError: naming both keys.
    """
    for section in section_types():
        for part in parts_of(config, section):
            hints = typing.get_type_hints(type(part), include_extras=True)
            for key, hint in hints.items():
                bounds = bounds_of(hint)
                if bounds is None or bounds.at_most_key is None:
                    continue
                value, most = getattr(part, key), getattr(part, bounds.at_most_key)
                if value is not None and most is not None and value > most:
                    raise ConfigError(
                        f"{section}.{key} = {value}: expected at most "
                        f"{section}.{bounds.at_most_key}, which is {most}"
                    )
