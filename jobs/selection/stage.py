"""Selection: all tables -> corpus, rejected, corpus_jsonl.

Nothing is scored again, and no text is read of a document that is not kept; what documents are
chosen by is joined once (`jobs.selection.stored_frame`). rejected has, for every document that is
not in the corpus, the stage that removed it and all its reasons. With ``select.min_segment_score``
a document is cut to its segments with at least that score. selection.json says what a selection
follows from, and what it counted.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial

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
    rule_sources,
    score_commits,
    with_current_text,
)
from jobs.run.ledger import BalanceOpen, close_stages
from jobs.run.request import (
    FIND_DUPLICATES,
    OF_DOCUMENTS,
    Run,
    score_stage,
    select_stage,
)
from jobs.run.scorers import check_locks
from jobs.run.store import WHOLE, stored_first
from jobs.selection.checks import check_tables
from jobs.selection.counts import file_counts, totals
from jobs.selection.decisions import Decided, decide
from jobs.selection.export import FOLDER, write_jsonl
from jobs.selection.facts import selection_facts
from jobs.selection.stored_frame import score_tables
from jobs.tables import (
    DOCUMENTS,
    REJECTED,
    corpus_of,
    rejected_of,
    schema_of,
    selection_folder,
)
from jobs.transforms.selection.corpus_rows import (
    corpus_rows,
    kept_documents,
    kept_in_place,
    runs_of,
    without_cut_passages,
)
from jobs.transforms.selection.frame import TEXT_FILE, TEXT_ROW, selection_scorers
from jobs.transforms.selection.repeats import REPEATS, repeated_rows
from jobs.transforms.selection.runs import with_runs

Describe = Callable[[SparkSession, Run], None]
"""Writes what describes a selection for people, once its tables and selection.json are there."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add --preview and --json."""
    parser.add_argument(
        "--preview",
        action="store_true",
        help="write nothing; print the documents, characters and tokens that ten thresholds of "
        "each score would keep, by domain and quality",
    )
    parser.add_argument(
        "--json", dest="preview_json", action="store_true", help="with --preview: print it as JSON"
    )


def run(spark: SparkSession, run: Run, describe: Describe | None = None) -> None:
    """Select the corpus, unless nothing has changed that it depends on."""
    stage = select_stage(run.selection)
    waves = bases(run)[stage]
    if not due(run.store, stage, waves):
        return
    check_tables(run)
    tables = score_tables(spark, run, selection_scorers(run.config))
    check_locks(run, tables, on_driver=fit_driver(run, list(run.waves)))
    decided = decide(spark, run)
    with (
        wave_of(run.store, stage, WHOLE, waves[WHOLE]) as work,
        show_progress(spark, StageProgress(stage, is_one_pass=False)),
    ):
        work.balance = _select(spark, run, decided)
        if describe is not None:
            describe(spark, run)


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


def _select(spark: SparkSession, run: Run, decided: Decided) -> Balance:
    """Write corpus, rejected, ledger and selection.json."""
    rejected = decided.verdicts.where(F.col("stage").isNotNull())
    stored_first(
        partial(run.store.write, _rows(spark, run, decided), corpus_of(run.selection)),
        partial(
            run.store.write_counted,
            rejected.select(*schema_of(REJECTED).fieldNames()),
            rejected_of(run.selection),
        ),
        wait=decided.stored is not None and not run.is_small,
    )
    stage = select_stage(run.selection)
    balance = close_stages(run, [stage], file_counts(spark, run), WHOLE)[stage]
    rows, repeats = totals(spark, run, balance.kept)
    _check_repeats(run, decided, rows, repeats)
    write_jsonl(spark, run.store, run.config.select.jsonl, run.selection)
    facts = selection_facts(run, balance, rows, repeats, decided)
    OF_DOCUMENTS.write_facts(run.store, run.selection, facts)
    decided.release()
    return balance


def _rows(spark: SparkSession, run: Run, decided: Decided) -> DataFrame:
    """Return the rows of the corpus. Texts of the documents that are kept are read where a stored
    frame says that they lie; without one, all are joined."""
    waves = list(run.waves)
    runs = runs_of(run.config)
    if TEXT_ROW in decided.verdicts.columns:
        from udfs.files.texts_in_place import texts_at_udf  # imports pandas

        text = texts_at_udf(f"{run.store.root}/{DOCUMENTS}")(TEXT_FILE, TEXT_ROW, "doc_id")
        kept = kept_in_place(decided.verdicts, text, runs)
    else:
        kept = kept_documents(run.store.read(spark, DOCUMENTS, waves), decided.verdicts, runs)
    texts = without_cut_passages(with_current_text(spark, run, kept, waves), run.config)
    rows = corpus_rows(texts if runs is None else with_runs(texts), run.config)
    return repeated_rows(rows) if run.config.select.repeat == "rows" else rows


def _check_repeats(run: Run, decided: Decided, rows: int, repeats: int) -> None:
    """Check that texts count as often as was decided.

    Raises:
        BalanceOpen: copies were lost, or there are too many.
    """
    if run.config.select.repeat == "off":
        return
    kept = decided.verdicts.where(F.col("stage").isNull())
    (expected,) = kept.agg(F.coalesce(F.sum(REPEATS), F.lit(0))).collect()[0]
    if repeats != expected or (run.config.select.repeat == "rows" and rows != expected):
        raise BalanceOpen(
            f"{corpus_of(run.selection)}: texts should count {expected:,} times, and count "
            f"{repeats:,} times in {rows:,} rows"
        )
