"""Addresses of images: resolved as RFC 3986 says, or refused with a reason; data: URIs; srcset.

A value that is no URL is refused, never mended: OBELICS joins host and path, which is wrong for
pages below the root, and refuses commas, which Chinese CDNs put in parameters.

Source:
    RFC 3986, section 5 (resolution), RFC 2397 (data: URIs), HTML Standard (srcset). As in browsers,
    spaces around a value and line breaks within it do not count, and spaces within it are allowed.
"""

from __future__ import annotations

import binascii
import hashlib
import math
import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import numpy as np

from udfs.base.array_types import Int64Array

NO_ADDRESS, BAD_ADDRESS, NOT_HTTP = "no_address", "bad_address", "not_http"
NO_BASE, TOO_LONG = "relative_without_base", "too_long_address"
PLACEHOLDER = "placeholder"
DATA_TOO_LARGE, BAD_DATA, NOT_IMAGE_DATA = "data_uri_too_large", "bad_data_uri", "not_image_data"
TOO_MANY, IN_TEMPLATE = "too_many_images", "in_template"
BAD_JSON = "bad_json_ld"
REASONS = (
    NO_ADDRESS, BAD_ADDRESS, NOT_HTTP, NO_BASE, TOO_LONG, PLACEHOLDER, DATA_TOO_LARGE, BAD_DATA,
    NOT_IMAGE_DATA, TOO_MANY, IN_TEMPLATE, BAD_JSON,
)  # fmt: skip
"""All reasons why an image place has no row."""

_SPACES = " \t\n\f\r"
_LINE_BREAKS = re.compile("[\t\n\r]")
# What no URL has, and templates before they are filled have.
_REFUSED = re.compile(r'[\x00-\x1f\x7f<>"{}\\`]')
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PLAIN_PATH = r"(?:/(?!\.)[^\s<>\"{}\\`#?;\x00-\x1f\x7f/]*)*"
_PLAIN_QUERY = r"(?:\?[^\s<>\"{}\\`#\x00-\x1f\x7f]+)?"
# Addresses that resolution leaves as they are, or puts an origin before.
_ABSOLUTE = re.compile(rf"https?://[A-Za-z0-9.-]+(?::[0-9]{{1,4}})?{_PLAIN_PATH}{_PLAIN_QUERY}")
_ORIGIN = re.compile("(https?:)//[^/?]+")
_SCHEMELESS = re.compile(rf"//[A-Za-z0-9.-]+(?::[0-9]{{1,4}})?{_PLAIN_PATH}{_PLAIN_QUERY}")
_ROOTED = re.compile(rf"/(?![/.])[^\s<>\"{{}}\\`#?;\x00-\x1f\x7f/]*{_PLAIN_PATH}{_PLAIN_QUERY}")
_DOTS = re.compile(r"/\.\.?(?:[/?#]|$)")
_DATA = re.compile(rb"[ \t\n\f\r]*data:([^,]{0,200}),", re.IGNORECASE)
_DATA_START = re.compile(rb"[ \t\n\f\r]*data:", re.IGNORECASE)
_BLANKS = b" \t\n\f\r"
_PREFIX_BYTES = 1000  # the page's addresses repeat a prefix
_SMALL_DATA_BYTES = 1024  # smaller images in data: URIs are placeholders and icons
_WORDS = re.compile(r"[a-z]+|1x1")
# Words of the names of placeholders; a name of these and the next alone is one.
_PLACEHOLDERS = """
    blank spacer placeholder loading loader pixel transparent grey gray 1x1 lazyload lazy clear none
    dot holder nopic noimg noimage nophoto preload empty
"""
PLACEHOLDER_WORDS = frozenset(_PLACEHOLDERS.split())
_NEUTRAL = "img image pic picture bg px default load s b w no"
NEUTRAL_WORDS = frozenset(_NEUTRAL.split())
# The name has no other words: most names do not, which the first letters show.
_PLACEHOLDER_NAME = re.compile(
    rf"(?:1x1|[^a-z/?#]|(?:{'|'.join([*PLACEHOLDER_WORDS, *NEUTRAL_WORDS])})(?![a-z]))*"
    r"(?:\.[a-z0-9]*)?(?:[?#]|$)",
    re.IGNORECASE,
)


class Base(NamedTuple):
    """What addresses of a page are resolved against; each is "" where the page's URL is unknown.

    Attributes:
        url: The page's URL, or its base element's.
        scheme: Of it, with a colon.
        origin: Scheme, host and port.
    """

    url: str
    scheme: str
    origin: str


NO_PAGE = Base("", "", "")


