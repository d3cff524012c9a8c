"""Pages that lead to others: portals, lists, tags, search results, boards, shelves, directories.

Nothing on them is main text, whatever sentences their teasers have.
"""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.frame import (
    ad,
    around,
    counters,
    crumbs,
    foot,
    link,
    link_list,
    links,
    pager,
    sidebar,
    teasers,
    titles,
    top,
)
from tests.builders.page_templates.writer import Writer


def portal_blocks(w: Writer) -> str:
    """A portal of blocks: each has a heading, some pictures and links."""
    w.subject = w.site
    blocks = []
    for heading in w.some_of(names.NAV, 5, 14):
        lead = ""
        if w.chance(0.3):
            lead = (
                f"<div {w.c('lead')}><h2>{link(w, w.headline())}</h2><p>"
                f"{escape(w.sentence('prose', 20, 60))}</p></div>"
            )
        blocks.append(f"<div {w.c('mod')}>{lead}{link_list(w, heading, 4, 16)}{ad(w, 0.15)}</div>")
    return (
        f"{top(w)}{links(w, w.some_of(names.NAV, 20, 50), 'subnav')}<div {w.c('wrap')}>"
        f"{''.join(blocks)}</div>{foot(w)}"
    )


def portal_tables(w: Writer) -> str:
    """A portal of the first years: tables inside of tables, links with dots."""
    w.subject = f"{w.site}首页"
    cells = []
    for heading in w.some_of(names.NAV, 4, 12):
        listed = "<br>".join(f"·{link(w, title)}" for title in titles(w, 4, 14))
        cells.append(
            f"<td valign=top width=33%><table width=100%><tr><td bgcolor=#cccccc><b>{heading}</b>"
            "</td><td align=right>"
            f"<a href='#'>更多</a></td></tr><tr><td colspan=2>{listed}</td></tr></table></td>"
        )
    rows = "".join(f"<tr>{''.join(cells[at : at + 3])}</tr>" for at in range(0, len(cells), 3))
    notice = f"<marquee>{escape(w.one_of(names.SLOGANS))}</marquee>" if w.chance(0.4) else ""
    return f"{top(w)}{notice}<table width=960 align=center>{rows}</table>{foot(w)}"


def dated_list(w: Writer) -> str:
    """A column's list: titles with days, and numbers of pages."""
    w.subject = w.one_of(names.NAV)
    tag = w.one_of(("li", "tr", "dd"))
    cell = "td" if tag == "tr" else "span"
    rows = "".join(
        f"<{tag}><{cell}>{link(w, title)}</{cell}><{cell}>[{w.date()}]</{cell}></{tag}>\n"
        for title in titles(w, 12, 40)
    )
    holder = {"li": "ul", "tr": "table", "dd": "dl"}[tag]
    main = f"{crumbs(w)}<h2>{w.subject}</h2><{holder} {w.c('newslist')}>{rows}</{holder}>{pager(w)}"
    return around(w, f"<div {w.c('list-box')}>{main}</div>", side=sidebar(w))


def tag_teasers(w: Writer) -> str:
    """A tag or a blog's first page: titles with the beginning of each text."""
    w.subject = f"标签：{w.one_of(names.NAV)}"
    main = (
        f"<h1>{w.subject}</h1><p>共有 {w.number()} 篇文章</p>"
        f"{teasers(w, 5, 16, w.one_of(('prose', 'talk', 'entries')))}{pager(w)}"
    )
    return around(w, f"<div {w.c('content')}>{main}</div>", side=sidebar(w))


def search_results(w: Writer) -> str:
    """Results of a search: titles, snippets with dots, addresses."""
    word = w.one_of(names.NAV)
    w.subject = f"{word}_搜索结果"
    items = []
    for title in titles(w, 6, 16):
        snippet = escape("".join(w.lines("prose", 80))[:90]).replace(word, f"<em>{word}</em>")
        items.append(
            f"<div {w.c('result c-container')}><h3 {w.c('t')}>{link(w, title)}</h3>"
            f"<div {w.c('c-abstract')}>{w.date()} - "
            f"{snippet}...</div><div {w.c('f13')}><span>www.example.com/{w.count(1, 999)}</span> "
            "<a href='#'>快照</a></div></div>\n"
        )
    also = f"<div {w.c('rs')}><h3>相关搜索</h3>{links(w, titles(w, 4, 10))}</div>"
    main = (
        f"<div {w.c('nums')}>为您找到相关结果约{w.number()}个</div>{''.join(items)}{also}{pager(w)}"
    )
    return around(
        w, f"<div {w.i('content_left')}>{main}</div>", side=link_list(w, "搜索热点", 4, 15)
    )


