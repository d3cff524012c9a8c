"""What a Python worker has loaded is no garbage, and need not be looked at for it.

What Spark has given to the task that runs here.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import wraps

import pyarrow as pa
from pyspark import TaskContext

BatchMap = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_seen: set[str] = set()


def keeps_what_it_loads(name: str) -> Callable[[BatchMap], BatchMap]:
    """A function for mapInArrow after whose first run a worker's objects are kept for good.

    PySpark's workers look for garbage after every task (gc.collect in pyspark/daemon.py). With
    NumPy, Arrow and Numba loaded this takes 60 ms, more than many a task does. Frozen objects are
    not looked at; what has no cycles is freed as before.

    Args:
        name: Of the function, once a worker.
    """

    def keeping(function: BatchMap) -> BatchMap:
        @wraps(function)
        def kept(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            yield from function(batches)
            if name not in _seen:
                _seen.add(name)
                gc.freeze()

        return kept

    return keeping


def gpu_of_task() -> str | None:
    """The address of the task's GPU, as the discovery script names it.

    None where Spark has given it none, and outside of a task.

    Several tasks have the same address where each takes a fraction of a GPU.
    """
    context = TaskContext.get()
    gpu = context.resources().get("gpu") if context else None
    return str(gpu.addresses[0]) if gpu else None


def is_retry() -> bool:
    """Whether an earlier attempt at the task did not end, for whatever reason; False outside of a
    task."""
    context = TaskContext.get()
    return context is not None and context.attemptNumber() > 0


def cores_of_task() -> int | None:
    """``spark.task.cpus``; None outside of a task."""
    context = TaskContext.get()
    return context.cpus() if context else None
