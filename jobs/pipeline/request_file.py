"""OUTPUT/request.toml: the inputs that an output was given, and the settings that its tables depend
on.

A later command on the output starts from these settings. The file is written when a command begins
to work, under the output's lease.
"""

from __future__ import annotations

import tomllib
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.config import (
    Config,
    ConfigError,
    Remembered,
    kept_over_file,
    known_tables,
    settings_text,
    toml_value,
)
from jobs.pipeline.input_formats import AUTO
from jobs.run.store import Store
from udfs.files.uris import redact

REQUEST = "request.toml"

_HEAD = """\
# What this output was asked for: its inputs, as they were given, and all settings that its tables
# depend on. Every command on the output writes it, and starts from it: --set SECTION.KEY=VALUE
# changes one setting, --reset SECTION.KEY takes the configuration file's value, --reset those of
# all. Settings of [run], [artifacts], [spark] and the other keys of [input] belong to a command and
# its machine: they are those of its configuration file.
"""

Given = dict[str, Any]
"""An input as it was given: uri, or crawl and what chooses its files; and its format."""


@dataclass(frozen=True)
class RequestFile:
    """What an output remembers."""

    inputs: tuple[Given, ...] = ()
    settings: Remembered | None = None
    """None for an output that has no such file yet."""
    unknown: tuple[str, ...] = ()
    """Settings of the file that this version does not have."""
    data: bytes | None = None
    """The file's content."""


def read_request(store: Store) -> RequestFile:
    """Read what an output remembers.

    Raises:
        ConfigError: the file is not valid.
    """
    try:
        data = store.read_bytes(REQUEST)
    except FileNotFoundError:
        return RequestFile()
    where = f"{redact(store.root)}/{REQUEST}"
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: is not valid TOML: {error}; mend or remove it") from error
    inputs = tables.pop("inputs", [])
    if not all(isinstance(table, dict) for table in (*tables.values(), *inputs)):
        raise ConfigError(f"{where}: expected tables of settings and [[inputs]]")
    known, unknown = known_tables(tables)
    return RequestFile(tuple(inputs), Remembered(where, known), tuple(unknown), data)


def write_request(
    store: Store, earlier: RequestFile, given: Sequence[Given], config: Config
) -> None:
    """Write what an output remembers, if that has changed: one more input, or a setting.

    Args:
        earlier: What it remembers now.
        given: The inputs of this command.
        config: Its settings.
    """
    inputs = [*earlier.inputs, *(one for one in given if one not in earlier.inputs)]
    data = request_text(inputs, config).encode()
    if data != earlier.data:
        store.write_bytes(data, REQUEST)


def setting_notes(
    earlier: RequestFile, config_file: Path | None, settings: Sequence[str], config: Config
) -> list[str]:
    """Say which settings of a file lost to those of the output, and which are unknown.

    Args:
        settings: Those of ``--set``.
        config: What came out of all.
    """
    notes = []
    if earlier.unknown:
        notes.append(f"{REQUEST}: not a setting of this version: {', '.join(earlier.unknown)}")
    if earlier.settings is None or config_file is None:
        return notes
    kept = kept_over_file(config_file, settings, config)
    if kept:
        names = [f"{name} = {value} ({config_file} has {other})" for name, value, other in kept]
        reset = " ".join(name for name, _, _ in kept)
        notes.append(f"kept from this output: {', '.join(names)}; --reset {reset} takes the file's")
    return notes


def request_text(inputs: Sequence[Given], config: Config) -> str:
    """Return the text of the file."""
    blocks = [_HEAD]
    for one in inputs:
        lines = [f"{key} = {toml_value(value)}" for key, value in one.items()]
        blocks.append("\n".join(["[[inputs]]", *lines]) + "\n")
    return "\n".join([*blocks, settings_text(config)])


def given_inputs(arguments: Namespace, config: Config) -> list[Given]:
    """Return the inputs of a command line as it names them, without credentials.

    Each has its format where that was given.
    """
    kind = config.input.format
    read_as = {} if kind == AUTO else {"format": kind}
    if arguments.crawl is None and arguments.index is None:
        return [{"uri": redact(uri), **read_as} for uri in arguments.input]
    chosen = {
        "crawl": arguments.crawl,
        "sample": arguments.sample,
        "index": None if arguments.index is None else redact(arguments.index),
        "languages": arguments.languages or None,
        "where": arguments.where,
    }
    return [{key: value for key, value in chosen.items() if value is not None} | read_as]
