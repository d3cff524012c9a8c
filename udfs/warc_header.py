"""The header of a WARC record: where it ends, and its named fields.

Source: ISO 28500:2017 (WARC 1.1), section 4; and what writers do in its place: bare line
feeds, doubled carriage returns, folded lines, bytes that are not UTF-8.
"""

from __future__ import annotations

import re

MAX_HEADER_BYTES = 64 << 10

# The first blank line of any kind: an HTTP message with CRLF may follow a header without.
_HEADER_END = re.compile(rb"\n\r*\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_BRACKETED = ("warc-target-uri", "warc-refers-to-target-uri", "warc-profile")


def header_size(data: bytes, start: int) -> int:
    """Bytes of the header that begins at `start`, its blank line included; 0 for no end."""
    blank = _HEADER_END.search(data, start, start + MAX_HEADER_BYTES)
    return blank.end() - start if blank else 0


def parse_headers(data: bytes) -> dict[str, str]:
    """Named fields of a record's header, its version line first."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\n " in text or "\n\t" in text:
        text = _FOLD.sub(" ", text)
    headers: dict[str, str] = {}
    for line in text.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            if name not in headers:
                headers[name] = value.strip()
    return _without_brackets(headers)


def _without_brackets(headers: dict[str, str]) -> dict[str, str]:
    for name in _BRACKETED:
        uri = headers.get(name)
        if uri and uri[0] == "<" and uri[-1] == ">":
            headers[name] = uri[1:-1]
    return headers
