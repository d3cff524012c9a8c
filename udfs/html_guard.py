"""What a page would cost the HTML parser, estimated from its tags before it is parsed.

The parser does not recurse, so that depth alone cannot crash it; but some shapes of a page take
time or memory out of proportion to its bytes (measured with resiliparse 2.0.1): 30,000 attributes
in one tag take 2 s and grow with the square; 20 KB of unclosed <font> elements, each reopened in
every later paragraph, become a million nodes; every </p> that closes nothing is one; and nodes
cost 650 bytes each. Depth is for other extractors (trafilatura), which do recurse.

No clock is read: the same page has the same outcome on every machine. Of 70 shapes of page made
to be slow, the worst that keeps within the limits of `udfs.html_text.HtmlLimits` takes 1.6 s of a
core (8 million "<"), and 8 s by trafilatura (150,000 elements with classes).
"""

import re
from dataclasses import dataclass
from functools import cache
from math import isqrt

import numpy as np
import numpy.typing as npt

_LESS, _GREATER, _SLASH, _BACKSLASH, _SPACE = 0x3C, 0x3E, 0x2F, 0x5C, 0x20
_SEPARATORS = (b" ", b"\n", b"\t", b"\r", b"/")
_LONG_TAG_BYTES = 1024
_DOUBLE_QUOTE, _SINGLE_QUOTE = 0x22, 0x27
# A tag to its ">": quotes hide one only after an equals sign.
_TAG_REST = re.compile(rb"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"?|'[^']*+'?)?)*+")


CODES = 1 << 15


def tag_code(name: str) -> int:
    """A tag name as the number of its first three letters, five bits each.

    Names of one or two letters have a code of their own; others share one ("head", "header").
    """
    first, second, third = (
        ord(letter) & 31 if letter.isalpha() else 0 for letter in name.ljust(3)[:3]
    )
    return first << 10 | second << 5 | third


# What these hold is no markup, however many tags it shows.
_RAW = [
    (re.compile(f"<{name}\\b", re.IGNORECASE), re.compile(f"</{name}", re.IGNORECASE))
    for name in ("script", "style", "textarea")
]
# Traits of elements, by `tag_code`: without an end tag, or one that pages leave out; reopened by
# the parser in every later block until their end tag comes; made by it of an end tag alone.
_FLAT, _FORMATTING, _PARAGRAPH, _LINE_BREAK = 1, 2, 4, 8
_END_TAG = 16
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
    """Estimates from one linear scan; wrong by a little on sloppy pages, never by an order.

    Attributes:
        nodes: Elements and text nodes, reopened formatting elements included.
        depth: Most elements open inside each other.
        attributes: What takes the parser as long as one tag with so many attributes: it compares
            each of a tag with all before it.
    """

    nodes: int
    depth: int
    attributes: int


def without_raw_text(html: str) -> str:
    """A page less its scripts and styles: for a second look at a page that seems too costly."""
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
    """The tags of a page in its order, those that scripts write included.

    Attributes:
        page: The page as UTF-8.
        starts: Where each tag's "<" is.
        ends: After the next ">", which may stand in an attribute; past the page where there is
            none.
        codes: `tag_code` of its name.
        is_end: Whether it is an end tag.
        may_go_on: Whether the ">" may stand in an attribute, by the quotes before it: an odd
            number, or some of both kinds.
    """

    page: bytes
    starts: npt.NDArray[np.intp]
    ends: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]
    is_end: npt.NDArray[np.bool_]
    may_go_on: npt.NDArray[np.bool_]


