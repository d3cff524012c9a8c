"""The types of stored image places: Arrow's and Spark's agree, and a document's places fit."""

from __future__ import annotations

from pyspark.sql.pandas.types import from_arrow_type

from udfs.pairs.places import image_places
from udfs.pairs.records import MeasuredPlaces, places_array
from udfs.pairs.schema import PLACE_ARROW_TYPE, PLACE_TYPE
from udfs.pairs.text_measures import measure_pair_texts


def test_spark_has_the_types_of_arrow() -> None:
    assert from_arrow_type(PLACE_ARROW_TYPE) == PLACE_TYPE


def test_places_are_lists_of_their_documents() -> None:
    page = '<p><img src=a.jpg alt="桥"><img src=b.jpg width=20>'.encode()
    rows = image_places(page, "http://example.cn/", "").rows
    measures = measure_pair_texts([place.text for place in rows], ["0"] * 2, ["题"] * 2, [None] * 2)
    empty = MeasuredPlaces([], {name: column[:0] for name, column in measures.items()})
    lists = places_array([None, MeasuredPlaces(rows, measures), empty]).to_pylist()
    assert (lists[0], lists[2]) == (None, [])
    first, second = lists[1]
    assert (first["url"], first["alt"], second["alt"]) == ("http://example.cn/a.jpg", "桥", None)
    assert (second["place"], second["declared_width"], second["in_main"]) == (1, 20, False)
    assert (first["text_measures"]["chars"], second["text_measures"]["chars"]) == (1, 0)
