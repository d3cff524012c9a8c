"""The last decision on every document: which stage removed it, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.config import Config, SelectConfig
from jobs.config.scorers import declared
from jobs.transforms.selection.frame import (
    CLUSTER_SIZE,
    KIND,
    PLACE,
    REJECT_REASONS,
    quality_score,
)
from jobs.transforms.selection.runs import has_good_segment
from udfs.scorers.declaration import limits_by_domain

SELECTS = "select_corpus"
HOST_CAP = "host_cap"
NOT_SAMPLED = "not_sampled"
FAILED_RULES = "failed_rules"
NOT_FILTERS = (NOT_SAMPLED, HOST_CAP)
"""Reasons that say nothing of a document itself."""

_HASH_BITS = 53


def with_verdicts(frame: DataFrame, config: Config, keep: Sequence[str | Column] = ()) -> DataFrame:
    """Which stage removed a document and why; null stage for a document that is kept so far.

    Needs: frame (of `selection_frame`, with removals).
    Args:
        keep: Further columns of the frame, or expressions over it, for later decisions.
    Adds: stage, reasons (all that apply of the stage that removed it). Keeps: doc_id, url,
        warc_path, warc_offset, cluster_size, the structs of scores, and `keep`.
    Rows: all kept. Shuffles: none.
    """
    # Conditions are evaluated for documents that are left: others have no scores.
    rules = selection_rules(config)
    is_out = reduce(or_, map(_is_true, rules.values()))
    stage = (
        F.when(F.col(REJECT_REASONS).isNotNull(), "apply_rules")
        .when(F.col(KIND).isNotNull(), "find_duplicates")
        .when(is_out, SELECTS)
    )
    reasons = (
        F.when(F.col(REJECT_REASONS).isNotNull(), F.col(REJECT_REASONS))
        .when(F.col(KIND).isNotNull(), F.array(KIND))
        .when(is_out, _names_of(rules))
        .otherwise(_no_names())
    )
    return frame.select(
        *("doc_id", "url", *PLACE, CLUSTER_SIZE),
        stage.alias("stage"),
        reasons.alias("reasons"),
        *structs_of(frame),
        *keep,
    )


def failed_rules(config: Config) -> Column:
    """The conditions that leave a document out, as a bit each, in the order of `selection_rules`:
    a number is cheaper to compare than the names.

    Needs: frame, as `with_verdicts`.
    """
    rules = selection_rules(config).values()
    bits = (F.when(rule, F.lit(1 << place)).otherwise(0) for place, rule in enumerate(rules))
    return reduce(lambda both, bit: both.bitwiseOR(bit), (bit.cast("bigint") for bit in bits))


def fails_alone(reason: str, config: Config) -> Column:
    """Whether a condition is the only one that leaves a document out.

    Needs: failed_rules.
    """
    places = list(selection_rules(config))
    if reason not in places:
        return F.lit(False)
    return F.col(FAILED_RULES) == F.lit(1 << places.index(reason))


def structs_of(frame: DataFrame) -> list[str]:
    """The columns of a frame that hold scorers' results."""
    return [name for name in declared() if name in frame.columns]


def selection_rules(config: Config) -> dict[str, Column]:
    """Reject reason -> condition over the frame; a missing score has its own reason."""
    select = config.select
    quality = quality_score(config)
    unscored = F.lit(False) if select.quality_from is None else quality.isNull()
    limited: list[tuple[int, str, Column]] = []
    cuts: dict[str, Column] = {}
    for name, scorer in declared().items():
        limits, scores = config.limits.get(name), F.col(name)
        keys = scorer.limits_in_use(limits)
        if keys or (scorer.is_required and config.language.has_model(name)):
            unscored |= scores[scorer.result_type.fieldNames()[0]].isNull()
        for rule in scorer.rejections:
            value = getattr(limits, rule.key, None)
            if rule.key in keys and rule.when in (None, value):
                limit = _limit(value, limits_by_domain(limits, rule.key))
                limited.append((rule.rank, rule.reason, rule.holds(scores, limit)))
        if scorer.cut is not None and scorer.cut.key in keys:
            segments = scores[scorer.cut.segments]
            least = getattr(limits, scorer.cut.key)
            cuts[scorer.cut.reason] = ~has_good_segment(segments, least)
        passages = scorer.passages
        if passages is not None and passages.is_on(limits):
            is_short = scores[passages.chars_left] < getattr(limits, passages.min_chars)
            cuts[passages.reason] = (F.size(scores[passages.spans]) > 0) & is_short
    rules = {"unscored": unscored}
    least_quality = _limit(select.min_quality, select.min_quality_by_domain)
    if least_quality is not None and select.quality_from is not None:
        rules["low_quality"] = quality < least_quality
    rules |= {reason: holds for _, reason, holds in sorted(limited, key=lambda rule: rule[0])}
    rules |= cuts
    for reason, holds in _policies(select).items():
        rules[reason] = _either(rules[reason], holds) if reason in rules else holds
    return rules


