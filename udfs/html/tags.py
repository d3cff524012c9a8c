"""The tags of a page, found without a parser, and what the page would cost the HTML parser.

The parser does not recurse, so depth alone cannot crash it; but some pages take time or memory out
of proportion to their bytes (measured with resiliparse 2.0.1): 30,000 attributes in one tag take
2 s, growing with the square; 20 KB of unclosed <font> elements, each reopened in every later
paragraph, become a million nodes; every </p> that closes nothing becomes a node; and nodes cost
650 bytes each. Depth is limited for other extractors (trafilatura), which do recurse.

The estimate does not depend on time: the same page has the same outcome on every machine. Of 70
kinds of pages made to be slow, the slowest within the limits of `udfs.html.page_text.HtmlLimits`
takes 1.6 s of a core (8 million "<"), and 8 s by trafilatura (150,000 elements with classes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isqrt

import numpy as np

from udfs.base.array_types import BoolArray, IntpArray, UInt8Array
from udfs.base.jit import compiled, uncounted

_LESS, _GREATER, _SLASH, _BACKSLASH, _SPACE = 0x3C, 0x3E, 0x2F, 0x5C, 0x20
_A, _Z = 0x61, 0x7A
_LONG_TAG_BYTES = 1024
_NEAR, _BLOCK = 32, 64
_DOUBLE_QUOTE, _SINGLE_QUOTE, _EQUALS = 0x22, 0x27, 0x3D
_TAB, _NEWLINE, _RETURN = 0x09, 0x0A, 0x0D


CODES = 1 << 15


def tag_code(name: str) -> int:
    """Encode a tag name as the number of its first three letters, five bits each.

    Names of one or two letters have unique codes; longer ones may share one ("head", "header").
    """
    first, second, third = (
        ord(letter) & 31 if letter.isalpha() else 0 for letter in name.ljust(3)[:3]
    )
    return first << 10 | second << 5 | third


# The content of these is not markup, whatever tags it seems to have.
_RAW = [
    (re.compile(f"<{name}\\b", re.IGNORECASE), re.compile(f"</{name}", re.IGNORECASE))
    for name in ("script", "style", "textarea")
]
# Traits of elements, by `tag_code`: without an end tag, or with one that pages omit; reopened by
# the parser in every later block until their end tag; created by it for an end tag alone.
_FLAT, _FORMATTING, _PARAGRAPH, _LINE_BREAK = 1, 2, 4, 8
_TRAITS = np.zeros(CODES, dtype=np.uint8)
for _trait, _names in (
    (
        _FLAT,
        "area base br col embed hr img input link meta param source track wbr p li dt dd option",
    ),
    (_FORMATTING, "b big code em font i nobr s small strong tt u"),
    (_PARAGRAPH, "p"),
    (_LINE_BREAK, "br"),
):
    _TRAITS[[tag_code(_name) for _name in _names.split()]] |= _trait


@dataclass(frozen=True)
class TagCost:
    """Estimates from one linear scan; slightly wrong on invalid pages, never by a factor of ten.

    Attributes:
        nodes: Elements and text nodes, reopened formatting elements included.
        depth: Most elements open inside each other.
        attributes: Number of attributes in one tag that would take the parser as long as all of the
            page's: it compares each attribute of a tag with all before it.
    """

    nodes: int
    depth: int
    attributes: int


def without_raw_text(html: str) -> str:
    """Return a page without its scripts and styles, for a second estimate of a costly page."""
    for opening, closing in _RAW:
        kept: list[str] = []
        position = 0
        # Not one pattern with ".*?": without an end tag that is quadratic.
        while (start := opening.search(html, position)) and (
            end := closing.search(html, start.end())
        ):
            kept.append(html[position : start.start()])
            position = end.end()
        html = "".join(kept) + html[position:]
    return html


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a page in its order, those inside scripts included.

    Attributes:
        page: The page as UTF-8.
        starts: Place of each tag's "<".
        ends: Place behind the next ">", which may be inside an attribute; beyond the page where
            there is none.
        codes: `tag_code` of its name.
        is_end: Whether it is an end tag.
        may_continue: Whether the ">" may be inside an attribute, by the quotes before it: an odd
            number, or some of both kinds.
    """

    page: bytes
    starts: IntpArray
    ends: IntpArray
    codes: IntpArray
    is_end: BoolArray
    may_continue: BoolArray


