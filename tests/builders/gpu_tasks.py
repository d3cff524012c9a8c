"""What the tasks of a cluster see of their GPUs, as a program: run by a test on a cluster."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator

from pyspark import SparkContext
from pyspark.sql import SparkSession

from udfs.base.worker import cores_of_task, gpu_of_task
from udfs.encoder.quality_bert import device_of_task

TASKS = 4


def seen(rows: Iterable[int]) -> Iterator[dict[str, object]]:
    """One row a task."""
    list(rows)
    yield {
        "executor": os.getcwd(),
        "gpu": gpu_of_task(),
        "device": device_of_task("auto"),
        "cpu": device_of_task("cpu"),
        "cores": cores_of_task(),
    }


def main() -> None:
    """Print a line of JSON: what tasks saw that all ran at the same time."""
    spark = SparkSession.builder.getOrCreate()
    context: SparkContext = spark.sparkContext
    rows = context.parallelize(range(TASKS), TASKS).barrier().mapPartitions(seen).collect()
    print(json.dumps(rows))
    spark.stop()


if __name__ == "__main__":
    main()
