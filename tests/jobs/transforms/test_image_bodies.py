"""The image of a place: a usable one, then the latest, for any partitioning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from jobs.tables import IMAGES, PAIRS, schema_of
from jobs.transforms.images.bodies import IMAGE, distinct_bodies, first_places, with_images

DAY = datetime(2024, 3, 1, tzinfo=UTC)
PLACES = StructType(
    [
        StructField("place", IntegerType()),
        StructField("url", StringType()),
        StructField("data_sha256", StringType()),
    ]
)


def image(
    image_id: str, url: str | None, day: int | None, reason: str | None = None, sha256: str = "00"
) -> dict[str, Any]:
    captured = None if day is None else DAY + timedelta(days=day)
    return {
        **{"image_id": image_id, "url": url, "capture_time": captured},
        **{"reason": reason, "sha256": sha256, "bytes": 9, "body": b"123456789"},
    }


STORED = [
    image("a1", "http://a", 1),
    image("a2", "http://a", 3, "truncated"),
    image("a3", "http://a", 2),
    image("a4", "http://a", None),
    image("b2", "http://b", 1, sha256="b2"),
    image("b1", "http://b", 1, sha256="b1"),
    image("c1", "http://c", 1, "html"),
    image("c2", "http://c", 2, "svg"),
    image("e1", "http://e", None),
    image("e2", "http://e", None, "html"),
    image("f1", None, None, sha256="ff"),
    image("f2", None, None, "broken", sha256="fe"),
]
EXPECTED = {
    "http://a": "a3",
    "http://b": "b1",
    "http://c": "c2",
    "http://d": None,
    "http://e": "e1",
    "ff": "f1",
    "fe": "f2",
    "b1": None,  # the bytes of an address are no data: URI
    None: None,
}


def test_a_place_has_the_latest_usable_image_for_any_partitioning(spark: SparkSession) -> None:
    rows = [
        (n, key, None) if key is None or key.startswith("http") else (n, None, key)
        for n, key in enumerate([*EXPECTED, *EXPECTED])
    ]
    for parts in (1, 5):
        places = spark.createDataFrame(rows, PLACES).repartition(parts)
        stored = spark.createDataFrame(STORED, schema_of(IMAGES)).repartition(6 - parts)
        found = with_images(places, stored)
        assert found.columns == [*PLACES.fieldNames(), IMAGE]
        ids = {
            row["place"]: None if row[IMAGE] is None else row[IMAGE]["image_id"]
            for row in found.collect()
        }
        assert ids == dict(enumerate([*EXPECTED.values(), *EXPECTED.values()]))


def test_equal_bodies_of_places_are_one_at_the_first_place(spark: SparkSession) -> None:
    rows = [
        {
            **{"doc_id": f"{path}{offset}", "warc_path": path, "warc_offset": offset},
            **{"place": place, "data_sha256": sha256, "data_body": sha256.encode()},
            **{"url_written": f"data:{path}{place}"},
        }
        for path, offset, place, sha256 in [
            ("b", 1, 1, "x"),
            ("a", 20, 2, "x"),
            ("a", 3, 9, "x"),
            ("a", 3, 7, "y"),
            ("a", 3, 8, "x"),
        ]
    ]

    def sorted_rows(frame: DataFrame) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in frame.collect())

    for parts in (1, 4):
        places = spark.createDataFrame(rows, schema_of(PAIRS)).repartition(parts)
        assert sorted_rows(distinct_bodies(places)) == [
            ("a", 3, 7, "data:a7", b"y"),
            ("a", 3, 8, "data:a8", b"x"),
        ]
        assert sorted_rows(first_places(places)) == [("a", 3, 7), ("a", 3, 8)]
