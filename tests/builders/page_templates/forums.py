"""Forum threads: tables of posts, lists of posts, streams; with authors, floors, signatures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.frame import (
    ad,
    around,
    counters,
    crumbs,
    link,
    link_list,
    links,
    pager,
    reply_box,
    share,
    sidebar,
)
from tests.builders.page_templates.writer import Writer

_FLOORS = ("楼主", "沙发", "板凳", "地板")


def thread(w: Writer) -> list[list[str]]:
    """The posts of a thread, each as lines: an opening post, and sometimes no reply."""
    opening = w.post() if w.chance(0.3) else w.lines("talk", w.count(60, 600))
    replies = [] if w.chance(0.12) else [w.post() for _ in w.times(1, 14)]
    return [opening, *replies]


def floor(number: int) -> str:
    """Name of a post's place, from 0: 楼主, 沙发, ..., 5#."""
    return _FLOORS[number] if number < len(_FLOORS) else f"{number + 1}#"


def quoted(w: Writer, posts: Sequence[Sequence[str]], number: int) -> str:
    """Now and then the beginning of an earlier post: it is on the page already."""
    if number == 0 or not w.chance(0.25):
        return ""
    said = escape(" ".join(posts[w.count(0, number - 1)])[:70])
    return (
        f"<div {w.c('quote')}><blockquote><font size=2>{escape(w.user())} 发表于 {w.moment()}"
        "</font>"
        f"<br>{said}</blockquote></div>"
    )


def signature(w: Writer, name: str, share_of_posts: float) -> str:
    """A user's signature in this share of cases."""
    if not w.chance(share_of_posts):
        return ""
    return f"<div {w.c(name)}>{escape(w.one_of(names.SIGNATURES))}</div>"


def discuz(w: Writer) -> str:
    """A table for each post: the author's column, the message, signature and actions below."""
    w.named("talk")
    with_subject = f"<span {w.i('thread_subject')}>{w.kept(w.subject)}</span>"
    head = (
        f"<table><tr><td {w.c('pls ptn pbn')}><div {w.c('hm ptn')}><span {w.c('xg1')}>查看:</span> "
        f"{w.number()} | <span {w.c('xg1')}>回复:</span> {w.number()}</div></td>"
        f"<td {w.c('plc ptm pbn vwthd')}><h1 {w.c('ts')}>"
        f"{link(w, '[' + w.one_of(names.NAV) + ']')} "
        f"{with_subject}</h1><span {w.c('xg1')}><a href='#'>[复制链接]</a></span></td></tr></table>"
    )
    posts, rows, sign_share = thread(w), [], w.dice.random() * 0.6
    for number, lines in enumerate(posts):
        status = ""
        if w.chance(0.15):
            status = (
                f"<i {w.c('pstatus')}> 本帖最后由 {w.user()} 于 {w.moment()} 编辑 </i><br /><br />"
            )
        sign = signature(w, "sign", sign_share)
        message = quoted(w, posts, number) + w.body(lines, w.one_of(("br", "br", "div", "br br")))
        rows.append(
            f"<div {w.i(f'post-{number}')}><table {w.c('plhin')} cellspacing=0><tr>"
            f"<td {w.c('pls')} rowspan=2><div {w.c('pls favatar')}><div {w.c('authi')}>"
            f"{link(w, w.user())}"
            f"</div><div {w.c('avatar')}><img src='/avatar.jpg'></div><div {w.c('tns xg2')}>"
            f"<p>{w.number()} 主题</p><p>{w.number()} 帖子</p><p>{w.number()} 积分</p></div>"
            f"<p><em>{w.one_of(names.RANKS)}</em></p></div></td><td {w.c('plc')}><div {w.c('pi')}>"
            f"<strong><a href='#'>{floor(number)}</a></strong><div {w.c('authi')}>发表于 <em>"
            f"{w.moment()}</em>"
            f"<span {w.c('pipe')}>|</span><a href='#'>只看该作者</a><a href='#'>倒序浏览</a></div>"
            "</div>"
            f"<div {w.c('pct')}><div {w.c('pcb')}><div {w.c('t_fsz')}><table><tr><td {w.c('t_f')} "
            f"{w.i(f'postmessage_{number}')}>{status}{message}</td></tr></table></div></div></div>"
            "</td></tr>"
            f"<tr><td {w.c('plc plm')}>{sign}"
            f"<div {w.c('po hin')}><a href='#'>回复</a> <a href='#'>支持</a> <a href='#'>反对</a> "
            f"<a href='#'>举报</a></div></td></tr></table>{ad(w, 0.08)}</div>\n"
        )
    page = (
        f"<div {w.c('pgs mtm')}>{pager(w) if w.chance(0.5) else ''}<a href='#'>返回列表</a></div>"
    )
    main = (
        f"{crumbs(w)}{page}<div {w.i('postlist')} {w.c('pl bm')}>{head}{''.join(rows)}</div>{page}"
    )
    return around(w, main + reply_box(w), after=link_list(w, "相关帖子", 0, 20, "talk"))


