"""Chapters of novels: a title, links to the chapters beside it, the text, notices."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.frame import ad, around, counters, crumbs, link, link_list, links
from tests.builders.page_templates.writer import Writer

_NOTICES = (
    "天才一秒记住本站地址，最快更新，无弹窗！",
    "手机用户请浏览阅读，更优质的阅读体验。",
    "本章未完，请点击下一页继续阅读！",
    "喜欢本书请大家收藏，本站更新速度全网最快。",
    "章节错误，点此举报（免注册），我们会尽快处理。",
    "求推荐票，求月票，求收藏！",
)


def chapter(w: Writer) -> str:
    """Draw the title of a chapter; escaped."""
    w.subject = f"第{w.count(1, 900)}{w.one_of(('章', '回', '节'))} {w.headline('novels')}"
    return escape(w.subject)


def steps(w: Writer, name: str) -> str:
    """Links to the chapters beside this one and to the directory."""
    words = w.some_of(
        ["上一章", "下一章", "返回目录", "加入书签", "章节目录", "投推荐票", "报错", "书架"], 3, 7
    )
    sign = w.one_of((" ", " &larr; ", " | ", "&nbsp;"))
    return f"<div {w.c(name)}>{sign.join(link(w, word) for word in words)}</div>"


def notice(w: Writer, share: float) -> str:
    """A notice of the site in this share of cases."""
    return f"<p>{escape(w.one_of(_NOTICES))}</p>" if w.chance(share) else ""


def chapter_breaks(w: Writer) -> str:
    """The usual novel site: one block, indented by spaces, lines parted by breaks."""
    title = chapter(w)
    text = w.body(w.lines("novels", w.count(150, 2500)), w.one_of(("br br", "br br", "br")))
    read = f"<div {w.i('content')}>{text}</div>"
    main = (
        f"<div {w.c('con_top')}>{crumbs(w)}</div><div {w.c('bookname')}><h1>{title}</h1>"
        f"{steps(w, 'bottem1')}"
        f"<div>推荐阅读：{links(w, [w.headline('novels') for _ in w.times(2, 10)])}</div></div>"
        f"{notice(w, 0.4)}{ad(w, 0.4)}"
        f"{read}{notice(w, 0.6)}{steps(w, 'bottem2')}"
    )
    return around(w, f"<div {w.c('content_read')}><div {w.c('box_con')}>{main}</div></div>")


def chapter_paragraphs(w: Writer) -> str:
    """A publisher's reader: paragraphs, counters of the chapter, the author's words."""
    title = chapter(w)
    text = w.body(w.lines("novels", w.count(150, 2500)), w.one_of(("p", "indented", "section")))
    info = (
        f"<div {w.c('text-info')}><a href='#'>{escape(w.user())}</a><i>{w.number()}字</i><span>"
        f"{w.moment()}</span></div>"
    )
    author = f"<div {w.c('admire')}><span>打赏</span>{counters(w, '月票 推荐票 打赏 本章说')}</div>"
    main = (
        f"<div {w.c('text-head')}><h3 {w.c('j_chapterName')}>{title}</h3>{info}</div>"
        f"<div {w.c('read-content')}>{text}</div>"
        f"{author}{steps(w, 'chapter-control')}{notice(w, 0.3)}"
    )
    panel = (
        f"<div {w.c('left-bar-list')}>{links(w, ['目录', '设置', '手机阅读', '书架', '投票互动'])}"
        "</div>"
    )
    wrapped = f"<div {w.c('read-main-wrap')}>{main}</div>"
    return around(
        w, wrapped, side=panel, after=link_list(w, "喜欢这本书的人还喜欢", 0, 12, "novels")
    )


def chapter_table(w: Writer) -> str:
    """An old library of texts: the chapter in a cell of a table, with a few links around."""
    title = chapter(w)
    text = w.body(
        w.lines("novels", w.count(150, 3000)), w.one_of(("br", "br br", "indented", "div"))
    )
    main = (
        f"<table width=760 align=center><tr><td align=center><font size=4><b>{title}</b></font>"
        "</td></tr><tr><td>作者："
        f"{escape(w.user())}　{w.site}整理收藏</td></tr><tr><td><hr size=1>{text}<hr size=1></td>"
        "</tr><tr><td align=center>"
        f"{notice(w, 0.4)}{steps(w, 'jump')}</td></tr></table>"
    )
    more = "".join(f"<tr><td>{link(w, title)}</td></tr>" for title in w.some_of(names.NAV, 0, 12))
    return around(w, main, after=f"<table>{more}</table>{ad(w, 0.3)}")


def chapter_mobile(w: Writer) -> str:
    """A chapter for telephones: part of a chapter, steps above and below, size of letters."""
    title = chapter(w)
    text = w.body(w.lines("novels", w.count(120, 1200)), w.one_of(("br br", "p", "br")))
    part = f"（{w.count(1, 3)}/{w.count(3, 5)}）" if w.chance(0.5) else ""
    sizes = f"<div {w.c('nr_set')}>字体：{links(w, ['大', '中', '小', '护眼', '关灯'])}</div>"
    main = (
        f"<div {w.i('nr_title')}><h1>{title}{part}</h1></div>"
        f"{sizes}{steps(w, 'nr_page')}{ad(w, 0.3)}"
        f"<div {w.i('nr')}><div {w.i('nr1')}>{notice(w, 0.3)}{text}</div></div>{notice(w, 0.5)}"
        f"{steps(w, 'nr_page')}<form action='/s'><input name='k'><button>搜书</button></form>"
    )
    return around(w, main, after=link_list(w, "热门推荐", 0, 15, "novels"))
