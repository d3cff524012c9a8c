"""The command line that all stages share.

    python -m jobs.NAME --config FILE.toml --input URI... --output URI --set section.key=value...

Everything that can be wrong with a request is found here, before Spark starts: exit status 2.
A job that fails, or whose balance does not close, exits with 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import get_args

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.fetch import find_artifact, find_artifact_or_file
from jobs.catalogue.lock import Lock, load_lock
from jobs.config import Config, ConfigError, InputFormat, load_config
from jobs.pipeline.dry_run import rehearse
from jobs.pipeline.range_planning import with_ranges_planned
from jobs.pipeline.stages import PLAN, STAGES, running_order, stage_help
from jobs.run.console import set_log_format
from jobs.run.crawl_request import (
    RangeRequest,
    ReplayRequest,
    add_crawl_arguments,
    crawl_files,
    index_folder,
    index_request,
    is_planned,
)
from jobs.run.java_runtime import NoJava
from jobs.run.lease import OutputInUse, lease_of
from jobs.run.metrics_file import MetricsFile
from jobs.run.request import Run, Stage
from jobs.run.scorers import SCORERS, check_scorers
from jobs.run.session import taken_session
from jobs.run.splits import Waves, drop_unfinished, plan_waves, planned_waves, write_wave
from jobs.run.store import Store
from udfs.files.uris import InputFile, InputNotFound, expand_inputs, range_lists
from udfs.lists.host_lists import HostListError, read_host_list
from udfs.lists.lexicon import LexiconError, read_lexicon


def run_command(command: Stage, doc: str | None, argv: Sequence[str] | None) -> int:
    """Parse, check, start Spark, run the stages that a command needs and its own.

    Args:
        command: An entry of `jobs.pipeline.stages`.
        doc: The command's docstring, shown by --help.
    Returns:
        The exit status.
    """
    try:
        with ExitStack() as held:
            run = prepare(command, doc, argv, held)
            stages = running_order(command, run.config)
            if run.dry:
                _show_plan(stages, run)
                return 0
            if not stages and not run.requests:
                return 0
            return _run_on_spark(command.name, stages, run)
    except (ConfigError, InputNotFound, OutputInUse) as error:
        print(f"{command.name}: {error}", file=sys.stderr)
        return 2


def prepare(
    command: Stage, doc: str | None, argv: Sequence[str] | None, held: ExitStack | None = None
) -> Run:
    """Everything before Spark: arguments, configuration, artifacts, input plan.

    Args:
        held: Keeps the output's lease until it is closed; without it no other run is kept away.
    Raises:
        ConfigError, InputNotFound, OutputInUse: with a message that a user can act on.
    """
    arguments = _parser(command, doc).parse_args(argv)
    settings = list(arguments.set)
    if arguments.input_format is not None:
        settings.append(f'input.format="{arguments.input_format}"')
    config = load_config(arguments.config, settings)
    if command.with_arguments is not None:
        config = command.with_arguments(config, arguments)
    set_log_format(config.run.log)
    lock = load_lock(config, arguments.config)
    _check_names(config, lock)
    for stage in running_order(command, config):
        if stage.check is not None:
            stage.check(config)
    files, requests = _asked_for(arguments, config)
    store = Store.at(arguments.output)
    if not files and not requests:  # else the plan need not be read here as well
        _check_something_is_planned(store, planned_waves(store))
    if held is not None and not arguments.plan:
        lease = held.enter_context(lease_of(store, config.run.lease_s))
        store = replace(store, before_commit=lease.check)
    if config.run.metrics_file is not None:
        store = replace(store, after_commit=MetricsFile(config.run.metrics_file, store))
    waves, pending = _plan(files, requests, config, store, arguments.plan)
    return Run(config, arguments.config, store, waves, lock, STAGES, pending, arguments.plan)


def _parser(command: Stage, doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{command.name}",
        description=f"{doc}\n{stage_help(command)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="configuration file")
    parser.add_argument(
        "--input",
        nargs="+",
        action="extend",
        default=[],
        metavar="URI",
        help="files, folders, globs, @list-of-paths.txt, or @OUTPUT/replay for captures that could "
        "not be read; local, s3://, gs://, hdfs://, https://",
    )
    add_crawl_arguments(parser)
    parser.add_argument(
        "--input-format", choices=get_args(InputFormat), help="default: input.format, warc"
    )
    parser.add_argument("--output", required=True, metavar="URI", help="folder of all tables")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="change one setting; the word off switches an optional limit off",
    )
    parser.add_argument(
        "--plan", action="store_true", help="say what would run, and why; write nothing"
    )
    if command.add_arguments is not None:
        command.add_arguments(parser)
    return parser


def _check_names(config: Config, lock: Lock) -> None:
    """Names in the configuration that only a run would otherwise find to be wrong."""
    for scorer in config.score.scorers:
        if scorer not in SCORERS:
            raise ConfigError(f"score.scorers: unknown {scorer!r}; known: {', '.join(SCORERS)}")
    if (
        config.extract.extractor == "trafilatura"
        and importlib.util.find_spec("trafilatura") is None
    ):
        raise ConfigError(
            "extract.extractor = 'trafilatura': not installed; pip install \"taojin[trafilatura]\""
        )
    catalogue = lock.artifacts
    find_artifact(catalogue, config.extract.language_artifact, "extract.language_artifact")
    rules = config.rules
    for key, names, read in (
        ("rules.lexicon", (rules.lexicon,), read_lexicon),
        ("rules.host_block", rules.host_block, read_host_list),
        ("rules.host_allow", rules.host_allow, read_host_list),
    ):
        for name in names:
            _check_list(find_artifact_or_file(catalogue, name, key), key, read)
    check_scorers(config, lock)


def _check_list(file: Artifact, key: str, read: Callable[[Path], object]) -> None:
    """Read a list that is at hand: a broken line is a mistake of the request."""
    if not Path(file.uri).is_file():
        return
    try:
        read(Path(file.uri))
    except (LexiconError, HostListError) as error:
        raise ConfigError(f"{key}: {error}") from error


def _plan(
    files: Sequence[InputFile],
    requests: Sequence[RangeRequest],
    config: Config,
    store: Store,
    dry: bool,
) -> tuple[Waves, tuple[RangeRequest, ...]]:
    """The waves of the output, new input files planned, and written unless this is a dry run;
    ranges still to be planned."""
    if not dry:
        drop_unfinished(store)
    planned = planned_waves(store)
    pending = tuple(request for request in requests if not is_planned(store, request))
    settings = config.input
    size = config.run.wave_splits
    added = plan_waves(planned, files, settings.format, size, settings.crawl_root)
    for wave, splits in added.items():
        if not dry:
            write_wave(store, wave, splits)
    # Once more: what was planned may have been the half plan that is dropped now.
    _check_something_is_planned(store, planned, added, pending)
    return planned | added, pending


def _check_something_is_planned(store: Store, *plans: Collection[object]) -> None:
    if not any(plans):
        raise ConfigError(f"--input is needed, or --crawl: nothing is planned in {store.root} yet")


def _asked_for(
    arguments: argparse.Namespace, config: Config
) -> tuple[list[InputFile], list[RangeRequest]]:
    """The files that the arguments name, and the ranges that Spark has to look up."""
    request = index_request(arguments)
    if request is not None:
        if config.input.format != "warc":
            raise ConfigError(
                f"--index: input.format = {config.input.format!r}: an index names WARC files"
            )
        index_folder(request)
        return [], [request]
    if arguments.crawl is not None:
        return crawl_files(arguments.crawl, arguments.sample, config.input), []
    try:
        inputs, lists = range_lists(arguments.input)
        replay = ReplayRequest(tuple((file.uri, file.size) for file in lists))
        return expand_inputs(inputs), [replay] if lists else []
    except InputNotFound:
        raise
    except ValueError as error:
        raise ConfigError(f"--input: {error}") from error


def _show_plan(stages: Sequence[Stage], run: Run) -> None:
    """Print what the stages would do."""
    new = sorted(run.waves.keys() - planned_waves(run.store).keys())
    print(f"{PLAN.name}: {len(new):,} new waves" if new else f"{PLAN.name}: nothing to do")
    if run.requests:
        print(
            f"{PLAN.name}: ranges are planned with Spark; what follows from them is not known yet"
        )
    for line in rehearse(stages, run):
        print(line)


def _run_on_spark(command: str, stages: Sequence[Stage], run: Run) -> int:
    """Plan ranges, run the stages. Returns the exit status."""
    try:
        with taken_session(command, run.config, run.config_file) as spark:
            for stage in stages:
                if stage.check_on_spark is not None:
                    stage.check_on_spark(spark, run.config)
            run = with_ranges_planned(spark, run)
            for stage in stages:
                if stage.run is not None:
                    stage.run(spark, run)
    except (NoJava, ConfigError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    except Exception:  # the boundary: whatever it is becomes a message and an exit status
        traceback.print_exc()
        return 1
    return 0
