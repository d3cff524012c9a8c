"""Documents with the images between their lines, as DataFrames."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Row, SparkSession

from jobs.tables import PAIRS, schema_of
from jobs.transforms.images.interleave import (
    image_lists,
    interleaved_documents,
    repeated_sets,
    text_versions,
)
from udfs.images.schema import IMAGE_FACTS_TYPE
from udfs.interleaved.images import InterleaveLimits
from udfs.interleaved.schema import GENERAL_METADATA_TYPE

LIMITS = InterleaveLimits(
    formats=("jpeg",),
    min_side=150,
    max_side=None,
    max_aspect=None,
    keep_unknown_size=True,
    url_words=(),
    max_distance=5,
    max_images=None,
    min_chars=0,
)
TEXTS = {
    "a": ("一\n二\n三", "一\n三"),
    "b": ("甲\n乙", None),
    "c": ("丙", None),
    "d": ("丁", None),
    "e": ("戊", None),
}
PLACES: dict[str, list[dict[str, Any]]] = {
    "a": [
        {"url": "http://h.cn/3.jpg", "line": 2},
        {"url": "http://h.cn/1.jpg", "line": 0},
        {"url": "http://h.cn/2.jpg", "line": 1},
        {"url": "http://h.cn/all.jpg", "line": 1},
        {"url": "http://h.cn/sign.jpg", "in_main": False, "line": None},
    ],
    "b": [{"data_sha256": "5e", "line": 0}, {"url": "http://h.cn/all.jpg", "line": 0}],
    "c": [{"data_sha256": "5e", "line": -1}],
    "d": [{"url": "http://h.cn/all.jpg", "line": 0}],
}
IMAGES = [
    {"url": "http://h.cn/1.jpg", "sha256": "01", "width": 800, "height": 600, "phash": 7},
    {"url": "http://h.cn/2.jpg", "sha256": "02", "width": 80, "height": 60, "phash": -9},
    {"url": None, "sha256": "5e", "width": 400, "height": 400, "phash": 0},
]


def made(spark: SparkSession, partitions: int) -> tuple[list[Row], list[Row]]:
    """Documents and repeated sets."""
    pairs = [
        {**dict.fromkeys(schema_of(PAIRS).fieldNames()), "in_main": True}
        | {"doc_id": doc_id, "place": number}
        | place
        for doc_id, places in PLACES.items()
        for number, place in enumerate(places)
    ]
    frame = spark.createDataFrame(pairs, schema_of(PAIRS)).repartition(partitions)
    images = spark.createDataFrame(
        [_image_row(one) for one in IMAGES],
        "capture_time timestamp, url string, image_id string, reason string, format string, "
        "width int, height int, bytes bigint, sha256 string, phash bigint, orientation int, "
        "frames int, has_alpha boolean",
    ).repartition(partitions)
    page = dict.fromkeys(GENERAL_METADATA_TYPE.fieldNames())
    documents = spark.createDataFrame(
        [
            {
                **{"doc_id": doc_id, "text": now or first, "refused": None},
                "original_sha256": now and "c0",
                "capture_time": datetime(2024, 1, 2 if doc_id == "c" else 1, tzinfo=UTC),
                "general_metadata": {**page, "warc_path": "w"},
            }
            for doc_id, (first, now) in TEXTS.items()
        ],
        "doc_id string, text string, refused string, original_sha256 string, "
        f"capture_time timestamp, general_metadata {GENERAL_METADATA_TYPE.simpleString()}",
    ).repartition(partitions)
    extracted = spark.createDataFrame(
        [(doc_id, first) for doc_id, (first, _) in TEXTS.items()], "doc_id string, text string"
    )
    edits = spark.createDataFrame([("a", "一\n二\n三")], "doc_id string, text string")
    lists = image_lists(frame, images, max_places=2)
    found = interleaved_documents(
        text_versions(documents, extracted, edits), lists, LIMITS, list
    ).persist()
    return found.orderBy("doc_id").collect(), repeated_sets(found).collect()


def _image_row(one: dict[str, Any]) -> tuple[Any, ...]:
    facts = {"image_id": "0", "format": "jpeg", **one}
    return (None, one["url"], *(facts.get(name) for name in IMAGE_FACTS_TYPE.fieldNames()))


def test_documents_are_the_same_for_any_partitioning(spark: SparkSession) -> None:
    rows, repeated = made(spark, 1)
    assert (rows, repeated) == made(spark, 5)
    by_id = {row.doc_id: row for row in rows}
    assert set(by_id) == set(TEXTS)
    first = by_id["a"]
    assert first.texts == ["一", None, "三", None]
    assert first.images == [None, "http://h.cn/1.jpg", None, "http://h.cn/3.jpg"]
    shown = first.metadata[1]
    assert (shown.width, shown.sha256, shown.phash, shown.format) == (800, "01", 7, "jpeg")
    assert first.metadata[3].width is None
    dropped = {one.reason: one.images for one in first.dropped}
    assert dropped == {"size": 1, "frequent_address": 1, "outside_main_text": 1}
    assert by_id["b"].images == [None, "data:5e", None]
    assert {doc_id: row.reason for doc_id, row in by_id.items() if row.reason} == {
        "d": "no_image",
        "e": "no_image",
    }
    # Of equal sets the latest capture stays.
    assert [(row.doc_id, row.images, row.warc_path) for row in repeated] == [("b", 1, "w")]
