"""A page's HTML to its title and main text, within fixed limits."""

import re
from dataclasses import dataclass

from resiliparse.parse.html import HTMLTree

from udfs.html_guard import TagCost, tag_cost, without_raw_text
from udfs.main_text import main_text


@dataclass(frozen=True)
class HtmlLimits:
    """What one page may cost. None switches a limit off.

    Attributes:
        max_chars: Characters of HTML.
        max_nodes: Elements and text nodes, as `udfs.html_guard.tag_cost` estimates them; of real
            pages the largest seen has 16,000. 650 bytes each.
        max_depth: Elements open inside each other; the deepest real page seen has 197.
    """

    max_chars: int | None = 8_000_000
    max_nodes: int | None = 300_000
    max_depth: int | None = 512


class PageRejected(Exception):
    """A page trips a limit; `reason` is the reject reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Page:
    """What is kept of a page. `title` is None when the page states none."""

    title: str | None
    text: str


# Attributes in one tag; the parser takes 0.2 s for so many, and four times that for twice so many.
_MAX_ATTRIBUTES = 10_000

# C0 and C1 controls but tab and newline, byte order marks, non-characters, lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]+")
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")


def extract_page(html: str, limits: HtmlLimits) -> Page:
    """Title and main text of an HTML page.

    Raises:
        PageRejected: html_too_large, html_too_many_nodes or html_too_deep.
    """
    if limits.max_chars is not None and len(html) > limits.max_chars:
        raise PageRejected("html_too_large")
    # Before the parser sees it: what these limits keep out is slow in the parser itself.
    if _excess(tag_cost(html), limits) is not None:
        reason = _excess(tag_cost(without_raw_text(html)), limits)
        if reason is not None:
            raise PageRejected(reason)
    html = html.replace("\0", "")  # else the parser writes U+FFFD for it in titles
    try:
        tree = HTMLTree.parse(html)
    except UnicodeEncodeError:  # lone surrogates; a look at every page would cost 0.8 ms
        tree = HTMLTree.parse(html.encode("utf-8", "replace").decode("utf-8"))
    return Page(clean_title(tree.title), clean_text(main_text(tree)))


def _excess(cost: TagCost, limits: HtmlLimits) -> str | None:
    """The reason of the limit that a page trips, None when it keeps within all."""
    if limits.max_nodes is not None and (
        cost.nodes > limits.max_nodes or cost.attributes > _MAX_ATTRIBUTES
    ):
        return "html_too_many_nodes"
    if limits.max_depth is not None and cost.depth > limits.max_depth:
        return "html_too_deep"
    return None


def clean_title(title: str | None) -> str | None:
    """A title on one line, None when nothing is left of it."""
    if title is None:
        return None
    return " ".join(clean_text(title).split()) or None


def clean_text(text: str) -> str:
    """Text without control characters, carriage returns, byte order marks and empty stretches."""
    text = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
