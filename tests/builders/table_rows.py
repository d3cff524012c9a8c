"""Rows of a table of which a test says a few columns; all others are null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame, SparkSession

from jobs.tables import schema_of


def rows_of(spark: SparkSession, table: str, rows: Sequence[Mapping[str, object]]) -> DataFrame:
    """A frame with the columns of a table.

    Raises:
        KeyError: a row has a column that the table has not.
    """
    schema = schema_of(table)
    names = schema.fieldNames()
    if unknown := {name for row in rows for name in row} - set(names):
        raise KeyError(f"{table}: no column {', '.join(sorted(unknown))}")
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in rows], schema)
