"""What Spark has given to the task that runs here."""

from __future__ import annotations

from pyspark import TaskContext


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
