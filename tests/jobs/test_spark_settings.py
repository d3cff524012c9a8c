"""The properties files: Spark knows every key, and a comment says why it is there."""

from __future__ import annotations

from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from jobs.config.spark_properties import read_properties
from tests.jobs.conftest import ROOT

FILES = sorted((ROOT / "conf").glob("spark-*.conf"))
SINCE = {
    "spark.python.worker.killOnIdleTimeout": (4, 1),
    "spark.sql.execution.arrow.maxBytesPerBatch": (4, 1),
    "spark.sql.shuffle.orderIndependentChecksum.enabled": (4, 1),
    "spark.sql.shuffle.orderIndependentChecksum.enableFullRetryOnMismatch": (4, 1),
    "spark.sql.shuffle.orderIndependentChecksum.enableQueryLevelRollbackOnMismatch": (4, 2),
}
"""Keys that an older Spark passes over."""
NOT_REGISTERED = (
    "spark.master",
    "spark.log.level",
    "spark.metrics.conf.",
    "spark.executor.resource.",
    "spark.hadoop.",
    "spark.task.resource.",
)
"""What Spark reads by these names, or by what they begin with, without declaring it."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_spark_knows_every_key(spark: SparkSession, path: Path) -> None:
    version = tuple(int(part) for part in pyspark.__version__.split(".")[:2])
    entry = spark.sparkContext._jvm.org.apache.spark.internal.config.ConfigEntry  # type: ignore[union-attr]
    unknown = [
        key
        for key in read_properties(path)
        if not key.startswith(NOT_REGISTERED)
        and version >= SINCE.get(key, (4, 0))
        and entry.findEntry(key) is None
    ]
    assert unknown == []
