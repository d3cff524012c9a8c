"""The command line that all stages share.

    python -m jobs.NAME --config FILE.toml --input URI... --output URI --set section.key=value...

A wrong request is found before Spark starts and exits with status 2. A stage that fails, or whose
balance does not close, exits with status 1.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import get_args

from jobs.catalogue.fetch import cache_folder
from jobs.catalogue.lock import load_lock
from jobs.config import ConfigError, InputFormat, load_config
from jobs.pipeline.dry_run import is_up_to_date, what_would_run
from jobs.pipeline.input_planning import check_input_is_known, named_inputs, plan_inputs
from jobs.pipeline.range_planning import with_ranges_planned
from jobs.pipeline.stages import PLAN, STAGES, running_order, stage_help
from jobs.run.console import set_log_format
from jobs.run.crawl_request import add_crawl_arguments
from jobs.run.java_runtime import NoJava
from jobs.run.lease import OutputInUse, lease_of
from jobs.run.metrics_file import MetricsFile
from jobs.run.request import Run, Stage
from jobs.run.session import spark_session
from jobs.run.session_log import libraries_logged, new_log, starts_spark
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from udfs.files.uris import InputNotFound


def run_command(command: Stage, doc: str | None, argv: Sequence[str] | None) -> int:
    """Run a command: check its request, start Spark, run the stages that it needs and its own.

    Args:
        command: An entry of `jobs.pipeline.stages`.
        doc: The command's docstring, shown by --help.
    Returns:
        The exit status.
    """
    try:
        with ExitStack() as held:
            run = prepare(command, argv, held, doc)
            stages = running_order(command, run.config)
            if run.dry_run:
                _show_plan(stages, run)
                return 0
            if is_up_to_date(stages, run):
                for stage in stages:
                    if stage.show is not None:
                        stage.show(run)
                return 0
            return _run_on_spark(command, stages, run)
    except (ConfigError, InputNotFound, OutputInUse) as error:
        print(f"{command.name}: {error}", file=sys.stderr)
        return 2


def prepare(
    command: Stage,
    argv: Sequence[str] | None,
    held: ExitStack | None = None,
    doc: str | None = None,
) -> Run:
    """Check a request and plan its input, without Spark.

    Args:
        held: Holds the output's lease until it is closed; None takes no lease.
    Raises:
        ConfigError, InputNotFound: the request is wrong.
        OutputInUse: another run works on the output.
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
    for stage in STAGES:
        if stage.check_settings is not None:
            stage.check_settings(config, lock)
    for stage in running_order(command, config):
        if stage.check is not None:
            stage.check(config)
    inputs = named_inputs(arguments, config)
    store = Store.at(arguments.output)
    check_input_is_known(inputs, store)
    if held is not None and not arguments.plan:
        lease = held.enter_context(lease_of(store, config.run.lease_s))
        store = replace(store, before_commit=lease.check)
    if config.run.metrics_file is not None:
        store = replace(store, after_commit=MetricsFile(config.run.metrics_file, store))
    waves, pending = plan_inputs(inputs, config, store, arguments.plan)
    return Run(
        *(config, arguments.config, store, waves, lock, STAGES, pending),
        dry_run=arguments.plan,
        is_verbose=arguments.verbose,
    )


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
        "--input-format",
        choices=get_args(InputFormat),
        help="default: input.format, auto: names and contents of the files say it",
    )
    parser.add_argument("--output", required=True, metavar="URI", help="folder of all tables")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="change one setting; the word off disables an optional limit",
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        help="print what would run and why; write nothing",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show what Spark and Java print, instead of writing it to a log file",
    )
    if command.add_arguments is not None:
        command.add_arguments(parser)
    return parser


def _show_plan(stages: Sequence[Stage], run: Run) -> None:
    """Print what the stages would do."""
    new = sorted(run.waves.keys() - planned_waves(run.store).keys())
    print(f"{PLAN.name}: {len(new):,} new waves" if new else f"{PLAN.name}: nothing to do")
    if run.requests:
        print(f"{PLAN.name}: Spark has to plan ranges; later stages are shown without them")
    for line in what_would_run(stages, run):
        print(line)


def _run_on_spark(command: Stage, stages: Sequence[Stage], run: Run) -> int:
    """Run the stages. Returns the exit status."""
    importing = Thread(target=_preload, args=(stages,), daemon=True)
    log = None
    if starts_spark() and not run.is_verbose:
        log = new_log(run.store.root, cache_folder(run.config), command.name)
    try:
        importing.start()
        with (
            libraries_logged(log),
            spark_session(
                command.name,
                run.config,
                run.config_file,
                run.input_bytes,
                is_whole_run=command.needs == STAGES,
                log=log,
            ) as spark,
        ):
            importing.join()
            for stage in stages:
                if stage.check_on_spark is not None:
                    stage.check_on_spark(spark, run.config)
            run = with_ranges_planned(spark, run)
            for stage in stages:
                if stage.run is not None:
                    stage.run(spark, run)
    except (NoJava, ConfigError) as error:
        print(f"{command.name}: {error}", file=sys.stderr)
        return 2
    except Exception:  # the boundary: whatever it is becomes a message and an exit status
        traceback.print_exc()
        if log is not None:
            print(f"{command.name}: what Spark and Java printed is in {log}", file=sys.stderr)
        return 1
    return 0


def _preload(stages: Sequence[Stage]) -> None:
    """Import what the stages need. What cannot be imported is an error where it is used."""
    with suppress(ImportError):
        for stage in stages:
            if stage.preload is not None:
                stage.preload()
