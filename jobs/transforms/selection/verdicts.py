"""The last decision on every document: which stage removed it, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.config.scorers import declared
from jobs.transforms.selection.runs import has_good_segment


def selection_scorers(config: Config) -> list[str]:
    """The scorers that run and whose tables the selection reads: they have corpus columns, or
    decide on documents."""
    return [
        name
        for name, scorer in declared().items()
        if name in config.score.scorers
        and (
            scorer.corpus
            or name == config.select.quality_from
            or scorer.limits_in_use(config.limits.get(name))
        )
    ]


def with_verdicts(
    documents: DataFrame,
    flagged: DataFrame,
    duplicates: DataFrame,
    scores: Mapping[str, DataFrame],
    config: Config,
) -> DataFrame:
    """Which stage removed a document and why; null stage for a corpus document.

    Needs: documents (doc_id, ...); flagged (doc_id, reject_reasons); duplicates (doc_id, kind);
        the tables of `selection_scorers`, by scorer.
    Adds: stage, reasons, and for each scorer a struct ``score_SCORER``.
    Rows: all kept.
    Shuffles: every side by doc_id.
    """
    joined = documents.join(flagged, on="doc_id", how="left").join(
        duplicates.select("doc_id", "kind"), on="doc_id", how="left"
    )
    for name, table in scores.items():
        fields = [column for column in table.columns if column != "doc_id"]
        packed = table.select("doc_id", F.struct(*fields).alias(struct_of(name)))
        joined = joined.join(packed, on="doc_id", how="left")
    selection = _names_of(selection_rules(config))
    stage = (
        F.when(_some("reject_reasons"), "apply_rules")
        .when(F.col("kind").isNotNull(), "find_duplicates")
        .when(F.size(selection) > 0, "select_corpus")
    )
    reasons = (
        F.when(_some("reject_reasons"), F.col("reject_reasons"))
        .when(F.col("kind").isNotNull(), F.array("kind"))
        .otherwise(selection)
    )
    return joined.select(
        *documents.columns, stage.alias("stage"), reasons.alias("reasons"), *map(struct_of, scores)
    )


def selection_rules(config: Config) -> dict[str, Column]:
    """Reject reason -> condition over the structs of scores; a missing score has its own reason."""
    select = config.select
    quality = quality_score(config)
    unscored = quality.isNull()
    limited: list[tuple[int, str, Column]] = []
    cuts: dict[str, Column] = {}
    for name, scorer in declared().items():
        limits, scores = config.limits.get(name), F.col(struct_of(name))
        keys = scorer.limits_in_use(limits)
        if scorer.is_required or keys:
            unscored |= scores[scorer.result_type.fieldNames()[0]].isNull()
        limited += [
            (rule.rank, rule.reason, rule.holds(scores, getattr(limits, rule.key)))
            for rule in scorer.rejections
            if rule.key in keys and rule.when in (None, getattr(limits, rule.key))
        ]
        if scorer.cut is not None and scorer.cut.key in keys:
            segments = scores[scorer.cut.segments]
            least = getattr(limits, scorer.cut.key)
            cuts[scorer.cut.reason] = ~has_good_segment(segments, least)
        passages = scorer.passages
        if passages is not None and passages.is_on(limits):
            is_short = scores[passages.chars_left] < getattr(limits, passages.min_chars)
            cuts[passages.reason] = (F.size(scores[passages.spans]) > 0) & is_short
    rules = {"unscored": unscored}
    if select.min_quality is not None:
        rules["low_quality"] = quality < select.min_quality
    rules |= {reason: holds for _, reason, holds in sorted(limited, key=lambda rule: rule[0])}
    return rules | cuts


def quality_score(config: Config) -> Column:
    """The score that decides quality, as select.quality_from says."""
    scorer = declared()[config.select.quality_from]
    field: Any = scorer.score
    return F.col(struct_of(scorer.name))[field]


def struct_of(scorer: str) -> str:
    """Name of the column with a scorer's results; documents have no such columns."""
    return f"score_{scorer}"


def _names_of(rules: Mapping[str, Column]) -> Column:
    """The names of the conditions that hold, in order."""
    return F.array_compact(F.array(*(F.when(rule, name) for name, rule in rules.items())))


def _some(reasons: str) -> Column:
    return F.coalesce(F.size(reasons), F.lit(0)) > 0
