"""The main text of a page: which of its lines belong to it.

A linear model gives every line of the visible text a probability, by its length, links,
punctuation, neighbours, and the blocks around it; the main text is the runs of lines whose sum of
(probability - threshold) is large, without their least likely lines.

Source:
    The runs are maximal scoring subsequences (Ruzzo and Tompa, ISMB 1999; for pages Pasternack and
    Roth, WWW 2009). The line model and its features are this project's, fitted by logistic
    regression on 87 Chinese pages with known text: tests/bench/extraction_quality.py --fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import BoolArray, Float64Array, Int64Array, UInt8Array
from udfs.base.jit import compiled, uncounted
from udfs.html.class_words import KINDS
from udfs.html.page_lines import Blocks, Lines, lines_text

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
_FEATURES = len(LINE_FEATURES)


@dataclass(frozen=True)
class LineModel:
    """Fitted weights and thresholds.

    Attributes:
        line_weights: In the order of LINE_FEATURES.
        block_weights: In the order of `udfs.html.class_words.KINDS`.
        threshold: Share of the most likely line's probability; lines above it increase a run's
            sum, lines below decrease it. Pages of code, tables or short lines have no likely line.
        not_text: A line inside a run is dropped when its probability is lower. When all lines'
            are, all lines are kept that are not mostly links.
        other_run: A further run is kept when its sum is at least this share of the best run's.
    """

    line_weights: Float64Array
    block_weights: Float64Array
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
_INHERITED = 0.7  # share of a block's value that the blocks inside it inherit
_MIN_LINE_CHARS = 8  # shorter lines weigh as much in a run
_MUCH_PUNCTUATION = 8  # marks; further ones add nothing
_PROSE_CHARS = 200  # characters from which a line counts as prose fully
_REPEATED_BYTES = 150  # a line of at least this length that was kept before is a repetition

# Words of the frame around an article: credits, actions, navigation.
_FRAME_WORDS = """
    版权 版權 © copyright Copyright ICP 许可证 公网安备 责任编辑 责编 编辑： 免责 声明
    联系我们 关于我们 上一篇 上一页 下一篇 下一页 首页 正文 当前位置 更多 相关阅读 相關 推荐
    推薦 热门 熱門 排行 猜你喜欢 延伸阅读 往期 头条 頭條 阅读原文 分享 举报 登录 登錄 登入
    注册 註冊 关注 收藏 点赞 评论 評論 浏览 回复 来源： 来源: 发布时间 发表于 作者： 作者:
    原标题 打印 字号 转载 轉載 投稿 扫一扫 二维码 下载 客户端 广告
"""
_FRAME_BYTES = 600  # a frame word further into a line is part of a sentence


def main_text(lines: Lines, model: LineModel | None = None) -> str:
    """Return the main text of a page, a line for each block; "" only for a page without text.

    A long line that is repeated is left out: pages have the same article again for telephones or
    for printing.
    """
    rows = main_rows(lines, model or MODEL)
    starts, ends = lines.starts[rows], lines.ends[rows]
    long = np.flatnonzero(ends - starts >= _REPEATED_BYTES)
    if len(long) > 1:
        seen: set[bytes] = set()
        again: list[int] = []
        for place, start, end in zip(
            long.tolist(), starts[long].tolist(), ends[long].tolist(), strict=True
        ):
            text = lines.page[start:end]
            if text in seen:
                again.append(place)
            seen.add(text)
        rows = np.delete(rows, again) if again else rows
    return lines_text(lines, rows)


def main_rows(lines: Lines, model: LineModel) -> Int64Array:
    """Return the indices of the main text's lines, in order; at least one for a page with lines."""
    if not len(lines):
        return np.zeros(0, dtype=np.int64)
    return _main_rows(
        line_probabilities(lines, model),
        lines.chars,
        lines.link_chars,
        float(model.threshold),
        float(model.not_text),
        float(model.other_run),
    )


def line_probabilities(lines: Lines, model: LineModel) -> Float64Array:
    """Return the probability that each line is main text; shape (lines,), in [0, 1]."""
    said = inherited(lines.blocks, _kind_bits() @ model.block_weights)
    return _probabilities(line_features(lines), model.line_weights, said, lines.block)


