"""Articles with readers' comments below them, and pages that hold comments alone."""

from __future__ import annotations

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
    neighbours,
    pager,
    reply_box,
    share,
    sidebar,
)
from tests.builders.page_templates.writer import Writer


def remark(w: Writer) -> str:
    """A comment that is not kept, as the page has an article; escaped."""
    return escape(" ".join(w.post())[:160])


def news_comment_list(w: Writer) -> str:
    """A news portal's article with its latest and hottest comments."""
    title = w.named()
    body = w.body(w.lines("prose", w.count(120, 1200)))
    head = (
        f"<h1 {w.c('main-title')}>{title}</h1><div {w.c('date-source')}><span>{w.moment()}</span>"
        f"<a href='#'>{w.site}</a><span>{w.number()}人参与</span></div>"
    )
    items = "".join(
        f"<div {w.c('comment-item')}><div {w.c('face')}><img src='/f.jpg'></div><div {w.c('cont')}>"
        f"<div {w.c('info')}><span {w.c('name')}>{escape(w.user())}</span><span>"
        f"[{w.one_of(names.PLACES)}]"
        f"</span><span>{w.date()}</span></div><div {w.c('txt')}>{remark(w)}</div>"
        f"<div {w.c('reply')}>"
        f"<a href='#'>赞{w.number()}</a><a href='#'>回复</a></div></div></div>\n"
        for _ in w.times(2, 16)
    )
    comments = (
        f"<div {w.c('comment-wrap')} {w.i('comments')}><h3>"
        f"{w.one_of(('网友评论', '最新评论', '热门评论'))}"
        f"（{w.count(2, 999)}）</h3>{reply_box(w)}{items}<a href='#'>查看全部评论</a></div>"
    )
    article = f"<div {w.c('article')} {w.i('artibody')}>{body}</div>"
    main = f"{crumbs(w)}{head}{article}{share(w)}{link_list(w, '相关新闻', 0, 8)}{comments}"
    return around(w, f"<div {w.c('main-content')}>{main}</div>", side=sidebar(w))


def news_comment_floors(w: Writer) -> str:
    """An article whose comments quote each other in boxes inside of boxes."""
    title = w.named()
    body = w.body(w.lines("prose", w.count(150, 1500)), w.one_of(("indented", "p")))
    floors = []
    for _ in w.times(2, 10):
        boxes = ""
        for number in w.times(0, 5):
            boxes = (
                f"<div {w.c('commentBox')}>{boxes}<span {w.c('author')}>"
                f"{w.one_of(names.PLACES)}网友 [{escape(w.user())}]"
                f" 的原贴：</span><em>{number + 1}</em><p {w.c('content')}>{remark(w)}</p></div>"
            )
        floors.append(
            f"<div {w.c('postItem')}><div {w.c('postInfo')}>"
            f"{w.one_of(names.PLACES)}手机网友 [{escape(w.user())}] "
            f"{w.moment()} 发表</div>{boxes}<p>{remark(w)}</p><ul {w.c('operations')}><li>"
            f"顶[{w.number()}]</li>"
            f"<li>回复</li><li>收藏</li><li>分享</li></ul></div>\n"
        )
    source = f"<div {w.c('post_info')}>{w.moment()} 来源: {w.site} 举报</div>"
    end = f"<div {w.c('ep-source')}>责任编辑：{escape(w.user())}_NN{w.count(100, 9999)}</div>"
    comments = (
        f"<div {w.c('tie-area')}><div {w.c('tie-titlebar')}>{w.number()}人参与 {w.number()}人跟贴"
        "</div>"
        f"<p>文明上网，登录发贴</p>{''.join(floors)}<p>"
        "网友评论仅供其表达个人看法，并不表明本站立场。</p></div>"
    )
    main = (
        f"<h1>{title}</h1>{source}<div {w.c('post_text')} {w.i('endText')}>{body}</div>{end}"
        f"{link_list(w, '热点新闻', 0, 12)}{comments}"
    )
    return around(
        w, f"<div {w.c('post_content_main')}>{main}</div>", side=sidebar(w), before=crumbs(w)
    )


