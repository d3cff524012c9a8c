"""One document a doc_id, where rows bring ids of their own."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def repeated_rows(documents: DataFrame, earlier: DataFrame) -> DataFrame:
    """The rows whose doc_id another row has already: the first file and position keeps it.

    Needs: doc_id, warc_path, warc_offset on both sides; `earlier` has one row a doc_id.
    Adds: nothing. Rows: the repeated ones, as (warc_path, warc_offset).
    Shuffles: ids and places by doc_id, no text.
    """
    places = documents.select("doc_id", "warc_path", "warc_offset")
    first = Window.partitionBy("doc_id").orderBy("warc_path", "warc_offset")
    taken = earlier.select("doc_id").withColumn("_taken", F.lit(True))
    return (
        places.withColumn("_number", F.row_number().over(first))
        .join(taken, on="doc_id", how="left")
        .where((F.col("_number") > 1) | F.col("_taken"))
        .select("warc_path", "warc_offset")
    )
