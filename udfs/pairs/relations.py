"""Relate the significant tags of a page: each image to its link, figure, picture and noscript.

Columns of an entry: its kind (`udfs.pairs.markup`); its first attribute, and the one behind its
last; the length of the visible text before it; the entry of the link around it; the number of its
figure; of its picture; whether it is in a noscript (1) or a template (2); the begin and end of a
script's content. -1 where there is none.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt64Array
from udfs.base.hash_table import find_value
from udfs.base.jit import compiled, uncounted
from udfs.html.tokenizer import is_space, name_key, next_attribute
from udfs.pairs.markup import (
    ANCHOR,
    BASE,
    CAPTION,
    CSS,
    FIGURE,
    IMAGE,
    INPUT,
    LINK,
    META,
    NEAR,
    NOSCRIPT,
    PICTURE,
    SCRIPT,
    SOURCE,
    SVG_IMAGE,
    TEMPLATE,
    VIDEO,
)

(
    KIND, FIRST, LAST, TEXT, IN_LINK, IN_FIGURE, IN_PICTURE, FLAGS, BEGIN, END,
) = range(10)  # fmt: skip
ENTRY_COLUMNS = 10
IN_NOSCRIPT, IN_TEMPLATE = 1, 2
_GREATER, _SLASH, _MINUS, _UNDERSCORE = b">/-_"
_CAP, _TUZ, _TUP, _IMG, _IMA, _PIC, _PHO, _FIG = (
    int.from_bytes(of, "big")
    for of in (b"cap", b"tuz", b"tup", b"img", b"ima", b"pic", b"pho", b"fig")
)
_DEEPEST = 64  # figures inside each other; deeper ones are not related
_LINK_BYTES = 1000  # of text before an image in a link: a longer link was never closed
_NEAR_BYTES = 600  # of text between an image and its caption
# Rows of the state between two tags.
_LINK_TAG, _LINK_ENTRY, _LINK_TEXT, _FIGURES, _DEPTH, _PICTURE, _PICTURES = range(7)
_NOSCRIPTS, _TEMPLATES, _CAPTION_FIGURE, _CAPTION_TEXT, _LAST_IMAGE, _CAPTION_BEGIN = range(7, 13)
_STACK = 13
_HREF_BYTES, _CLASS_BYTES = 4, 5  # of the only attributes of links and of what follows images


@compiled
def related_tags(
    page: bytes,
    tags: Int64Array,
    names: UInt64Array,
    numbers: Int32Array,
    read_attributes: Int64Array,
    max_images: int,
) -> tuple[Int64Array, Int64Array, Int64Array, int]:
    """Return entries, their attributes, captions, and the number of images beyond the limit."""
    page, tags, names = uncounted(page), uncounted(tags), uncounted(names)
    numbers, read_attributes = uncounted(numbers), uncounted(read_attributes)
    entries = np.empty((16, ENTRY_COLUMNS), dtype=np.int64)
    attributes = np.empty((64, 3), dtype=np.int64)
    captions = np.empty((4, 5), dtype=np.int64)
    state = np.zeros(_STACK + _DEEPEST, dtype=np.int64)
    state[_LINK_TAG] = state[_PICTURE] = state[_CAPTION_FIGURE] = -1
    state[_LAST_IMAGE] = -_NEAR_BYTES - 1
    seen = np.full(64, -1, dtype=np.int64)  # the entry that had an attribute last
    count = used = images = caption_count = too_many = 0
    for tag in range(len(tags)):
        kind, is_end, text = abs(tags[tag, 0]), tags[tag, 0] < 0, tags[tag, 4]
        if kind == ANCHOR:
            state[_LINK_TAG] = -1 if is_end else tag
            state[_LINK_TEXT], state[_LINK_ENTRY] = text, -1
            continue
        if kind != NEAR and _moves_state(state, kind, is_end, text, tags[tag, 2]):
            if caption_count == len(captions):
                captions = longer(captions)
            captions[caption_count, 0] = state[_CAPTION_FIGURE]
            captions[caption_count, 1], captions[caption_count, 2] = state[_CAPTION_TEXT], text
            captions[caption_count, 3] = state[_CAPTION_BEGIN]
            captions[caption_count, 4] = tags[tag, 1]
            state[_CAPTION_FIGURE] = -1
            caption_count += 1
        if is_end or not _is_entry(state, kind, text):
            continue
        is_image = kind in (IMAGE, SVG_IMAGE, INPUT, VIDEO, CSS)
        if kind in (IMAGE, SVG_IMAGE, CSS):
            images += 1
            if images > max_images:
                too_many += 1
                continue
        if count + 2 > len(entries):
            entries = longer(entries)
        if is_image and _is_linked(state, text):
            if state[_LINK_ENTRY] < 0:
                state[_LINK_ENTRY] = count
                begin = tags[state[_LINK_TAG], 1]
                _put_entry(entries, count, ANCHOR, used, state, text)
                attributes, used = _read_attributes(
                    page, begin, attributes, used, seen, count, names, numbers,
                    read_attributes[ANCHOR], _HREF_BYTES,
                )  # fmt: skip
                entries[count, LAST] = used
                count += 1
        elif is_image:
            state[_LINK_ENTRY] = -1
        _put_entry(entries, count, kind, used, state, text)
        attributes, used = _read_attributes(
            page, tags[tag, 1], attributes, used, seen, count, names, numbers,
            read_attributes[kind], _CLASS_BYTES if kind == NEAR else 0,
        )  # fmt: skip
        entries[count, LAST] = used
        if kind == NEAR and not _may_be_caption(page, attributes, entries[count, FIRST], used):
            if used > entries[count, FIRST]:
                used = entries[count, FIRST]
                seen[attributes[used, 0]] = -1
            continue
        entries[count, BEGIN], entries[count, END] = tags[tag, 2], tags[tag, 3]
        count += 1
        if is_image:
            state[_LAST_IMAGE] = text
    return entries[:count], attributes[:used], captions[:caption_count], too_many


@compiled
def _may_be_caption(page: bytes, attributes: Int64Array, first: int, last: int) -> bool:
    """Whether a class has the beginning of a word of `udfs.pairs.texts.is_caption_class`; behind a
    word for an image, one letter of the next."""
    if first == last:
        return False
    page = uncounted(page)
    end = attributes[first, 2]
    for at in range(attributes[first, 1], min(end, len(page) - 2)):
        letters = (page[at] | 0x20) << 16 | (page[at + 1] | 0x20) << 8 | page[at + 2] | 0x20
        if letters in (_CAP, _TUZ, _TUP):
            return True
        if letters == _IMG and _names_text(page, at + 3, end):
            return True
        if letters in (_IMA, _PHO) and _names_text(page, at + 5, end):
            return True
        if letters == _FIG and _names_text(page, at + 6, end):
            return True
        if letters == _PIC and (_names_text(page, at + 3, end) or _names_text(page, at + 7, end)):
            return True
    return False


@compiled
def _names_text(page: bytes, at: int, end: int) -> bool:
    """Whether desc, info, text, title, word, note, explain, remark, source or content may follow
    a word for an image."""
    if at < end and page[at] in (_MINUS, _UNDERSCORE):
        at += 1
    if at >= end:
        return False
    letter = page[at] | 0x20
    return page[at] >= 0x80 or letter in (0x64, 0x69, 0x74, 0x77, 0x6E, 0x65, 0x72, 0x73, 0x63)


@compiled
def longer(rows: Int64Array) -> Int64Array:
    """Return rows with as much space again behind them."""
    more = np.empty((2 * len(rows), rows.shape[1]), dtype=np.int64)
    more[: len(rows)] = rows
    return more


@compiled
def _moves_state(state: Int64Array, kind: int, is_end: bool, text: int, end: int) -> bool:
    """Follow figures, pictures and noscripts; whether a figure's caption ends here."""
    if kind == FIGURE:
        if not is_end:
            if state[_DEPTH] < _DEEPEST:
                state[_STACK + state[_DEPTH]] = state[_FIGURES]
            state[_FIGURES] += 1
            state[_DEPTH] += 1
        elif state[_DEPTH] > 0:
            state[_DEPTH] -= 1
            return bool(state[_CAPTION_FIGURE] >= 0)
    elif kind == CAPTION:
        if is_end:
            return bool(state[_CAPTION_FIGURE] >= 0)
        state[_CAPTION_FIGURE], state[_CAPTION_TEXT] = _figure(state), text
        state[_CAPTION_BEGIN] = end
    elif kind == PICTURE:
        state[_PICTURE] = -1 if is_end else state[_PICTURES]
        state[_PICTURES] += not is_end
    elif kind == NOSCRIPT:
        state[_NOSCRIPTS] = max(0, state[_NOSCRIPTS] + (-1 if is_end else 1))
    elif kind == TEMPLATE:
        state[_TEMPLATES] = max(0, state[_TEMPLATES] + (-1 if is_end else 1))
    return False


