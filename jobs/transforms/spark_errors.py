"""Errors of Spark as a user should read them: one line, and no log of their stack traces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.logger import PySparkLogger

_CODES = re.compile(r"^\[[A-Z_.]+\] |;? ?SQLSTATE: \w+.*$")
"""Error class and SQLSTATE, which Spark puts around the first line of a message."""

_CAUSE = re.compile(r"^Caused by: (.+)$", re.MULTILINE)
_TASK_FAILURE = re.compile(r"most recent failure: Lost task [^:]*\(TID \d+\) \([^)]*\): (.+)")
_CLASS = re.compile(r"^(?:[a-z_][\w$]*\.)+(?P<name>[A-Z][\w$]*?)(?:: |:?$)")
_WORKER_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\):\n(?:[ ].*\n|\n)+(?P<error>\S.*)", re.MULTILINE
)
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def first_line(message: str) -> str:
    """Return what a message of Spark says, without error class, SQLSTATE and plan.

    >>> first_line("[TABLE_OR_VIEW_NOT_FOUND] No table t. SQLSTATE: 42P01; line 1\\n'Project")
    'No table t'
    """
    line = message.strip().partition("\n")[0].strip()
    return _CODES.sub("", line).rstrip(".")


def innermost_cause(message: str) -> str:
    """Return what an error of Spark or Java comes from, in one line and without names of packages.

    Args:
        message: With or without stack traces; one of a Python worker may be among them.

    >>> innermost_cause("org.apache.spark.SparkException: Aborted.\\n\\tat a.b.C(C.scala:1)\\n"
    ...                 "Caused by: java.io.IOException: Stream closed\\n\\tat ...")
    'Stream closed'
    >>> innermost_cause("java.lang.NullPointerException\\n\\tat ...")
    'null pointer exception'
    """
    if worker := list(_WORKER_TRACEBACK.finditer(message)):
        return f"{worker[-1]['error'].strip()} (in a Python worker)"
    causes = _CAUSE.findall(message) or _TASK_FAILURE.findall(message)
    text = (
        causes[-1] if causes else re.sub(r"^An error occurred while calling \S+\n: ", "", message)
    )
    return _without_class(text)


def _without_class(text: str) -> str:
    """Return a message without the exception's class, or the class as words where it has none."""
    text = text.strip().partition("\n")[0]
    name = None
    while found := _CLASS.match(text):
        name, text = found["name"], text[found.end() :].strip()
    if text:
        return first_line(text)
    return "no message" if name is None else _WORDS.sub(" ", name).lower()


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
