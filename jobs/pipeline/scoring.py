"""Scoring: documents + scorers -> scores/SCORER, one table for each scorer.

Documents that rules or deduplication removed are left out, if those stages have run (see
score.rows). All scorers that are due for a wave run in one pass over its text.

With ``score.with_text``, a wave's texts are written with their scores beside them: to the table
scored_texts, committed by itself. Without it, a command that scores again deletes that table, which
would hold older scores.
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
    Balance,
    Basis,
    Work,
    due,
    fingerprint_of,
    in_wave,
    only_source_changed,
    settings_of,
    wave_of,
)
from jobs.run.console import StageProgress, say, show_progress
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
from jobs.tables import SCORED_TEXTS, scores
from jobs.transforms.ledger import counts_of, stage_counts
from udfs.scorers.scorer import Scorer

_UNSCORED = "unscored"


def ledgers(config: Config) -> tuple[str, ...]:
    """Return the names of the scorers' balances, in the order in which scorers are known."""
    return tuple(map(score_stage, chosen_scorers(config)))


def add_arguments(parser: ArgumentParser) -> None:
    """Add --scorer and --with-text."""
    parser.add_argument(
        "--scorer",
        action="append",
        choices=list(declared()),
        help="run only this scorer (repeatable)",
    )
    parser.add_argument(
        "--with-text",
        dest="set",
        action="append_const",
        const="score.with_text=true",
        help="also write texts with their scores beside them, to the table scored_texts",
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
    waves = _score_bases(run)
    _keep_unchanged(run, waves)
    wanted_of: dict[int, list[str]] = {}
    for name in run.config.score.scorers:
        for wave in due(run.store, score_stage(name), waves[score_stage(name)]):
            wanted_of.setdefault(wave, []).append(name)
    if wanted_of and deletes(run):
        _delete_texts(run)
    documents = scored_counts(run)
    for wave, wanted in sorted(wanted_of.items()):
        started = time.monotonic()
        label = f"{SCORE_DOCUMENTS}{in_wave(wave, len(run.waves))}"
        scorers = [scorer_of(name, run.config, run.lock, spark.sparkContext) for name in wanted]
        with (
            ExitStack() as commits,
            show_progress(spark, StageProgress(label, documents.get(wave))),
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
    for texts in _text_bases(run, waves).values():
        _write_texts(spark, run, texts)


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
    """Return the basis of each wave of each scorer's table, and of the texts beside them."""
    scored = _score_bases(run)
    return scored | _text_bases(run, scored)


def _score_bases(run: Run) -> dict[str, dict[int, Basis]]:
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


def _text_bases(run: Run, scored: Bases) -> dict[str, dict[int, Basis]]:
    """Return the basis of each wave, under the table's name; nothing where it is not asked for.

    Scores of scorers that this command leaves out belong to it where they are of the same texts.

    Args:
        scored: The bases of the scorers' tables, which texts and their sources are part of.
    """
    if not (run.config.score.with_text and scored):
        return {}
    names = [score_stage(name) for name in declared()]
    others = {name: run.store.commits(name) for name in names if name not in scored}
    bases = {}
    for wave, sources in scored_sources(run).items():
        reads = fingerprint_of(sources)
        beside = {name: of[wave].fingerprint for name, of in scored.items()}
        for name, commits in others.items():
            if wave in commits and commits[wave].reads == reads:
                beside[name] = commits[wave].fingerprint
        bases[wave] = Basis(sources=beside)
    return {SCORED_TEXTS: bases}


def deletes(run: Run) -> dict[str, str]:
    """Return the table, where scoring would leave older scores in it, with the reason."""
    if run.config.score.with_text or not run.store.list_names(SCORED_TEXTS):
        return {}
    return {SCORED_TEXTS: "score.with_text is false"}


def _delete_texts(run: Run) -> None:
    """Remove the table with its commits."""
    for wave in run.store.commits(SCORED_TEXTS):
        run.store.revoke(SCORED_TEXTS, wave)
    run.store.delete(SCORED_TEXTS)


def _write_texts(spark: SparkSession, run: Run, waves: Mapping[int, Basis]) -> None:
    """Write every wave that is due."""
    counted = run.store.commits(score_stage(run.config.score.scorers[0]))
    for wave in due(run.store, SCORED_TEXTS, waves):
        rows = counted[wave].rows
        progress = StageProgress(
            f"{SCORED_TEXTS}{in_wave(wave, len(waves))}", rows, is_one_pass=False
        )
        with (
            wave_of(run.store, SCORED_TEXTS, wave, waves[wave], len(waves)) as work,
            show_progress(spark, progress),
        ):
            run.store.write(_text_rows(spark, run, wave, waves[wave]), SCORED_TEXTS, wave)
            work.balance = Balance(seen=rows, kept=rows)


def _text_rows(spark: SparkSession, run: Run, wave: int, basis: Basis) -> DataFrame:
    """Return the wave's texts with a column for each scorer, null for one without scores of them.

    Shuffles: texts and scores by doc_id.
    """
    rows = scored_documents(spark, run, [wave]).select("doc_id", "url", "text")
    columns = [F.col(name) for name in rows.columns]
    for name, scorer in declared().items():
        if score_stage(name) not in basis.sources:
            columns.append(F.lit(None).cast(scorer.result_type).alias(name))
            continue
        result = F.struct(*scorer.result_type.fieldNames()).alias(name)
        table = run.store.read(spark, scores(name), [wave]).select("doc_id", result)
        rows = rows.join(table, on="doc_id", how="left")
        columns.append(F.col(name))
    return rows.select(*columns)
