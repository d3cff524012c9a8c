"""The command `release_corpus`: its arguments, checked, and the release they ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from pyspark.sql import SparkSession

from jobs.config.exit_status import NothingCameOut
from jobs.publishing.exclusions import Exclusions
from jobs.publishing.place import absolute, add_arguments, check_place, plan_notes
from jobs.release import stage
from jobs.release.facts import Source
from jobs.release.layout import FOLDERS
from jobs.release.release import check_release, write_release
from jobs.run.request import Reader, ReaderTask, Run
from udfs.files.uris import check_store, redact


def _check(run: Run, arguments: Namespace) -> ReaderTask:
    """Check a request.

    Raises:
        ConfigError: it is wrong, or a release is in the way and --yes is not given.
    """
    check_store(arguments.output)
    uri = absolute(arguments.output)
    source = stage.source_of(run, run.selection)
    settings = run.config.release
    exclusions = check_release(source, settings)
    is_replaced = check_place(uri, FOLDERS, may_replace=arguments.yes or arguments.plan)

    def work(spark: SparkSession) -> None:
        released = write_release(spark, source, uri, settings, exclusions)
        stage.tell(released)
        if not released.rows and not run.config.run.allow_empty:
            raise NothingCameOut(
                f"the release is empty: {released.seen:,} rows in the corpus, none of them "
                "released; its card says why. run.allow_empty=true makes this an exit status of 0"
            )

    return ReaderTask(list(_plan_lines(source, uri, exclusions, is_replaced=is_replaced)), work)


def _plan_lines(
    source: Source, uri: str, exclusions: Exclusions, *, is_replaced: bool
) -> Iterator[str]:
    """Describe what would be written."""
    rows = source.commit.kept if source.commit is not None else 0
    settings, root = source.run.config.release, redact(source.run.store.root)
    yield f"{stage.RELEASE_CORPUS}: {source.table} of {root}, {rows:,} documents"
    yield f"  to {redact(uri)} as {', '.join(settings.formats)}, {settings.rows} rows"
    yield from plan_notes(exclusions, is_replaced=is_replaced)


RELEASE_COMMAND = Reader(
    stage.RELEASE_CORPUS,
    add_arguments,
    _check,
    preload=stage.preload,
    worker_modules=stage.WORKER_MODULES,
)