def line_features(lines: Lines) -> Float64Array:
    """Return LINE_FEATURES of each line; shape (lines, features)."""
    return _line_features(
        lines.chars,
        lines.link_chars,
        lines.punctuation,
        _lines_with_frame_words(lines),
        lines.paragraph,
        lines.item,
    )


def inherited(blocks: Blocks, value_of_kinds: Float64Array) -> Float64Array:
    """Return the value of each block with what it inherits from those around it; shape (blocks,).

    Args:
        value_of_kinds: Shape (256,), by the bits of a block's kinds.
    """
    return _inherited(blocks.parents, blocks.kinds, value_of_kinds)


@compiled
def _main_rows(
    probability: Float64Array,
    chars: Int64Array,
    link_chars: Int64Array,
    threshold: float,
    not_text: float,
    other_run: float,
) -> Int64Array:
    """Return the indices of the main text's lines of a page with lines; limits as in LineModel."""
    lines = len(chars)
    likeliest = probability.argmax()
    rows = np.empty(lines, dtype=np.int64)
    kept = 0
    if probability[likeliest] < not_text:
        # No line looks like prose: a list of goods, a portal. Keep all except the navigation.
        for row in range(lines):
            if link_chars[row] < chars[row] / 2:
                rows[kept] = row
                kept += 1
        if kept == 0:
            rows[0] = likeliest
            kept = 1
        return rows[:kept]
    threshold *= probability[likeliest]
    gains = np.empty(lines, dtype=np.float64)
    for row in range(lines):
        weight = math.sqrt(max(chars[row], _MIN_LINE_CHARS))
        gains[row] = (probability[row] - threshold) * weight
    firsts, ends, sums = scoring_runs(gains)
    least = other_run * sums.max()
    likely = min(not_text, threshold)
    for run in range(len(sums)):
        if sums[run] >= least:
            for row in range(firsts[run], ends[run]):
                if probability[row] >= likely:
                    rows[kept] = row
                    kept += 1
    return rows[:kept]


@compiled
def _probabilities(
    features: Float64Array, weights: Float64Array, value_of_blocks: Float64Array, block: Int64Array
) -> Float64Array:
    """The logistic function of each line's score."""
    probability = np.empty(len(block), dtype=np.float64)
    for row in range(len(block)):
        score = 0.0
        for feature in range(len(weights)):
            score += features[row, feature] * weights[feature]
        score += value_of_blocks[block[row]]
        probability[row] = 1.0 / (1.0 + math.exp(-score))
    return probability


@compiled
def _line_features(
    chars: Int64Array,
    link_chars: Int64Array,
    punctuation: Int64Array,
    framed: BoolArray,
    paragraph: BoolArray,
    item: BoolArray,
) -> Float64Array:
    """LINE_FEATURES of each line, in their order."""
    lines = len(chars)
    features = np.empty((lines, _FEATURES), dtype=np.float64)
    prose = np.empty(lines, dtype=np.float64)
    for row in range(lines):
        links = link_chars[row] / chars[row]
        punctuated = 1.0 if punctuation[row] else 0.0
        features[row, 0] = 1.0
        features[row, 1] = links
        features[row, 2] = punctuated
        features[row, 3] = min(punctuation[row], _MUCH_PUNCTUATION) / _MUCH_PUNCTUATION
        features[row, 4] = framed[row]
        features[row, 5] = paragraph[row]
        features[row, 6] = item[row]
        length = min(chars[row], _PROSE_CHARS) / _PROSE_CHARS
        prose[row] = length * (1.0 - links) * punctuated
    for row in range(lines):
        prose_around = links_around = 0.0
        for other in range(max(row - _REACH, 0), min(row + _REACH + 1, lines)):
            if other != row:
                prose_around += prose[other]
                links_around += features[other, 1]
        features[row, 7] = prose_around / _REACH
        features[row, 8] = links_around / _REACH
    return features


@compiled
def _inherited(
    parents: Int64Array, kinds: UInt8Array, value_of_kinds: Float64Array
) -> Float64Array:
    """Return each block's own value plus a share of its parent's; parents come first."""
    values = np.empty(len(parents), dtype=np.float64)
    values[0] = value_of_kinds[kinds[0]]
    for block in range(1, len(parents)):
        values[block] = value_of_kinds[kinds[block]] + _INHERITED * values[parents[block]]
    return values


