"""What is decided on pairs that have no reason of their own: repeats, then a budget.

They are compared with each other, level by level, and what is left is cut at a budget. Results
follow from content alone, for any partitioning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.config import SelectPairsConfig
from jobs.config.budget import PAIR_UNITS, parse_budget
from jobs.config.pair_settings import PAIR_LEVELS
from jobs.transforms.components import Checkpoint
from jobs.transforms.images.duplicates import (
    equal_image_sets,
    equal_pairs,
    near_images,
    repeats_in_documents,
)
from jobs.transforms.images.pair_frame import CAPTURED, KEY, address
from jobs.transforms.images.pair_reasons import (
    IS_BENCHMARK,
    LEVEL_REASONS,
    NO_IMAGE,
    ORDER,
    RANK,
    REASONS,
    UNSCORED,
    behind_score,
    pair_of_rank,
    sortable,
)
from jobs.transforms.selection.budget import (
    BUDGET_COLUMNS,
    HASH,
    OVER_BUDGET,
    DomainShare,
    cut,
    with_budget_columns,
)
from jobs.transforms.selection.budget import IMAGE as ORDER_IMAGE
from udfs.dedup.known_hashes import KnownHashes, are_known_udf

_DOC_DIGITS = 15
"""Hexadecimal digits of a doc_id that fit into a long."""


def with_benchmarks(frame: DataFrame, known: KnownHashes) -> DataFrame:
    """Find images of benchmarks among those of pairs.

    Needs: image. Adds: is_benchmark. Rows: all kept. Shuffles: none.

    Args:
        known: Hashes of the images of benchmarks.
    """
    phash = F.col("image")["phash"]
    # A column with nulls would become one of doubles, which hold 53 bits.
    is_near = are_known_udf(known)(F.coalesce(phash, F.lit(0).cast("bigint")))
    return frame.withColumn(IS_BENCHMARK, F.when(phash.isNotNull(), is_near))


def repeated_pairs(
    judged: DataFrame,
    settings: SelectPairsConfig,
    checkpoint: Checkpoint,
    max_rounds: int,
    gone: DataFrame | None = None,
) -> DataFrame | None:
    """Pairs that others repeat, level by level: each sees what the ones before it have left.

    Needs: judged (of `with_reasons`, stored: it is read once a level); gone (doc_id, place,
        reason), pairs that went before, or None.
    Rows: one for each pair that goes, those that went before included: doc_id, place, reason. None
        without any.
    Shuffles: those of the levels (`jobs.transforms.images.duplicates`), and for each but the first
        what is left by key.
    """
    left = judged.where(F.size(REASONS) == 0).select(
        *KEY,
        *(RANK, CAPTURED, "text"),
        address().alias("url"),
        F.col("image")["phash"].alias("phash"),
    )
    for level in PAIR_LEVELS:
        if level not in settings.levels:
            continue
        here = left if gone is None else left.join(gone, on=list(KEY), how="left_anti")
        found = _repeats(level, here, settings.distance, checkpoint, max_rounds)
        reason = F.lit(LEVEL_REASONS[level]).alias("reason")
        found = checkpoint(found.select(*KEY, reason), f"gone_{level}")
        gone = found if gone is None else gone.unionByName(found)
    return gone


@dataclass(frozen=True)
class PairBudget:
    """What a budget asks for, and where the order of pairs is cut."""

    asked: int
    share: DomainShare

    @property
    def missing(self) -> int:
        """Pairs that it asks for and that are not there."""
        return self.share.missing

    def line(self) -> str:
        """Say what it asked and got."""
        lacking = f"; {self.missing:,} are missing" if self.missing else ""
        return f"budget: asked {self.asked:,} pairs, kept {self.share.kept:,}{lacking}"


def pair_budget(
    judged: DataFrame, gone: DataFrame | None, budget: str, checkpoint: Checkpoint
) -> PairBudget:
    """Find where the order of the pairs that are left is cut.

    Needs: judged, gone (as `decided_pairs`).
    Collects: as `jobs.transforms.selection.budget.cut`.
    """
    asked = parse_budget(budget, "select_pairs.budget", PAIR_UNITS).amount
    left = _without(judged.where(F.size(REASONS) == 0), gone)
    ordered = pairs_in_order(left)
    key = behind_score(RANK).alias("doc_id")
    candidates = checkpoint(
        ordered.drop("doc_id").select(key, *BUDGET_COLUMNS), "budget_candidates"
    )
    [share] = cut(candidates, asked, {})
    return PairBudget(asked, share)


def pairs_in_order(judged: DataFrame) -> DataFrame:
    """Add the columns by which pairs are ordered: select_pairs.order, then doc_id, then place.

    Needs: judged (of `with_reasons`). Adds: `BUDGET_COLUMNS`. Rows: all kept. Shuffles: none.
    """
    nothing = F.lit(None).cast("string")
    keyed = with_budget_columns(judged, {}, nothing, F.col(ORDER), F.lit(1))
    digits = F.conv(F.substring("doc_id", 1, _DOC_DIGITS), 16, 10).cast("bigint")
    return keyed.withColumn(HASH, F.coalesce(digits, F.lit(0).cast("bigint")))


def decided_pairs(
    judged: DataFrame, gone: DataFrame | None, budget: PairBudget | None
) -> DataFrame:
    """Put the decisions together.

    Needs: judged (of `with_reasons`); gone (of `repeated_pairs`).
    Replaces: reasons, empty for a pair that is selected. Adds: `BUDGET_COLUMNS`. Rows: all kept.
    Shuffles: judged by key, where many repeat others.
    """
    ordered = pairs_in_order(judged)
    reasons = F.col(REASONS)
    if gone is not None:
        ordered = ordered.join(gone, on=list(KEY), how="left")
        repeated = F.when(F.col("reason").isNotNull(), F.array("reason"))
        reasons = F.when(F.size(REASONS) == 0, F.coalesce(repeated, reasons)).otherwise(reasons)
    decided = ordered.withColumn(REASONS, reasons).drop("reason")
    if budget is None or budget.share.bound is None:
        return decided
    image, digits, name = budget.share.bound
    place = F.struct(F.col(ORDER_IMAGE), F.col(HASH), behind_score(RANK).alias(RANK))
    bound = F.struct(
        F.lit(image).cast("bigint").alias(ORDER_IMAGE),
        F.lit(digits).cast("bigint").alias(HASH),
        F.lit(name).alias(RANK),
    )
    is_over = (F.size(REASONS) == 0) & (place >= bound)
    over = F.array(F.lit(OVER_BUDGET))
    return decided.withColumn(REASONS, F.when(is_over, over).otherwise(F.col(REASONS)))


def wanted_images(decided: DataFrame, settings: SelectPairsConfig) -> DataFrame:
    """Addresses of images that are missing, each with the text of the first of its pairs.

    Needs: decided (of `decided_pairs`).
    Rows: one for each URL of the pairs that lack nothing but an image, and what scorers say of it:
        url, caption, doc_id, place.
    Shuffles: those pairs by URL.
    """
    for_want_of_image = [UNSCORED, *([NO_IMAGE] if settings.images == "required" else [])]
    lacking = decided.where(
        F.col("url").isNotNull()
        & F.col("image").isNull()
        & (F.size(F.array_except(REASONS, F.array(*map(F.lit, for_want_of_image)))) == 0)
    )
    first = F.min_by(F.struct("text", *KEY), F.struct(ORDER_IMAGE, RANK)).alias("first")
    return (
        lacking.groupBy("url")
        .agg(first)
        .select("url", F.col("first.text").alias("caption"), "first.doc_id", "first.place")
    )


def _without(pairs: DataFrame, gone: DataFrame | None) -> DataFrame:
    return pairs if gone is None else pairs.join(gone, on=list(KEY), how="left_anti")


def _repeats(
    level: str, left: DataFrame, distance: int, checkpoint: Checkpoint, max_rounds: int
) -> DataFrame:
    """doc_id, place of the pairs that go at a level."""
    pair = pair_of_rank(RANK)
    levels: Mapping[str, Callable[[], DataFrame]] = {
        "url_text": lambda: equal_pairs(left, ("url", "text")).select(*pair),
        "phash_text": lambda: equal_pairs(left, ("phash", "text")).select(*pair),
        "document": lambda: _repeats_in_documents(left, distance),
        "near_images": lambda: near_images(left, checkpoint, max_rounds, distance).select(*pair),
        "image_sets": lambda: _pairs_of_equal_sets(left),
    }
    return levels[level]()


def _repeats_in_documents(left: DataFrame, distance: int) -> DataFrame:
    by_document = left.select(F.col("doc_id").alias(RANK), "place", "phash")
    found = repeats_in_documents(by_document, distance)
    return found.select(F.col(RANK).alias("doc_id"), "place")


def _pairs_of_equal_sets(left: DataFrame) -> DataFrame:
    latest_first = F.concat(sortable(-F.col(CAPTURED)), "doc_id")
    sets = equal_image_sets(left.select(latest_first.alias(RANK), "url"))
    documents = sets.select(behind_score(RANK).alias("doc_id"))
    return left.join(documents, on="doc_id", how="left_semi").select(*KEY)
