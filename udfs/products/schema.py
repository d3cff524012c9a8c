"""The columns of a stored product, as Arrow and Spark have them; it loads no parser."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)


def _texts(*names: str) -> StructType:
    return StructType([StructField(name, StringType()) for name in names])


PRODUCT_TYPE = StructType(
    [
        StructField("source", StringType()),  # json-ld, microdata or open-graph
        StructField("title", StringType()),
        StructField("description", StringType()),  # without tags; null where none is stated
        StructField("price", DoubleType()),  # the lowest that is stated; null for none
        StructField("max_price", DoubleType()),  # the highest, null unless several are stated
        StructField("currency", StringType()),  # ISO 4217; null where none is stated
        StructField("availability", StringType()),  # InStock, OutOfStock, ...; null likewise
        StructField("brand", StringType()),
        StructField("sku", StringType()),
        StructField("gtin", StringType()),
        StructField("category", ArrayType(StringType())),  # path, the widest first
        StructField("attributes", ArrayType(_texts("name", "value"))),
        StructField("options", ArrayType(_texts("name", "value", "image"))),
        StructField("images", ArrayType(StringType())),  # absolute addresses
        StructField("rating", DoubleType()),
        StructField("best_rating", DoubleType()),
        StructField("reviews", LongType()),
    ]
)
"""Columns of table ``products`` that the page states, in order."""


def _arrow_texts(*names: str) -> pa.DataType:
    return pa.list_(pa.struct([(name, pa.string()) for name in names]))


PRODUCT_ARROW_TYPE = pa.struct(
    [
        *((name, pa.string()) for name in ("source", "title", "description")),
        *((name, pa.float64()) for name in ("price", "max_price")),
        *((name, pa.string()) for name in ("currency", "availability", "brand", "sku", "gtin")),
        ("category", pa.list_(pa.string())),
        ("attributes", _arrow_texts("name", "value")),
        ("options", _arrow_texts("name", "value", "image")),
        ("images", pa.list_(pa.string())),
        *((name, pa.float64()) for name in ("rating", "best_rating")),
        ("reviews", pa.int64()),
    ]
)
"""The same, as a worker yields them."""
