"""Decide in compiled loops which attribute values need no work: texts, addresses, sizes.

Most values are stored as they are written, some with "&amp;" replaced or an origin before them.
Each function says so, or SLOW: then `udfs.pairs.texts`, `udfs.pairs.addresses` and
`udfs.pairs.structured`, whose results these are, read the value.
"""

from __future__ import annotations

import re
from html.entities import html5

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt8Array, UInt64Array
from udfs.base.hash_table import find_value, hash_map
from udfs.base.jit import compiled
from udfs.html.tokenizer import is_space, name_hash, name_key
from udfs.pairs.addresses import MAX_SRCSET_CHARS, NEUTRAL_WORDS, PLACEHOLDER_WORDS
from udfs.pairs.texts import MAX_TEXT_CHARS, one_line

# How a value becomes a text: where it is, whether it has references, what precedes it.
OF_PAGE, OF_TEXT, OF_MORE = 0, 1, 2
SOURCES, AMPERSANDS, SCHEME, ORIGIN, FOLDER, PREFIXES, SLOW = 3, 4, 8, 16, 24, 24, 64
LENGTH_BITS = 8
"""A recipe: the source in two bits, AMPERSANDS, one of the prefixes; or SLOW. From LENGTH_BITS on
the bytes of a FOLDER."""
ABSENT = 128
"""Of an address: an empty one, or one within the page."""
NO_NUMBER, SLOW_NUMBER = -1, -2

_AMPERSAND, _SEMICOLON, _EQUALS, _HASH, _QUESTION = b"&;=#?"
_SLASH, _DOT, _COLON, _MINUS, _SPACE, _DELETE = b"/.:- \x7f"
_LOWER_CASE = 0x20
_AMP = (0x61, 0x6D, 0x70)
_HTTP = (0x68, 0x74, 0x74, 0x70)
_S, _P, _X, _W, _D, _ONE, _COMMA = b"spxwd1,"
_DESCRIPTOR_BYTES, _LARGEST_DENSITY = 8, 1e9  # of a plain descriptor
_DIGIT_0, _DIGIT_9, _A, _F, _Z = b"09afz"
_MAX_DIGITS, _PORT_DIGITS, _REFERENCE_LETTERS = 6, 4, 9

# Bytes that an address may have as they are: a path, a query.
_IN_PATH, _IN_QUERY = 1, 2


def _byte_kinds() -> UInt8Array:
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[0x21:] = _IN_PATH | _IN_QUERY
    for byte in b'<>"{}\\`#\x7f':
        kinds[byte] = 0
    for byte in b"?;/":
        kinds[byte] = _IN_QUERY
    return kinds


BYTE_KINDS: UInt8Array = _byte_kinds()
"""Which bytes an address may have, for `address_recipe`."""
_OF_PLACEHOLDERS, _NEUTRAL = 1, 2
_WORD_KINDS = {
    **{name_hash(word): _NEUTRAL for word in NEUTRAL_WORDS},
    **{name_hash(word): _OF_PLACEHOLDERS for word in PLACEHOLDER_WORDS},
}
PLACEHOLDER_TABLE: tuple[UInt64Array, Int32Array] = hash_map(
    np.array(list(_WORD_KINDS), dtype=np.uint64),
    np.array(list(_WORD_KINDS.values()), dtype=np.int32),
)
"""The words of placeholders' names and those that may be beside them."""
NO_PLACEHOLDER, IS_PLACEHOLDER = 0, 1


@compiled
def is_blank(byte: int) -> bool:
    """Whether a byte is a space for str.strip."""
    return 9 <= byte <= 13 or 28 <= byte <= 32


@compiled
def is_unicode_space(page: bytes, at: int) -> bool:
    """Whether the character that begins at a place, not of ASCII, is a space for str.split, or one
    of the controls that `udfs.pairs.texts.one_line` removes."""
    byte, following = page[at], page[at + 1]
    if byte == 0xC2:
        return following <= 0xA0
    if byte not in (0xE1, 0xE2, 0xE3, 0xEF):
        return False
    third = page[at + 2]
    if byte == 0xE1:
        return following == 0x9A and third == 0x80
    if byte == 0xE2:
        if following == 0x80:
            return third <= 0x8B or third in (0xA8, 0xA9, 0xAF)
        return following == 0x81 and third == 0x9F
    if byte == 0xE3:
        return following == 0x80 and third == 0x80
    return (following == 0xBB and third == 0xBF) or (following == 0xBF and third >= 0xBE)


def _reference_table() -> tuple[UInt64Array, Int32Array]:
    codes = {
        name_hash(name[:-1]): ord(text)
        for name, text in html5.items()
        if re.fullmatch("[a-z]{1,9};", name) and len(text) == 1 and ord(text) < 0x10000
        if not text.isspace() and one_line(f"x{text}x") == f"x{text}x"
    }
    return hash_map(
        np.array(list(codes), dtype=np.uint64), np.array(list(codes.values()), dtype=np.int32)
    )


