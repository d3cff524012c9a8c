"""Texts of image places: references resolved, on one line; captions found beside an image."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5

MAX_TEXT_CHARS = 2000
"""The rest of a longer alt, title or caption is not kept."""
_MAX_CAPTION_CHARS, _MAX_MARKED_CHARS = 300, 100

_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*[;=]?)")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\ufeff\ufffe\uffff]+")
_CAPTION_CLASS = re.compile(
    r"caption|tuzhu|tupianshuoming|(?:img|image|pic|picture|photo|figure)[-_]?"
    r"(?:desc|info|te?xt|titl?e?|word|note|intro|name|explain|remark|source|con(?:tent)?\b)",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"[（(\[【]?\s*(?:[▲△↑]|图(?:\s*[0-9]|[:：]|[为片源说注示]|\s*[/／|｜]))"
    r"|.*(?:资料图|资料照片|示意图|供图|摄影|图源|图片来源|图片说明|(?<!统)摄[）)。\]】]?$)"
)
_BELOW = ("▼", "▽", "↓")


def _resolved(match: re.Match[str]) -> str:
    reference = match[0]
    if reference[1] == "#":
        return unescape(reference)
    # "?a=1&copy=2" and "&copying" have no reference.
    return unescape(reference) if reference[1:] in html5 else reference


def attribute_value(value: bytes) -> str:
    """Decode an attribute's value and resolve its character references.

    Source: HTML Standard, 13.2.5.73 (references in attributes).

    >>> attribute_value(b"a?b=1&copy=2&amp;c&lt;&#20013;")
    'a?b=1&copy=2&c<中'
    """
    text = value.decode("utf-8", "replace")
    return _REFERENCE.sub(_resolved, text) if "&" in text else text


def one_line(text: str) -> str:
    """Return a text on one line without control characters, cut at `MAX_TEXT_CHARS`."""
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return " ".join(text.split())[:MAX_TEXT_CHARS]


def visible_text(text: str) -> str:
    """Resolve the references of a page's text; line feeds stay."""
    return (unescape(text) if "&" in text else text).strip()


def is_caption_class(value: str) -> bool:
    """Whether a class is one of captions.

    >>> is_caption_class("news img_desc"), is_caption_class("picture")
    (True, False)
    """
    return _CAPTION_CLASS.search(value[:MAX_TEXT_CHARS]) is not None


def is_marked_caption(line: str) -> bool:
    """Whether a line behind an image says that it is the image's caption.

    >>> is_marked_caption("▲ 长江大桥"), is_marked_caption("新华社记者 李明 摄")
    (True, True)
    >>> is_marked_caption("图书馆今天开放"), is_marked_caption("统摄")
    (False, False)
    """
    if len(line) > _MAX_MARKED_CHARS:
        return False
    # Most lines have none of these.
    is_likely = "图" in line or "摄" in line or "照片" in line or line[:1] in "▲△↑（([【"
    return is_likely and _MARKED.match(line) is not None


def is_caption_of_next(line: str) -> bool:
    """Whether a line before an image says that it is the image's caption.

    >>> is_caption_of_next("▼现场照片")
    True
    """
    return line[:1] in _BELOW and len(line) <= _MAX_MARKED_CHARS


def caption_text(text: str) -> str:
    """Return a caption on one line; "" for one that is too long."""
    text = one_line(visible_text(text))
    return text if len(text) <= _MAX_CAPTION_CHARS else ""
