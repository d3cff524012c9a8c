"""Articles: content systems, an authority's notice, portals, blogs, columns, old tables."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.encyclopedias import sections
from tests.builders.page_templates.frame import (
    ad,
    around,
    counters,
    crumbs,
    link,
    link_list,
    links,
    neighbours,
    pager,
    share,
    sidebar,
    teasers,
)
from tests.builders.page_templates.writer import Writer


def cms_article(w: Writer) -> str:
    """A content system's article: source and clicks above, neighbours and related ones below."""
    title = w.named()
    text = w.body(
        w.lines("prose", w.count(60, 1800)), w.one_of(("p", "p", "br", "br br", "indented", "div"))
    )
    meta = (
        f"<div {w.c('info')}><small>时间:</small>{w.moment()}<small>来源:</small>{w.site} <small>"
        "作者:</small>"
        f"{escape(w.user())} <small>点击:</small>{w.number()}次</div>"
    )
    abstract = ""
    if w.chance(0.3):
        abstract = f"<div {w.c('intro')}>核心提示：{escape(w.sentence('prose', 15, 60))}</div>"
    digg = f"<div {w.c('newdigg')}>顶一下({w.count(0, 99)}) 踩一下({w.count(0, 99)})</div>"
    main = (
        f"{crumbs(w)}<div {w.c('viewbox')}><div {w.c('title')}><h2>{title}</h2></div>"
        f"{meta}{abstract}<div {w.c('content')}>"
        f"{text}</div>{digg}<div>(责任编辑：admin)</div>{neighbours(w)}</div>"
        f"{link_list(w, '相关文章', 0, 20)}"
    )
    return around(w, f"<div {w.c('pleft')}>{main}</div>", side=sidebar(w))


def government_notice(w: Writer) -> str:
    """An authority's notice: a table of index numbers, the text, print and close."""
    title = w.named()
    text = w.body(w.lines("prose", w.count(80, 2000)), w.one_of(("p", "indented", "span", "br br")))
    rows = "".join(
        f"<tr><td>{name}：</td><td>{value}</td></tr>"
        for name, value in (
            ("索引号", f"{w.count(10**7, 10**8)}/{w.count(2010, 2024)}-{w.count(1, 999)}"),
            ("发布机构", f"{w.one_of(names.PLACES)}市人民政府办公室"),
            ("发文日期", w.date()),
            ("主题分类", w.one_of(names.NAV)),
        )
    )
    index = f"<table {w.c('xxgk_table')}>{rows}</table>" if w.chance(0.6) else ""
    sizes = f"<div {w.c('tools')}>【字体：大 中 小】 【打印】 【关闭】 浏览次数：{w.number()}</div>"
    main = (
        f"{crumbs(w)}{index}<div {w.c('article-title')}><h1>{title}</h1></div><div {w.c('time')}>"
        f"发布时间：{w.moment()} 来源："
        f"{w.site}</div>{sizes}<div {w.i('UCAP-CONTENT')} {w.c('TRS_Editor')}>{text}</div>"
        f"<div {w.c('fujian')}>附件："
        f"{link(w, w.headline())}</div>{share(w)}"
    )
    return around(w, f"<div {w.c('w1200')}>{main}</div>")


def portal_article(w: Writer) -> str:
    """A portal's article in several wrappers, with teasers of others under it."""
    title = w.named()
    text = w.body(w.lines("prose", w.count(60, 1600)), w.one_of(("p", "p", "indented", "div")))
    body = w.nested(f"<div {w.c('article-body')}><article>{text}</article></div>")
    figure = ""
    if w.chance(0.3):
        figure = "<div><img src='/t.jpg' alt=''></div>"
    more = teasers(w, 2, 14) if w.chance(0.6) else link_list(w, "热点推荐", 4, 30)
    editor = f"<p {w.c('show_author')}>责任编辑：{escape(w.user())}</p>"
    main = (
        f"<h1 {w.c('article-title')}>{title}</h1><div {w.c('article-info')}><span>{w.moment()}"
        f"</span><span>{w.site}</span>"
        f"<a href='#'>关注</a></div>{figure}{body}{editor}<div {w.c('article-bar')}>"
        f"{counters(w, '赞 收藏 分享 评论')}</div>{more}"
    )
    return around(
        w, f"<div {w.c('article-detail')}>{main}</div>", side=sidebar(w), before=crumbs(w)
    )


