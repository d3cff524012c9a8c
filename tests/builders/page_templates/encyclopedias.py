"""Entries of encyclopedias: infobox, contents, sections, references, categories."""

from __future__ import annotations

import re
from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.frame import (
    around,
    counters,
    crumbs,
    link_list,
    links,
    share,
    sidebar,
)
from tests.builders.page_templates.texts import lines_of
from tests.builders.page_templates.writer import Writer

_HEADINGS = [
    "历史",
    "概述",
    "地理",
    "人口",
    "经济",
    "交通",
    "文化",
    "生平",
    "早年经历",
    "主要成就",
    "人物评价",
    "社会影响",
    "名称由来",
    "结构",
    "分类",
    "用途",
    "分布",
    "特点",
    "发展",
    "相关事件",
    "内容简介",
    "创作背景",
    "主要作品",
    "教育",
    "行政区划",
]
_FACTS = [
    "中文名",
    "外文名",
    "别名",
    "国籍",
    "出生日期",
    "出生地",
    "职业",
    "所属地区",
    "面积",
    "人口",
    "成立时间",
    "总部地点",
    "类型",
    "作者",
    "出版社",
    "语言",
    "主演",
    "界",
    "门",
    "纲",
    "目",
    "科",
    "官方网站",
    "邮编",
    "创办者",
]


def entry(w: Writer) -> tuple[str, list[str]]:
    """Title and lines of an entry; not escaped."""
    lines: list[str] = []
    for _ in range(20):
        lines = lines_of(w.one_of(w.texts.entries))
        if lines:
            break
    title = lines[0] if lines and len(lines[0]) <= 20 else ""
    lines = lines[1:] if title else lines
    # A text of one long line becomes paragraphs of a few sentences.
    cut: list[str] = []
    for line in lines:
        parts = re.findall(r".{40,160}?[。；]|.+$", line)
        cut += parts or [line]
    return title or w.headline("entries"), cut[: w.count(1, 14)] or [w.sentence("prose", 20, 80)]


def facts(w: Writer) -> list[tuple[str, str]]:
    """Names and values of an infobox; not escaped."""
    return [
        (name, w.one_of((w.headline("entries"), w.date(), w.one_of(names.PLACES), w.number())))
        for name in w.some_of(_FACTS, 3, 14)
    ]


def sections(w: Writer, lines: list[str], heading: str, paragraph: str) -> str:
    """Lines under headings; both are kept.

    Args:
        heading: Markup of a heading, with {} for its words.
        paragraph: Markup of a line, with {}.
    """
    written = []
    for number, line in enumerate(lines):
        if number and w.chance(0.35):
            written.append(heading.format(w.kept(w.one_of(_HEADINGS))))
        written.append(paragraph.format(w.kept(line)))
    return "\n".join(written)


def contents(w: Writer, name: str) -> str:
    """A table of contents."""
    items = "".join(
        f'<li><a href="#s{number}"><span>{number}</span> {word}</a></li>'
        for number, word in enumerate(w.some_of(_HEADINGS, 2, 9), 1)
    )
    return f"<div {w.c(name)}><h2>目录</h2><ul>{items}</ul></div>"


def references(w: Writer, name: str) -> str:
    """Sources of an entry."""
    items = "".join(
        f"<li><a href='#'>^</a> {escape(w.headline())}．{w.one_of(names.SITES)}网 [引用日期"
        f"{w.date()}]</li>"
        for _ in w.times(1, 9)
    )
    return f"<h2>参考资料</h2><ol {w.c(name)}>{items}</ol>"


def wiki_entry(w: Writer) -> str:
    """A wiki's entry: a table as infobox, sections with links to edit them, boxes at the end."""
    w.subject, lines = entry(w)
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts(w))
    box = (
        f"<table {w.c('infobox')}><caption>{escape(w.subject)}</caption>{rows}</table>"
        if w.chance(0.8)
        else ""
    )
    toc = contents(w, "toc") if w.chance(0.5) else ""
    heading = (
        f"<h2><span {w.c('mw-headline')}>{{}}</span><span {w.c('mw-editsection')}>[<a href='#'>编辑"
        "</a>]</span></h2>"
    )
    text = sections(w, lines, heading, "<p>{}</p>")
    nav = (
        f"<table {w.c('navbox')}><tr><th>相关条目</th></tr><tr><td>"
        f"{links(w, [w.headline('entries') for _ in w.times(3, 20)])}</td></tr></table>"
    )
    tools = links(
        w,
        [
            "条目",
            "讨论",
            "阅读",
            "编辑",
            "查看历史",
            "链入页面",
            "相关更改",
            "上传文件",
            "特殊页面",
            "固定链接",
            "页面信息",
        ],
    )
    notice = (
        "<div>本条目存在以下问题，请协助改善本条目或在讨论页针对议题发表看法。</div>"
        if w.chance(0.2)
        else ""
    )
    end = (
        f"<div {w.c('catlinks')}>分类：{links(w, w.some_of(names.NAV, 2, 8))}</div>"
        f"<div {w.c('printfooter')}>本页面最后修订于"
        f"{w.moment()}。本站的全部文字在知识共享 "
        "署名-相同方式共享协议之条款下提供，附加条款亦可能应用。</div>"
    )
    main = (
        f"<div {w.i('content')} {w.c('mw-body')}><h1 {w.i('firstHeading')}>{escape(w.subject)}</h1>"
        f"<div {w.c('mw-body-content')}><div>{w.site}，自由的百科全书</div>"
        f"<div {w.c('mw-parser-output')}>{notice}"
        f"{box}{toc}{text}{references(w, 'references')}{nav}</div></div>{end}</div>"
    )
    return around(w, main, side=f"<div {w.c('mw-panel')}>{tools}</div>")