def _policies(select: SelectConfig) -> dict[str, Column]:
    """Reject reason -> condition, of the keys that look at more than a scorer's limits."""
    label, kind = (F.col("toxicity")[name] for name in ("label", "kind"))
    is_toxic = label == 1
    if select.toxic_kinds:
        # An unscored document has a reason of its own.
        is_toxic = F.when(label.isNotNull(), is_toxic & _is_true(kind.isin(*select.toxic_kinds)))
    counted = F.array(*map(F.lit, select.opt_outs)).cast("array<string>")
    stated = F.arrays_overlap("opt_outs", counted)
    script = F.coalesce("script", F.lit("none"))
    language: list[Column] = []
    if select.languages:
        language.append(~_is_true(F.col("language").isin(*select.languages)))
    if select.min_language_score is not None:
        language.append(~_is_true(F.col("language_score") >= select.min_language_score))
    asked = {
        "toxic": select.toxic == "drop" and is_toxic,
        "not_toxic": select.toxic == "only" and ~is_toxic,
        "script": bool(select.scripts) and ~script.isin(*select.scripts),
        "language": bool(language) and reduce(or_, language),
        "opt_out": select.opt_out_policy == "drop" and _is_true(stated),
        "truncated": select.truncated == "drop" and F.col("truncated").isNotNull(),
        "where": select.where is not None and ~_is_true(F.expr(str(select.where))),
        NOT_SAMPLED: select.sample is not None and ~is_sampled(select.sample, select.seed),
    }
    return {reason: holds for reason, holds in asked.items() if isinstance(holds, Column)}


def is_sampled(share: float, seed: int) -> Column:
    """Whether a document belongs to a share of all: its hash decides, whatever else there is.

    Needs: doc_id.
    Args:
        share: From 0 to 1. The documents of a share are among those of every larger one.
    """
    return unit_hash(seed) < F.lit(share)


def unit_hash(seed: int) -> Column:
    """A number in [0, 1) that follows from doc_id and a seed: the lower bits of Spark's xxHash64.

    Needs: doc_id.
    """
    hashed = F.xxhash64(F.col("doc_id"), F.lit(seed).cast("long"))
    return hashed.bitwiseAND(F.lit((1 << _HASH_BITS) - 1)) / F.lit(float(1 << _HASH_BITS))


def with_host_cap(verdicts: DataFrame, most: int, quality: Column) -> DataFrame:
    """Leave out documents of hosts that have more than a cap of them.

    Needs: doc_id, host, stage, reasons; the columns of `quality`, the score by which a host's
        documents are kept, the highest first, equal ones by doc_id.
    Replaces: stage and reasons of documents that were kept so far.
    Rows: all kept. Shuffles: by host; a document that is in no cap by doc_id.
    """
    counts = F.col("stage").isNull() & F.col("host").isNotNull()
    # Others are groups by themselves: one group of them all would be a task.
    group = F.struct(F.when(counts, F.col("host")), F.when(~counts, F.col("doc_id")))
    order = Window.partitionBy(group).orderBy(quality.desc(), "doc_id")
    numbered = verdicts.select("*", F.row_number().over(order).alias("_place"))
    is_over = counts & (F.col("_place") > most)
    return _rejecting(numbered, is_over, HOST_CAP).select(*verdicts.columns)


def _rejecting(verdicts: DataFrame, fires: Column, reason: str) -> DataFrame:
    """Give a reason to documents that were kept so far."""
    return verdicts.withColumns(
        {
            "stage": F.when(fires, SELECTS).otherwise(F.col("stage")),
            "reasons": F.when(fires, F.array(F.lit(reason))).otherwise(F.col("reasons")),
        }
    )


def _limit(limit: Any, by_domain: Mapping[str, float | None]) -> Any:
    """A limit as it is for a document; None where there is none for any.

    A null in it, for a domain without a limit, lets every comparison be null, which rejects
    nothing.
    """
    if not by_domain:
        return limit
    label = F.col("domain")["single_label"]
    found = F.lit(limit).cast("double")
    for name, other in sorted(by_domain.items()):
        found = F.when(label == name, F.lit(other).cast("double")).otherwise(found)
    return found


def _either(first: Column, second: Column) -> Column:
    """Whether one of two conditions holds, either of which may be null."""
    return _is_true(first) | _is_true(second)


def _is_true(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _names_of(rules: Mapping[str, Column]) -> Column:
    """The names of the conditions that hold, in order."""
    # Functions of arrays with a lambda, as array_compact, are not compiled.
    return F.concat(
        *(F.when(rule, F.array(F.lit(name))).otherwise(_no_names()) for name, rule in rules.items())
    )


def _no_names() -> Column:
    return F.array().cast("array<string>")
