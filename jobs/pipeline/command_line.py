"""The command line that all stages share.

    python -m jobs.NAME --config FILE.toml --input URI... --output URI --set section.key=value...

A wrong request is found before Spark starts. `jobs.config.exit_status` lists how a command may end.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import get_args

from pyspark.sql import SparkSession

from jobs.catalogue.lock import load_lock
from jobs.config import Config, ConfigError, InputFormat, load_config, with_running_scorers
from jobs.estimate.bill import bill_json, bill_of
from jobs.estimate.bill_text import bill_text
from jobs.estimate.dry_run import measure, sampled_stages
from jobs.estimate.gpu_costs import gpu_scorers
from jobs.estimate.options import DryRun, dry_run_of
from jobs.estimate.sampling import RangeSample, Sample, as_whole, file_sample, sample_store
from jobs.pipeline.application import Application, application, command_parser
from jobs.pipeline.changes import added_input, changes, check_consent, needs_consent
from jobs.pipeline.failures import failures_named
from jobs.pipeline.input_planning import (
    check_input_is_known,
    named_inputs,
    plan_inputs,
    write_plan,
)
from jobs.pipeline.outcome import check_outcome
from jobs.pipeline.range_planning import with_ranges_planned
from jobs.pipeline.request_file import (
    Given,
    RequestFile,
    given_inputs,
    read_request,
    setting_notes,
    write_request,
)
from jobs.pipeline.stages import (
    EXTRACT,
    PIPELINE,
    PLAN,
    running_order,
    stage_help,
    stages_of,
)
from jobs.pipeline.work_plan import WorkPlan, plan_lines, work_plan
from jobs.run.console import say, set_log_format
from jobs.run.crawl_request import add_crawl_arguments
from jobs.run.lease import OutputInUse, lease_of
from jobs.run.metrics_file import MetricsFile
from jobs.run.request import SELECTION_KINDS, Run, Show, Stage, select_stage
from jobs.run.results import results_text
from jobs.run.store import Store
from jobs.selection.named import (
    NamedSettings,
    add_name_argument,
    load_named,
    outdated,
    read_named,
    write_named,
)
from udfs.files.uris import redact


def run_command(command: Stage, doc: str | None, argv: Sequence[str] | None) -> int:
    """Run a command: check its request, start Spark, run the stages that it needs and its own.

    Args:
        command: An entry of `jobs.pipeline.stages`.
        doc: The command's docstring, shown by --help.
    Returns:
        The exit status.
    """
    is_verbose = "--verbose" in (sys.argv if argv is None else argv)
    started = time.monotonic()
    with application(command.name, is_verbose=is_verbose) as running, ExitStack() as held:
        request = prepare(command, argv, held, doc)
        stages = running_order(command, request.run.config)
        if request.dry_run is not None:
            _run_dry(running, command, stages, request, request.dry_run, started)
            return running.status
        found = work_plan(stages, request.run)
        if request.shows is not None:
            _show_on_spark(running, command, found, request.run, request.shows)
        elif request.run.is_plan_only:
            _show_plan(command, found, request)
        else:
            _run(running, command, stages, found, request, started)
    return running.status


@dataclass(frozen=True)
class Request:
    """What a command line asks for, checked."""

    run: Run
    earlier: RequestFile
    """What the output remembered before."""
    given: Sequence[Given]
    """The inputs of the command line."""
    settings: Config
    """Those of the output: without what arguments of the command's own change, and without the
    sections of a named selection."""
    notes: Sequence[str]
    """What is to be said of the settings."""
    is_agreed: bool
    """Whether to delete tables and repeat other stages without a question."""
    dry_run: DryRun | None = None
    """What is asked of a dry run; None for another one."""
    shows: Show | None = None
    """What is shown instead of working; nothing is written then."""
    named: NamedSettings | None = None
    """What the selection that the command names remembered before; None for the default one."""

    def remember(self) -> None:
        """Write the request to the output, and the settings of a named selection."""
        write_request(self.run.store, self.earlier, self.given, self.settings)
        if self.named is not None:
            write_named(self.run.store, self.named, self.run.config)


def prepare(
    command: Stage,
    argv: Sequence[str] | None,
    held: ExitStack | None = None,
    doc: str | None = None,
) -> Request:
    """Check a request and plan its input, without Spark.

    Args:
        held: Holds the output's lease until it is closed; None takes no lease.
    Raises:
        ConfigError, InputNotFound: the request is wrong.
        OutputInUse: another run works on the output.
    """
    arguments = _parser(command, doc).parse_args(argv)
    dry_run = dry_run_of(arguments)
    if dry_run is not None:
        arguments.sample = None  # of the dry run, not of the request
    shows = None if command.shows is None else command.shows(arguments)
    is_plan_only = arguments.plan or dry_run is not None or shows is not None
    settings = list(arguments.set)
    if arguments.input_format is not None:
        settings.append(f'input.format="{arguments.input_format}"')
    store = Store.at(arguments.output)
    earlier = read_request(store)
    named = read_named(store, command, arguments)
    remembered = earlier.settings
    if named is None:
        if remembered is not None and arguments.reset is not None:
            remembered = remembered.without(arguments.reset, arguments.config)
        asked = of_output = load_config(arguments.config, settings, remembered)
    else:
        of_output, asked = load_named(
            arguments.config, settings, remembered, named, arguments.reset
        )
    notes = setting_notes(earlier, arguments.config, settings, asked)
    if named is not None and named.unknown:
        notes.append(f"{named.where}: not a setting of this version: {', '.join(named.unknown)}")
    config = with_running_scorers(asked)
    if command.with_arguments is not None:
        config = command.with_arguments(config, arguments)
    set_log_format(config.run.log)
    lock = load_lock(config, arguments.config)
    for stage in stages_of(config):
        if stage.check_settings is not None:
            stage.check_settings(config, lock)
    for stage in running_order(command, config):
        if stage.check is not None:
            stage.check(config)
    inputs = named_inputs(arguments, config)
    check_input_is_known(inputs, store)
    if held is not None and not is_plan_only:
        lease = held.enter_context(lease_of(store, config.run.lease_s))
        store = replace(store, before_commit=lease.check)
        if (
            read_request(store).data != earlier.data
            or read_named(store, command, arguments) != named
        ):
            raise OutputInUse(f"{redact(store.root)}: another run has just changed its settings")
    if config.run.metrics_file is not None:
        store = replace(store, after_commit=MetricsFile(config.run.metrics_file, store))
    waves, added, pending = plan_inputs(inputs, config, store, is_plan_only)
    run = Run(
        *(config, arguments.config, store, waves, lock, stages_of(config), pending, added),
        is_plan_only=is_plan_only,
        is_verbose=arguments.verbose,
        against=getattr(arguments, "against", None),
        selections={} if named is None else {command.name: named.name},
    )
    given = given_inputs(arguments, config)
    return Request(run, earlier, given, of_output, notes, arguments.yes, dry_run, shows, named)


def _parser(command: Stage, doc: str | None) -> ArgumentParser:
    parser = command_parser(command.module, f"{doc}\n{stage_help(command)}")
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
        "--reset",
        nargs="*",
        action="extend",
        metavar="SECTION.KEY",
        help="take these settings from the configuration file instead of those that the output "
        "remembers of earlier commands; without a name all of them",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="delete tables and repeat other stages without a question",
    )
    if command.name in SELECTION_KINDS:
        add_name_argument(parser, SELECTION_KINDS[command.name])
    if command.add_arguments is not None:
        command.add_arguments(parser)
    return parser


def _show_plan(command: Stage, found: WorkPlan, request: Request) -> None:
    """Print what a command would do."""
    run = request.run
    for line in (*request.notes, *added_input(run)):
        print(line)
    new = len(run.added)
    print(f"{PLAN.name}: {new:,} new waves" if new else f"{PLAN.name}: nothing to do")
    if run.requests:
        print(f"{PLAN.name}: Spark has to plan ranges; later stages are shown without them")
    for line in plan_lines(found):
        print(line)
    for asked in needs_consent(command, found):
        print(f"needs --yes: {asked}")
    if found.store is None:
        return
    after = replace(run, store=found.store)
    for stage in running_order(command, run.config):
        for name, reason in outdated(after, stage):
            older, by = select_stage(name, stage.name), f"{stage.module} --name {name}"
            print(f"{older}: {reason}; this command leaves it: {by}")


def _show_on_spark(
    running: Application, command: Stage, found: WorkPlan, run: Run, show: Show
) -> None:
    """Print what a command shows instead of working.

    Raises:
        ConfigError: a stage before its own has something to do, which would write.
    """
    before = [step.name for step in found.steps if step.wanted and step.stage.name != command.name]
    if run.added or run.requests or before or found.incomplete is not None:
        what = ", ".join(before) or found.incomplete or "new input"
        raise ConfigError(
            f"this writes nothing, and there is work to do before it: {what}; run it first "
            "(--plan shows why)"
        )
    with running.spark(run, None, [command]) as spark:
        print(show(spark, run))


def _run(
    running: Application,
    command: Stage,
    stages: Sequence[Stage],
    found: WorkPlan,
    request: Request,
    started: float,
) -> None:
    """Run the stages that have something to do, and say what came out."""
    run = request.run
    for line in (*request.notes, *changes(found, run)):
        say("plan", line, does=line)
    check_consent(command, found, run.config.run, request.is_agreed)
    write_plan(run.store, run.added)
    if found.is_up_to_date and not run.requests and run.against is None:
        request.remember()
        if not run.added:
            seconds = round(time.monotonic() - started, 1)
            say("nothing_to_do", f"nothing to do, {seconds} s", seconds=seconds)
        for stage in stages:
            if stage.show is not None:
                stage.show(run)
        print(results_text(command, stages, run))
        check_outcome(command, stages, run)
        return
    is_whole_run = command is PIPELINE
    parts = stages if run.requests else found.busy(stages)  # others need no modules
    with running.spark(run, run.store.root, parts, is_whole_run=is_whole_run) as spark:
        run = with_ranges_planned(spark, run)
        request.remember()
        earlier = run.store.commits(EXTRACT.name)
        for stage in stages:
            if stage.run is not None:
                with failures_named(stage.name):
                    stage.run(spark, run)
        print(results_text(command, stages, run))
    check_outcome(command, stages, run, earlier)


def _run_dry(
    running: Application,
    command: Stage,
    stages: Sequence[Stage],
    request: Request,
    options: DryRun,
    started: float,
) -> None:
    """Run the stages over a sample and print the bill."""
    whole = request.run
    stages = sampled_stages(stages, whole.config)
    drawn = None if whole.requests else file_sample(whole, options)
    with sample_store(whole.store.root, options.keep) as store:
        for line in request.notes:
            say("plan", line, does=line)
        is_whole_run = command is PIPELINE
        with running.spark(whole, None, stages, is_whole_run=is_whole_run) as spark:
            if drawn is None:
                run, sample = _with_sampled_ranges(spark, whole, options, store)
            else:
                sample, waves = drawn
                run = as_whole(whole, store, waves)
                write_plan(store, waves)
            measured = measure(spark, run, sample, stages, started, failures_named)
            on_gpus = gpu_scorers(whole.config)
            bill = bill_of(measured, options.prices, run.config.score.rows, on_gpus)
            kept_at = None if options.keep is None else redact(store.root)
            if options.is_json:
                print(json.dumps(bill_json(bill, kept_at, options.seed), ensure_ascii=False))
            else:
                print(bill_text(bill, kept_at))
        check_outcome(command, stages, run, {})


def _with_sampled_ranges(
    spark: SparkSession, whole: Run, options: DryRun, store: Store
) -> tuple[Run, Sample]:
    """Plan the ranges of sampled files in another output; return the run over them."""
    choice = RangeSample(whole, options)
    run = replace(as_whole(whole, store, {}), requests=whole.requests)
    one_split = replace(run.config, run=replace(run.config.run, wave_splits=1))
    planned = with_ranges_planned(spark, replace(run, config=one_split), choice.choose)
    return replace(planned, config=run.config), choice.sample(whole)
