"""What is decided on every document, before any text is read.

The columns that documents are chosen by are in `jobs.transforms.selection.frame`. Decisions follow
one another: conditions on single documents, the cap of hosts, then how often a text counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ConfigError
from jobs.run.request import Run
from jobs.selection.budgeting import order_column, prepared, within_budget
from jobs.selection.stored_frame import chosen_frame
from jobs.transforms.selection.budget import DomainShare
from jobs.transforms.selection.curves import bins_of
from jobs.transforms.selection.frame import (
    KIND,
    PII,
    PROVENANCE,
    REJECT_REASONS,
    TEXT_FILE,
    TEXT_ROW,
    quality_score,
)
from jobs.transforms.selection.repeats import SizeCount, count_sizes, steps_of, with_repeats
from jobs.transforms.selection.verdicts import (
    FAILED_RULES,
    failed_rules,
    with_host_cap,
    with_verdicts,
)


@dataclass(frozen=True)
class Decided:
    """The decisions of a selection."""

    verdicts: DataFrame
    """One row a document: stage and reasons (of `with_verdicts`), scores, cluster_size, repeats;
    where the frame is stored also what corpus rows copy of documents, and where their texts lie."""
    stored: DataFrame | None
    """What is kept on the executors' disks until `release`; None where conditions are evaluated
    again."""
    shares: Sequence[DomainShare]
    """What each domain gives to the budget; empty without one."""
    by_size: Mapping[int, int]
    """Size of cluster -> repeats from this size on; empty where all sizes count once."""

    def release(self) -> None:
        """Free the disks."""
        if self.stored is not None:
            self.stored.unpersist()


def decide(spark: SparkSession, run: Run) -> Decided:
    """Decide on every document."""
    config, select = run.config, run.config.select
    frame = chosen_frame(spark, run, may_write=True)
    verdicts = _judged(frame, config, keep=[PII, *_copied(frame)])
    if select.budget is not None:
        verdicts = prepared(verdicts, config)
    # From a stored frame, conditions are evaluated again as quickly as their results would be read.
    stored = None
    if run.is_small or select.max_per_host is not None:
        verdicts = stored = verdicts.persist(StorageLevel.DISK_ONLY)
    by_size = select.size_steps()
    if select.max_cluster_repeats is not None:
        rows = count_sizes(verdicts).collect()  # a constant number
        counts = [SizeCount(row["size"], row["documents"], row["left_out"]) for row in rows]
        by_size = steps_of(counts, select.max_cluster_repeats)
    repeated = with_repeats(verdicts, config, by_size)
    if select.budget is None:
        return Decided(repeated, stored, (), by_size)
    try:
        kept, shares = within_budget(repeated, config)
    except ConfigError:
        if stored is not None:
            stored.unpersist()
        raise
    return Decided(kept, stored, shares, by_size)


def judged_frame(spark: SparkSession, run: Run) -> DataFrame:
    """Decide on every document that earlier stages left, by itself and by the cap of hosts: no
    budget, no repeats. Nothing is written.

    Adds: failed_rules; bins of scores, where the frame is stored.
    """
    frame = chosen_frame(spark, run, may_write=False)
    is_left = F.col(REJECT_REASONS).isNull() & F.col(KIND).isNull()
    bins = [name for name in bins_of(frame.columns) if name in frame.columns]
    failed = failed_rules(run.config).alias(FAILED_RULES)
    return _judged(frame.where(is_left), run.config, [failed, *bins])


def _copied(frame: DataFrame) -> list[str]:
    """The columns that corpus rows get from a frame that says where texts lie; of any other frame
    none: documents are joined then."""
    if TEXT_ROW not in frame.columns:
        return []
    there = {"doc_id", "url", "host"}
    return [*(name for name in PROVENANCE if name not in there), TEXT_FILE, TEXT_ROW]


def _judged(frame: DataFrame, config: Config, keep: Sequence[str | Column]) -> DataFrame:
    """Decide on every document of a frame by itself, and by the cap of hosts."""
    select = config.select
    has_host = select.max_per_host is not None or TEXT_ROW in frame.columns
    verdicts = with_verdicts(
        frame,
        config,
        keep=[
            *keep,
            *(["host"] if has_host else []),
            *([] if select.budget is None else [order_column(config)]),
        ],
    )
    if select.max_per_host is None:
        return verdicts
    return with_host_cap(verdicts, select.max_per_host, quality_score(config))