def base_prefixes(base: Base) -> tuple[bytes, Int64Array]:
    """Return what precedes the plain addresses of a page, for compiled loops.

    Returns:
        Scheme, origin, and the folder of the base with a slash, end to end; the bytes of each, -1
        for one that does not exist or whose addresses urllib has to resolve, shape (3,).
    """
    scheme, origin = base.scheme.encode("utf-8", "replace"), base.origin.encode("utf-8", "replace")
    folder = b""
    if _ABSOLUTE.fullmatch(base.url):
        path = base.url.partition("?")[0][len(base.origin) :]
        if "//" not in path and base.url.startswith(base.origin):
            folder = origin + (path[: path.rfind("/") + 1] or "/").encode("utf-8", "replace")
    parts = (scheme, origin, folder)
    lengths = [len(part) if 0 < len(part) <= _PREFIX_BYTES else -1 for part in parts]
    kept = (part for part, length in zip(parts, lengths, strict=True) if length > 0)
    return b"".join(kept), np.array(lengths, dtype=np.int64)


def base_of(page_url: str | None, base_href: str | None) -> Base:
    """Return the base of a page's addresses.

    Args:
        page_url: An http(s) URL; another one, like None, is no base.
        base_href: The href of the page's first base element that has one.
    """
    url = page_url or ""
    match = _ORIGIN.match(url)
    if match is not None and not base_href and _ABSOLUTE.fullmatch(url):
        return Base(url, match[1], match[0])
    url = url if _is_http(url) else ""
    if base_href:
        joined = _joined(url, base_href.strip(_SPACES))
        url = joined if joined is not None and _is_http(joined) else url
    if not url:
        return NO_PAGE
    parts = urlsplit(url)
    return Base(url, f"{parts.scheme}:", f"{parts.scheme}://{parts.netloc}")


def resolved(value: str, base: Base, max_chars: int) -> tuple[str | None, str | None]:
    """Return the URL of an address as written, or None and the reason.

    Args:
        value: Character references resolved; no data: URI.
        max_chars: Of a URL.

    >>> resolved("../b,c d.jpg", base_of("http://h.cn/a/i.html", None), 4096)
    ('http://h.cn/b,c d.jpg', None)
    """
    if _ABSOLUTE.fullmatch(value):
        return (value, None) if len(value) <= max_chars else (None, TOO_LONG)
    value = value.strip(_SPACES)
    if not value or value[0] == "#":
        return None, NO_ADDRESS
    if len(value) > max_chars:
        return None, TOO_LONG
    if base.origin:
        if _SCHEMELESS.fullmatch(value):
            return base.scheme + value, None
        if _ROOTED.fullmatch(value):
            return base.origin + value, None
    value = _LINE_BREAKS.sub("", value)
    if _REFUSED.search(value):
        return None, BAD_ADDRESS
    scheme = _SCHEME.match(value)
    if scheme is not None:
        if scheme[1].lower() not in ("http", "https"):
            return None, NOT_HTTP
    elif not base.url:
        return None, NO_BASE
    url = _joined(base.url, value)
    if url is None or not _is_http(url):
        return None, BAD_ADDRESS
    return (url, None) if len(url) <= max_chars else (None, TOO_LONG)


def _joined(base: str, value: str) -> str | None:
    """Return a reference resolved against a base; None where either is no URL."""
    try:
        url = urljoin(base, value)
        # Python leaves the dots of a reference that has a host.
        return _without_dots(url) if _DOTS.search(url) else url
    except ValueError:
        return None