def board_threads(w: Writer) -> str:
    """A forum's board: a table of threads with authors, replies and last posts."""
    w.subject = f"{w.one_of(names.NAV)}版"
    rows = "".join(
        f"<tbody><tr><td {w.c('icn')}></td><th {w.c('common')}>{link(w, title)} <span>"
        f"{'New' if w.chance(0.2) else ''}</span></th>"
        f"<td {w.c('by')}><cite>{escape(w.user())}</cite><em>{w.date()}</em></td><td {w.c('num')}>"
        f"{w.number()}<em>{w.number()}</em>"
        f"</td><td {w.c('by')}><cite>{escape(w.user())}</cite><em>{w.moment()}</em></td></tr>"
        "</tbody>\n"
        for title in titles(w, 12, 40, "talk")
    )
    rules = ""
    if w.chance(0.4):
        rules = (
            f"<div {w.c('bm_c xg2')}>版规：{escape(w.one_of(names.SIGNATURES))} "
            "请勿发布广告，违者删帖封号，谢谢合作。</div>"
        )
    head = (
        f"<div {w.c('bm_h')}><h1>{w.subject}</h1>"
        f"今日: {w.number()} 主题: {w.number()} 版主: {escape(w.user())}</div>{rules}"
    )
    main = (
        f"{crumbs(w)}{head}<div {w.c('tl')}><table><tr><th>主题</th><td>作者</td><td>回复/查看</td>"
        f"<td>最后发表</td></tr>{rows}</table></div>{pager(w)}"
    )
    return around(w, f"<div {w.i('threadlist')}>{main}</div>")


def shop_shelf(w: Writer) -> str:
    """A shop's category: pictures, prices, names."""
    w.subject = f"{w.one_of(names.NAV)}商品列表"
    filters = "".join(
        f"<dl><dt>{label}</dt><dd>{links(w, w.some_of(names.NAV, 3, 10))}</dd></dl>"
        for label in ("品牌", "分类", "价格")
    )
    items = "".join(
        f"<li {w.c('gl-item')}><div><a href='#'><img src='/g.jpg' alt=''></a></div><strong>"
        f"¥{w.count(1, 9999)}.00</strong>"
        f"<div {w.c('p-name')}>{link(w, w.headline('items'))}</div><div>{w.number()}条评价</div>"
        f"<div>{w.one_of(names.SITES)}旗舰店</div></li>\n"
        for _ in w.times(8, 40)
    )
    main = (
        f"{crumbs(w)}<div {w.c('selector')}>{filters}</div><div {w.c('sort')}>"
        f"{counters(w, '综合 销量 价格 评论数 新品')}</div><ul>{items}</ul>{pager(w)}"
    )
    return around(w, f"<div {w.c('goods-list')}>{main}</div>")


def chapter_directory(w: Writer) -> str:
    """A novel's directory: data of the book, then links to all chapters."""
    w.subject = f"{w.headline('novels')}最新章节"
    chapters = "".join(
        f"<dd>{link(w, '第' + str(number + 1) + '章 ' + w.headline('novels'))}</dd>"
        for number in w.times(12, 50)
    )
    info = (
        f"<div {w.i('info')}><h1>{escape(w.subject)}</h1><p>作者：{escape(w.user())}</p><p>"
        f"状态：连载中</p><p>最后更新：{w.date()}</p>"
        f"<p>最新章节：{link(w, w.headline('novels'))}</p></div>"
    )
    main = f"{crumbs(w)}{info}<div {w.i('list')}><dl><dt>正文</dt>{chapters}</dl></div>"
    return around(w, main, after=link_list(w, "热门小说", 0, 20, "novels"))


