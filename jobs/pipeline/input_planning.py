"""Input planning before Spark: arguments -> waves of input files, and ranges still to be planned.

A file that was planned before keeps its wave and new files go to new waves, so an input that grows
is processed once. Ranges (captures of an index, lists of captures to try again) need Spark: see
`jobs.pipeline.range_planning`.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.config import Config, ConfigError
from jobs.run.crawl_request import (
    RangeRequest,
    ReplayRequest,
    crawl_files,
    index_folder,
    index_request,
    is_planned,
)
from jobs.run.splits import Waves, drop_unfinished, plan_waves, planned_waves, write_wave
from jobs.run.store import Store
from udfs.files.uris import InputFile, InputNotFound, expand_inputs, range_lists


@dataclass(frozen=True)
class Inputs:
    """The input that a command line names."""

    files: Sequence[InputFile] = ()
    requests: Sequence[RangeRequest] = ()
    """Ranges that Spark has to look up."""

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
    request = index_request(arguments)
    if request is not None:
        if config.input.format != "warc":
            raise ConfigError(
                f"--index: input.format = {config.input.format!r}: an index names WARC files; "
                "set input.format = 'warc'"
            )
        index_folder(request)
        return Inputs(requests=[request])
    if arguments.crawl is not None:
        return Inputs(crawl_files(arguments.crawl, arguments.sample, config.input))
    try:
        inputs, lists = range_lists(arguments.input)
        replay = ReplayRequest(tuple((file.uri, file.size) for file in lists))
        return Inputs(expand_inputs(inputs), [replay] if lists else [])
    except InputNotFound:
        raise
    except ValueError as error:
        raise ConfigError(f"--input: {error}") from error


def plan_inputs(
    inputs: Inputs, config: Config, store: Store, dry_run: bool
) -> tuple[Waves, tuple[RangeRequest, ...]]:
    """Plan the new input files; write their waves unless this is a dry run.

    Returns:
        All waves of the output, and the requests whose ranges are not planned yet.
    Raises:
        ConfigError: nothing is planned, then or before; a file or an index was planned otherwise.
    """
    if not dry_run:
        drop_unfinished(store)
    planned = planned_waves(store)
    pending = tuple(request for request in inputs.requests if not is_planned(store, request))
    settings = config.input
    size = config.run.wave_splits
    added = plan_waves(planned, inputs.files, settings.format, size, settings.crawl_root)
    if not dry_run:
        for wave, splits in added.items():
            write_wave(store, wave, splits)
    _check_planned(store, planned, added, pending)  # `planned` may have been an unfinished plan
    return planned | added, pending


def check_input_is_known(inputs: Inputs, store: Store) -> None:
    """Raise ConfigError if the command line names no input and the output has none planned."""
    if inputs.is_empty:
        _check_planned(store, planned_waves(store))


def _check_planned(store: Store, *plans: Collection[object]) -> None:
    if not any(plans):
        raise ConfigError(
            f"no input: nothing is planned in {store.root} yet; give --input or --crawl"
        )
