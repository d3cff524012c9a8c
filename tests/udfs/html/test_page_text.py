"""Main text, titles, and the limits that keep one page from holding up a worker."""

from __future__ import annotations

import sys
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.html.page_text import (
    Extractor,
    HtmlLimits,
    Page,
    PageRejected,
    _extract,
    clean_text,
    extract_page,
    needs_cleaning,
)
from udfs.html.tags import find_tags, tag_cost

LIMITS = HtmlLimits()
PARAGRAPHS = [
    "市图书馆从本周开始延长开放时间，读者可以在晚上十点以前借书，周末也不例外。",
    "馆长说，这样做是为了方便下班以后才有空的人。去年有三千多名读者提出了同样的要求。",
    "记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。",
]
MENU = "".join(f'<li><a href="/c{n}">栏目{n}</a></li>' for n in range(30))
NEWS = f"""<!DOCTYPE html><html><head><title>  图书馆延长
 开放 &amp; 服务 </title><script>var a = "<div>";</script><style>p {{ margin: 0 }}</style></head>
<body><ul>{MENU}</ul><h1>图书馆延长开放</h1><span>来源：本报</span>
<div>{"".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)}</div>
<h3>相关阅读</h3><ul>{MENU}</ul><div>版权所有 ©2020 某某网 京ICP备00000000号</div></body></html>"""


def reason(html: str, limits: HtmlLimits = LIMITS) -> str:
    with pytest.raises(PageRejected) as caught:
        extract_page(html, limits)
    return caught.value.reason


def test_the_article_stays_and_its_frame_goes() -> None:
    page = extract_page(NEWS, LIMITS)
    assert page.title == "图书馆延长 开放 & 服务"
    assert page.text.split("\n")[-3:] == PARAGRAPHS
    for frame in ("栏目3", "相关阅读", "版权所有", "margin", "var a"):
        assert frame not in page.text


def test_text_without_paragraph_elements_is_cut_at_line_breaks() -> None:
    html = f"<body><td>　　{'<br><br>　　'.join(PARAGRAPHS)}</td></body>"
    assert extract_page(html, LIMITS) == Page(None, "\n".join(PARAGRAPHS), "article")


def test_inline_markup_and_entities_stay_in_their_line() -> None:
    html = f"<p>第一<b>届</b>大会，<a href='/x'>详情</a>见a &lt; b &amp;lt; c。{PARAGRAPHS[0]}</p>"
    assert extract_page(html, LIMITS).text == f"第一届大会，详情见a < b &lt; c。{PARAGRAPHS[0]}"


def test_an_anchor_that_was_never_closed_does_not_lose_the_article() -> None:
    for anchor in ('<a name="top">', '<a href="/self">'):
        html = f"<body>{anchor}{''.join(f'<p>{p}</p>' for p in PARAGRAPHS * 5)}</body>"
        assert PARAGRAPHS[2] in extract_page(html, LIMITS).text


@pytest.mark.parametrize(
    "body",
    [
        "<p>短。</p>",
        "<table><tr><td>型号</td><td>价格</td></tr><tr><td>甲</td><td>12</td></tr></table>",
        f"<ul>{MENU}</ul><p>短。</p><p>{PARAGRAPHS[0]}</p>",
        "<form><div>只有一行</div></form>",
        "<div>Some English words, nothing else. Two sentences.</div>",
    ],
)
def test_a_page_with_any_text_is_never_lost(body: str) -> None:
    assert extract_page(f"<html><body>{body}</body></html>", LIMITS).text


@pytest.mark.parametrize("html", ["", "   ", "<html></html>", "<img src=x>", "\0\0", "<!--"])
def test_a_page_without_text(html: str) -> None:
    assert extract_page(html, LIMITS) == Page(None, "")


def test_titles() -> None:
    assert extract_page("<title></title><p>字</p>", LIMITS).title is None
    assert extract_page("<title> \n </title><p>字</p>", LIMITS).title is None
    assert extract_page("<title>甲\x00\ufeff&nbsp;\r\n乙</title>", LIMITS).title == "甲 乙"


