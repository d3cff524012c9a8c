"""The command line that every job shares, and the order in which jobs need each other.

    python -m jobs.NAME --config FILE.toml --input URI... --output URI --set section.key=value...

Everything that can be wrong with a request is found here, before Spark starts: exit status 2.
A job that fails, or whose balance does not close, exits with 1.
"""

from __future__ import annotations

import argparse
import importlib
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
from jobs.run.lease import OutputInUse, lease_of
from jobs.run.metrics_file import MetricsFile
from jobs.run.request import Run
from jobs.run.scorers import REQUIRED, SCORERS, check_scorers
from jobs.run.signature_store import check_settings
from jobs.run.splits import Waves, drop_unfinished, plan_waves, planned_waves, write_wave
from jobs.run.store import Store
from udfs.files.uris import InputFile, InputNotFound, expand_inputs, range_lists
from udfs.lists.host_lists import HostListError, read_host_list
from udfs.lists.lexicon import LexiconError, read_lexicon

NEEDS: dict[str, tuple[str, ...]] = {
    "plan_input": (),
    "extract_documents": (),
    "apply_rules": ("extract_documents",),
    "find_duplicates": ("extract_documents",),
    "score_documents": ("extract_documents",),
    "select_corpus": ("extract_documents", "apply_rules", "find_duplicates", "score_documents"),
    "report_run": (),
    "run_pipeline": (
        "extract_documents",
        "apply_rules",
        "find_duplicates",
        "score_documents",
        "select_corpus",
        "report_run",
    ),
}
"""Jobs that are brought up to date before a job's own work. Where they are, they do nothing."""

_ONLY_PLANS = ("plan_input", "run_pipeline")
"""Jobs without work of their own beside the plan and the jobs that they need."""


def run_command(job: str, doc: str | None, argv: Sequence[str] | None) -> int:
    """Parse, check, start Spark, run the jobs that this one needs and the job itself.

    Args:
        job: Module name under ``jobs``; its ``run(spark, run)`` does the work.
        doc: The job's docstring, shown by --help.
    Returns:
        The exit status.
    """
    try:
        with ExitStack() as held:
            run = prepare(job, doc, argv, held)
            if run.rehearsed:
                return _rehearse(job, run)
            if job == "plan_input" and not run.requests:
                return 0
            return _run_on_spark(job, run)
    except (ConfigError, InputNotFound, OutputInUse) as error:
        print(f"{job}: {error}", file=sys.stderr)
        return 2


def prepare(
    job: str, doc: str | None, argv: Sequence[str] | None, held: ExitStack | None = None
) -> Run:
    """Everything before Spark: arguments, configuration, artifacts, input plan.

    Args:
        held: Keeps the output's lease until it is closed; without it no other run is kept away.
    Raises:
        ConfigError, InputNotFound, OutputInUse: with a message that a user can act on.
    """
    arguments = _parser(job, doc).parse_args(argv)
    settings = list(arguments.set)
    if arguments.input_format is not None:
        settings.append(f'input.format="{arguments.input_format}"')
    config = load_config(arguments.config, settings)
    if getattr(arguments, "scorer", None):
        config = replace(config, score=replace(config.score, scorers=tuple(arguments.scorer)))
    set_log_format(config.run.log)
    lock = load_lock(config, arguments.config)
    _check_names(config, lock)
    if job in ("select_corpus", "run_pipeline"):
        _check_corpus_scorers(config)
    if "find_duplicates" in (*NEEDS[job], job):
        check_settings(config.dedup)
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
    return Run(config, arguments.config, store, waves, lock, pending, arguments.plan)


def _parser(job: str, doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{job}",
        description=doc,
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
    if job == "score_documents":
        parser.add_argument(
            "--scorer", action="append", choices=SCORERS, help="run only this scorer (repeatable)"
        )
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


def _check_corpus_scorers(config: Config) -> None:
    missing = [scorer for scorer in REQUIRED if scorer not in config.score.scorers]
    if config.select.min_perplexity is not None and "perplexity" not in config.score.scorers:
        raise ConfigError(
            f"select.min_perplexity = {config.select.min_perplexity}: score.scorers = "
            f"{list(config.score.scorers)} has no perplexity"
        )
    if missing:
        raise ConfigError(
            f"score.scorers = {list(config.score.scorers)}: a corpus row needs "
            f"{', '.join(missing)} too"
        )


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
    rehearsed: bool,
) -> tuple[Waves, tuple[RangeRequest, ...]]:
    """The waves of the output, new input files planned, and written unless this is a rehearsal;
    ranges still to be planned."""
    if not rehearsed:
        drop_unfinished(store)
    planned = planned_waves(store)
    pending = tuple(request for request in requests if not is_planned(store, request))
    settings = config.input
    size = config.run.wave_splits
    added = plan_waves(planned, files, settings.format, size, settings.crawl_root)
    for wave, splits in added.items():
        if not rehearsed:
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


def _in_order(job: str, config: Config) -> list[str]:
    """The jobs that a job needs, and itself. Where the best duplicate is kept, quality is scored
    before duplicates are looked for."""
    names = [name for name in (*NEEDS[job], job) if name not in _ONLY_PLANS]
    if config.dedup.needs_scores() and {"find_duplicates", "score_documents"} <= set(names):
        names.remove("score_documents")
        names.insert(names.index("find_duplicates"), "score_documents")
    return names


def _rehearse(job: str, run: Run) -> int:
    """Print what the job would do."""
    from jobs.run.dry_run import rehearse  # imports every job, and they this module

    new = sorted(run.waves.keys() - planned_waves(run.store).keys())
    print(f"plan_input: {len(new):,} new waves" if new else "plan_input: nothing to do")
    if run.requests:
        print(
            "plan_input: ranges are to be planned with Spark; what follows from them is not known"
        )
    for line in rehearse(_in_order(job, run.config), run):
        print(line)
    return 0


def _run_on_spark(job: str, run: Run) -> int:
    from jobs.run.java_runtime import NoJava
    from jobs.run.session import taken_session  # imports Spark: only now

    try:
        with taken_session(job, run.config, run.config_file) as spark:
            names = _in_order(job, run.config)
            if "apply_rules" in names:
                importlib.import_module("jobs.apply_rules").check(spark, run.config.rules)
            if run.requests:  # imported only now: it needs this module, and Spark
                run = importlib.import_module("jobs.run.range_plan").with_ranges_planned(spark, run)
            for name in names:
                importlib.import_module(f"jobs.{name}").run(spark, run)
    except (NoJava, ConfigError) as error:
        print(f"{job}: {error}", file=sys.stderr)
        return 2
    except Exception:  # the boundary: whatever it is becomes a message and an exit status
        traceback.print_exc()
        return 1
    return 0
