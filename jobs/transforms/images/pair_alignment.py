"""What a selection decides by comparing the similarities of pairs: the top share, the best of a
block. Results follow from content alone, for any partitioning.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.components import Checkpoint
from jobs.transforms.images.pair_frame import KEY, SCORES
from jobs.transforms.images.pair_reasons import NOT_BEST_OF_BLOCK, NOT_TOP_ALIGNMENT, REASONS
from udfs.alignment.alignment import NAME, AlignmentLimits

STEPS = 10_000
"""Steps of a similarity of one, in which the least one of a top share is found."""


def alignment_cuts(
    judged: DataFrame, vectors: DataFrame, limits: AlignmentLimits, checkpoint: Checkpoint
) -> DataFrame | None:
    """Find the pairs that go because others fit better.

    Needs: judged (of `with_reasons`, stored); vectors (doc_id, place, image_vector, text_vector).
    Rows: one for each pair that goes: doc_id, place, reason. None without such a limit.
    Shuffles: counts by step; pairs that are left and their vectors by key and by block.
    """
    gone: DataFrame | None = None
    left = judged.where(F.size(REASONS) == 0).select(
        *KEY, F.col(SCORES)[NAME]["similarity"].alias("similarity")
    )
    if limits.top_alignment is not None:
        least = _least_of_top(left, limits.top_alignment)
        below = left.where(_step() < least).select(*KEY, F.lit(NOT_TOP_ALIGNMENT).alias("reason"))
        gone = checkpoint(below, "gone_top_alignment")
        left = left.where(_step() >= least)
    if limits.alignment_block is not None:
        behind = checkpoint(
            _not_best(left, vectors, limits.alignment_block), "gone_alignment_block"
        )
        gone = behind if gone is None else gone.unionByName(behind)
    return gone


def _step() -> Column:
    return F.floor(F.col("similarity") * STEPS)


def _least_of_top(left: DataFrame, share: float) -> int:
    """The step of the last pair of a top share. Collects a row a step, 20,001 at most."""
    counted = left.groupBy(_step().alias("step")).count().collect()
    counts = {row["step"]: row["count"] for row in counted}
    wanted, total = share * sum(counts.values()), 0
    for step in sorted(counts, reverse=True):
        if total >= wanted:
            return int(step) + 1
        total += counts[step]
    return -STEPS


def _not_best(left: DataFrame, vectors: DataFrame, size: int) -> DataFrame:
    """Pairs that are the best of their block in neither direction."""
    from udfs.alignment.blocks import BEST_DDL, best_of_block  # imports NumPy

    blocks = max(1, round(left.count() / size))
    block = F.pmod(F.xxhash64(*KEY), F.lit(blocks)).alias("block")
    found = (
        left.select(*KEY)
        .join(vectors, on=list(KEY), how="inner")
        .select(*KEY, "image_vector", "text_vector", block)
        .groupBy("block")
        .applyInPandas(best_of_block(), BEST_DDL)
    )
    return found.where(~F.col("is_best")).select(*KEY, F.lit(NOT_BEST_OF_BLOCK).alias("reason"))
