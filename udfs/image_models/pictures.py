"""Records of the pictures of a batch of pairs, each picture decoded and measured once."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps
from pyspark.sql.types import StructType

from udfs.base.array_types import UInt8Array
from udfs.pair_scorers.scorer import UNDECODABLE, Pairs, failed

if TYPE_CHECKING:
    from udfs.scorers.scorer import Record

_PAPER = (255, 255, 255)


def records_of_pictures(
    pairs: Pairs, kind: StructType, measure: Callable[[UInt8Array], Mapping[str, Any]]
) -> list[Record]:
    """Return a record for each pair: what a function says of its picture, or ``undecodable``.

    Args:
        measure: RGB picture as it is shown, shape (height, width, 3) -> columns of the record; the
            others are null.
    """
    records: list[Record] = []
    before: bytes | None = None
    for body in pairs.bodies:
        if not records or body != before:
            picture = _shown(body or b"")
            record = (
                failed(kind, UNDECODABLE)
                if picture is None
                else {**dict.fromkeys(kind.fieldNames()), **measure(picture)}
            )
        records.append(record)
        before = body
    return records


def _shown(body: bytes) -> UInt8Array | None:
    """The picture as it is shown: turned, transparent parts white; None for what is none."""
    try:
        with Image.open(io.BytesIO(body)) as image:
            shown = ImageOps.exif_transpose(image)
            if shown.has_transparency_data:
                drawn = shown.convert("RGBA")
                shown = Image.new("RGB", drawn.size, _PAPER)
                shown.paste(drawn, mask=drawn.getchannel("A"))
            return np.asarray(shown.convert("RGB"))
    except Exception:  # as in `udfs.images.measure`: readers raise whatever a broken file leads to
        return None
