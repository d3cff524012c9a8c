"""A page's HTML to its title and main text, within fixed limits."""

import re
from dataclasses import dataclass
from typing import Literal

from udfs.formulas import with_formulas
from udfs.html_guard import TagCost, find_tags, tag_cost, without_raw_text
from udfs.main_text import main_text
from udfs.page_lines import all_text, page_lines, parsed
from udfs.page_marks import marked, unmarked, without_scripts
from udfs.trafilatura_text import trafilatura_text

Extractor = Literal["fast", "trafilatura", "plain"]


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


# As if in one tag; the parser takes 0.2 s for so many, and four times that for twice so many.
_MAX_ATTRIBUTES = 10_000

# C0 and C1 controls but tab and newline, byte order marks, non-characters, lone surrogates.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]+")
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")


def extract_page(html: str, limits: HtmlLimits, extractor: Extractor = "fast") -> Page:
    """Title and text of an HTML page.

    Args:
        extractor: fast, the main text by `udfs.main_text`; plain, all of the visible text;
            trafilatura, the main text by that library, where it is installed.

    Raises:
        PageRejected: html_too_large, html_too_many_nodes or html_too_deep.
        ModuleNotFoundError: trafilatura is asked for and not installed.
    """
    if limits.max_chars is not None and len(html) > limits.max_chars:
        raise PageRejected("html_too_large")
    tags = find_tags(unmarked(html.encode("utf-8", "replace")))
    # Before the parser sees it: what these limits keep out is slow in the parser itself.
    if _excess(tag_cost(tags), limits) is not None:
        markup = without_raw_text(html).encode("utf-8", "replace")
        reason = _excess(tag_cost(find_tags(markup)), limits)
        if reason is not None:
            raise PageRejected(reason)
    tree = parsed(marked(without_scripts(with_formulas(tags))))
    if extractor == "trafilatura":
        text = trafilatura_text(html)
    elif extractor == "plain":
        text = all_text(page_lines(tree))
    else:
        text = main_text(page_lines(tree))
    return Page(clean_title(tree.title), clean_text(text))


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
    # Most texts need neither search, and this takes a seventh of their time.
    if not text.replace("\n", " ").replace("\t", " ").replace("\u3000", " ").isprintable():
        text = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