@compiled
def _figure(state: Int64Array) -> int:
    """Return the number of the innermost open figure; -1 outside of figures."""
    depth = state[_DEPTH]
    return int(state[_STACK + depth - 1]) if 0 < depth <= _DEEPEST else -1


@compiled
def _is_linked(state: Int64Array, text: int) -> bool:
    return bool(state[_LINK_TAG] >= 0 and text - state[_LINK_TEXT] <= _LINK_BYTES)


@compiled
def _is_entry(state: Int64Array, kind: int, text: int) -> bool:
    """Whether a start tag becomes an entry."""
    if kind == NEAR:
        return bool(text - state[_LAST_IMAGE] <= _NEAR_BYTES)
    if kind == SOURCE:
        return bool(state[_PICTURE] >= 0)
    return kind in (IMAGE, SVG_IMAGE, INPUT, VIDEO, META, LINK, BASE, SCRIPT, CSS)


@compiled
def _put_entry(
    entries: Int64Array, count: int, kind: int, used: int, state: Int64Array, text: int
) -> None:
    entries[count, KIND], entries[count, FIRST], entries[count, TEXT] = kind, used, text
    entries[count, IN_LINK] = state[_LINK_ENTRY] if state[_LINK_TAG] >= 0 else -1
    entries[count, IN_FIGURE] = _figure(state)
    entries[count, IN_PICTURE] = state[_PICTURE]
    flags = IN_NOSCRIPT if state[_NOSCRIPTS] > 0 else 0
    entries[count, FLAGS] = flags | (IN_TEMPLATE if state[_TEMPLATES] > 0 else 0)
    entries[count, BEGIN] = entries[count, END] = -1


@compiled
def _read_attributes(
    page: bytes,
    at: int,
    attributes: Int64Array,
    used: int,
    seen: Int64Array,
    entry: int,
    names: UInt64Array,
    numbers: Int32Array,
    wanted: int,
    only_bytes: int,
) -> tuple[Int64Array, int]:
    """Append the wanted attributes of a tag whose name ends at a place; the first of each name.

    Args:
        wanted: Their numbers, as bits.
        only_bytes: Length of the name of the only one that is wanted; 0 for several.
    """
    size = len(page)
    while at < size and page[at] != _GREATER:
        if page[at] == _SLASH or is_space(page[at]):
            at += 1
            continue
        name_at = at
        name_end, begin, end, _, at = next_attribute(page, name_at)
        if only_bytes and name_end - name_at != only_bytes:
            continue
        number = find_value(names, numbers, name_key(page, name_at, name_end))
        if number >= 0 and wanted >> number & 1 and seen[number] != entry:
            seen[number] = entry
            if used == len(attributes):
                attributes = longer(attributes)
            attributes[used, 0], attributes[used, 1], attributes[used, 2] = number, begin, end
            used += 1
    return attributes, used
