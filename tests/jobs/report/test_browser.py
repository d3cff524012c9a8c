"""The report in a headless Chromium: nothing of the data runs, nothing leaves the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.report.page import report_page
from tests.jobs.report.made_facts import AUDIT, FACTS, hostile_audit, hostile_facts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(e.blockedURI));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield found
        found.close()


class Visit:
    """A page that is open, and what it said and asked for meanwhile."""

    def __init__(self, browser: Any, file: Path, width: int, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(WATCH)
        self.page.goto(file.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def check_quiet(self, file: Path) -> None:
        assert self.said == []
        assert self.page.evaluate("window.violations") == []
        assert self.requests == [file.as_uri()]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    pages = {
        "made": report_page(FACTS, AUDIT),
        "hostile": report_page(hostile_facts(), hostile_audit()),
    }
    for name, page in pages.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["made", "hostile"])
def test_a_page_is_quiet_and_fits(
    browser: Any, files: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    with Visit(browser, files[name], width, scheme) as visit:
        page = visit.page
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert "taken" not in page.title()
        visit.check_quiet(files[name])
        wide, narrow = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= narrow
        columns = page.evaluate(
            "Math.min(...[...document.querySelectorAll('td')].filter(c => c.textContent.trim())"
            ".map(c => c.getBoundingClientRect().width))"
        )
        assert columns > 30  # nowhere one letter a line


def test_tables_sort_by_their_columns(browser: Any, files: dict[str, Path]) -> None:
    with Visit(browser, files["made"], 1400) as visit:
        page = visit.page

        def column(number: int) -> list[str]:
            cells = page.locator(f"#hosts table >> nth=0 >> tbody td:nth-child({number})")
            return [text.strip() for text in cells.all_inner_texts()]

        head = page.locator("#hosts table >> nth=0 >> thead th:nth-child(4)")
        assert column(4) == ["11", "2", "2"]
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert column(4) == ["2", "2", "11"]
        page.locator("#hosts table >> nth=0 >> thead th:nth-child(1) >> button").click()
        assert column(1) == ["a.example.cn", "b.example.cn", "news.example.cn"]
        visit.check_quiet(files["made"])


def test_toxic_texts_are_seen_after_a_click(browser: Any, files: dict[str, Path]) -> None:
    with Visit(browser, files["made"], 390) as visit:
        page = visit.page
        fold = page.locator("#samples details.fold", has_text="Toxic").last
        fold.locator("> summary").click()
        text = fold.locator(".hidden .text")
        assert not text.is_visible()
        fold.locator(".hidden > summary").click()
        assert text.is_visible()
        visit.check_quiet(files["made"])


def test_selections_say_what_was_asked_for_and_kept(browser: Any, files: dict[str, Path]) -> None:
    with Visit(browser, files["made"], 1400) as visit:
        page = visit.page
        assert page.locator("#selections h2").inner_text() == (
            "14,990 of 20,000 tokens of the budget kept; law had less than asked"
        )

        def rows(number: int) -> list[list[str]]:
            of = page.locator("#selections table").nth(number).locator("tbody tr").all()
            return [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in of]

        assert rows(0) == [
            ["book", "10,000", "12,000", "9,990", "25", "0"],
            ["law", "10,000", "5,000", "5,000", "25", "5,000"],
        ]
        strict, small = rows(1)
        assert (strict[:3], small[:4]) == (
            ["strict", "31", "21,321"],
            ["small", "2", "1,234", "777"],
        )
        assert strict[4] == 'select.min_quality = 0.9, select.hosts = ["a.cn"]'
        fold = page.locator("#selections details.fold")
        assert not fold.locator("table").is_visible()
        fold.locator("> summary").click()
        assert fold.locator("table").is_visible()
        assert rows(2)[0][:4] == ["all domains", "2", "57", "2"]
        visit.check_quiet(files["made"])


def test_dark_and_light_differ_and_both_can_be_read(browser: Any, files: dict[str, Path]) -> None:
    found = {}
    for scheme in ("light", "dark"):
        with Visit(browser, files["made"], 1400, scheme) as visit:
            found[scheme] = visit.page.evaluate(
                "(() => { const s = getComputedStyle(document.body);"
                " const t = getComputedStyle(document.querySelector('svg.plot text'));"
                " return [s.backgroundColor, s.color, t.fill]; })()"
            )
    for one, other in zip(*found.values(), strict=True):
        assert one != other
    for ground, ink, label in found.values():
        assert contrast(ground, ink) > 7
        assert contrast(ground, label) > 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 has it."""
    lights = sorted(map(luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in colour[4:-1].split(","))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_without_scripts_tables_are_read_as_they_are(browser: Any, files: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files["made"].as_uri())
    assert page.locator("#hosts th button").count() == 0
    assert "news.example.cn" in page.locator("#hosts table").first.inner_text()
    context.close()
