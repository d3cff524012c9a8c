"""Input planning before Spark: arguments -> waves of input files, and ranges still to be planned.

A file that was planned before keeps its wave and new files go to new waves, so an input that grows
is processed once. Ranges (captures of an index, lists of captures to try again) need Spark: see
`jobs.pipeline.range_planning`.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.config import Config, ConfigError, InputConfig
from jobs.pipeline.input_formats import AUTO, formats_of, is_of_format
from jobs.run.crawl_request import (
    RangeRequest,
    ReplayRequest,
    crawl_files,
    index_folder,
    index_request,
    is_planned,
)
from jobs.run.splits import (
    NamedFiles,
    Waves,
    compare_files,
    drop_unfinished,
    plan_waves,
    planned_waves,
    write_wave,
)
from jobs.run.store import Store
from udfs.files.uris import InputFile, InputNotFound, expand_inputs, range_lists, redact


@dataclass(frozen=True)
class Inputs:
    """The input that a command line names."""

    files: Sequence[InputFile] = ()
    requests: Sequence[RangeRequest] = ()
    """Ranges that Spark has to look up."""
    file_format: str | None = None
    """Format of the files of a crawl; None where names and contents say it."""

    @property
    def is_empty(self) -> bool:
        """Whether the command line names no input."""
        return not self.files and not self.requests


def named_inputs(arguments: Namespace, config: Config) -> Inputs:
    """Find the input files and ranges that the arguments name.

    Raises:
        ConfigError: arguments that contradict each other or the configuration.
        InputNotFound: a file, folder or pattern without a match.
    """
    request = index_request(arguments, config.language.index_languages)
    if request is not None:
        if config.input.format not in (AUTO, "warc"):
            raise ConfigError(
                f"--index: input.format = {config.input.format!r}: an index names WARC files; "
                "set input.format = 'warc'"
            )
        index_folder(request)
        return Inputs(requests=[request])
    if arguments.crawl is not None:
        kind, files = crawl_files(arguments.crawl, arguments.sample, config.input)
        return Inputs(files, file_format=kind)
    try:
        inputs, lists = range_lists(arguments.input)
        replay = ReplayRequest(tuple((file.uri, file.size) for file in lists))
        return Inputs(expand_inputs(inputs), [replay] if lists else [])
    except InputNotFound:
        raise
    except ValueError as error:
        raise ConfigError(f"--input: {error}") from error


def plan_inputs(
    inputs: Inputs, config: Config, store: Store, is_plan_only: bool
) -> tuple[Waves, Waves, tuple[RangeRequest, ...]]:
    """Plan the new input files, and write nothing: `write_plan` does.

    Returns:
        All waves of the output; the new ones among them; and the requests whose ranges are not
        planned yet.
    Raises:
        ConfigError: nothing is planned, then or before; a file or an index was planned otherwise;
            the format of new files is not known, or is not the given one.
    """
    if not is_plan_only:
        drop_unfinished(store)
    planned = planned_waves(store)
    pending = tuple(request for request in inputs.requests if not is_planned(store, request))
    files = compare_files(planned, inputs.files, config.input.crawl_root)
    formats = _new_formats(inputs, files, config.input)
    added = plan_waves(planned, files.new, formats, config.run.wave_splits)
    _check_planned(store, planned, added, pending)  # `planned` may have been an unfinished plan
    return planned | added, added, pending


def write_plan(store: Store, added: Waves) -> None:
    """Write the new waves."""
    for wave, splits in added.items():
        write_wave(store, wave, splits)


def _new_formats(inputs: Inputs, files: NamedFiles, settings: InputConfig) -> list[str]:
    """Return the format of each new file; raise ConfigError for a known one of another format."""
    given = inputs.file_format or settings.format
    for file, split in files.known:
        if not is_of_format(given, split.input_format):
            raise ConfigError(
                f"--input-format {given}: {redact(file.uri)} was planned in this output as "
                f"{split.input_format}; give another --output"
            )
    new = list(files.new.values())
    if inputs.file_format is not None:
        return [inputs.file_format] * len(new)
    has_others = bool(files.known or inputs.requests)
    return formats_of(new, settings, may_be_empty=has_others)


def check_input_is_known(inputs: Inputs, store: Store) -> None:
    """Raise ConfigError if the command line names no input and the output has none planned."""
    if inputs.is_empty:
        _check_planned(store, planned_waves(store))


def _check_planned(store: Store, *plans: Collection[object]) -> None:
    if not any(plans):
        raise ConfigError(
            f"no input: nothing is planned in {store.root} yet; give --input or --crawl"
        )