_TagArrays = tuple[
    IntpArray,
    IntpArray,
    IntpArray,
    BoolArray,
    BoolArray,
]


@compiled
def _byte(page: bytes, at: int) -> int:
    """Return a byte of a page; a space behind its end."""
    return page[at] if at < len(page) else _SPACE


@compiled
def next_less(page: bytes, at: int) -> int:
    """Return the place of the next "<" from a place on, or the page's end.

    Most are near; a paragraph or a script is skipped in blocks.
    """
    page = uncounted(page)
    size = len(page)
    near = min(at + _NEAR, size)
    while at < near and page[at] != _LESS:
        at += 1
    if at < near:
        return at
    while at + _BLOCK <= size and not _holds_less(page[at : at + _BLOCK]):
        at += _BLOCK
    while at < size and page[at] != _LESS:
        at += 1
    return at


@compiled
def _holds_less(block: bytes) -> bool:
    found = False
    for byte in block:
        found |= byte == _LESS
    return found


@compiled
def _quotes(part: bytes) -> tuple[int, int]:
    """Count the double and the single quotes in a part, vectorised."""
    doubles = singles = 0
    for byte in part:
        doubles += byte == _DOUBLE_QUOTE
        singles += byte == _SINGLE_QUOTE
    return doubles, singles


@compiled
def _in_quotes(doubles: int, singles: int) -> bool:
    """Whether the text after these numbers of quotes may be inside an attribute."""
    return (doubles + singles) & 1 == 1 or (singles > 0 and doubles > 0)


def find_tags(page: bytes) -> Tags:
    """Find everything in a page that looks like a tag.

    Args:
        page: UTF-8.
    """
    return Tags(page, *_find_tags(page))


@compiled
def _find_tags(page: bytes) -> _TagArrays:
    """Return the arrays of a page's `Tags`, in one pass over its bytes."""
    page = uncounted(page)
    size = len(page)
    room = 0
    for byte in page:
        room += byte == _LESS
    starts, ends, codes = (
        np.empty(room, dtype=np.intp),
        np.empty(room, dtype=np.intp),
        np.empty(room, dtype=np.intp),
    )
    is_end, may_continue = np.empty(room, dtype=np.bool_), np.empty(room, dtype=np.bool_)
    # Quotes before each tag, counted inside of tags alone.
    doubles_before, singles_before = np.empty(room, dtype=np.intp), np.empty(room, dtype=np.intp)
    count = waiting = doubles = singles = 0  # tags from `waiting` on still have no end
    at = 0
    while True:
        if waiting == count:
            at = next_less(page, at)
        else:
            begin = at
            while at < size and page[at] | 2 != _GREATER:
                at += 1
            more_doubles, more_singles = _quotes(page[begin:at])
            doubles += more_doubles
            singles += more_singles
        if at == size:
            break
        byte = page[at]
        at += 1
        if byte == _LESS:
            name_at = at
            if _byte(page, name_at) == _BACKSLASH:  # <\\/div> in the JSON of a script
                name_at += 1
            ends_element = _byte(page, name_at) == _SLASH
            if ends_element:
                name_at += 1
            # Bit 5 makes ASCII letters lower-case; a name ends at what is no letter.
            first = _byte(page, name_at) | _SPACE
            if _A <= first <= _Z:
                code = (first & 31) << 10
                second, third = _byte(page, name_at + 1) | _SPACE, _byte(page, name_at + 2) | _SPACE
                if _A <= second <= _Z:
                    code |= (second & 31) << 5
                    if _A <= third <= _Z:
                        code |= third & 31
                starts[count], codes[count], is_end[count] = at - 1, code, ends_element
                doubles_before[count], singles_before[count] = doubles, singles
                count += 1
        else:
            while waiting < count:
                ends[waiting] = at
                may_continue[waiting] = _in_quotes(
                    doubles - doubles_before[waiting], singles - singles_before[waiting]
                )
                waiting += 1
    while waiting < count:
        ends[waiting] = size + 1
        may_continue[waiting] = _in_quotes(
            doubles - doubles_before[waiting], singles - singles_before[waiting]
        )
        waiting += 1
    return starts[:count], ends[:count], codes[:count], is_end[:count], may_continue[:count]


