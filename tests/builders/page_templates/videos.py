"""Videos and films: two or three sentences of text beside a player, counters and long lists."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.comments import remark
from tests.builders.page_templates.frame import (
    ad,
    around,
    counters,
    crumbs,
    link,
    link_list,
    links,
    share,
    sidebar,
)
from tests.builders.page_templates.products import description
from tests.builders.page_templates.writer import Writer


def video_watch(w: Writer) -> str:
    """A video site: player, counters, a short introduction, a list of what to watch next."""
    title = w.named(w.one_of(("prose", "items")))
    player = (
        f"<div {w.c('player')}><video src='/v.mp4'></video><div>"
        f"00:00 / {w.count(1, 90)}:{w.count(10, 59)} 高清 倍速 弹幕</div></div>"
    )
    about = (
        f"<div {w.c('video-desc')}>"
        f"{w.body(description(w, w.one_of(('prose', 'items'))), w.one_of(('p', 'span', 'div')))}"
        "</div>"
    )
    up = (
        f"<div {w.c('up-info')}>{link(w, w.user())}<span>{escape(w.one_of(names.SIGNATURES))}"
        f"</span><button>+ 关注 {w.number()}"
        f"</button></div>"
    )
    after = ""
    if w.chance(0.5):
        items = "".join(
            f"<div {w.c('reply-item')}><span>{escape(w.user())}</span><p>{remark(w)}</p><span>"
            f"{w.date()} 回复</span></div>"
            for _ in w.times(1, 10)
        )
        after = f"<div {w.c('comment-m')}><h3>评论 {w.number()}</h3>{items}</div>"
    main = (
        f"<h1 {w.c('video-title')}>{title}</h1><div {w.c('video-data')}><span>{w.number()}播放"
        f"</span><span>{w.number()}弹幕</span>"
        f"<span>{w.moment()}</span></div>{player}<div {w.c('toolbar')}>"
        f"{counters(w, '点赞 投币 收藏 转发 稿件投诉')}</div>{about}"
        f"<div {w.c('tag-area')}>{links(w, w.some_of(names.NAV, 1, 6))}</div>{after}"
    )
    return around(
        w, f"<div {w.c('l-con')}>{main}</div>", side=up + link_list(w, "接下来播放", 4, 24)
    )


def film_page(w: Writer) -> str:
    """A film's or series' page: cast, episodes, the plot in a few sentences, sources to play."""
    title = w.named("novels")
    cast = "".join(
        f"<p>{label}：{links(w, [w.user() for _ in w.times(1, 5)])}</p>"
        for label in ("导演", "主演", "类型", "地区")
    )
    episodes = "".join(
        f"<li><a href='/play/{number}'>第{number + 1}集</a></li>" for number in w.times(1, 40)
    )
    plot = w.body(description(w, w.one_of(("novels", "prose"))), w.one_of(("p", "span", "div")))
    main = (
        f"{crumbs(w)}<div {w.c('myui-content__thumb')}><img src='/c.jpg' alt='{title}'></div>"
        f"<div {w.c('myui-content__detail')}>"
        f"<h1>{title}</h1>{cast}<p>状态：更新至{w.count(1, 40)}集 / {w.date()}</p>"
        f"{counters(w, '评分 人气 收藏 求片')}</div>"
        f"<div {w.c('playlist')}><h3>播放地址</h3><ul>{episodes}</ul></div><div {w.c('desc')}><h3>"
        f"剧情简介</h3>{plot}</div>"
        f"{share(w)}{link_list(w, '猜你喜欢', 4, 24, 'novels')}"
    )
    return around(w, f"<div {w.c('main')}>{main}</div>", side=sidebar(w, "novels"))


def clip_card(w: Writer) -> str:
    """A short clip: its text is its only description, everything else is recommended."""
    said = description(w, w.one_of(("talk", "prose")))
    w.subject = said[0][:30]
    text = w.body(said, w.one_of(("div", "p", "span")))
    author = (
        f"<div {w.c('user-info')}>{link(w, w.user())}<span>粉丝 {w.number()}</span><span>"
        f"获赞 {w.number()}</span>"
        f"<button>关注</button></div>"
    )
    main = (
        f"<div {w.c('xgplayer')}><video src='/c.mp4'></video><span>00:{w.count(10, 59)}</span>"
        "<span>不开启弹幕</span></div>"
        f"<div {w.c('detail-video-info')}>{text}<div {w.c('stats')}>"
        f"{counters(w, '赞 评论 收藏 分享', 3)}"
        f"<span>发布时间：{w.moment()}</span><span>举报</span></div></div>{ad(w, 0.2)}"
    )
    if w.chance(0.3):
        author, main = "", author + main
    recommended = link_list(w, "推荐视频", 6, 30)
    return around(w, f"<div {w.c('leftContainer')}>{main}</div>", side=author + recommended)


def episode_player(w: Writer) -> str:
    """An episode's page: the player first, tabs of episodes, a sketch of the plot to unfold."""
    title = w.named("novels")
    number = w.count(1, 60)
    w.subject += f" 第{number}集"
    tabs = links(w, [f"第{place + 1}集" for place in w.times(4, 60)], "stui-content__playlist")
    plot = w.body(description(w, w.one_of(("novels", "prose"))), w.one_of(("span", "div", "p")))
    hint = "<p>提醒：请勿相信视频中的任何广告，无法播放时请刷新或者更换线路。</p>"
    main = (
        f"<div {w.c('stui-player__video')}><video src='/e.mp4'></video></div><div "
        f"{w.c('stui-player__detail')}><h1>{title} 第{number}集</h1><span>{w.number()}次播放</span>"
        f"<span>{w.date()}更新</span><a href='#'>上一集</a><a href='#'>下一集</a>{hint}</div>{tabs}"
        f"<div {w.c('stui-content__desc')}><h3>剧情介绍</h3>{plot}<a href='#'>展开</a></div>"
        f"{share(w)}"
        f"{link_list(w, '同类型影片', 6, 30, 'novels')}"
    )
    return around(w, f"<div {w.c('container')}>{main}</div>", before=crumbs(w))