def _without_dots(url: str) -> str:
    """Return a URL without segments "." and ".." in its path. Source: RFC 3986, 5.2.4."""
    parts = urlsplit(url)
    kept: list[str] = []
    segments = parts.path.split("/")
    for segment in segments[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return parts._replace(path="/" + "/".join(kept)).geturl()


def _is_http(url: str) -> bool:
    """Whether a URL is http or https with a host and a valid port."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and " " not in parts.netloc


def is_placeholder_name(url: str) -> bool:
    """Whether a file's name consists of words for placeholders.

    >>> is_placeholder_name("h/img/lazy-loading_2.gif"), is_placeholder_name("h/greyhound.jpg")
    (True, False)
    """
    path = url.partition("?")[0] if "?" in url else url
    at = path.rfind("/") + 1
    if _PLACEHOLDER_NAME.match(path, at) is None:
        return False
    name = path[at:].lower()
    stem = name.rpartition(".")[0] or name
    words = set(_WORDS.findall(stem))
    return bool(words & PLACEHOLDER_WORDS) and words <= PLACEHOLDER_WORDS | NEUTRAL_WORDS


class DataImage(NamedTuple):
    """An image in a data: URI.

    Attributes:
        header: The URI up to its comma.
        size: Bytes of the image.
        sha256: Of the image, hexadecimal.
        body: The image.
    """

    header: str
    size: int
    sha256: str
    body: bytes


def is_data(value: bytes) -> bool:
    """Whether a value is a data: URI."""
    return _DATA_START.match(value) is not None


def data_image(value: bytes, max_bytes: int) -> DataImage | str:
    """Return the image of a data: URI, or the reason why it is none; placeholder below 1 KB.

    Args:
        value: UTF-8, at most max_bytes long, or it is data_uri_too_large.
    """
    if len(value) > max_bytes:
        return DATA_TOO_LARGE
    header = _DATA.match(value)
    if header is None:
        return BAD_DATA
    media_type, *parameters = header[1].decode("utf-8", "replace").lower().split(";")
    if not media_type.strip().startswith("image/"):
        return NOT_IMAGE_DATA
    body = value[header.end() :]
    if b"%" in body:
        body = unquote_to_bytes(body)
    if "base64" in (parameter.strip() for parameter in parameters):
        body = body.translate(None, _BLANKS).rstrip(b"=")
        try:
            body = binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
        except binascii.Error:
            return BAD_DATA
    if len(body) < _SMALL_DATA_BYTES:
        return PLACEHOLDER
    shown = "data:" + header[1].decode("utf-8", "replace").strip()
    return DataImage(shown, len(body), hashlib.sha256(body).hexdigest(), body)


_CANDIDATE = re.compile(r"[ \t\n\f\r,]*+([^ \t\n\f\r]+)")
_DESCRIPTORS = re.compile(r"(?:[^,(]|\([^)]*(?:\)|\Z))*+")
_W_DESCRIPTOR = re.compile(r"[0-9]+w")
_H_DESCRIPTOR = re.compile(r"[0-9]+h")
_X_DESCRIPTOR = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?x")
MAX_SRCSET_CHARS = 1 << 16
"""The rest of a longer attribute is not read."""


class SourceCandidate(NamedTuple):
    """An address of a srcset.

    Attributes:
        address: As written.
        width: Pixels; None without a w descriptor.
        density: 1.0 without a descriptor.
    """

    address: str
    width: int | None
    density: float


def srcset_candidates(value: str) -> list[SourceCandidate]:
    """Return the addresses of a srcset; those with invalid descriptors are left out.

    Source: HTML Standard, "parse a srcset attribute".

    >>> srcset_candidates("a,b.jpg?x=1,2 200w, /c d.jpg, e.jpg 2x")
    [SourceCandidate(address='a,b.jpg?x=1,2', width=200, density=1.0), \
SourceCandidate(address='e.jpg', width=None, density=2.0)]
    """
    value = value[:MAX_SRCSET_CHARS]
    found = []
    at = 0
    while match := _CANDIDATE.match(value, at):
        address, at = match[1], match.end()
        descriptors: list[str] = []
        if address.endswith(","):
            address = address.rstrip(",")
        else:
            rest = _DESCRIPTORS.match(value, at)
            assert rest is not None  # it matches nothing, too
            descriptors, at = rest[0].strip(_SPACES).split(), rest.end()
        candidate = _candidate(address, descriptors)
        if candidate is not None:
            found.append(candidate)
    return found


def _candidate(address: str, descriptors: list[str]) -> SourceCandidate | None:
    """Return a candidate with its descriptors; None where one of them is invalid."""
    width: int | None = None
    density: float | None = None
    height = False
    for descriptor in descriptors:
        if _W_DESCRIPTOR.fullmatch(descriptor) and width is None and density is None:
            if len(descriptor) > 10 or (width := int(descriptor[:-1])) == 0:
                return None
        elif (
            _X_DESCRIPTOR.fullmatch(descriptor) and density is None and width is None and not height
        ):
            density = float(descriptor[:-1])
            if density < 0 or not math.isfinite(density):
                return None
        elif _H_DESCRIPTOR.fullmatch(descriptor) and not height and density is None:
            height = True
        else:
            return None
    if height and width is None:
        return None
    return SourceCandidate(address, width, 1.0 if density is None else density)


def largest(candidates: list[SourceCandidate]) -> SourceCandidate | None:
    """Return the candidate with the greatest width, else the greatest density; the first of equals.

    Candidates without a width are left out where another has one.
    """
    if not candidates:
        return None
    return max(candidates, key=lambda candidate: (candidate.width or 0, candidate.density))
