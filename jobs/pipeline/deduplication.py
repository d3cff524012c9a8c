"""Deduplication over all documents: documents -> duplicates, cuts.

duplicates has one row for each removed document: the kind of match, its cluster and the document
kept in its place. Documents that a rule rejected take no part, if apply_rules has run. The level
"paragraph" adds the table cuts: what the kept documents lose of their text.

With a signature store, documents are also matched against earlier snapshots, which do not change,
and the store receives the signatures of this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.run.commits import (
    Balance,
    Basis,
    StageIncomplete,
    due,
    fingerprint_of,
    settings_of,
    wave_of,
    write_counts,
)
from jobs.run.console import StageProgress, say, show_progress
from jobs.run.current_documents import (
    fit_driver,
    ids_on_driver,
    kept_by_rules,
    rule_sources,
    rule_survivor_ids,
    rule_survivor_sources,
    rule_survivors,
    score_commits,
)
from jobs.run.lease import lease_of
from jobs.run.ledger import close_stages, rows_of
from jobs.run.request import FIND_DUPLICATES, Run, score_stage
from jobs.run.signature_store import StoreView, check_settings, open_store
from jobs.run.store import WHOLE, Store
from jobs.tables import CUTS, DUPLICATES, scores
from jobs.transforms.earlier_snapshots import EarlierSnapshots, snapshot_keys
from jobs.transforms.ledger import counts_of, stage_counts

if TYPE_CHECKING:  # imports numba and pandas
    from jobs.transforms.duplicates import Found

_KIND = ("doc_id", "kind")


def check(config: Config) -> None:
    """Check that the signature store was made with the same settings.

    Raises:
        ConfigError: it was made with others.
    """
    check_settings(config.dedup)


def preload() -> None:
    """Import what the search needs."""
    from jobs.transforms import duplicates  # noqa: F401


def run(spark: SparkSession, run: Run) -> None:
    """Find the duplicates, unless nothing has changed that they depend on."""
    with ExitStack() as held:
        view = _opened_view(run, held)
        basis = _basis(run, view)
        if not due(run.store, FIND_DUPLICATES, {WHOLE: basis}):
            return
        with (
            wave_of(run.store, FIND_DUPLICATES, WHOLE, basis) as work,
            show_progress(
                spark, StageProgress(FIND_DUPLICATES, kept_by_rules(run), is_one_pass=False)
            ),
        ):
            work.balance = _find(spark, run, view, basis.fingerprint)


def bases(run: Run) -> dict[str, dict[int, Basis]]:
    """Return the basis of the duplicates."""
    return {FIND_DUPLICATES: {WHOLE: _basis(run, open_store(run.config.dedup))}}


def deletes(run: Run) -> dict[str, str]:
    """Return the cuts that a search without the level paragraph deletes, with the reason."""
    if "paragraph" in run.config.dedup.levels or not run.store.list_names(CUTS):
        return {}
    return {CUTS: 'dedup.levels has no "paragraph"'}


def _basis(run: Run, view: StoreView | None) -> Basis:
    scored = _score_commits(run)
    sources = rule_sources(run)
    if scored is not None:
        sources[score_stage(_quality_scorer(run))] = fingerprint_of(scored)
    if view is not None:
        sources["earlier snapshots"] = fingerprint_of(view.place, view.fingerprints())
    settings = settings_of("dedup", run.config.dedup)
    if (least := _least_chars(run)) is not None:
        settings["rules.min_chars"] = least
    basis = Basis(settings, sources, reads=fingerprint_of(rule_survivor_sources(run)))
    if view is None or view.is_committed(basis.fingerprint):
        return basis
    return replace(basis, redo="the signature store lacks this snapshot as it is now")


def _opened_view(run: Run, held: ExitStack) -> StoreView | None:
    """Open the signature store and take its lease, so that places are given one at a time."""
    dedup = run.config.dedup
    if dedup.signature_store is None:
        return None
    store = Store.at(dedup.signature_store)
    lease = held.enter_context(lease_of(store, run.config.run.lease_s))
    return open_store(dedup, replace(store, before_commit=lease.check))


def _find(spark: SparkSession, run: Run, view: StoreView | None, fingerprint: str) -> Balance:
    """Write duplicates, cuts, counts, ledger and signatures."""
    from jobs.transforms.duplicates import duplicate_rows
    from jobs.transforms.paragraphs import cut_rows

    documents = rule_survivors(spark, run, list(run.waves))
    earlier = None if view is None else view.read(spark)
    counts: dict[str, int] = {}
    found = _search(spark, run, documents, earlier, counts)
    run.store.write_counted(duplicate_rows(found.removed, earlier), DUPLICATES)
    if found.cuts is None:
        run.store.delete(CUTS)
    else:
        run.store.write_counted(cut_rows(found.cuts), CUTS)
    write_counts(run.store, FIND_DUPLICATES, counts)
    balances = close_stages(run, [FIND_DUPLICATES], _counts(spark, run), WHOLE)
    if view is not None:
        keys = snapshot_keys(found.prints, found.removed)
        view.write(keys, documents, fingerprint, run.config.dedup, run.store.root)
    run.store.drop_scratch()
    return balances[FIND_DUPLICATES]


def _search(
    spark: SparkSession,
    run: Run,
    documents: DataFrame,
    earlier: EarlierSnapshots | None,
    counts: dict[str, int],
) -> Found:
    """Find the duplicates of documents, and what documents lose of their text."""
    from jobs.transforms.duplicates import search_duplicates

    def report(name: str, value: int) -> None:
        counts[name] = value
        say(
            "count",
            None,  # the report has these counts
            stage=FIND_DUPLICATES,
            name=name,
            value=value,
        )

    quality = None
    if run.config.dedup.needs_scores():
        quality = _quality_scores(spark, run)
    return search_duplicates(
        documents.select("doc_id", "url", "capture_time", "text"),
        run.config.dedup,
        run.store.checkpoint(spark, FIND_DUPLICATES),
        report,
        quality,
        earlier,
        _least_chars(run),
    )


def _quality_scores(spark: SparkSession, run: Run) -> DataFrame:
    """Return doc_id and score, of the scorer that select.quality_from names."""
    scorer = declared()[_quality_scorer(run)]
    table = run.store.read(spark, scores(scorer.name), list(run.waves))
    return table.select("doc_id", F.col(str(scorer.score)).alias("score"))


def _quality_scorer(run: Run) -> str:
    """Return the scorer whose scores choose the kept document."""
    scorer = run.config.select.quality_from
    assert scorer is not None  # checked when the configuration is loaded
    return scorer


def _least_chars(run: Run) -> int | None:
    """Return the fewest characters that a document must keep when paragraphs are cut.

    The limit of the length rule; in the published script a text of exactly that length fails.
    None if no paragraphs are cut, or there is no limit.
    """
    rules = run.config.rules
    if "paragraph" not in run.config.dedup.levels or rules.min_chars is None:
        return None
    return rules.min_chars + (rules.mode == "casia-exact")


def _score_commits(run: Run) -> dict[int, str] | None:
    """Return the fingerprints of the scores that choose the kept document; None if none do.

    Raises:
        StageIncomplete: quality is not scored, or was scored on other documents.
    """
    if not run.config.dedup.needs_scores():
        return None
    scorer = _quality_scorer(run)
    commits = score_commits(run, scorer)
    if commits is None:
        raise StageIncomplete(
            f"dedup.keep = 'best' needs the scores of {scorer}: run score_documents with "
            "score.rows = 'all' first"
        )
    return commits


def _counts(spark: SparkSession, run: Run) -> Iterable[Mapping[str, Any]]:
    """Count the documents and what was decided on them: the kind of match, null for a kept one."""
    waves = list(run.waves)
    if fit_driver(run, waves):
        ids = ids_on_driver(run, waves, with_duplicates=True)
        kinds = [(row["doc_id"], row["kind"]) for row in run.store.rows(DUPLICATES, _KIND)]
        removed = {doc_id for doc_id, _ in kinds}
        kept = [(doc_id, None) for doc_id, _ in ids if doc_id not in removed]
        return counts_of(ids, {FIND_DUPLICATES: [*kinds, *kept]})
    seen = rule_survivor_ids(spark, run, waves)
    kind = run.store.read(spark, DUPLICATES).select("doc_id", F.col("kind").alias("reason"))
    decided = seen.select("doc_id").join(kind, on="doc_id", how="left")
    return rows_of(stage_counts(seen, {FIND_DUPLICATES: decided}))
