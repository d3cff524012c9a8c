"""Pages that a hundred thousand others look like, and pages too short to look like any."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import DedupConfig
from jobs.transforms.components import Checkpoint
from tests.builders.checkpoints import parquet_checkpoint
from tests.builders.duplicate_search import find_duplicates
from tests.builders.near_duplicates import random_text
from tests.builders.spark_settings import changed_settings

SIZES = [2_000, pytest.param(50_000, marks=pytest.mark.slow)]
"""Copies of a page; with the larger number, looking at all pairs of a bucket would take hours."""

NOT_FOUND = "您访问的页面不存在，请返回首页。"
DOCUMENTS_DDL = "doc_id string, url string, capture_time timestamp, text string"


@pytest.fixture
def large_batches(spark: SparkSession, copies: int) -> Iterator[SparkSession]:
    """A session for so many copies: plans of many rows are worth compiling."""
    settings = {"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"}
    if copies > 10_000:
        settings |= {
            "spark.sql.codegen.wholeStage": "true",
            "spark.sql.codegen.factoryMode": "FALLBACK",
        }
    with changed_settings(spark, settings):
        yield spark


@pytest.fixture
def checkpoint(tmp_path: Path) -> Iterator[Checkpoint]:
    yield parquet_checkpoint(tmp_path)


def pages(spark: SparkSession, count: int, text: Column, url: Column | None = None) -> DataFrame:
    """So many pages, id d0000000 and up; text and URL may depend on ``id``."""
    return spark.range(count, numPartitions=2).select(
        F.format_string("d%07d", F.col("id")).alias("doc_id"),
        (F.lit(None).cast("string") if url is None else url).alias("url"),
        F.lit(None).cast("timestamp").alias("capture_time"),
        text.alias("text"),
    )


def with_others(frame: DataFrame, texts: list[str]) -> DataFrame:
    """The same pages and some that resemble none."""
    rows = [(f"x{number:03d}", None, None, text) for number, text in enumerate(texts)]
    return frame.unionByName(frame.sparkSession.createDataFrame(rows, DOCUMENTS_DDL))


def assert_one_cluster(removed: DataFrame, copies: int, kind: str, least_similarity: float) -> None:
    """All copies but the first are removed, each in favour of it, and nothing else is."""
    (row,) = removed.agg(
        F.count_distinct("doc_id").alias("removed"),
        F.count(F.lit(1)).alias("rows"),
        F.collect_set("kind").alias("kinds"),
        F.collect_set("kept_doc_id").alias("kept"),
        F.collect_set("cluster_id").alias("clusters"),
        F.min("similarity").alias("similarity"),
        F.max("doc_id").alias("last"),
    ).collect()
    assert (row.removed, row.rows) == (copies - 1, copies - 1)
    assert (row.kinds, row.kept, row.clusters) == ([kind], ["d0000000"], ["d0000000"])
    assert row.similarity >= least_similarity
    assert row.last == f"d{copies - 1:07d}"


@pytest.mark.parametrize("copies", SIZES)
@pytest.mark.parametrize(("levels", "kind"), [(("near",), "near"), (("exact", "near"), "exact")])
def test_identical_short_pages(
    large_batches: SparkSession,
    checkpoint: Checkpoint,
    levels: tuple[str, ...],
    kind: str,
    copies: int,
) -> None:
    """Every band of theirs is one bucket of all of them."""
    dice = random.Random(1)
    others = [random_text(dice, 40) for _ in range(20)]
    frame = with_others(pages(large_batches, copies, F.lit(NOT_FOUND)), others)
    removed = checkpoint(find_duplicates(frame, DedupConfig(levels=levels), checkpoint), "removed")
    assert_one_cluster(removed, copies, kind, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("copies", SIZES)
def test_nearly_identical_pages(
    large_batches: SparkSession, checkpoint: Checkpoint, copies: int
) -> None:
    """A template with a number in it: no two are equal, and each resembles all."""
    template = random_text(random.Random(2), 300)
    text = F.concat(F.lit(template), F.format_string("%05d", F.col("id")))
    frame = with_others(pages(large_batches, copies, text), [template[:100], template[200:]])
    counts: dict[str, int] = {}
    removed = checkpoint(
        find_duplicates(frame, DedupConfig(levels=("near",)), checkpoint, counts.__setitem__),
        "removed",
    )
    assert_one_cluster(removed, copies, "near", 0.95)
    assert counts.get("near_unsettled_buckets", 0) == 0


@pytest.mark.parametrize("copies", SIZES)
@pytest.mark.parametrize("level", ["url", "exact"])
def test_a_key_of_all_documents_is_one_cluster(
    large_batches: SparkSession, tmp_path: Path, level: str, copies: int
) -> None:
    """Captures of one address, or copies of one text: one task has them all."""
    number = F.format_string("%06d", F.col("id"))
    for name, key in (("spread", number), ("hot", F.lit("000000"))):
        url, text = F.concat(F.lit("http://e.cn/"), number), F.concat(F.lit(NOT_FOUND), number)
        if level == "url":
            url = F.concat(F.lit("http://e.cn/"), key)
        else:
            text = F.concat(F.lit(NOT_FOUND), key)
        frame = pages(large_batches, 4 * copies, text, url)
        checkpoint = parquet_checkpoint(tmp_path / name)
        found = find_duplicates(frame, DedupConfig(levels=(level,)), checkpoint)
        removed = checkpoint(found, "removed")
        counts = removed.agg(F.count(F.lit(1)), F.count_distinct("kept_doc_id"), F.max("kind"))
        expected = (4 * copies - 1, 1, level) if name == "hot" else (0, 0, None)
        assert tuple(counts.collect()[0]) == expected


SHORT = {
    "a": "短文",
    "b": "短 文",
    "c": "短文。",
    "d": "另外",
    "e": " \n ",
    "f": "",
    "g": "四个字了",
    "h": "四个\u200b字了\n",
    "i": "五个字的文",
    "j": "五个字 的文",
    "k": "五个字的字",
    "l": "五个字的文章",
}


@pytest.mark.parametrize("partitions", [1, 7])
def test_texts_of_less_than_a_shingle_are_matched_exactly_or_not_at_all(
    spark: SparkSession, checkpoint: Checkpoint, partitions: int
) -> None:
    rows = [(doc_id, None, None, text) for doc_id, text in SHORT.items()]
    frame = spark.createDataFrame(rows, DOCUMENTS_DDL).repartition(partitions)
    config = DedupConfig(levels=("exact", "near"), bands=30, rows=2)
    removed = find_duplicates(frame, config, checkpoint).collect()
    assert {row.doc_id: (row.kind, row.kept_doc_id) for row in removed} == {
        "b": ("exact", "a"),
        "h": ("exact", "g"),
        "j": ("exact", "i"),
    }


@pytest.mark.parametrize("verify", ["exact", "estimate"])
def test_without_the_exact_level_they_are_all_kept(
    spark: SparkSession, checkpoint: Checkpoint, verify: Literal["exact", "estimate"]
) -> None:
    """No common signature, such as that of no shingle at all, brings them together."""
    rows = [(doc_id, None, None, text) for doc_id, text in SHORT.items()]
    config = DedupConfig(levels=("near",), bands=30, rows=2, verify=verify)
    frame = spark.createDataFrame(rows, DOCUMENTS_DDL)
    removed = find_duplicates(frame, config, checkpoint).collect()
    assert {row.doc_id: row.kept_doc_id for row in removed} == {"j": "i"}