REFERENCE_TABLE = _reference_table()
"""Characters by the `name_hash` of their references' names: those of nine small letters at most,
without the spaces."""


@compiled
def reference_at(
    text: bytes | UInt8Array, at: int, end: int, names: UInt64Array, codes: Int32Array
) -> tuple[int, int]:
    """Return the bytes and the character of the reference that an ampersand begins; 1 and "&"
    where it begins none, 0 and 0 where that is not certain."""
    name = at + 1
    if name < end and text[name] == _HASH:
        return _numeric_reference(text, at, end)
    if name == end or not _A <= text[name] | _LOWER_CASE <= _Z:
        return 1, _AMPERSAND
    while name < end and name - at <= _REFERENCE_LETTERS and _A <= text[name] <= _Z:
        name += 1
    if name == end or text[name] != _SEMICOLON:
        return 0, 0
    code = find_value(names, codes, name_key(text, at + 1, name))
    return (name + 1 - at, code) if code >= 0 else (0, 0)


@compiled
def _numeric_reference(text: bytes | UInt8Array, at: int, end: int) -> tuple[int, int]:
    """Return bytes and character of "&#20013;" or "&#x4e2d;", if that is a plain character, no
    space and no control; else 0 and 0."""
    place = at + 2
    is_hex = place < end and text[place] | _LOWER_CASE == _X
    place += is_hex
    first, code = place, 0
    while place < end and place - first <= _MAX_DIGITS:
        byte = text[place]
        if _DIGIT_0 <= byte <= _DIGIT_9:
            digit = byte - _DIGIT_0
        elif is_hex and _A <= byte | _LOWER_CASE <= _F:
            digit = (byte | _LOWER_CASE) - _A + 10
        else:
            break
        code = code * (16 if is_hex else 10) + digit
        place += 1
    if not first < place < end or text[place] != _SEMICOLON:
        return 0, 0
    is_plain = (
        0x21 <= code <= 0x7E
        or 0xA1 <= code <= 0x167F
        or 0x2010 <= code <= 0x2027
        or 0x2030 <= code <= 0x205E
        or 0x2070 <= code <= 0x2FFF
        or 0x3001 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xF8FF
    )
    return (place + 1 - at, code) if is_plain else (0, 0)


@compiled
def references(page: bytes, begin: int, end: int) -> int:
    """Return 0 for a value whose ampersands begin no reference, AMPERSANDS where all that do are
    "&amp;", else SLOW."""
    found = 0
    for at in range(begin, end):
        if page[at] != _AMPERSAND:
            continue
        name = at + 1
        if name < end and page[name] == _HASH:
            return SLOW
        while name < end and (
            _A <= page[name] | _LOWER_CASE <= _Z or _DIGIT_0 <= page[name] <= _DIGIT_9
        ):
            name += 1
        if name == at + 1 or (name < end and page[name] == _EQUALS):
            continue
        if not (name < end and page[name] == _SEMICOLON and name == at + 4):
            return SLOW
        for place in range(3):
            if page[at + 1 + place] != _AMP[place]:
                return SLOW
        found = AMPERSANDS
    return found


@compiled
def line_recipe(
    page: bytes, begin: int, end: int, names: UInt64Array, codes: Int32Array
) -> tuple[int, int, int]:
    """Return begin, end and recipe of what `udfs.pairs.texts.one_line` returns for a value."""
    while begin < end and page[begin] == _SPACE:
        begin += 1
    while begin < end and page[end - 1] == _SPACE:
        end -= 1
    if end - begin > MAX_TEXT_CHARS:
        return begin, end, SLOW
    last, recipe = 0, OF_PAGE
    for at in range(begin, end):
        byte = page[at]
        if byte <= _SPACE:
            if byte < _SPACE or last == _SPACE:
                return begin, end, SLOW
        elif byte == _AMPERSAND:
            length, _ = reference_at(page, at, end, names, codes)
            if length == 0:
                return begin, end, SLOW
            recipe = AMPERSANDS
        elif byte == _DELETE or (byte >= 0xC2 and is_unicode_space(page, at)):
            return begin, end, SLOW
        last = byte
    return begin, end, recipe


