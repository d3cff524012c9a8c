"""Headers of WARC records and HTTP messages, and the record lines of ARC files as WARC headers.

`named_fields` parses a header whole. Of a page that becomes no document, three or four fields out
of thirty matter: `plain_header` finds them in a tenth of that time, with the same values, where
the header is written plainly; any other header is left to `named_fields`.

ARC lines are parsed here and not by warcio, which gives every ARC record a random WARC-Record-ID,
stops at the first bad line, and reads only files that are divided into members.

Source: ISO 28500:2017 (WARC 1.1), section 4, and the deviations of writers: bare line feeds,
doubled carriage returns, folded lines, bytes that are not UTF-8. Internet Archive, "ARC File
Format" 1.0 (five fields; version 2's ten are read by their place from both ends).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from udfs.base.array_types import Int64Array, UInt8Array
from udfs.base.jit import compiled, uncounted

MAX_HEADER_BYTES = 64 << 10

# The first blank line of any kind: an HTTP message with CRLF may follow a header without.
_HEADER_END = re.compile(rb"\n\r*\n")
_FOLD = re.compile(r"\r*\n[ \t]+")
# Lower-case names by names as written: a file's records repeat a few dozen.
_names: dict[str, str] = {}
_MAX_NAMES, _MAX_NAME_CHARS = 1000, 64
_BRACKETED = ("warc-target-uri", "warc-refers-to-target-uri", "warc-profile")


def header_size(data: bytes, start: int) -> int:
    """Bytes of the header that begins at `start`, its blank line included; 0 without an end."""
    blank = _HEADER_END.search(data, start, start + MAX_HEADER_BYTES)
    return blank.end() - start if blank else 0


def parse_headers(data: bytes) -> dict[str, str]:
    """Parse the named fields of a record's header, which begins with its version line."""
    headers = named_fields(data)
    for name in _BRACKETED:
        uri = without_brackets(headers.get(name))
        if uri is not None:
            headers[name] = uri
    return headers


def without_brackets(uri: str | None) -> str | None:
    """Return a URI without the angle brackets that WARC 1.0 has around it."""
    return uri[1:-1] if uri and uri[0] == "<" and uri[-1] == ">" else uri