def news_stream(w: Writer) -> str:
    """A channel's stream: picture, title, one cut sentence, source and time for each piece."""
    w.subject = f"{w.one_of(names.NAV)}频道"
    box, said = w.one_of((("li", "p"), ("div", "div"), ("article", "p")))
    pieces = []
    for title in titles(w, 6, 22):
        lead = escape(w.sentence("prose", 20, 90)[: w.count(18, 90)])
        if w.chance(0.7):
            lead += "..."
        source = f"<span>{w.one_of(names.SITES)}</span><span>{w.moment()}</span>"
        pieces.append(
            f"<{box} {w.c('news-card')}><a href='#'><img src='/t.jpg' alt=''></a><div {w.c('txt')}>"
            f"<h4>{link(w, title)}</h4><{said} {w.c('digest')}>{lead}</{said}>"
            f"<div {w.c('card-info')}>{source}{counters(w, '评论 分享')}</div></div></{box}>\n"
        )
    tabs = links(w, w.some_of(names.NAV, 4, 12), "tabs")
    main = f"{tabs}<div {w.c('stream')}>{''.join(pieces)}</div><a href='#'>加载更多</a>"
    return around(w, main, side=link_list(w, "24小时热点", 5, 12))


def blog_front(w: Writer) -> str:
    """A blog's first page: the beginnings of posts, some of them of several paragraphs."""
    w.subject = f"{w.user()}的博客"
    posts = []
    for title in titles(w, 3, 9, w.one_of(("prose", "talk"))):
        begin = [escape(line[: w.count(40, 160)]) for line in w.lines("prose", 60)[: w.count(1, 3)]]
        more = w.one_of(("继续阅读 →", "阅读全文 »", "Read more"))
        posts.append(
            f"<div {w.c('post hentry')}><h2 {w.c('entry-title')}>{link(w, title)}</h2>"
            f"<div {w.c('postmeta')}>{w.date()} | {escape(w.user())} | "
            f"{link(w, w.one_of(names.NAV))}</div><div {w.c('entry-summary')}>"
            f"{''.join(f'<p>{line}</p>' for line in begin)}"
            f"<p><a {w.c('more-link')} href='#'>{more}</a></p></div></div>\n"
        )
    return around(
        w, f"<div {w.c('site-content')}>{''.join(posts)}</div>{pager(w)}", side=sidebar(w)
    )


def special_topic(w: Writer) -> str:
    """A special topic: a few sentences of introduction, then blocks of links to its articles."""
    w.subject = f"专题：{w.headline()}"
    blocks = "".join(
        f"<div {w.c('topic-block')}>{link_list(w, heading, 4, 12)}</div>"
        for heading in w.some_of(names.NAV, 3, 8)
    )
    lead = (
        f"<div {w.c('summary')}><b>导语</b><span>{escape(w.sentence('prose', 25, 90))}</span></div>"
    )
    return f"{top(w)}<h1>{escape(w.subject)}</h1>{lead}<div {w.c('cols')}>{blocks}</div>{foot(w)}"


def clip_wall(w: Writer) -> str:
    """A wall of clips: picture, length, title, channel, views."""
    w.subject = f"{w.one_of(names.NAV)}视频大全"
    clips = "".join(
        f"<div {w.c('v-item')}><a href='#'><img src='/v.jpg' alt=''><i>{w.count(1, 59):02}:"
        f"{w.count(0, 59):02}</i></a><p {w.c('v-title')}>{link(w, w.headline('talk'))}</p>"
        f"<p {w.c('v-meta')}><span>{escape(w.user())}</span> {counters(w, '播放 弹幕')} "
        f"<em>{w.date()}</em></p></div>\n"
        for _ in w.times(12, 36)
    )
    return around(w, f"{crumbs(w)}<div {w.c('v-wall')}>{clips}</div>{pager(w)}")


def open_questions(w: Writer) -> str:
    """Open questions: votes, answers, title, the beginning of the question, who asked."""
    w.subject = f"{w.one_of(names.NAV)}相关问题"
    rows = []
    for title in titles(w, 8, 24, "talk"):
        begin = ""
        if w.chance(0.5):
            begin = f"<div {w.c('excerpt')}>{escape(w.sentence('talk', 12, 70)[:50])}…</div>"
        rows.append(
            f"<section {w.c('stream-item')}><div {w.c('rank')}><b>{w.count(0, 30)}</b>票 "
            f"<b>{w.count(0, 9)}</b>回答</div><div {w.c('summary')}>"
            f"<h2>{link(w, title + '？')}</h2>"
            f"{begin}<div {w.c('who')}>{escape(w.user())} {w.moment()}提问</div></div></section>\n"
        )
    side = link_list(w, "热门标签", 4, 14)
    return around(w, f"<div {w.c('q-list')}>{''.join(rows)}</div>{pager(w)}", side=side)


