"""Launch files: requests to a cloud service as data, with the user's values filled in.

A launch file is JSON: ``service``, ``operation`` and the ``request`` as the service's own API
takes it. What differs between users stands in a TOML file of values beside it. Inside a string:

    ${name}                 a value; alone in its string it keeps its type, and a list that stands
                            in a list is spliced into it
    ${properties:FILE,...}  Spark properties files of the folder above, as one table
    ${conf:FILE,...}        the same as arguments: --conf KEY=VALUE ...
    ${request:FILE}         the request of another launch file, as JSON text

Values go into the parsed request, never into its text, so that no value can change its shape.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.config import ConfigError, parse_value
from jobs.launch.spark_properties import read_properties

_PLACEHOLDER = re.compile(r"\$\{([a-z_]+)(?::([^}]*))?\}")
_KEYS = {"service", "operation", "request"}


@dataclass(frozen=True)
class Launch:
    """One call of a cloud service's API."""

    service: str
    """The service's name in its client library: ``emr``, ``emr-serverless``, ``dataproc``, ..."""
    operation: str
    """The operation as the service spells it: ``RunJobFlow``, ``CreateBatch``, ..."""
    request: dict[str, Any]
    """Its parameters."""


def load_values(path: Path | None, settings: Sequence[str]) -> dict[str, Any]:
    """The values of a file, with ``key=value`` settings over them.

    Raises:
        ConfigError: unreadable file, a setting without ``=`` or of a key that the file lacks.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {setting}: expected key=value")
        if path is not None and key not in values:
            raise ConfigError(f"--set {setting}: {path} has no {key}; it has {', '.join(values)}")
        values[key] = parse_value(value)
    return values


def render(path: Path, values: Mapping[str, Any]) -> Launch:
    """A launch file with its placeholders filled in.

    Args:
        values: What the placeholders stand for.
    Raises:
        ConfigError: unreadable, not a launch file, a placeholder without a value, or with one
            that is still empty.
    """
    try:
        launch = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(launch, dict) or launch.keys() != _KEYS:
        raise ConfigError(f"{path}: a launch file has exactly {', '.join(sorted(_KEYS))}")
    request = _Filling(path, values).fill(launch["request"])
    return Launch(launch["service"], launch["operation"], request)


@dataclass(frozen=True)
class _Filling:
    """The placeholders of one launch file and what they stand for."""

    path: Path
    values: Mapping[str, Any]

    def fill(self, part: Any) -> Any:
        if isinstance(part, dict):
            return {key: self.fill(value) for key, value in part.items()}
        if isinstance(part, list):
            return [item for entry in part for item in self._items(entry)]
        return self._text(part) if isinstance(part, str) else part

    def _items(self, entry: Any) -> list[Any]:
        """What an entry of a list becomes: several entries where it stands for a list."""
        filled = self.fill(entry)
        return filled if isinstance(entry, str) and isinstance(filled, list) else [filled]

    def _text(self, text: str) -> Any:
        if whole := _PLACEHOLDER.fullmatch(text):
            return self._value(whole)
        return _PLACEHOLDER.sub(lambda match: self._written(match), text)

    def _written(self, match: re.Match[str]) -> str:
        """A value inside a longer text; a list as a shell would take it."""
        value = self._value(match)
        if isinstance(value, list):
            return shlex.join(map(str, value))
        if isinstance(value, dict):
            raise ConfigError(f"{self.path}: {match[0]} is a table, and stands inside a text")
        return str(value)

    def _value(self, match: re.Match[str]) -> Any:
        name, argument = match[1], match[2]
        if argument is not None:
            return self._of_file(name, argument)
        if name not in self.values:
            raise ConfigError(f"{self.path}: no value for {match[0]}")
        if self.values[name] == "":
            raise ConfigError(
                f"{self.path}: the value {name} is empty: say yours with --set {name}="
            )
        return self.values[name]

    def _of_file(self, kind: str, name: str) -> Any:
        if kind == "request":
            other = render(self.path.parent / name, self.values)
            return json.dumps(other.request, ensure_ascii=False, separators=(",", ":"))
        if kind not in ("properties", "conf"):
            raise ConfigError(f"{self.path}: ${{{kind}:{name}}}: known: properties, conf, request")
        properties: dict[str, str] = {}
        for file in name.split(","):
            properties |= read_properties(self.path.parent.parent / file)
        if kind == "properties":
            return properties
        return [word for item in properties.items() for word in ("--conf", "=".join(item))]
