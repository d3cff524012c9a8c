"""The sections of a configuration, and the artifacts that their keys name."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any, get_args

from jobs.config.scorer_settings import FastTextConfig, PerplexityConfig, QualityBertConfig
from jobs.config.settings import Config
from udfs.base.settings import OWN, ArtifactKey


def section_types() -> dict[str, tuple[type, ...]]:
    """Name of each section -> the dataclasses whose keys it has, in the order of the files."""
    return {
        f.name: (typing.cast("type", f.default_factory),)
        for f in dataclasses.fields(Config)
        if callable(f.default_factory)
    }


def parts_of(config: Config, section: str) -> tuple[Any, ...]:
    """The settings of a section: one object for each of its `section_types`."""
    return (getattr(config, section),)


def with_parts(config: Config, section: str, parts: tuple[Any, ...]) -> Config:
    """A configuration with other settings in a section."""
    (part,) = parts
    return dataclasses.replace(config, **{section: part})


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
    for section in section_types():
        for part in parts_of(config, section):
            is_scorer = isinstance(part, FastTextConfig | PerplexityConfig | QualityBertConfig)
            if is_scorer and section not in config.score.scorers:
                continue
            found += [
                NamedArtifact(f"{section}.{key}", name, mark.kind, mark.or_file)
                for key, mark in artifact_keys(type(part)).items()
                for name in _names(getattr(part, key))
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


def _names(value: Any) -> tuple[str, ...]:
    """The artifact names in a key's value, which is a name, several, OWN or None."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(name for name in values if name not in (None, OWN))