@compiled
def pixels(page: bytes, begin: int, end: int) -> int:
    """Return what `udfs.pairs.structured.declared_pixels` does, NO_NUMBER or SLOW_NUMBER."""
    for at in range(begin, end):
        if page[at] >= 0x80 or page[at] == _AMPERSAND:
            return SLOW_NUMBER
    while begin < end and is_blank(page[begin]):
        begin += 1
    while begin < end and is_blank(page[end - 1]):
        end -= 1
    if end - begin >= 2 and page[end - 1] | _LOWER_CASE == _X and page[end - 2] | _LOWER_CASE == _P:
        end -= 2
        while begin < end and is_blank(page[end - 1]):
            end -= 1
    at, number = begin, 0
    while at < end and page[at] != _DOT:
        if not _DIGIT_0 <= page[at] <= _DIGIT_9 or at - begin == _MAX_DIGITS:
            return NO_NUMBER
        number = 10 * number + page[at] - _DIGIT_0
        at += 1
    return number if at > begin else NO_NUMBER


@compiled
def address_recipe(
    page: bytes,
    begin: int,
    end: int,
    prefix: bytes,
    prefixes: Int64Array,
    max_bytes: int,
    kinds: UInt8Array,
) -> tuple[int, int, int, int]:
    """Return begin and end of an address as written, what of it the URL begins with, and the URL's
    recipe; ABSENT or SLOW instead.

    The recipe is that of the URL; without its prefix it is that of the address as written.

    Args:
        prefix: And prefixes, of `udfs.pairs.addresses.base_prefixes`.
        max_bytes: Longer ones are SLOW.
    """
    while begin < end and is_space(page[begin]):
        begin += 1
    while begin < end and is_space(page[end - 1]):
        end -= 1
    if begin == end or page[begin] == _HASH:
        return begin, end, begin, ABSENT
    recipe = references(page, begin, end)
    if recipe == SLOW:
        return begin, end, begin, SLOW
    at, kind, length, start = begin, 0, 0, begin
    if page[begin] == _SLASH:
        if begin + 1 < end and page[begin + 1] == _SLASH:
            kind, length = SCHEME, prefixes[0]
            at = _host_end(page, begin + 2, end)
        elif begin + 1 < end and page[begin + 1] == _DOT:
            return begin, end, begin, SLOW
        else:
            kind, length = ORIGIN, prefixes[1]
    else:
        host = _after_scheme(page, begin, end)
        if host > 0:
            at = _host_end(page, host, end)
        else:
            kind, length = FOLDER, prefixes[2]
            if page[begin] == _DOT and length > 0:
                start, length = _folder_above(page, begin, end, prefix, prefixes)
            if start == end or page[start] in (_QUESTION, _DOT, _SLASH):
                return begin, end, begin, SLOW
            at, recipe = start, recipe | max(0, length) << LENGTH_BITS
    if at < 0 or length < 0 or length + end - begin > max_bytes:
        return begin, end, begin, SLOW
    if not _is_plain(page, at, end, kinds, kind == FOLDER):
        return begin, end, begin, SLOW
    return begin, end, start, recipe | kind


@compiled
def _folder_above(
    page: bytes, at: int, end: int, prefix: bytes, prefixes: Int64Array
) -> tuple[int, int]:
    """Return the place behind an address's leading segments "." and "..", and the bytes of the
    folder that they lead to."""
    root = prefixes[1]  # the slash behind the origin
    first, length = prefixes[0] + prefixes[1], prefixes[2]
    while at < end and page[at] == _DOT:
        dots = 2 if at + 1 < end and page[at + 1] == _DOT else 1
        if at + dots == end or page[at + dots] != _SLASH:
            break
        at += dots + 1
        if dots == 2 and length > root + 1:
            length -= 1
            while prefix[first + length - 1] != _SLASH:
                length -= 1
    return at, length


@compiled
def _after_scheme(page: bytes, at: int, end: int) -> int:
    """Return the place behind "http://" or "https://"; 0 where there is neither."""
    if end - at < 8:
        return 0
    for place in range(4):
        if page[at + place] != _HTTP[place]:
            return 0
    at += 4 + (page[at + 4] == _S)
    is_one = page[at] == _COLON and page[at + 1] == _SLASH and page[at + 2] == _SLASH
    return at + 3 if is_one else 0


@compiled
def _host_end(page: bytes, at: int, end: int) -> int:
    """Return the end of a plain host and port that a path, a query or the end follows; else -1."""
    begin = at
    while at < end and (
        _A <= page[at] | _LOWER_CASE <= _Z
        or _DIGIT_0 <= page[at] <= _DIGIT_9
        or page[at] in (_DOT, _MINUS)
    ):
        at += 1
    if at == begin or page[begin] == _DOT:  # behind "//" it would be a segment of dots
        return -1
    if at < end and page[at] == _COLON:
        port = at + 1
        at = port
        while at < end and at - port < _PORT_DIGITS and _DIGIT_0 <= page[at] <= _DIGIT_9:
            at += 1
        if at == port:
            return -1
    return at if at == end or page[at] in (_SLASH, _QUESTION, _HASH) else -1


