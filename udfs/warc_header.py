"""The header of a WARC record: where it ends, and its named fields.

Source: ISO 28500:2017 (WARC 1.1), section 4; and what writers do in its place: bare line
feeds, doubled carriage returns, folded lines, bytes that are not UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

MAX_HEADER_BYTES = 64 << 10

# The first blank line of any kind: an HTTP message with CRLF may follow a header without.
_HEADER_END = re.compile(rb"\n\r*\n")
_FOLD = re.compile(r"\r*\n[ \t]+")
# Names as they are written, and as they are read: a file's records repeat a few dozen.
_names: dict[str, str] = {}
_MAX_NAMES, _MAX_NAME_CHARS = 1000, 64
_BRACKETED = ("warc-target-uri", "warc-refers-to-target-uri", "warc-profile")


def header_size(data: bytes, start: int) -> int:
    """Bytes of the header that begins at `start`, its blank line included; 0 for no end."""
    blank = _HEADER_END.search(data, start, start + MAX_HEADER_BYTES)
    return blank.end() - start if blank else 0


def parse_headers(data: bytes) -> dict[str, str]:
    """Named fields of a record's header, its version line first."""
    headers = named_fields(data)
    for name in _BRACKETED:
        uri = without_brackets(headers.get(name))
        if uri is not None:
            headers[name] = uri
    return headers


def without_brackets(uri: str | None) -> str | None:
    """A URI without the angle brackets that WARC 1.0 puts around it."""
    return uri[1:-1] if uri and uri[0] == "<" and uri[-1] == ">" else uri


def named_fields(data: bytes, lists: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Lines of ``name: value``, as WARC and HTTP have them.

    Names come in lower case. A folded line goes on with the value before it; a line without a
    colon is passed over. Bytes that are not UTF-8 are read as Latin-1.

    Args:
        lists: Names whose values are joined, and by what; of any other the first value counts.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    fields = _fields(text, lists, True)
    if fields is None:
        fields = _fields(_FOLD.sub(" ", text), lists, False)
    return fields or {}


def _fields(text: str, lists: Mapping[str, str], may_fold: bool) -> dict[str, str] | None:
    """The fields; None at a folded line, if there may be one."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        key = _names.get(name)
        if key is None or not colon:
            if may_fold and line[:1] in (" ", "\t"):
                return None
            if not colon:
                continue
            key = _canonical(name)
        if key not in fields:
            fields[key] = value.strip()
        elif key in lists:
            fields[key] += lists[key] + value.strip()
    return fields


def _canonical(name: str) -> str:
    canonical = name.strip().lower()
    if len(_names) < _MAX_NAMES and len(name) <= _MAX_NAME_CHARS and name[:1] not in (" ", "\t"):
        _names[name] = canonical
    return canonical
