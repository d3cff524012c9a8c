"""What a page would cost the HTML parser, estimated from its tags before it is parsed.

The parser and the extractor do not recurse, so that depth alone cannot crash them; but four
shapes of a page take time or memory out of proportion to its bytes (measured with resiliparse
2.0.1): 30,000 attributes in one tag take 2 s and grow with the square; 20 KB of unclosed <font>
elements, each reopened in every later paragraph, become a million nodes; nested lists are
indented by their depth, and 20,000 levels write 400 MB; and nodes cost 650 bytes each.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_LESS, _SLASH, _BACKSLASH, _SPACE = 0x3C, 0x2F, 0x5C, 0x20
_SEPARATORS = (b" ", b"\n", b"\t", b"\r", b"/")
_LONG_TAG_BYTES = 8192


def _code(name: str) -> int:
    """A tag name as the number of its first three letters, five bits each."""
    first, second, third = (ord(letter) & 31 for letter in name.ljust(3)[:3])
    return first << 10 | second << 5 | third


def _table(*names: str) -> npt.NDArray[np.bool_]:
    table = np.zeros(1 << 15, dtype=np.bool_)
    table[[_code(name) for name in names]] = True
    return table


# What these hold is no markup, however many tags it shows.
_RAW = [
    (re.compile(f"<{name}\\b", re.IGNORECASE), re.compile(f"</{name}", re.IGNORECASE))
    for name in ("script", "style", "textarea")
]
# Elements without an end tag, and those whose end tag pages leave out.
_FLAT = _table(
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr", "p", "li", "dt", "dd", "option",
)  # fmt: skip
# Elements that the parser reopens in every later block until their end tag comes.
_FORMATTING = _table(
    "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strong", "tt", "u"
)


@dataclass(frozen=True)
class TagCost:
    """Estimates from one linear scan; wrong by a little on sloppy pages, never by an order.

    Attributes:
        nodes: Elements and text nodes, reopened formatting elements included.
        depth: Most elements open inside each other.
        attributes: Most attributes in one tag.
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


def tag_cost(html: str) -> TagCost:
    """Scan a page's tags, those that scripts write included.

    >>> tag_cost("<div><p>a<br>b</p></div>")
    TagCost(nodes=6, depth=1, attributes=0)
    """
    encoded = html.encode("utf-8", "replace") + b"      "
    page = np.frombuffer(encoded, dtype=np.uint8)
    opens = np.flatnonzero(page[:-6] == _LESS)
    escaped = page[opens + 1] == _BACKSLASH  # <\\/div> in the JSON of a script
    is_end = page[opens + 1 + escaped] == _SLASH
    name_at = opens + 1 + escaped + is_end
    # Bit 5 makes ASCII letters lower-case; a name ends at what is no letter.
    letters = [page[name_at + offset] | _SPACE for offset in range(3)]
    is_letter = [(byte >= ord("a")) & (byte <= ord("z")) for byte in letters]
    is_letter[2] &= is_letter[1]
    first, second, third = (
        np.where(inside, byte & 31, 0).astype(np.intp)
        for byte, inside in zip(letters, is_letter, strict=True)
    )
    is_tag = is_letter[0]
    code = (first << 10 | second << 5 | third)[is_tag]
    is_end, opens = is_end[is_tag], opens[is_tag]
    if not len(code):
        return TagCost(0, 0, 0)

    step = np.where(is_end, -1, 1)
    step[_FLAT[code]] = 0
    level = np.cumsum(step)
    # A stray end tag closes nothing: count from the lowest level seen so far.
    depth = int((level - np.minimum(np.minimum.accumulate(level), 0)).max())

    starts = int(np.count_nonzero(~is_end))
    formatting = _FORMATTING[code]
    unclosed = max(0, int(np.where(is_end[formatting], -1, 1).sum()))
    return TagCost(
        nodes=2 * starts + unclosed * starts // 4,
        depth=max(depth, 0),
        attributes=_most_attributes(encoded, opens[~is_end]),
    )


def _most_attributes(page: bytes, starts: npt.NDArray[np.intp]) -> int:
    """Most spaces inside one long start tag; 0 where every tag is short."""
    lengths = np.diff(starts, append=len(page))
    most = 0
    for start, length in zip(
        starts[lengths > _LONG_TAG_BYTES], lengths[lengths > _LONG_TAG_BYTES], strict=True
    ):
        tag = page[start : start + length].partition(b">")[0]
        if len(tag) > _LONG_TAG_BYTES:
            most = max(most, sum(map(tag.count, _SEPARATORS)))
    return most
