"""Charset labels of a page (HTTP header, meta element, XML declaration), and their codecs."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from resiliparse.parse.encoding import map_encoding_to_html5

# Labels name subsets of the charset that pages use: a page labelled gb2312 uses GB18030.
_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs"}
# Labels seen on Chinese pages that the WHATWG table does not have.
_EXTRA_LABELS = {
    "cp936": "gb18030", "ms936": "gb18030", "windows-936": "gb18030", "euc-cn": "gb18030",
    "gb-18030": "gb18030", "gb-2312": "gb18030", "x-euc-cn": "gb18030", "gb18030-2000": "gb18030",
    "cp950": "big5hkscs", "ms950": "big5hkscs", "windows-950": "big5hkscs", "big-5": "big5hkscs",
    "big5-eten": "big5hkscs", "hz-gb-2312": "hz", "hz": "hz", "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be", "utf_8": "utf-8", "utf8mb4": "utf-8", "utf-8n": "utf-8",
    "cp949": "cp949", "ms949": "cp949", "uhc": "cp949",
}  # fmt: skip
HEAD_BYTES = 4096
"""Bytes in which labels are searched; the standard has 1,024, but pages have scripts first."""
# For a head in lower case: a pattern that ignores case takes 10 times as long.
_META = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([a-z0-9_.:\-]+)")
_XML = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([a-z0-9_.:\-]+)")

_MAX_LABEL_CHARS = 40  # a header may hold anything


@dataclass(frozen=True)
class Label:
    """One charset label of a page.

    Attributes:
        step: Its place: http, meta or xml.
        name: The label, cleaned, in lower case.
        codec: Its Python codec; None for a label that no page may be decoded with.
    """

    step: str
    name: str
    codec: str | None


def page_labels(payload: bytes, declared: str | None) -> list[Label]:
    """Return the labels of a page and its HTTP header, strongest first."""
    head = payload[:HEAD_BYTES]
    if b"\0" in head:  # without zero bytes the markup of UTF-16 is ASCII, and has labels
        head = head.translate(None, b"\0")
    return _labels(head, declared)


@lru_cache(maxsize=256)  # pages repeat a few dozen labels
def canonical_codec(label: str | None) -> str | None:
    """Return the Python codec of a charset label; None when no page may be decoded with it.

    >>> canonical_codec(" GB2312 "), canonical_codec("Big5"), canonical_codec("rot13")
    ('gb18030', 'big5hkscs', None)
    """
    key = _clean_label(label)
    known = _EXTRA_LABELS.get(key)
    if known is not None:
        return known
    mapped = map_encoding_to_html5(key, fallback_utf8=False)
    if mapped is None:
        return None
    try:
        name = codecs.lookup(mapped).name
    except LookupError:
        return None
    return _SUPERSETS.get(name, name)


def _clean_label(label: str | None) -> str:
    return (label or "").strip().strip("\"';").strip().lower()


def _labels(head: bytes, declared: str | None) -> list[Label]:
    """Return the labels in a head and in the HTTP header, strongest first."""
    sources: list[tuple[str, str | None]] = [("http", declared)]
    head = head.lower()
    for step, match in (("meta", _META.search(head)), ("xml", _XML.match(head))):
        sources.append((step, match.group(1).decode("ascii") if match else None))
    found = []
    for step, label in sources:
        name = _clean_label(label)[:_MAX_LABEL_CHARS].encode("ascii", "replace").decode("ascii")
        if name:
            found.append(Label(step, name, canonical_codec(name)))
    return found
