"""Lines whose texts Python escapes are those that Spark's own writer gives."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.publishing.lines import HEAD, TAIL, joined_lines, line_columns, line_names

TEXTS = [
    "江边的旧码头",
    "",
    'a "b" \\ c\\n',
    "line\r\n\tline\u2028\u0085\x7f😀",
    None,
    "".join(map(chr, range(0x20))) + "控制",
]


@pytest.mark.parametrize(
    "columns", [["text", "n"], ["n", "text", "o"], ["o", "text"], ["text"], ["n", "o"]]
)
@pytest.mark.parametrize("texts", [TEXTS[:5], TEXTS], ids=["plain", "controls"])
def test_lines_are_those_of_spark(
    spark: SparkSession, texts: list[str | None], columns: list[str]
) -> None:
    rows = [(text, number, {"k": f'"{number}'}) for number, text in enumerate(texts)]
    frame = spark.createDataFrame(rows, "text string, n int, o struct<k: string, m: string>")
    line = F.to_json(F.struct(*columns), {"ignoreNullFields": "false"})
    expected = [row[0] + "\n" for row in frame.select(line).collect()]
    given = frame.select(*line_columns(columns)).toArrow()
    assert given.column_names == line_names(columns)
    found = [joined_lines(batch).decode() for batch in given.to_batches(max_chunksize=2)]
    assert "".join(found) == "".join(expected)
    whole = given.combine_chunks().to_batches()[0]
    assert joined_lines(whole.slice(3)).decode() == "".join(expected[3:])


def test_lines_of_no_rows_are_empty() -> None:
    names = {HEAD: pa.string(), "text": pa.string(), TAIL: pa.string()}
    assert joined_lines(pa.RecordBatch.from_pylist([], schema=pa.schema(names))) == b""
