"""Choose the address of an image place from the attributes of its elements.

What shows the image in the end comes first: the sources of a picture, a lazy srcset, srcset, lazy
attributes, then src. An attribute that may or may not hold an address counts where src has none or
a placeholder. A placeholder is a data: URI below 1 KB, a name made of words for it, or an address
that several images of the page share while such an attribute of each has another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from udfs.pairs.addresses import (
    BAD_ADDRESS,
    NO_ADDRESS,
    PLACEHOLDER,
    Base,
    DataImage,
    SourceCandidate,
    data_image,
    is_data,
    is_placeholder_name,
    largest,
    resolved,
    srcset_candidates,
)
from udfs.pairs.markup import LAZY_SOURCES, LAZY_SRCSETS, NUMBERS, WEAK_SOURCES
from udfs.pairs.texts import attribute_value

Attributes = Mapping[int, bytes]
"""Values of attributes as written, by the numbers of `udfs.pairs.markup`."""

PICTURE, NOSCRIPT = "picture", "noscript"
_SRC, _SRCSET, _TYPE, _MEDIA = (NUMBERS[name] for name in ("src", "srcset", "type", "media"))
_LAZY_SRCSETS = [(NUMBERS[name], name) for name in LAZY_SRCSETS]
_LAZY_SOURCES = [(NUMBERS[name], name) for name in LAZY_SOURCES]
_WEAK_SOURCES = [(NUMBERS[name], name) for name in WEAK_SOURCES]
_FIRST_LAZY = min(number for number, _ in [*_LAZY_SRCSETS, *_LAZY_SOURCES, *_WEAK_SOURCES])
_READABLE = frozenset({"", "image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif"})
_MIN_WIDTH = re.compile(r"min-width:\s*([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class AddressLimits:
    """Limits for an address.

    Attributes:
        max_chars: Of a URL.
        max_data_bytes: Of a data: URI as written.
    """

    max_chars: int = 4096
    max_data_bytes: int = 4 << 20


@dataclass(slots=True)
class Address:
    """The address of an image, or why there is none.

    Attributes:
        attribute: Where it was written; None without one.
        written: As written, references resolved; of a data: URI the part before its comma.
        url: None for a data: URI and with a reason.
        data: The image of a data: URI.
        reason: None where there is a url or data.
    """

    attribute: str | None = None
    written: str | None = None
    url: str | None = None
    data: DataImage | None = None
    reason: str | None = None


def read_address(value: bytes, attribute: str, base: Base, limits: AddressLimits) -> Address:
    """Return the address of an attribute's value, a placeholder included."""
    if is_data(value):
        return _data_address(value, attribute, limits)
    return text_address(attribute_value(value), attribute, base, limits)


def text_address(value: str, attribute: str, base: Base, limits: AddressLimits) -> Address:
    """Return the address of a value whose references are resolved; a data: URI included."""
    if value[:5].lower() == "data:":
        return _data_address(value.encode("utf-8", "replace"), attribute, limits)
    url, reason = resolved(value, base, limits.max_chars)
    if url is not None and is_placeholder_name(url):
        reason = PLACEHOLDER
    return Address(attribute, value.strip()[: limits.max_chars], url, None, reason)


def _data_address(value: bytes, attribute: str, limits: AddressLimits) -> Address:
    found = data_image(value, limits.max_data_bytes)
    if isinstance(found, str):
        return Address(attribute, "data:", None, None, found)
    return Address(attribute, found.header, None, found, None)


def image_address(
    image: Attributes,
    sources: Sequence[Attributes],
    base: Base,
    limits: AddressLimits,
    src_counts: Mapping[bytes, int],
) -> Address:
    """Return the address of an img element.

    Args:
        sources: Those of its picture.
        src_counts: How many images of the page have each src.
    Returns:
        The first address that is no placeholder and is not refused. Without one the reason of src,
        else of the first attribute; no_address without any.
    """
    refused: Address | None = None
    src = image.get(_SRC)
    if not sources and _SRCSET not in image and not any(n >= _FIRST_LAZY for n in image):
        # Most images.
        if src is None:
            return Address(reason=NO_ADDRESS)
        return read_address(src, "src", base, limits)
    for address in _addresses(image, sources, base, limits, src_counts):
        if address.reason is None:
            return address
        if refused is None or address.attribute == "src":
            refused = address
    return Address(reason=NO_ADDRESS) if refused is None else refused


def _addresses(
    image: Attributes,
    sources: Sequence[Attributes],
    base: Base,
    limits: AddressLimits,
    src_counts: Mapping[bytes, int],
) -> Iterator[Address]:
    """Yield the addresses of an image, the one to be taken first."""
    candidate = _picture_candidate(image, sources)
    if candidate is not None:
        yield text_address(candidate.address, PICTURE, base, limits)
    for number, name in [*_LAZY_SRCSETS, (_SRCSET, "srcset")]:
        if number in image:
            candidate = _best(image[number])
            if candidate is not None:
                yield text_address(candidate.address, name, base, limits)
    for number, name in _LAZY_SOURCES:
        if number in image:
            yield _lazy_address(image[number], name, base, limits)
    src = image.get(_SRC)
    weak = [
        _lazy_address(image[number], name, base, limits)
        for number, name in _WEAK_SOURCES
        if number in image
    ]
    if src is not None:
        if weak and src_counts.get(src, 0) > 1:
            yield from weak
        yield read_address(src, "src", base, limits)
    yield from weak


def _lazy_address(value: bytes, name: str, base: Base, limits: AddressLimits) -> Address:
    """Return the address of a lazy attribute; "true", "1" and other single words are none."""
    address = read_address(value, name, base, limits)
    if address.url is not None and not (b"/" in value or b"." in value):
        return Address(name, address.written, None, None, BAD_ADDRESS)
    return address


def _best(value: bytes) -> SourceCandidate | None:
    """Return the largest candidate of a srcset that is no small data: URI."""
    candidates = srcset_candidates(attribute_value(value))
    shown = [found for found in candidates if found.address[:5].lower() != "data:"]
    return largest(shown or candidates)


def _picture_candidate(image: Attributes, sources: Sequence[Attributes]) -> SourceCandidate | None:
    """Return the largest candidate of a picture's sources in formats that are read everywhere.

    By width, else density; among equals the source for the widest screens, then the first.
    """
    best: SourceCandidate | None = None
    best_size = (-1, -1.0, -1)
    for source in sources:
        media_type = source.get(_TYPE, b"").decode("utf-8", "replace").partition(";")[0]
        if media_type.strip().lower() not in _READABLE:
            continue
        widest = _MIN_WIDTH.search(source.get(_MEDIA, b"").decode("utf-8", "replace"))
        for number in (*(number for number, _ in _LAZY_SRCSETS), _SRCSET):
            candidate = _best(source[number]) if number in source else None
            if candidate is None:
                continue
            size = (
                candidate.width or 0, candidate.density, int(widest[1]) if widest else 0
            )  # fmt: skip
            if size > best_size and not is_placeholder_name(candidate.address):
                best, best_size = candidate, size
            break  # srcset is what a lazy one replaces
    if best is not None and _SRCSET in image:
        own = _best(image[_SRCSET])
        if own is not None and (own.width or 0) > (best.width or 0):
            return None
    return best
