"""Whole pages of news sites and forums as text: prose under menus. No Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobs.training.examples import Document
from udfs import quality
from udfs.charset import decode
from udfs.html_text import HtmlLimits, extract_page

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
