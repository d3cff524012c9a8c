"""The Spark task that runs in this Python worker: its GPU, cores and attempt, and what the worker
keeps loaded between tasks.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import wraps

import pyarrow as pa
from pyspark import TaskContext

BatchMap = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_frozen: set[str] = set()  # names of the functions after whose first run objects were frozen


def keeps_what_it_loads(name: str) -> Callable[[BatchMap], BatchMap]:
    """Decorate a function for mapInArrow: freeze a worker's objects after its first run.

    PySpark's workers collect garbage after every task (gc.collect in pyspark/daemon.py). With
    NumPy, Arrow and Numba loaded this takes 60 ms, longer than many a task. The collector skips
    frozen objects; those without cycles are freed as before.

    Args:
        name: Identifies the function in a worker.
    """

    def keeping(function: BatchMap) -> BatchMap:
        @wraps(function)
        def kept(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from function(batches)
            if name not in _frozen:
                _frozen.add(name)
                gc.freeze()

        return kept

    return keeping


def gpu_of_task() -> str | None:
    """Return the address of the task's GPU, as the discovery script names it.

    None where Spark has assigned none, and outside a task. Several tasks have the same address
    where each takes a fraction of a GPU.
    """
    context = TaskContext.get()
    gpu = context.resources().get("gpu") if context else None
    return str(gpu.addresses[0]) if gpu else None


def is_retry() -> bool:
    """Whether an earlier attempt at this task failed, for whatever reason; False outside a task."""
    context = TaskContext.get()
    return context is not None and context.attemptNumber() > 0


def cores_of_task() -> int | None:
    """Return ``spark.task.cpus``; None outside a task."""
    context = TaskContext.get()
    return context.cpus() if context else None
