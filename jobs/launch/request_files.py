"""Launch files: requests to a cloud service as data, with the user's values filled in.

A launch file is JSON: ``service``, ``operation`` and the ``request`` of the service's own API.
What differs between users is in a TOML file of values. Placeholders inside a string:

    ${name}                 a value; alone in its string it keeps its type, and a list inside a
                            list is spliced into it
    ${properties:FILE,...}  Spark properties files of the parent folder, as one table
    ${conf:FILE,...}        the same as arguments: --conf KEY=VALUE ...
    ${request:FILE}         the request of another launch file, as JSON text

Values are put into the parsed request, not into its text, so no value can change its structure.
"""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.config import ConfigError, parse_value
from jobs.config.spark_properties import read_properties

_PLACEHOLDER = re.compile(r"\$\{([a-z_]+)(?::([^}]*))?\}")
_KEYS = {"service", "operation", "request"}
_VALUES = "values.toml"
_COMMENTED = re.compile(r"([a-z_]+) *=[^#]*# *(.*)")


@dataclass(frozen=True)
class Launch:
    """One call of a cloud service's API."""

    service: str
    """Name of the service in its client library: ``emr``, ``dataproc``, ..."""
    operation: str
    """Name of the operation: ``RunJobFlow``, ``CreateBatch``, ..."""
    request: dict[str, Any]
    """Its parameters."""


def load_values(path: Path | None, settings: Sequence[str]) -> dict[str, Any]:
    """Load the values of a file; ``key=value`` settings replace some of them.

    Raises:
        ConfigError: the file cannot be read; a setting lacks ``=``, or the file lacks its key.
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
            raise ConfigError(
                f"--set {setting}: {path} has no key {key}; known: {', '.join(values)}"
            )
        values[key] = parse_value(value)
    return values


def render(path: Path, values: Mapping[str, Any]) -> Launch:
    """Load a launch file and fill in its placeholders.

    Args:
        values: By the name of the placeholder.
    Raises:
        ConfigError: the file cannot be read or is not a launch file; values are missing or empty:
            all of them are named, with an example of each from ``values.toml`` beside the file.
    """
    absent: dict[str, None] = {}
    launch = _Filling(path, values, absent).launch()
    if absent:
        examples = _examples(path.parent / _VALUES)
        width = max(map(len, absent))
        lines = [f"  {name:<{width}}  {examples.get(name, '')}" for name in absent]
        some = "1 value is" if len(absent) == 1 else f"{len(absent)} values are"
        raise ConfigError(
            "\n".join(
                [
                    f"{path}: {some} missing; put each into the file of --values, or give "
                    "--set NAME=VALUE:",
                    *(line.rstrip() for line in lines),
                ]
            )
        )
    return launch


def _examples(path: Path) -> dict[str, str]:
    """Key -> its value in a file of values, or the comment beside it where that is empty.

    There are none where there is no such file.
    """
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8")
    comments = {match[1]: match[2] for match in map(_COMMENTED.match, text.splitlines()) if match}
    values = tomllib.loads(text)
    return {key: str(value) or comments.get(key, "") for key, value in values.items()}


def _read(path: Path) -> Launch:
    """Read a launch file as it is."""
    try:
        launch = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(launch, dict) or launch.keys() != _KEYS:
        raise ConfigError(
            f"{path}: not a launch file: expected the keys {', '.join(sorted(_KEYS))} and no other"
        )
    return Launch(launch["service"], launch["operation"], launch["request"])


@dataclass(frozen=True)
class _Filling:
    """Fills the placeholders of one launch file."""

    path: Path
    values: Mapping[str, Any]
    absent: dict[str, None]
    """Receives the names of values that are missing or empty, in the order of their use."""

    def launch(self) -> Launch:
        launch = _read(self.path)
        return replace(launch, request=self.fill(launch.request))

    def fill(self, part: Any) -> Any:
        if isinstance(part, dict):
            return {key: self.fill(value) for key, value in part.items()}
        if isinstance(part, list):
            return [item for entry in part for item in self._items(entry)]
        return self._text(part) if isinstance(part, str) else part

    def _items(self, entry: Any) -> list[Any]:
        """Fill an entry of a list; a placeholder for a list gives several entries."""
        filled = self.fill(entry)
        return filled if isinstance(entry, str) and isinstance(filled, list) else [filled]

    def _text(self, text: str) -> Any:
        if whole := _PLACEHOLDER.fullmatch(text):
            return self._value(whole)
        return _PLACEHOLDER.sub(lambda match: self._written(match), text)

    def _written(self, match: re.Match[str]) -> str:
        """Format a value inside a longer text; a list is quoted as for a shell."""
        value = self._value(match)
        if isinstance(value, list):
            return shlex.join(map(str, value))
        if isinstance(value, dict):
            raise ConfigError(
                f"{self.path}: {match[0]} is a table and cannot be part of a longer text"
            )
        return str(value)

    def _value(self, match: re.Match[str]) -> Any:
        name, argument = match[1], match[2]
        if argument is not None:
            return self._of_file(name, argument)
        value = self.values.get(name, "")
        if value == "":
            self.absent[name] = None
        return value

    def _of_file(self, kind: str, name: str) -> Any:
        if kind == "request":
            other = _Filling(self.path.parent / name, self.values, self.absent).launch()
            return json.dumps(other.request, ensure_ascii=False, separators=(",", ":"))
        if kind not in ("properties", "conf"):
            raise ConfigError(
                f"{self.path}: ${{{kind}:{name}}}: unknown kind {kind}; known: properties, conf, "
                "request"
            )
        properties: dict[str, str] = {}
        for file in name.split(","):
            properties |= read_properties(self.path.parent.parent / file)
        if kind == "properties":
            return properties
        return [word for item in properties.items() for word in ("--conf", "=".join(item))]
