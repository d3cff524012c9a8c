"""The image places of a page that need no Python object: decided by one compiled loop.

These are most images and CSS backgrounds: their addresses are plain, nothing else may be the same
place, and their texts are stored as they are written. `udfs.pairs.drafts` reads the other entries.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt64Array
from udfs.base.hash_table import find_value, hash_map
from udfs.base.jit import compiled, uncounted
from udfs.html.tokenizer import name_hash, name_key
from udfs.pairs.markup import (
    ANCHOR,
    BASE,
    CSS,
    IMAGE,
    INPUT,
    LAZY_SOURCES,
    LAZY_SRCSETS,
    LINK,
    META,
    NUMBERS,
    SCRIPT,
    VIDEO,
    WEAK_SOURCES,
)
from udfs.pairs.plain_values import (
    ABSENT,
    AMPERSANDS,
    IS_PLACEHOLDER,
    SLOW,
    SLOW_NUMBER,
    address_recipe,
    is_blank,
    largest_candidate,
    line_recipe,
    pixels,
    placeholder_kind,
    references,
)
from udfs.pairs.relations import FIRST, FLAGS, IN_NOSCRIPT, IN_PICTURE, KIND, LAST, longer
from udfs.pairs.rows import (
    ACCEPTED,
    ALT,
    ATTRIBUTE,
    CSS_NUMBER,
    HEIGHT,
    NOT_PLAIN,
    NOTHING,
    OF_PLACEHOLDER,
    REFUSED,
    ROW_COLUMNS,
    TITLE,
    URL,
    URL_WRITTEN,
    WIDTH,
    new_row,
    put_span,
)
from udfs.pairs.structured import META_ATTRIBUTES, META_PROPERTIES, SITE_NAMES

_SRC, _SRCSET, _ALT, _TITLE, _WIDTH, _HEIGHT, _STYLE = (
    NUMBERS[name] for name in ("src", "srcset", "alt", "title", "width", "height", "style")
)
_TYPE, _REL, _CONTENT, _NAME, _PROPERTY, _ITEMPROP, _POSTER = (
    NUMBERS[name] for name in ("type", "rel", "content", "name", "property", "itemprop", "poster")
)
_SRCSETS, _LAZY, _WEAK = (NUMBERS[s[0]] for s in (LAZY_SRCSETS, LAZY_SOURCES, WEAK_SOURCES))
_AFTER_LAZY = _LAZY + len(LAZY_SOURCES)
_SLASH, _DOT, _COLON, _PLUS, _MINUS, _OPEN, _CLOSE = b"/.:+-()"
_QUOTE, _APOSTROPHE, _LOWER_CASE, _A, _Z = 0x22, 0x27, 0x20, 0x61, 0x7A
_U, _R, _L, _I, _B, _UNDERSCORE = b"urlib_"
_BACKGROUND, _BACKGROUND_IMAGE = name_hash("background"), name_hash("background-image")
_AMPERSAND, _QUOTE_REFERENCE, _REFERENCE_BYTES = 0x26, tuple(b"&quot;"), 6
_MAX_NAME_BYTES = 64  # of a meta element that may have other characters than ASCII
_NAMES = sorted({*META_ATTRIBUTES, *META_PROPERTIES, *SITE_NAMES})
META_TABLE: tuple[UInt64Array, Int32Array] = hash_map(
    np.array([name_hash(name) for name in _NAMES], dtype=np.uint64),
    np.ones(len(_NAMES), dtype=np.int32),
)
"""Names of meta elements that say something of images, by their `name_hash`."""


@compiled
def plain_rows(
    page: bytes,
    entries: Int64Array,
    attributes: Int64Array,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    words: UInt64Array,
    words_found: Int32Array,
    names: UInt64Array,
    codes: Int32Array,
    metas: UInt64Array,
    metas_found: Int32Array,
) -> tuple[Int64Array, Int64Array]:
    """Return the rows of plain places, and the entries that are to be read.

    Args:
        entries: And attributes, of `udfs.pairs.page_scan.Scan`.
        prefix: And prefixes, of `udfs.pairs.addresses.base_prefixes`.
    Returns:
        Rows as `udfs.pairs.rows` describes them, shape (rows, ROW_COLUMNS); for each other entry
        its number and the rows before it, shape (others, 2).
    """
    page, entries, attributes = uncounted(page), uncounted(entries), uncounted(attributes)
    near = _beside_noscripts(entries)
    rows = np.empty((32, ROW_COLUMNS), dtype=np.int64)
    others = np.empty((32, 2), dtype=np.int64)
    count = other = 0
    for number in range(len(entries)):
        kind, first, last = entries[number, KIND], entries[number, FIRST], entries[number, LAST]
        if kind in (ANCHOR, BASE):
            continue
        before = count
        is_simple = not near[number] and entries[number, FLAGS] == 0
        if kind == IMAGE and is_simple and entries[number, IN_PICTURE] < 0:
            if count == len(rows):
                rows = longer(rows)
            new_row(rows, count, number)
            count += _is_plain_image(
                page, attributes, first, last, prefix, prefixes, max_bytes, kinds, words,
                words_found, names, codes, rows, count,
            )  # fmt: skip
            if count > before:
                continue
        elif kind == CSS and is_simple:
            rows, count, is_plain = _with_style(
                page, attributes, first, last, prefix, prefixes, max_bytes, kinds, words,
                words_found, names, codes, rows, count, number,
            )  # fmt: skip
            if is_plain:
                continue
            count = before
        elif not _matters(page, attributes, kind, first, last, metas, metas_found):
            continue
        if other == len(others):
            others = longer(others)
        others[other, 0], others[other, 1] = number, count
        other += 1
    return rows[:count], others[:other]


@compiled
def _beside_noscripts(entries: Int64Array) -> UInt8Array:
    """Flag images in a noscript, and what stands before and behind one: both may be one place."""
    near = np.zeros(len(entries), dtype=np.uint8)
    for number in range(len(entries)):
        if entries[number, KIND] != IMAGE or not entries[number, FLAGS] & IN_NOSCRIPT:
            continue
        near[number] = 1
        for step in (-1, 1):
            at = number + step
            while 0 <= at < len(entries):
                near[at] = 1
                if entries[at, KIND] == IMAGE:
                    break
                at += step
    return near


@compiled
def _is_plain_image(
    page: bytes,
    attributes: Int64Array,
    first: int,
    last: int,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    words: UInt64Array,
    words_found: Int32Array,
    names: UInt64Array,
    codes: Int32Array,
    rows: Int64Array,
    row: int,
) -> bool:
    """Fill a row with an image, as `udfs.pairs.choice.image_address` chooses its address; return
    whether it is plain."""
    src, srcset, lazy, has_lazy = -1, -1, _AFTER_LAZY, False
    for at in range(first, last):
        number = attributes[at, 0]
        if _SRCSETS <= number < _LAZY or number >= _WEAK:
            return False
        begin, end = attributes[at, 1], attributes[at, 2]
        if number == _SRC:
            src = at
        elif number == _SRCSET:
            srcset = at
        elif number >= _LAZY:
            lazy, has_lazy = min(lazy, number), True
        elif number in (_ALT, _TITLE):
            begin, end, recipe = line_recipe(page, begin, end, names, codes)
            put_span(rows, row, ALT if number == _ALT else TITLE, begin, end, recipe)
        elif number in (_WIDTH, _HEIGHT):
            size = pixels(page, begin, end)
            if size == SLOW_NUMBER:
                return False
            rows[row, WIDTH if number == _WIDTH else HEIGHT] = size
    if srcset >= 0:
        has_lazy = True
        begin, end, recipe = largest_candidate(page, attributes[srcset, 1], attributes[srcset, 2])
        refused = NOT_PLAIN if recipe == SLOW else NOTHING
        if recipe == 0:
            refused = _put_address(
                page, begin, end, prefix, prefixes, max_bytes, kinds, words, words_found, rows,
                row, False,
            )  # fmt: skip
        rows[row, ATTRIBUTE] = _SRCSET
        if refused in (ACCEPTED, NOT_PLAIN):
            return refused == ACCEPTED
    while lazy < _AFTER_LAZY:
        following = _AFTER_LAZY
        for at in range(first, last):
            number = attributes[at, 0]
            if number == lazy:
                refused = _put_address(
                    page, attributes[at, 1], attributes[at, 2], prefix, prefixes, max_bytes,
                    kinds, words, words_found, rows, row, True,
                )  # fmt: skip
                rows[row, ATTRIBUTE] = number
                if refused in (ACCEPTED, NOT_PLAIN):
                    return refused == ACCEPTED
            elif lazy < number < following:
                following = number
        lazy = following
    if src < 0:
        rows[row, REFUSED] = NOTHING
        return not has_lazy
    rows[row, ATTRIBUTE] = _SRC
    rows[row, REFUSED] = _put_address(
        page, attributes[src, 1], attributes[src, 2], prefix, prefixes, max_bytes, kinds, words,
        words_found, rows, row, False,
    )  # fmt: skip
    return bool(rows[row, REFUSED] != NOT_PLAIN)


@compiled
def _put_address(
    page: bytes,
    begin: int,
    end: int,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    words: UInt64Array,
    words_found: Int32Array,
    rows: Int64Array,
    row: int,
    is_lazy: bool,
) -> int:
    """Store an address and its URL; return ACCEPTED, or why it is refused."""
    begin, end, start, recipe = address_recipe(page, begin, end, prefix, prefixes, max_bytes, kinds)
    if recipe == SLOW:
        return NOT_PLAIN
    if recipe == ABSENT or (is_lazy and not _has_slash_or_dot(page, begin, end)):
        return NOTHING
    kind = placeholder_kind(page, begin, end, words, words_found)
    if kind == SLOW:
        return NOT_PLAIN
    if kind == IS_PLACEHOLDER:
        return OF_PLACEHOLDER
    put_span(rows, row, URL, start, end, recipe)
    put_span(rows, row, URL_WRITTEN, begin, end, recipe & AMPERSANDS)
    return ACCEPTED


@compiled
def _has_slash_or_dot(page: bytes, begin: int, end: int) -> bool:
    at = begin
    while at < end and page[at] != _SLASH and page[at] != _DOT:
        at += 1
    return at < end


@compiled
def _with_style(
    page: bytes,
    attributes: Int64Array,
    first: int,
    last: int,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
    words: UInt64Array,
    words_found: Int32Array,
    names: UInt64Array,
    codes: Int32Array,
    rows: Int64Array,
    count: int,
    entry: int,
) -> tuple[Int64Array, int, bool]:
    """Append the backgrounds of a style attribute; return the rows, their number, and whether all
    are plain."""
    at = end = title = -1
    for place in range(first, last):
        if attributes[place, 0] == _STYLE:
            at, end = attributes[place, 1], attributes[place, 2]
        elif attributes[place, 0] == _TITLE:
            title = place
    if not _is_plain_style(page, at, end):
        return rows, count, False
    is_background = False
    while True:
        at, begin, stop, is_background = next_background(page, at, end, is_background)
        if begin < 0:
            return rows, count, True
        if count == len(rows):
            rows = longer(rows)
        new_row(rows, count, entry)
        refused = _put_address(
            page, begin, stop, prefix, prefixes, max_bytes, kinds, words, words_found, rows, count,
            False,
        )  # fmt: skip
        if refused == NOT_PLAIN:
            return rows, count, False
        rows[count, REFUSED] = refused
        rows[count, ATTRIBUTE] = CSS_NUMBER
        if title >= 0:
            begin, stop, recipe = line_recipe(
                page, attributes[title, 1], attributes[title, 2], names, codes
            )
            put_span(rows, count, TITLE, begin, stop, recipe)
        count += 1


@compiled
def _is_plain_style(page: bytes, begin: int, end: int) -> bool:
    """Whether a style attribute is of ASCII, and has no reference but "&quot;"."""
    first = begin
    for at in range(begin, end):
        if page[at] >= 0x80:
            return False
        if at >= first and _quote_bytes(page, at, end) == _REFERENCE_BYTES:
            if references(page, first, at):
                return False
            first = at + _REFERENCE_BYTES
    return references(page, first, end) == 0


@compiled
def _quote_bytes(page: bytes, at: int, end: int) -> int:
    """Return the bytes of a double quote, written as such or as "&quot;"; 0 for something else."""
    if page[at] == _QUOTE:
        return 1
    if page[at] != _AMPERSAND or at + _REFERENCE_BYTES > end:
        return 0
    for place in range(_REFERENCE_BYTES):
        if page[at + place] != _QUOTE_REFERENCE[place]:
            return 0
    return _REFERENCE_BYTES


@compiled
def next_background(
    page: bytes, at: int, end: int, is_background: bool
) -> tuple[int, int, int, bool]:
    """Return what follows the next background of a style attribute, begin and end of its address,
    -1 without another one, and whether its property goes on; as `udfs.pairs.drafts.backgrounds`."""
    while at < end:
        run = at
        while at < end and (_A <= page[at] | _LOWER_CASE <= _Z or page[at] == _MINUS):
            at += 1
        if at == run:
            at += 1
            continue
        stop = at
        while at < end and is_blank(page[at]):
            at += 1
        if at < end and page[at] == _COLON:
            is_background = False
            if page[run] | _LOWER_CASE == _B:
                name = name_key(page, run, stop)
                is_background = name == np.uint64(_BACKGROUND) or name == np.uint64(
                    _BACKGROUND_IMAGE
                )
            at += 1
            continue
        at = stop
        if not (stop < end and page[stop] == _OPEN and stop - run >= 3):
            continue
        if (
            page[stop - 3] | _LOWER_CASE != _U
            or page[stop - 2] | _LOWER_CASE != _R
            or page[stop - 1] | _LOWER_CASE != _L
        ):
            continue
        begin, value_end, after = _css_address(page, stop + 1, end)
        if after < 0:
            break  # no parenthesis closes this one, or a later one
        at = after
        if is_background:
            return at, begin, value_end, is_background
    return end, -1, -1, is_background


@compiled
def _css_address(page: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return begin and end of the address behind "url(", and what follows; -1 without an end."""
    while at < end and is_blank(page[at]):
        at += 1
    quote = _quote_bytes(page, at, end) if at < end else 0
    if at < end and (quote or page[at] == _APOSTROPHE):
        begin = at + max(1, quote)
        close = begin
        if quote:
            while close < end and not _quote_bytes(page, close, end):
                close += 1
            after = close + _quote_bytes(page, close, end) if close < end else end
        else:
            while close < end and page[close] != _APOSTROPHE:
                close += 1
            after = close + 1
        while after < end and is_blank(page[after]):
            after += 1
        if after < end and page[after] == _CLOSE:
            return begin, close, after + 1
    close = at
    while close < end and page[close] != _CLOSE:
        close += 1
    return at, close, close + 1 if close < end else -1


