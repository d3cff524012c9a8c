"""Remove the attributes of a page's tags: half of its bytes, and most of a parser's work.

After the kinds of blocks have been read, the text of a page depends on no attribute, except some
that stay: those of formatting elements, of which the parser reopens at most three that are equal;
of fonts and annotations, which end foreign content; of input.

What looks like a tag may be part of a comment, an attribute or a script, so the page is read like a
browser's tokenizer reads it. Where that depends on the tree (which elements have raw text in SVG,
or in a select), the rest of the page stays unchanged.

Source:
    HTML Standard, 13.2.5 (tokenization) and 13.2.6 (tree construction), scripting being off.
"""

from __future__ import annotations

import numpy as np

from udfs.base.array_types import Int64Array, IntpArray, UInt8Array
from udfs.base.jit import compiled, copy_bytes, uncounted
from udfs.html.tags import next_less
from udfs.html.tokenizer import (
    after_declaration,
    ends_name,
    is_space,
    place_after,
    raw_end,
    same_letters,
)

_LESS, _GREATER, _SLASH, _EQUALS, _MINUS, _EXCLAMATION, _QUESTION = b"<>/=-!?"
_DOUBLE_QUOTE, _SINGLE_QUOTE = b"\"'"
_A, _Z, _UPPER_A, _UPPER_Z, _LOWER_CASE = 0x61, 0x7A, 0x41, 0x5A, 0x20
_KEY_BYTES = 8  # of a name that are compared; longer names are treated as if equal


def _key(name: str) -> int:
    return int.from_bytes(name[:_KEY_BYTES].encode("ascii"), "big")


_PLAIN, _KEPT, _RAW, _UNCERTAIN, _LAST = range(5)
_ELEMENTS: dict[str, int] = {}
for _kind, _listed in (
    (_KEPT, "b big code em font i nobr s small strike strong tt u input"),
    (_RAW, "script style title textarea iframe noembed noframes xmp"),
    # In foreign content these begin HTML again; a template hides the open elements around it.
    (_UNCERTAIN, "desc foreignobject mi mo mn ms mtext template"),
    (_LAST, "plaintext frameset annotation-xml"),
    (_PLAIN, "svg math select"),
):
    _ELEMENTS |= dict.fromkeys(_listed.split(), _kind)
_NAMES = sorted(_ELEMENTS)
_KEYS = np.array([_key(name) for name in _NAMES], dtype=np.int64)
_KINDS = np.array([_ELEMENTS[name] for name in _NAMES], dtype=np.uint8)
# The number of the first name with each first letter.
_FIRSTS = np.searchsorted([ord(name[0]) - _A for name in _NAMES], np.arange(27))
_SVG, _MATH, _SELECT, _SCRIPT = (_key(name) for name in ("svg", "math", "select", "script"))


def without_attributes(page: bytes) -> bytes:
    """Return a page without attributes that is parsed to the same text.

    Args:
        page: Valid UTF-8 without zero bytes.

    >>> without_attributes(b'<p class="a">1<br id=x/><img alt=">"/><!-- <p id=x> --><b id=x>2')
    b'<p>1<br><img/><!-- <p id=x> --><b id=x>2'
    """
    return _without_attributes(page, _KEYS, _KINDS, _FIRSTS).tobytes()


