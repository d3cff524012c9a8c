"""Find the tags of a page that image places are made of, and its visible text around them.

One compiled pass reads the page's bytes as a browser's tokenizer does: comments, scripts, raw text
and quoted values have no tags. A second one, over the significant tags alone, relates them: which
link, figure, picture or noscript an image is in. Both are linear in the page, whatever it has.

Source:
    HTML Standard, 13.2.5 (tokenization); of tree construction only what decides where text is raw:
    foreign content begins with svg or math, and ends with them or with an element of HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt64Array
from udfs.base.hash_table import find_value
from udfs.base.jit import compiled, copy_bytes, uncounted
from udfs.html.tokenizer import (
    after_declaration,
    find_byte,
    is_space,
    name_end,
    name_hash,
    name_key,
    next_attribute,
    place_after,
    raw_end,
    script_end,
)
from udfs.pairs.markup import (
    ANCHOR,
    ATTRIBUTE_TABLE,
    BREAKS,
    CAPTION,
    CELL,
    CSS,
    ELEMENTS,
    FIGURE,
    FOREIGN,
    IMAGE,
    INTEGRATES,
    KIND_MASK,
    LEAVES_FOREIGN,
    NEAR,
    NOSCRIPT,
    PLAIN,
    RAW,
    READ_ATTRIBUTES,
    SCRIPT,
    SVG_IMAGE,
    TEMPLATE,
)
from udfs.pairs.relations import longer, related_tags

_LESS, _GREATER, _SLASH, _EXCLAMATION, _QUESTION, _BRACKET, _OPEN = b"<>/!?[("
_A, _Z, _LOWER_CASE = 0x61, 0x7A, 0x20
_URL = (0x75, 0x72, 0x6C)
_STYLE = name_hash("style")
_NEAR_TAGS = 6  # after an image: those whose class may tell of a caption
LINE_BREAK, CELL_BREAK = 0x01, 0x09
"""In the text: where a line or a cell ends. A page's own line feeds are spaces."""
TAG_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class Scan:
    """What a page's bytes say of its images. Places are byte offsets.

    Attributes:
        entries: Significant tags in page order, shape (entries, ENTRY_COLUMNS), as
            `udfs.pairs.relations` describes the columns.
        attributes: Their attributes, shape (attributes, 3): its number, where its value begins
            and ends in the page; the first of each name.
        captions: Shape (captions, 5): number of the figure, begin and end in the text, and in the
            page.
        text: Visible text without tags, references not resolved.
        lines: Most lines that the text has.
        too_many: Images beyond the limit, which are not among the entries.
    """

    entries: Int64Array
    attributes: Int64Array
    captions: Int64Array
    text: UInt8Array
    lines: int
    too_many: int


def scan_page(page: bytes, max_images: int) -> Scan:
    """Read a page.

    Args:
        page: Valid UTF-8.
        max_images: Images beyond these are counted only.
    """
    tags, text, lines = _significant_tags(page, *ELEMENTS)
    found = related_tags(page, tags, *ATTRIBUTE_TABLE, READ_ATTRIBUTES, max_images)
    entries, attributes, captions, too_many = found
    return Scan(entries, attributes, captions, text, lines, too_many)


@compiled
def _significant_tags(
    page: bytes, names: UInt64Array, traits_of: Int32Array
) -> tuple[Int64Array, UInt8Array, int]:
    """Return the significant tags, the visible text, and the most lines that it has.

    Returns:
        Shape (tags, 5): kind, negative for an end tag; the end of the tag's name; the end of the
        tag; the end of its raw text; the length of the text before it.
    """
    page, names, traits_of = uncounted(page), uncounted(names), uncounted(traits_of)
    size = len(page)
    text = np.empty(size, dtype=np.uint8)
    tags = np.empty((64, TAG_COLUMNS), dtype=np.int64)
    count = at = copied = to = hidden = foreign = held = near = 0
    held_key = np.uint64(0)
    while True:
        at = find_byte(page, at, _LESS)
        if at + 2 >= size:
            break
        byte = page[at + 1]
        is_end = byte == _SLASH
        name_at = at + 1 + is_end
        is_tag = _A <= page[name_at] | _LOWER_CASE <= _Z
        if not (is_tag or is_end or byte in (_EXCLAMATION, _QUESTION)):
            at += 1  # a "<" of the text
            continue
        if hidden == 0 and copied < at:
            copy_bytes(text, to, page, copied, at - copied)
            to += at - copied
        if not is_tag:
            at = copied = _after_markup(page, at, foreign > 0)
            continue
        name_stop = name_end(page, name_at)
        key = name_key(page, name_at, name_stop)
        traits = max(0, find_value(names, traits_of, key))
        end, has_css = name_stop + 1, False
        if name_stop == size or page[name_stop] != _GREATER:
            end, has_css = _tag_end(page, name_stop)
        if end == 0:
            copied = size  # the page's end cuts a tag, which is none
            break
        before = to
        if hidden == 0 and traits & (BREAKS | CELL):
            text[to] = LINE_BREAK if traits & BREAKS else CELL_BREAK
            to += 1
        stop, kind = end, traits & KIND_MASK
        is_raw = traits & RAW and not is_end and foreign == 0
        if foreign > 0 or held > 0 or traits & FOREIGN:
            foreign, held, held_key = _foreign_depth(
                page, traits, is_end, foreign, held, held_key, end, key
            )
        if kind == SVG_IMAGE and foreign == 0:
            kind = IMAGE  # "image" is another name of img
        if kind in (NOSCRIPT, TEMPLATE):
            hidden = max(0, hidden + (-1 if is_end else 1))
        if is_raw:
            stop = _raw_end(page, end, kind, name_at, name_stop)
        if not is_end:
            if kind == PLAIN and has_css:
                kind = CSS
            elif kind == PLAIN and near > 0 and end > name_stop + 1:
                kind = NEAR
            near = _NEAR_TAGS if kind in (IMAGE, SVG_IMAGE) else near - 1
        if kind != PLAIN:
            if count + 2 > len(tags):
                tags = longer(tags)
            tags[count, 0], tags[count, 1] = -kind if is_end else kind, name_stop
            tags[count, 2], tags[count, 3] = end, stop
            tags[count, 4] = before if is_end else to
            count += 1
            if has_css and not is_end and kind in (ANCHOR, FIGURE, CAPTION):
                tags[count] = tags[count - 1]
                tags[count, 0], count = CSS, count + 1
        at = copied = stop
    if hidden == 0 and copied < size:
        copy_bytes(text, to, page, copied, size - copied)
        to += size - copied
    return tags[:count], text[:to], _lines_of(text[:to])


