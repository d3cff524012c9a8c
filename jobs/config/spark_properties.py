"""Spark properties files, as ``spark-submit --properties-file`` reads them."""

from __future__ import annotations

from pathlib import Path

from jobs.config import ConfigError


def read_properties(path: Path) -> dict[str, str]:
    """Read key -> value from lines ``key value``, without blank lines and comments.

    Raises:
        ConfigError: the file cannot be read, or a line has only a key.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    properties = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, *value = line.split(maxsplit=1)
        if not value:
            raise ConfigError(f"{path}:{number}: expected 'key value', found {line.strip()!r}")
        properties[key] = value[0].strip()
    return properties
