"""Errors of Spark as a user should read them: one line, and no log of their stack traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.logger import PySparkLogger

_CODES = re.compile(r"^\[[A-Z_.]+\] |;? ?SQLSTATE: \w+.*$")
"""Error class and SQLSTATE, which Spark puts around the first line of a message."""


def first_line(message: str) -> str:
    """Return what a message of Spark says, without error class, SQLSTATE and plan.

    >>> first_line("[TABLE_OR_VIEW_NOT_FOUND] No table t. SQLSTATE: 42P01; line 1\\n'Project")
    'No table t'
    """
    line = message.strip().partition("\n")[0].strip()
    return _CODES.sub("", line).rstrip(".")


@contextmanager
def quiet_errors() -> Iterator[None]:
    """Keep PySpark from logging errors with both stack traces, caught ones too."""
    # Not logging.getLogger: the first caller decides the class of a logger.
    logger = PySparkLogger.getLogger("SQLQueryContextLogger")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled
