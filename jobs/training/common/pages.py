"""Groups of pages that share a site or a template, and whole pages of news sites as documents.

Pages of one template are held out together: a model that has seen one knows the others.
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
"""One window in this many is compared, chosen by its checksum: the same ones on every page."""
_COMMON = 80
"""Windows on more pages than this (common menu phrases) do not indicate a template."""
_LEAST_WINDOWS = 4
_SHARED = 0.2
_CHARS = 8_000
"""Length that whole pages are cut to, as the read pages are."""

_PLAIN = re.compile(r"[\x00-\x7f\s]+")


def page_groups(texts: Sequence[str], sites: Sequence[str]) -> list[str]:
    """Group pages by site and template.

    Two pages share a template if a fifth of the shorter one's windows of ten characters are in the
    other; ASCII is ignored, as generated pages differ in numbers and addresses. Groups are
    transitive.

    Returns:
        Of each page the site of its group's first page.
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
    """Merge two groups; the smaller root stays, so that a group is named after its first page."""
    roots = sorted((_root(parents, a), _root(parents, b)))
    parents[roots[1]] = roots[0]


def _root(parents: list[int], page: int) -> int:
    while parents[page] != page:
        parents[page] = parents[parents[page]]
        page = parents[page]
    return page


def whole_page_documents(rows: Sequence[dict[str, Any]]) -> list[Document]:
    """Return the visible text, title first, of the pages whose main text is known.

    Args:
        rows: Rows of extraction/pages.jsonl.gz, with "bytes".
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