def blog_comment_list(w: Writer) -> str:
    """A blog's article with an ordered list of comments and answers to them."""
    title = w.named()
    body = w.body(
        w.lines(w.one_of(("prose", "talk")), w.count(80, 1200)), w.one_of(("p", "p", "br br"))
    )
    meta = (
        f"<div {w.c('entry-meta')}>发表于 {w.date()} 由 {link(w, w.user())} | {w.count(1, 60)} "
        "条评论</div>"
    )
    tags = f"<footer {w.c('entry-footer')}>标签：{links(w, w.some_of(names.NAV, 1, 5))}</footer>"
    items = []
    for _ in w.times(1, 12):
        child = ""
        if w.chance(0.3):
            child = (
                f"<ol {w.c('children')}><li><cite>{escape(w.user())}</cite><p>{remark(w)}</p>"
                f"<a href='#'>回复</a></li></ol>"
            )
        items.append(
            f"<li {w.c('comment depth-1')}><article {w.c('comment-body')}><footer><b {w.c('fn')}>"
            f"{escape(w.user())}"
            f"</b><span>说道：</span><time>{w.moment()}</time></footer>"
            f"<div {w.c('comment-content')}><p>{remark(w)}"
            f"</p></div><a href='#'>回复</a></article>{child}</li>\n"
        )
    comments = (
        f"<div {w.i('comments')} {w.c('comments-area')}><h2>《{title}》有{len(items)}个想法</h2>"
        f"<ol {w.c('comment-list')}>{''.join(items)}</ol>{reply_box(w)}</div>"
    )
    article = (
        f"<article {w.c('post hentry')}><h1 {w.c('entry-title')}>{title}</h1>{meta}"
        f"<div {w.c('entry-content')}>{body}</div>{tags}</article>{neighbours(w)}{comments}"
    )
    return around(w, f"<main {w.c('site-main')}>{article}</main>", side=sidebar(w))


def comment_page(w: Writer) -> str:
    """All comments on an article that is elsewhere: hottest and latest, with quotes as boxes."""
    title = w.named()
    head = (
        f"<div {w.c('origPost')}><h1><a href='/news'>{title}</a></h1><a href='/news'>[查看原文]</a>"
        f"<span>{w.number()}人参与</span><span>{w.number()}条评论</span></div>"
    )
    parts = []
    for heading in w.some_of(["热门跟贴", "最新跟贴", "全部评论"], 1, 2):
        posts = []
        for _ in w.times(2, 14):
            said = w.body(w.post(), w.one_of(("p", "div")))
            posts.append(
                f"<div {w.c('reply essence')}><div {w.c('titleBar')}><span {w.c('from')}>"
                f"{w.one_of(names.PLACES)}网友"
                f"</span> {escape(w.user())} <span {w.c('postTime')}>{w.moment()} 发表</span></div>"
                f"<div {w.c('bodyText')}>{said}</div><ul {w.c('operations')}><li><a href='#'>"
                f"顶({w.number()})</a>"
                f"</li><li><a href='#'>踩</a></li><li><a href='#'>回复</a></li></ul></div>\n"
            )
        parts.append(f"<h2 {w.c('titleH2')}>{heading}</h2>{''.join(posts)}")
    main = f"{head}{reply_box(w)}{''.join(parts)}{pager(w)}"
    notice = "<p>声明：评论仅供其表达个人看法，并不表明本站同意其观点或证实其描述。</p>"
    return around(w, f"<div {w.c('main')}>{main}{notice}</div>", side=sidebar(w), before=crumbs(w))


def comment_cards(w: Writer) -> str:
    """A page of reviews or comments as cards: stars, replies of the one who is spoken of."""
    w.named(w.one_of(("prose", "items")))
    head = (
        f"<div {w.c('subject')}>{link(w, w.subject)}<span>{counters(w, '评分 短评 长评 想看')}"
        "</span></div>"
    )
    cards = []
    for _ in w.times(3, 18):
        said = w.kept(" ".join(w.post())[:300])
        stars = (
            f"<span {w.c('rating')}>{w.one_of(('力荐', '推荐', '还行', '较差', '★★★★☆', '5.0分'))}"
            "</span>"
        )
        answered = ""
        if w.chance(0.15):
            answered = (
                f"<div {w.c('reply')}><b>回复：</b><span>{w.kept(w.sentence('talk', 6, 50))}</span>"
                "</div>"
            )
        cards.append(
            f"<li {w.c('comment-item')}><div {w.c('avatar')}><a href='#'><img src='/a.jpg'></a>"
            "</div>"
            f"<div {w.c('comment')}><h3><span {w.c('comment-vote')}>{w.number()} 有用</span><span "
            f"{w.c('comment-info')}>{link(w, w.user())}{stars}<span>{w.moment()}</span></span></h3>"
            f"<p {w.c('comment-content')}><span>{said}</span></p>{answered}</div></li>\n"
        )
    tabs = f"<div {w.c('tabs')}>全部 {counters(w, '好评 中评 差评 有图 追评')}</div>"
    main = f"{head}{tabs}<ul {w.c('comment-list')}>{''.join(cards)}</ul>{pager(w)}{ad(w, 0.3)}"
    return around(w, f"<div {w.c('article')}>{main}</div>", side=sidebar(w))


