"""Scoring: documents + scorers -> scores/SCORER, one table for each scorer.

Documents that rules or deduplication removed are left out, if those stages have run (see
score.rows). All scorers that are due for a wave run in one pass over its text.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.run.commits import (
    Basis,
    Work,
    due,
    fingerprint_of,
    settings_of,
    wave_of,
)
from jobs.run.console import show_progress
from jobs.run.current_documents import scored_documents, scored_ids, scored_sources
from jobs.run.ledger import close_stages
from jobs.run.request import SCORE_DOCUMENTS, Run, score_stage
from jobs.run.scorers import (
    chosen_scorers,
    lock_id_of,
    lock_source,
    scorer_of,
    stamp_of_scorer,
)
from jobs.tables import scores
from jobs.transforms.ledger import stage_counts
from udfs.scorers.scorer import Scorer


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the names of the scorers' balances, in the order in which scorers are known."""
    return tuple(map(score_stage, chosen_scorers(config)))


def add_arguments(parser: ArgumentParser) -> None:
    """Add --scorer."""
    parser.add_argument(
        "--scorer",
        action="append",
        choices=list(declared()),
        help="run only this scorer (repeatable)",
    )


def with_arguments(config: Config, arguments: Namespace) -> Config:
    """Return the configuration with the scorers that --scorer names, where it is given."""
    if not arguments.scorer:
        return config
    return replace(config, score=replace(config.score, scorers=tuple(arguments.scorer)))


def preload() -> None:
    """Import what scoring needs."""
    from udfs.scorers import scoring  # noqa: F401


def run(spark: SparkSession, run: Run) -> None:
    """Run every scorer of the configuration on the waves that are due for it."""
    waves = bases(run)
    wanted_of: dict[int, list[str]] = {}
    for name in run.config.score.scorers:
        for wave in due(run.store, score_stage(name), waves[score_stage(name)]):
            wanted_of.setdefault(wave, []).append(name)
    for number, (wave, wanted) in enumerate(sorted(wanted_of.items()), start=1):
        scorers = [scorer_of(name, run.config, run.lock, spark.sparkContext) for name in wanted]
        with (
            ExitStack() as commits,
            show_progress(spark, f"{SCORE_DOCUMENTS}, wave {number} of {len(wanted_of)}", "tasks"),
        ):
            work = [
                commits.enter_context(
                    wave_of(run.store, score_stage(name), wave, waves[score_stage(name)][wave])
                )
                for name in wanted
            ]
            _score_wave(spark, run, wave, scorers, work)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave of each scorer's table."""
    return {
        score_stage(name): {
            wave: Basis(
                settings_of(name, run.config.scorers[name]),
                lock_source(name, run.config, run.lock) | sources,
                reads=fingerprint_of(sources),
            )
            for wave, sources in scored_sources(run).items()
        }
        for name in run.config.score.scorers
    }


def _score_wave(
    spark: SparkSession, run: Run, wave: int, scorers: Sequence[Scorer], work: Sequence[Work]
) -> None:
    """Write a wave's table and ledger of each scorer."""
    from udfs.scorers.scoring import scoring_udf  # imports numba and pandas

    documents = scored_documents(spark, run, [wave])
    result = scoring_udf(scorers)("text", "url")
    # Several tables come out of one pass.
    scored = documents.select("doc_id", result.alias("scores")).persist(StorageLevel.DISK_ONLY)
    outcomes = {}
    for scorer in scorers:
        table = scores(scorer.name)
        result = F.col("scores")[scorer.name]
        fields = [result[name].alias(name) for name in scorer.result_type.fieldNames()]
        came_from = [
            F.lit(stamp_of_scorer(scorer.name, run.config, run.lock)).alias("artifact"),
            F.lit(lock_id_of(scorer.name, run.config, run.lock)).alias("lock_id"),
        ]
        run.store.write(scored.select("doc_id", *fields, *came_from), table, wave)
        outcomes[score_stage(scorer.name)] = _outcomes(run.store.read(spark, table, [wave]), scorer)
    scored.unpersist()
    counts = stage_counts(scored_ids(spark, run, [wave]), outcomes)
    balances = close_stages(run, list(outcomes), counts, wave)
    for scorer, its_work in zip(scorers, work, strict=True):
        its_work.balance = balances[score_stage(scorer.name)]


def _outcomes(table: DataFrame, scorer: Scorer) -> DataFrame:
    """Return doc_id and reason: null for a scored document."""
    first = scorer.result_type.fieldNames()[0]
    return table.select("doc_id", F.when(F.col(first).isNull(), "unscored").alias("reason"))
