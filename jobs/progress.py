"""One line every few seconds that says how far a long stage is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from jobs.log_lines import say

_SECONDS = 5.0


@contextmanager
def shown_progress(
    spark: SparkSession, label: str, unit: str, documents: Callable[[], int] | None = None
) -> Iterator[None]:
    """Print the tasks done, documents a second and time left while the block runs.

    Args:
        label: What is being done, as ``extract_documents wave 1 of 3``.
        unit: What a task is, as ``splits``.
        documents: How many documents are done so far; None leaves them out.
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


def _watch(
    spark: SparkSession,
    label: str,
    unit: str,
    documents: Callable[[], int] | None,
    done: threading.Event,
) -> None:
    started = time.monotonic()
    while not done.wait(_SECONDS):
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
    """Finished and all tasks of the stages that run now."""
    tracker = spark.sparkContext.statusTracker()
    infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    known = [info for info in infos if info is not None]
    return sum(i.numCompletedTasks for i in known), sum(i.numTasks for i in known)
