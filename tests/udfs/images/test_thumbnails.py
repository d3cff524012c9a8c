"""Thumbnails: small, turned as shown, on white; nothing of what cannot be drawn."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from PIL import Image

from udfs.images.thumbnails import thumbnail, thumbnails


def file_of(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def opened(body: bytes | None) -> Image.Image:
    assert body is not None
    return Image.open(io.BytesIO(body))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_thumbnail_keeps_the_aspect(name: str) -> None:
    drawn = opened(thumbnail(file_of(Image.new("RGB", (900, 300), "red"), name), 160))
    assert (drawn.format, drawn.size) == ("JPEG", (160, 53))
    red, green, blue = drawn.getpixel((80, 20))
    assert red > 240 and green < 15 and blue < 15


def test_a_small_image_is_not_enlarged() -> None:
    assert opened(thumbnail(file_of(Image.new("L", (20, 10)), "PNG"), 160)).size == (20, 10)


def test_transparent_parts_are_white() -> None:
    drawn = opened(thumbnail(file_of(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"), 32))
    assert drawn.getpixel((16, 16)) == (255, 255, 255)


def test_an_image_is_turned_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = file_of(Image.new("RGB", (400, 200)), "JPEG", exif=exif)
    assert opened(thumbnail(body, 100)).size == (50, 100)


def test_what_cannot_be_drawn_is_null() -> None:
    good = file_of(Image.new("RGB", (64, 64)), "PNG")
    batch = pa.RecordBatch.from_pylist(
        [
            {"key": key, "width": 64, "height": 64, "format": "png", "body": body}
            for key, body in (("good", good), ("cut", good[:40]), ("none", None))
        ],
        pa.schema(
            [("key", "string"), ("width", "int32"), ("height", "int32"), ("format", "string"),
             ("body", "binary")]
        ),
    )  # fmt: skip
    [drawn] = thumbnails(32)([batch])
    assert [row["thumbnail"] is not None for row in drawn.to_pylist()] == [True, False, False]
