"""What a Python worker has loaded is no garbage, and need not be looked at for it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from functools import wraps

import pyarrow as pa

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
