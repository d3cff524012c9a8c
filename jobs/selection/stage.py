"""Selection by thresholds on stored scores: all tables -> corpus, rejected, corpus_jsonl.

Nothing is scored again: another threshold costs one join. rejected has, for every document that is
not in the corpus, the stage that removed it and all its reasons. With
``select.min_segment_score`` a document is cut to its segments with at least that score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.commits import (
    Balance,
    Basis,
    due,
    fingerprint_of,
    settings_of,
    wave_of,
)
from jobs.run.console import StageProgress, show_progress
from jobs.run.current_documents import (
    duplicate_commit,
    fit_driver,
    ids_on_driver,
    rule_sources,
    score_commits,
    survivor_ids,
    with_current_text,
)
from jobs.run.ledger import close_stages, rows_of
from jobs.run.request import (
    FIND_DUPLICATES,
    SELECT_CORPUS,
    Run,
    score_stage,
    select_stage,
)
from jobs.run.scorers import check_locks
from jobs.run.store import WHOLE, at_once, stored_first
from jobs.selection.export import FOLDER, write_jsonl
from jobs.tables import (
    DOCUMENTS,
    DUPLICATES,
    FLAGGED,
    MEASURED,
    REJECTED,
    corpus_of,
    rejected_of,
    schema_of,
    scores,
    selection_folder,
)
from jobs.transforms.ledger import counts_of, stage_counts
from jobs.transforms.selection.corpus_rows import (
    corpus_rows,
    kept_documents,
    runs_of,
    without_cut_passages,
)
from jobs.transforms.selection.runs import with_runs
from jobs.transforms.selection.verdicts import selection_scorers, with_verdicts


def run(spark: SparkSession, run: Run) -> None:
    """Select the corpus, unless nothing has changed that it depends on."""
    stage = select_stage(run.selection)
    waves = bases(run)[stage]
    if not due(run.store, stage, waves):
        return
    with (
        wave_of(run.store, stage, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(stage, is_one_pass=False)),
    ):
        work.balance = _select(spark, run)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the corpus."""
    scored = {
        score_stage(name): fingerprint_of(score_commits(run, name))
        for name in selection_scorers(run.config)
    }
    sources = rule_sources(run) | {FIND_DUPLICATES: duplicate_commit(run), **scored}
    settings = settings_of("select", run.config.select)
    for limits in run.config.limits.values():
        settings |= settings_of("select", limits)
    return {select_stage(run.selection): {WHOLE: Basis(settings, sources)}}


def deletes(run: Run) -> dict[str, str]:
    """Return the export that a selection without one deletes, with the reason."""
    jsonl = run.config.select.jsonl
    folder = (*selection_folder(run.selection), FOLDER)
    if jsonl != "none" or not run.store.list_names(*folder):
        return {}
    commit = run.store.commits(select_stage(run.selection)).get(WHOLE)
    was = "" if commit is None else f', was "{commit.settings.get("select.jsonl", jsonl)}"'
    return {"/".join(folder): f'select.jsonl is "{jsonl}"{was}'}


def _select(spark: SparkSession, run: Run) -> Balance:
    """Write corpus, rejected and ledger."""
    waves = list(run.waves)
    documents = run.store.read(spark, DOCUMENTS, waves)
    duplicates = run.store.read(spark, DUPLICATES)
    tables = {
        name: run.store.read(spark, scores(name), waves) for name in selection_scorers(run.config)
    }
    flagged = run.store.read(spark, FLAGGED, waves).select("doc_id", "reject_reasons")
    measured = run.store.read(spark, MEASURED, waves)

    def selected() -> tuple[DataFrame, DataFrame]:
        # Ids, reasons and scores only: the texts of kept documents are joined at the end.
        verdicts = with_verdicts(
            documents.select("doc_id", "url", "warc_path", "warc_offset"),
            flagged,
            duplicates,
            {name: table.drop("artifact", "lock_id") for name, table in tables.items()},
            run.config,
        ).persist(StorageLevel.DISK_ONLY)
        runs = runs_of(run.config)
        kept = kept_documents(documents, verdicts, duplicates, measured, runs)
        texts = without_cut_passages(with_current_text(spark, run, kept, waves), run.config)
        return verdicts, corpus_rows(texts if runs is None else with_runs(texts), run.config)

    (verdicts, rows), _ = at_once(
        selected, partial(check_locks, run, tables, on_driver=fit_driver(run, waves))
    )
    rejected = verdicts.where(F.col("stage").isNotNull())
    stored_first(
        partial(run.store.write, rows, corpus_of(run.selection)),
        partial(
            run.store.write_counted,
            rejected.select(*schema_of(REJECTED).fieldNames()),
            rejected_of(run.selection),
        ),
        wait=not run.is_small,
    )
    stage = select_stage(run.selection)
    balance = close_stages(run, [stage], _counts(spark, run), WHOLE)[stage]
    write_jsonl(spark, run.store, run.config.select.jsonl, run.selection)
    verdicts.unpersist()
    return balance


def _counts(spark: SparkSession, run: Run) -> Iterable[Mapping[str, Any]]:
    """Count the documents that were left and what was decided on them: null for a corpus row, else
    the first reason of this stage."""
    waves = list(run.waves)
    stage, selection = select_stage(run.selection), run.selection
    if fit_driver(run, waves):
        rows = run.store.rows(rejected_of(selection), ["doc_id", "stage", "reasons"])
        here = [(row["doc_id"], row["reasons"][0]) for row in rows if row["stage"] == SELECT_CORPUS]
        kept = [(row["doc_id"], None) for row in run.store.rows(corpus_of(selection), ["doc_id"])]
        return counts_of(ids_on_driver(run, waves), {stage: [*kept, *here]})
    rejected = run.store.read(spark, rejected_of(selection))
    removed = rejected.where(F.col("stage") == SELECT_CORPUS)
    corpus = run.store.read(spark, corpus_of(selection))
    decided = corpus.select("doc_id", F.lit(None).cast("string").alias("reason")).unionByName(
        removed.select("doc_id", F.get("reasons", 0).alias("reason"))
    )
    return rows_of(stage_counts(survivor_ids(spark, run, waves), {stage: decided}))
