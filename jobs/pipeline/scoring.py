"""Scoring: documents + scorers -> scores/SCORER, one table for each scorer.

Documents that rules or deduplication removed are left out, if those stages have run (see
score.rows). All scorers that are due for a wave run in one pass over its text.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

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
    in_wave,
    only_source_changed,
    settings_of,
    wave_of,
)
from jobs.run.console import Progress, say, show_progress
from jobs.run.current_documents import (
    fit_driver,
    ids_on_driver,
    removed_of,
    scored_counts,
    scored_documents,
    scored_ids,
    scored_sources,
)
from jobs.run.ledger import close_stages, rows_of
from jobs.run.request import FIND_DUPLICATES, SCORE_DOCUMENTS, Bases, Run, score_stage
from jobs.run.scorers import (
    chosen_scorers,
    lock_id_of,
    scorer_of,
    stamp_of_scorer,
)
from jobs.run.store import stored_first
from jobs.tables import scores
from jobs.transforms.ledger import counts_of, stage_counts
from udfs.scorers.scorer import Scorer

_UNSCORED = "unscored"


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
    _keep_unchanged(run, waves)
    wanted_of: dict[int, list[str]] = {}
    for name in run.config.score.scorers:
        for wave in due(run.store, score_stage(name), waves[score_stage(name)]):
            wanted_of.setdefault(wave, []).append(name)
    documents = scored_counts(run)
    for wave, wanted in sorted(wanted_of.items()):
        started = time.monotonic()
        label = f"{SCORE_DOCUMENTS}{in_wave(wave, len(run.waves))}"
        scorers = [scorer_of(name, run.config, run.lock, spark.sparkContext) for name in wanted]
        with (
            ExitStack() as commits,
            show_progress(spark, Progress(label, documents.get(wave))),
        ):
            work = [
                commits.enter_context(
                    wave_of(
                        *(run.store, score_stage(name), wave, waves[score_stage(name)][wave]),
                        is_shown=False,
                    )
                )
                for name in wanted
            ]
            _score_wave(spark, run, wave, scorers, work)
        _say_scored(label, wanted, work, time.monotonic() - started)


def _say_scored(label: str, scorers: Sequence[str], work: Sequence[Work], seconds: float) -> None:
    """Say that a wave is scored, in one line for all scorers."""
    seen = work[0].balance.seen
    unscored = {
        name: sum(of.balance.failed.values()) + sum(of.balance.rejected.values())
        for name, of in zip(scorers, work, strict=True)
    }
    without = "".join(f", {n:,} without a score of {name}" for name, n in unscored.items() if n)
    say(
        "scored",
        f"{label}: done, {seen:,} scored by {', '.join(scorers)}{without} in {seconds:.1f} s "
        f"({seen / max(seconds, 1e-9):,.0f}/s)",
        doing=label,
        seen=seen,
        unscored=unscored,
        seconds=round(seconds, 3),
    )


def _keep_unchanged(run: Run, waves: Bases) -> None:
    """Commit waves again whose documents are those that were scored.

    A new wave makes deduplication run again over all documents; of an earlier wave it mostly
    removes what it did before.
    """
    for stage, of_stage in waves.items():
        commits = run.store.commits(stage)
        for wave in due(run.store, stage, of_stage):
            basis, commit = of_stage[wave], commits.get(wave)
            removed = removed_of(run, wave)
            if commit is None or not removed or commit.removed != removed:
                continue
            if only_source_changed(commit, basis, FIND_DUPLICATES):
                run.store.commit(
                    replace(
                        commit,
                        fingerprint=basis.fingerprint,
                        reads=basis.reads,
                        sources=dict(basis.sources),
                    )
                )
                say(
                    "wave_unchanged",
                    f"{stage}{in_wave(wave, len(of_stage))}: scored already, deduplication "
                    "removes the same",
                    stage=stage,
                    wave=wave,
                )


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave of each scorer's table."""
    return {
        score_stage(name): {
            wave: Basis(
                settings_of(name, run.config.scorers[name]),
                {f"{name}.artifact": lock_id_of(name, run.config, run.lock), **sources},
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
    first, *others = [
        partial(run.store.write, _rows(run, scored, scorer), scores(scorer.name), wave)
        for scorer in scorers
    ]
    stored_first(first, *others, wait=not run.is_small)
    scored.unpersist()
    stages = [score_stage(scorer.name) for scorer in scorers]
    balances = close_stages(run, stages, _counts(spark, run, wave, scorers), wave)
    for scorer, its_work in zip(scorers, work, strict=True):
        balance = balances[score_stage(scorer.name)]
        its_work.balance = replace(balance, removed=removed_of(run, wave))


def _rows(run: Run, scored: DataFrame, scorer: Scorer) -> DataFrame:
    """Return a scorer's table, with the artifact and the lock that its rows follow from."""
    result = F.col("scores")[scorer.name]
    return scored.select(
        "doc_id",
        *(result[name].alias(name) for name in scorer.result_type.fieldNames()),
        F.lit(stamp_of_scorer(scorer.name, run.config, run.lock)).alias("artifact"),
        F.lit(lock_id_of(scorer.name, run.config, run.lock)).alias("lock_id"),
    )


def _counts(
    spark: SparkSession, run: Run, wave: int, scorers: Sequence[Scorer]
) -> Iterable[Mapping[str, Any]]:
    """Count the documents to score of a wave and what was decided on them: null where scored."""
    first = {scorer.name: scorer.result_type.fieldNames()[0] for scorer in scorers}
    if fit_driver(run, [wave]):
        scores_all = run.config.score.rows == "all"
        seen = ids_on_driver(run, [wave], with_rejected=scores_all, with_duplicates=scores_all)
        return counts_of(
            seen,
            {
                score_stage(name): [
                    (row["doc_id"], None if row[field] is not None else _UNSCORED)
                    for row in run.store.rows(scores(name), ["doc_id", field], [wave])
                ]
                for name, field in first.items()
            },
        )
    decided = {
        score_stage(name): run.store.read(spark, scores(name), [wave]).select(
            "doc_id", F.when(F.col(field).isNull(), _UNSCORED).alias("reason")
        )
        for name, field in first.items()
    }
    return rows_of(stage_counts(scored_ids(spark, run, [wave]), decided))
