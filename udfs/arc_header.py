"""The record lines of ARC files (the format before WARC), told in WARC's words.

Written here and not read through warcio because warcio gives every ARC record a random
WARC-Record-ID, stops at the first bad line, and reads only from files it can hold as members.
Source: Internet Archive, "ARC File Format" 1.0 (five fields; version 2's ten are read by
their place from both ends).
"""

from __future__ import annotations

import re

ARC_FIRST = b"filedesc://"
ARC_LINE = re.compile(
    rb"[a-zA-Z][a-zA-Z0-9+.-]{1,15}:[^\r\n]{0,8192} \S{1,64} \d{8,18}"  # URL, IP, date
    rb" [^\r\n]{1,512} -?\w{1,20}\r?\n"  # MIME type (and version 2's more), length
)


def arc_headers(line: bytes) -> dict[str, str] | None:
    """WARC header fields (lower-case names) of an ARC record line; None when it is not one.

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
