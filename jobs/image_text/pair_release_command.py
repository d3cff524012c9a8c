"""The command `release_pairs`: its arguments, checked, and the release they ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from pyspark.sql import SparkSession

from jobs.config.exit_status import NothingCameOut
from jobs.config.image_settings import PAIR_FORMATS
from jobs.image_text.pair_release import FOLDERS, write_pair_release
from jobs.image_text.pair_release_facts import PairSources, sources_of
from jobs.image_text.pair_release_stage import NAME, WORKER_MODULES, preload, tell
from jobs.publishing.exclusions import Exclusions, read_exclusions
from jobs.publishing.place import absolute, add_arguments, check_place, plan_notes
from jobs.run.request import OF_PAIRS, Reader, ReaderTask, Run
from jobs.tables import INTERLEAVED
from udfs.files.uris import check_store, redact


def _check(run: Run, arguments: Namespace) -> ReaderTask:
    """Check a request.

    Raises:
        ConfigError: it is wrong, or a release is in the way and --yes is not given.
    """
    check_store(arguments.output)
    uri = absolute(arguments.output)
    settings = run.config.release_pairs
    sources = sources_of(run, settings)
    exclusions = read_exclusions(settings.exclude, f"{NAME}.exclude")
    is_replaced = check_place(uri, FOLDERS, may_replace=arguments.yes or arguments.plan)

    def work(spark: SparkSession) -> None:
        released = write_pair_release(spark, sources, uri, settings, exclusions)
        tell(released)
        if not released.rows and not run.config.run.allow_empty:
            raise NothingCameOut(
                "the release is empty; its card says why. run.allow_empty=true makes this an exit "
                "status of 0"
            )

    return ReaderTask(list(_plan_lines(sources, uri, exclusions, is_replaced=is_replaced)), work)


def _plan_lines(
    sources: PairSources, uri: str, exclusions: Exclusions, *, is_replaced: bool
) -> Iterator[str]:
    """Describe what would be written."""
    yield f"{NAME}: {redact(sources.run.store.root)} to {redact(uri)}"
    for name in sources.formats:
        table = INTERLEAVED if name == PAIR_FORMATS[-1] else sources.pairs_table
        yield f"  {name}: of {sources.rows(table):,} rows of {table}"
    yield from plan_notes(exclusions, is_replaced=is_replaced)


RELEASE_PAIRS = Reader(
    NAME,
    add_arguments,
    _check,
    OF_PAIRS,
    preload=preload,
    worker_modules=WORKER_MODULES,
    room="pairs",
)
