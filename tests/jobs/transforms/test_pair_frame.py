"""What pairs are chosen by, put together from tables of a few rows."""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import DataFrame, Row, SparkSession

from jobs.tables import CORPUS, DOCUMENTS, PAIRS, schema_of
from jobs.transforms.images.pair_frame import pair_columns, pair_frame
from tests.builders.table_rows import rows_of
from udfs.images.schema import IMAGE_FACTS_TYPE

LATER = datetime(2024, 3, 2, tzinfo=UTC)
PLACES: list[dict[str, object]] = [
    {"doc_id": "a", "place": 0, "url": "http://x/1.jpg", "text": "桥"},
    {"doc_id": "a", "place": 1, "url": "http://x/2.jpg", "text": None},
    {"doc_id": "a", "place": 2, "url": None, "data_sha256": "f0", "text": "桥"},
    {"doc_id": "b", "place": 0, "url": "http://x/1.jpg", "text": "桥"},
    {"doc_id": "b", "place": 1, "url": "http://x/3.jpg", "text": "河"},
    {"doc_id": "c", "place": 0, "url": None, "data_sha256": "f0", "text": "岸"},
]
IMAGES: list[tuple[object, ...]] = [
    ("i1", "http://x/1.jpg", None, None, "jpeg", 7),
    ("i2", None, "f0", None, "png", 8),
    ("i3", "http://x/3.jpg", None, "broken", None, None),
]


def made_frame(spark: SparkSession, partitions: int) -> DataFrame:
    """The frame of PLACES, from tables of so many partitions."""
    images = spark.createDataFrame(
        [
            (image, url, sha, LATER, reason, kind, phash)
            for image, url, sha, reason, kind, phash in IMAGES
        ],
        "image_id string, url string, sha256 string, capture_time timestamp, reason string, "
        "format string, phash bigint",
    ).selectExpr(
        *("image_id", "url", "capture_time", "reason", "format", "sha256", "phash"),
        *(
            f"cast(null as {field.dataType.simpleString()}) {field.name}"
            for field in IMAGE_FACTS_TYPE
            if field.name not in ("image_id", "reason", "format", "sha256", "phash")
        ),
    )
    documents = [
        {"doc_id": name, "host": f"{name}.cn", "title": name, "opt_outs": ["noai"]}
        for name in "abc"
    ]
    scored = {
        "quality_score": 0.75,
        "domain": Row(single_label="news", multi_label=["news"]),
        "toxicity": Row(label=0, score=0.125),
    }
    corpus = [{"doc_id": "a", **scored}] * 2  # a text that counts twice
    measures = spark.createDataFrame([("a", 0, 3), ("b", 1, 5)], "doc_id string, place int, n long")
    tables = [
        rows_of(spark, PAIRS, PLACES),
        measures,
        images,
        rows_of(spark, DOCUMENTS, documents),
        rows_of(spark, CORPUS, corpus),
    ]
    return pair_frame(*(table.repartition(partitions) for table in tables))


def test_a_pair_has_its_measures_image_page_and_repeats(spark: SparkSession) -> None:
    frame = made_frame(spark, 3)
    assert frame.columns == [
        *pair_columns(),
        *("more", "image", "page", "text_places", "url_places", "scores", "in_corpus", "captured"),
    ]
    assert "data_body" in schema_of(PAIRS).fieldNames() and "data_body" not in frame.columns
    rows = {(row.doc_id, row.place): row for row in frame.collect()}
    assert len(rows) == len(PLACES)
    images = {key: row.image and row.image.image_id for key, row in rows.items()}
    assert images == {
        **{("a", 0): "i1", ("a", 1): None, ("a", 2): "i2"},
        **{("b", 0): "i1", ("b", 1): "i3", ("c", 0): "i2"},
    }
    assert rows["b", 1].image.reason == "broken"
    places = {key: (row.text_places, row.url_places) for key, row in rows.items()}
    assert places == {
        **{("a", 0): (3, 2), ("a", 1): (None, 1), ("a", 2): (3, 2)},
        **{("b", 0): (3, 2), ("b", 1): (1, 1), ("c", 0): (1, 2)},
    }
    assert {key: row.more and row.more.n for key, row in rows.items()} == {
        **dict.fromkeys(rows),
        **{("a", 0): 3, ("b", 1): 5},
    }
    of_corpus, outside = rows["a", 1].page, rows["b", 0].page
    assert (of_corpus.quality_score, of_corpus.domain) == (0.75, "news")
    assert (of_corpus.toxicity_label, of_corpus.toxicity_score) == (0, 0.125)
    assert (outside.host, outside.opt_outs, outside.quality_score) == ("b.cn", ["noai"], None)
    assert {key[0] for key, row in rows.items() if row.in_corpus} == {"a"}
    assert made_frame(spark, 1).exceptAll(frame).isEmpty()
