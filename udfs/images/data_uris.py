"""`data:` URIs: images that a page holds in its own text.

Source: RFC 2397; the URL standard's data URLs, whose forgiving base64 pages rely on.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

DATA_URI_TOO_LARGE = "data_uri_too_large"
BAD_DATA_URI = "bad_data_uri"
"""Reject reason of a data: URI without a comma, or whose base64 is none."""

_HEAD = re.compile(r"\s*data:([^,]{0,512}?)(;\s*base64\s*)?,", re.IGNORECASE)
_SPACE = re.compile(rb"[ \t\r\n\f]+")


def is_data_uri(address: str) -> bool:
    """Whether an address is a data: URI.

    >>> is_data_uri(" DATA:image/gif;base64,R0lGODlhAQAB"), is_data_uri("/data:a,b")
    (True, False)
    """
    return address[:64].lstrip()[:5].lower() == "data:"


def decode_data_uri(address: str, max_bytes: int) -> bytes | str:
    """Return the bytes in a data: URI, or why there are none: BAD_DATA_URI, DATA_URI_TOO_LARGE.

    Missing padding and white space in base64 are accepted, as browsers do. The stated media type
    is not looked at: the bytes say what they are.

    Args:
        address: As written in the page, references resolved.
        max_bytes: Most bytes of the decoded body. A longer URI is refused before it is decoded.

    >>> decode_data_uri("data:image/gif;base64,R0lG ODlh", 100), decode_data_uri("data:,a%20b", 100)
    (b'GIF89a', b'a b')
    """
    head = _HEAD.match(address)
    if head is None:
        return BAD_DATA_URI
    written = len(address) - head.end()
    # Base64 and white space are longer than their bytes, percent signs three times as long.
    if written > 3 * max_bytes + 4096:
        return DATA_URI_TOO_LARGE
    body = unquote_to_bytes(address[head.end() :])
    if head[2]:
        body = _SPACE.sub(b"", body).translate(_STANDARD).rstrip(b"=")
        try:
            body = base64.b64decode(body + b"=" * (-len(body) % 4), validate=True)
        except (binascii.Error, ValueError):
            return BAD_DATA_URI
    return body if len(body) <= max_bytes else DATA_URI_TOO_LARGE


_STANDARD = bytes.maketrans(b"-_", b"+/")
