"""Images checked and measured: facts of good ones, a named reason for everything else."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.builders.images import (
    animation,
    encoded,
    gif_of_short_blocks,
    image_bytes,
    jpeg_of_scans,
    picture,
    png_chunk,
    png_of,
)
from udfs.images.measure import (
    HAS_AVIF,
    ImageFacts,
    ImageLimits,
    UnusableImage,
    measure_image,
)

FORMATS = ["jpeg", "png", "gif", "webp", "bmp", *(["avif"] if HAS_AVIF else [])]


def facts(body: bytes, limits: ImageLimits | None = None) -> ImageFacts:
    found = measure_image(body, limits or ImageLimits())
    assert isinstance(found, ImageFacts), found
    return found


def reason(body: bytes, limits: ImageLimits | None = None) -> str:
    found = measure_image(body, limits or ImageLimits())
    assert isinstance(found, UnusableImage), found
    return found.reason


@pytest.mark.parametrize("name", FORMATS)
def test_facts_of_every_format(name: str) -> None:
    body = image_bytes(name, 97, 61)
    found = facts(body)
    assert (found.format, found.width, found.height) == (name, 97, 61)
    assert (found.bytes, found.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (found.frames, found.animated, found.has_alpha) == (1, False, False)
    assert found.trailing_bytes == 0
    assert found.orientation is None


@pytest.mark.parametrize("name", ["gif", "png", "webp"])
def test_animations_have_frames(name: str) -> None:
    found = facts(animation(name, 5))
    assert (found.frames, found.animated) == (5, True)
    assert reason(animation(name, 5), ImageLimits(max_frames=4)) == "too_many_frames"


def test_orientation_mode_and_alpha() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = facts(encoded(picture(40, 30), "jpeg", exif=exif))
    assert (turned.orientation, turned.width, turned.height) == (6, 40, 30)
    exif[0x0112] = 9
    assert facts(encoded(picture(), "jpeg", exif=exif)).orientation is None
    found = facts(encoded(picture(mode="RGBA"), "png"))
    assert (found.mode, found.has_alpha) == ("RGBA", True)
    palette = picture(mode="P")
    assert facts(encoded(palette, "png", transparency=0)).has_alpha
    assert facts(encoded(picture(mode="CMYK"), "jpeg")).mode == "CMYK"
    assert facts(encoded(picture(), "jpeg")).phash == facts(encoded(picture(), "jpeg")).phash


@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_cut_image_is_truncated(name: str, share: float) -> None:
    body = image_bytes(name, 320, 200)
    assert reason(body[: int(len(body) * share)]) == "truncated"


def test_a_cut_gif_is_truncated_and_one_without_its_trailer_is_whole() -> None:
    body = image_bytes("gif", 320, 200)
    assert reason(body[: len(body) // 2]) == "truncated"
    assert facts(body[:-1]).width == 320


ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("a.txt", "a")
SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'
REFUSED = {
    "nothing": (b"", "empty_body"),
    "a page": (b"\n <!DOCTYPE html><html><body>404</body></html>", "html"),
    "a page with a drawing": (b"<html><body><svg></svg></body></html>", "html"),
    "text": (b"not an image", "not_image"),
    "zeros": (b"\0" * 4096, "not_image"),
    "a drawing": (SVG, "svg"),
    "an icon": (b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0", "ico"),
    "TIFF": (b"II*\0" + b"\0" * 64, "unsupported_format"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "unsupported_format"),
    "a film": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "not_image"),
    "only a beginning": (b"\xff\xd8\xff", "truncated"),
    "a header alone": (b"\x89PNG\r\n\x1a\n", "truncated"),
    "a bomb of pixels": (png_of(60_000, 60_000), "too_many_pixels"),
    "a bomb of 2^62 pixels": (png_of((1 << 31) - 1, (1 << 31) - 1), "too_many_pixels"),
    "no pixels": (png_of(0, 10), "broken"),
    "no picture": (png_of(10, 10), "broken"),
    "a bomb in a comment": (
        png_of(1, 1, png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 9_000_000))),
        "broken",
    ),
    "a flood of chunks": (png_of(1, 1, png_chunk(b"tEXt", b"") * 30_000), "too_many_blocks"),
    "a flood of scans": (jpeg_of_scans(200), "too_many_scans"),
    "a flood of blocks": (gif_of_short_blocks(30_000), "too_many_blocks"),
    "a page behind the end": (image_bytes() + b"<html><script>1</script>", "markup_inside"),
    "a script in a comment": (
        encoded(picture(), "jpeg", comment=b"<ScRiPt>alert(1)</script>"),
        "markup_inside",
    ),
    "code in a comment": (encoded(picture(), "gif", comment=b"<?php x"), "markup_inside"),
    "an archive behind the end": (image_bytes("jpeg") + ZIP.getvalue(), "foreign_bytes"),
    "an archive behind padding": (image_bytes("gif") + b"\0" * 9 + ZIP.getvalue(), "foreign_bytes"),
    "an archive behind a film": (image_bytes() + b"film" + ZIP.getvalue(), "foreign_bytes"),
    "a program behind the end": (image_bytes("webp") + b"\x7fELF\2", "foreign_bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_other_body_has_a_named_reason(name: str) -> None:
    body, expected = REFUSED[name]
    assert reason(body) == expected


def test_a_gif_whose_first_image_is_larger_than_its_canvas() -> None:
    body = bytearray(encoded(picture(8, 8).convert("P"), "gif"))
    at = body.index(b"\x2c", 13 + (3 << ((body[10] & 7) + 1)))
    body[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert reason(bytes(body)) == "too_many_pixels"


def test_bytes_behind_the_end_are_counted() -> None:
    assert facts(image_bytes("jpeg") + b"\0" * 30).trailing_bytes == 30
    film = b"\0\0\0\x18ftypmp42" + b"\1" * 5000
    assert facts(image_bytes("jpeg") + film).trailing_bytes == len(film)


def test_metadata_in_xml_is_no_page() -> None:
    plist = b'<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN"><plist/>'
    assert facts(encoded(picture(), "jpeg", comment=plist)).format == "jpeg"


def test_limits_are_inclusive() -> None:
    body = image_bytes("png", 50, 40)
    assert facts(body, ImageLimits(max_pixels=2000, max_bytes=len(body))).width == 50
    assert reason(body, ImageLimits(max_pixels=1999)) == "too_many_pixels"
    assert reason(body, ImageLimits(max_bytes=len(body) - 1)) == "too_many_bytes"


@given(st.data())
@settings(max_examples=150)
def test_no_damage_raises(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(BODIES)))
    for _ in range(data.draw(st.integers(1, 6))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    limits = ImageLimits(max_pixels=4_000_000)
    assert isinstance(measure_image(bytes(body), limits), ImageFacts | UnusableImage)


BODIES = [image_bytes(name, 24, 17) for name in FORMATS] + [animation("gif", 3)]


@pytest.mark.parametrize("name", FORMATS)
def test_no_random_bytes_behind_a_beginning_raise(name: str) -> None:
    begin = image_bytes(name)[:40]
    for number in range(20):
        noise = hashlib.shake_256(f"{name}{number}".encode()).digest(3000)
        assert isinstance(measure_image(begin + noise), UnusableImage | ImageFacts)
