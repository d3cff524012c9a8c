"""Which lines of a page are its main text.

Every line of the page's visible text gets a probability from a linear model over its length,
links, punctuation, neighbours, and the blocks around it; the main text is the runs of lines whose
sum of (probability - threshold) is large, without their clear non-text.

Source:
    The runs are maximal scoring subsequences (Ruzzo and Tompa, ISMB 1999; for pages Pasternack and
    Roth, WWW 2009). The line model and its features are ours, fitted by logistic regression on 87
    Chinese pages with known text: tests/bench/extraction_quality.py --fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick

from udfs.block_words import KINDS
from udfs.page_lines import Blocks, Lines, tidy_lines

Vector = npt.NDArray[np.float64]

LINE_FEATURES = (
    "constant",
    "links",
    "has punctuation",
    "much punctuation",
    "frame word",
    "paragraph",
    "list item",
    "prose around",
    "links around",
)
BLOCK_FEATURES = KINDS  # what the blocks around a line say, the nearer the more


@dataclass(frozen=True)
class LineModel:
    """What was fitted.

    Attributes:
        line_weights: In the order of LINE_FEATURES.
        block_weights: In the order of BLOCK_FEATURES.
        threshold: Share of the likeliest line's probability; lines above add to a run, lines
            below take away. Pages of code, of tables or of short lines have no likely line.
        not_text: A line inside a run goes when it is less likely than this. When all are, all
            stay that are not mostly links.
        other_run: A run is kept beside the best one from this share of the best one's sum on.
    """

    line_weights: Vector
    block_weights: Vector
    threshold: float
    not_text: float
    other_run: float


MODEL = LineModel(
    line_weights=np.array(
        [
            -0.60,  # constant
            -0.87,  # links
            1.04,  # has punctuation
            0.84,  # much punctuation
            -0.53,  # frame word
            0.73,  # paragraph
            -0.51,  # list item
            1.03,  # prose around
            -1.20,  # links around
        ]
    ),
    block_weights=np.array(
        [
            0.30,  # content
            -0.48,  # frame
            -0.30,  # side
            -0.55,  # related
            0.04,  # comment
            -0.57,  # tool
            -0.14,  # hidden
        ]
    ),
    threshold=0.5,
    not_text=0.25,
    other_run=0.3,
)

_REACH = 3  # lines before and after that count as neighbours
_AROUND = np.array([1, 1, 1, 0, 1, 1, 1]) / _REACH
_INHERITED = 0.7  # what a block passes on of what it and those around it say
_LENGTH_POWER = 0.5
_MIN_LINE_CHARS = 8  # shorter lines weigh as much in a run
_PROSE_CHARS = 200  # a line of so many characters is all the prose that a line can be
_REPEATED_BYTES = 150  # a line of so many that was kept before is the same text again

# Words of the frame around an article: who made it, what to do with it, where to go next.
_FRAME_WORDS = """
    版权 版權 © copyright Copyright ICP 许可证 公网安备 责任编辑 责编 编辑： 免责 声明
    联系我们 关于我们 上一篇 上一页 下一篇 下一页 首页 正文 当前位置 更多 相关阅读 相關 推荐
    推薦 热门 熱門 排行 猜你喜欢 延伸阅读 往期 头条 頭條 阅读原文 分享 举报 登录 登錄 登入
    注册 註冊 关注 收藏 点赞 评论 評論 浏览 回复 来源： 来源: 发布时间 发表于 作者： 作者:
    原标题 打印 字号 转载 轉載 投稿 扫一扫 二维码 下载 客户端 广告