def find_tags(page: bytes) -> Tags:
    """Everything in a page that looks like a tag.

    Args:
        page: UTF-8.
    """
    padded = np.frombuffer(page + b"      ", dtype=np.uint8)
    # All of < > " ' in one search, which is most of the work.
    places = np.flatnonzero(
        (padded | 2 == _GREATER) | (padded == _DOUBLE_QUOTE) | (padded == _SINGLE_QUOTE)
    )
    signs = padded[places]
    less, greater = np.flatnonzero(signs == _LESS), np.flatnonzero(signs == _GREATER)
    opens = places[less]
    escaped = padded[opens + 1] == _BACKSLASH  # <\\/div> in the JSON of a script
    is_end = padded[opens + 1 + escaped] == _SLASH
    name_at = opens + 1 + escaped + is_end
    # Bit 5 makes ASCII letters lower-case; a name ends at what is no letter.
    letters = [padded[name_at + offset] | _SPACE for offset in range(3)]
    is_letter = [(byte >= ord("a")) & (byte <= ord("z")) for byte in letters]
    is_letter[2] &= is_letter[1]
    first, second, third = (
        np.where(inside, byte & 31, 0).astype(np.intp)
        for byte, inside in zip(letters, is_letter, strict=True)
    )
    is_tag = is_letter[0]
    code = first << 10 | second << 5 | third
    less = less[is_tag]
    end = np.append(greater, len(places))[np.searchsorted(greater, less)]
    is_single = signs == _SINGLE_QUOTE
    singles = np.append(0, np.cumsum(is_single))
    quotes = np.append(0, np.cumsum(is_single | (signs == _DOUBLE_QUOTE)))
    single, both = singles[end] - singles[less], quotes[end] - quotes[less]
    return Tags(
        page,
        starts=opens[is_tag],
        ends=np.append(places, len(page))[end] + 1,
        codes=code[is_tag],
        is_end=is_end[is_tag],
        may_go_on=(both & 1 > 0) | ((single > 0) & (single < both)),
    )


def tag_cost(tags: Tags) -> TagCost:
    """What a page's tags cost.

    >>> tag_cost(find_tags(b"<div><p>a<br>b</p></div>"))
    TagCost(nodes=6, depth=1, attributes=0)
    """
    if not len(tags.codes):
        return TagCost(0, 0, 0)
    traits = _TRAITS[tags.codes]
    step = np.where(tags.is_end, -1, 1)
    step[traits & _FLAT > 0] = 0
    level = np.cumsum(step)
    # A stray end tag closes nothing: count from the lowest level seen so far.
    depth = int((level - np.minimum(np.minimum.accumulate(level), 0)).max())

    counts = np.bincount(traits + _END_TAG * tags.is_end, minlength=2 * _END_TAG).tolist()
    starts = sum(counts[:_END_TAG])
    unclosed = sum(counts[kind] - counts[kind + _END_TAG] for kind in _with(_FORMATTING))
    # The parser makes an element of an end tag of p that closes none, and of every </br>.
    unopened = sum(counts[kind + _END_TAG] - counts[kind] for kind in _with(_PARAGRAPH))
    invented = max(0, unopened) + sum(counts[kind + _END_TAG] for kind in _with(_LINE_BREAK))
    return TagCost(
        nodes=2 * (starts + invented) + max(0, unclosed) * starts // 4,
        depth=max(depth, 0),
        attributes=_attribute_cost(tags),
    )


@cache
def _with(trait: int) -> list[int]:
    """All sets of traits that have one."""
    return [traits for traits in range(_END_TAG) if traits & trait]


def _attribute_cost(tags: Tags) -> int:
    """Root of the sum of the squared numbers of separators in long start tags.

    Tags that may go on are read to their end; what they hold is not read again.
    """
    page = tags.page
    looked_at = np.flatnonzero(
        ~tags.is_end & (tags.may_go_on | (tags.ends - tags.starts > _LONG_TAG_BYTES))
    )
    squares = 0
    read_to = 0
    for start, end, may_go_on in zip(
        tags.starts[looked_at].tolist(),
        tags.ends[looked_at].tolist(),
        tags.may_go_on[looked_at].tolist(),
        strict=True,
    ):
        if start >= read_to:
            rest = _TAG_REST.match(page, start) if may_go_on else None
            read_to = rest.end() if rest else end
            if read_to - start > _LONG_TAG_BYTES:
                tag = page[start:read_to]
                squares += sum(map(tag.count, _SEPARATORS)) ** 2
    return isqrt(squares)
