"""Questions with answers: an open community, a box for the best answer, programmers, doctors."""

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
    reply_box,
    sidebar,
)
from tests.builders.page_templates.writer import Writer


def answer(w: Writer) -> list[str]:
    """The lines of an answer: a sentence, a paragraph or several."""
    drawn = w.dice.random()
    if drawn < 0.3:
        return [w.sentence("talk", 8, 60)]
    return w.lines(w.one_of(("talk", "prose")), w.count(60, 250 if drawn < 0.7 else 900))


def answer_stream(w: Writer) -> str:
    """A question with cards of answers under it, as large open communities have them."""
    w.named("talk")
    tags = "".join(f"<div {w.c('Tag')}>{link(w, tag)}</div>" for tag in w.some_of(names.NAV, 1, 5))
    title = f"<h1 {w.c('QuestionHeader-title')}>{w.kept(w.subject)}</h1>"
    detail = ""
    if w.chance(0.5):
        detail = (
            f"<div {w.c('QuestionRichText')}><span {w.c('RichText')}>{w.body(w.post(), 'p')}</span>"
            "</div>"
        )
    head = (
        f"<div {w.c('QuestionHeader')}><div {w.c('QuestionHeader-topics')}>{tags}</div>"
        f"{title}{detail}"
        f"<div {w.c('NumberBoard')}><div>关注者<strong>{w.number()}</strong></div><div>被浏览"
        "<strong>"
        f"{w.number()}</strong></div></div><div {w.c('QuestionButtonGroup')}><button>关注问题"
        "</button>"
        f"<button>写回答</button><button>邀请回答</button><button>好问题 {w.count(0, 99)}</button>"
        "</div></div>"
    )
    cards = []
    for _ in w.times(1, 7):
        bio = w.one_of(("", *names.SIGNATURES[:4], "互联网从业者", "话题下的优秀答主"))
        rich = w.body(answer(w), "p")
        cards.append(
            f"<div {w.c('List-item')}><div {w.c('ContentItem AnswerItem')}>"
            f"<div {w.c('AuthorInfo')}>"
            f"<img src='/a.jpg'><span {w.c('UserLink')}>{link(w, w.user())}</span>"
            f"<div {w.c('AuthorInfo-detail')}>"
            f"{bio}</div></div><div {w.c('Voters')}><button>{w.number()} 人赞同了该回答</button>"
            "</div>"
            f"<div {w.c('RichContent')}><div {w.c('RichContent-inner')}><span {w.c('RichText')}>"
            f"{rich}</span>"
            f"</div><div {w.c('ContentItem-time')}><a href='#'>发布于 {w.moment()}</a></div>"
            f"<div {w.c('ContentItem-actions')}><button>赞同 {w.number()}</button><button>"
            f"{w.count(0, 99)} 条评论"
            "</button><button>分享</button><button>收藏</button><button>喜欢</button></div></div>"
            "</div></div>\n"
            f"{ad(w, 0.1)}"
        )
    listed = (
        f"<div {w.c('List-header')}>{w.number()} 个回答<button>默认排序</button></div>"
        f"{''.join(cards)}"
    )
    main = f"<div {w.c('Question-main')}><div {w.c('AnswersNavWrapper')}>{listed}</div></div>"
    side = link_list(w, "相关问题", 4, 10, "talk") + link_list(w, "相关推荐", 0, 6)
    after = (
        f"<div {w.c('signFlow')}>登录后你可以不限量看优质回答 私信答主深度交流 精彩内容一键收藏"
        "</div>"
    )
    # The head has the title: it comes first in the markup as well as in the main text.
    return around(w, head + main, side=side, after=after)


def best_answer(w: Writer) -> str:
    """A question, the best answer in a box, others below, and many questions like it."""
    w.named("talk")
    title = f"<span {w.c('ask-title')}>{w.kept(w.subject)}</span>"
    detail = f"<pre {w.c('line q-content')}>{w.body(w.post(), 'br')}</pre>" if w.chance(0.4) else ""
    ask = (
        f"<div {w.i('wgt-ask')} {w.c('wgt-ask')}><h1>{title}</h1>{detail}<div {w.c('line f-aid')}>"
        f"<a href='#'>我来答</a><span>浏览 {w.number()} 次</span><span>{w.number()}个回答</span>"
        f"<span>#热议# {escape(w.headline())}</span></div></div>"
    )
    answers = []
    for number in w.times(1, 5):
        head = "最佳答案" if number == 0 else f"{number + 1}. "
        text = w.body(answer(w), w.one_of(("p", "br", "br")))
        more = "<p>本回答被提问者和网友采纳</p>" if number == 0 and w.chance(0.5) else ""
        answers.append(
            f"<div {w.c('bd answer')}><div {w.c('wgt-best-mask')}>{head}</div>"
            f"<div {w.c('wgt-replyer-all')}>"
            f"<a href='#'>{escape(w.user())}</a><span>{w.moment()}</span><span>"
            "知道合伙人 来自科技类芝麻团 "
            f"采纳率：{w.count(10, 99)}%</span></div><div {w.c('best-text mb-10')}>{text}</div>"
            f"{more}"
            f"<div {w.c('qb-evaluate')}><span>{w.number()}</span><span>{w.count(0, 60)}</span>"
            "<a href='#'>评论"
            f"</a><a href='#'>分享</a></div></div>\n"
        )
    like = link_list(w, "其他类似问题", 3, 20, "talk") + link_list(w, "为你推荐：", 2, 14)
    main = f"<div {w.c('grid-r')}>{crumbs(w)}{ask}{''.join(answers)}{like}</div>"
    return around(w, main, side=sidebar(w, "talk"))