def phpbb(w: Writer) -> str:
    """A block for each post: the message first, then the author's profile as a list."""
    subject = w.named("talk")
    head = f"<h2 {w.c('topic-title')}><a href='#'>{w.kept(w.subject)}</a></h2>"
    posts, blocks, sign_share = thread(w), [], w.dice.random() * 0.6
    for number, lines in enumerate(posts):
        title = f"Re: {subject}" if number else subject
        sign = signature(w, "signature", sign_share)
        message = quoted(w, posts, number) + w.body(lines, w.one_of(("br", "p")))
        profile = (
            f"<dl {w.c('postprofile')}><dt>{link(w, w.user())}</dt><dd>{w.one_of(names.RANKS)}</dd>"
            f"<dd><strong>帖子:</strong> {w.number()}</dd><dd><strong>注册:</strong> {w.moment()}"
            "</dd>"
            f"<dd><strong>来自:</strong> {w.one_of(names.PLACES)}</dd></dl>"
        )
        first, last = (profile, "") if w.chance(0.5) else ("", profile)
        blocks.append(
            f"<div {w.i(f'p{number}')} {w.c('post has-profile bg2')}><div {w.c('inner')}>{first}"
            f"<div {w.c('postbody')}><h3><a href='#'>{title}</a></h3><ul {w.c('post-buttons')}>"
            f"<li><a href='#'>引用</a></li><li><a href='#'>举报</a></li></ul><p {w.c('author')}>由 "
            f"<strong>{escape(w.user())}</strong> » {w.moment()}</p><div {w.c('content')}>{message}"
            "</div>"
            f"{sign}</div>{last}"
            f"<div {w.c('back2top')}><a href='#top'>页首</a></div></div></div><hr {w.c('divider')}>"
            "\n"
        )
    actions = (
        f"<div {w.c('action-bar')}><a href='#'>回复主题</a>{len(posts)} 篇帖子 • 第 1 页 (共 1 页)"
        "</div>"
    )
    online = (
        f"<div {w.c('stat-block')}><h3>在线用户</h3><p>正浏览此版面之用户: 没有注册用户 和 "
        f"{w.count(1, 30)} 访客</p></div>"
    )
    return around(w, f"{head}{actions}{''.join(blocks)}{actions}", after=online)


def flarum(w: Writer) -> str:
    """A stream of articles with headers as lists, and a hero with the title."""
    w.named("talk")
    hero = (
        f"<header {w.c('Hero DiscussionHero')}><div {w.c('container')}>"
        f"<ul {w.c('DiscussionHero-items')}>"
        f"<li>{links(w, w.some_of(names.NAV, 1, 2))}</li><li><h1 {w.c('DiscussionHero-title')}>"
        f"{w.kept(w.subject)}</h1></li></ul></div></header>"
    )
    items = []
    for number, lines in enumerate(thread(w)):
        mention = f"@{w.user()} " if number and w.chance(0.2) else ""
        message = w.body([mention + lines[0], *lines[1:]], "p")
        liked = (
            f"<li>{escape(w.user())} 等 {w.count(2, 40)} 人觉得很赞</li>" if w.chance(0.3) else ""
        )
        items.append(
            f"<div {w.c('PostStream-item')}><article {w.c('CommentPost Post')}><div>"
            f"<header {w.c('Post-header')}><ul><li><h3>{link(w, w.user())}</h3></li><li><time>"
            f"{w.date()}"
            f"</time></li>{'<li>已编辑</li>' if w.chance(0.1) else ''}</ul></header>"
            f"<div {w.c('Post-body')}>"
            f"{message}</div><aside {w.c('Post-actions')}><ul>"
            f"<li><button>回复</button></li>{liked}</ul></aside></div></article></div>\n"
        )
        if w.chance(0.06):
            items.append(
                f"<div {w.c('PostStream-item')}><div {w.c('EventPost')}>"
                f"{escape(w.user())} 将标题更改为 "
                f"{escape(w.headline('talk'))} {w.date()}</div></div>"
            )
    scrubber = (
        f"<nav {w.c('DiscussionPage-nav')}><ul><li><button>登录以回复</button></li><li><a href='#'>"
        "最早内容"
        f"</a><b>1 / {w.count(2, 99)}</b> 条帖子<a href='#'>最新内容</a></li></ul></nav>"
    )
    main = (
        f"<div {w.c('DiscussionPage-stream')}><div {w.c('PostStream')}>{''.join(items)}</div></div>"
    )
    return around(w, main, side=scrubber, before=hero)


