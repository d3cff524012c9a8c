"""The release at the end of a pipeline: `run_pipeline --release URI` writes it with the corpus.

It is committed in the output as the work of stages is, and made again when the corpus or its own
settings change. A release that this output did not write is replaced with consent alone.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from pyspark.sql import SparkSession

from jobs.config import Config
from jobs.publishing.exclusions import read_exclusions
from jobs.publishing.place import absolute, check_place, in_the_way, redo_of
from jobs.release.facts import Source, basis_of
from jobs.release.layout import FOLDERS
from jobs.release.release import Released, check_release, write_corpus_card, write_release
from jobs.run.commits import Balance, Basis, due, settings_of, wave_of
from jobs.run.console import StageProgress, say, show_progress
from jobs.run.request import OF_DOCUMENTS, SELECT_CORPUS, Run, score_stage, select_stage
from jobs.run.store import WHOLE, Commit
from jobs.tables import check_selection_name, corpus_of
from udfs.files.uris import redact

RELEASE_CORPUS = "release_corpus"
WORKER_MODULES = ("jobs.publishing.files",)


def source_of(run: Run, name: str | None = None) -> Source:
    """Return the corpus of a run, or that of a named selection.

    Raises:
        ConfigError: the name is none that a selection can have.
    """
    name = None if name is None else check_selection_name(name)
    return Source(run, select_stage(name), corpus_of(name))


def add_arguments(parser: ArgumentParser) -> None:
    """Add ``--release``."""
    parser.add_argument(
        "--release",
        metavar="URI",
        help="folder of a release, written at the end ([release] of the configuration)",
    )


def with_arguments(config: Config, arguments: Namespace) -> Config:
    """Return the configuration with ``--release``."""
    if arguments.release is None:
        return config
    return replace(config, release=replace(config.release, to=arguments.release))


def run(spark: SparkSession, run: Run) -> None:
    """Write the release, unless nothing has changed that it depends on."""
    waves = bases(run)[RELEASE_CORPUS]
    to = run.config.release.to
    if to is None or not due(run.store, RELEASE_CORPUS, waves):
        return
    to = absolute(to)
    source = source_of(run)
    exclusions = check_release(source, run.config.release)
    check_place(to, FOLDERS, may_replace=True)
    with (
        wave_of(run.store, RELEASE_CORPUS, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(RELEASE_CORPUS, is_one_pass=False)),
    ):
        released = write_release(spark, source, to, run.config.release, exclusions)
        work.balance = Balance(released.seen, released.rows, dict(released.excluded))
    tell(released)


def describe(spark: SparkSession, run: Run) -> None:
    """Write the card of a named selection, corpora/NAME/README.md, before it is committed.

    Needs: its corpus and selection.json.
    """
    if run.selection is None:
        return
    source = source_of(run, run.selection)
    facts = OF_DOCUMENTS.read_facts(run.store, run.selection)
    documents = facts["documents"]
    commit = Commit(
        *(source.stage, WHOLE, "", 0.0, documents["seen"]),
        kept=documents["kept"],
        rejected=documents["rejected"],
        failed=documents["failed"],
        settings=facts["settings"],
        sources={score_stage(name): None for name in facts["scores"]},
    )
    write_corpus_card(spark, source, commit, run.config.release)


def tell(released: Released) -> None:
    """Say what a release has and where it is."""
    size = sum(of["bytes"] for of in released.files)
    left_out = "".join(f", {n:,} excluded by {kind}" for kind, n in released.excluded.items())
    where = redact(released.uri)
    files = f"{len(released.files):,} file{'' if len(released.files) == 1 else 's'}"
    text = f"release: {released.rows:,} of {released.seen:,} rows{left_out} in {where}"
    say("released", f"{text} ({files}, {size:,} bytes)", release=where)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the release; none without one."""
    settings = run.config.release
    if settings.to is None:
        return {}
    sources: dict[str, str | None] = {
        SELECT_CORPUS: basis_of(source_of(run)),
        "release.exclude (content)": read_exclusions(settings.exclude, "release.exclude").digest,
    }
    basis = Basis(settings_of("release", settings), sources, redo=redo_of(absolute(settings.to)))
    return {RELEASE_CORPUS: {WHOLE: basis}}


def deletes(run: Run) -> dict[str, str]:
    """Return a release that is in the way and that this output did not write.

    Raises:
        ConfigError: what is there is no release.
    """
    return in_the_way(run.store, RELEASE_CORPUS, "release.to", run.config.release.to, FOLDERS)


def ledgers(_: Config) -> tuple[str, ...]:
    """Return no name: the release's balance is in its own files."""
    return ()


def preload() -> None:
    """Import what writing needs."""
    from jobs.publishing import files  # noqa: F401
