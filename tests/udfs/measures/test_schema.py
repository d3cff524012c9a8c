"""The types of stored measures: Arrow's and Spark's agree, and casia-exact stores some of them."""

from __future__ import annotations

import pytest
from pyspark.sql.pandas.types import from_arrow_type
from pyspark.sql.types import StructType

from tests.bench.same_outputs import STORED_MEASURES
from udfs.base.code_points import encode_texts
from udfs.lists.lexicon import Lexicon
from udfs.measures.casia_exact import casia_columns
from udfs.measures.schema import (
    MEASURES_ARROW_TYPE,
    MEASURES_TYPE,
    PASSED_ARROW_SCHEMA,
    PASSED_TYPE,
    TEXT_MEASURES_ARROW_TYPE,
    TEXT_MEASURES_TYPE,
)


@pytest.mark.parametrize(
    ("arrow", "spark"),
    [
        (TEXT_MEASURES_ARROW_TYPE, TEXT_MEASURES_TYPE),
        (MEASURES_ARROW_TYPE, MEASURES_TYPE),
        (PASSED_ARROW_SCHEMA, PASSED_TYPE),
    ],
)
def test_arrow_and_spark_types_agree(arrow: object, spark: StructType) -> None:
    for field, column in zip(arrow, spark, strict=True):  # type: ignore[call-overload]
        assert field.name == column.name
        assert from_arrow_type(field.type) == column.dataType


def test_the_bench_of_equality_knows_what_casia_exact_stores() -> None:
    columns = casia_columns([(["一"], encode_texts(["一"]))], Lexicon({"二": "其他"}))
    others = {"host_block_category", "host_allow_category", "pii"}
    assert set(STORED_MEASURES["casia-exact"]) == columns.keys() | others
    assert set(MEASURES_TYPE.fieldNames()) > columns.keys() | others
