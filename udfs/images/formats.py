"""Formats of images, told by their first bytes, and what else is served in an image's place."""

from __future__ import annotations

import re

SUPPORTED = ("jpeg", "png", "gif", "webp", "bmp", "avif")
"""Formats that are decoded."""

HTML = "html"
"""Reject reason of a page in an image's place: what servers send for an image that is gone."""
SVG = "svg"
"""Reject reason of vector graphics: they have no pixels, and may hold scripts."""
ICO = "ico"
"""Reject reason of icons and cursors of Windows."""
UNSUPPORTED = "unsupported_format"
"""Reject reason of a known format that is not decoded."""
NOT_IMAGE = "not_image"
"""Reject reason of bytes that begin as no image does."""

_HEAD_BYTES = 4096
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Sizes of a bitmap's second header: two letters alone would match texts."""
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_OTHERS = {
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "jxl": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "jpeg2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "psd": (b"8BPS",),
    "pdf": (b"%PDF-",),
    "eps": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "flash": (b"FWS", b"CWS", b"ZWS"),
    "xcf": (b"gimp xcf",),
    "dds": (b"DDS ",),
    "qoi": (b"qoif",),
}
_SVG = re.compile(rb"<(?:[a-z]{1,8}:)?svg[\s>/]")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|title|meta|iframe)\b")


def image_format(body: bytes) -> str | None:
    """Return the format that an image's first bytes state; None for bytes of no known one.

    One of SUPPORTED, or "svg", "ico", "heic", "tiff", "jxl", "jpeg2000", "psd", "pdf", "eps",
    "flash", "xcf", "dds", "qoi".

    >>> image_format(bytes.fromhex("ffd8ffe000104a464946")), image_format(b"<html>")
    ('jpeg', None)
    """
    found = _raster_format(body)
    if found is not None:
        return found
    for name, beginnings in _OTHERS.items():
        if body.startswith(beginnings):
            return name
    return "svg" if _is_svg(body) else None


def _raster_format(body: bytes) -> str | None:
    if body.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "webp"
    if body.startswith(b"BM") and int.from_bytes(body[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if body[4:8] == b"ftyp":
        return _container_format(body)
    if body.startswith((b"\0\0\1\0", b"\0\0\2\0")) and body[4:6] != b"\0\0":
        return "ico"
    return None


def _container_format(body: bytes) -> str | None:
    """The image format of a file of ISO boxes, by its brands; None for a film."""
    end = min(int.from_bytes(body[:4], "big"), 256)
    brands = {body[8:12], *(body[at : at + 4] for at in range(16, end, 4))}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & {b"heic", b"heix", b"hevc", b"mif1", b"msf1"} else None


def _is_svg(body: bytes) -> bool:
    head = body[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"<"):
        return False
    found = _SVG.search(head.lower())
    page = _HTML.search(head.lower())
    return found is not None and (page is None or found.start() < page.start())


def refusal_of(body: bytes) -> str | None:
    """Return why a body is not decoded, as its first bytes say; None for one of SUPPORTED.

    >>> refusal_of(b"<!DOCTYPE html><title>404"), refusal_of(b"<svg xmlns='...'>")
    ('html', 'svg')
    """
    found = image_format(body)
    if found in SUPPORTED:
        return None
    if found is None:
        head = body[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return HTML if head.startswith(b"<") and _HTML.search(head) else NOT_IMAGE
    return found if found in (SVG, ICO) else UNSUPPORTED