def column_comments(w: Writer) -> str:
    """A column's article on a platform of writers, with cards of comments and answers inside."""
    title = w.named(w.one_of(("prose", "talk")))
    body = w.body(w.lines(w.one_of(("prose", "talk")), w.count(60, 1000)), w.one_of(("p", "div")))
    author = (
        f"<div {w.c('Post-Author')}>{link(w, w.user())}<div>{escape(w.one_of(names.SIGNATURES))}"
        f"</div><button>关注</button></div>"
    )
    cards = []
    for _ in w.times(1, 12):
        inside = "".join(
            f"<div {w.c('CommentItem child')}>{link(w, w.user())} 回复 {link(w, w.user())}"
            f"<div {w.c('CommentContent')}>{remark(w)}</div><span>{w.date()}</span></div>"
            for _ in (w.times(1, 3) if w.chance(0.25) else ())
        )
        cards.append(
            f"<div {w.c('CommentItem')}>{link(w, w.user())}<div {w.c('CommentContent')}>{remark(w)}"
            f"</div><div {w.c('CommentItem-footer')}><span>{w.date()}</span><span>"
            f"{w.one_of(names.PLACES)}</span>{counters(w, '赞 回复 踩')}</div>{inside}</div>\n"
        )
    comments = (
        f"<div {w.c('Comments-container')}><h2>{w.count(1, 99)} 条评论</h2><div>默认 最新</div>"
        f"{''.join(cards)}<button>点击查看全部评论</button></div>"
    )
    main = (
        f"<article {w.c('Post-Main')}><header {w.c('Post-Header')}><h1>{title}</h1>{author}<div>"
        f"{w.number()} 人赞同了该文章</div></header><div {w.c('Post-RichTextContainer')}>{body}"
        "</div>"
        f"<div {w.c('ContentItem-time')}>编辑于 {w.moment()}</div>"
        f"{links(w, w.some_of(names.NAV, 1, 4), 'Post-topics')}</article>{comments}"
    )
    return around(w, main, after=link_list(w, "推荐阅读", 0, 8))


def review_rows(w: Writer) -> str:
    """Reviews of goods on a page of their own: stars, text, what was bought, how useful it is."""
    w.named("items")
    head = (
        f"<div {w.c('p-info')}><a href='#'><img src='/g.jpg' alt=''></a>{link(w, w.subject)}<b>"
        f"¥{w.count(5, 999)}</b><span>好评度 {w.count(60, 100)}%</span></div>"
    )
    rows = []
    for _ in w.times(3, 14):
        said = w.body(w.post(), w.one_of(("p", "br")))
        rows.append(
            f"<div {w.c('i-item')}><div {w.c('u-col')}><img src='/u.gif'><div>{escape(w.user())}"
            f"</div><div>{w.one_of(('金牌会员', '银牌会员', '钻石会员'))}</div></div><div "
            f"{w.c('o-topic')}>{w.one_of(('五星', '四星', '★★★★★'))} {w.moment()}</div><div "
            f"{w.c('comment-con')}>{said}</div><dl><dt>购买型号：</dt><dd>"
            f"{w.one_of(('红色', '均码', '标准版'))}</dd></dl><div {w.c('useful')}>有用"
            f"({w.count(0, 99)}) 回复({w.count(0, 20)})</div></div>\n"
        )
    tabs = f"<ul {w.c('filter')}>{counters(w, '全部评价 好评 中评 差评 晒图')}</ul>"
    main = f"{head}{tabs}{''.join(rows)}{pager(w)}"
    return around(w, f"<div {w.c('comments-box')}>{main}</div>", side=sidebar(w, "items"))


