"""The sections of a configuration, and the artifacts that their keys name."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, get_args

from jobs.config.scorers import declared, declared_pairs
from jobs.config.settings import Config
from udfs.base.settings import OWN, ArtifactKey


def section_types() -> dict[str, tuple[type, ...]]:
    """Name of each section -> the dataclasses whose keys it has, in the order of the files."""
    found: dict[str, tuple[type, ...]] = {}
    for field in dataclasses.fields(Config):
        if field.name == "scorers":
            found |= {name: (scorer.settings,) for name, scorer in declared().items()}
        elif field.name == "pair_scorers":
            found |= {name: (scorer.settings,) for name, scorer in declared_pairs().items()}
        elif field.name == "limits":
            kinds = (scorer.limits for scorer in declared().values())
            found["select"] += tuple(kind for kind in kinds if kind is not None)
        elif field.name == "pair_limits":
            kinds = (scorer.limits for scorer in declared_pairs().values())
            found["select_pairs"] += tuple(kind for kind in kinds if kind is not None)
        else:
            found[field.name] = (typing.cast("type", field.default_factory),)
    return found


_FIELDS_OF_SCORERS = ("scorers", "pair_scorers")
"""Fields of `Config` that hold a section for each scorer."""
_LIMITS_OF = {"select": "limits", "select_pairs": "pair_limits"}
"""Section that has keys of scorers -> field of `Config` that holds them."""


def parts_of(config: Config, section: str) -> tuple[Any, ...]:
    """The settings of a section: one object for each of its `section_types`."""
    for field in _FIELDS_OF_SCORERS:
        if section in getattr(config, field):
            return (getattr(config, field)[section],)
    limits = getattr(config, _LIMITS_OF[section]).values() if section in _LIMITS_OF else ()
    return (getattr(config, section), *limits)


def with_parts(config: Config, section: str, parts: tuple[Any, ...]) -> Config:
    """A configuration with other settings in a section."""
    own, *others = parts
    for field in _FIELDS_OF_SCORERS:
        if section in (of := getattr(config, field)):
            return _replaced(config, field, {**of, section: own})
    config = _replaced(config, section, own)
    if section in _LIMITS_OF:
        field = _LIMITS_OF[section]
        config = _replaced(config, field, dict(zip(getattr(config, field), others, strict=True)))
    return config


def _replaced(config: Config, field: str, value: Any) -> Config:
    return dataclasses.replace(config, **{field: value})


def section_values(config: Config, section: str) -> dict[str, Any]:
    """Key -> value of a section, as plain dictionaries and tuples."""
    return {
        key: value
        for part in parts_of(config, section)
        for key, value in dataclasses.asdict(part).items()
    }


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as plain dictionaries, for run.json."""
    return {section: section_values(config, section) for section in section_types()}


@dataclass(frozen=True)
class NamedArtifact:
    """An artifact that a configuration names."""

    key: str
    """``section.key``."""
    name: str
    """An artifact's name; or a path, where ``or_file`` allows one."""
    kind: str
    or_file: bool


def named_artifacts(config: Config) -> list[NamedArtifact]:
    """The artifacts that a configuration names, in the order of the keys, without those of scorers
    that do not run."""
    found = []
    running = {*config.score.scorers, *config.score_pairs.scorers}
    for section in section_types():
        is_scorer = section in config.scorers or section in config.pair_scorers
        if is_scorer and section not in running:
            continue
        for part in parts_of(config, section):
            found += [
                NamedArtifact(f"{section}.{key}", name, mark.kind, mark.or_file)
                for key, mark in artifact_keys(type(part)).items()
                for name in names_in(part, key, mark)
            ]
    return found


def artifact_keys(settings: type) -> dict[str, ArtifactKey]:
    """The keys of a settings dataclass whose values name artifacts."""
    hints = typing.get_type_hints(settings, include_extras=True)
    return {key: mark for key, hint in hints.items() for mark in _marks(hint)}


def _marks(hint: Any) -> list[ArtifactKey]:
    """The marks of a type, of its alternatives and of its items."""
    own = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, ArtifactKey)]
    return own or [mark for part in get_args(hint) for mark in _marks(part)]


def names_in(settings: Any, key: str, mark: ArtifactKey) -> tuple[str, ...]:
    """The names of artifacts in a key's value; none where it or ``mark.used_with`` is off, or
    ``mark.used_without`` set."""
    if mark.used_with is not None and getattr(settings, mark.used_with) is None:
        return ()
    if mark.used_without is not None and getattr(settings, mark.used_without) is not None:
        return ()
    value = getattr(settings, key)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(name for name in values if name not in (None, OWN))
