"""Records of the pictures of a batch of pairs, each picture decoded and measured once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql.types import StructType

from udfs.base.array_types import UInt8Array
from udfs.pair_scorers.pixels import distinct_bodies, shown_image
from udfs.pair_scorers.scorer import UNDECODABLE, Pairs, failed

if TYPE_CHECKING:
    from udfs.scorers.scorer import Record

Measure = Callable[[UInt8Array], Mapping[str, Any]]
"""RGB picture as it is shown, shape (height, width, 3) -> columns of its record."""


def records_of_pictures(pairs: Pairs, kind: StructType, measure: Measure) -> list[Record]:
    """Return a record for each pair: what a function says of its picture, the other columns null;
    or ``undecodable``. Pairs of one picture share a record."""
    bodies, numbers = distinct_bodies(pairs.bodies)
    records = [_record(body, kind, measure) for body in bodies]
    return [records[number] for number in numbers]


def _record(body: bytes, kind: StructType, measure: Measure) -> Record:
    shown = shown_image(body)
    if shown is None:
        return failed(kind, UNDECODABLE)
    return {**dict.fromkeys(kind.fieldNames()), **measure(np.asarray(shown))}
