"""The log file of a command: what Spark, Java, Python workers and libraries write while it runs.

A terminal shows what a job says itself; the rest, most of it warnings without consequence, is in
this file, which a message names where something fails.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pyspark import SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from udfs.files.uris import canonical_uri, scheme_of

FOLDER = "logs"
KEPT_FILES = 10
"""Log files in a folder; older ones are removed when another is begun."""
_SUFFIX = ".log"
_SHOWN_LINES = 5


class JavaFailed(RuntimeError):
    """Java ended before Spark could be reached."""


def starts_spark() -> bool:
    """Whether this process has to start Spark: it has no session, nor one of spark-submit."""
    return SparkSession.getActiveSession() is None and "PYSPARK_GATEWAY_PORT" not in os.environ


def new_log(root: str | None, cache: Path, command: str) -> Path:
    """Return the path of a new log file, in a folder with the newest files of earlier commands.

    Args:
        root: The output; a local one has the folder ``logs``, which moves with it. None where
            nothing may be written to it.
        cache: Folder of what is kept on this machine, for an output that is not local.
    Raises:
        OSError: the folder cannot be written.
    """
    at = cache if root is None or scheme_of(root) else Path(canonical_uri(root))
    folder = at / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    earlier = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    for path in earlier[: len(earlier) - KEPT_FILES + 1]:
        path.unlink(missing_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    log = folder / f"{command}-{moment}{_SUFFIX}"
    log.touch()
    return log


def start_java(log: Path) -> None:
    """Start Java for this process, with all that it and Python workers print in a file.

    A Java that this process has started before goes on writing to the file that it had.

    Raises:
        JavaFailed: with the last lines of the file.
    """
    if SparkContext._gateway is not None:
        return
    with log.open("ab") as file:
        try:
            gateway = launch_gateway(popen_kwargs={"stdout": file, "stderr": file})  # type: ignore[no-untyped-call]
        except PySparkRuntimeError as error:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            said = "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:])
            raise JavaFailed(f"Java did not start; the end of {log}:\n{said}") from error
    SparkContext._ensure_initialized(gateway=gateway)


@contextmanager
def libraries_logged(log: Path | None) -> Iterator[None]:
    """Write warnings and log records of Python libraries to a file while the block runs.

    Args:
        log: The file; None leaves them on the terminal.
    """
    if log is None:
        yield
        return
    handler = logging.FileHandler(log, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        handler.close()
