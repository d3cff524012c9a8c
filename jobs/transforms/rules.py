"""The rules: conditions over the stored measures of a document.

The rules below have limits of their own in the configuration; a rule pack or a user adds others as
SQL expressions over the measures. Another limit needs no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import ConfigError, RulesConfig
from jobs.transforms.expressions import condition_fault, evaluation_fault
from jobs.transforms.spark_errors import quiet_errors
from udfs.measures.schema import COUNTS_TYPE, MEASURES_TYPE

MEASURES = "measures"
REJECT_REASONS = "reject_reasons"
ROBOTS_DISALLOW = "robots_disallow"
"""Column that says whether a document's site forbids to fetch it."""


def with_reject_reasons(
    measured: DataFrame, limits: RulesConfig, labels: Sequence[str] = ()
) -> DataFrame:
    """Apply the rules to stored measures.

    Needs: measures; opt_outs where the policy is to reject them; ROBOTS_DISALLOW where there are
        robots.txt files; no column that has the name of a measure.
    Args:
        labels: Labels of languages that two identifiers need not tell apart.
    Adds: reject_reasons, never null: in the order of ``rules`` every reason that fires, in
        mode casia-exact only the first; empty for a document that passes. ``unmeasured`` comes
        first, where a rule could not be decided: a null is neither above nor below a limit, and
        would pass every rule.
    Rows: all kept. Shuffles: none.
    """
    conditions = rules(limits, labels)
    undecided = reduce(or_, (c.isNull() for c in conditions.values()), F.col(MEASURES).isNull())
    fired = [
        F.when(condition, F.lit(reason))
        for reason, condition in {"unmeasured": undecided, **conditions}.items()
    ]
    reasons = F.array_compact(F.array(*fired))
    if limits.mode == "casia-exact":
        reasons = F.slice(reasons, 1, 1)
    # Conditions name measures without a prefix.
    named = measured.select("*", *named_measures())
    return named.select(*measured.columns, reasons.alias(REJECT_REASONS))


def named_measures() -> list[Column]:
    """Return each measure as conditions name it: counts by name are maps there.

    Needs: measures.
    """
    return [
        (F.map_from_entries(column) if field.dataType == COUNTS_TYPE else column).alias(field.name)
        for field in MEASURES_TYPE
        for column in [F.col(MEASURES)[field.name]]
    ]


def rules(limits: RulesConfig, labels: Sequence[str] = ()) -> dict[str, Column]:
    """Reject reason -> condition over the measures.

    The published rules in their order, those that only mode fixed has, those of policies and
    lists, then the configuration's own conditions.

    Needs: measures, and each measure as a column.
    Source: ChineseWebText 2.0, section 3.
    """
    conditions = _casia_rules(limits) if limits.mode == "casia-exact" else _fixed_rules(limits)
    return {
        **{reason: reduce(or_, any_of, F.lit(False)) for reason, any_of in conditions.items()},
        **_opt_out_rule(limits),
        **_host_rule(limits),
        **_pii_rule(limits),
        **_robots_rule(limits),
        **_language_rule(limits, labels),
        **{reason: F.expr(text) for reason, text in limits.conditions.items()},
    }


def check_conditions(
    measures: DataFrame,
    conditions: Mapping[str, str],
    section: str = "rules",
    column: str = "measure",
) -> None:
    """Check conditions before any work is done.

    Needs: measures, a column each as of `named_measures` and nothing else, of a few texts; of the
        empty text, since its measures are the zeros that an expression may divide by. No frame
        that needs a Spark job.

    Args:
        section: The section that has them, for messages.
        column: What messages call a column of the frame.
    Raises:
        ConfigError: an expression does not parse, names an unknown measure, is not boolean, is
            more than a function of the measures, or fails on one of the texts.
    """
    with quiet_errors():
        faults = {
            reason: condition_fault(measures, text, column) for reason, text in conditions.items()
        }
        # Planning a query costs a third of a second: one for all, and each only to name its fault.
        if not any(faults.values()) and evaluation_fault(measures, conditions.values()):
            faults = {
                reason: evaluation_fault(measures, [text]) for reason, text in conditions.items()
            }
    for reason, fault in faults.items():
        if fault is not None:
            raise ConfigError(
                f"{section}.conditions.{reason} = {conditions[reason].strip()!r}: {fault}; "
                f"{column}s: {', '.join(measures.columns)}"
            )


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
            *_below(m["script_share"], limits.min_script_share),
            *_above(m["traditional_share"], traditional),
        ],
        "sensitive": _above(sensitive / m["lines"], limits.max_sensitive_per_line),
        "duplication": _above(m["dup_13gram_share"], limits.max_dup_13gram_share),
        "mojibake": _above(m["mojibake_share"], limits.max_mojibake_share),
    }


def _casia_rules(limits: RulesConfig) -> dict[str, list[Column]]:
    """As the published script decides: at most min_chars is too short, newlines count in a
    line's length, any convertible character is traditional, words count once.

    ``max_traditional_share`` and ``sensitive_count`` are not used in this mode.
    """
    m = F.col(MEASURES)
    return {
        "length": [
            *([] if limits.min_chars is None else [m["chars"] <= limits.min_chars]),
            *_below(m["chars"] / m["lines"], limits.min_mean_line_chars),
        ],
        "character": [
            *_below(m["casia_han_share"], limits.min_script_share),
            *([m["casia_traditional"]] if limits.traditional_policy == "drop" else []),
        ],
        "sensitive": _above(m["sensitive_distinct"] / m["lines"], limits.max_sensitive_per_line),
        "duplication": _above(m["casia_dup_13gram_share"], limits.max_dup_13gram_share),
    }


def _opt_out_rule(limits: RulesConfig) -> dict[str, Column]:
    """Stated opt-outs. A null, of a row without headers or a page (JSONL), is no opt-out."""
    if limits.opt_out_policy == "keep":
        return {}
    counted = F.array(*map(F.lit, limits.opt_outs)).cast("array<string>")
    return {"opted_out": F.coalesce(F.arrays_overlap("opt_outs", counted), F.lit(False))}


def _host_rule(limits: RulesConfig) -> dict[str, Column]:
    """Hosts that a list blocks and no list allows. A row without a URL is on no list."""
    m = F.col(MEASURES)
    blocked = (m["host_block_category"] != "") & (m["host_allow_category"] == "")
    return {"host_blocked": blocked} if limits.host_block else {}


def _pii_rule(limits: RulesConfig) -> dict[str, Column]:
    """Personal data of the kinds that the configuration rejects."""
    if limits.pii_policy != "reject":
        return {}
    found = F.col(MEASURES)["pii"]
    return {"pii": F.exists(found, lambda span: span["kind"].isin(*limits.pii_kinds))}


def _robots_rule(limits: RulesConfig) -> dict[str, Column]:
    """Documents that robots.txt disallows. A null is allowed: its site has none that is known."""
    disallow = F.coalesce(F.col(ROBOTS_DISALLOW), F.lit(False))
    return {"robots": disallow} if limits.robots else {}


def _language_rule(limits: RulesConfig, labels: Sequence[str]) -> dict[str, Column]:
    """Texts whose two identifiers name different languages."""
    if limits.language_disagreement == "keep":
        return {}
    m = F.col(MEASURES)
    first, second = m["language"], m["second_language"]
    is_same = (first == second) | (first.isin(*labels) & second.isin(*labels))
    return {"language_disagreement": ~is_same}


def _below(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure < limit]


def _above(measure: Column, limit: float | None) -> list[Column]:
    return [] if limit is None else [measure > limit]
