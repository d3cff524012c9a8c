"""The release of pairs at the end of a pipeline: `run_pipeline --release-pairs URI`.

It is committed in the output as the release of the corpus is, and made again when pairs, images,
interleaved documents or its own settings change. A release that this output did not write is
replaced with consent alone.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from pyspark.sql import SparkSession

from jobs.config import Config
from jobs.image_text.pair_release import FOLDERS, ReleasedPairs, write_pair_release
from jobs.image_text.pair_release_facts import basis_of, sources_of
from jobs.publishing.exclusions import read_exclusions
from jobs.publishing.place import absolute, check_place, in_the_way, redo_of
from jobs.run.commits import Balance, Basis, due, settings_of, wave_of
from jobs.run.console import StageProgress, say, show_progress
from jobs.run.request import Run
from jobs.run.store import WHOLE
from udfs.files.uris import redact

NAME = "release_pairs"
WORKER_MODULES = ("jobs.publishing.files", "udfs.images.shards")


def add_arguments(parser: ArgumentParser) -> None:
    """Add ``--release-pairs``."""
    parser.add_argument(
        "--release-pairs",
        metavar="URI",
        help="folder of a release of pairs, written at the end ([release_pairs] of the "
        "configuration)",
    )


def with_arguments(config: Config, arguments: Namespace) -> Config:
    """Return the configuration with ``--release-pairs``."""
    if arguments.release_pairs is None:
        return config
    return replace(config, release_pairs=replace(config.release_pairs, to=arguments.release_pairs))


def run(spark: SparkSession, run: Run) -> None:
    """Write the release, unless nothing has changed that it depends on."""
    waves, settings = bases(run)[NAME], run.config.release_pairs
    if settings.to is None or not due(run.store, NAME, waves):
        return
    to = absolute(settings.to)
    sources = sources_of(run, settings)
    exclusions = read_exclusions(settings.exclude, f"{NAME}.exclude")
    check_place(to, FOLDERS, may_replace=True)
    with (
        wave_of(run.store, NAME, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(NAME, is_one_pass=False)),
    ):
        released = write_pair_release(spark, sources, to, settings, exclusions)
        formats = released.formats
        work.balance = Balance(
            sum(of.seen for of in formats.values()),
            released.rows,
            {
                f"{name}: {reason}": rows
                for name, of in formats.items()
                for reason, rows in of.left_out.items()
            },
        )
    tell(released)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the release; none without one."""
    settings = run.config.release_pairs
    if settings.to is None:
        return {}
    sources: dict[str, str | None] = {
        "pairs": basis_of(run),
        f"{NAME}.exclude (content)": read_exclusions(settings.exclude, f"{NAME}.exclude").digest,
    }
    basis = Basis(settings_of(NAME, settings), sources, redo=redo_of(absolute(settings.to)))
    return {NAME: {WHOLE: basis}}


def deletes(run: Run) -> dict[str, str]:
    """Return a release that is in the way and that this output did not write.

    Raises:
        ConfigError: what is there is no release.
    """
    return in_the_way(run.store, NAME, f"{NAME}.to", run.config.release_pairs.to, FOLDERS)


def ledgers(_: Config) -> tuple[str, ...]:
    """Return no name: the release's balance is in its own files."""
    return ()


def tell(released: ReleasedPairs) -> None:
    """Say what a release has and where it is."""
    size = sum(of["bytes"] for of in released.files)
    where = redact(released.uri)
    formats = ", ".join(
        f"{name} {of.released:,} of {of.seen:,} rows"
        + "".join(f", {rows:,} {reason}" for reason, rows in of.left_out.items())
        for name, of in released.formats.items()
    )
    say(
        "pairs_released",
        f"release: {formats}; in {where} ({len(released.files):,} files, {size:,} bytes)",
        release=where,
    )


def preload() -> None:
    """Import what writing needs."""
    from jobs.publishing import files  # noqa: F401