@compiled
def _is_plain(page: bytes, at: int, end: int, kinds: UInt8Array, is_relative: bool) -> bool:
    """Whether resolution leaves a path, a query and a fragment as they are."""
    is_query, has_fragment, last = False, False, 0
    for place in range(at, end):
        byte = page[place]
        if byte == _HASH:
            if place + 1 == end or has_fragment:
                return False
            is_query = has_fragment = True
        elif is_query:
            if not kinds[byte] & _IN_QUERY:
                return False
        elif byte == _SLASH:
            if place + 1 < end and page[place + 1] == _DOT:
                return False
            if is_relative and last == _SLASH:
                return False
        elif byte == _QUESTION:
            if place + 1 == end or page[place + 1] == _HASH:
                return False  # an empty query goes
            is_query = True
        elif not kinds[byte] & _IN_PATH or (is_relative and byte == _COLON):
            return False
        if byte >= 0xC2 and is_unicode_space(page, place):
            return False
        last = byte
    return True


@compiled
def placeholder_kind(
    page: bytes, begin: int, end: int, words: UInt64Array, kinds: Int32Array
) -> int:
    """Return IS_PLACEHOLDER, NO_PLACEHOLDER or SLOW for an address, as
    `udfs.pairs.addresses.is_placeholder_name` decides."""
    name, stop = begin, begin
    while stop < end and page[stop] != _QUESTION:
        if page[stop] == _SLASH:
            name = stop + 1
        stop += 1
    dot = stop
    for at in range(name, stop):
        if page[at] == _DOT:
            dot = at
        elif page[at] in (0xC4, 0xC5, 0xE2):
            return SLOW  # letters whose lower case may be one of ASCII
    if dot == name:
        return SLOW if stop > name else NO_PLACEHOLDER
    found, at = NO_PLACEHOLDER, name
    while at < dot:
        start = at
        while at < dot and _A <= page[at] | _LOWER_CASE <= _Z:
            at += 1
        if at == start:
            at += 1
            continue
        if page[start] | _LOWER_CASE == _X and start > name and page[start - 1] == _ONE:
            return SLOW  # "1x1"
        kind = find_value(words, kinds, name_key(page, start, at))
        if kind < 0:
            return NO_PLACEHOLDER
        if kind == _OF_PLACEHOLDERS:
            found = IS_PLACEHOLDER
    for at in range(dot + 1, stop):
        if not (_A <= page[at] | _LOWER_CASE <= _Z or _DIGIT_0 <= page[at] <= _DIGIT_9):
            return SLOW if found == IS_PLACEHOLDER else NO_PLACEHOLDER
    return found


@compiled
def largest_candidate(page: bytes, begin: int, end: int) -> tuple[int, int, int]:
    """Return begin and end of the largest candidate of a srcset, as
    `udfs.pairs.addresses.largest` finds it, and 0; ABSENT without candidates, SLOW where one has
    other descriptors than a plain width or density, or a data: URI."""
    if end - begin > MAX_SRCSET_CHARS:
        return begin, end, SLOW
    at, first, last, best = begin, -1, -1, -1.0
    while True:
        while at < end and (is_space(page[at]) or page[at] == _COMMA):
            at += 1
        start = at
        while at < end and not is_space(page[at]):
            at += 1
        if at == start:
            return first, last, 0 if first >= 0 else ABSENT
        stop, size = at, 1.0
        if page[at - 1] == _COMMA:
            while page[stop - 1] == _COMMA:
                stop -= 1
        else:
            while at < end and is_space(page[at]):
                at += 1
            if at < end and page[at] != _COMMA:
                at, size = _descriptor(page, at, end)
                if size < 0:
                    return begin, end, SLOW
        if stop - start > 4 and page[start + 4] == _COLON and page[start] | _LOWER_CASE == _D:
            return begin, end, SLOW
        if size > best:
            first, last, best = start, stop, size


@compiled
def _descriptor(page: bytes, at: int, end: int) -> tuple[int, float]:
    """Return the end of a candidate with one plain descriptor, and its size: any width counts more
    than any density; -1 for another descriptor."""
    first, number, scale, has_dot = at, 0, 1.0, False
    while at < end and at - first <= _DESCRIPTOR_BYTES:
        byte = page[at]
        if byte == _DOT and not has_dot and at > first:
            has_dot = True
        elif _DIGIT_0 <= byte <= _DIGIT_9:
            number = 10 * number + byte - _DIGIT_0
            scale *= 10.0 if has_dot else 1.0
        else:
            break
        at += 1
    if at in (first, end) or at - first > _DESCRIPTOR_BYTES or page[at - 1] == _DOT:
        return at, -1.0
    is_width = page[at] == _W and not has_dot
    if number == 0 or not (is_width or page[at] == _X):
        return at, -1.0
    at += 1
    while at < end and is_space(page[at]):
        at += 1
    if at < end and page[at] != _COMMA:
        return at, -1.0
    return at, number * _LARGEST_DENSITY if is_width else number / scale