"""
_PIECE_BYTES = 1 << 20  # searched at a time: the matches of a whole page may take 700 MB
_FRAME_BYTES = 600  # a frame word further into a line is part of a sentence


def main_text(lines: Lines, model: LineModel | None = None) -> str:
    """The main text of a page, a line for each block; "" only for a page without text.

    A line of some length that comes again is left out: pages hold the same article once more for
    telephones or for printing.
    """
    texts = lines.page.split(b"\n")
    seen: set[bytes] = set()
    kept: list[bytes] = []
    for number in lines.numbers[main_rows(lines, model or MODEL)].tolist():
        text = texts[number]
        if len(text) >= _REPEATED_BYTES:
            if text in seen:
                continue
            seen.add(text)
        kept.append(text)
    return tidy_lines(b"\n".join(kept))


def main_rows(lines: Lines, model: LineModel) -> list[int]:
    """Indices of the lines of the main text, in order; at least one for a page with lines."""
    if not len(lines):
        return []
    probability = line_probabilities(lines, model)
    likeliest = int(probability.argmax())
    if probability[likeliest] < model.not_text:
        # No line looks like prose: a list of goods, a portal. Keep all but the navigation.
        return np.flatnonzero(lines.link_chars < lines.chars / 2).tolist() or [likeliest]
    weight = np.maximum(lines.chars, _MIN_LINE_CHARS) ** _LENGTH_POWER
    threshold = model.threshold * probability[likeliest]
    runs = scoring_runs(((probability - threshold) * weight).tolist())
    least = model.other_run * max(total for _, _, total in runs)
    likely = (probability >= min(model.not_text, threshold)).tolist()
    return [
        row
        for first, end, total in runs
        if total >= least
        for row in range(first, end)
        if likely[row]
    ]


def line_probabilities(lines: Lines, model: LineModel) -> Vector:
    """How likely each line belongs to the main text; shape (lines,), in [0, 1]."""
    said = inherited(lines.blocks, _kind_bits() @ model.block_weights)
    score = line_features(lines) @ model.line_weights + said[lines.block]
    return np.asarray(1.0 / (1.0 + np.exp(-score)))


def line_features(lines: Lines) -> Vector:
    """LINE_FEATURES of each line; shape (lines, features)."""
    chars = lines.chars.astype(np.float64)
    links = lines.link_chars / chars
    punctuated = lines.punctuation > 0
    features = np.empty((len(LINE_FEATURES), len(chars)))
    features[0] = 1.0
    features[1] = links
    features[2] = punctuated
    features[3] = np.minimum(lines.punctuation, 8) / 8
    features[4] = _lines_with_frame_words(lines)
    features[5] = lines.paragraph
    features[6] = lines.item
    prose = np.minimum(chars, _PROSE_CHARS) / _PROSE_CHARS * (1 - links) * punctuated
    features[7] = np.convolve(prose, _AROUND)[_REACH:-_REACH]
    features[8] = np.convolve(links, _AROUND)[_REACH:-_REACH]
    return features.T


def block_features(lines: Lines) -> Vector:
    """BLOCK_FEATURES of each line; shape (lines, features)."""
    return np.stack([inherited(lines.blocks, bit)[lines.block] for bit in _kind_bits().T], axis=1)


def inherited(blocks: Blocks, value_of_kinds: Vector) -> Vector:
    """What each block and, fading, those around it say; shape (blocks,).

    Args:
        value_of_kinds: Shape (256,), by the bits of a block's kinds.
    """
    own = value_of_kinds[blocks.kinds].tolist()
    values = own[:1]
    for parent, value in zip(blocks.parents[1:], own[1:], strict=True):
        values.append(value + _INHERITED * values[parent])
    return np.array(values)


def scoring_runs(gains: Sequence[float]) -> list[tuple[int, int, float]]:
    """(first, end, sum) of all maximal scoring runs, in order.

    Source:
        Ruzzo and Tompa (ISMB 1999), in linear time.

    >>> scoring_runs([4, -5, 3, -3, 1, 2, -2, 2, -2, 1, 5])
    [(0, 1, 4.0), (2, 3, 3.0), (4, 11, 7.0)]
    """
    # Of each candidate: first, end, sum before it, sum with it, the last one that began lower.
    found: list[tuple[int, int, float, float, int]] = []
    total = 0.0
    for row, gain in enumerate(gains):
        before, total = total, total + gain
        if gain <= 0:
            continue
        first, lower = row, len(found) - 1
        while True:
            while lower >= 0 and found[lower][2] >= before:
                lower = found[lower][4]
            if lower < 0 or found[lower][3] >= total:
                break
            first, _, before, _, next_lower = found[lower]
            del found[lower:]
            lower = next_lower
        found.append((first, row + 1, before, total, lower))
    return [(first, end, total - before) for first, end, before, total, _ in found]


@cache
def _kind_bits() -> Vector:
    """Shape (256, kinds): the kinds of each pattern of bits."""
    return (np.arange(256)[:, None] >> np.arange(len(KINDS)) & 1).astype(np.float64)


@cache
def _frame_words() -> BytesAhoCorasick:
    return BytesAhoCorasick([word.encode() for word in _FRAME_WORDS.split()])


def _lines_with_frame_words(lines: Lines) -> npt.NDArray[np.bool_]:
    """The lines with a frame word near their beginning."""
    words, page = _frame_words(), lines.page
    found = np.zeros(len(lines), dtype=np.bool_)
    for begin in range(0, len(page), _PIECE_BYTES):
        piece = page[begin : begin + _PIECE_BYTES + 32]
        places = [place for _, place, _ in words.find_matches_as_indexes(piece)]
        if places:
            starts = np.array(places) + begin
            breaks = np.flatnonzero(np.frombuffer(page, dtype=np.uint8) == ord("\n"))
            line_starts = np.append(0, breaks[:-1] + 1)
            numbers = np.searchsorted(line_starts, starts, side="right") - 1
            near = starts - line_starts[numbers] < _FRAME_BYTES
            found[np.searchsorted(lines.numbers, numbers[near])] = True
    return found
