"""Images that a page states for machines: JSON-LD, and og:image and the like in meta elements.

Source:
    schema.org (image, ImageObject), The Open Graph protocol (og:image and its properties), the
    markup of cards of Twitter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MAX_JSON_BYTES = 1 << 20
"""Longer JSON-LD is not parsed."""
_IMAGE_KEYS = ("image", "primaryImageOfPage")
_ADDRESS_KEYS = ("contentUrl", "url", "@id")
_CAPTION_KEYS = ("caption", "description", "name")
_TITLE_KEYS = ("headline", "name")

META_ATTRIBUTES = {
    "og:image": "og", "og:image:url": "og", "og:image:secure_url": "og",
    "twitter:image": "twitter", "twitter:image:src": "twitter", "image": "itemprop",
    "thumbnailurl": "itemprop",
}  # fmt: skip
"""The names of meta elements with an image's address, and the attribute of their places."""
META_PROPERTIES = {
    "og:image:alt": ("og", "alt"), "og:image:width": ("og", "width"),
    "og:image:height": ("og", "height"), "twitter:image:alt": ("twitter", "alt"),
}  # fmt: skip
"""Names of meta elements that describe the image before them: its attribute, and what they say."""
SITE_NAMES = frozenset({"og:site_name", "application-name"})
"""Names of meta elements with the site's name."""


@dataclass(frozen=True, slots=True)
class StatedImage:
    """An image in JSON-LD. `caption` and `title` are of the image and of what it shows; or None."""

    address: str
    caption: str | None
    title: str | None
    width: int | None
    height: int | None


def json_ld_images(script: bytes) -> list[StatedImage] | None:
    """Return the images of a JSON-LD script, each address once; None where it cannot be read.

    >>> json_ld_images(b'{"@type": "Article", "headline": "T", "image": ["a.jpg"]}')
    [StatedImage(address='a.jpg', caption=None, title='T', width=None, height=None)]
    """
    if len(script) > MAX_JSON_BYTES:
        return None
    text = script.decode("utf-8", "replace").strip()
    text = text.removeprefix("<!--").removesuffix("-->").removesuffix("//").strip()
    try:
        # Line breaks within strings are an error of many pages.
        stated = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    found: dict[str, StatedImage] = {}
    for image in _images(stated):
        found.setdefault(image.address, image)
    return list(found.values())


def _images(stated: Any) -> Iterator[StatedImage]:
    """Yield the images of a value and of what it contains, in order."""
    waiting = [stated]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            title = _first_text(value, _TITLE_KEYS)
            if _is_image_object(value):
                yield from _image_objects(value, None)
            for key in _IMAGE_KEYS:
                yield from _image_objects(value.get(key), title)
            waiting.extend(
                item
                for key, item in reversed(value.items())
                if key not in _IMAGE_KEYS and isinstance(item, dict | list)
            )


def _is_image_object(value: dict[str, Any]) -> bool:
    kind = value.get("@type")
    return kind == "ImageObject" or (isinstance(kind, list) and "ImageObject" in kind)


def _image_objects(value: Any, title: str | None) -> Iterator[StatedImage]:
    """Yield the images that are the value of an image property."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            if item.strip():
                yield StatedImage(item, None, title, None, None)
        elif isinstance(item, dict):
            address = _first_text(item, _ADDRESS_KEYS)
            if address is not None:
                yield StatedImage(
                    address,
                    _first_text(item, _CAPTION_KEYS),
                    title,
                    _pixels(item.get("width")),
                    _pixels(item.get("height")),
                )


def _first_text(value: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the first of some properties that is a text."""
    for key in keys:
        text = value.get(key)
        if isinstance(text, str) and text.strip():
            return text
    return None


def _pixels(value: Any) -> int | None:
    """Return a number of pixels; of a QuantitativeValue its value."""
    if isinstance(value, dict):
        value = value.get("value")
    return declared_pixels(str(value)) if isinstance(value, str | int | float) else None


def declared_pixels(value: str) -> int | None:
    """Return the pixels that a width or height states; None for percents and other values.

    >>> declared_pixels(" 640px"), declared_pixels("50%"), declared_pixels("auto")
    (640, None, None)
    """
    value = value.strip().lower()
    number = value.removesuffix("px").rstrip().partition(".")[0]
    if not number.isascii() or not number.isdecimal() or len(number) > 6:
        return None
    return int(number)