def named_fields(data: bytes, lists: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Parse lines of ``name: value``, as in WARC and HTTP.

    Names become lower case. A folded line continues the value before it; a line without a colon
    is skipped. A header that is not UTF-8 is read as Latin-1.

    Args:
        lists: Names whose values are joined, with their separators; of other names the first value
            counts.
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
    """Return the fields; None at a folded line, where `may_fold`."""
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


_COLON, _SPACE, _TAB, _RETURN, _LINE_FEED, _LESS = b": \t\r\n<"
_DELETE = 0x7F
_UPPER_A, _UPPER_Z, _LOWER_CASE = 0x41, 0x5A, 0x20


_FIELDS = 5  # compiled code returns a tuple of fixed length in a tenth of an array's time


class FieldNames:
    """At most five field names to find, lower-case and ASCII."""

    def __init__(self, *names: str) -> None:
        self.table = np.zeros((_FIELDS, max(map(len, names))), dtype=np.uint8)
        self.lengths = np.full(_FIELDS, -1, dtype=np.int64)
        for number, name in enumerate(names):
            self.lengths[number] = len(name)
            self.table[number, : len(name)] = list(name.encode("ascii"))


def plain_header(data: bytes, start: int, end: int, names: FieldNames) -> tuple[int, ...]:
    """Find some fields of the header whose first line begins at `start`.

    Returns:
        Twelve numbers: the end of the header's last line, and the position behind its blank line;
        then for each name the start and the end of its value, with the spaces around it, or -1
        twice where the field is missing. The first number is -1 for a header that is not plain:
        it has no blank line before `end`, a folded line, a name with a space or another character
        that names cannot have, a page that begins without a blank line ("<"), one of the names
        twice, or one with a value that is not ASCII.
    """
    return _find(data, start, end, names.table, names.lengths)


def plain_values(data: bytes, places: Sequence[int], names: Sequence[str]) -> dict[str, str | None]:
    """Return values by name; None for a missing field.

    Args:
        places: Start and end of each, as `plain_header` returns them.
    """
    values: dict[str, str | None] = {}
    at = 0
    for name in names:
        begin = places[at]
        values[name] = None if begin < 0 else data[begin : places[at + 1]].decode("ascii").strip()
        at += 2
    return values


@compiled
def _find(
    data: bytes, start: int, end: int, table: UInt8Array, lengths: Int64Array
) -> tuple[int, ...]:
    data, table = uncounted(data), uncounted(table)
    places = np.full(2 + 2 * _FIELDS, -1, dtype=np.int64)
    at = start
    while at < end:
        line = at
        while at < end and data[at] == _RETURN:
            at += 1
        if at < end and data[at] == _LINE_FEED:
            places[0], places[1] = line, at + 1
            break
        at = line
        first = data[at]
        is_odd = False
        while at < end and data[at] != _COLON and data[at] != _LINE_FEED:
            is_odd |= data[at] <= _SPACE or data[at] >= _DELETE
            at += 1
        if at == end or first in (_LESS, _SPACE, _TAB):
            break
        if data[at] == _COLON:
            if is_odd:
                break
            field = -1
            for name in range(_FIELDS):
                if at - line == lengths[name] and _is_name(data, line, table[name]):
                    field = name
            value = at + 1
            is_high = False
            while at < end and data[at] != _LINE_FEED:
                is_high |= data[at] >= _DELETE
                at += 1
            if field >= 0:
                if at == end or is_high or places[2 + 2 * field] >= 0:
                    break
                places[2 + 2 * field], places[3 + 2 * field] = value, at
        at += 1
    return (
        places[0],
        places[1],
        places[2],
        places[3],
        places[4],
        places[5],
        places[6],
        places[7],
        places[8],
        places[9],
        places[10],
        places[11],
    )


@compiled
def _is_name(data: bytes, at: int, name: UInt8Array) -> bool:
    """Whether a name is at a place, in upper or lower case."""
    for place in range(len(name)):
        if name[place] == 0:
            break
        byte = data[at + place]
        if _UPPER_A <= byte <= _UPPER_Z:
            byte |= _LOWER_CASE
        if byte != name[place]:
            return False
    return True


ARC_FIRST = b"filedesc://"
ARC_LINE = re.compile(
    rb"[a-zA-Z][a-zA-Z0-9+.-]{1,15}:[^\r\n]{0,8192} \S{1,64} \d{8,18}"  # URL, IP, date
    rb" [^\r\n]{1,512} -?\w{1,20}\r?\n"  # MIME type (and version 2's more), length
)


def arc_headers(line: bytes) -> dict[str, str] | None:
    """Convert an ARC record line to WARC header fields (lower-case names); None for another line.

    The first record, the file's own description, becomes a `warcinfo`; every other a
    `response`, as in warcio's conversion. `content-type` is that of the capture's HTTP
    message; the MIME type of the line is under `arc-content-type`.

    >>> arc_headers(b"http://a.cn/ 1.2.3.4 20080430204825 text/html 17\\n")["warc-date"]
    '2008-04-30T20:48:25Z'
    """
    if not ARC_LINE.fullmatch(line):
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    fields = text.rstrip("\r\n").rsplit(" ", 4)
    if len(fields) != 5:
        return None
    uri, address, stamp, mime, length = fields
    if not stamp.isdigit():  # version 2: ... date mime status checksum location offset file length
        fields = text.rstrip("\r\n").rsplit(" ", 9)
        if len(fields) != 10 or not fields[2].isdigit():
            return None
        uri, address, stamp, mime = fields[:4]
        length = fields[9]
    stamp = stamp[:14].ljust(14, "0")
    headers = {
        "warc-type": "response",
        "warc-target-uri": uri,
        "warc-ip-address": address,
        "warc-date": f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"
        f"T{stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]}Z",
        "content-type": "application/http; msgtype=response",
        "arc-content-type": mime,
        "content-length": length,
    }
    if uri.startswith(ARC_FIRST.decode("ascii")):
        headers["warc-type"] = "warcinfo"
        headers["warc-filename"] = headers.pop("warc-target-uri").removeprefix("filedesc://")
        headers["content-type"] = mime
    return headers
