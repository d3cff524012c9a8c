"""Which rows come into which file of a release, the same for any partitioning.

Shuffled rows go to the files of their folder by their hash. Sorted rows fill one file after the
other: their order is total, so the bytes before a row are known however the rows are distributed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.files import FILE, Layout
from jobs.release.rows import BYTES, GROUP, ORDER, order_column

FOLDERS = ("data", "jsonl")
"""What a release has at its top, beside its card."""

_PART, _BEFORE = "_part", "_before"
_BROADCAST_ROWS = 500_000
"""Rows of ids and files that each executor holds whole: about 100 MB."""


def shuffled(
    rows: DataFrame, sizes: Mapping[str, int], settings: ReleaseConfig
) -> tuple[DataFrame, Layout]:
    """Deal rows to files by their hash.

    Needs: rows (GROUP, ORDER, ...); sizes, bytes of text of each folder.
    Adds: FILE. Rows: all kept. Shuffles: none.
    """
    counts = {folder: max(1, -(-size // settings.file_bytes)) for folder, size in sizes.items()}
    layout = _layout(counts, settings)
    if list(layout.folders) == [("", 1)]:
        return rows.withColumn(FILE, F.lit(0)), layout
    firsts = layout.first_files()
    deals = {folder: (firsts[folder], count) for folder, count in layout.folders}
    first, count = _of_folder(rows, deals)
    return rows.withColumn(FILE, (first + F.pmod(F.col(ORDER), count)).cast("int")), layout


def sorted_by_column(
    rows: DataFrame, measured: DataFrame, count: int, settings: ReleaseConfig
) -> tuple[DataFrame, Layout]:
    """Deal rows to files in their order, so that each but the last holds about ``file_bytes``.

    Needs: rows (doc_id, ...); measured, the same rows (doc_id, GROUP, ORDER, BYTES, ...). Rows with
        one doc_id come into one file.
    Args:
        count: Number of rows.
    Adds: FILE. Rows: all kept.
    Shuffles: ids, order and sizes, sorted by range; rows by doc_id where there are many.
    """
    by = [F.col(GROUP), *row_order(settings)]
    narrow = measured.groupBy("doc_id", GROUP, ORDER).agg(F.sum(BYTES).alias(BYTES))
    parts = rows.sparkSession.conf.get("spark.sql.shuffle.partitions") or "1"
    placed = narrow.repartitionByRange(int(parts), *by).withColumn(_PART, F.spark_partition_id())
    placed = placed.persist(StorageLevel.DISK_ONLY)
    sums = placed.groupBy(GROUP, _PART).agg(F.sum(BYTES).alias("bytes"))
    parts_before = (
        Window.partitionBy(GROUP).orderBy(_PART).rowsBetween(Window.unboundedPreceding, -1)
    )
    before = sums.select(
        GROUP, _PART, F.coalesce(F.sum("bytes").over(parts_before), F.lit(0)).alias(_BEFORE)
    )
    in_part = Window.partitionBy(GROUP, _PART).orderBy(*row_order(settings))
    earlier = F.coalesce(
        F.sum(BYTES).over(in_part.rowsBetween(Window.unboundedPreceding, -1)), F.lit(0)
    )
    place = F.floor((F.col(_BEFORE) + earlier) / F.lit(settings.file_bytes))
    numbered = (
        placed.join(F.broadcast(before), on=[GROUP, _PART], how="inner")
        .select("doc_id", GROUP, place.alias(FILE))
        .persist(StorageLevel.DISK_ONLY)
    )
    # A text longer than a file leaves numbers out: files are counted by those that have rows.
    used: dict[str, list[int]] = {}
    for folder, number in sorted(numbered.select(GROUP, FILE).distinct().collect()):
        used.setdefault(folder, []).append(number)
    layout = _layout({folder: len(numbers) for folder, numbers in used.items()}, settings)
    firsts = layout.first_files()
    renumbered = rows.sparkSession.createDataFrame(
        [
            (folder, number, firsts[folder] + place)
            for folder, numbers in used.items()
            for place, number in enumerate(numbers)
        ],
        f"{GROUP} string, {FILE} bigint, file int",
    )
    files = numbered.join(F.broadcast(renumbered), on=[GROUP, FILE], how="inner")
    files = files.select("doc_id", F.col("file").alias(FILE))
    if count <= _BROADCAST_ROWS:  # else texts are shuffled once more
        files = F.broadcast(files)
    return rows.join(files, on="doc_id", how="inner"), layout


def row_order(settings: ReleaseConfig) -> list[Column]:
    """Return the order of rows within a folder."""
    order = F.col(ORDER)
    if order_column(settings) is not None:
        is_down = settings.order.startswith("-")
        order = order.desc_nulls_last() if is_down else order.asc_nulls_last()
    return [order, F.col("doc_id")]


def _layout(counts: Mapping[str, int], settings: ReleaseConfig) -> Layout:
    if not counts:  # an empty release has one file without rows
        counts = {"": 1}
    return Layout(settings.split, tuple(sorted(counts.items())))


def _of_folder(rows: DataFrame, deals: Mapping[str, Sequence[int]]) -> tuple[Column, Column]:
    """Return the first file and the number of files of a row's folder."""
    if len(deals) == 1:
        ((first, count),) = deals.values()
        return F.lit(first), F.lit(count)
    pairs = [
        column
        for folder, (first, count) in deals.items()
        for column in (
            F.lit(folder),
            F.struct(F.lit(first).alias("first"), F.lit(count).alias("n")),
        )
    ]
    deal = F.element_at(F.create_map(*pairs), F.col(GROUP))
    return deal["first"], deal["n"]