def tieba(w: Writer) -> str:
    """Floors with the author on the left; replies to a floor inside of it."""
    w.named("talk")
    head = (
        f"<div {w.c('core_title_wrap_bright')}><h3 {w.c('core_title_txt')}>{w.kept(w.subject)}</h3>"
        f"<ul {w.c('core_title_btns')}><li>只看楼主</li><li>收藏</li><li>回复</li></ul></div>"
    )
    floors = []
    for number, lines in enumerate(thread(w)):
        message = w.body(lines, w.one_of(("br", "br", "div")))
        inside = ""
        if number and w.chance(0.3):
            replies = "".join(
                f"<li {w.c('lzl_single_post')}><div {w.c('lzl_cnt')}><a href='#'>{escape(w.user())}"
                "</a>: "
                f"<span {w.c('lzl_content_main')}>{w.kept(w.sentence('talk', 4, 40))}</span>"
                f"<div {w.c('lzl_content_reply')}><span>{w.moment()}</span><a href='#'>回复</a>"
                "</div></div></li>"
                for _ in w.times(1, 4)
            )
            inside = (
                f"<ul {w.c('core_reply_content')}>{replies}<li><a href='#'>我也说一句</a></li></ul>"
            )
        floors.append(
            f"<div {w.c('l_post j_l_post')}><div {w.c('d_author')}><ul {w.c('p_author')}>"
            f"{'<li>楼主</li>' if number == 0 else ''}<li>{link(w, w.user())}</li>"
            f"<li {w.c('l_badge')}>"
            f"<div>{w.one_of(names.RANKS)}</div><div>{w.count(1, 18)}</div></li></ul></div>"
            f"<div {w.c('d_post_content_main')}><div {w.c('p_content')}><cc>"
            f"<div {w.c('d_post_content')}>"
            f"{message}</div></cc></div><div {w.c('core_reply_tail')}><span>"
            f"来自{w.one_of(('Android', 'iPhone'))}"
            f"客户端</span><span>{number + 1}楼</span><span>{w.moment()}</span><a href='#'>"
            f"回复({w.count(0, 9)})"
            f"</a></div>{inside}</div></div>\n{ad(w, 0.06)}"
        )
    info = (
        f"<div {w.c('card_top')}>{link(w, w.one_of(names.NAV) + '吧')}<span>关注：{w.number()}"
        "</span>"
        f"<span>帖子：{w.number()}</span><p>{escape(w.one_of(names.SIGNATURES))}</p></div>"
    )
    main = f"<div {w.c('left_section')}>{head}{''.join(floors)}{pager(w)}</div>"
    return around(w, main + reply_box(w), before=info, side=sidebar(w, "talk"))


def topic_board(w: Writer) -> str:
    """A plain board of topics: one cell for the topic, one for each reply."""
    w.named("talk")
    head = (
        f"<div {w.c('header')}>{crumbs(w)}<h1>{w.kept(w.subject)}</h1><small {w.c('gray')}>"
        f"{link(w, w.user())} · {w.date()} · {w.number()} 次点击</small></div>"
    )
    posts = thread(w)
    topic = f"<div {w.c('cell')}><div {w.c('topic_content')}>{w.body(posts[0], 'p')}</div></div>"
    added = ""
    if w.chance(0.2):
        added = (
            f"<div {w.c('subtle')}><span {w.c('fade')}>第 1 条附言 · {w.date()}</span>"
            f"<div {w.c('topic_content')}>{w.body(w.post(), 'p')}</div></div>"
        )
    cells = []
    for number, lines in enumerate(posts[1:], 1):
        cells.append(
            f"<div {w.c('cell')} {w.i(f'r_{number}')}><table width='100%'><tr><td width=48>"
            "<img src='/a.png'>"
            f"</td><td><div {w.c('fr')}><a href='#'>感谢回复者</a><span {w.c('no')}>{number}</span>"
            "</div>"
            f"<strong>{link(w, w.user())}</strong> <span {w.c('ago')}>{w.date()}</span>"
            f"<div {w.c('reply_content')}>{w.body(lines, 'br')}</div></td></tr></table></div>\n"
        )
    about = (
        f"<div {w.c('box')}><div {w.c('cell')}>这是一个关于分享和探索的地方</div>"
        f"<div {w.c('inner')}>"
        f"<a href='#'>现在注册</a> 已注册用户请 <a href='#'>登录</a></div></div>{ad(w, 0.5)}"
    )
    seen = f"<div {w.c('cell')}>{len(cells)} 条回复 • {w.date()}</div>"
    main = (
        f"<div {w.c('box')}>{head}{topic}{added}<div {w.c('topic_buttons')}>"
        f"{counters(w, '收藏 感谢 微博')}"
        f"</div></div><div {w.c('box')}>{seen}{''.join(cells)}</div>"
    )
    return around(w, main, side=about)


