"""What stands around the text of a page: none of it is main text."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.writer import Writer

_STYLES = "body{margin:0;font:14px/1.8 sans-serif}a{color:#369}.clear{clear:both}"


def document(w: Writer, body: str) -> str:
    """The whole page around the markup inside of its body."""
    doctype = w.one_of(
        (
            "<!DOCTYPE html>",
            "<!doctype html>",
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
            '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">',
        )
    )
    title = escape(w.one_of((f"{w.subject} - {w.site}", f"{w.subject}_{w.site}", w.subject)))
    described = ""
    if w.chance(0.5):
        words = escape(f"{w.subject},{w.site}", quote=True)
        described = f'<meta name="keywords" content="{words}">'
    return (
        f'{doctype}\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"{described}<style>{_STYLES}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def around(w: Writer, main: str, *, side: str = "", before: str = "", after: str = "") -> str:
    """A page's head and foot around its columns.

    Args:
        side: A second column; before or behind the first one.
        before: Between head and columns.
        after: Between columns and foot.
    """
    columns = main + side if w.chance(0.75) else side + main
    return (
        f"{top(w)}{before}<div {w.c('wrapper clearfix')}>{columns}</div>{after}"
        f"{ad(w, 0.2)}{foot(w)}"
    )


def link(w: Writer, text: str) -> str:
    """A link somewhere."""
    return f'<a href="/{w.count(1, 99)}/{w.count(1000, 999999)}.html">{escape(text)}</a>'


def links(w: Writer, texts: list[str], kind: str = "") -> str:
    """Links as a list, as items of a definition list, or with signs between."""
    written = [link(w, text) for text in texts]
    how = w.count(0, 4)
    attribute = f" {w.c(kind)}" if kind else ""
    if how == 0:
        return f"<div{attribute}>{' | '.join(written)}</div>"
    if how == 1:
        return f"<div{attribute}>{'&nbsp;'.join(written)}</div>"
    if how == 2:
        return f"<dl{attribute}>{''.join(f'<dd>{item}</dd>' for item in written)}</dl>"
    return f"<ul{attribute}>{''.join(f'<li>{item}</li>' for item in written)}</ul>"


def top(w: Writer) -> str:
    """Bar of the user, logo, search, menu."""
    parts = []
    if w.chance(0.6):
        said = escape(w.one_of(names.LOGIN))
        buttons = links(w, w.some_of(names.BUTTONS, 2, 5))
        parts.append(f"<div {w.c('topbar')}><span>{said}</span>{buttons}</div>")
    if w.chance(0.8):
        parts.append(
            f'<div {w.c("logo")}><a href="/"><img src="/logo.png" alt="">{w.site}</a></div>'
        )
    if w.chance(0.5):
        parts.append(
            f'<form {w.c("search")} action="/s"><input type="text" name="q" value="请输入关键词">'
            f'<button type="submit">搜索</button></form>'
        )
    menu = links(w, w.some_of(names.NAV, 5, 26), "nav")
    parts.append(f"<nav>{menu}</nav>" if w.chance(0.3) else menu)
    if w.chance(0.3):
        parts.append(links(w, w.some_of(names.NAV, 3, 12), "subnav"))
    holder = "header" if w.chance(0.4) else "div"
    return f"<{holder} {w.c('header')}>{''.join(parts)}</{holder}>\n{ad(w, 0.15)}"


def crumbs(w: Writer) -> str:
    """Where the page is."""
    steps = [link(w, word) for word in w.some_of(names.NAV, 1, 3)]
    sign = w.one_of((" &gt; ", " » ", " / ", "<em>›</em>"))
    last = w.one_of(("", "正文", "详情", escape(w.subject)))
    return (
        f"<div {w.c('crumb position')}>当前位置：{sign.join([link(w, w.site), *steps, last])}</div>"
        "\n"
    )


def foot(w: Writer) -> str:
    """Links, rights, licences."""
    lines = [f"<p>{escape(line)}</p>" for line in w.some_of(names.FOOTS, 1, 5)]
    friends = ""
    if w.chance(0.4):
        sites = [w.one_of(names.SITES) + w.one_of(names.SITE_KINDS) for _ in w.times(4, 24)]
        friends = f"<div {w.c('friendlink')}><span>友情链接：</span>{links(w, sites)}</div>"
    holder = "footer" if w.chance(0.4) else "div"
    return f"<{holder} {w.c('footer')}>{friends}{''.join(lines)}</{holder}>\n"


def ad(w: Writer, share: float = 1.0) -> str:
    """An advertisement in this share of cases: a picture, a link or a sentence."""
    if not w.chance(share):
        return ""
    slogan = escape(w.one_of(names.SLOGANS))
    picture = '<img src="/ad.jpg" width="300" height="100" alt="广告">'
    said = w.one_of(
        (
            f'<a href="/go/{w.count(1, 999)}">{picture}</a>',
            f'<a href="/go/{w.count(1, 999)}">{slogan}</a>',
            f"<p>{slogan}</p>",
            f"<span>{slogan}</span><em>广告</em>",
        )
    )
    return f"<div {w.c(w.one_of(('ad', 'adbox', 'gg', 'banner', 'promo', 'a_mu')))}>{said}</div>\n"


def counters(w: Writer, labels: str, least: int = 2) -> str:
    """Counters and buttons in a row: labels as "阅读 评论 赞"."""
    chosen = w.some_of(labels.split(), least, 9)
    how = w.count(0, 2)
    if how == 0:
        said = " ".join(f"{label}({w.number()})" for label in chosen)
    elif how == 1:
        said = "".join(f"<span>{label} <em>{w.number()}</em></span>" for label in chosen)
    else:
        said = "".join(f'<a href="javascript:;">{label}{w.number()}</a>' for label in chosen)
    return said


def share(w: Writer) -> str:
    """Buttons to share the page."""
    shown = w.some_of(
        ["微信", "微博", "QQ空间", "朋友圈", "复制链接", "豆瓣", "收藏", "打印", "举报"], 2, 7
    )
    return f"<div {w.c('share bdsharebuttonbox')}><span>分享到：</span>{links(w, shown)}</div>\n"


def titles(w: Writer, least: int, most: int, kind: str = "prose") -> list[str]:
    """Titles of other pages."""
    return [w.headline(kind) for _ in w.times(least, most)]


def link_list(w: Writer, heading: str, least: int, most: int, kind: str = "prose") -> str:
    """A block of links to other pages: bare, numbered, with days, counters or pictures."""
    how = w.count(0, 4)
    items = []
    for number, title in enumerate(titles(w, least, most, kind), 1):
        said = link(w, title)
        if how == 1:
            said = f"<em>{number}</em>{said}"
        elif how == 2:
            said = f"{said}<span>{w.date()}</span>"
        elif how == 3:
            said = f"{said}<p>{w.number()}次浏览 {w.number()}回复</p>"
        elif how == 4:
            said = f'<a href="/{number}.html"><img src="/{number}.jpg" alt=""></a>{said}'
        items.append(said)
    tag = w.one_of(("li", "li", "div", "p"))
    listed = "".join(f"<{tag}>{item}</{tag}>\n" for item in items)
    listed = f"<ul>{listed}</ul>" if tag == "li" else listed
    title = f"<{w.one_of(('h2', 'h3', 'h4', 'div', 'dt'))}>{heading}</h3>"
    title = title.replace("</h3>", f"</{title[1:].split('>')[0]}>")
    return (
        f"<div {w.c(w.one_of(('related', 'hot', 'recommend', 'rank', 'list', 'block')))}>"
        f"{title}{listed}</div>\n"
    )


def teasers(w: Writer, least: int, most: int, kind: str = "prose") -> str:
    """Other pages with the beginning of their text: prose that belongs elsewhere."""
    items = []
    for title in titles(w, least, most, kind):
        said = escape("".join(w.lines(kind, 60))[: w.count(30, 110)])
        more = w.one_of(("...", "……", "…[详细]", '<a href="/more">阅读全文</a>'))
        meta = f"<span>{w.date()}</span><span>{escape(w.user())}</span>" if w.chance(0.6) else ""
        items.append(
            f"<div {w.c('item')}><h3>{link(w, title)}</h3><p>{said}{more}</p>"
            f"<div {w.c('meta')}>{meta}{counters(w, '阅读 评论 赞')}</div></div>\n"
        )
    return (
        f"<div {w.c(w.one_of(('recommend-list', 'feed', 'list', 'related')))}>{''.join(items)}"
        "</div>\n"
    )


def sidebar(w: Writer, kind: str = "prose") -> str:
    """A second column: ranks, recommended pages, tags, an author, advertisements."""
    parts = []
    for heading in w.some_of(
        ["热门文章", "相关推荐", "最新发布", "点击排行", "猜你喜欢", "大家都在看", "本周热帖"], 1, 4
    ):
        parts.append(link_list(w, heading, 4, 12, kind))
    if w.chance(0.3):
        parts.append(
            f"<div {w.c('tags')}><h3>热门标签</h3>{links(w, w.some_of(names.NAV, 6, 20))}</div>"
        )
    if w.chance(0.3):
        parts.append(
            f"<div {w.c('author-card')}><img src='/face.gif'><b>{escape(w.user())}</b>"
            f"<p>{escape(w.one_of(names.SIGNATURES))}</p>{counters(w, '文章 粉丝 获赞 访问')}</div>"
        )
    parts.append(ad(w, 0.4))
    w.dice.shuffle(parts)
    holder = "aside" if w.chance(0.3) else "div"
    return (
        f"<{holder} {w.c(w.one_of(('sidebar', 'side', 'right', 'aside fr', 'col-r')))}>"
        f"{''.join(parts)}</{holder}>\n"
    )


def pager(w: Writer) -> str:
    """Numbers of further pages."""
    last = w.count(2, 12)
    numbers = "".join(f'<a href="?p={page}">{page}</a>' for page in range(1, min(last, 8) + 1))
    jump = f"<span>共{last}页</span> 到第<input size=2>页" if w.chance(0.4) else ""
    return (
        f"<div {w.c(w.one_of(('pg', 'pager', 'pagination', 'page')))}>{numbers}<a href='?p=2'>"
        f"下一页</a>{jump}</div>\n"
    )


def neighbours(w: Writer) -> str:
    """Links to the pages before and behind."""
    return (
        f"<div {w.c('prenext')}><p>上一篇：{link(w, w.headline())}</p>"
        f"<p>下一篇：{link(w, w.headline())}</p></div>\n"
    )


def reply_box(w: Writer) -> str:
    """Where readers are to write something."""
    said = escape(w.one_of(names.LOGIN))
    hint = w.one_of(
        ("我来说两句", "发表评论", "文明上网，理性发言，请遵守网络评论服务协议。", "快速回复")
    )
    return (
        f"<div {w.c('reply-box')}><h3>{hint}</h3><form action='/post'><textarea name='m'>{said}"
        f"</textarea><p>{said}</p><button>{w.one_of(('发表', '提交', '发布评论', '回复'))}</button>"
        "</form></div>\n"
    )
