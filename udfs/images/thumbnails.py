"""Thumbnails for pages that people look at: small JPEG files of images that were measured."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from PIL import Image, ImageOps

THUMBNAIL_DDL = "key string, width int, height int, format string, thumbnail binary"
_QUALITY = 70
_PAPER = (255, 255, 255)


def thumbnail(body: bytes, side: int) -> bytes | None:
    """Return a JPEG file of an image, turned as it is shown, transparent parts white.

    Args:
        body: An image that `measure.measure_image` has accepted.
        side: Most pixels of a side.
    Returns:
        None for what cannot be drawn after all.
    """
    try:
        with Image.open(io.BytesIO(body)) as image:
            if image.format == "JPEG":
                image.draft("RGB", (2 * side, 2 * side))
            shown = ImageOps.exif_transpose(image).convert("RGBA")
            shown.thumbnail((side, side))
            paper = Image.new("RGB", shown.size, _PAPER)
            paper.paste(shown, mask=shown.getchannel("A"))
            file = io.BytesIO()
            paper.save(file, "JPEG", quality=_QUALITY)
            return file.getvalue()
    except Exception:  # as in `measure`: readers raise whatever a broken file leads them to
        return None


def thumbnails(side: int) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function for mapInArrow: key, width, height, format and body become rows of
    THUMBNAIL_DDL.

    Batch: as large as the bodies; one image is decoded at a time.
    """

    def draw(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            drawn = [
                None if body is None else thumbnail(body, side)
                for body in batch.column("body").to_pylist()
            ]
            names = ("key", "width", "height", "format")
            columns = [batch.column(name) for name in names]
            yield pa.RecordBatch.from_arrays(
                [*columns, pa.array(drawn, pa.binary())], [*names, "thumbnail"]
            )

    return draw
