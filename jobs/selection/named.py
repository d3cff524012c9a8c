"""The settings of named selections: corpora/NAME/request.toml, a layer over those of the output.

A named selection begins with the output's [select]. From then on it has its own: what a command
with its name changes of [select] changes nothing else, and what is changed for the output does not
change it. All other settings are those of the output.
"""

from __future__ import annotations

import tomllib
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.config import (
    Config,
    ConfigError,
    Remembered,
    known_tables,
    load_config,
    settings_text,
)
from jobs.config.sections import parts_of, with_parts
from jobs.config.values import with_tables
from jobs.run.commits import StageIncomplete, due
from jobs.run.request import Run, select_stage
from jobs.run.store import WHOLE, Store
from jobs.selection.facts import selection_names
from jobs.selection.stage import bases
from jobs.tables import check_selection_name, selection_folder
from udfs.files.uris import redact

REQUEST = "request.toml"
SELECT = "select"

_HEAD = """\
# The settings of this selection. Every command with its --name writes them, and starts from them:
# --set select.KEY=VALUE changes one of them, --reset select.KEY takes the configuration file's. All
# other settings are those of the output.

"""


@dataclass(frozen=True)
class NamedSettings:
    """What a named selection remembers."""

    name: str
    where: str
    """The file that holds it, for messages."""
    table: dict[str, Any]
    """Keys of [select]; empty for a selection that is new."""
    unknown: tuple[str, ...] = ()
    """Settings of the file that this version does not have."""
    data: bytes | None = None
    """The file's content."""

    def over(self, output: Remembered | None) -> Remembered | None:
        """Put them over what the output remembers."""
        if not self.table:
            return output
        if output is None:
            return Remembered(self.where, {SELECT: self.table})
        where = f"{output.where}, {self.where}"
        return Remembered(where, {**output.tables, SELECT: self.table})


def read_named(store: Store, arguments: Namespace) -> NamedSettings | None:
    """Read the settings of the selection that --name names; None for a command without a name.

    Raises:
        ConfigError: the name or the file is not valid.
    """
    name = getattr(arguments, "name", None)
    return None if name is None else named_settings(store, name)


def named_settings(store: Store, name: str) -> NamedSettings:
    """Read the settings of a named selection; without any where it is new.

    Raises:
        ConfigError: the name or the file is not valid.
    """
    folder = selection_folder(check_selection_name(name))
    where = "/".join((redact(store.root), *folder, REQUEST))
    try:
        data = store.read_bytes(*folder, REQUEST)
    except FileNotFoundError:
        return NamedSettings(name, where, {})
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: is not valid TOML: {error}; mend or remove it") from error
    if tables.keys() - {SELECT} or not isinstance(tables.get(SELECT, {}), dict):
        raise ConfigError(f"{where}: expected the table [{SELECT}] alone")
    known, unknown = known_tables(tables)
    return NamedSettings(name, where, dict(known.get(SELECT, {})), tuple(unknown), data)


def write_named(store: Store, earlier: NamedSettings, config: Config) -> None:
    """Write the settings of a named selection, if they have changed."""
    data = (_HEAD + settings_text(config, (SELECT,))).encode()
    if data != earlier.data:
        store.write_bytes(data, *selection_folder(earlier.name), REQUEST)


def load_named(
    path: Path | None,
    settings: Sequence[str],
    output: Remembered | None,
    named: NamedSettings,
    reset: Sequence[str] | None,
) -> tuple[Config, Config]:
    """Load the settings of an output and of one of its named selections.

    Args:
        path: The configuration file.
        settings: Those of ``--set``; those of [select] are the selection's alone.
        output: What the output remembers.
        reset: Names of ``--reset``; those of [select] are the selection's alone.
    Returns:
        The settings that the output remembers, and those of the command.
    Raises:
        ConfigError: a value is wrong, or the selection's does not go with the output's.
    """
    over = named.over(output)
    if reset is not None:
        over = None if over is None else over.without(reset, path)
        output = None if output is None else _without_others(output, reset, path)
    others = [setting for setting in settings if _section(setting) != SELECT]
    of_output = load_config(path, others, output)
    of_selection = load_config(path, settings, over)
    asked, used = of_selection.select.quality_from, of_output.select.quality_from
    if of_output.dedup.needs_scores() and asked != used:
        raise ConfigError(
            f"select.quality_from = {asked!r}: duplicates were chosen by {used!r} (dedup.keep = "
            "'best'), which is one for all selections of an output"
        )
    return of_output, of_selection


def outdated(run: Run) -> Iterator[tuple[str, str]]:
    """Find the named selections, but that of the run, that are older than what they follow from.

    Args:
        run: With the commits that there are, or are going to be, and the settings of the output.
    Returns:
        Name and reason.
    """
    for name in selection_names(run.store):
        if name == run.selection:
            continue
        try:
            other = replace(
                run, config=_config_of(run.config, named_settings(run.store, name)), selection=name
            )
            stage = select_stage(name)
            reasons = due(run.store, stage, bases(other)[stage])
        except (ConfigError, StageIncomplete) as error:
            yield name, str(error)
            continue
        if reasons:
            yield name, reasons[WHOLE]


def _config_of(config: Config, named: NamedSettings) -> Config:
    """The settings of a named selection of an output."""
    fresh = with_parts(config, SELECT, parts_of(Config(), SELECT))
    return with_tables(fresh, {SELECT: named.table}, named.where)


def _without_others(output: Remembered, reset: Sequence[str], path: Path | None) -> Remembered:
    """Forget the settings that are not the selection's."""
    if not reset:
        kept = {section: table for section, table in output.tables.items() if section == SELECT}
        return Remembered(output.where, kept)
    names = [name for name in reset if _section(name) != SELECT]
    return output.without(names, path) if names else output


def _section(name: str) -> str:
    """The section of ``section.key`` or ``section.key=value``."""
    return name.partition("=")[0].strip().partition(".")[0]
