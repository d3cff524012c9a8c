"""The kinds of pages, and the words that hint at each: plain data, which settings read too.

`udfs.html.page_kind` decides which kind a page is. No word is specific to one site: those of
classes are what programs behind forums, shops and the like name their blocks, those of lines what
such pages write beside their texts.
"""

from __future__ import annotations

from typing import NamedTuple

ARTICLE = "article"
INDEX = "index"

CLASS_WORDS = {
    "forum": """
        thread forum bbs topic floor plhin postmessage poststream signature viewthread lzl
    """,
    "question_answer": "question answer wenda zhidao accepted qalist",
    "comments": "comment pinglun cmt gentie reply",
    "microblog": "weibo tweet status microblog repost retweet forward timeline feed",
    "encyclopedia": "baike wiki infobox lemma catalog mwparser polysem basicinfo reference",
    "product": "product goods price sku cart shop buy detailparam",
    "video": "video player playlist episode vod movie anime",
    "index": "channel portal column slide swiper carousel focus headline newslist",
    "chapter": "chapter novel bookname zhangjie xiaoshuo booktitle readcontent bookread",
}
"""Kind -> words of the letters a to z in class and id of its pages' blocks."""

LINE_WORDS = {
    "forum": """
        楼主 只看该作者 只看楼主 发表于 沙发 板凳 倒序浏览 威望 金钱 积分 注册时间 主题 帖子 版主
        回帖 发帖 顶帖 版块 论坛 贴吧 加精 个性签名 层主
    """,
    "question_answer": "提问 回答 最佳答案 采纳 追问 追答 问题 知友 被浏览 问答 答主",
    "comments": """
        网友评论 条评论 热门评论 最新评论 发表评论 我来说两句 跟贴 参与评论 全部评论 网友
    """,
    "microblog": "转发 赞 来自 微博 粉丝 关注 收藏 转评",
    "encyclopedia": """
        百科 词条 参考资料 目录 基本信息 中文名 外文名 义项 条目 消歧义 编辑本段 本词条
    """,
    "product": """
        ¥ ￥ 价格 购物车 立即购买 库存 规格 品牌 型号 商品 运费 促销 包邮 销量 产地 参数
    """,
    "video": "播放 时长 弹幕 视频 集数 分集 导演 主演 高清 片花",
    "index": "更多 频道 首页 头条 专题 排行 图片 导航",
    "chapter": "上一章 下一章 章节 加入书签 书架 返回书页 本书 小说 报错 推荐票 章 书签 最新章节",
}
"""Kind -> words in the lines and the titles of its pages."""

THREADS = frozenset({"forum", "question_answer", "microblog"})
"""The kinds whose text is posts of several people; a title belongs to the text that answers it."""

SCATTERED = THREADS | {"encyclopedia"}
"""The kinds whose text is in many places of a page, of which none counts more than another."""

HINTS = tuple(CLASS_WORDS)
"""The kinds that words hint at."""

PAGE_KINDS = (ARTICLE, *HINTS)
"""All kinds:

- article: news, blogs, notices, and whatever is like them
- forum: a thread of posts
- question_answer: a question with its answers
- comments: an article followed by its readers' comments, or comments alone
- microblog: short posts of one or of several authors
- encyclopedia: an entry, with facts in a table and sections
- product: goods or an application, with a few sentences of description
- video: a player and a few sentences
- index: a portal, a list or a search, without a text of its own
- chapter: a chapter of a novel
"""

PROSE = frozenset({ARTICLE, "chapter"})
"""The kinds that are one author's paragraphs; their lines have a model of their own."""


class KindShares(NamedTuple):
    """How likely a page is of each group of kinds that are read alike; each 0 to 1.

    Attributes:
        prose: Of `PROSE`.
        thread: Of `THREADS`.
        scattered: Of `SCATTERED`.
        listing: An index.
    """

    prose: float
    thread: float
    scattered: float
    listing: float


def shares_of_kind(kind: str | None) -> KindShares:
    """Return the shares of a page of a certain kind; None as an article."""
    kind = kind or ARTICLE
    return KindShares(*(float(kind in kinds) for kinds in (PROSE, THREADS, SCATTERED, {INDEX})))