@compiled
def _raw_end(page: bytes, at: int, kind: int, name_at: int, name_stop: int) -> int:
    """Return the end of the raw text of an element, given where its name is."""
    if kind == SCRIPT:
        return script_end(page, at)
    return raw_end(page, at, name_at, name_stop - name_at)


@compiled
def _lines_of(text: UInt8Array) -> int:
    """Count the lines of a visible text. Not only tags end one: a page may have the byte itself."""
    lines = 1
    for byte in text:
        lines += byte == LINE_BREAK
    return lines


@compiled
def _after_markup(page: bytes, at: int, is_foreign: bool) -> int:
    """Return the end of a comment, a doctype, or what a browser treats as a comment."""
    size = len(page)
    if page[at + 1] == _EXCLAMATION and page[at + 2] == _BRACKET:
        if not is_foreign:
            return place_after(page, at + 2, _GREATER)
        at += 3
        while at + 2 < size and not (
            page[at] == page[at + 1] == _BRACKET + 2 and page[at + 2] == _GREATER
        ):
            at += 1
        return min(at + 3, size)
    if page[at + 1] == _SLASH:
        return place_after(page, at + 2, _GREATER)
    return after_declaration(page, at)


@compiled
def _foreign_depth(
    page: bytes,
    traits: int,
    is_end: bool,
    depth: int,
    held: int,
    held_key: np.uint64,
    end: int,
    key: np.uint64,
) -> tuple[int, int, np.uint64]:
    """Follow foreign content across a tag.

    Returns:
        How many svg and math elements are open; how many are around an element of theirs that has
        HTML in it, such as a title; and that element's name.
    """
    page = uncounted(page)
    if traits & FOREIGN:
        if not is_end:
            return depth + (page[end - 2] != _SLASH), held, held_key
        if depth == 0 and held > 0:
            return held - 1, 0, held_key
        return max(0, depth - 1), held, held_key
    if is_end:
        if depth == 0 and held > 0 and key == held_key:
            return held, 0, held_key
        return depth, held, held_key
    if depth > 0 and traits & INTEGRATES and page[end - 2] != _SLASH:
        return 0, depth, key
    if depth > 0 and traits & LEAVES_FOREIGN:
        return 0, held, held_key
    return depth, held, held_key


@compiled
def _tag_end(page: bytes, at: int) -> tuple[int, bool]:
    """Return the end of a tag whose name ends at a place, 0 where the page's end cuts it; and
    whether its style attribute has "url("."""
    page = uncounted(page)
    size = len(page)
    has_css = False
    while at < size:
        byte = page[at]
        if byte == _GREATER:
            return at + 1, has_css
        if byte == _SLASH or is_space(byte):
            at += 1
            continue
        name_at = at
        name_stop, _, end, begin, at = next_attribute(page, name_at)
        if at > size:
            break
        if name_stop - name_at == 5 and page[name_at] | _LOWER_CASE == 0x73:
            is_style = name_key(page, name_at, name_stop) == np.uint64(_STYLE)
            has_css |= is_style and _holds_url(page, begin, end)
    return 0, False


@compiled
def _holds_url(page: bytes, begin: int, end: int) -> bool:
    """Whether a value has "url(", in upper or lower case."""
    for at in range(begin, end - 3):
        if (
            page[at + 3] == _OPEN
            and page[at] | _LOWER_CASE == _URL[0]
            and page[at + 1] | _LOWER_CASE == _URL[1]
            and page[at + 2] | _LOWER_CASE == _URL[2]
        ):
            return True
    return False
