"""The page of a report: what it shows, and that nothing of the data is anything but text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from jobs.report.page import report_page, visible
from jobs.report.sections import marked
from tests.jobs.report.made_facts import AUDIT, FACTS, HOSTILE, hostile_audit, hostile_facts

EMPTY: dict[str, Any] = {
    **FACTS,
    **{name: [] for name, value in FACTS.items() if isinstance(value, list)},
    "hosts": {"kept": [], "lost": []},
    "corpus": {"rows": 0, "characters": 0, "toxic_rows": 0, "documents_stood_for": 0},
    "measured_characters": 0,
    "budget": None,
}
"""Facts of a run that read nothing."""

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer"),
    *("nav", "a", "p", "h1", "h2", "h3", "dl", "dt", "dd", "div", "span", "bdi", "code", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "rect", "path"),
    *("text", "details", "summary", "article", "mark", "script"),
}
ATTRIBUTES = {
    *(
        "charset",
        "http-equiv",
        "content",
        "name",
        "lang",
        "dir",
        "id",
        "href",
        "class",
        "scope",
        "title",
    ),
    *("data-v", "role", "aria-label", "viewbox", "x", "y", "d", "width", "height", "fill", "open"),
    *("font-size", "font-weight", "text-anchor", "transform", "stroke-width", "tabindex"),
    *("stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity"),
}


class Parsed(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Parsed:
    return Parsed(report_page(FACTS, AUDIT))


@pytest.mark.parametrize(
    "text",
    [report_page(FACTS, AUDIT), report_page(hostile_facts(), hostile_audit()), report_page(EMPTY)],
    ids=["made", "hostile", "empty"],
)
def test_a_page_has_no_elements_but_its_own(text: str) -> None:
    assert text.startswith("<!doctype html>") and text.endswith("</html>")
    parsed = Parsed(text)
    assert {name for name, _ in parsed.elements} <= ELEMENTS
    found = {key for _, attributes in parsed.elements for key in attributes}
    assert found <= ATTRIBUTES
    for tag in ("script", "style", "title", "body"):
        in_svg = len(re.findall("<(?:path|text)[^>]*><title>", text)) if tag == "title" else 0
        assert len(parsed.of(tag)) - in_svg == 1
    assert all((link["href"] or "").startswith("#") for link in parsed.of("a"))
    assert not re.search(r"url\(|@import|https?:[^<\s]*\.(css|js|woff2?)\b", text)


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone() -> None:
    text = report_page(FACTS, AUDIT)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    allowed = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    assert allowed["default-src"] == "'none'"
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        content = re.search(f"<{tag}>(.*?)</{tag}>", text, re.S)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert allowed[name] == f"'sha256-{digest}'"


def test_hostile_texts_are_there_as_texts() -> None:
    parsed = Parsed(report_page(hostile_facts(), hostile_audit()))
    shown = "".join(parsed.texts)
    assert "<script>document.title" in shown
    assert "{{ 7*7 }}" in shown
    assert "⟨1B⟩[31m⟨00⟩⟨202E⟩gnp.exe⟨2066⟩⟨200B⟩" in shown
    values = [value or "" for _, attributes in parsed.elements for value in attributes.values()]
    for text in (shown, *values):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", text)


def test_every_section_has_a_finding_and_a_link(page: Parsed) -> None:
    sections = [of["id"] for of in page.of("section")]
    assert sections == [
        *("funnel", "reasons", "selections", "scores", "thresholds", "domains", "documents"),
        *("hosts", "duplicates", "throughput", "samples", "settings", "artifacts"),
    ]
    assert [link["href"] for link in page.of("a")] == [f"#{name}" for name in sections]
    shown = "\n".join(page.texts)
    for finding in (
        "57 of 85 records became documents of the corpus",
        "extract_documents removed most: 15 of 85 (17.6 %)",
        "Most frequent reason: too_few_han in extract_documents, 14 records (16.5 % of what it",
        "98.3 % of 58 scored documents reach quality 0.5, the limit in use",
        "book is the largest of 3 with 52.6 % of the rows, news the smallest with 12.3 %",
        "95.7 % of 70 extracted documents were utf-8",
        "news.example.cn gives most: 11 documents of the corpus",
        "57 rows stand for 60 documents with their duplicates",
        "1 of 10 settings differ from the defaults",
    ):
        assert finding in shown, finding


def test_published_rates_stand_beside_those_of_the_run(page: Parsed) -> None:
    text = report_page(FACTS)
    row = re.search(r"<td><code>length</code></td>.*?</tr>", text, re.S)
    assert row is not None
    # 6 of 70 documents, 700 of 50,000 characters, and 1.58 % of the bytes of MAP-CC.
    assert re.findall(r">([\d.]+ %)<", row[0]) == ["8.6 %", "1.4 %", "1.6 %"]
    assert "arXiv 2411.19668" in text


def test_budgets_and_named_selections_are_shown() -> None:
    text = report_page(FACTS)
    section = text[text.index('id="selections"') : text.index('id="scores"')]
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section))
    assert "14,990 of 20,000 tokens of the budget kept; law had less than asked" in shown
    assert "book 10,000 12,000 9,990 25 0" in shown and "law 10,000 5,000 5,000 25 5,000" in shown
    assert "strict 31 21,321 – select.min_quality = 0.9, select.hosts = " in shown
    assert "small 2 1,234 777 select.budget" in shown and "all domains 2 57 2 2 0" in shown
    assert 'id="selections"' not in report_page(EMPTY)
    only = report_page({**FACTS, "budget": None})
    assert "2 named selections beside the corpus" in only


def test_all_bars_of_the_funnel_have_one_scale() -> None:
    text = report_page(FACTS)
    funnel = text[text.index('id="funnel"') : text.index('id="reasons"')]
    kept = re.findall(r'f-kept" x="0.000%" width="([\d.]+)%', funnel)
    assert [float(width) for width in kept] == pytest.approx(
        [100 * kept / 85 for kept in (70, 61, 58, 57)], abs=1e-3
    )


def test_texts_that_may_offend_are_folded(page: Parsed) -> None:
    hidden = [of for of in page.of("details") if of.get("class") == "hidden"]
    assert len(hidden) == 2  # reason sensitive, kind toxic
    assert all("open" not in of for of in hidden)
    assert len([of for of in page.of("div") if of.get("class") == "pair"]) == 1
    marks = [of["title"] for of in page.of("mark")]
    assert marks == ["water"] * 5 + ["differs"] or marks.count("differs") == 1


def test_marks_never_lose_a_character() -> None:
    text = "三座水库" + HOSTILE
    pieces = marked(
        text,
        [
            {"start": 1, "length": 2, "what": "a"},
            {"start": 2, "length": 3, "what": "overlaps"},
            {"start": 6, "length": 10_000, "what": None},
        ],
    )
    assert "".join(piece for piece, _ in pieces) == text
    assert [what for _, what in pieces] == [None, "a", None, ""]


def test_characters_that_nobody_sees_are_shown() -> None:
    assert visible("a\tb\nc") == "a\tb\nc"
    assert visible("\u202e\r") == "⟨202E⟩⟨0D⟩"
