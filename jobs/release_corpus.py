"""Release a corpus: files to publish and to train on, with a dataset card.

    python -m jobs.release_corpus --from OUTPUT --output URI
    python -m jobs.release_corpus --from OUTPUT --name NAME --output URI --set release.rows=full

Reads the corpus of OUTPUT, or its selection NAME, and writes Parquet or JSON lines in the layout of
the Hugging Face Hub, README.md, checksums.sha256 and run.json. [release] of the configuration says
how; release.exclude lists what is left out. The release appears when it is complete.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.catalogue.fetch import cache_folder
from jobs.config import ConfigError
from jobs.config.release_settings import ReleaseConfig
from jobs.exit_status import ExitStatus, exit_status_help
from jobs.pipeline.command_line import prepare
from jobs.pipeline.failures import failures_named, report_failure
from jobs.pipeline.interruption import stopped_by_signals
from jobs.pipeline.outcome import NothingCameOut
from jobs.pipeline.stages import RELEASE
from jobs.release.exclusions import Exclusions
from jobs.release.facts import Source
from jobs.release.place import check_place
from jobs.release.release import Released, check_release, write_release
from jobs.release.stage import absolute, source_of, tell
from jobs.run.request import Run
from jobs.run.session import spark_session
from jobs.run.session_log import libraries_logged, new_log, starts_spark
from jobs.run.store import Store
from jobs.transforms.spark_errors import quiet_errors
from udfs.files.uris import check_store, redact


@dataclass(frozen=True)
class _Asked:
    """A checked request."""

    source: Source
    uri: str
    settings: ReleaseConfig
    exclusions: Exclusions
    is_replaced: bool

    @property
    def run(self) -> Run:
        """The run that the corpus is of."""
        return self.source.run


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        with stopped_by_signals():
            asked = _asked(arguments)
            if arguments.plan:
                print("\n".join(_plan_lines(asked)))
                return ExitStatus.DONE
            return _release(asked)
    except (Exception, KeyboardInterrupt) as error:  # the boundary: a message and an exit status
        return report_failure(RELEASE.name, error, is_verbose=arguments.verbose)


def _asked(arguments: argparse.Namespace) -> _Asked:
    """Check the request without Spark.

    Raises:
        ConfigError: it is wrong.
    """
    check_store(arguments.output)
    uri = absolute(arguments.output)
    store = Store.at(arguments.source)
    if not store.stages():
        raise ConfigError(f"--from {redact(arguments.source)}: is no output of a run")
    words = ["--output", arguments.source, "--plan"]
    words += [] if arguments.config is None else ["--config", str(arguments.config)]
    words += ["--set", *arguments.set] if arguments.set else []
    run = replace(prepare(RELEASE, words).run, is_plan_only=False, is_verbose=arguments.verbose)
    source = source_of(run, arguments.name)
    settings = run.config.release
    exclusions = check_release(source, settings)
    is_replaced = check_place(uri, may_replace=arguments.yes or arguments.plan)
    return _Asked(source, uri, settings, exclusions, is_replaced)


def _plan_lines(asked: _Asked) -> list[str]:
    """Describe what would be written."""
    rows = asked.source.commit.kept if asked.source.commit is not None else 0
    entries = ", ".join(f"{len(keys):,} {kind}" for kind, keys in asked.exclusions.keys.items())
    settings, root = asked.settings, redact(asked.run.store.root)
    lines = [
        f"{RELEASE.name}: {asked.source.table} of {root}, {rows:,} documents",
        f"  to {redact(asked.uri)} as {', '.join(settings.formats)}, {settings.rows} rows",
    ]
    lines += [f"  without what matches: {entries}"] if entries else []
    return lines + (["needs --yes: replace the release that is there"] if asked.is_replaced else [])


def _release(asked: _Asked) -> int:
    """Write the release. Returns the exit status."""
    run = asked.run
    log = None
    is_first = starts_spark()
    if is_first and not run.is_verbose:
        log = new_log(run.store.root, cache_folder(run.config), RELEASE.name)
    try:
        with (
            libraries_logged(log),
            quiet_errors(),
            stopped_by_signals(ends_java=is_first),
            spark_session(
                RELEASE.name,
                run.config,
                run.config_file,
                run.input_bytes,
                log=log,
                worker_modules=RELEASE.worker_modules,
            ) as spark,
            failures_named(RELEASE.name),
        ):
            released = write_release(
                spark, asked.source, asked.uri, asked.settings, asked.exclusions
            )
        tell(released)
        _check_outcome(released, run)
    except Exception as error:  # here, since the log is known here
        return report_failure(RELEASE.name, error, log, is_verbose=run.is_verbose)
    return ExitStatus.DONE


def _check_outcome(released: Released, run: Run) -> None:
    """Raise NothingCameOut for an empty release, unless run.allow_empty says that it may be."""
    if not released.rows and not run.config.run.allow_empty:
        raise NothingCameOut(
            f"the release is empty: {released.seen:,} rows in the corpus, none of them released; "
            "its card says why. run.allow_empty=true makes this an exit status of 0"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m jobs.{RELEASE.name}",
        description=__doc__,
        epilog=exit_status_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from",
        dest="source",
        required=True,
        metavar="OUTPUT",
        help="the output of a run, which has the corpus",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="a named selection of it, instead of its corpus"
    )
    parser.add_argument("--output", required=True, metavar="URI", help="folder of the release")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="configuration file")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="change one setting; the word off disables an optional one",
    )
    parser.add_argument("--yes", action="store_true", help="replace a release that is there")
    parser.add_argument(
        "--plan", action="store_true", help="print what would be written; write nothing"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="show tracebacks and what Spark and Java print, instead of writing a log file",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
