"""Captures of an index, and how they are cut into splits, against plain Python."""

from __future__ import annotations

import random

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.transforms.index_ranges import (
    captures,
    crawl_conditions,
    file_totals,
    in_splits,
    with_bytes_before,
)

CRAWL = "CC-MAIN-2024-10"
PATH = f"crawl-data/{CRAWL}/segments/1/warc/a.warc.gz"
COLUMNS = {
    "fetch_status": "smallint",
    "content_mime_detected": "string",
    "content_languages": "string",
    "warc_filename": "string",
    "warc_record_offset": "int",
    "warc_record_length": "int",
    "crawl": "string",
    "subset": "string",
}
GOOD = (200, "text/html", "zho", PATH, 1, 10, CRAWL, "warc")


def index(
    spark: SparkSession, *rows: tuple[object, ...], without: tuple[str, ...] = ()
) -> DataFrame:
    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    return spark.createDataFrame(list(rows), schema).drop(*without)


def found(frame: DataFrame, crawl: str | None, languages: list[str]) -> set[int]:
    conditions = crawl_conditions(frame.columns, crawl, languages)
    return {row.offset for row in captures(frame, list(conditions.values())).collect()}


def with_values(offset: int, **values: object) -> tuple[object, ...]:
    row = dict(zip(COLUMNS, GOOD, strict=True)) | {"warc_record_offset": offset} | values
    return tuple(row.values())


def test_only_sound_captures_in_a_wanted_language(spark: SparkSession) -> None:
    rows = [
        with_values(1),
        with_values(2, content_languages="eng,zho"),
        with_values(3, content_languages="yue,eng"),
        with_values(4, content_mime_detected="application/xhtml+xml"),
        with_values(11, content_languages="eng"),
        with_values(12, content_languages=None),
        with_values(13, content_languages="zhoa"),
        with_values(14, content_languages=""),
        with_values(15, fetch_status=404),
        with_values(16, fetch_status=None),
        with_values(17, content_mime_detected="image/png"),
        with_values(18, content_mime_detected=None),
        with_values(19, crawl="CC-MAIN-2024-18"),
        with_values(20, subset="crawldiagnostics"),
    ]
    frame = index(spark, *rows)
    assert found(frame, CRAWL, ["zho", "yue"]) == {1, 2, 3, 4}
    assert found(frame, CRAWL, []) == {1, 2, 3, 4, 11, 12, 13, 14}


def test_file_names_say_what_a_table_without_partitions_does_not(spark: SparkSession) -> None:
    rows = [
        with_values(1),
        with_values(2, warc_filename=PATH.replace("/warc/", "/robotstxt/")),
        with_values(3, warc_filename=PATH.replace("/warc/", "/crawldiagnostics/")),
        with_values(4, warc_filename=PATH.replace(CRAWL, "CC-MAIN-2024-18")),
        with_values(5, warc_filename=PATH.replace(CRAWL, f"{CRAWL}0")),
    ]
    frame = index(spark, *rows, without=("crawl", "subset"))
    assert found(frame, CRAWL, ["zho"]) == {1}
    bare = index(spark, *rows, without=("crawl", "subset", "fetch_status", "content_mime_detected"))
    assert found(bare, None, []) == {1, 4, 5}


@pytest.mark.parametrize("partitions", [1, 5])
def test_splits_are_positions_divided_by_bytes(spark: SparkSession, partitions: int) -> None:
    draw = random.Random(7)
    expected = []
    position = 0
    before = []
    for name in ("a", "b", "c"):
        before.append((name, f"u/{name}", f"w/{name}", position))
        offset = 0
        for _ in range(draw.randrange(5, 40)):
            offset += draw.randrange(0, 500)
            length = draw.randrange(1, 300)
            split = position // 1_000
            expected.append(
                (f"{7 + split // 3:05d}", f"{split % 3:05d}", f"w/{name}", offset, length)
            )
            offset += length
            position += length
    places = [(path[2:], offset, length) for _, _, path, offset, length in expected]
    shuffled = [*places, *places[::4]]
    draw.shuffle(shuffled)
    ranges = spark.createDataFrame(shuffled, "name string, offset bigint, length bigint")
    placed = with_bytes_before(ranges.repartition(partitions))
    totals = {row.name: row for row in file_totals(placed).collect()}
    assert sum(row.bytes for row in totals.values()) == position
    assert sum(row.ranges for row in totals.values()) == len(places)
    assert not any(row.unusable or row.overlapping for row in totals.values())
    schema = "name string, uri string, warc_path string, bytes_before bigint"
    files = spark.createDataFrame(before, schema)
    split = in_splits(placed, files, split_bytes=1_000, wave_splits=3, first_wave=7)
    columns = ("wave", "split", "warc_path", "offset", "length")
    assert sorted(map(tuple, split.select(*columns).collect())) == sorted(expected)
    some = in_splits(placed, files.where("name = 'b'"), 1_000, 3, 7).collect()
    assert {row.uri for row in some} == {"u/b"}


def test_what_is_wrong_with_a_file_is_counted(spark: SparkSession) -> None:
    rows = [
        ("a", 0, 10),
        ("a", 10, 10),
        ("b", 0, 100),
        ("b", 50, 10),
        ("b", 70, 10),
        ("c", None, 10),
        ("c", -1, 10),
        ("c", 20, 0),
        ("c", 30, None),
        (None, 3, 10),
    ]
    ranges = spark.createDataFrame(rows, "name string, offset bigint, length bigint")
    totals = {row.name: row for row in file_totals(with_bytes_before(ranges)).collect()}
    assert {name: row.overlapping for name, row in totals.items() if row.overlapping} == {"b": 2}
    assert {name: row.unusable for name, row in totals.items()} == {"a": 0, "b": 0, "c": 4, None: 1}