def picture_digest(w: Writer) -> str:
    """A list of articles with pictures: title, a digest of some lines, a button to read on."""
    w.subject = f"{w.one_of(names.NAV)}资讯"
    more = w.one_of(("查看详情", "了解详情", "阅读更多", "[详情]"))
    items = []
    for title in titles(w, 4, 14):
        digest = "".join(f"<p>{escape(line[: w.count(40, 120)])}</p>" for line in _begin(w, 2))
        items.append(
            f"<li {w.c('pic-item')}><a href='#'><img src='/p.jpg' alt=''></a><dl><dt>"
            f"{link(w, title)}</dt><dd>{digest}</dd><dd {w.c('view')}><a href='#'>{more}</a>"
            f"</dd></dl></li>\n"
        )
    main = f"{crumbs(w)}<ul {w.c('pic-list')}>{''.join(items)}</ul>{pager(w)}"
    return around(w, f"<div {w.c('main-l')}>{main}</div>", side=sidebar(w))


def table_journal(w: Writer) -> str:
    """A journal of the first years: a table for each entry, with the links of the blog below."""
    w.subject = f"{w.user()}的日志"
    entries = []
    for title in titles(w, 3, 10, w.one_of(("prose", "talk", "entries"))):
        begin = "<br><br>".join(escape(line) for line in _begin(w, 4))
        entries.append(
            f"<table width=100%><tr><td {w.c('blogtitle')}>{link(w, title)}</td></tr><tr>"
            f"<td {w.c('blogbody')}>{begin}</td></tr><tr><td>{w.moment()} | "
            f"<a href='#'>阅读全文</a>({w.number()}) | <a href='#'>评论</a>({w.number()}) | "
            f"<a href='#'>引用</a>(0)</td></tr></table>\n"
        )
    main = f"<center>{''.join(entries)}{pager(w)}</center>"
    return around(w, main, side=link_list(w, "最近日志", 4, 12))


def story_cards(w: Writer) -> str:
    """Recommended pieces of many writers: title, one cut text, a link to the rest, counters."""
    w.subject = w.one_of(("推荐", "发现", "今日热门", "编辑精选", "最新发表"))
    cards = []
    for title in titles(w, 5, 18, w.one_of(("prose", "talk"))):
        said = escape("".join(w.lines("talk", 70))[: w.count(40, 130)])
        end = w.one_of(("... <a href='#'>阅读全文</a>", "…<a href='#'>[全文]</a>", "..."))
        cards.append(
            f"<section {w.c('Card')}><h2 {w.c('ContentItem-title')}>{link(w, title)}</h2><div "
            f"{w.c('RichContent-inner')}><b>{escape(w.user())}：</b>{said}{end}</div>"
            f"<div {w.c('ContentItem-actions')}>{counters(w, '赞同 评论 收藏 喜欢')}</div>"
            "</section>\n"
        )
    return around(w, f"<main {w.c('Topstory')}>{''.join(cards)}</main>", side=sidebar(w, "talk"))


def notice_digests(w: Writer) -> str:
    """News of a company or an office: a day as a block, title, the beginning of the text."""
    w.subject = w.one_of(("公司新闻", "行业动态", "通知公告", "工作动态", "媒体报道"))
    rows = []
    for title in titles(w, 4, 16):
        lead = escape("".join(w.lines("prose", 60))[: w.count(30, 160)])
        end = w.one_of(("...", "……", "[详细]", "…<a href='#'>详细»</a>", ""))
        rows.append(
            f"<tr><td {w.c('day')}><b>{w.count(1, 28):02}</b><i>{w.count(2008, 2024)}-"
            f"{w.count(1, 12):02}</i></td><td><div {w.c('tit')}>{link(w, title)}</div><div "
            f"{w.c('con')}>{lead}{end}</div></td></tr>\n"
        )
    main = f"{crumbs(w)}<h3>{w.subject}</h3><table {w.c('news')}>{''.join(rows)}</table>{pager(w)}"
    return around(w, f"<div {w.c('inside')}>{main}</div>", side=link_list(w, "栏目导航", 3, 9))


