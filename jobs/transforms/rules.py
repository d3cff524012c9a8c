"""The rules over stored measures.

A rule is a condition over the measures of a document: those below, whose limits have keys of
their own, and those that a rule pack or a user writes as SQL expressions. Moving a threshold needs
no text.
"""

from __future__ import annotations

from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import RulesConfig
from jobs.transforms.conditions import condition_columns

MEASURES = "measures"
REJECT_REASONS = "reject_reasons"


def with_reject_reasons(measured: DataFrame, limits: RulesConfig) -> DataFrame:
    """Apply the rules to stored measures.

    Needs: measures; opt_outs where the policy is to reject them; no column that has the name of
        a measure.
    Adds: reject_reasons, never null: in the order of ``rules`` every reason that fires, in
        mode casia-exact only the first; empty for a document that passes. First of all comes
        ``unmeasured``, where a rule could not be decided: a null compares as neither above nor
        below, and would pass them all.
    Rows: all kept. Shuffles: none.
    """
    conditions = rules(limits)
    undecided = reduce(or_, (c.isNull() for c in conditions.values()), F.col(MEASURES).isNull())
    fired = [
        F.when(condition, F.lit(reason))
        for reason, condition in {"unmeasured": undecided, **conditions}.items()
    ]
    reasons = F.array_compact(F.array(*fired))
    if limits.mode == "casia-exact":
        reasons = F.slice(reasons, 1, 1)
    # The measures by their bare names, which is how conditions name them.
    named = measured.select("*", f"{MEASURES}.*")
    return named.select(*measured.columns, reasons.alias(REJECT_REASONS))


def rules(limits: RulesConfig) -> dict[str, Column]:
    """Reject reason -> condition over the measures: the published ones in their order, those of
    mode fixed alone, those that a policy or a list asks for, then those that the configuration
    adds.

    Needs: measures, and each of them by its own name.
    Source: ChineseWebText 2.0, section 3.
    """
    conditions = _casia_rules(limits) if limits.mode == "casia-exact" else _fixed_rules(limits)
    return {
        **{reason: reduce(or_, any_of, F.lit(False)) for reason, any_of in conditions.items()},
        **_opt_out_rule(limits),
        **_host_rule(limits),
        **_pii_rule(limits),
        **condition_columns(limits.conditions),
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
        "mojibake": _above(m["mojibake_share"], limits.max_mojibake_share),
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


def _opt_out_rule(limits: RulesConfig) -> dict[str, Column]:
    """A null says that nobody could have opted out (a JSONL row), which is no opt-out."""
    if limits.opt_out_policy == "keep":
        return {}
    counted = F.array(*map(F.lit, limits.opt_outs)).cast("array<string>")
    return {"opted_out": F.coalesce(F.arrays_overlap("opt_outs", counted), F.lit(False))}


def _host_rule(limits: RulesConfig) -> dict[str, Column]:
    """What a list blocks, unless a list allows it. No list has the address of a row without."""
    m = F.col(MEASURES)
    blocked = (m["host_block_category"] != "") & (m["host_allow_category"] == "")
    return {"host_blocked": blocked} if limits.host_block else {}


def _pii_rule(limits: RulesConfig) -> dict[str, Column]:
    """Any personal data of the kinds that count."""
    if limits.pii_policy != "reject":
        return {}
    found = F.col(MEASURES)["pii"]
    return {"pii": F.exists(found, lambda span: span["kind"].isin(*limits.pii_kinds))}


def _below(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure < limit]


def _above(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure > limit]
