"""Stored images as they are shown, decoded once each and ahead of a model."""

from __future__ import annotations

import io

from PIL import Image

from tests.builders.images import encoded, image_bytes, picture
from udfs.pair_scorers.pixels import prepared_ahead, shown_image


def test_an_image_is_turned_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a camera that was held upright
    file = io.BytesIO()
    picture(40, 20).save(file, "JPEG", exif=exif)
    shown = shown_image(file.getvalue())
    assert shown is not None and shown.size == (20, 40) and shown.mode == "RGB"


def test_what_is_transparent_is_white() -> None:
    clear = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    clear.putpixel((1, 1), (10, 20, 30, 255))
    shown = shown_image(encoded(clear, "png"))
    assert shown is not None and shown.mode == "RGB"
    assert (shown.getpixel((0, 0)), shown.getpixel((1, 1))) == ((255, 255, 255), (10, 20, 30))


def test_a_body_that_is_no_image_has_none() -> None:
    assert shown_image(b"no image") is None
    assert shown_image(image_bytes("png")[:90]) is None


def test_every_image_is_prepared_once_whatever_the_batch() -> None:
    bodies = [image_bytes("png", 8 + n, 8, n) for n in range(7)]
    bodies[3] = b"no image"
    for batch in (1, 3, 99):
        found = {}
        for numbers, widths in prepared_ahead(
            bodies, lambda image: image.width, batch=batch, threads=2
        ):
            assert len(numbers) == len(widths) <= batch
            found.update(zip(numbers, widths, strict=True))
        assert found == {n: 8 + n for n in range(7) if n != 3}
