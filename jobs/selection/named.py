"""The settings of named selections: corpora/NAME/request.toml, pair_selections/NAME/request.toml, a
layer over those of the output.

A named selection of documents begins with the output's [select], one of pairs with its [pair_rules]
and [select_pairs]. From then on it has its own: what a command with its name changes of them
changes nothing else, and what is changed for the output does not change it. All other settings are
those of the output.
"""

from __future__ import annotations

import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.config import (
    Config,
    ConfigError,
    Remembered,
    known_tables,
    load_config,
    settings_text,
)
from jobs.config.remembered import Tables
from jobs.config.sections import parts_of, with_parts
from jobs.config.values import with_tables
from jobs.run.commits import StageIncomplete, due
from jobs.run.request import SELECTION_KINDS, Run, SelectionKind, Stage, select_stage
from jobs.run.store import WHOLE, Store
from jobs.tables import check_selection_name
from udfs.files.uris import redact

REQUEST = "request.toml"

_HEAD = """\
# The settings of this selection. Every command with its --name writes them, and starts from them:
# --set {section}.KEY=VALUE changes one of them, --reset {section}.KEY takes the \
configuration file's. All
# other settings are those of the output.

"""


@dataclass(frozen=True)
class NamedSettings:
    """What a named selection remembers."""

    kind: SelectionKind
    name: str
    where: str
    """The file that holds it, for messages."""
    tables: Tables
    """Its sections; none for a selection that is new."""
    unknown: tuple[str, ...] = ()
    """Settings of the file that this version does not have."""
    data: bytes | None = None
    """The file's content."""

    def over(self, output: Remembered | None) -> Remembered | None:
        """Put them over what the output remembers."""
        if not self.tables:
            return output
        if output is None:
            return Remembered(self.where, self.tables)
        where = f"{output.where}, {self.where}"
        return Remembered(where, {**output.tables, **self.tables})


def add_name_argument(parser: ArgumentParser, kind: SelectionKind) -> None:
    """Add --name to the arguments of a stage that selects."""
    sections = ", ".join(f"[{section}]" for section in kind.sections)
    parser.add_argument(
        "--name",
        metavar="NAME",
        help=f"a selection beside the others, under {kind.folder}/NAME; it remembers settings of "
        f"its own ({sections}), which begin as those of the output: --set "
        f"{kind.sections[-1]}.KEY changes it alone",
    )


def read_named(store: Store, command: Stage, arguments: Namespace) -> NamedSettings | None:
    """Read the settings of the selection that --name names; None for a command without a name.

    Raises:
        ConfigError: the name or the file is not valid.
    """
    kind = SELECTION_KINDS.get(command.name)
    if kind is None or arguments.name is None:
        return None
    return named_settings(store, kind, arguments.name)


def named_settings(store: Store, kind: SelectionKind, name: str) -> NamedSettings:
    """Read the settings of a named selection; without any where it is new.

    Raises:
        ConfigError: the name or the file is not valid.
    """
    folder = kind.path(check_selection_name(name))
    where = "/".join((redact(store.root), *folder, REQUEST))
    try:
        data = store.read_bytes(*folder, REQUEST)
    except FileNotFoundError:
        return NamedSettings(kind, name, where, {})
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: is not valid TOML: {error}; mend or remove it") from error
    if tables.keys() - {*kind.sections} or not all(isinstance(of, dict) for of in tables.values()):
        sections = ", ".join(f"[{section}]" for section in kind.sections)
        raise ConfigError(f"{where}: expected no table but {sections}")
    known, unknown = known_tables(tables)
    return NamedSettings(kind, name, where, known, tuple(unknown), data)


def write_named(store: Store, earlier: NamedSettings, config: Config) -> None:
    """Write the settings of a named selection, if they have changed."""
    kind = earlier.kind
    head = _HEAD.format(section=kind.sections[-1])
    data = (head + settings_text(config, kind.sections)).encode()
    if data != earlier.data:
        store.write_bytes(data, *kind.path(earlier.name), REQUEST)


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
        settings: Those of ``--set``; those of the selection's sections are its alone.
        output: What the output remembers.
        reset: Names of ``--reset``; those of the selection's sections are its alone.
    Returns:
        The settings that the output remembers, and those of the command.
    Raises:
        ConfigError: a value is wrong, or the selection's does not go with the output's.
    """
    own = named.kind.sections
    over = named.over(output)
    if reset is not None:
        over = None if over is None else over.without(reset, path)
        output = None if output is None else _without_others(output, reset, path, own)
    others = [setting for setting in settings if _section(setting) not in own]
    of_output = load_config(path, others, output)
    of_selection = load_config(path, settings, over)
    asked, used = of_selection.select.quality_from, of_output.select.quality_from
    if of_output.dedup.needs_scores() and asked != used:
        raise ConfigError(
            f"select.quality_from = {asked!r}: duplicates were chosen by {used!r} (dedup.keep = "
            "'best'), which is one for all selections of an output"
        )
    return of_output, of_selection


def outdated(run: Run, stage: Stage) -> Iterator[tuple[str, str]]:
    """Find the named selections of a stage, but that of the run, that are older than what they
    follow from.

    Args:
        run: With the commits that there are, or are going to be, and the settings of the output.
        stage: Any; one that does not select has none.
    Returns:
        Name and reason.
    """
    kind = SELECTION_KINDS.get(stage.name)
    if kind is None or stage.bases is None:
        return
    for name in kind.names(run.store):
        if name == run.selections.get(stage.name):
            continue
        try:
            config = _config_of(run.config, named_settings(run.store, kind, name))
            other = replace(run, config=config, selections={stage.name: name})
            committed = select_stage(name, stage.name)
            reasons = due(run.store, committed, stage.bases(other)[committed])
        except (ConfigError, StageIncomplete, OSError) as error:  # OSError: a file that it names
            yield name, str(error)
            continue
        if reasons:
            yield name, reasons[WHOLE]


def _config_of(config: Config, named: NamedSettings) -> Config:
    """The settings of a named selection of an output."""
    for section in named.kind.sections:
        config = with_parts(config, section, parts_of(Config(), section))
    return with_tables(config, named.tables, named.where)


def _without_others(
    output: Remembered, reset: Sequence[str], path: Path | None, own: Sequence[str]
) -> Remembered:
    """Forget the settings that are not those of a selection's own sections."""
    if not reset:
        kept = {section: table for section, table in output.tables.items() if section in own}
        return Remembered(output.where, kept)
    names = [name for name in reset if _section(name) not in own]
    return output.without(names, path) if names else output


def _section(name: str) -> str:
    """The section of ``section.key`` or ``section.key=value``."""
    return name.partition("=")[0].strip().partition(".")[0]
