"""The lines that a run writes to standard error: plain text, or one JSON object each.

find_duplicates: done, 1,204 seen in 3.1 s (388/s)
{"time": "2024-06-01T03:10:00.123Z", "event": "wave_done", "stage": "find_duplicates", ...}

While Spark works, one line every few seconds gives the progress of the stage.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

from pyspark.sql import SparkSession

_LOG = logging.getLogger("taojin")
_FIELDS = "taojin_fields"
_PROGRESS_SECONDS = 5.0


def set_log_format(log_format: Literal["text", "json"]) -> None:
    """Set the format of the lines that `say` writes in this process."""
    handler = _ToStandardError()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else logging.Formatter())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False


def say(event: str, text: str, **fields: object) -> None:
    """Write one line.

    Args:
        event: Kind of line; only in JSON.
        text: The line as plain text.
        fields: The same facts by name; only in JSON.
    """
    if not _LOG.handlers:
        set_log_format("text")
    _LOG.info(text, extra={_FIELDS: {"event": event, **fields}})


@contextmanager
def show_progress(
    spark: SparkSession, label: str, unit: str, documents: Callable[[], int] | None = None
) -> Iterator[None]:
    """Write tasks done, documents per second and time left while the block runs.

    Args:
        label: Name of the work, such as ``extract_documents, wave 1 of 3``.
        unit: Plural noun for what a task handles, such as ``splits``.
        documents: Returns the number of documents done; None leaves the rate out.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(spark, label, unit, documents, done), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _ToStandardError(logging.Handler):
    """Looks up standard error at each line, since tests replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": moment.replace("+00:00", "Z"), **getattr(record, _FIELDS)}
        return json.dumps(fields, ensure_ascii=False)


def _watch(
    spark: SparkSession,
    label: str,
    unit: str,
    documents: Callable[[], int] | None,
    done: threading.Event,
) -> None:
    started = time.monotonic()
    while not done.wait(_PROGRESS_SECONDS):
        finished, total = _tasks(spark)
        if not total:  # between two Spark jobs
            continue
        seconds = time.monotonic() - started
        parts = [f"{label}: {finished}/{total} {unit}"]
        if documents is not None:
            parts.append(f"{documents() / seconds:,.0f} documents/s")
        if finished:
            minutes, rest = divmod(round(seconds / finished * (total - finished)), 60)
            parts.append(f"{minutes}:{rest:02d} left")
        say(
            "progress",
            ", ".join(parts),
            doing=label,
            tasks_done=finished,
            tasks=total,
            seconds=round(seconds, 1),
            documents=None if documents is None else documents(),
        )


def _tasks(spark: SparkSession) -> tuple[int, int]:
    """Count the finished tasks and all tasks of the Spark stages that run now."""
    tracker = spark.sparkContext.statusTracker()
    infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [info for info in infos if info is not None]
    return sum(i.numCompletedTasks for i in known), sum(i.numTasks for i in known)