def blog_post(w: Writer) -> str:
    """A blog's post, with headings inside, the writer's card, and the archive beside."""
    title = w.named(w.one_of(("prose", "talk")))
    lines = w.lines(w.one_of(("prose", "talk")), w.count(40, 1400))
    text = sections(
        w, lines, "<h3>{}</h3>", w.one_of(("<p>{}</p>", "<p><span>{}</span></p>", "<div>{}</div>"))
    )
    end = (
        f"<p>本文链接：<a href='#'>http://blog.example.com/{w.count(1, 9999)}</a>，转载请注明出处。"
        "</p>"
    )
    months = links(
        w,
        [f"{year}年{month}月" for year in (2022, 2023) for month in w.dice.sample(range(1, 13), 4)],
    )
    main = (
        f"<div {w.c('post')}><h1 {w.c('postTitle')}><a href='#'>{title}</a></h1>"
        f"<div {w.i('cnblogs_post_body')} "
        f"{w.c('blogpost-body')}>{text}</div>{end}<div {w.c('postDesc')}>"
        f"posted @ {w.moment()} {escape(w.user())} 阅读({w.number()})"
        f" 评论({w.count(0, 99)}) <a href='#'>编辑</a> <a href='#'>收藏</a></div></div>"
        f"{neighbours(w)}"
    )
    side = (
        f"<div {w.c('sideBar')}><h3>公告</h3><p>昵称：{escape(w.user())}</p><h3>随笔档案</h3>"
        f"{months}{link_list(w, '最新随笔', 3, 10)}</div>"
    )
    return around(w, f"<div {w.c('mainContent')}>{main}</div>", side=side)


def column_article(w: Writer) -> str:
    """A writer's column on a platform of articles: sections of spans, a card, readers' counters."""
    title = w.named()
    text = w.body(w.lines("prose", w.count(80, 1500)), w.one_of(("section", "span", "p")))
    card = (
        f"<div {w.c('profile_inner')}><strong>{escape(w.user())}</strong><p>微信号 <span>"
        f"{w.one_of(names.LATIN_NAMES)}</span></p>"
        f"<p>功能介绍 <span>{escape(w.one_of(names.SIGNATURES))}</span></p></div>"
    )
    main = (
        f"<h1 {w.c('rich_media_title')}>{title}</h1><div {w.c('rich_media_meta_list')}><span>原创"
        f"</span><span>{escape(w.user())}</span>"
        f"<em>{w.moment()}</em></div>{card if w.chance(0.5) else ''}"
        f"<div {w.c('rich_media_content')} {w.i('js_content')}>{text}</div>"
        f"<div {w.c('rich_media_tool')}>{counters(w, '阅读 在看 赞 写留言')}</div>"
        f"<div {w.c('qr_code')}>微信扫一扫 关注该公众号</div>"
    )
    return around(w, f"<div {w.c('rich_media_area_primary')}>{main}</div>", after=teasers(w, 0, 8))


def table_article(w: Writer) -> str:
    """An article of the first years: tables and fonts, lines parted by breaks."""
    title = w.named()
    text = w.body(w.lines("prose", w.count(80, 1500)), w.one_of(("br", "br br", "indented")))
    boxed = "<br>".join(f"·{link(w, w.headline())}" for _ in w.times(0, 16))
    main = (
        "<table width=750 border=0 align=center><tr><td width=560 valign=top><table width=100%>"
        f"<tr><td align=center {w.c('h1')}>"
        f"<font size=5>{title}</font></td></tr><tr><td align=center>"
        f"http://www.example.com {w.moment()} {w.site}</td></tr><tr><td "
        f"{w.c('l17')}><font {w.i('zoom')}>{text}</font></td></tr><tr><td align=right>"
        "【评论】【大 中 小】【打印】【关闭】</td></tr></table>"
        f"{ad(w, 0.3)}</td><td valign=top><b>相关报道</b><br>{boxed}</td></tr></table>"
    )
    return around(w, main, before=crumbs(w) if w.chance(0.5) else "")


def short_item(w: Writer) -> str:
    """A short report of a few lines between a gallery, other pages of it and many links."""
    title = w.named()
    lines = [w.sentence("prose", 30, 150) for _ in w.times(1, 3)]
    text = w.body(lines, w.one_of(("p", "div", "span")))
    pictures = "".join(
        f"<li><img src='/{n}.jpg'><i>{n + 1}/{w.count(5, 20)}</i></li>" for n in w.times(0, 6)
    )
    main = (
        f"<header><h1>{title}</h1><span>{w.date()}</span></header><ul {w.c('gallery')}>{pictures}"
        f"</ul><div {w.c('pic-text')}>{text}"
        f"</div>{pager(w) if w.chance(0.4) else ''}{share(w)}{link_list(w, '精彩图集', 6, 40)}"
        f"{link_list(w, '今日推荐', 4, 20)}"
    )
    return around(w, f"<main {w.c('main')}>{main}</main>", side=sidebar(w))
