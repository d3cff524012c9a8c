"""Small images of every format and state, made from integer formulas."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from udfs.base.array_types import UInt8Array


def pixels(width: int, height: int, number: int = 0) -> UInt8Array:
    """Colours, shape (height, width, 3): waves whose lengths follow from a number."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    waves = [
        (x * (3 + number) + y * 5) % 256,
        (x * y // 7 + 11 * number) % 256,
        (y * (2 + number % 3) + (x // 9) * 40) % 256,
    ]
    return np.stack(waves, axis=2).astype(np.uint8)


def picture(width: int = 96, height: int = 64, mode: str = "RGB", number: int = 0) -> Image.Image:
    """A picture of a mode."""
    return Image.fromarray(pixels(width, height, number)).convert(mode)


def encoded(image: Image.Image, name: str, **options: object) -> bytes:
    """The bytes of a picture in a format."""
    file = io.BytesIO()
    image.save(file, name.upper(), **options)
    return file.getvalue()


def image_bytes(name: str = "png", width: int = 96, height: int = 64, number: int = 0) -> bytes:
    """The bytes of an image of a format."""
    return encoded(picture(width, height, number=number), name)


def animation(name: str, frames: int) -> bytes:
    """The bytes of an animated GIF, PNG or WebP."""
    images = [picture(32, 24, number=number) for number in range(frames)]
    return encoded(images[0], name, save_all=True, append_images=images[1:])


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG file whose header states a size, with chunks behind its header."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IEND", b"")


def jpeg_of_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    body = encoded(picture(64, 64), "jpeg", progressive=True)
    last = body.rindex(b"\xff\xda")
    return body[:last] + body[last:-2] * scans + body[-2:]


def gif_of_short_blocks(blocks: int) -> bytes:
    """A GIF with a comment of one-byte blocks, which a decoder reads one by one."""
    body = encoded(picture(8, 8).convert("P"), "gif")
    comment = b"\x21\xfe" + b"\x01x" * blocks + b"\0"
    colours = 3 << ((body[10] & 7) + 1) if body[10] & 0x80 else 0
    return body[: 13 + colours] + comment + body[13 + colours :]


def turned_jpeg(orientation: int, width: int = 96, height: int = 64) -> bytes:
    """A JPEG whose EXIF data state an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(width, height), "jpeg", exif=exif)


def unusable_images() -> dict[str, tuple[str, bytes]]:
    """Bodies under the type of an image that are none, broken or hostile: name -> reason, body."""
    jpeg = image_bytes("jpeg")
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    return {
        "half.jpg": ("truncated", jpeg[: len(jpeg) // 2]),
        "bomb.png": ("too_many_pixels", png_of(60_000, 60_000)),
        "drawing.svg": ("svg", svg),
        "archive.jpg": ("foreign_bytes", jpeg + b"PK\3\4" + bytes(64)),
        "script.jpg": ("markup_inside", jpeg[:2] + _comment(b"<script>") + jpeg[2:]),
        "gone.jpg": ("html", b"<!DOCTYPE html><title>404</title>"),
        "nothing.gif": ("empty_body", b""),
    }


def _comment(text: bytes) -> bytes:
    """A comment of a JPEG file."""
    return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
