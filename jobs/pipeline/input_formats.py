"""Formats of input files before Spark: told by their names, and by the content of a few of them.

Files of one argument whose names say the same format are of one format. Up to three files of each
such group are looked at, until one shows it; a request of 90,000 files in one folder is looked at
by one to three small reads. The others are read as their names and the ones looked at say, and what
they turn out not to be is counted when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.config import ConfigError, InputConfig
from udfs.files.formats import (
    FORMAT_NAMES,
    JSONL,
    PARQUET,
    WARC,
    Head,
    first_rows,
    format_of_name,
    read_head,
)
from udfs.files.retry import RetryPolicy
from udfs.files.uris import InputFile, open_input, redact

AUTO = "auto"

_LOOKS = 3
_MOST_ARGUMENTS = 64  # more come from a shell's pattern, and are taken as one
_POLICY = RetryPolicy(attempts=2, timeout_s=10.0)
_SHOWN_COLUMNS = 20
_SHOWN_CHARS = 40
_USUAL_COLUMNS = ("text", "content", "raw_content", "contents", "body", "document", "passage")


@dataclass(frozen=True)
class _Look:
    """What a look at one file showed."""

    format: str | None = None
    is_empty: bool = False
    problem: str | None = None
    """Why the file cannot be read as it is wanted."""
    is_unreachable: bool = False
    """Whether its store or host fails, so that its neighbours need not be tried."""


@dataclass
class _Group:
    """Files of one argument whose names say the same format."""

    named: str | None
    files: list[InputFile]
    format: str | None = None
    problem: str | None = None
    empty: int = 0
    """Files that are known to be empty."""


def formats_of(
    files: Sequence[InputFile], settings: InputConfig, *, may_be_empty: bool
) -> list[str]:
    """Return the format of each file.

    Args:
        may_be_empty: Whether the request has other input beside these files.
    Raises:
        ConfigError: no file of an argument can be read as it is wanted, for a format that is not
            the given one, or that nothing shows, for a Parquet file that is none, or for rows
            without the column of the text; or all files are empty.
    """
    arguments = {file.argument for file in files}
    groups: dict[str, dict[str | None, _Group]] = {}
    for file in files:
        argument = file.argument if len(arguments) <= _MOST_ARGUMENTS else ""
        named = format_of_name(file.uri)
        of_argument = groups.setdefault(argument, {})
        of_argument.setdefault(named, _Group(named, [])).files.append(file)
    told: dict[str, str] = {}
    empty = 0
    for of_argument in groups.values():
        of_size = sorted(of_argument.values(), key=lambda group: -len(group.files))
        for group in of_size:
            _look_at(group, settings)
        _check_argument(of_size)
        empty += sum(group.empty for group in of_size)
        for group in of_size:
            told |= dict.fromkeys((file.uri for file in group.files), group.format or WARC)
    if files and empty == len(files) and not may_be_empty:
        which = redact(files[0].uri)
        more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
        raise ConfigError(f"--input: nothing to read: {which}{more}: empty")
    return [told[file.uri] for file in files]


def is_of_format(given: str, planned: str) -> bool:
    """Whether a file that was planned in a format is of the format that is given now."""
    return given == AUTO or FORMAT_NAMES[given] == FORMAT_NAMES[planned]


def _look_at(group: _Group, settings: InputConfig) -> None:
    """Set a group's format, or its problem, by looking at its first files that are not empty."""
    given = None if settings.format == AUTO else settings.format
    candidates = [file for file in group.files if file.size != 0]
    group.empty = len(group.files) - len(candidates)
    problems = []
    for file in candidates[:_LOOKS]:
        look = _looked_at(file, group.named, given, settings.text_column)
        group.empty += look.is_empty
        if look.problem is not None:
            problems.append(look.problem)
        elif look.format is not None:
            group.format = look.format
            return
        if look.is_unreachable:
            break
    group.format = given or group.named
    group.problem = problems[0] if problems else None