def baike_entry(w: Writer) -> str:
    """A commercial encyclopedia's entry: facts in two columns of names and values."""
    w.subject, lines = entry(w)
    summary = f"<div {w.c('lemma-summary')}><div {w.c('para')}>{w.kept(lines[0])}</div></div>"
    values = "".join(
        f"<dt {w.c('basicInfo-item name')}>{name}</dt><dd {w.c('basicInfo-item value')}>"
        f"{escape(value)}</dd>"
        for name, value in facts(w)
    )
    box = f"<div {w.c('basic-info')}><dl {w.c('basicInfo-block')}>{values}</dl></div>"
    toc = contents(w, "lemma-catalog") if w.chance(0.5) else ""
    heading = (
        f"<div {w.c('para-title level-2')}><h2>{{}}</h2><a {w.c('edit-icon')} href='#'>编辑</a>"
        "<a href='#'>语音</a></div>"
    )
    text = sections(w, lines[1:], heading, f"<div {w.c('para')}>{{}}</div>")
    side = (
        f"<div {w.c('side-content')}><h3>词条统计</h3><ul><li>浏览次数：{w.number()}次</li><li>"
        f"编辑次数：{w.count(1, 99)}次"
        f"</li><li>最近更新：{w.date()}</li><li>创建者：{escape(w.user())}</li></ul>"
        f"{link_list(w, '猜你关注', 2, 8)}</div>"
    )
    tags = f"<div {w.c('open-tag')}>词条标签：{links(w, w.some_of(names.NAV, 1, 5))}</div>"
    tools = (
        f"<div {w.c('top-tool')}>收藏 {w.number()} 有用 {w.number()} 本词条由志愿者参与编辑并审核"
        "</div>"
    )
    main = (
        f"<div {w.c('main-content')}>{tools}<dl><dd {w.c('lemmaWgt-lemmaTitle-title')}><h1>"
        f"{escape(w.subject)}</h1>"
        f"<a href='#'>编辑</a></dd></dl>{summary}{box}{toc}{text}{references(w, 'lemma-reference')}"
        f"{tags}</div>"
    )
    return around(w, main, side=side)


def plain_entry(w: Writer) -> str:
    """A trade site's entry: facts as lines with colons, the text in few long paragraphs."""
    w.subject, lines = entry(w)
    named = "".join(
        f"<li><label>{name}：</label><span>{escape(value)}</span></li>" for name, value in facts(w)
    )
    heading = f"<h3 {w.c('tit')}>{{}}</h3>"
    text = sections(
        w, lines, heading, w.one_of(("<p>{}</p>", "<p>\u3000\u3000{}</p>", "<div>{}</div>"))
    )
    main = (
        f"<div {w.c('wiki-main')}>{crumbs(w)}<h1>{escape(w.subject)}</h1><div {w.c('attr')}>"
        f"<img src='/i.jpg'><ul>{named}"
        f"</ul>{counters(w, '浏览 收藏 纠错')}</div><div {w.c('wiki-con')}>{text}</div>{share(w)}"
        f"{link_list(w, '相关词条', 2, 16, 'entries')}</div>"
    )
    return around(w, main, side=sidebar(w))


def mobile_entry(w: Writer) -> str:
    """An entry for telephones: facts as a list that unfolds, each section by itself."""
    w.subject, lines = entry(w)
    opening = f"<div {w.c('summary-content')}><p>{w.kept(lines[0])}</p></div>"
    named = "".join(
        f"<li><div {w.c('info-title')}>{name}</div><div {w.c('info-content')}>{escape(value)}"
        "</div></li>"
        for name, value in facts(w)
    )
    parts = []
    for line in lines[1:]:
        heading = ""
        if w.chance(0.4):
            heading = f"<h2 {w.c('section-heading')}>{w.kept(w.one_of(_HEADINGS))}</h2>"
        parts.append(f"<section>{heading}<div>{w.kept(line)}</div></section>")
    folded = w.one_of(("展开全部", "收起", "查看全部信息"))
    main = (
        f"<div {w.c('lemma-title')}><h1>{escape(w.subject)}</h1>"
        f"{counters(w, '播报 收藏 点赞 分享')}"
        f"</div>{opening}<ul {w.c('lemma-info')}>{named}<li>{folded}</li></ul>{''.join(parts)}"
        f"<div {w.c('ref-list')}>{references(w, 'reference')}</div>"
        f"{link_list(w, '大家还在搜', 0, 12, 'entries')}"
    )
    return around(w, f"<div {w.c('lemma-body')}>{main}</div>")
