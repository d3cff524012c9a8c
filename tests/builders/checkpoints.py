"""The checkpoint that transforms are given, as a job would give it."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame

from jobs.transforms.components import Checkpoint


def parquet_checkpoint(folder: Path) -> Checkpoint:
    def checkpoint(rows: DataFrame, name: str) -> DataFrame:
        rows.write.parquet(str(folder / name))
        return rows.sparkSession.read.schema(rows.schema).parquet(str(folder / name))

    return checkpoint