@compiled
def _matters(
    page: bytes,
    attributes: Int64Array,
    kind: int,
    first: int,
    last: int,
    metas: UInt64Array,
    metas_found: Int32Array,
) -> bool:
    """Whether an entry that is no plain place may say something of images."""
    if kind not in (META, LINK, SCRIPT, INPUT, VIDEO):
        return True
    is_named = has_content = False
    for at in range(first, last):
        number, begin, end = attributes[at, 0], attributes[at, 1], attributes[at, 2]
        if kind == META:
            if number == _CONTENT:
                has_content = True
            elif not is_named:
                is_named = _is_meta(page, begin, end, metas, metas_found)
        elif kind == LINK:
            if number == _ITEMPROP:
                return True
            if number == _REL:
                for place in range(begin, end):  # image_src
                    if page[place] == _UNDERSCORE:
                        return True
        elif kind == SCRIPT:
            for place in range(begin, end):  # application/ld+json
                if page[place] == _PLUS:
                    return True
        elif kind == VIDEO:
            if number == _POSTER and end > begin:
                return True
        elif number == _TYPE:
            while begin < end and is_blank(page[begin]):
                begin += 1
            if begin < end and page[begin] | _LOWER_CASE == _I:
                return True
    return is_named and has_content


@compiled
def _is_meta(
    page: bytes, begin: int, end: int, metas: UInt64Array, metas_found: Int32Array
) -> bool:
    """Whether a name is one of META_TABLE, or may be one as it is not of ASCII."""
    while begin < end and is_blank(page[begin]):
        begin += 1
    while begin < end and is_blank(page[end - 1]):
        end -= 1
    if end - begin <= _MAX_NAME_BYTES:
        for at in range(begin, end):
            if page[at] >= 0x80:
                return True
    return find_value(metas, metas_found, name_key(page, begin, end)) >= 0
