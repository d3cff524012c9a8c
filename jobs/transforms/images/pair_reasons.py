"""What is decided on every pair by itself: reasons, and the order in which pairs are preferred.

All reasons that apply follow from a pair's own columns: its page, the rules, its image, a condition
of the user. No pair is compared with another one here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import SelectPairsConfig
from jobs.config.pair_settings import PAIR_LEVELS
from jobs.config.scorers import declared_pairs
from udfs.scorers.declaration import Rejection

REASONS = "reasons"
RANK = "rank"
"""Column that sorts as pairs are preferred: quality_score of the page, highest first and null last,
then doc_id, then place."""
ORDER = "order_value"
"""Column with select_pairs.order of a pair, a double."""
IN_CORPUS = "in_corpus"
"""Column that says whether the page of a pair is in the corpus; no expression sees it."""
IS_BENCHMARK = "is_benchmark"
"""Likewise, whether a pair's image is one of a benchmark; null for a pair without an image."""

PAGE_NOT_IN_CORPUS, NO_IMAGE = "page_not_in_corpus", "no_image"
BENCHMARK_IMAGE, WHERE = "benchmark_image", "where"
UNSCORED = "unscored"
"""Reject reason of a pair without a score that a limit in use needs."""
NOT_TOP_ALIGNMENT, NOT_BEST_OF_BLOCK = "not_top_alignment", "not_best_of_block"
LEVEL_REASONS = dict(
    zip(
        PAIR_LEVELS,
        (
            *("repeated_pair", "repeated_picture", "repeated_in_document"),
            *("near_picture", "equal_image_set"),
        ),
        strict=True,
    )
)
"""Level of deduplication -> reject reason."""

_ORDER_DIGITS = 16
_PLACE_DIGITS = 10
_SIGN_BIT = -(1 << 63)
_LAST = (1 << 63) - 1
_SCORE_UNIT = float(1 << 60)
"""A score times this fits into a long; scores that differ by less than 2^-60 are one."""


def with_reasons(
    frame: DataFrame,
    rules: Mapping[str, Column],
    settings: SelectPairsConfig,
    limits: Mapping[str, Any] | None = None,
) -> DataFrame:
    """Decide on every pair by itself.

    Needs: frame (of `pair_frame`, with is_benchmark where there are benchmarks).
    Args:
        rules: Reject reason -> condition over the frame.
        limits: Scorer of pairs -> its keys of [select_pairs]; None: no scores are looked at.
    Adds: reasons, all that apply, never null; rank; what `pairs_in_order` needs. Rows: all kept.
        Shuffles: none.
    """
    fired = [F.when(holds, F.lit(reason)) for reason, holds in rules.items()]
    if settings.pages == "corpus":
        fired.insert(0, F.when(~F.col(IN_CORPUS), F.lit(PAGE_NOT_IN_CORPUS)))
    if settings.images == "required":
        fired.append(F.when(F.col("image").isNull(), F.lit(NO_IMAGE)))
    fired.append(F.col("image")["reason"])
    if settings.benchmarks:
        fired.append(F.when(F.col(IS_BENCHMARK), F.lit(BENCHMARK_IMAGE)))
    fired += _score_reasons(limits or {})
    if settings.where is not None:
        holds = F.coalesce(F.expr(settings.where), F.lit(False))
        fired.append(F.when(~holds, F.lit(WHERE)))
    return frame.select(
        "*",
        F.array_distinct(F.array_compact(F.array(*fired))).alias(REASONS),
        _rank().alias(RANK),
        _order(settings).cast("double").alias(ORDER),
    )


def rejections_in_use(limits: Mapping[str, Any]) -> dict[str, list[Rejection]]:
    """Return the scorers of pairs that have a limit in use, with their rejections.

    Args:
        limits: Scorer of pairs -> its keys of [select_pairs].
    """
    found = {}
    for name, scorer in declared_pairs().items():
        in_use = scorer.limits_in_use(limits[name]) if name in limits else []
        if in_use:
            ranked = sorted(scorer.rejections, key=lambda rejection: rejection.rank)
            found[name] = [
                rejection
                for rejection in ranked
                if rejection.key in in_use
                and rejection.when in (None, getattr(limits[name], rejection.key))
            ]
    return found


def _score_reasons(limits: Mapping[str, Any]) -> list[Column]:
    """Reasons of scores; a condition that is null does not hold, a null score is unscored."""
    fired = []
    for name, rejections in rejections_in_use(limits).items():
        record = F.col("scores")[name]
        score = record[declared_pairs()[name].result_type.fieldNames()[0]]
        fired.append(F.when(score.isNull(), F.lit(UNSCORED)))
        for rejection in rejections:
            holds = rejection.holds(record, getattr(limits[name], rejection.key))
            fired.append(F.when(holds, F.lit(rejection.reason)))
    return fired


def sortable(number: Column) -> Column:
    """16 hexadecimal digits that sort as a long does; null comes last."""
    turned = F.coalesce(number, F.lit(_LAST)).bitwiseXOR(F.lit(_SIGN_BIT))
    return F.lpad(F.hex(turned), _ORDER_DIGITS, "0")


def behind_score(rank: str) -> Column:
    """What stands behind the 16 digits of `sortable`: doc_id, and of a pair its place."""
    return F.substr(rank, F.lit(_ORDER_DIGITS + 1))


def pair_of_rank(rank: str) -> tuple[Column, Column]:
    """doc_id, place of a rank."""
    doc_chars = F.length(rank) - (_ORDER_DIGITS + _PLACE_DIGITS)
    return (
        F.substr(rank, F.lit(_ORDER_DIGITS + 1), doc_chars).alias("doc_id"),
        F.substr(rank, F.length(rank) - (_PLACE_DIGITS - 1)).cast("int").alias("place"),
    )


def _rank() -> Column:
    score = F.col("page")["quality_score"]
    return F.concat(
        sortable(-F.floor(score * _SCORE_UNIT).cast("bigint")),
        F.col("doc_id"),
        F.lpad(F.col("place").cast("string"), _PLACE_DIGITS, "0"),
    )


def _order(settings: SelectPairsConfig) -> Column:
    if settings.order is None:
        return F.col("page")["quality_score"]
    return F.expr(settings.order)
