"""A page's HTML to its title, its main text and its kind, within fixed limits.

The extractors: fast (`udfs.html.main_text`), plain (all visible text), and trafilatura, which is
installed with the extra of that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from udfs.base.array_types import UInt8Array
from udfs.base.jit import compiled
from udfs.html.formulas import may_hold_formulas, with_formulas
from udfs.html.line_features import LineFacts, line_facts
from udfs.html.main_text import main_text
from udfs.html.markers import marked, unmarked, without_scripts
from udfs.html.page_kind import kind_and_shares
from udfs.html.page_kinds import KindShares
from udfs.html.page_lines import Lines, all_text, body_text, lines_of_text, parsed
from udfs.html.strip_attributes import without_attributes
from udfs.html.tags import TagCost, find_tags, tag_cost, without_raw_text

Extractor = Literal["fast", "trafilatura", "plain"]


@dataclass(frozen=True)
class HtmlLimits:
    """Limits for one page. None switches a limit off.

    Attributes:
        max_chars: Characters of HTML.
        max_nodes: Elements and text nodes, as `udfs.html.tags.tag_cost` estimates them; the
            largest real page seen has 16,000. 650 bytes each.
        max_depth: Elements open inside each other; the deepest real page seen has 197.
    """

    max_chars: int | None = 8_000_000
    max_nodes: int | None = 300_000
    max_depth: int | None = 512


class PageRejected(Exception):
    """A page exceeds a limit; `reason` is the reject reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Page:
    """Title, text and kind of a page.

    Attributes:
        title: None when the page has none.
        text: "" for a page without text.
        kind: Of `udfs.html.page_kind.PAGE_KINDS`; None for a page without visible characters.
    """

    title: str | None
    text: str
    kind: str | None = None


# As `TagCost.attributes`; the parser takes 0.2 s for these, and four times that for twice as many.
_MAX_ATTRIBUTES = 10_000

# C0 and C1 controls except tab and newline, byte order marks, non-characters, lone surrogates.
_TAB, _LINE_FEED = b"\t\n"
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]+")
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n{3,}")


def extract_page(html: str, limits: HtmlLimits, extractor: Extractor = "fast") -> Page:
    """Return title, text and kind of an HTML page.

    Args:
        extractor: fast, the main text by `udfs.html.main_text`; plain, all visible text;
            trafilatura, the main text by that library.
    Raises:
        PageRejected: html_too_large, html_too_many_nodes or html_too_deep.
        ModuleNotFoundError: the extractor is trafilatura, which is not installed.
    """
    [page] = extract_pages([html.encode("utf-8", "replace")], limits, extractor)
    if isinstance(page, str):
        raise PageRejected(page)
    return page


def extract_pages(
    pages: Sequence[bytes], limits: HtmlLimits, extractor: Extractor = "fast"
) -> list[Page | str]:
    """`extract_page` for several pages, each step for all of them.

    The processor's instruction cache then holds one step's code at a time: a fifth less time.

    Args:
        pages: Valid UTF-8 without byte order marks.
    Returns:
        In order; the reject reason instead of a page that exceeds a limit.
    """
    prepared = [_prepared(page, limits) for page in pages]
    parsed_pages = [page if isinstance(page, str) else _parsed(page) for page in prepared]
    read = [
        (clean_title(parts[0]), lines_of_text(parts[1]), page)
        for page, parts in zip(pages, parsed_pages, strict=True)
        if not isinstance(parts, str)
    ]
    facts = [line_facts(lines, title) for title, lines, _ in read]
    kinds = [
        kind_and_shares(lines, of_page, title)
        for (title, lines, _), of_page in zip(read, facts, strict=True)
    ]
    texts = [
        _text(lines, of_page, shares, page, extractor)
        for (_, lines, page), of_page, (_, shares) in zip(read, facts, kinds, strict=True)
    ]
    found = iter(
        [
            Page(title, clean_text(text), kind)
            for (title, _, _), text, (kind, _) in zip(read, texts, kinds, strict=True)
        ]
    )
    return [parts if isinstance(parts, str) else next(found) for parts in parsed_pages]


def _text(
    lines: Lines, facts: LineFacts, shares: KindShares, page: bytes, extractor: Extractor
) -> str:
    """Return what an extractor finds in a page."""
    if extractor == "trafilatura":
        return trafilatura_text(page.decode())
    return all_text(lines) if extractor == "plain" else main_text(lines, None, facts, shares)


def _prepared(page: bytes, limits: HtmlLimits) -> bytes | str:
    """Return a page as the parser gets it, or the reject reason of the limit that it exceeds."""
    if limits.max_chars is not None and _is_longer(page, limits.max_chars):
        return "html_too_large"
    tags = find_tags(unmarked(page))
    # Before parsing: pages beyond these limits are slow in the parser itself.
    if _excess(tag_cost(tags), limits) is not None:
        markup = without_raw_text(page.decode()).encode()
        reason = _excess(tag_cost(find_tags(markup)), limits)
        if reason is not None:
            return reason
    if may_hold_formulas(tags):
        tags = with_formulas(tags)
    return without_attributes(marked(without_scripts(tags)))


