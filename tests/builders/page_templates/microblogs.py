"""Microblogs: a user's timeline, one status with its replies, a square of short posts."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.frame import (
    ad,
    around,
    counters,
    link,
    link_list,
    pager,
    reply_box,
    sidebar,
)
from tests.builders.page_templates.writer import Writer


def status(w: Writer) -> str:
    """The text of a short post, some with a topic, a name or a smile; not escaped."""
    said = w.one_of(
        (
            w.sentence("talk", 8, 100),
            w.sentence("prose", 12, 130),
            "".join(w.lines("talk", 60))[:140],
            w.one_of(names.SHORT_POSTS),
        )
    )
    if w.chance(0.25):
        said = f"#{w.headline()}# {said}"
    if w.chance(0.15):
        said = f"{said} @{w.user()}"
    if w.chance(0.2):
        said += w.one_of(("[哈哈]", "[心]", "😂", "👍👍", "[doge]", "～～"))
    return said


def timeline(w: Writer) -> str:
    """A user's posts, some of them with the forwarded one in a box."""
    user = w.user()
    w.subject = f"{user}的{w.one_of(('微博', '主页', '动态'))}"
    profile = (
        f"<div {w.c('PCD_header')}><h1 {w.c('username')}>{escape(user)}</h1><div {w.c('pf_intro')}>"
        f"{escape(w.one_of(names.SIGNATURES))}</div><table {w.c('tb_counter')}><tr><td>"
        f"关注 {w.number()}</td>"
        f"<td>粉丝 {w.number()}</td><td>微博 {w.number()}</td></tr></table></div>"
    )
    cards = []
    for _ in w.times(2, 16):
        said = f"<div {w.c('WB_text W_f14')}>{w.kept(status(w))}</div>"
        forwarded = ""
        if w.chance(0.3):
            forwarded = (
                f"<div {w.c('WB_expand')}><div {w.c('WB_info')}><a href='#'>@{escape(w.user())}</a>"
                "</div>"
                f"<div {w.c('WB_text')}>{w.kept(status(w))}</div><div {w.c('WB_func')}>{w.date()} "
                f"{counters(w, '转发 评论 赞')}</div></div>"
            )
        cards.append(
            f"<div {w.c('WB_cardwrap WB_feed_type')}><div {w.c('WB_detail')}><div {w.c('WB_info')}>"
            f"<a href='#'>{escape(user)}</a></div><div {w.c('WB_from')}><a href='#'>{w.moment()}"
            "</a> 来自 "
            f"<a href='#'>{w.one_of(('iPhone客户端', '网页版', 'HUAWEI'))}</a></div>"
            f"{said}{forwarded}</div>"
            f"<div {w.c('WB_handle')}><ul><li>收藏</li><li>转发 {w.number()}</li><li>"
            f"评论 {w.number()}</li>"
            f"<li>赞 {w.number()}</li></ul></div></div>\n{ad(w, 0.06)}"
        )
    main = f"<div {w.c('WB_feed')}>{''.join(cards)}{pager(w) if w.chance(0.5) else ''}</div>"
    return around(w, main, side=sidebar(w), before=profile)


def status_thread(w: Writer) -> str:
    """One status and the replies to it, as decentral microblogs show them."""
    first = status(w)
    w.subject = f"{w.user()}：{first[:30]}"
    parts = []
    for number in w.times(1, 10):
        said = w.kept(first if number == 0 else status(w))
        text = f"<p>{said}</p>"
        parts.append(
            f"<div {w.c('entry detailed-status' if number == 0 else 'entry')}>"
            f"<div {w.c('status__info')}>"
            f"<a href='#'><bdi><strong {w.c('display-name')}>{escape(w.user())}</strong></bdi> "
            "<span>"
            f"@{w.one_of(names.LATIN_NAMES)}</span></a></div><div {w.c('status__content')}>{text}"
            "</div>"
            f"<div {w.c('status__action-bar')}><time>{w.moment()}</time>"
            f" · {w.one_of(('公开', 'Web'))} · "
            f"{counters(w, '回复 转嘟 喜欢')}</div></div>\n"
        )
    join = (
        f"<div {w.c('sign-in-banner')}><p>"
        "登录后即可关注用户、收藏和回复，也可以在自己的站点上互动。</p>"
        f"<a href='#'>登录</a><a href='#'>新建账户</a></div>"
    )
    main = f"<div {w.c('activity-stream')}>{''.join(parts)}</div>"
    return around(w, main, side=join + link_list(w, "当前热门", 0, 8))


