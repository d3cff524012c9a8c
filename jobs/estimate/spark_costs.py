"""What Spark spent on a stage of the pipeline: seconds of cores, idle seconds, shuffled bytes.

The figures are those of Spark's own records, which it keeps with or without its user interface.
They are no promise of Spark: where they cannot be read, wall clock takes their place.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

_WAIT_MS = 10_000
"""For Spark to have recorded all that has ended."""


@dataclass(frozen=True)
class SparkStage:
    """One stage of a job of Spark."""

    number: int
    submitted_ms: int
    completed_ms: int
    core_ms: int
    """Wall clock of its tasks, added up."""
    shuffled: int
    """Bytes that its tasks wrote for others to read."""


@dataclass
class Spent:
    """What a stage of the pipeline spent."""

    wall_s: float = 0.0
    idle_s: float = 0.0
    """Part of the wall clock in which no task ran."""
    core_s: float = 0.0
    """Seconds of tasks, each on one core."""
    shuffled: int = 0
    rows: int = 0
    """Records or documents that it worked on; set by the caller."""
    waves: int = 0
    """Waves that it worked on; likewise."""
    is_from_spark: bool = True
    """False where only the wall clock is known, on all cores."""


class Meter:
    """Measures what Spark spends while a block runs."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._cores = int(spark.sparkContext.defaultParallelism)
        self._last = max((stage.number for stage in self._stages() or []), default=-1)

    @contextmanager
    def spent(self) -> Iterator[Spent]:
        """Yield what is filled in when the block ends."""
        started, started_ms = time.monotonic(), time.time() * 1000
        spent = Spent()
        yield spent
        spent.wall_s = time.monotonic() - started
        stages = self._stages()
        if stages is None:
            spent.core_s, spent.is_from_spark = spent.wall_s * self._cores, False
            return
        new = [stage for stage in stages if stage.number > self._last]
        self._last = max((stage.number for stage in new), default=self._last)
        spent.core_s = sum(stage.core_ms for stage in new) / 1000
        spent.shuffled = sum(stage.shuffled for stage in new)
        busy = busy_ms((max(stage.submitted_ms, started_ms), stage.completed_ms) for stage in new)
        spent.idle_s = max(0.0, spent.wall_s - busy / 1000)

    def _stages(self) -> list[SparkStage] | None:
        """Return the stages that have ended, of those that Spark remembers."""
        try:
            return list(_recorded(self._spark))
        except Py4JError:
            return None


def busy_ms(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of spans of time."""
    total, until = 0.0, float("-inf")
    for first, last in sorted(spans):
        total += max(0.0, last - max(first, until))
        until = max(until, last)
    return total


def _recorded(spark: SparkSession) -> Iterator[SparkStage]:
    context = spark.sparkContext._jsc.sc()
    context.listenerBus().waitUntilEmpty(_WAIT_MS)
    store = context.statusStore()
    gateway = spark.sparkContext._gateway
    assert gateway is not None
    none = gateway.new_array(gateway.jvm.double, 0)
    stages = store.stageList(None, False, False, none, gateway.jvm.java.util.ArrayList())
    for number in range(stages.size()):
        stage = stages.apply(number)
        if stage.submissionTime().isEmpty() or stage.completionTime().isEmpty():
            continue  # skipped, or still running
        yield SparkStage(
            int(stage.stageId()),
            int(stage.submissionTime().get().getTime()),
            int(stage.completionTime().get().getTime()),
            int(stage.executorRunTime()),
            int(stage.shuffleWriteBytes()),
        )
