"""Image places as Arrow columns: one list of places a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.pairs.places import ImagePlace
from udfs.pairs.schema import PAIR_TEXT_MEASURES, PLACE_ARROW_TYPE

_MEASURES = "text_measures"


@dataclass(frozen=True, slots=True)
class MeasuredPlaces:
    """The image places of a document.

    Attributes:
        places: In page order.
        measures: Of their texts, by the names of PAIR_TEXT_MEASURES, shape (places,).
    """

    places: Sequence[ImagePlace]
    measures: dict[str, npt.NDArray[Any]]


def places_array(documents: Sequence[MeasuredPlaces | None]) -> pa.Array:
    """Return lists of places; null for a document whose page was not read for them.

    Column by column: dictionaries for 40 places a page take ten times as long.
    """
    sizes = [0 if of is None else len(of.places) for of in documents]
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    places = [place for of in documents if of is not None for place in of.places]
    columns = []
    for field in PLACE_ARROW_TYPE:
        if field.name == _MEASURES:
            columns.append(_measures_array(documents, field.type))
        else:
            name = field.name
            columns.append(pa.array([getattr(place, name) for place in places], field.type))
    structs = pa.StructArray.from_arrays(columns, fields=list(PLACE_ARROW_TYPE))
    missing = pa.array([of is None for of in documents], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), structs, mask=missing)


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


def place_chars(place: ImagePlace) -> int:
    """Characters of a place's texts, about, and the bytes of its image: bounds the batches that
    hold it."""
    texts = (
        *(place.url_written, place.url, place.alt, place.title, place.caption, place.link),
        *(place.context_before, place.context_after, place.text),
    )
    return sum(len(text) for text in texts if text) + (place.data_bytes or 0)