def post_square(w: Writer) -> str:
    """Short posts of many users in one list of definition or table rows."""
    w.subject = w.one_of(("广场", "大家在说", "今日话题", "碎碎念", "闲言碎语"))
    rows = []
    for _ in w.times(4, 20):
        picture = "<img src='/p.jpg' alt=''>" if w.chance(0.2) else ""
        said = w.body([status(w)], w.one_of(("div", "p", "br")))
        rows.append(
            f"<dl {w.c('talk')}><dt><a href='#'><img src='/f.gif'></a></dt><dd><b>"
            f"{escape(w.user())}</b> "
            f"<i>{w.date()}</i><div {w.c('saying')}>{said}{picture}</div><p {w.c('opt')}>"
            "<a href='#'>转播</a> "
            f"<a href='#'>评论({w.count(0, 99)})</a> <a href='#'>赞</a></p></dd></dl>\n"
        )
    main = f"<h2>{w.subject}</h2>{reply_box(w)}{''.join(rows)}{pager(w)}"
    return around(w, f"<div {w.c('square')}>{main}</div>", side=sidebar(w))


def mobile_cards(w: Writer) -> str:
    """Cards for telephones: head, text, forwarded text, a bar of three counters."""
    user = w.user()
    w.subject = f"{user}：{w.headline('talk')}"
    cards = []
    for _ in w.times(1, 12):
        text = f"<div {w.c('weibo-text')}>{w.kept(status(w))}</div>"
        forwarded = ""
        if w.chance(0.3):
            forwarded = (
                f"<div {w.c('weibo-rp')}><span>@{escape(w.user())}</span><div {w.c('weibo-text')}>"
                f"{w.kept(status(w))}</div></div>"
            )
        cards.append(
            f"<article {w.c('weibo-main')}><header {w.c('weibo-top')}><h3 {w.c('m-text-cut')}>"
            f"{link(w, user)}</h3><h4><span>{w.date()}</span> {w.one_of(('已编辑', '来自手机'))}"
            f"</h4></header><div {w.c('weibo-og')}>{text}{forwarded}</div>"
            f"<footer {w.c('m-ctrl-box')}>"
            f"<div><i></i><h4>{w.number()}</h4></div><div><i></i><h4>{w.number()}</h4></div><div>"
            "<i>"
            f"</i><h4>赞</h4></div></footer></article>\n"
        )
    opened = f"<div {w.c('wrap-open')}>打开客户端，查看更多精彩内容</div>"
    return around(w, f"<div {w.c('card-list')}>{''.join(cards)}</div>", before=opened)


def talk_feed(w: Writer) -> str:
    """A user's short notes in a space: time, text, who likes it, answers of friends inside."""
    w.subject = f"{w.user()}的{w.one_of(('说说', '心情', '动态', '空间'))}"
    items = []
    for _ in w.times(2, 12):
        said = f"<pre {w.c('content')}>{w.kept(status(w))}</pre>"
        answers = "".join(
            f"<li>{link(w, w.user())}<div>{w.kept(w.sentence('talk', 4, 40))}</div>"
            f"<i>{w.moment()}</i></li>"
            for _ in (w.times(1, 3) if w.chance(0.3) else ())
        )
        items.append(
            f"<li {w.c('feed')}><div {w.c('bd')}>{said}</div><div {w.c('ft')}><span>{w.moment()}"
            f"</span><a href='#'>评论({w.count(0, 30)})</a><a href='#'>转发</a></div>"
            f"<ul {w.c('mod_comment')}>{answers}</ul></li>\n"
        )
    main = f"<ol {w.i('msgList')}>{''.join(items)}</ol>{pager(w)}"
    return around(w, main, side=link_list(w, "最近访客", 0, 6))


