"""Whole pages as training texts."""

from __future__ import annotations

from typing import Any

from jobs.training.common.pages import whole_page_documents

HTML = (
    '<html><head><meta charset="gbk"><title>消息</title></head><body><ul><li>首页</li></ul>'
    "<p>记者报道。</p><footer>版权所有</footer></body></html>"
)


def row(**fields: Any) -> dict[str, Any]:
    return {"bytes": HTML.encode("gbk"), "site": "a.cn", "declared_charset": "gbk"} | fields


def test_a_page_is_all_its_visible_text_under_its_title() -> None:
    (document,) = whole_page_documents([row(gold_kind="gold"), row(gold_kind="none")])
    assert document.text.split("\n") == ["消息", "首页", "记者报道。", "版权所有"]
    assert (document.unit, document.kind, document.labels) == ("a.cn", "html", ("clean",))


def test_a_long_page_is_cut_where_the_read_pages_are() -> None:
    html = f"<title>长</title><p>{'文' * 9_000}</p>".encode()
    (document,) = whole_page_documents([row(bytes=html, declared_charset=None, gold_kind="gold")])
    assert len(document.text) == 8_000
