"""What a run says on standard error: lines of text or JSON objects, and the progress of a stage.

find_duplicates: done, 1,204 seen, 1,187 kept, 17 rejected, 0 failed in 3.1 s (388/s)
{"time": "2024-06-01T03:10:00.123Z", "event": "wave_done", "stage": "find_duplicates", ...}

While Spark works, a terminal shows one line that is written again and again; elsewhere there is a
line every 30 seconds.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

_LOG = logging.getLogger("taojin")
_FIELDS = "taojin_fields"
_LINE_SECONDS = 30.0
_REDRAW_SECONDS = 1.0
_BAR = 20  # characters
_COLUMNS = 80  # of a terminal that does not say
_QUERIES = 8  # latest queries of Spark that are looked at
_FROM_PYTHON = "data returned from Python workers"
_ROWS = "number of output rows"

_bars: list[Any] = []
"""The line that a terminal shows now, as tqdm draws it; at most one."""


def set_log_format(log_format: Literal["text", "json"]) -> None:
    """Set the format of the lines that `say` writes in this process."""
    handler = _ToStandardError()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else logging.Formatter())
    _LOG.handlers[:] = [handler]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False


def say(event: str, text: str | None, **fields: object) -> None:
    """Write one line.

    Args:
        event: Kind of line; only in JSON.
        text: The line as plain text; None for a line that only programs read.
        fields: The same facts by name; only in JSON.
    """
    if not _LOG.handlers:
        set_log_format("text")
    _LOG.info(text or "", extra={_FIELDS: {"event": event, **fields}})


@dataclass
class StageProgress:
    """How far a stage's work on a wave, or on all documents, has come."""

    label: str
    """The stage, and its wave where there are several."""
    total: int | None = None
    """Documents that the work reads; None if that is not known before."""
    is_one_pass: bool = True
    """Whether rows that Python workers return are its documents: else none are counted."""
    files: int = 1
    """Tasks of the pass over the input, each a file or a part of one; 1 for other work."""
    documents: int = 0
    files_done: int = 0
    seconds: float = 0.0

    @property
    def share(self) -> float | None:
        """Part of the work that is done, from 0 to 1; None if that is not known."""
        if self.total and self.is_one_pass:
            return min(self.documents / self.total, 1.0)
        return self.files_done / self.files if self.files > 1 else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at the speed so far; None if that is not known."""
        return self.seconds * (1 - self.share) / self.share if self.share else None

    def text(self) -> str:
        """Describe the progress in words."""
        parts = [f"{self.files_done:,} of {self.files:,} files"] if self.files > 1 else []
        if self.total is not None and self.is_one_pass:
            parts.append(f"{min(self.documents, self.total):,} of {self.total:,} documents")
        elif self.total is not None or self.documents:
            parts.append(f"{self.total or self.documents:,} documents")
        if self.documents and self.seconds:
            parts.append(f"{self.documents / self.seconds:,.0f}/s")
        left = self.seconds_left
        parts.append(f"{_clock(self.seconds)} so far" if left is None else f"{_clock(left)} left")
        return ", ".join(parts)


@contextmanager
def show_progress(spark: SparkSession, progress: StageProgress) -> Iterator[None]:
    """Show the progress of what Spark does while the block runs."""
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(spark, progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _ToStandardError(logging.Handler):
    """Looks up standard error at each line, since tests replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if line:
            with _bar_hidden():
                print(line, file=sys.stderr, flush=True)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        stated = getattr(record, _FIELDS, None) or {"event": "note", "text": record.getMessage()}
        fields = {"time": moment.replace("+00:00", "Z"), **stated}
        return json.dumps(fields, ensure_ascii=False)


@contextmanager
def _bar_hidden() -> Iterator[None]:
    """Clear the line of a terminal while another line is written above it."""
    for bar in _bars:
        bar.clear()
    yield
    for bar in _bars:
        bar.refresh()


def _watch(spark: SparkSession, progress: StageProgress, done: threading.Event) -> None:
    """Show progress until the work is done."""
    started = time.monotonic()
    is_text = not any(isinstance(handler.formatter, _JsonFormatter) for handler in _LOG.handlers)
    if is_text and sys.stderr.isatty():
        from tqdm import tqdm  # only a terminal needs it

        tqdm.monitor_interval = 0  # redrawn here
        # Its own look at the terminal's size shows nothing where that is not known.
        bar = tqdm(total=1.0, bar_format="{desc}", leave=False, ncols=_COLUMNS, nrows=2)
        _bars.append(bar)
        try:
            while not done.wait(_REDRAW_SECONDS):
                _update(spark, progress, time.monotonic() - started)
                draw(bar, progress)
        finally:
            _bars.remove(bar)
            bar.close()
        return
    while not done.wait(_LINE_SECONDS):
        _update(spark, progress, time.monotonic() - started)
        say(
            "progress",
            f"{progress.label}: {progress.text()}",
            doing=progress.label,
            documents=progress.documents,
            documents_total=progress.total,
            files_done=progress.files_done,
            files=progress.files,
            seconds=round(progress.seconds, 1),
            seconds_left=None if progress.seconds_left is None else round(progress.seconds_left, 1),
        )


def draw(bar: Any, progress: StageProgress) -> None:
    """Write the line of a terminal: the work, a bar where its share is known, and words."""
    share = progress.share
    bar.n = share or 0.0
    bar.ncols = shutil.get_terminal_size((_COLUMNS, 0)).columns - 1
    middle = "" if share is None else f"|{{bar:{_BAR}}}| "
    text = progress.text().replace("{", "{{").replace("}", "}}")
    bar.bar_format = f"{progress.label}: {middle}{text}"
    bar.refresh()


def _update(spark: SparkSession, progress: StageProgress, seconds: float) -> None:
    """Ask Spark how far it is. Numbers never go back: queries that ended are forgotten."""
    progress.seconds = seconds
    if progress.files > 1:
        progress.files_done = max(progress.files_done, _finished(spark, progress.files))
    if progress.is_one_pass:
        with suppress(Py4JError):  # Spark's own bookkeeping is not a promise of Spark
            progress.documents = max(progress.documents, _rows_from_python(spark))


def _finished(spark: SparkSession, tasks: int) -> int:
    """Count the finished tasks of the Spark stage that runs now and has so many tasks."""
    tracker = spark.sparkContext.statusTracker()
    infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    return max((i.numCompletedTasks for i in infos if i and i.numTasks == tasks), default=0)


def _rows_from_python(spark: SparkSession) -> int:
    """Return the most rows that Python workers have returned to one step of a query that runs.

    Executors report them with their heartbeats (spark.executor.heartbeatInterval).
    """
    store = spark._jsparkSession.sharedState().statusStore()
    known = store.executionsCount()
    queries = store.executionsList(max(known - _QUERIES, 0), _QUERIES)
    most = 0
    for query in (queries.apply(number) for number in range(queries.size())):
        if query.completionTime().isDefined():
            continue
        values = store.executionMetrics(query.executionId())
        nodes = store.planGraph(query.executionId()).allNodes()
        for node in (nodes.apply(number) for number in range(nodes.size())):
            metrics = node.metrics()
            found = {
                metric.name(): metric.accumulatorId()
                for metric in (metrics.apply(number) for number in range(metrics.size()))
            }
            value = values.get(found[_ROWS]) if _FROM_PYTHON in found and _ROWS in found else None
            if value is not None and value.isDefined():
                most = max(most, int(value.get().replace(",", "")))
    return most


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