def program_list(w: Writer) -> str:
    """Programs or applications: name, size, a sentence each, a button; or none of the sentences."""
    w.subject = f"{w.one_of(names.NAV)}软件下载"
    is_long = w.chance(0.7)
    items = []
    for title in titles(w, 8, 24, "items"):
        said = f"<p {w.c('txt')}>{escape(w.sentence('items', 15, 80))}</p>" if is_long else ""
        items.append(
            f"<div {w.c('soft-item')}><img src='/i.png' alt=''><div {w.c('name')}>{link(w, title)}"
            f"</div><span>{w.count(1, 900)}.{w.count(0, 9)}MB</span><span>{w.date()}</span>{said}"
            f"<a href='#'>立即下载</a></div>\n"
        )
    return around(w, f"{crumbs(w)}<div {w.c('soft-box')}>{''.join(items)}</div>{pager(w)}")


def topic_list(w: Writer) -> str:
    """A forum's latest topics: face, title, node, author, last answer, their number."""
    w.subject = w.one_of(("最新主题", "全部话题", "热门讨论", "精华帖"))
    rows = []
    for title in titles(w, 10, 36, "talk"):
        last = f"最后由 <a href='#'>{escape(w.user())}</a> 回复" if w.chance(0.7) else ""
        rows.append(
            f"<div {w.c('topic-item')}><img src='/u.png' alt=''><span {w.c('title-line')}>"
            f"{link(w, title)}</span><span {w.c('topic-info')}><a href='#'>{w.one_of(names.NAV)}"
            f"</a> • <a href='#'>{escape(w.user())}</a> • {w.moment()} {last}</span><b>"
            f"{w.number()}</b></div>\n"
        )
    notice = f"<div {w.c('notice')}>{escape(w.one_of(names.SIGNATURES))}</div>"
    side = (notice if w.chance(0.5) else "") + link_list(w, "热门节点", 3, 12)
    return around(w, f"<div {w.i('TopicsNode')}>{''.join(rows)}</div>{pager(w)}", side=side)


def board_lines(w: Writer) -> str:
    """A board's threads for telephones or archives: a line for each, with author and numbers."""
    w.subject = f"{w.one_of(names.NAV)}{w.one_of(('吧', '版块', '论坛', '圈子'))}"
    tag = w.one_of(("li", "p", "div"))
    rows = "".join(
        f"<{tag} {w.c('thread-line')}>{link(w, title)} <span>{escape(w.user())}</span> <i>"
        f"{w.number()}回/{w.number()}阅</i> <em>{w.moment()}</em></{tag}>\n"
        for title in titles(w, 10, 45, "talk")
    )
    rule = "本版严禁灌水和广告，发帖前请先搜索，违规主题将被删除。"
    head = f"<h2>{w.subject}</h2>{f'<p>{rule}</p>' if w.chance(0.5) else ''}"
    return around(w, f"{head}<div {w.c('threads')}>{rows}</div>{pager(w)}")


def day_table(w: Writer) -> str:
    """An office's column: numbered titles with days, in a table or in paragraphs."""
    w.subject = w.one_of(("信息公开", "政策法规", "公示公告", "招标公告", "人事任免"))
    is_table = w.chance(0.5)
    rows = []
    for number, title in enumerate(titles(w, 10, 40), 1):
        if is_table:
            row = f"<tr><td>{number}</td><td>{link(w, title)}</td><td>{w.date()}</td></tr>"
        else:
            row = f"<p>{link(w, title)}　（{w.date()}）</p>"
        rows.append(f"{row}\n")
    listed = f"<table>{''.join(rows)}</table>" if is_table else "".join(rows)
    main = f"{crumbs(w)}<div {w.c('gk-list')}>{listed}</div>{pager(w)}"
    return around(w, main, side=link_list(w, "公开目录", 3, 12))


def _begin(w: Writer, most: int) -> list[str]:
    """The first lines of a text; not escaped."""
    return w.lines(w.one_of(("prose", "talk")), w.count(60, 260))[: w.count(1, most)]
