"""Columns of a release as Arrow, and as the Hugging Face Hub declares them in a card."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructType,
    TimestampType,
)

_TYPES: dict[type[DataType], pa.DataType] = {
    BinaryType: pa.binary(),
    BooleanType: pa.bool_(),
    DateType: pa.date32(),
    DoubleType: pa.float64(),
    FloatType: pa.float32(),
    IntegerType: pa.int32(),
    LongType: pa.int64(),
    StringType: pa.string(),
    TimestampType: pa.timestamp("us", "UTC"),
}
_NAMES = {pa.float64(): "float64", pa.float32(): "float32", pa.date32(): "date32"}


def arrow_schema(columns: StructType) -> pa.Schema:
    """Return the Arrow schema of a release's files.

    Raises:
        TypeError: a column has a type that files of a release cannot have, such as a map.
    """
    return pa.schema([(field.name, _arrow_type(field.dataType)) for field in columns])


def features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return columns as ``dataset_info.features`` of a card lists them.

    Declared, they are the same for every file, also where a column has nothing but nulls in one.

    >>> features(pa.schema([("a", pa.list_(pa.string()))]))
    [{'name': 'a', 'list': 'string'}]
    """
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _arrow_type(kind: DataType) -> pa.DataType:
    if isinstance(kind, StructType):
        return pa.struct([(field.name, _arrow_type(field.dataType)) for field in kind])
    if isinstance(kind, ArrayType):
        return pa.list_(_arrow_type(kind.elementType))
    if type(kind) not in _TYPES:
        raise TypeError(f"a release cannot have a column of type {kind.simpleString()}")
    return _TYPES[type(kind)]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": [{"name": field.name, **_feature(field.type)} for field in kind]}
    if pa.types.is_list(kind):
        inner = _feature(kind.value_type)
        return {"list": inner.get("dtype", inner.get("struct", inner))}
    return {"dtype": _NAMES.get(kind, str(kind))}
