"""The types of stored image places: Arrow's and Spark's agree, and a document's places fit."""

from __future__ import annotations

from pyspark.sql.pandas.types import from_arrow_type

from udfs.pairs.places import image_places
from udfs.pairs.records import MeasuredPlaces, places_array
from udfs.pairs.rows import NO_PLACES
from udfs.pairs.schema import PLACE_ARROW_TYPE, PLACE_TYPE
from udfs.pairs.text_measures import measure_pair_texts


def test_spark_has_the_types_of_arrow() -> None:
    assert from_arrow_type(PLACE_ARROW_TYPE) == PLACE_TYPE


def test_places_are_lists_of_their_documents() -> None:
    data = "data:image/gif," + "g" * 1024
    page = f'<p><img src=a.jpg alt="桥"><img src=b.jpg width=20><img src={data}>'.encode()
    found = image_places(page, "http://example.cn/", "")
    of_page = (["0"] * 3, ["题"] * 3, [None] * 3)
    measures = measure_pair_texts([place.text for place in found.rows], *of_page)
    empty = MeasuredPlaces(NO_PLACES, {name: column[:0] for name, column in measures.items()})
    lists = places_array([None, MeasuredPlaces(found.columns, measures), empty]).to_pylist()
    assert (lists[0], lists[2]) == (None, [])
    first, second, third = lists[1]
    assert (first["url"], first["alt"], second["alt"]) == ("http://example.cn/a.jpg", "桥", None)
    assert (second["place"], second["declared_width"], second["in_main"]) == (1, 20, False)
    assert (second["data_body"], third["data_body"]) == (None, b"g" * 1024)
    assert (first["text_measures"]["chars"], second["text_measures"]["chars"]) == (1, 0)
