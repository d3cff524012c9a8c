"""Which images of a document are taken.

Source: OBELICS, section 3 (formats, sizes, addresses of many places, repeated images); MMC4,
section 3 (words of addresses, pictures that repeat).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,5})$")
_DATA_TYPE = re.compile(r"\s*data:image/([a-z0-9]{2,5})", re.IGNORECASE)
_FORMATS = {
    **{"jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "jfif": "jpeg"},
    **{name: name for name in ("png", "gif", "webp", "bmp", "avif", "svg", "ico", "heic")},
    **{"tif": "tiff", "tiff": "tiff"},
}
_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class InterleaveLimits:
    """Which images and documents are taken; a limit None is off.

    Attributes:
        formats: Of images, as udfs.images.formats names them; an address without a known extension
            may have any, where no body is known.
        min_side: Pixels of width and height.
        max_side: As the least.
        max_aspect: Longer side / shorter side.
        keep_unknown_size: Whether to take images whose size nothing states.
        url_words: Words that no address has, in lower case.
        max_distance: Bits that differ between the phashes of one picture.
        max_images: Of a document.
        min_chars: Code points of a document's text.
    """

    formats: tuple[str, ...]
    min_side: int | None
    max_side: int | None
    max_aspect: float | None
    keep_unknown_size: bool
    url_words: tuple[str, ...]
    max_distance: int | None
    max_images: int | None
    min_chars: int


def kept_images(
    places: Sequence[Mapping[str, Any]], limits: InterleaveLimits
) -> tuple[list[Mapping[str, Any]], Counter[str]]:
    """Return the images that are taken, in page order, and the others by reason.

    An image that repeats one before it, which is taken, goes: the same address, or near in phash.
    """
    kept: list[Mapping[str, Any]] = []
    dropped: Counter[str] = Counter()
    addresses: set[str] = set()
    hashes: list[int] = []
    for place in sorted(places, key=lambda one: int(one["place"])):
        reason = image_reason(place, limits)
        address = address_of(place)
        phash = None if place["image"] is None else place["image"]["phash"]
        if reason is None and address in addresses:
            reason = "repeated_address"
        if reason is None and phash is not None and limits.max_distance is not None:
            if any(_distance(phash, other) <= limits.max_distance for other in hashes):
                reason = "repeated_picture"
            else:
                hashes.append(phash)
        if reason is None:
            addresses.add(address)
            kept.append(place)
        else:
            dropped[reason] += 1
    return kept, dropped


def image_reason(place: Mapping[str, Any], limits: InterleaveLimits) -> str | None:
    """Return why an image is dropped whatever else its document has; None for one that is not."""
    image, url = place["image"], place["url"]
    if url is not None and any(word in url.lower() for word in limits.url_words):
        return "url_word"
    if place["is_frequent"]:  # its body is not looked for
        return "frequent_address"
    if image is not None and image["reason"] is not None:
        return "unusable_image"
    known = _stated_format(place) if image is None else image["format"]
    if known is not None and known not in limits.formats:
        return "format"
    if image is None:
        sides = [place["declared_width"], place["declared_height"]]
    else:
        sides = [image["width"], image["height"]]
    stated = [side for side in sides if side is not None]
    if any(not _is_within(side, limits) for side in stated):
        return "size"
    if len(stated) < len(sides):
        return None if limits.keep_unknown_size else "unknown_size"
    if limits.max_aspect is not None and max(stated) > limits.max_aspect * min(stated):
        return "aspect"
    return None


def address_of(place: Mapping[str, Any]) -> str:
    """Return the address of a place's image: "data:" and the SHA-256 of one in a data: URI."""
    url = place["url"]
    return f"data:{place['data_sha256']}" if url is None else str(url)


def _stated_format(place: Mapping[str, Any]) -> str | None:
    """Return the format that the end of an address states, or the type of a data: URI; None without
    a known one."""
    url = place["url"]
    if url is None:
        found = _DATA_TYPE.match(place["url_written"] or "")
    else:
        try:
            found = _EXTENSION.search(urlsplit(url).path)
        except ValueError:  # brackets that hold no address
            return None
    return None if found is None else _FORMATS.get(found[1].lower())


def _is_within(side: int, limits: InterleaveLimits) -> bool:
    """Whether a side of an image has a length that is taken."""
    return not (
        (limits.min_side is not None and side < limits.min_side)
        or (limits.max_side is not None and side > limits.max_side)
    )


def _distance(one: int, other: int) -> int:
    """Bits that differ between two hashes."""
    return ((one ^ other) & _BITS).bit_count()