def code_answers(w: Writer) -> str:
    """A question of programmers: votes beside question and answers, comments below them."""
    w.named("talk")
    head = (
        f"<div {w.i('question-header')}><h1><a href='#'>{w.kept(w.subject)}</a></h1><a href='#'>"
        "提问</a></div>"
        f"<div {w.c('grid')}><span>提问时间 {w.date()}</span><span>修改于 {w.date()}</span>"
        f"<span>阅读 {w.number()}</span></div>"
    )
    blocks = []
    for number in w.times(2, 6):
        post = w.body(answer(w), "p")
        tags = links(w, w.some_of(names.LATIN_NAMES, 1, 4), "post-taglist") if number == 0 else ""
        comments = "".join(
            f"<li {w.c('comment')}><span {w.c('comment-copy')}>{w.kept(w.sentence('talk', 6, 60))}"
            "</span>"
            f" – <a href='#'>{escape(w.user())}</a> <span>{w.date()}</span></li>"
            for _ in (w.times(1, 3) if w.chance(0.3) else ())
        )
        votes = (
            f"<div {w.c('votecell')}><button>▲</button><div>{w.number()}</div><button>▼</button>"
            "</div>"
        )
        blocks.append(
            f"<div {w.c('question' if number == 0 else 'answer')}><div {w.c('post-layout')}>{votes}"
            f"<div {w.c('postcell')}><div {w.c('s-prose js-post-body')}>{post}</div>{tags}"
            f"<div {w.c('post-signature')}>{w.date()} {link(w, w.user())} {w.number()} 声望</div>"
            "</div>"
            f"<ul {w.c('comments-list')}>{comments}</ul><a href='#'>添加评论</a></div></div>\n"
        )
    counted = f"<h2>{len(blocks) - 1} 个回答</h2><div {w.c('tabs')}>按票数 按时间</div>"
    main = (
        f"{head}<div {w.i('mainbar')}>{blocks[0]}{counted}{''.join(blocks[1:])}</div>{reply_box(w)}"
    )
    return around(w, main, side=link_list(w, "相似问题", 3, 12, "talk"))


def doctor_answers(w: Writer) -> str:
    """A patient's question and the answers of doctors, each with a card of the doctor."""
    w.named("talk")
    title = f"<h1 {w.c('tit')}>{w.kept(w.subject)}</h1>"
    asked = w.body(w.lines("talk", w.count(40, 160)), w.one_of(("p", "br")))
    ask = (
        f"<div {w.c('problem')}>{title}<div {w.c('info')}>"
        f"{w.one_of(('男', '女'))} {w.count(1, 80)}岁 {w.date()} "
        f"悬赏分 {w.count(0, 50)}</div><div {w.c('describe')}>{asked}</div></div>"
    )
    answers = []
    for _ in w.times(1, 4):
        text = w.body(answer(w), w.one_of(("p", "br", "div")))
        answers.append(
            f"<div {w.c('docbox')}><dl {w.c('doc-card')}><dt><img src='/d.jpg'></dt><dd>"
            f"{escape(w.user())} "
            f"<span>{w.one_of(('主治医师', '副主任医师', '医师'))}</span></dd><dd>"
            f"帮助网友：{w.number()} 称赞："
            f"{w.number()}</dd><dd>擅长：{escape(w.sentence('talk', 8, 30))}</dd></dl>"
            f"<div {w.c('answer-txt')}>"
            f"{text}</div><div {w.c('btns')}><a href='#'>向TA提问</a>"
            f"{counters(w, '有用 没用 感谢')}</div></div>\n"
        )
    notice = "<p>温馨提示：以上内容仅供参考，不能作为诊断和治疗的依据，身体不适请及时就医。</p>"
    main = f"<div {w.c('main fl')}>{crumbs(w)}{ask}{''.join(answers)}{notice}{ad(w, 0.4)}</div>"
    return around(w, main, side=sidebar(w, "talk"), after=link_list(w, "相关问题", 0, 20, "talk"))
