"""Checks of SQL expressions that a user writes, before any work is done.

An expression is a function of the columns of one row: no subquery, aggregate, window or generator,
nothing random, nothing that depends on the time or the user of the run.
"""

from __future__ import annotations

from collections.abc import Iterable

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from jobs.transforms.spark_errors import first_line

_REFUSED = {
    "PLAN_EXPRESSION": "contains a subquery",
    "CURRENT_LIKE": "depends on the time or the user of the run",
}
"""Kinds of expressions, by Spark's names, that a filter may contain and a function of a row may
not."""


def condition_fault(frame: DataFrame, expression: str, column: str = "column") -> str | None:
    """Return the fault of a condition that shows before it is evaluated, or None.

    Args:
        frame: Has the columns that the condition may use; no row is read.
        column: What its columns are called in the message.
    """
    try:
        # Spark accepts aggregates, windows and generators in a select, and refuses them here.
        filtered = frame.where(F.expr(expression))
        plan = filtered._jdf.queryExecution().analyzed()
        patterns = frame.sparkSession._jvm.org.apache.spark.sql.catalyst.trees.TreePattern  # type: ignore[union-attr]
        for name, fault in _REFUSED.items():
            if plan.containsPattern(getattr(patterns, name)()):
                return fault
        if not plan.deterministic():
            return "is not deterministic"
        if plan.expressions().head().references().isEmpty():
            return f"uses no {column}"
    except PySparkException as error:
        return first_line(str(error))
    return None


def number_fault(frame: DataFrame, expression: str, column: str = "column") -> str | None:
    """Return the fault of an expression that must be a number, or None; as `condition_fault`."""
    fault = condition_fault(frame, f"({expression}) IS NOT NULL", column)
    if fault is not None:
        return fault
    kind = frame.select(F.expr(expression)).schema[0].dataType
    return None if isinstance(kind, NumericType) else f"is {kind.simpleString()}, not a number"


def evaluation_fault(frame: DataFrame, expressions: Iterable[str]) -> str | None:
    """Return the error of evaluating expressions over a frame of a few rows, or None."""
    try:
        frame.select(*(F.expr(expression) for expression in expressions)).collect()
    except PySparkException as error:
        return first_line(str(error))
    except Py4JJavaError as error:
        return first_line(str(error.java_exception.getMessage()))
    return None
