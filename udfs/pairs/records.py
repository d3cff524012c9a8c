"""Image places as Arrow columns: one list of places a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.base.array_types import Int64Array
from udfs.pairs.rows import (
    ATTRIBUTE,
    ATTRIBUTE_NAMES,
    HEIGHT,
    IN_MAIN,
    LINE,
    NO_LINE,
    TEXT_COLUMNS,
    TEXT_SOURCE,
    TEXT_SOURCES,
    WIDTH,
    PlaceColumns,
)
from udfs.pairs.schema import PAIR_TEXT_MEASURES, PLACE_ARROW_TYPE

_MEASURES = "text_measures"
_NAMES = {"attribute": pa.array(ATTRIBUTE_NAMES), "text_source": pa.array(TEXT_SOURCES)}
# Columns of rows, the value without one, and what they are stored as.
_NUMBERS = {
    "attribute": (ATTRIBUTE, -1, np.int64), "declared_width": (WIDTH, -1, np.int64),
    "declared_height": (HEIGHT, -1, np.int64), "text_source": (TEXT_SOURCE, -1, np.int64),
    "in_main": (IN_MAIN, -1, np.bool_), "line": (LINE, NO_LINE, np.int32),
}  # fmt: skip
_OF_IMAGES = {"data_sha256": "sha256", "data_bytes": "size", "data_body": "body"}


@dataclass(frozen=True, slots=True)
class MeasuredPlaces:
    """The image places of a document.

    Attributes:
        places: In page order.
        measures: Of their texts, by the names of PAIR_TEXT_MEASURES, shape (places,).
    """

    places: PlaceColumns
    measures: dict[str, npt.NDArray[Any]]


def places_array(documents: Sequence[MeasuredPlaces | None]) -> pa.Array:
    """Return lists of places; null for a document whose page was not read for them.

    Column by column, texts from one buffer of bytes: no place becomes a Python object.
    """
    offsets = np.zeros(len(documents) + 1, dtype=np.int32)
    np.cumsum([0 if of is None else len(of.places) for of in documents], out=offsets[1:])
    found = [of.places for of in documents if of is not None]
    rows = int(offsets[-1])
    columns = [_column(field, documents, found, rows) for field in PLACE_ARROW_TYPE]
    structs = pa.StructArray.from_arrays(columns, fields=list(PLACE_ARROW_TYPE))
    missing = pa.array([of is None for of in documents], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), structs, mask=missing)


def _column(
    field: pa.Field,
    documents: Sequence[MeasuredPlaces | None],
    found: Sequence[PlaceColumns],
    rows: int,
) -> pa.Array:
    """Return a column of all places."""
    name = field.name
    if name == _MEASURES:
        return _measures_array(documents, field.type)
    if rows == 0:
        return pa.nulls(0, field.type)
    if name == "place":
        return pa.array(np.concatenate([of.places for of in found]))
    if name in _OF_IMAGES:
        if not any(of.images for of in found):
            return pa.nulls(rows, field.type)
        values: list[Any] = [None] * rows
        first = 0
        for of in found:
            for row, image in of.images.items():
                values[first + row] = getattr(image, _OF_IMAGES[name])
            first += len(of)
        return pa.array(values, field.type)
    if name in _NUMBERS:
        column, missing, kind = _NUMBERS[name]
        numbers: Int64Array = np.concatenate([of.numbers[:, column] for of in found])
        array = pa.array(numbers.astype(kind), mask=numbers == missing)
        return _NAMES[name].take(array) if name in _NAMES else array
    return _texts_array(TEXT_COLUMNS.index(name), found)


def _texts_array(column: int, found: Sequence[PlaceColumns]) -> pa.Array:
    lengths = np.concatenate([of.lengths[column] for of in found])
    data = np.concatenate([of.data[of.bounds[column] : of.bounds[column + 1]] for of in found])
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(np.maximum(lengths, 0), out=offsets[1:])
    is_there = np.packbits(lengths >= 0, bitorder="little")
    return pa.StringArray.from_buffers(
        len(lengths), pa.py_buffer(offsets), pa.py_buffer(data), pa.py_buffer(is_there)
    )


def _measures_array(documents: Sequence[MeasuredPlaces | None], kind: pa.StructType) -> pa.Array:
    found = [of.measures for of in documents if of is not None]
    columns = [
        pa.array(
            np.concatenate([measures[name] for measures in found]) if found else [],
            kind.field(name).type,
        )
        for name in PAIR_TEXT_MEASURES
    ]
    return pa.StructArray.from_arrays(columns, fields=list(kind))


def place_chars(places: PlaceColumns) -> int:
    """Return a third of the bytes of the texts and images of places, as many as Chinese characters
    have: bounds the batches that hold them."""
    return -(-places.size // 3)
