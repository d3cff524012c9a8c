"""How often a text counts: by the size of its cluster of duplicates, and by its quality.

Rehydration: a page that many sites copied is often a better one than a page that nobody did, until
there are so many copies that it is a template. The share of documents that the selection's
conditions leave out, by size of cluster, shows where that is so.

Source:
    FineWeb-2 (arXiv 2506.20920), "rehydration", and misc/rehydration of its repository: once where
    the rate of a size is that of all documents or more, the most where it is lowest, linear
    between, smoothed over five sizes; sizes from 151 on count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.transforms.selection.frame import CLUSTER_SIZE, quality_score
from jobs.transforms.selection.verdicts import NOT_FILTERS, SELECTS

REPEATS = "repeats"

LAST_SIZE = 151
"""Clusters of this size and larger ones count together."""
MIN_DOCUMENTS = 1000
"""Fewest documents whose rate counts; sizes with fewer count together with larger ones. The rarest
size of FineWeb-2's Chinese part has 3,681."""
_WINDOW = 5


@dataclass(frozen=True)
class SizeCount:
    """Documents of clusters of a size, after deduplication."""

    size: int
    documents: int
    left_out: int
    """Those that the selection's conditions leave out."""


def count_sizes(verdicts: DataFrame) -> DataFrame:
    """Count the documents that the selection's conditions leave out, by size of cluster.

    Needs: stage, reasons, cluster_size, before caps and budgets or after them: what says nothing of
        a document itself is not counted as left out.
    Rows: at most `LAST_SIZE`, as (size, documents, left_out). Shuffles: these counts.
    """
    here = verdicts.where(F.col("stage").isNull() | (F.col("stage") == SELECTS))
    is_out = F.col("stage").isNotNull() & ~F.get("reasons", 0).isin(*NOT_FILTERS)
    size = F.least(F.col(CLUSTER_SIZE), F.lit(LAST_SIZE).cast("long"))
    return here.groupBy(size.alias("size")).agg(
        F.count("*").alias("documents"), F.count_if(is_out).alias("left_out")
    )


def steps_of(
    counts: Iterable[SizeCount], most: int, min_documents: int = MIN_DOCUMENTS
) -> dict[int, int]:
    """Compute how often documents count from the rates by which those of their size are left out.

    Args:
        counts: One a size.
        most: For the size with the lowest rate.
        min_documents: Sizes with fewer are pooled with the next ones.
    Returns:
        Size -> repeats from this size on, ascending; the first size is 1. Empty without documents.

    >>> steps_of([SizeCount(1, 10, 8), SizeCount(2, 10, 2), SizeCount(5, 10, 5)], 4, 1)
    {1: 1, 2: 4, 5: 1}
    """
    bands = _pooled(sorted(counts, key=lambda count: count.size), min_documents)
    if not bands:
        return {}
    rates = [band.left_out / band.documents for band in bands]
    of_all = sum(band.left_out for band in bands) / sum(band.documents for band in bands)
    lowest = min(rates)
    raw = [
        1 + (most - 1) * (of_all - rate) / (of_all - lowest) if rate < of_all else 1.0
        for rate in rates
    ]
    repeats = [round(value) for value in _smoothed(raw)]
    starts = [1, *(band.size for band in bands[1:])]
    runs = groupby(zip(starts, repeats, strict=True), key=lambda band: band[1])
    return {next(run)[0]: times for times, run in runs}


def with_repeats(verdicts: DataFrame, config: Config, by_size: Mapping[int, int]) -> DataFrame:
    """How often each document counts if it is kept.

    Needs: cluster_size and the struct of the scorer that decides quality.
    Args:
        by_size: As of `steps_of`, or as configured; empty counts all sizes once.
    Adds: repeats (int), 1 or more; null where it is not scored and has repeats by quality.
    Rows: all kept. Shuffles: none.
    """
    repeats = F.lit(1)
    if config.select.repeat != "off":
        by_quality = config.select.quality_steps()
        repeats = _step(F.col(CLUSTER_SIZE), by_size) * _step(quality_score(config), by_quality)
    return verdicts.withColumn(REPEATS, repeats.cast("int"))


def repeated_rows(rows: DataFrame) -> DataFrame:
    """Give each row as often as it counts.

    Needs: repeats.
    Replaces: repeats, by 1. Rows: multiplied. Shuffles: none.
    """
    copies = F.explode(F.array_repeat(F.lit(1), F.col(REPEATS))).alias(REPEATS)
    return rows.select(*(copies if name == REPEATS else name for name in rows.columns))


def _step(value: Column, steps: Mapping[int, int] | Mapping[float, int]) -> Column:
    """The number of the last step that a value reaches; 1 below the first."""
    found = F.lit(1)
    for start, times in sorted(steps.items()):
        found = F.when(value >= F.lit(start), F.lit(times)).otherwise(found)
    return found


def _pooled(counts: Sequence[SizeCount], least: int) -> list[SizeCount]:
    """Put neighbouring sizes together until each has enough documents; a rest joins the last."""
    bands: list[SizeCount] = []
    open_band: SizeCount | None = None
    for count in counts:
        open_band = count if open_band is None else _together(open_band, count)
        if open_band.documents >= least:
            bands.append(open_band)
            open_band = None
    if open_band is not None:
        rest = [open_band] if not bands else [_together(bands.pop(), open_band)]
        bands += rest
    return bands


def _together(first: SizeCount, second: SizeCount) -> SizeCount:
    return SizeCount(
        first.size, first.documents + second.documents, first.left_out + second.left_out
    )


def _smoothed(values: Sequence[float]) -> list[float]:
    """Means over windows; the values at both ends, which have no whole window, as they are."""
    half = _WINDOW // 2
    return [
        sum(values[at - half : at + half + 1]) / _WINDOW
        if half <= at < len(values) - half
        else value
        for at, value in enumerate(values)
    ]