@compiled
def scoring_runs(gains: Float64Array) -> tuple[Int64Array, Int64Array, Float64Array]:
    """First, end and sum of each maximal scoring run, in order: three arrays, shape (runs,).

    Source:
        Ruzzo and Tompa (ISMB 1999), in linear time.
    """
    # Of each candidate: first, end, the last candidate before it that began lower; the sum of all
    # gains before it, and with it.
    firsts, ends, lowers = np.empty((3, len(gains)), dtype=np.int64)
    sums_before, sums_with = np.empty((2, len(gains)), dtype=np.float64)
    found = 0
    total = 0.0
    for row in range(len(gains)):
        before = total
        total += gains[row]
        if gains[row] <= 0:
            continue
        first, lower = row, found - 1
        while True:
            while lower >= 0 and sums_before[lower] >= before:
                lower = lowers[lower]
            if lower < 0 or sums_with[lower] >= total:
                break
            first, before = firsts[lower], sums_before[lower]
            found = lower
            lower = lowers[lower]
        firsts[found], ends[found], lowers[found] = first, row + 1, lower
        sums_before[found], sums_with[found] = before, total
        found += 1
    return firsts[:found], ends[:found], sums_with[:found] - sums_before[:found]


@cache
def _kind_bits() -> Float64Array:
    """Shape (256, kinds): the kinds of each pattern of bits."""
    return (np.arange(256)[:, None] >> np.arange(len(KINDS)) & 1).astype(np.float64)


class _WordTable(NamedTuple):
    """Words by their first characters.

    Attributes:
        firsts: Shape (65536,): by a character's code point the number of the first word that
            begins with it, 0 for none; words with the same first character are adjacent.
        counts: Shape (words + 1,): number of words from this one on with its first character.
        words: Shape (words + 1, bytes): each as UTF-8; number 0 is not a word.
        lengths: Shape (words + 1,): their bytes.
    """

    firsts: UInt8Array
    counts: UInt8Array
    words: UInt8Array
    lengths: Int64Array


@cache
def _frame_words() -> _WordTable:
    """Return the table of the frame words, numbered from one."""
    words = sorted(set(_FRAME_WORDS.split()))
    encoded = [b"", *(word.encode() for word in words)]
    table = np.zeros((len(encoded), max(map(len, encoded))), dtype=np.uint8)
    firsts = np.zeros(1 << 16, dtype=np.uint8)
    counts = np.zeros(len(encoded), dtype=np.uint8)
    for number, word in enumerate(words, 1):
        table[number, : len(encoded[number])] = list(encoded[number])
        firsts[ord(word[0])] = firsts[ord(word[0])] or number
        counts[firsts[ord(word[0])]] += 1
    return _WordTable(firsts, counts, table, np.array([len(word) for word in encoded]))


def _lines_with_frame_words(lines: Lines) -> BoolArray:
    """Return which lines have a frame word near their beginning; shape (lines,)."""
    page = np.frombuffer(lines.page, dtype=np.uint8)
    return _with_words(page, lines.starts, lines.ends, *_frame_words())


@compiled
def _with_words(
    page: UInt8Array,
    starts: Int64Array,
    ends: Int64Array,
    firsts: UInt8Array,
    counts: UInt8Array,
    words: UInt8Array,
    lengths: Int64Array,
) -> BoolArray:
    """Return in which lines a word begins within `_FRAME_BYTES`; shape (lines,)."""
    page = uncounted(page)
    found = np.zeros(len(starts), dtype=np.bool_)
    for row in range(len(starts)):
        end = ends[row]
        at, last = starts[row], min(starts[row] + _FRAME_BYTES, end)
        while at < last and not found[row]:
            begin, code = at, np.int64(page[at])
            at += 1
            if code >= 0xE0:
                at += 2
                if code >= 0xF0:
                    continue
                code = (code & 0x0F) << 12 | (np.int64(page[begin + 1]) & 0x3F) << 6
                code |= np.int64(page[begin + 2]) & 0x3F
            elif code >= 0xC0:
                at += 1
                code = (code & 0x1F) << 6 | (np.int64(page[begin + 1]) & 0x3F)
            first = np.int64(firsts[code])
            if first == 0:
                continue
            for word in range(first, first + counts[first]):
                length = lengths[word]
                place = 0
                while (
                    place < length
                    and begin + place < end
                    and page[begin + place] == words[word, place]
                ):
                    place += 1
                found[row] |= place == length
    return found