@compiled
def _without_attributes(
    page: bytes,
    keys: Int64Array,
    kinds: UInt8Array,
    firsts: IntpArray,
) -> UInt8Array:
    page = uncounted(page)
    size = len(page)
    bare = np.empty(size, dtype=np.uint8)
    at = copied = to = 0
    svg = math = 0  # open, or more
    in_select = is_uncertain = False
    while True:
        at = next_less(page, at)
        if at + 2 >= size:
            break
        byte = page[at + 1]
        if byte in (_EXCLAMATION, _QUESTION):
            at = after_declaration(page, at)
            if at == size:
                break
            continue
        is_end = byte == _SLASH
        name_at = at + 2 if is_end else at + 1
        if not _A <= page[name_at] | _LOWER_CASE <= _Z:
            at = place_after(page, name_at, _GREATER) if is_end else at + 1
            continue

        key, name_end = np.int64(0), name_at
        while name_end < size and not ends_name(page[name_end]):
            byte = page[name_end]
            if name_end < name_at + _KEY_BYTES:
                key = key << 8 | (byte | _LOWER_CASE if _UPPER_A <= byte <= _UPPER_Z else byte)
            name_end += 1
        end, stop, is_simple = _tag_end(page, name_end)
        if end == 0:
            break
        if is_end:
            svg -= key == _SVG and svg > 0
            math -= key == _MATH and math > 0
            in_select &= key != _SELECT
            at = end
            continue
        kind = np.uint8(_PLAIN)
        letter = (page[name_at] | _LOWER_CASE) - _A
        for number in range(firsts[letter], firsts[letter + 1]):
            if keys[number] == key:
                kind = kinds[number]
        is_long = name_end - name_at > _KEY_BYTES
        if kind == _LAST or (kind == _RAW and is_long):
            break
        if kind != _KEPT and is_simple and stop > name_end:
            copy_bytes(bare, to, page, copied, name_end - copied)
            to += name_end - copied
            copied = stop
        at = end
        if kind == _PLAIN:
            svg += key == _SVG
            math += key == _MATH
            in_select |= key == _SELECT
        elif kind == _UNCERTAIN:
            is_uncertain |= svg > 0 or math > 0 or in_select
        elif kind == _RAW:
            end = raw_end(page, at, name_at, name_end - name_at)
            if end == size:
                break
            if place_after(page, at, _LESS) <= end:
                # Tags to the parser, if it does not treat this as raw text.
                if is_uncertain or svg > 0 or math > 0 or in_select:
                    break
                # "</script>" does not end a script that writes one in a comment.
                if key == _SCRIPT and _holds_script_in_comment(page, at, end, name_at):
                    break
            at = end
    copy_bytes(bare, to, page, copied, size - copied)
    return bare[: to + size - copied]


@compiled
def _tag_end(page: bytes, at: int) -> tuple[int, int, bool]:
    """Return the end of a tag whose name ends at a place, of its attributes, and if it is simple.

    A slash that closes an element is not an attribute. A tag with a "<" in it is not simple: it may
    have marks. The first is 0 where the page's end cuts the tag.
    """
    page = uncounted(page)
    size = len(page)
    is_simple = True
    while at < size:
        byte = page[at]
        if byte == _GREATER:
            return at + 1, at, is_simple
        if is_space(byte):
            at += 1
            continue
        if byte == _SLASH:
            if at + 1 < size and page[at + 1] == _GREATER:
                return at + 2, at, is_simple
            at += 1
            continue
        # A name, which an equals sign may begin.
        is_simple &= byte != _LESS
        at += 1
        while at < size and page[at] != _EQUALS and not ends_name(page[at]):
            is_simple &= page[at] != _LESS
            at += 1
        while at < size and is_space(page[at]):
            at += 1
        if at == size or page[at] != _EQUALS:
            continue
        at += 1
        while at < size and is_space(page[at]):
            at += 1
        if at == size or page[at] == _GREATER:
            continue
        quote = page[at]
        if quote in (_DOUBLE_QUOTE, _SINGLE_QUOTE):
            at += 1
            while at < size and page[at] != quote:
                is_simple &= page[at] != _LESS
                at += 1
            at += 1
        else:
            while at < size and page[at] != _GREATER and not is_space(page[at]):
                is_simple &= page[at] != _LESS
                at += 1
    return 0, 0, False


@compiled
def _holds_script_in_comment(page: bytes, at: int, end: int, name_at: int) -> bool:
    """Whether a script has both "<!--" and "<script"."""
    is_comment = is_script = False
    for place in range(at, end - 3):
        if page[place] == _LESS:
            is_comment |= page[place + 1] == _EXCLAMATION and page[place + 2] == _MINUS
            is_script |= same_letters(page, place + 1, name_at, min(6, end - place - 1))
    return is_comment and is_script