def guest_book(w: Writer) -> str:
    """A guest book: what visitors write, some of it answered by the site."""
    w.subject = w.one_of(("留言板", "在线留言", "网友留言", "访客留言", "咨询投诉"))
    rows = []
    for number in w.times(3, 12):
        said = w.body(w.post(), w.one_of(("p", "div", "br")))
        answered = ""
        if w.chance(0.4):
            answered = (
                f"<tr><td>回复：</td><td {w.c('re')}>"
                f"{w.body([w.sentence('talk', 6, 80)], w.one_of(('p', 'br')))}</td></tr>"
            )
        rows.append(
            f"<table {w.c('gb')} width=100%><tr><td width=120>{escape(w.user())}<br>来自："
            f"{w.one_of(names.PLACES)}</td><td>第{number + 1}条 {w.moment()}</td></tr><tr><td>"
            f"留言：</td><td>{said}</td></tr>{answered}</table>\n"
        )
    main = f"{crumbs(w)}{''.join(rows)}{pager(w)}{reply_box(w)}"
    return around(w, f"<div {w.c('book')}>{main}</div>")


def latest_comments(w: Writer) -> str:
    """All comments on a piece of news as a plain list: place and name, text, buttons."""
    title = w.named()
    items = []
    for _ in w.times(3, 20):
        said = w.kept(" ".join(w.post())[:260])
        items.append(
            f"<li><cite>{w.one_of(names.PLACES)} {escape(w.user())}</cite><time>{w.moment()}"
            f"</time><div>{said}</div><p><a href='#'>支持[{w.count(0, 99)}]</a> <a href='#'>回复"
            "</a></p></li>\n"
        )
    head = (
        f"<h1>{link(w, title)}</h1><p>已有<b>{w.number()}</b>人参与 共<b>{w.number()}</b>条评论</p>"
    )
    main = f"{head}<ol {w.c('cmnt')}>{''.join(items)}</ol>{pager(w)}{reply_box(w)}"
    return around(w, f"<div {w.c('cmnt-wrap')}>{main}</div>", side=link_list(w, "热评新闻", 0, 10))


def chosen_messages(w: Writer) -> str:
    """An article of an account for telephones, and messages chosen by its author below it."""
    title = w.named()
    body = w.body(w.lines(w.one_of(("prose", "talk")), w.count(100, 1300)), "section")
    items = []
    for _ in w.times(2, 14):
        answered = ""
        if w.chance(0.3):
            answered = f"<div {w.c('reply_result')}><b>作者</b><div>{remark(w)}</div></div>"
        items.append(
            f"<li {w.c('discuss_item')}><div {w.c('user_info')}><strong>{escape(w.user())}</strong>"
            f"<span>{w.count(0, 999)}</span></div><div {w.c('discuss_message')}>{remark(w)}"
            f"</div><p>{w.date()}</p>{answered}</li>\n"
        )
    main = (
        f"<h2 {w.c('rich_media_title')}>{title}</h2><div {w.c('rich_media_meta')}><em>{w.date()}"
        f"</em>{link(w, w.user())}</div><div {w.c('rich_media_content')}>{body}</div><div>"
        f"阅读 {w.number()} 在看 {w.number()}</div><div {w.c('discuss_container')}><div>"
        f"{w.one_of(('精选留言', '写留言', '留言'))}</div><ul>{''.join(items)}</ul></div>"
    )
    return around(w, f"<div {w.c('rich_media')}>{main}</div>")


def table_comments(w: Writer) -> str:
    """An article with comments as a table below, as small sites' programs write them."""
    title = w.named()
    body = w.body(w.lines("prose", w.count(120, 1300)))
    rows = "".join(
        f"<tr><td>{escape(w.user())}</td><td>{w.moment()}</td></tr><tr><td colspan=2>{remark(w)}"
        "</td></tr>\n"
        for _ in w.times(2, 12)
    )
    main = (
        f"{crumbs(w)}<h1>{title}</h1><p>{w.moment()} 点击：{w.number()}</p><div {w.c('newstext')}>"
        f"{body}</div>{neighbours(w)}<div {w.c('pl')}><b>最新评论</b><table width=100%>{rows}"
        f"</table></div>{reply_box(w)}"
    )
    return around(w, f"<div {w.c('left')}>{main}</div>", side=sidebar(w))
