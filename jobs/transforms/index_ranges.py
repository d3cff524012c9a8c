"""Captures of an index as byte ranges of files, and ranges as splits of equal size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

HTML_TYPES = ("text/html", "application/xhtml+xml")


def crawl_conditions(
    columns: Sequence[str], crawl: str | None, languages: Sequence[str]
) -> dict[str, Column]:
    """Return the conditions on captures of an index: column -> condition, for existing columns.

    A table of a single crawl may lack the columns crawl and subset, which are partitions of Common
    Crawl's own table; file names replace them.

    Source:
        commoncrawl/cc-index-table, the flat schema; content_languages is the comma-separated
        ISO 639-3 codes that CLD2 gave, most of the page first.
    """
    path = F.col("warc_filename")
    conditions = {
        "fetch_status": F.col("fetch_status") == 200,
        "content_mime_detected": F.col("content_mime_detected").isin(*HTML_TYPES),
    }
    if crawl is not None:
        by_path = path.startswith(f"crawl-data/{crawl}/")
        conditions["crawl"] = F.col("crawl") == crawl if "crawl" in columns else by_path
    if "subset" in columns:
        conditions["subset"] = F.col("subset") == "warc"
    else:
        conditions["subset"] = ~path.rlike("/(crawldiagnostics|robotstxt)/")
    if languages:
        wanted = F.array(*map(F.lit, languages))
        conditions["content_languages"] = F.arrays_overlap(
            F.split("content_languages", ","), wanted
        )
    present = {*columns, "crawl", "subset"}
    return {name: condition for name, condition in conditions.items() if name in present}


def captures(index: DataFrame, conditions: Sequence[Column]) -> DataFrame:
    """Select the captures that meet all conditions.

    Needs: warc_filename, warc_record_offset, warc_record_length.
    Adds: name, offset, length.
    Rows: those that meet them. Shuffles: none.
    """
    return index.where(reduce(and_, conditions, F.lit(True))).select(
        F.col("warc_filename").alias("name"),
        F.col("warc_record_offset").cast("bigint").alias("offset"),
        F.col("warc_record_length").cast("bigint").alias("length"),
    )


def with_bytes_before(ranges: DataFrame) -> DataFrame:
    """Keep every range once, with the bytes of the ranges before it in its file.

    Needs: name, offset, length.
    Adds: before; overlaps: whether it begins inside the range before it.
    Rows: one a place; of several with the same offset the longest.
    Shuffles: all, by file, once.
    """
    # Both steps need this partitioning only; without it the second one shuffles again.
    by_file = ranges.repartition("name")
    once = by_file.groupBy("name", "offset").agg(F.max("length").alias("length"))
    in_file = Window.partitionBy("name").orderBy("offset")
    earlier = in_file.rowsBetween(Window.unboundedPreceding, -1)
    end_of_earlier = F.max(F.col("offset") + F.col("length")).over(earlier)
    return once.select(
        "name",
        "offset",
        "length",
        F.coalesce(F.sum("length").over(earlier), F.lit(0)).alias("before"),
        (end_of_earlier > F.col("offset")).alias("overlaps"),
    )


def file_totals(ranges: DataFrame) -> DataFrame:
    """Count the ranges and bytes of every file, and its faulty ranges.

    Needs: name, offset, length, overlaps.
    Adds: ranges, bytes, unusable (negative offset, no length or no name), overlapping.
    Rows: one a file. Shuffles: counts by file.
    """
    is_place = (F.col("offset") >= 0) & (F.col("length") > 0) & F.col("name").isNotNull()
    return ranges.groupBy("name").agg(
        F.count("*").alias("ranges"),
        F.sum("length").alias("bytes"),
        F.count_if(~F.coalesce(is_place, F.lit(False))).alias("unusable"),
        F.count_if("overlaps").alias("overlapping"),
    )


def in_splits(
    ranges: DataFrame, files: DataFrame, split_bytes: int, wave_splits: int, first_wave: int
) -> DataFrame:
    """Assign every range to a split of split_bytes, over files in the order of their paths.

    Needs: ranges (name, offset, length, before); files (name, uri, warc_path, bytes_before), those
        that are read, with the bytes of the ranges in all files before.
    Adds: uri, warc_path, wave, split; each as its folder's name.
    Rows: those in the files that are read. Shuffles: the files are broadcast.
    """
    split = F.expr(f"(bytes_before + before) div {split_bytes}")
    return (
        ranges.join(F.broadcast(files), on="name", how="inner")
        .withColumn("_split", split)
        .select(
            "uri",
            "warc_path",
            "offset",
            "length",
            _folder(F.expr(f"{first_wave} + _split div {wave_splits}")).alias("wave"),
            _folder(F.expr(f"_split % {wave_splits}")).alias("split"),
        )
    )


def _folder(number: Column) -> Column:
    return F.format_string("%05d", number)