def _check_argument(groups: Sequence[_Group]) -> None:
    """Raise ConfigError if no group can be read; give those without a format their neighbours'."""
    readable = [
        group
        for group in groups
        if group.format is not None and group.problem is None and group.empty < len(group.files)
    ]
    problems = [group.problem for group in groups if group.problem is not None]
    if problems and not readable:
        raise ConfigError(f"--input: {problems[0]}")
    for group in groups:
        if group.format is None and readable:
            group.format = readable[0].format


def _looked_at(file: InputFile, named: str | None, given: str | None, text_column: str) -> _Look:
    """Look at one file; a file that cannot be opened shows nothing."""
    shown = redact(file.uri)
    try:
        head = read_head(file.uri, _POLICY)
    except (OSError, ValueError) as error:
        said = f"{shown}: cannot be read, and its name says no format: {error}"
        return _Look(
            problem=said if named is None and given is None else None,
            is_unreachable=not isinstance(error, FileNotFoundError),
        )
    if head.is_empty:
        return _Look(is_empty=True)
    told = head.format
    if given is not None and told is not None and FORMAT_NAMES[given] != FORMAT_NAMES[told]:
        return _Look(
            problem=f"{shown} is {FORMAT_NAMES[told]}, input.format is {given}: give "
            f"--input-format {told}, or --input-format {AUTO}"
        )
    wanted = given or told or named
    if wanted is None:
        return _Look(
            problem=f"{shown} {head.description}; known formats are WARC, ARC, JSON lines (plain, "
            "gzip or zstd) and Parquet: give --input-format if it is one of them"
        )
    if wanted == PARQUET:
        return _parquet_look(file.uri, text_column)
    return _jsonl_look(shown, head, text_column) if wanted == JSONL else _Look(wanted)


def _jsonl_look(shown: str, head: Head, text_column: str) -> _Look:
    found = first_rows(head)
    if found.rows == 0 and found.error is not None:
        if head.format is None:
            return _Look(problem=f"{shown} {head.description}, so it is not JSON lines")
        return _Look(problem=f"{shown}: its first line is not a JSON object: {found.error}")
    if found.rows > 0 and text_column not in found.columns:
        where = "its first row" if found.rows == 1 else f"its first {found.rows:,} rows"
        return _Look(problem=_no_column(f"{shown}: {where} have", text_column, found.columns))
    return _Look(JSONL)


def _parquet_look(uri: str, text_column: str) -> _Look:
    shown = redact(uri)
    try:
        with open_input(uri, _POLICY) as stream:
            file = pq.ParquetFile(stream)
            schema, rows = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).partition("\n")[0]
        return _Look(problem=f"{shown}: not a Parquet file that can be read: {said}")
    if text_column not in schema.names:
        return _Look(problem=_no_column(f"{shown} has", text_column, schema.names))
    kind = schema.field(text_column).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if str(kind) not in ("string", "large_string", "string_view"):
        return _Look(
            problem=f"{shown}: column {text_column} (input.text_column) is {kind}, not a string; "
            f"string columns: {_listed(f.name for f in schema if str(f.type) == 'string')}"
        )
    return _Look(PARQUET, is_empty=rows == 0)


def _no_column(whose: str, wanted: str, columns: Sequence[str]) -> str:
    usual = [name for name in columns if name.lower() in (wanted.lower(), *_USUAL_COLUMNS)]
    return (
        f"{whose} no column {wanted} (input.text_column); its columns: {_listed(columns)}. Give "
        f"--set input.text_column={usual[0] if usual else 'NAME'}"
    )


def _listed(names: Iterable[str]) -> str:
    """Return names for a message: the first of them, shortened, without control characters."""
    shown = list(names)
    more = len(shown) - _SHOWN_COLUMNS
    words = [
        "".join(char if char.isprintable() else "?" for char in name[:_SHOWN_CHARS])
        for name in shown[:_SHOWN_COLUMNS]
    ]
    return (", ".join(words) or "none") + (f" and {more:,} more" if more > 0 else "")
