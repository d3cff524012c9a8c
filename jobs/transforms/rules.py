"""Measures and the rules over them.

Measures are stored for every document; a rule is a condition over stored measures. Moving a
threshold needs no text.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import RulesConfig
from udfs.artifact_files import ArtifactFile
from udfs.measures import MEASURES_TYPE, measures_udf

MEASURES = "measures"
REJECT_REASONS = "reject_reasons"


def with_measures(documents: DataFrame, lexicon_file: ArtifactFile) -> DataFrame:
    """Measure the texts.

    Needs: text.
    Adds: measures (MEASURES_TYPE), null where text is null.
    Rows: all kept. Shuffles: none.
    """
    measured = documents.withColumn(MEASURES, measures_udf(lexicon_file)("text"))
    return measured.withColumn(MEASURES, F.when(F.col("text").isNotNull(), F.col(MEASURES)))


def with_reject_reasons(measured: DataFrame, limits: RulesConfig) -> DataFrame:
    """Apply the rules to stored measures.

    Needs: measures.
    Adds: reject_reasons, never null: in the order of ``rules`` every reason that fires, in
        mode casia-exact only the first; empty for a document that passes.
    Rows: all kept. Shuffles: none.
    """
    fired = [F.when(condition, F.lit(reason)) for reason, condition in rules(limits).items()]
    reasons = F.array_compact(F.array(*fired))
    if limits.mode == "casia-exact":
        reasons = F.slice(reasons, 1, 1)
    return measured.withColumn(REJECT_REASONS, reasons)


def rules(limits: RulesConfig) -> dict[str, Column]:
    """Reject reason -> condition over the measures, in the published order.

    Source: ChineseWebText 2.0, section 3.
    """
    conditions = _casia_rules(limits) if limits.mode == "casia-exact" else _fixed_rules(limits)
    return {
        "unmeasured": _is_unmeasured(),
        **{reason: reduce(or_, any_of, F.lit(False)) for reason, any_of in conditions.items()},
    }


def _fixed_rules(limits: RulesConfig) -> dict[str, list[Column]]:
    m = F.col(MEASURES)
    sensitive = m[f"sensitive_{limits.sensitive_count}"]
    traditional = limits.max_traditional_share if limits.traditional_policy == "drop" else None
    return {
        "length": [
            *_below(m["chars"], limits.min_chars),
            *_below(m["mean_line_chars"], limits.min_mean_line_chars),
        ],
        "character": [
            *_below(m["han_share"], limits.min_han_share),
            *_above(m["traditional_share"], traditional),
        ],
        "sensitive": _above(sensitive / m["lines"], limits.max_sensitive_per_line),
        "duplication": _above(m["dup_13gram_share"], limits.max_dup_13gram_share),
    }


def _casia_rules(limits: RulesConfig) -> dict[str, list[Column]]:
    """As the published script decides: at most min_chars is too short, newlines count in a
    line's length, any convertible character is traditional, words count once.

    ``max_traditional_share`` and ``sensitive_count`` mean nothing here.
    """
    m = F.col(MEASURES)
    return {
        "length": [
            *([] if limits.min_chars is None else [m["chars"] <= limits.min_chars]),
            *_below(m["chars"] / m["lines"], limits.min_mean_line_chars),
        ],
        "character": [
            *_below(m["casia_han_share"], limits.min_han_share),
            *([m["casia_traditional"]] if limits.traditional_policy == "drop" else []),
        ],
        "sensitive": _above(m["sensitive_distinct"] / m["lines"], limits.max_sensitive_per_line),
        "duplication": _above(m["casia_dup_13gram_share"], limits.max_dup_13gram_share),
    }


def _is_unmeasured() -> Column:
    """A null compares as neither above nor below: without this it would pass every rule."""
    m = F.col(MEASURES)
    return reduce(or_, [m[name].isNull() for name in MEASURES_TYPE.fieldNames()], m.isNull())


def _below(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure < limit]


def _above(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure > limit]
