"""Which lines of a page are its main text.

Every line of the page's visible text gets a probability from a linear model over its length,
links, Chinese punctuation and neighbours; the main text is the contiguous run of lines whose
sum of (probability - threshold) is largest, without its clear non-text.

Source:
    The run is maximum subsequence segmentation (Pasternack and Roth, WWW 2009); the line model
    and its features are ours, fitted by logistic regression on 87 Chinese pages with known text.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

# In the order of `line_features`.
_WEIGHTS = np.array(
    [
        -0.63,  # constant
        0.22,  # length
        -1.08,  # links
        1.1,  # has punctuation
        1.02,  # sentence ends
        0.37,  # ends like a sentence
        -1.2,  # frame word
        -0.47,  # frame heading
        0.88,  # paragraph
        -0.92,  # list item
        -0.61,  # very short
        0.83,  # prose one line before
        0.68,  # one after
        0.56,  # two and three before
        0.81,  # two and three after
        -0.4,  # links one line before
        -0.29,  # one after
        -0.46,  # two and three before
        -0.33,  # two and three after
        -0.94,  # no prose follows
        0.41,  # no prose before
    ]
)
_THRESHOLD = 0.35
_LENGTH_POWER = 0.35
_MAX_LINK_CHARS = 300  # an anchor that is still open after these was never closed
_MIN_LINE_CHARS = 8  # shorter lines weigh as much
_NOT_TEXT = 0.15  # a line inside the run goes when it is less likely than this

_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>")
_ANCHOR = re.compile(r"(<a [^>]*>|</a>)")
_SENTENCE_ENDS = ("。", "！", "？", "；", ". ", "! ", "? ")
_PAUSES = ("，", "、", ",")
_LINE_ENDS = frozenset("。！？”…：；）」』!?.")
# Words of the frame around an article: who made it, what to do with it, where to go next.
_FRAME = re.compile(
    "版权|©|ICP|许可证|公网安备|责任编辑|责编|编辑：|上一[篇页]|下一[篇页]|分享|举报|来源[：:]|发布时间|"
    "登录|注册|关注|收藏|点赞|评论|阅读原文|免责|声明|联系我们|关于我们|投稿|扫一扫|二维码|下载|客户端|"
    "首页|正文|浏览|回复|原标题|打印|字号|发表于|转载|作者[：:]|当前位置|广告|更多|相关阅读|推荐|热门|排行|"
    "猜你喜欢|延伸阅读|往期|頭條|頭条|头条|版權|登錄|登入|註冊|分享|評論|轉載|相關|推薦|熱門|[Cc]opyright"
)
_FRAME_HEADING = re.compile(
    "^.{0,6}(相关|推荐|热门|排行|猜你|延伸阅读|往期|更多|精彩|最新|评论|热点|图集|栏目|友情链接|上一篇|"
    "下一篇|责任编辑|版权|Copyright|©|免责|特别声明|声明|相關|推薦|熱門|評論|版權)"
)


@dataclass(frozen=True)
class Line:
    """One line of visible text.

    Attributes:
        text: Without markup, not empty.
        link_share: Share of its characters inside links, in [0, 1].
        tag: The block element that it begins in: p, li, h or "" for any other.
    """

    text: str
    link_share: float
    tag: str


def main_text(tree: HTMLTree) -> str:
    """The main text of a parsed page, one line for every block; "" only for a page without text."""
    lines = page_lines(tree)
    if not lines:
        return ""
    return "\n".join(lines[row].text for row in main_rows(lines))


def page_lines(tree: HTMLTree) -> list[Line]:
    """The visible text of a page, line by line, with what its markup says."""
    marked = extract_plain_text(
        tree, preserve_formatting="minimal_html", links=True, alt_texts=False
    )
    lines: list[Line] = []
    in_link = in_pre = False
    open_chars = 0  # since the anchor opened
    for raw in marked.split("\n"):
        link_chars = 0
        pieces = _ANCHOR.split(raw) if "<a " in raw or "</a>" in raw else (raw,)
        for number, piece in enumerate(pieces):
            if number % 2:  # the anchors themselves are what the pattern captures
                # <a name=...> is written with an empty target, and mostly never closed.
                in_link = piece != "</a>" and not piece.startswith('<a href=""')
                open_chars = 0
            elif in_link:
                size = len(_TAG.sub("", piece).strip())
                link_chars += size
                open_chars += size
                in_link = open_chars <= _MAX_LINK_CHARS
        text = _TAG.sub("", raw) if "<" in raw else raw
        in_pre = "</pre>" not in raw and (in_pre or "<pre>" in raw)
        text = html.unescape(text) if "&" in text else text
        text = text.rstrip() if in_pre else text.strip()
        if text:
            share = min(1.0, link_chars / len(text))
            lines.append(Line(text, share, _block_tag(raw)))
    return lines


def main_rows(lines: Sequence[Line]) -> list[int]:
    """Indices of the lines of the main text, in order; at least one for a page with lines."""
    probability = line_probabilities(lines)
    chars = np.array([len(line.text) for line in lines], dtype=np.float64)
    gain = (probability - _THRESHOLD) * np.maximum(chars, _MIN_LINE_CHARS) ** _LENGTH_POWER
    rows = [row for row in range(*_best_run(gain.tolist())) if probability[row] >= _NOT_TEXT]
    if rows:
        return rows
    # No line looks like prose: a table, a list of goods. Keep all but the navigation.
    return [row for row, line in enumerate(lines) if line.link_share < 0.5] or [
        int(np.argmax(probability))
    ]


def line_probabilities(lines: Sequence[Line]) -> npt.NDArray[np.float64]:
    """How likely each line belongs to the main text; shape (lines,), in [0, 1]."""
    return np.asarray(1.0 / (1.0 + np.exp(-(line_features(lines) @ _WEIGHTS))))


def line_features(lines: Sequence[Line]) -> npt.NDArray[np.float64]:
    """The model's features; shape (lines, features). Needs at least one line."""
    texts = [line.text for line in lines]
    chars = np.array([len(text) for text in texts], dtype=np.float64)
    links = np.array([line.link_share for line in lines])
    ends = np.array([sum(map(text.count, _SENTENCE_ENDS)) for text in texts], dtype=np.float64)
    pauses = np.array([sum(map(text.count, _PAUSES)) for text in texts], dtype=np.float64)
    punctuated = (ends + pauses > 0).astype(np.float64)
    # What a line adds to an article: its length where it is prose and no link.
    prose = np.minimum(chars, 200) / 200 * (1 - links) * punctuated
    so_far = np.cumsum(prose) / (prose.sum() + 1e-9)
    return np.stack(
        [
            np.ones(len(lines)),
            np.log1p(chars) / 5,
            links,
            punctuated,
            np.minimum(ends, 5) / 5,
            np.array([text[-1] in _LINE_ENDS for text in texts], dtype=np.float64),
            np.array([_FRAME.search(text, 0, 200) is not None for text in texts], dtype=np.float64),
            np.array([_FRAME_HEADING.match(text) is not None for text in texts], dtype=np.float64),
            np.array([line.tag == "p" for line in lines], dtype=np.float64),
            np.array([line.tag == "li" for line in lines], dtype=np.float64),
            (chars < 6).astype(np.float64),
            _shifted(prose, 1),
            _shifted(prose, -1),
            _shifted(prose, 2) + _shifted(prose, 3),
            _shifted(prose, -2) + _shifted(prose, -3),
            _shifted(links, 1),
            _shifted(links, -1),
            _shifted(links, 2) + _shifted(links, 3),
            _shifted(links, -2) + _shifted(links, -3),
            (1 - so_far < 0.01).astype(np.float64),  # all prose lies before
            (so_far - prose / (prose.sum() + 1e-9) < 0.01).astype(np.float64),  # or after
        ],
        axis=1,
    )


def _shifted(values: npt.NDArray[np.float64], by: int) -> npt.NDArray[np.float64]:
    """The value `by` lines before (after, when negative); 0 beyond the page."""
    moved = np.zeros_like(values)
    if by > 0:
        moved[by:] = values[:-by]
    else:
        moved[:by] = values[-by:]
    return moved


def _best_run(gains: Sequence[float]) -> tuple[int, int]:
    """(first, end) of the run with the largest sum; (0, 0) when no gain is positive."""
    best, best_run = 0.0, (0, 0)
    total, first = 0.0, 0
    for row, gain in enumerate(gains):
        if total <= 0:
            total, first = 0.0, row
        total += gain
        if total > best:
            best, best_run = total, (first, row + 1)
    return best_run


def _block_tag(raw: str) -> str:
    if "<p>" in raw:
        return "p"
    if "<li" in raw:
        return "li"
    return "h" if "<h" in raw else ""
