"""The search for duplicates with its result as the table is written."""

from __future__ import annotations

from pyspark.sql import DataFrame

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint
from jobs.transforms.duplicates import duplicate_rows, search_duplicates
from jobs.transforms.earlier_snapshots import EarlierSnapshots
from jobs.transforms.near_duplicates import Report


def ignore_count(name: str, value: int) -> None:
    """A report that keeps nothing."""


def find_duplicates(
    documents: DataFrame,
    config: DedupConfig,
    checkpoint: Checkpoint,
    report: Report = ignore_count,
    scores: DataFrame | None = None,
    earlier: EarlierSnapshots | None = None,
) -> DataFrame:
    """Which documents to remove, and which document stays in the place of each."""
    found = search_duplicates(documents, config, checkpoint, report, scores, earlier)
    return duplicate_rows(found.removed, earlier)
