"""The ranges that could not be read, as lists that ``--input @OUTPUT/replay`` takes."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.store import Store
from jobs.tables import RANGES, READ_FAILURES
from udfs.extract import MISSING_FILE
from udfs.ranges import RANGE_BEYOND_END, RANGE_UNREADABLE

REPLAY_LISTS = "replay"
"""Their folder in an output."""

UNREAD = (MISSING_FILE, RANGE_UNREADABLE, RANGE_BEYOND_END)
"""Failure reasons of what another try, another day or another mirror may read."""


def write_replay_list(spark: SparkSession, store: Store, wave: int) -> None:
    """Write the unread ranges of a wave, a line each: name, offset and length, tabs between them.

    A file of Common Crawl is named by its path, so that it can be tried on another mirror
    (input.crawl_root); any other one by its URI. An empty list is written too: it replaces that
    of an earlier try at the wave.
    """
    failed = store.read(spark, READ_FAILURES, [wave]).where(F.col("reason").isin(*UNREAD))
    ranges = spark.read.parquet(store.table_path(RANGES, wave))
    is_crawl_path = F.col("warc_path").startswith("crawl-data/")
    name = F.when(is_crawl_path, F.col("warc_path")).otherwise(F.col("uri"))
    lines = (
        ranges.join(failed, on=["warc_path", "offset"], how="left_semi")
        .coalesce(1)
        .sortWithinPartitions("uri", "offset")
        .select(F.concat_ws("\t", name, "offset", "length"))
    )
    lines.write.mode("overwrite").text(store.table_path(REPLAY_LISTS, wave))