def tweet_page(w: Writer) -> str:
    """Short posts with name and handle before, three counters behind each."""
    user = w.user()
    w.subject = f"{user} (@{w.one_of(names.LATIN_NAMES)})"
    tweets = []
    for _ in w.times(3, 16):
        tweets.append(
            f"<div {w.c('tweet')}><div {w.c('tweet-head')}><b>{escape(w.user())}</b><s>"
            f"@{w.one_of(names.LATIN_NAMES)}</s><small>{w.date()}</small></div>"
            f"<p {w.c('tweet-text')}>{w.kept(status(w))}</p><div {w.c('tweet-stats')}><span>"
            f"{w.count(0, 99)}</span><span>{w.number()}</span><span>{w.number()}</span></div>"
            "</div>\n"
        )
    about = (
        f"<div {w.c('profile')}><h1>{escape(user)}</h1><p>{escape(w.one_of(names.SIGNATURES))}</p>"
        f"<p>{w.one_of(names.PLACES)} 加入于{w.date()}</p></div>"
    )
    return around(w, f"<div {w.c('stream')}>{''.join(tweets)}</div>", side=about)


def weibo_page(w: Writer) -> str:
    """One post of a microblog with the replies to it, hottest first."""
    first = status(w)
    w.subject = f"{w.user()}的微博_{first[:20]}"
    text = (
        f"<div {w.c('card-feed')}><a href='#'>{escape(w.user())}</a><p {w.c('from')}>{w.moment()} "
        f"来自微博</p><p {w.c('txt')}>{w.kept(first)}</p></div><div {w.c('card-act')}>"
        f"{counters(w, '转发 评论 赞')}</div>"
    )
    replies = []
    for _ in w.times(1, 14):
        said = w.kept(" ".join(w.post())[:140])
        replies.append(
            f"<div {w.c('card-review')}><div {w.c('txt')}><a href='#'>{escape(w.user())}</a></div>"
            f"<div {w.c('text')}>{said}</div><div {w.c('fun')}><p>{w.moment()}</p><ul><li>回复</li>"
            f"<li>{w.count(0, 900)}</li></ul></div></div>\n"
        )
    main = f"{text}<div {w.c('list_ul')}>{''.join(replies)}</div><a href='#'>查看更多评论</a>"
    return around(w, f"<div {w.c('WB_frame')}>{main}</div>", side=link_list(w, "热搜榜", 0, 12))


def word_wall(w: Writer) -> str:
    """Jokes, sayings or confessions of many users in one column, each with thumbs and a number."""
    w.subject = w.one_of(("段子", "语录", "树洞", "新鲜事", "吐槽"))
    pieces = []
    for number in w.times(4, 18):
        lines = w.lines("talk", w.count(30, 160)) if w.chance(0.4) else [status(w)]
        pieces.append(
            f"<article {w.c('block')}><div {w.c('author')}>{escape(w.user())}</div><a href='#'>"
            f"<div {w.c('piece')}></div></a>{w.body(lines, w.one_of(('div', 'p')))}<div "
            f"{w.c('stats')}><i>{w.number()}</i> 好笑 <i>{w.count(0, 99)}</i> 评论</div><span>"
            f"#{number + 1000}</span></article>\n"
        )
    main = f"<div {w.c('col1')}>{''.join(pieces)}</div>{pager(w)}"
    return around(w, main, side=sidebar(w, "talk"))