def test_each_limit_has_its_reason() -> None:
    assert reason("字" * 101, HtmlLimits(max_chars=100)) == "html_too_large"
    assert reason("<p>字</p>" * 100, HtmlLimits(max_nodes=100)) == "html_too_many_nodes"
    assert reason("<div>" * 11, HtmlLimits(max_depth=10)) == "html_too_deep"
    assert extract_page("<div>" * 10 + "字", HtmlLimits(max_depth=10)).text == "字"
    off = HtmlLimits(max_chars=None, max_nodes=None, max_depth=None)
    assert extract_page("<div>" * 600 + PARAGRAPHS[0], off).text == PARAGRAPHS[0]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<div>" * 20_000, "html_too_deep"),
        ("<b>" * 20_000 + "</b>" * 20_000, "html_too_deep"),
        ("<ul><li>" * 20_000, "html_too_deep"),
        ("<div>" * 500_000, "html_too_many_nodes"),
        ("<p" * 1_000_000, "html_too_many_nodes"),
        ("<script " * 500_000, "html_too_many_nodes"),
        ("<a href=x>链</a>" * 200_000, "html_too_many_nodes"),
        ("<div " + " ".join(f"a{n}=1" for n in range(100_000)) + ">", "html_too_many_nodes"),
        # Each of them is compared with those before it in its tag.
        (("<div " + " ".join(f"a{n}" for n in range(4000)) + ">") * 10, "html_too_many_nodes"),
        # End tags that the parser makes elements of.
        ("</p>" * 200_000, "html_too_many_nodes"),
        ("</br>" * 200_000, "html_too_many_nodes"),
        # Twenty kilobytes that the parser makes a million nodes of.
        (
            "<p>" + "".join(f"<font a={n}>" for n in range(1000)) + "</p>" + "<p>x</p>" * 1000,
            "html_too_many_nodes",
        ),
        ("字" * 50_000_000, "html_too_large"),
    ],
    ids=lambda value: value[:12],
)
def test_pathological_pages_become_reasons(html: str, expected: str) -> None:
    assert reason(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "\0" * 1_000_000,
        "<" * 500_000,
        "&" * 500_000,
        "<!--" * 100_000,
        "&#20013;" * 100_000,
        "中<br>" * 50_000,
        "<p>中文，好。" * 50_000,
        "</div>" * 200_000,
        "<pre>" + "\n" * 500_000,
    ],
    ids=lambda value: value[:8],
)
def test_odd_pages_end(html: str) -> None:
    extract_page(html, LIMITS).text.encode()


def test_markup_in_scripts_does_not_count() -> None:
    html = f"<script>{'<div>' * 5000}</script><p>{PARAGRAPHS[0]}</p>"
    assert extract_page(html, LIMITS).text == PARAGRAPHS[0]
    assert tag_cost(find_tags(b'<script>{"a": "<div><\\/div>"}</script>')).depth == 2


def test_a_page_within_the_limits_may_have_many_attributes() -> None:
    tag = "<div " + " ".join(f"a{n}" for n in range(400)) + ">"
    assert tag_cost(find_tags((tag * 4).encode())).attributes == 800
    assert extract_page(f"{tag * 4}{PARAGRAPHS[0]}", LIMITS).text == PARAGRAPHS[0]


def test_plain_is_all_text() -> None:
    page = extract_page(NEWS, LIMITS, "plain")
    assert page.title == "图书馆延长 开放 & 服务"
    lines = page.text.split("\n")
    assert lines[:2] == ["栏目0", "栏目1"]
    assert lines[30:35] == ["图书馆延长开放", "来源：本报", *PARAGRAPHS]
    assert lines[-1] == "版权所有 ©2020 某某网 京ICP备00000000号"


def test_trafilatura_finds_the_article() -> None:
    pytest.importorskip("trafilatura")
    page = extract_page(NEWS, LIMITS, "trafilatura")
    assert page.title == "图书馆延长 开放 & 服务"
    assert PARAGRAPHS[1] in page.text
    assert "栏目3" not in page.text
    assert extract_page("<html></html>", LIMITS, "trafilatura").text == ""


def test_a_page_that_trafilatura_fails_on_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, bool]] = []

    def fail(html: str, **options: bool) -> str:
        asked.append(options)
        raise RecursionError

    monkeypatch.setattr("udfs.html.page_text._extract", lambda: fail)
    assert extract_page(NEWS, LIMITS, "trafilatura").text == ""
    assert asked == [{"include_comments": False, "include_tables": True}]


def test_trafilatura_is_asked_for_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    _extract.cache_clear()
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises(ModuleNotFoundError, match=r"taojin\[trafilatura\]"):
        extract_page(NEWS, LIMITS, "trafilatura")
    _extract.cache_clear()


def test_the_limits_hold_for_every_extractor() -> None:
    for extractor in get_args(Extractor):
        with pytest.raises(PageRejected, match="html_too_deep"):
            extract_page("<div>" * 600, LIMITS, extractor)


def test_lone_surrogates_and_the_marks_of_the_cutter() -> None:
    html = f"<p>\ud800甲\x01乙\x02\x03\x04{PARAGRAPHS[0]}</p>"
    assert extract_page(html, LIMITS).text == f"?甲乙{PARAGRAPHS[0]}"


def test_clean_text() -> None:
    raw = "\ufeff\n甲 \t\r\n乙\x00\x07\u3000\r\r\n\n\n丙\u2028丁\x0b戊\x85己\ud800\t庚\n\n"
    assert clean_text(raw) == "甲\n乙\n\n丙\n丁\n戊\n己\t庚"


@given(st.text())
def test_clean_text_can_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert clean_text(cleaned) == cleaned
    assert not set(cleaned) & {"\r", "\0", "\ufeff", "\x0b"}
    assert "\n\n\n" not in cleaned


@settings(deadline=None)  # the first page compiles
@given(st.text(alphabet="<>/abdivplscrt\"'=&;! -中，。\0", max_size=300))
def test_no_html_fails(html: str) -> None:
    page = extract_page(html, LIMITS)
    page.text.encode()
    assert page == extract_page(html, LIMITS)


@given(
    st.text(st.one_of(st.characters(), st.sampled_from(" \t\n\r\x0b\x85\xa0\ufeff\u2028\ufffe甲a")))
)
def test_what_needs_no_cleaning_is_clean(text: str) -> None:
    if not needs_cleaning(text.encode("utf-8", "surrogatepass")):
        assert clean_text(text) == text
