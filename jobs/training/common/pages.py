"""Which pages share a site or a template: one page of a template tells a model of all. No I/O.

Whole pages of news sites and forums as text: prose under menus. No Spark.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from jobs.training.common.examples import Document
from udfs.charset.decode import decode
from udfs.html.page_text import HtmlLimits, extract_page
from udfs.scorers import quality

_WINDOW = 10
_SAMPLED = 8
"""One in so many windows is looked at, chosen by its letters: the same ones of every page."""
_COMMON = 80
"""Windows of more pages than this (phrases of every menu) say nothing of a template."""
_LEAST_WINDOWS = 4
_SHARED = 0.2

_PLAIN = re.compile(r"[\x00-\x7f\s]+")


def page_groups(texts: Sequence[str], sites: Sequence[str]) -> list[str]:
    """The group of each page: pages of one site, and pages of one template, are in one group.

    Two pages have a template in common where a fifth of the shorter one's windows of ten characters
    are in the other; ASCII is left out, as generated pages differ in numbers and addresses. Groups
    are transitive.

    Returns:
        The site of the group's first page.
    """
    windows = [_windows(text) for text in texts]
    pages_of: dict[str, list[int]] = defaultdict(list)
    for page, its_windows in enumerate(windows):
        for window in its_windows:
            pages_of[window].append(page)
    shared: Counter[tuple[int, int]] = Counter()
    for pages in pages_of.values():
        if len(pages) <= _COMMON:
            shared.update((a, b) for at, a in enumerate(pages) for b in pages[at + 1 :])
    parents = list(range(len(texts)))
    for (a, b), count in shared.items():
        least = min(len(windows[a]), len(windows[b]))
        if least >= _LEAST_WINDOWS and count > _SHARED * least:
            _join(parents, a, b)
    first_of_site: dict[str, int] = {}
    for page, site in enumerate(sites):
        _join(parents, page, first_of_site.setdefault(site, page))
    return [sites[_root(parents, page)] for page in range(len(texts))]


def _windows(text: str) -> set[str]:
    plain = _PLAIN.sub("", text)
    found = {plain[at : at + _WINDOW] for at in range(max(1, len(plain) - _WINDOW + 1))}
    return {w for w in found if zlib.crc32(w.encode("utf-8", "replace")) % _SAMPLED == 0}


def _join(parents: list[int], a: int, b: int) -> None:
    """The smaller root stays: a group is named after its first page."""
    roots = sorted((_root(parents, a), _root(parents, b)))
    parents[roots[1]] = roots[0]


def _root(parents: list[int], page: int) -> int:
    while parents[page] != page:
        parents[page] = parents[parents[page]]
        page = parents[page]
    return page


_CHARS = 8_000  # where the read pages are cut


def whole_page_documents(rows: Sequence[dict[str, Any]]) -> list[Document]:
    """All visible text of the pages whose main text is known, under their titles.

    Args:
        rows: Of extraction/pages.jsonl.gz, with "bytes".
    """
    documents = []
    for row in rows:
        if row["gold_kind"] != "gold":
            continue
        html = decode(row["bytes"], row["declared_charset"]).text
        page = extract_page(html, HtmlLimits(), "plain")
        text = "\n".join([*([page.title] if page.title else []), page.text])[:_CHARS]
        documents.append(Document("", (quality.CLEAN,), row["site"], "html", 1, text))
    return documents
