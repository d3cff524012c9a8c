"""Conditions that a configuration writes as SQL expressions over the measures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import ConfigError

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
    for reason, expression in conditions.items():
        with _quiet_errors():
            fault = _fault(measures, expression)
        if fault is not None:
            raise ConfigError(
                f"rules.conditions.{reason} = {expression.strip()!r}: {fault}; "
                f"measures: {', '.join(measures.columns)}"
            )


def _fault(measures: DataFrame, expression: str) -> str | None:
    """What is wrong with an expression, or None."""
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
        filtered.collect()
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