def lesson_video(w: Writer) -> str:
    """A lesson: player, teacher, what it is about, a directory of the other lessons."""
    title = w.named(w.one_of(("prose", "items")))
    about = w.body(description(w, w.one_of(("prose", "items"))), w.one_of(("p", "div", "span")))
    lessons = "".join(
        f"<li><a href='#'>{number + 1}. {escape(w.headline())}</a><em>{w.count(2, 59)}:"
        f"{w.count(10, 59)}</em></li>"
        for number in w.times(3, 24)
    )
    main = (
        f"{crumbs(w)}<h1>{title}</h1><div {w.c('course-player')}><video src='/l.mp4'></video></div>"
        f"<div {w.c('teacher')}><b>主讲：{escape(w.user())}</b><span>{w.number()}人学习</span>"
        "</div>"
        f"<section {w.c('course-intro')}><h2>{w.one_of(('课程简介', '课程介绍', '内容提要'))}</h2>"
        f"{about}</section><section {w.c('catalog')}><h2>目录</h2><ol>{lessons}</ol></section>"
    )
    return around(w, f"<div {w.c('course')}>{main}</div>", side=link_list(w, "相关课程", 2, 12))


def program_video(w: Writer) -> str:
    """A broadcaster's clip: player, day, a few lines of content, the other clips of the program."""
    title = w.named()
    label = w.one_of(("视频简介", "主要内容", "内容简介", "本期节目主要内容"))
    about = w.body(description(w, "prose"), w.one_of(("p", "br", "div")))
    main = (
        f"<div {w.c('player-box')}><video src='/n.mp4'></video></div><h3>{title}</h3><div "
        f"{w.c('info1')}>来源：{w.site} {w.moment()}</div><div {w.c('text_box')}><div>{label}</div>"
        f"{about}</div>{share(w)}{link_list(w, '往期节目', 4, 20)}"
    )
    return around(w, f"<div {w.c('column_wrapper')}>{main}</div>", side=sidebar(w))


def clip_remarks(w: Writer) -> str:
    """A clip for telephones: author, text, numbers, then many remarks and other clips."""
    said = description(w, w.one_of(("talk", "items")))
    w.subject = said[0][:24]
    text = w.body(said, w.one_of(("p", "div")))
    remarks = "".join(
        f"<li><b>{escape(w.user())}</b><div>{remark(w)}</div><small>{w.date()} 赞{w.count(0, 99)}"
        "</small></li>"
        for _ in w.times(2, 14)
    )
    main = (
        f"<div {w.c('m-video-player')}><video src='/m.mp4'></video></div><div "
        f"{w.c('author-row')}>{link(w, w.user())}<button>+关注</button></div><div "
        f"{w.c('caption')}>{text}</div><p>{w.moment()} {w.number()}次播放</p>"
        f"<div {w.c('cmt-list')}><h4>{w.count(2, 99)}条评论</h4><ul>{remarks}</ul></div>"
    )
    return around(w, f"<div {w.c('clip')}>{main}</div>", after=link_list(w, "更多视频", 4, 18))


def series_card(w: Writer) -> str:
    """A series' page: a table of facts, the story, links to play or to download it."""
    title = w.named("novels")
    facts = "".join(
        f"<tr><th>{label}</th><td>{escape(value)}</td></tr>"
        for label, value in (
            ("又名", w.headline("novels")),
            ("导演", w.user()),
            ("主演", f"{w.user()} / {w.user()}"),
            ("首播", w.date()),
            ("片长", f"{w.count(20, 150)}分钟"),
        )
    )
    story = w.body(description(w, w.one_of(("novels", "entries"))), w.one_of(("p", "br", "div")))
    sources = "".join(
        f"<p><a href='#'>{title}.第{number + 1}集.HD.mp4</a></p>" for number in w.times(1, 16)
    )
    main = (
        f"<img src='/s.jpg' alt=''><h1>{title}</h1><table {w.c('facts')}>{facts}</table><div "
        f"{w.c('story')}><b>◎{w.one_of(('简介', '剧情', '故事梗概'))}</b><div>{story}</div></div>"
        f"<div {w.c('dl')}><h3>下载地址</h3>{sources}</div>"
    )
    return around(w, f"<div {w.c('co_content')}>{main}</div>", side=link_list(w, "热播剧", 4, 16))
