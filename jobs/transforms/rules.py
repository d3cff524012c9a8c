"""Conditions that a configuration writes as SQL expressions over the measures.

The rules over stored measures.

A rule is a condition over the measures of a document: those below, whose limits have keys of
their own, and those that a rule pack or a user writes as SQL expressions. Moving a threshold needs
no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from operator import or_

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import ConfigError, RulesConfig

_REFUSED = {
    "PLAN_EXPRESSION": "has a query in it",
    "CURRENT_LIKE": "depends on when or by whom it is run",
}
"""Kinds of expressions, by Spark's names for them, that a filter could have and a rule cannot."""


_CODES = re.compile(r"^\[[A-Z_.]+\] |;? ?SQLSTATE: \w+.*$")
"""What Spark puts around a message's first line."""


def condition_columns(conditions: Mapping[str, str]) -> dict[str, Column]:
    """Reject reason -> condition, over a frame that has the measures as columns."""
    return {reason: F.expr(expression) for reason, expression in conditions.items()}


def check_conditions(measures: DataFrame, conditions: Mapping[str, str]) -> None:
    """Make sure of conditions before any work is done.

    Needs: measures, a column each and nothing else, of a few texts; best of the empty one, whose
        measures are what divides by zero. Nothing that takes a Spark job.
    Raises:
        ConfigError: an expression does not parse, names what is no measure, is not boolean, is
            more than a function of the measures, or fails on one of the texts.
    """
    with _quiet_errors():
        faults = {reason: _misuse(measures, text) for reason, text in conditions.items()}
        # Planning a query costs a third of a second: one for all, and each only to name its fault.
        if not any(faults.values()) and _failure(measures, conditions.values()):
            faults = {reason: _failure(measures, [text]) for reason, text in conditions.items()}
    for reason, fault in faults.items():
        if fault is not None:
            raise ConfigError(
                f"rules.conditions.{reason} = {conditions[reason].strip()!r}: {fault}; "
                f"measures: {', '.join(measures.columns)}"
            )


def _misuse(measures: DataFrame, expression: str) -> str | None:
    """What is wrong with an expression before it is evaluated, or None."""
    try:
        # Spark takes aggregates, windows and generators in a select, and refuses them here.
        filtered = measures.where(F.expr(expression))
        plan = filtered._jdf.queryExecution().analyzed()
        patterns = measures.sparkSession._jvm.org.apache.spark.sql.catalyst.trees.TreePattern  # type: ignore[union-attr]
        for name, fault in _REFUSED.items():
            if plan.containsPattern(getattr(patterns, name)()):
                return fault
        if not plan.deterministic():
            return "is not the same each time"
        if plan.expressions().head().references().isEmpty():
            return "looks at no measure"
    except PySparkException as error:
        return _first_line(str(error))
    return None


def _failure(measures: DataFrame, expressions: Iterable[str]) -> str | None:
    """How the evaluation of expressions fails, or None."""
    try:
        measures.select(*(F.expr(expression) for expression in expressions)).collect()
    except PySparkException as error:
        return _first_line(str(error))
    except Py4JJavaError as error:
        return _first_line(str(error.java_exception.getMessage()))
    return None


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0].strip()
    return _CODES.sub("", line).rstrip(".")


@contextmanager
def _quiet_errors() -> Iterator[None]:
    """PySpark logs what it raises, with both stack traces, also where the error is caught."""
    # Not logging.getLogger: the first to ask decides what kind of logger it is, for all.
    logger = PySparkLogger.getLogger("SQLQueryContextLogger")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled


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