def _parsed(page: bytes) -> tuple[str | None, bytes]:
    """Return a page's title, and the text of all nodes of its body, with the marks."""
    tree = parsed(page)
    return tree.title, body_text(tree)


def parsed_page(page: bytes, limits: HtmlLimits) -> tuple[str | None, bytes] | str:
    """Return a page's title and the text of all its nodes, or the reject reason of a limit."""
    prepared = _prepared(page, limits)
    return prepared if isinstance(prepared, str) else _parsed(prepared)


def _is_longer(page: bytes, max_chars: int) -> bool:
    """Whether a page has more characters than the limit."""
    return len(page) > max_chars and len(page.decode()) > max_chars


def _excess(cost: TagCost, limits: HtmlLimits) -> str | None:
    """Return the reject reason of the limit that a page exceeds; None within all limits."""
    if limits.max_nodes is not None and (
        cost.nodes > limits.max_nodes or cost.attributes > _MAX_ATTRIBUTES
    ):
        return "html_too_many_nodes"
    if limits.max_depth is not None and cost.depth > limits.max_depth:
        return "html_too_deep"
    return None


def clean_title(title: str | None) -> str | None:
    """Return a title on one line; None when it is empty."""
    if title is None:
        return None
    return " ".join(clean_text(title).split()) or None


def clean_text(text: str) -> str:
    """Remove control characters, carriage returns, byte order marks, and spaces and blank lines
    beyond one."""
    # Most texts need nothing, which the check finds in a tenth of the time.
    if not needs_cleaning(text.encode("utf-8", "surrogatepass")):
        return text
    if not text.replace("\n", " ").replace("\t", " ").replace("\u3000", " ").isprintable():
        text = _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def needs_cleaning(text: bytes) -> bool:
    """Whether `clean_text` may change a text; False where it certainly does not.

    Args:
        text: UTF-8, lone surrogates included.
    """
    # Between line feeds, so that spaces and line feeds at its ends are found, too.
    return bool(text) and _needs_cleaning(np.frombuffer(b"\n\n\n" + text + b"\n", dtype=np.uint8))


@compiled
def _needs_cleaning(text: UInt8Array) -> bool:
    """`needs_cleaning` of a text with three line feeds before it and one behind.

    No branches, so that the loop is vectorised.
    """
    needs = (text[3] == _LINE_FEED) | (text[len(text) - 2] == _LINE_FEED)
    here, third, second, first = text[3:], text[2:-1], text[1:-2], text[:-3]
    for place in range(len(here)):
        byte, last, middle, lead = here[place], third[place], second[place], first[place]
        # ASCII controls; U+007F to U+009F; U+FEFF, U+FFFE, U+FFFF, surrogates; U+2028, U+2029.
        needs |= ((byte < 0x20) & (byte != _TAB) & (byte != _LINE_FEED)) | (byte == 0x7F)
        needs |= (last == 0xC2) & (byte < 0xA0)
        needs |= (middle == 0xEF) & (last == 0xBB) & (byte == 0xBF)
        needs |= (middle == 0xEF) & (last == 0xBF) & (byte >= 0xBE)
        needs |= (last == 0xED) & (byte >= 0xA0)
        needs |= (middle == 0xE2) & (last == 0x80) & ((byte == 0xA8) | (byte == 0xA9))
        # Before a line's end: a space, one of U+00A0, U+1680, U+2000 to U+200A, U+202F, U+205F,
        # U+3000; or two more line feeds.
        is_space = (last == 0x20) | (last == _TAB) | ((middle == 0xC2) & (last == 0xA0))
        is_space |= (lead == 0xE1) & (middle == 0x9A) & (last == 0x80)
        is_space |= (lead == 0xE2) & (middle == 0x80) & ((last <= 0x8A) | (last == 0xAF))
        is_space |= (lead == 0xE2) & (middle == 0x81) & (last == 0x9F)
        is_space |= (lead == 0xE3) & (middle == 0x80) & (last == 0x80)
        is_space |= (last == _LINE_FEED) & (middle == _LINE_FEED)
        needs |= (byte == _LINE_FEED) & is_space
    return bool(needs)


def trafilatura_text(html: str) -> str:
    """Return a page's main text with tables, without comments; "" where trafilatura finds none.

    Raises:
        ModuleNotFoundError: trafilatura is not installed.
    """
    extract = _extract()
    try:
        return extract(html, include_comments=False, include_tables=True) or ""
    except MemoryError:
        raise
    except Exception:
        # It raises many errors on unusual pages (ValueError, RecursionError, AttributeError,
        # lxml's own): such a page counts as one without text.
        return ""


@cache
def _extract() -> Callable[..., str | None]:
    try:
        from trafilatura import extract
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'extract.extractor = "trafilatura" needs trafilatura, which is not installed; '
            'run pip install "taojin[trafilatura]", or use extract.extractor = "fast"',
            name=error.name,
        ) from error
    return extract