def old_board(w: Writer) -> str:
    """A board of the first years: nested tables without classes, all in cells."""
    subject = w.named("talk")
    posts = thread(w)
    kept_subject = w.kept(w.subject)
    tables = [
        f"<table width=97% border=0 bgcolor=#6595D6><tr><td><b>&nbsp;主题：{kept_subject}</b></td>"
        f"<td align=right>阅读 {w.number()} 次，回复 {len(posts) - 1} 次</td></tr></table>"
    ]
    sign_share = w.dice.random() * 0.5
    for number, lines in enumerate(posts):
        message, sign = w.body(lines, "br"), signature(w, "qm", sign_share)
        line = f"<br>----------------------------------------------<br>{sign}" if sign else ""
        tables.append(
            "<table width=97% border=0 cellpadding=4><tr><td width=175 valign=top>"
            "<font color=#990000>"
            f"<b>{escape(w.user())}</b></font><br>等级：{w.one_of(names.RANKS)}<br>"
            f"文章：{w.number()}<br>"
            f"积分：{w.number()}<br>注册：{w.date()}</td><td valign=top><table width=100%><tr><td>"
            f"<a href='#'>小档案</a> <a href='#'>引用</a> <a href='#'>回复</a></td><td align=right>"
            f"<b>{floor(number)}</b></td></tr><tr><td colspan=2><hr size=1><b>"
            f"{'' if number else subject}</b>"
            f"<br><blockquote>{message}</blockquote>{line}</td></tr></table></td></tr><tr><td>"
            f"{w.moment()}"
            f"</td><td>IP: 已设置保密</td></tr></table>\n"
        )
    main = f"<center>{''.join(tables)}{pager(w) if w.chance(0.5) else ''}</center>{share(w)}"
    return around(w, main + reply_box(w), before=crumbs(w))


def discourse(w: Writer) -> str:
    """Posts as articles: head with name and day, cooked text, buttons; quotes as asides."""
    w.named("talk")
    head = (
        f"<div {w.i('topic-title')}><h1>{w.kept(w.subject)}</h1>"
        f"<div {w.c('topic-category')}>{links(w, w.some_of(names.NAV, 1, 3))}</div></div>"
    )
    posts, parts = thread(w), []
    for number, lines in enumerate(posts):
        aside = ""
        if number and w.chance(0.2):
            earlier = escape(" ".join(posts[w.count(0, number - 1)])[:60])
            aside = (
                f"<aside {w.c('quote')}><div {w.c('title')}>{escape(w.user())}:</div>"
                f"<blockquote><p>{earlier}</p></blockquote></aside>"
            )
        cooked = aside + w.body(lines, w.one_of(("p", "p", "br")))
        likes = f"<button>{w.count(1, 40)} 个赞</button>" if w.chance(0.4) else ""
        parts.append(
            f"<article {w.i(f'post_{number + 1}')} {w.c('boxed onscreen-post')}><div "
            f"{w.c('topic-avatar')}><img src='/a.png'></div><div {w.c('topic-body')}><div "
            f"{w.c('topic-meta-data')}><div {w.c('names')}>{link(w, w.user())}</div><div>"
            f"<a href='#'>{w.date()}</a></div></div><div {w.c('cooked')}>{cooked}</div><section "
            f"{w.c('post-menu-area')}>{likes}<button>回复</button></section></div></article>\n"
        )
    also = link_list(w, "推荐的话题", 3, 8, "talk")
    return around(w, f"{head}<div {w.c('post-stream')}>{''.join(parts)}</div>", after=also)


def mobile_thread(w: Writer) -> str:
    """A thread for telephones: list items with a line for name and floor, the text below."""
    w.named("talk")
    title = w.kept(w.subject)
    items = []
    for number, lines in enumerate(thread(w)):
        items.append(
            f"<li {w.c('floor-item')}><div {w.c('user-line')}><img src='/u.jpg'><span>"
            f"{escape(w.user())}</span><em>{floor(number)}</em><time>{w.moment()}</time></div>"
            f"<div {w.c('floor-text')}>{w.body(lines, w.one_of(('br', 'div', 'p')))}</div>"
            f"<div {w.c('floor-act')}><span>回复</span><span>赞 {w.count(0, 60)}</span></div>"
            "</li>\n"
        )
    head = (
        f"<h1 {w.c('m-title')}>{title}</h1><div {w.c('m-info')}>"
        f"{w.number()}阅读 {len(items) - 1}回复 {link(w, w.one_of(names.NAV) + '圈')}</div>"
    )
    return around(w, f"{head}<ul {w.c('floors')}>{''.join(items)}</ul>{reply_box(w)}")
