"""The columns of every table, and that no program needs a type that it has not to read them."""

from __future__ import annotations

import pytest
from pyspark.sql.types import (
    ArrayType,
    DataType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from jobs import tables
from jobs.config.scorers import SCORERS
from udfs.measures.schema import PASSED_TYPE

TABLES = (
    *tables._SCHEMAS,
    tables.CORPUS,
    tables.SCORED_TEXTS,
    *(tables.scores(s.name) for s in SCORERS),
)


def maps_in(kind: DataType, path: str = "") -> list[str]:
    """Paths of the maps in a type."""
    match kind:
        case MapType():
            return [path]
        case ArrayType():
            return maps_in(kind.elementType, f"{path}[]")
        case StructType():
            return [found for of in kind for found in maps_in(of.dataType, f"{path}.{of.name}")]
        case _:
            return []


@pytest.mark.parametrize("table", TABLES)
def test_no_table_has_a_map(table: str) -> None:
    """Arrow's map has no type in datasets, and is read as a list of pairs by others."""
    assert maps_in(tables.schema_of(table)) == []


@pytest.mark.parametrize("rows", [tables.EXTRACTED, PASSED_TYPE], ids=["extracted", "passed"])
def test_no_row_of_a_worker_has_a_map(rows: StructType) -> None:
    assert maps_in(rows) == []


def test_maps_are_found() -> None:
    counts = MapType(StringType(), LongType())
    inner = StructType([StructField("b", counts), StructField("c", LongType())])
    outer = StructType([StructField("a", ArrayType(inner)), StructField("d", inner)])
    assert maps_in(outer) == [".a[].b", ".d.b"]
