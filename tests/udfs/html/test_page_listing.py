"""Which pages only lead to others, and what that is decided by."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.html.plain_page_listing import plain_listing_features
from udfs.html.line_features import line_facts
from udfs.html.markers import marked
from udfs.html.page_lines import Lines, body_text, lines_of_text, parsed
from udfs.html.page_listing import (
    LISTING,
    LISTING_FEATURES,
    _teasers,
    _weights,
    listing_features,
    listing_share,
    share_of,
)
from udfs.html.page_text import HtmlLimits, Page, extract_page
from udfs.html.tags import find_tags

SENTENCES = (
    "市图书馆从本周开始延长开放时间，读者可以在晚上十点以前借书，周末也不例外。",
    "馆长说，这样做是为了方便下班以后才有空的人。去年有三千多名读者提出了同样的要求。",
    "记者在现场看到，不少家长带着孩子来看书，二楼的座位很快就坐满了。",
)
HEADLINES = "".join(
    f"<li><a href=/{n}>今天还有第{n}条新闻要看</a><span>05-{n}</span></li>" for n in range(12)
)
TEASERS = "".join(
    f"<div class=item><h3><a href=/{n}>第{n}篇文章的题目在这里</a></h3>"
    f"<p>{SENTENCES[n % 3][:30]}...</p></div>"
    for n in range(12)
)
BEGINNINGS = "".join(
    f"<div class=post><h2><a href=/{n}>{title}</a></h2><div>2024-05-0{n} | 阿青</div>"
    f"<p>{SENTENCES[n % 3]}</p><p>{SENTENCES[(n + 1) % 3]}</p>"
    f"<p><a href=/{n}>阅读全文</a></p></div>"
    for n, title in enumerate(
        ("图书馆的夜晚有多少人", "周末去哪里借书看", "二楼的座位够不够用", "馆长说了什么话")
    )
)
ARTICLE = f"<h1>延长开放时间</h1>{''.join(f'<p>{sentence}' for sentence in SENTENCES * 4)}"
INDEXES = {
    "headlines": "".join(
        f"<div class=mod><h3>栏目{n}</h3><ul>{HEADLINES}</ul></div>" for n in range(5)
    ),
    "teasers": f"<ul class=nav>{HEADLINES}</ul><div class=list>{TEASERS}</div>",
    "beginnings": f"<ul class=nav>{HEADLINES}</ul><div class=main>{BEGINNINGS}</div>",
}


def lines_of(html: str) -> Lines:
    return lines_of_text(body_text(parsed(marked(find_tags(html.encode())))))


def page_of(body: str) -> Page:
    return extract_page(f"<title>延长开放时间 - 新闻</title><body>{body}", HtmlLimits())


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_an_index_gives_nothing(index: str) -> None:
    page = page_of(index)
    assert (page.kind, page.text) == ("index", "")


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_a_text_among_links_is_kept(index: str) -> None:
    page = page_of(f"<ul class=nav>{HEADLINES}</ul><div class=article>{ARTICLE}</div>{index}")
    assert page.kind != "index"
    assert set(SENTENCES) <= set(page.text.split("\n"))


def test_all_paragraphs_below_a_title_are_a_teaser_and_posts_are_none() -> None:
    def teasers_of(html: str) -> list[bool]:
        lines = lines_of(html)
        return _teasers(lines, line_facts(lines)).tolist()

    found = teasers_of(f"<p>{SENTENCES[0]}</p><div>{BEGINNINGS}</div>")
    assert found == [False] + [True] * (len(found) - 1)
    posts = "".join(
        f"<div class=post><a href=/u>{name}</a><p>{SENTENCES[0]}</p><a href=/r>回复({n})</a></div>"
        for n, name in enumerate(("阿青", "skyfish_149", "匿名用户65568", "小鱼"))
    )
    assert not any(teasers_of(posts))
    linked_twice = BEGINNINGS + "".join(
        f"<li><a href=/{n}>{title}</a>" for n, title in enumerate(_titles(BEGINNINGS))
    )
    assert not any(teasers_of(linked_twice))


def _titles(html: str) -> list[str]:
    return re.findall(r"<h2><a [^>]*>([^<]*)", html)


def test_weights_are_of_all_features() -> None:
    assert _weights().shape == (len(LISTING_FEATURES),)
    assert np.abs(_weights()).min() > 0
    assert 0.5 < LISTING < 1


PIECES = st.lists(
    st.sampled_from(
        ["<div class=item>", "<div class=item>", "</div>", "</div>", "<p>", "<li>", "甲，乙。",
         f"{SENTENCES[0]}", f"{SENTENCES[1] * 4}", f"{SENTENCES[1]}…",
         "丙，丁...", "..", "…,", "<a href=x>链接</a>",
         "<a href=x>另一篇文章的题目</a>", "<a href=x>12月13日 10:21</a>", "12-3",
         "版权", "阅读全文", "<h3><a href=x>第2篇文章的题目</a></h3><p>丙，丁。</p>",
         "<ul class=related>", "</ul>", "<td>",
         "<br>", "<nav>", "</nav>", "<div class=content>", " "]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@settings(deadline=None)
@given(PIECES)
def test_compiled_features_are_those_of_the_twin(html: str) -> None:
    lines = lines_of(html + "<br>末")
    facts = line_facts(lines)
    found = listing_features(lines, facts)
    assert np.allclose(found, plain_listing_features(lines, facts), atol=1e-12)
    assert 0 <= found.min() <= found.max() <= 1
    assert listing_share(lines, facts) == share_of(found, _weights()) < 1


def test_a_page_may_begin_with_dots() -> None:
    for html in ("...", "…", "，…", "…，", ".", "，..", "，..."):
        lines = lines_of(html)
        if len(lines):
            facts = line_facts(lines)
            assert np.allclose(listing_features(lines, facts), plain_listing_features(lines, facts))
