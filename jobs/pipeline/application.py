"""A command as an application of Spark: shared arguments, signals, log file, session, exit status.

`run_reader` runs the commands that read an output and write elsewhere; those of stages are in
`jobs.pipeline.command_line`.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from pyspark.sql import SparkSession

from jobs.catalogue.fetch import cache_folder
from jobs.catalogue.lock import load_lock
from jobs.config import ConfigError, load_config, with_running_scorers
from jobs.config.exit_status import ExitStatus, exit_status_help
from jobs.pipeline.failures import failures_named, report_failure
from jobs.pipeline.interruption import stopped_by_signals
from jobs.pipeline.request_file import read_request
from jobs.pipeline.stages import stages_of
from jobs.run.console import set_log_format
from jobs.run.request import Reader, Run, SelectionKind, Stage
from jobs.run.session import spark_session
from jobs.run.session_log import libraries_logged, new_log, starts_spark
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from jobs.tables import check_selection_name
from jobs.transforms.spark_errors import quiet_errors
from udfs.files.uris import redact


class Application:
    """A command while it runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = ExitStatus.DONE
        self.log: Path | None = None
        """Its log file, once Spark starts; None before, and for what Spark has on the terminal."""

    @contextmanager
    def spark(
        self,
        run: Run,
        log_root: str | None,
        parts: Sequence[Stage | Reader] = (),
        *,
        is_whole_run: bool = False,
    ) -> Iterator[SparkSession]:
        """Yield a Spark session, and log what is not for the terminal, while the block runs.

        Args:
            log_root: The output whose folder ``logs`` has the log; None: that of the machine.
            parts: What works on it: their modules load as Java starts, and stages check their
                settings on it first.
            is_whole_run: Whether all stages may run.
        Raises:
            ConfigError, and what `jobs.run.session.spark_session` raises.
        """
        importing = Thread(target=_preload, args=(parts,), daemon=True)
        is_first = starts_spark()
        if is_first and not run.is_verbose:
            self.log = new_log(log_root, cache_folder(run.config), self.name)
        importing.start()
        with (
            libraries_logged(self.log),
            quiet_errors(),
            stopped_by_signals(ends_java=is_first),
            spark_session(
                self.name,
                run.config,
                run.config_file,
                run.input_bytes,
                is_whole_run=is_whole_run,
                log=self.log,
                worker_modules=[name for part in parts for name in part.worker_modules],
            ) as spark,
        ):
            importing.join()
            for part in parts:
                if isinstance(part, Stage) and part.check_on_spark is not None:
                    part.check_on_spark(spark, run.config)
            yield spark


@contextmanager
def application(name: str, *, is_verbose: bool) -> Iterator[Application]:
    """Run a block as a command: whatever ends it becomes a message and an exit status.

    Args:
        is_verbose: Whether to print tracebacks.
    Yields:
        The command, whose `status` is to be returned behind the block.
    """
    command = Application(name)
    try:
        with stopped_by_signals():
            yield command
    except (Exception, KeyboardInterrupt) as error:
        command.status = report_failure(name, error, command.log, is_verbose=is_verbose)


def command_parser(name: str, description: str | None) -> ArgumentParser:
    """Return a parser with the arguments that all commands on Spark share."""
    parser = ArgumentParser(
        prog=f"python -m jobs.{name}",
        description=description,
        epilog=exit_status_help(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="configuration file")
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
        help="print what would be done and why; write nothing",
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show tracebacks and what Spark and Java print, instead of writing a log file",
    )
    return parser


def run_reader(reader: Reader, doc: str | None, argv: Sequence[str] | None) -> int:
    """Run a command that reads an output: check its request, start Spark, do its work.

    Args:
        doc: The command's docstring, shown by --help.
    Returns:
        The exit status.
    """
    parser = command_parser(reader.module, doc)
    parser.add_argument(
        "--from", dest="source", required=True, metavar="OUTPUT", help="the output of a run"
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help=f"a named selection of it, instead of its {reader.reads.table}",
    )
    reader.add_arguments(parser)
    arguments = parser.parse_args(argv)
    with application(reader.name, is_verbose=arguments.verbose) as command:
        run = _stored_run(arguments, reader.reads)
        task = reader.check(run, arguments)
        if arguments.plan:
            print("\n".join(task.plan))
            return ExitStatus.DONE
        with command.spark(run, run.store.root, [reader]) as spark, failures_named(reader.name):
            task.work(spark)
    return command.status


def _stored_run(arguments: Namespace, kind: SelectionKind) -> Run:
    """Return the run of an output that is there, with the settings that it remembers.

    Raises:
        ConfigError: there is no output, or a setting is wrong.
    """
    store = Store.at(arguments.source)
    if not store.stages():
        raise ConfigError(f"--from {redact(arguments.source)}: is no output of a run")
    name = arguments.name
    selections = {} if name is None else {kind.stage: check_selection_name(name)}
    remembered = read_request(store).settings
    config = with_running_scorers(load_config(arguments.config, arguments.set, remembered))
    set_log_format(config.run.log)
    return Run(
        config,
        arguments.config,
        store,
        planned_waves(store),
        load_lock(config, arguments.config),
        stages_of(config),
        is_verbose=arguments.verbose,
        selections=selections,
    )


def _preload(parts: Sequence[Stage | Reader]) -> None:
    """Import what parts need. What cannot be imported is an error where it is used."""
    with suppress(ImportError):
        for part in parts:
            if part.preload is not None:
                part.preload()
