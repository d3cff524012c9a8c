"""What is stored of a document when it is measured, as types of Spark and of Arrow."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
)

from udfs.lists.urls import URL_MEASURES
from udfs.measures import measures

EDITS_TYPE = MapType(StringType(), LongType())
"""Kind of edit -> places changed."""

PII_TYPE = ArrayType(
    StructType(
        [
            StructField("kind", StringType()),  # one of udfs.pii.find.PII_KINDS
            StructField("start", IntegerType()),  # code points
            StructField("length", IntegerType()),
        ]
    )
)
"""Personal data in a text, or what stands for it; ascending, disjoint."""

SPARK_OF: dict[type, DataType] = {int: LongType(), float: DoubleType(), bool: BooleanType()}
ARROW_OF = {int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

MEASURES_TYPE = StructType(
    [
        *measures.MEASURES_TYPE.fields,  # of the text after its edits
        # As traditional_share, before traditional script was converted.
        StructField("original_traditional_share", DoubleType()),
        *(StructField(name, SPARK_OF[kind]) for name, kind in URL_MEASURES.items()),
        StructField("host_block_category", StringType()),  # empty where no list has the address
        StructField("host_allow_category", StringType()),
        StructField("pii", PII_TYPE),
    ]
)
"""The measures of a document. Null (as a whole) where there is no text; no field is null else."""

PII_ARROW_TYPE = pa.list_(
    pa.struct([("kind", pa.string()), ("start", pa.int32()), ("length", pa.int32())])
)
MEASURES_ARROW_TYPE = pa.struct(
    [
        *measures.MEASURES_ARROW_TYPE,
        ("original_traditional_share", pa.float64()),
        *((name, ARROW_OF[kind]) for name, kind in URL_MEASURES.items()),
        ("host_block_category", pa.string()),
        ("host_allow_category", pa.string()),
        ("pii", PII_ARROW_TYPE),
    ]
)

PASSED_TYPE = StructType(
    [
        StructField("doc_id", StringType()),
        StructField("opt_outs", ArrayType(StringType())),
        StructField("measures", MEASURES_TYPE),
        StructField("text", StringType()),  # null where it is as it was; so are the following
        StructField("original_chars", LongType()),
        StructField("original_sha256", StringType()),
        StructField("edits", EDITS_TYPE),
    ]
)
"""What the pass says of a document."""

PASSED_ARROW_SCHEMA = pa.schema(
    [
        ("doc_id", pa.string()),
        ("opt_outs", pa.list_(pa.string())),
        ("measures", MEASURES_ARROW_TYPE),
        ("text", pa.string()),
        ("original_chars", pa.int64()),
        ("original_sha256", pa.string()),
        ("edits", pa.map_(pa.string(), pa.int64())),
    ]
)
