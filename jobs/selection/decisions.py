"""What is decided on every document, before any text is read.

The columns that documents are chosen by are in `jobs.transforms.selection.frame`. Decisions follow
one another: conditions on single documents, the cap of hosts, then how often a text counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from jobs.config import ConfigError
from jobs.run.request import Run
from jobs.selection.budgeting import order_column, prepared, within_budget
from jobs.tables import DOCUMENTS, DUPLICATES, FLAGGED, MEASURED, scores
from jobs.transforms.selection.budget import DomainShare
from jobs.transforms.selection.frame import (
    quality_score,
    selection_frame,
    selection_scorers,
    uses_measures,
)
from jobs.transforms.selection.repeats import SizeCount, count_sizes, steps_of, with_repeats
from jobs.transforms.selection.verdicts import with_host_cap, with_verdicts


@dataclass(frozen=True)
class Decided:
    """The decisions of a selection."""

    verdicts: DataFrame
    """One row a document: stage and reasons (of `with_verdicts`), scores, cluster_size, repeats."""
    stored: DataFrame
    """What is kept on the executors' disks until `release`."""
    shares: Sequence[DomainShare]
    """What each domain gives to the budget; empty without one."""
    by_size: Mapping[int, int]
    """Size of cluster -> repeats from this size on; empty where all sizes count once."""

    def release(self) -> None:
        """Free the disks."""
        self.stored.unpersist()


def score_tables(spark: SparkSession, run: Run) -> dict[str, DataFrame]:
    """Read the scores that a selection looks at, with artifact and lock_id, by scorer."""
    waves = list(run.waves)
    return {
        name: run.store.read(spark, scores(name), waves) for name in selection_scorers(run.config)
    }


def scored_frame(
    spark: SparkSession, run: Run, tables: Mapping[str, DataFrame] | None = None
) -> DataFrame:
    """Read what documents are chosen by: `selection_frame` of all documents of a run.

    Args:
        tables: As of `score_tables`; None reads them.
    """
    waves = list(run.waves)
    measured = run.store.read(spark, MEASURED, waves) if uses_measures(run.config) else None
    return selection_frame(
        run.store.read(spark, DOCUMENTS, waves),
        run.store.read(spark, DUPLICATES),
        score_tables(spark, run) if tables is None else tables,
        measured,
    )


def decide(spark: SparkSession, run: Run, tables: Mapping[str, DataFrame]) -> Decided:
    """Decide on every document.

    Args:
        tables: As of `score_tables`.
    """
    config, select = run.config, run.config.select
    verdicts = judged_frame(spark, run, tables)
    if select.budget is not None:
        verdicts = prepared(verdicts, config)
    stored = verdicts.persist(StorageLevel.DISK_ONLY)
    by_size = select.size_steps()
    if select.max_cluster_repeats is not None:
        rows = count_sizes(stored).collect()  # a constant number
        counts = [SizeCount(row["size"], row["documents"], row["left_out"]) for row in rows]
        by_size = steps_of(counts, select.max_cluster_repeats)
    repeated = with_repeats(stored, config, by_size)
    if select.budget is None:
        return Decided(repeated, stored, (), by_size)
    try:
        kept, shares = within_budget(repeated, config)
    except ConfigError:
        stored.unpersist()
        raise
    return Decided(kept, stored, shares, by_size)


def judged_frame(
    spark: SparkSession, run: Run, tables: Mapping[str, DataFrame] | None = None
) -> DataFrame:
    """Decide on every document by itself, and by the cap of hosts: no budget, no repeats.

    Args:
        tables: As of `score_tables`; None reads them.
    """
    config, select = run.config, run.config.select
    flagged = run.store.read(spark, FLAGGED, list(run.waves))
    verdicts = with_verdicts(
        scored_frame(spark, run, tables),
        flagged.select("doc_id", "reject_reasons"),
        run.store.read(spark, DUPLICATES),
        config,
        keep=[
            *([] if select.max_per_host is None else ["host"]),
            *([] if select.budget is None else [order_column(config)]),
        ],
    )
    if select.max_per_host is None:
        return verdicts
    return with_host_cap(verdicts, select.max_per_host, quality_score(config))
