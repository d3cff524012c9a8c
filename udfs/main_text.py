"""Which lines of a page are its main text.

Every line of the page's visible text gets a probability from a linear model over its length,
links, Chinese punctuation and neighbours; the main text is the contiguous run of lines whose
sum of (probability - threshold) is largest, without its clear non-text.

Source:
    The run is maximum subsequence segmentation (Pasternack and Roth, WWW 2009); the line model
    and its features are ours, fitted by logistic regression on 87 Chinese pages with known text.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import AhoCorasick
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

# Markup that is kept while the text is cut into lines, as control characters.
_LINK, _LINK_END, _PARAGRAPH, _ITEM = "\x01", "\x02", "\x03", "\x04"
_MARKS = b"\x01\x02\x03\x04"
# <a name=...> is written with an empty target, and mostly never closed.
_EMPTY_LINK_START = re.compile(b'<a href=""[^>]*>')
_LINK_START = re.compile(b"<a [^>]*>")
_TAG = re.compile(b"</?[a-z][a-z0-9]*>")
_LINK_MARKS = re.compile("([\x01\x02])")

_SENTENCE_ENDS, _PAUSES = "。！？；", "，、,"
_LATIN_ENDS = ".!?"  # only before a space
_LINE_ENDS = frozenset("。！？”…：；）」』!?.")
# Words of the frame around an article: who made it, what to do with it, where to go next.
_FRAME_WORDS = """
    版权 版權 © copyright Copyright ICP 许可证 公网安备 责任编辑 责编 编辑： 免责 声明
    联系我们 关于我们 上一篇 上一页 下一篇 下一页 首页 正文 当前位置 更多 相关阅读 相關 推荐
    推薦 热门 熱門 排行 猜你喜欢 延伸阅读 往期 头条 頭條 阅读原文 分享 举报 登录 登錄 登入
    注册 註冊 关注 收藏 点赞 评论 評論 浏览 回复 来源： 来源: 发布时间 发表于 作者： 作者:
    原标题 打印 字号 转载 轉載 投稿 扫一扫 二维码 下载 客户端 广告
"""
_FRAME_CHARS = 200  # a frame word further into a line is part of a sentence
# Words that head such a block: they stand at the beginning of a line.
_HEADING_WORDS = """
    相关 相關 推荐 推薦 热门 熱門 排行 猜你 延伸阅读 往期 更多 精彩 最新 评论 評論 热点 图集
    栏目 友情链接 上一篇 下一篇 责任编辑 版权 版權 Copyright © 免责 声明
"""
_HEADING_CHARS = 6


class Line(NamedTuple):
    """One line of visible text.

    Attributes:
        text: Without markup, not empty.
        link_share: Share of its characters inside links, in [0, 1].
        tag: The block element that begins in it: p, li or "" for any other.
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
    # As bytes: scanning them is several times as fast as scanning Python's wide characters.
    page = marked.encode("utf-8", "replace").translate(None, _MARKS)  # less the page's own
    page = _LINK_START.sub(b"\x01", _EMPTY_LINK_START.sub(b"", page)).replace(b"</a>", b"\x02")
    page = _TAG.sub(b"", page.replace(b"<p>", b"\x03").replace(b"<li>", b"\x04"))
    # The four that the extractor escapes; html.unescape takes 5 s for a page of ampersands.
    for entity, character in ((b"lt", b"<"), (b"gt", b">"), (b"quot", b'"'), (b"amp", b"&")):
        page = page.replace(b"&" + entity + b";", character)
    with_marks = page.decode("utf-8")
    without = page.translate(None, _MARKS).decode("utf-8")
    lines: list[Line] = []
    in_link = False
    open_chars = 0  # since the link opened
    for raw, text in zip(with_marks.split("\n"), without.split("\n"), strict=True):
        link_chars = 0
        if in_link or _LINK in raw:
            for piece in _LINK_MARKS.split(raw):
                if piece in (_LINK, _LINK_END):
                    in_link = piece == _LINK
                    open_chars = 0
                elif in_link:
                    size = len(piece.strip())
                    link_chars += size
                    open_chars += size
                    in_link = open_chars <= _MAX_LINK_CHARS
        text = text.strip()
        if text:
            tag = "p" if _PARAGRAPH in raw else "li" if _ITEM in raw else ""
            lines.append(Line(text, min(1.0, link_chars / len(text)), tag))
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
    page = "\n".join(line.text for line in lines)
    codes = np.frombuffer(page.encode("utf-32-le", "replace"), dtype="<u4")
    chars = np.array([len(line.text) for line in lines], dtype=np.float64)
    starts = np.concatenate([[0], np.cumsum(chars[:-1] + 1)]).astype(np.intp)
    links = np.array([line.link_share for line in lines])
    tags = [line.tag for line in lines]

    latin_end = _is_one_of(codes, _LATIN_ENDS)
    latin_end[:-1] &= codes[1:] == ord(" ")
    latin_end[-1:] = False
    ends = np.add.reduceat(latin_end | _is_one_of(codes, _SENTENCE_ENDS), starts, dtype=np.float64)
    pauses = np.add.reduceat(_is_one_of(codes, _PAUSES), starts, dtype=np.float64)
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
            np.array([line.text[-1] in _LINE_ENDS for line in lines], dtype=np.float64),
            _lines_with(_words(_FRAME_WORDS), _FRAME_CHARS, page, starts),
            _lines_with(_words(_HEADING_WORDS), _HEADING_CHARS + 1, page, starts),
            np.array([tag == "p" for tag in tags], dtype=np.float64),
            np.array([tag == "li" for tag in tags], dtype=np.float64),
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


def _is_one_of(codes: npt.NDArray[np.uint32], characters: str) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(codes), dtype=np.bool_)
    for character in characters:
        found |= codes == ord(character)
    return found


@lru_cache
def _words(listed: str) -> AhoCorasick:
    return AhoCorasick(listed.split())


def _lines_with(
    words: AhoCorasick, within: int, page: str, starts: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """1.0 for each line with a word that begins among its first `within` characters."""
    found = np.zeros(len(starts))
    matches = words.find_matches_as_indexes(page, overlapping=True)
    places = np.array([start for _, start, _ in matches], dtype=np.intp)
    rows = np.searchsorted(starts, places, side="right") - 1
    found[rows[places - starts[rows] < within]] = 1.0
    return found


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
