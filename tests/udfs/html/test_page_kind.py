"""The kind of a page, and what it is decided by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.html.plain_page_kind import plain_page_features
from udfs.html.line_features import line_facts
from udfs.html.markers import marked
from udfs.html.page_kind import PAGE_FEATURES, _weights, page_features, page_kind
from udfs.html.page_kinds import PAGE_KINDS
from udfs.html.page_lines import Lines, body_text, lines_of_text, parsed
from udfs.html.page_text import HtmlLimits, extract_page
from udfs.html.tags import find_tags

SENTENCE = "市图书馆从本周开始延长开放时间，读者可以在晚上十点以前借书，周末也不例外。"
NAVIGATION = "".join(f"<li><a href=/{n}>栏目{n}</a>" for n in range(12))
POSTS = "".join(
    f"<div id=post_{n} class=plhin><div class=pls>用户{n} 积分 {n}</div>"
    f"<div class=t_f>{said}</div><div class=pob>发表于 2024-3-{n} 10:21 只看该作者</div></div>"
    for n, said in enumerate((SENTENCE, "顶", SENTENCE, "谢谢分享", SENTENCE, "路过，看看。"))
)
PAGES = {
    "article": f"<div class=article><h1>延长开放</h1>{f'<p>{SENTENCE * 3}' * 5}</div>",
    "forum": f"<div id=postlist>{POSTS}</div>",
    "index": "".join(
        f"<div class=channel><h3>频道{n} 更多</h3><ul>{NAVIGATION}</ul></div>" for n in range(9)
    ),
}


def lines_of(html: str) -> Lines:
    return lines_of_text(body_text(parsed(marked(find_tags(html.encode())))))


@pytest.mark.parametrize("kind", PAGES)
def test_kinds(kind: str) -> None:
    html = f"<body><ul class=nav>{NAVIGATION}</ul>{PAGES[kind]}<div>版权所有</div></body>"
    assert extract_page(html, HtmlLimits()).kind == kind


def test_a_page_without_lines_has_no_kind() -> None:
    lines = lines_of("<p></p>")
    assert page_kind(lines, line_facts(lines), "论坛") is None


def test_weights_are_of_all_features_and_kinds() -> None:
    assert _weights().shape == (len(PAGE_FEATURES), len(PAGE_KINDS))
    assert np.abs(_weights()).max(axis=0).min() > 0


PIECES = st.lists(
    st.sampled_from(
        ["<div class=post>", "<div class=post>", "</div>", "</div>", "<p>", "<li>", "甲，乙。",
         f"{SENTENCE}", "<a href=x>链接</a>", "12-3", "发表于", "<ul class=thread>", "</ul>",
         "<td>", "加入购物车", "章", "<br>", "<div class=videolist>"]
    ),
    max_size=50,
).map("".join)  # fmt: skip


@settings(deadline=None)
@given(PIECES, st.sampled_from(["", "第3章 夜", "论坛问答", "abc"]))
def test_compiled_features_are_those_of_the_twin(html: str, title: str) -> None:
    lines = lines_of(html + "末")
    facts = line_facts(lines)
    found = page_features(lines, facts, title)
    assert np.allclose(found, plain_page_features(lines, facts, title), atol=1e-12)
    assert len(found) == len(PAGE_FEATURES)
    assert 0 <= found.min() <= found.max() <= 1