def tag_cost(tags: Tags) -> TagCost:
    """Estimate the cost of parsing a page.

    >>> tag_cost(find_tags(b"<div><p>a<br>b</p></div>"))
    TagCost(nodes=6, depth=1, attributes=0)
    """
    nodes, depth, squares = _tag_cost(
        tags.page, tags.starts, tags.ends, tags.codes, tags.is_end, tags.may_continue, _TRAITS
    )
    return TagCost(nodes, depth, isqrt(squares))


@compiled
def _tag_cost(
    page: bytes,
    starts: IntpArray,
    ends: IntpArray,
    codes: IntpArray,
    is_end: BoolArray,
    may_continue: BoolArray,
    traits_of: UInt8Array,
) -> tuple[int, int, int]:
    """Return nodes, depth, and the sum of the squared numbers of separators in long start tags.

    Tags that may go on are read to their end; tags inside them are not read again.
    """
    level = lowest = depth = 0
    opened = unclosed = unopened = line_breaks = 0
    squares = read_to = 0
    for tag in range(len(codes)):
        traits = traits_of[codes[tag]]
        if is_end[tag]:
            if not traits & _FLAT:
                level -= 1
                # A stray end tag closes nothing: count from the lowest level seen so far.
                lowest = min(lowest, level)
            if traits & _FORMATTING:
                unclosed -= 1
            if traits & _PARAGRAPH:
                unopened += 1
            if traits & _LINE_BREAK:
                line_breaks += 1
            continue
        opened += 1
        if not traits & _FLAT:
            level += 1
            depth = max(depth, level - lowest)
        if traits & _FORMATTING:
            unclosed += 1
        if traits & _PARAGRAPH:
            unopened -= 1
        start = starts[tag]
        if start >= read_to and (may_continue[tag] or ends[tag] - start > _LONG_TAG_BYTES):
            read_to = _real_end(page, start) if may_continue[tag] else ends[tag]
            if read_to - start > _LONG_TAG_BYTES:
                separators = 0
                for at in range(start, min(read_to, len(page))):
                    separators += page[at] in (_SPACE, _NEWLINE, _TAB, _RETURN, _SLASH)
                squares += separators * separators
    # The parser creates an element for a </p> that closes none, and for every </br>.
    invented = max(0, unopened) + line_breaks
    nodes = 2 * (opened + invented) + max(0, unclosed) * opened // 4
    return nodes, depth, squares


@compiled
def _real_end(page: bytes, start: int) -> int:
    """Return the place of a tag's ">", or the page's end; quotes count only after an "="."""
    size, at = len(page), start
    while at < size and page[at] != _GREATER:
        at += 1
        if page[at - 1] == _EQUALS:
            while at < size and (page[at] == _SPACE or _TAB <= page[at] <= _RETURN):
                at += 1
            if at < size and (page[at] == _DOUBLE_QUOTE or page[at] == _SINGLE_QUOTE):
                quote = page[at]
                at += 1
                while at < size and page[at] != quote:
                    at += 1
                at = min(at + 1, size)
    return at
