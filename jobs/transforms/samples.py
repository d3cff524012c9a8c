"""Seeded samples: the same documents whatever the partitions, and on the driver or on Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

GROUP = ("kind", "stage", "reason")
"""Columns that name a sample."""


def sample_key(doc_id: str, seed: int) -> str:
    """Return the key by which a document is sampled: lower ones first, equal ones by doc_id.

    >>> sample_key("a", 0) == sample_key("a", 0) != sample_key("a", 1)
    True
    """
    return hashlib.md5(f"{seed}:{doc_id}".encode(), usedforsecurity=False).hexdigest()


def sample_key_of(doc_id: Column, seed: int) -> Column:
    """`sample_key` of a column."""
    return F.md5(F.concat(F.lit(f"{seed}:"), doc_id))


def few_of_each(candidates: DataFrame, count: int, seed: int) -> DataFrame:
    """Take a few documents of each sample.

    Needs: kind, stage, reason, rank (DOUBLE, lower ones first), doc_id.
    Adds: place, from 0.
    Rows: `count` of each sample at most; equal ranks in the order of `sample_key`.
    Shuffles: `count` rows of each sample and task.
    """
    key = sample_key_of(F.col("doc_id"), seed)
    order = Window.partitionBy(*GROUP).orderBy("rank", key, "doc_id")
    placed = candidates.withColumn("place", F.row_number().over(order) - 1)
    return placed.where(F.col("place") < count).select(*GROUP, "place", "doc_id")


Candidate = tuple[str, str, str, float, str]
"""kind, stage, reason, rank and doc_id, as in `few_of_each`."""


def few_of_each_row(
    candidates: Iterable[Candidate], count: int, seed: int
) -> list[tuple[str, str, str, int, str]]:
    """`few_of_each` of few rows, without Spark; sorted by sample and place."""
    samples: dict[tuple[str, str, str], list[tuple[float, str, str]]] = {}
    for kind, stage, reason, rank, doc_id in candidates:
        of_sample = samples.setdefault((kind, stage, reason), [])
        of_sample.append((rank, sample_key(doc_id, seed), doc_id))
    return [
        (*group, place, doc_id)
        for group, of_sample in sorted(samples.items())
        for place, (_, _, doc_id) in enumerate(sorted(of_sample)[:count])
    ]
