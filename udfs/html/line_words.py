"""Words, digits and repetitions of a page's lines: what tells a line of the frame from the text.

The words of the frame around an article are credits, actions and navigation; those of page kinds
(`udfs.html.page_kinds`) hint at the kind of the page.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import BoolArray, Int16Array, Int64Array, UInt8Array
from udfs.base.jit import compiled, inlined, uncounted
from udfs.html.page_kinds import HINTS, LINE_WORDS
from udfs.html.page_lines import Lines

_FRAME_WORDS = """
    版权 版權 © copyright Copyright ICP 许可证 公网安备 责任编辑 责编 编辑： 免责 声明
    联系我们 关于我们 上一篇 上一页 下一篇 下一页 首页 正文 当前位置 更多 相关阅读 相關 推荐
    推薦 热门 熱門 排行 猜你喜欢 延伸阅读 往期 头条 頭條 阅读原文 分享 举报 登录 登錄 登入
    注册 註冊 关注 收藏 点赞 评论 評論 浏览 回复 来源： 来源: 发布时间 发表于 作者： 作者:
    原标题 打印 字号 转载 轉載 投稿 扫一扫 二维码 下载 客户端 广告
"""
FRAME_WORD = 1
"""Bit of the words of the frame in `LineWords.words`; the bits above are those of `HINTS`."""
PAIR, MOMENT, MORE, ABOUT = (1 << 1 + len(HINTS) + place for place in range(4))
"""Bits of the colon of a name and its value, of words for a time before now, of links from the
beginning of a text to the whole, and of headings above what describes a thing."""
ALL_HINTS = PAIR - 2 * FRAME_WORD
"""The bits of all of `HINTS`."""
_MOMENTS = "小时前 分钟前 天前 刚刚 昨天 前天"
_MORE = "阅读全文 继续阅读 查看全文 阅读更多 查看详情 了解详情 [详细] [详情] [全文] 详细» Read"
_ABOUT = "简介 介绍 剧情 梗概 提要 内容 描述 详情 概要 摘要 说明"
_FRAME_BYTES = 600  # a word further into a line is part of a sentence
_SHORT_CHARS = 40  # longer lines are not compared
_TITLE_CHARS = 4
_SPACE, _ZERO, _NINE = 0x20, 0x30, 0x39
_CHARACTER_BYTES = 3  # of the longest character in a word
_SINGLES, _PAIRS, _PAIR_FACTOR = 1 << 10, 1 << 14, 131
_HASH_FACTOR, _HASH_MASK = 1_000_003, (1 << 40) - 1


class LineWords(NamedTuple):
    """What is found in the first `_FRAME_BYTES` of each line; all of shape (lines,).

    Attributes:
        words: Bits of the words: FRAME_WORD, above it a bit for each of `HINTS`, PAIR, MOMENT,
            MORE, ABOUT.
        digits: Number of digits.
        copies: Other lines with the same characters, digits being equal to one another and spaces
            left out; 0 for a line of more than `_SHORT_CHARS` or `_FRAME_BYTES`.
    """

    words: Int64Array
    digits: Int64Array
    copies: Int64Array


class _WordTable(NamedTuple):
    """Words by their first two characters, those of one character by it alone.

    Attributes:
        singles: Shape (_SINGLES,): by `_place` of a character the number of the first word, 0 for
            none; words with the same place are adjacent.
        pairs: Shape (_PAIRS,): the same by `_place` of two characters.
        counts: Shape (words + 1,): number of words from this one on with its place.
        words: Shape (words + 1, bytes): each as UTF-8; number 0 is not a word.
        lengths: Shape (words + 1,): their bytes.
        bits: Shape (words + 1,): their bits.
    """

    singles: Int16Array
    pairs: Int16Array
    counts: Int16Array
    words: UInt8Array
    lengths: Int64Array
    bits: Int64Array


def line_words(lines: Lines) -> LineWords:
    """Find words, digits and repetitions in the lines of a page."""
    page = np.frombuffer(lines.page, dtype=np.uint8)
    return LineWords(*_line_words(page, lines.starts, lines.ends, lines.chars, *_word_table()))


def words_of(text: bytes) -> int:
    """Return the bits of the words in a text, UTF-8, as those of a line."""
    return int(_words_of(np.frombuffer(text + b"\0", dtype=np.uint8), *_word_table()))


def bits_of_words() -> dict[str, int]:
    """Return the bits of each word."""
    bits = dict.fromkeys(_FRAME_WORDS.split(), FRAME_WORD)
    for place, kind in enumerate(HINTS, 1):
        for word in LINE_WORDS[kind].split():
            bits[word] = bits.get(word, 0) | 1 << place
    bits["："] = PAIR
    for words, bit in ((_MOMENTS, MOMENT), (_MORE, MORE), (_ABOUT, ABOUT)):
        for word in words.split():
            bits[word] = bits.get(word, 0) | bit
    return bits


def lines_in_title(lines: Lines, title: str | None) -> BoolArray:
    """Return which lines of at least `_TITLE_CHARS` are a part of a title; shape (lines,).

    Spaces do not count.
    """
    page = np.frombuffer(lines.page, dtype=np.uint8)
    compact = "".join((title or "").split()).encode("utf-8", "replace")
    return _in_title(
        page, lines.starts, lines.ends, lines.chars, np.frombuffer(compact, dtype=np.uint8)
    )


@cache
def _word_table() -> _WordTable:
    """Return the table of all words, numbered from one."""
    bits = bits_of_words()
    words = sorted(bits, key=lambda word: (len(word) == 1, _place(word), word))
    encoded = [b"", *(word.encode() for word in words)]
    table = np.zeros((len(encoded), max(map(len, encoded))), dtype=np.uint8)
    singles, pairs = np.zeros(_SINGLES, dtype=np.int16), np.zeros(_PAIRS, dtype=np.int16)
    counts = np.zeros(len(encoded), dtype=np.int16)
    for number, word in enumerate(words, 1):
        table[number, : len(encoded[number])] = list(encoded[number])
        firsts = singles if len(word) == 1 else pairs
        firsts[_place(word)] = firsts[_place(word)] or number
        counts[firsts[_place(word)]] += 1
    lengths = np.array([len(word) for word in encoded])
    numbered = np.array([0, *map(bits.__getitem__, words)])
    return _WordTable(singles, pairs, counts, table, lengths, numbered)


def _place(word: str) -> int:
    """Return the place of a word in `singles` or `pairs`."""
    if len(word) == 1:
        return ord(word) & (_SINGLES - 1)
    return (ord(word[0]) * _PAIR_FACTOR ^ ord(word[1])) & (_PAIRS - 1)


@compiled
def _line_words(
    page: UInt8Array,
    starts: Int64Array,
    ends: Int64Array,
    chars: Int64Array,
    singles: Int16Array,
    pairs: Int16Array,
    counts: Int16Array,
    words: UInt8Array,
    lengths: Int64Array,
    bits: Int64Array,
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Return the bits of the words in each line, its digits, and its copies."""
    page, singles, pairs = uncounted(page), uncounted(singles), uncounted(pairs)
    found = np.empty(len(starts), dtype=np.int64)
    digits = np.empty(len(starts), dtype=np.int64)
    hashes = np.empty(len(starts), dtype=np.int64)
    for row in range(len(starts)):
        found[row], digits[row], hashes[row] = _words_between(
            page,
            starts[row],
            ends[row],
            chars[row] <= _SHORT_CHARS,
            singles,
            pairs,
            counts,
            words,
            lengths,
            bits,
        )
    return found, digits, _copies(hashes)


@compiled
def _words_of(
    text: UInt8Array,
    singles: Int16Array,
    pairs: Int16Array,
    counts: Int16Array,
    words: UInt8Array,
    lengths: Int64Array,
    bits: Int64Array,
) -> np.int64:
    """`words_of` of a text with one more byte."""
    text, singles, pairs = uncounted(text), uncounted(singles), uncounted(pairs)
    end = len(text) - 1
    return _words_between(text, 0, end, False, singles, pairs, counts, words, lengths, bits)[0]


@inlined
def _words_between(
    page: UInt8Array,
    start: int,
    end: int,
    is_short: bool,
    singles: Int16Array,
    pairs: Int16Array,
    counts: Int16Array,
    words: UInt8Array,
    lengths: Int64Array,
    bits: Int64Array,
) -> tuple[np.int64, int, np.int64]:
    """Return the bits of the words, the digits, and a hash of the characters of a line.

    The hash is 0 for a line that is not compared.

    Args:
        is_short: Whether the line has at most `_SHORT_CHARS`.
    """
    last = min(start + _FRAME_BYTES, end)  # behind the last place where a word may begin
    stop = min(last + _CHARACTER_BYTES, end)
    is_compared = is_short and last == end
    found, digest, digits = np.int64(0), np.int64(1), 0
    at = begun = start
    before = np.int64(0)  # the last character, which begins at `begun`
    while at < stop:
        begin, code = at, np.int64(page[at])
        at += 1
        if code >= 0xE0:
            at += 2
            if code >= 0xF0:
                before = np.int64(0)
                continue
            code = (code & 0x0F) << 12 | (np.int64(page[begin + 1]) & 0x3F) << 6
            code |= np.int64(page[begin + 2]) & 0x3F
        elif code >= 0xC0:
            at += 1
            code = (code & 0x1F) << 6 | (np.int64(page[begin + 1]) & 0x3F)
        elif _ZERO <= code <= _NINE:
            digits += begin < last
            code = np.int64(_ZERO)
        if is_compared and code > _SPACE:
            digest = (digest * _HASH_FACTOR + code) & _HASH_MASK
        pair = np.int64(pairs[(before * _PAIR_FACTOR ^ code) & (_PAIRS - 1)])
        single = np.int64(singles[code & (_SINGLES - 1)])
        if pair and begun < last:
            found |= _words_at(page, begun, end, pair, counts, words, lengths, bits)
        if single and begin < last:
            found |= _words_at(page, begin, end, single, counts, words, lengths, bits)
        before, begun = code, begin
    return found, digits, digest if is_compared else np.int64(0)


@compiled
def _words_at(
    page: UInt8Array,
    begin: int,
    end: int,
    first: np.int64,
    counts: Int16Array,
    words: UInt8Array,
    lengths: Int64Array,
    bits: Int64Array,
) -> np.int64:
    """Return the bits of those of the words with one place that are at a place of the page."""
    found = np.int64(0)
    for word in range(first, first + counts[first]):
        length = lengths[word]
        place = 0
        while place < length and begin + place < end and page[begin + place] == words[word, place]:
            place += 1
        if place == length:
            found |= bits[word]
    return found


@compiled
def _in_title(
    page: UInt8Array, starts: Int64Array, ends: Int64Array, chars: Int64Array, title: UInt8Array
) -> BoolArray:
    found = np.zeros(len(starts), dtype=np.bool_)
    for row in range(len(starts)):
        if not _TITLE_CHARS <= chars[row] <= len(title):
            continue
        start = starts[row]
        while page[start] <= _SPACE:
            start += 1
        for begin in range(len(title)):
            if title[begin] != page[start]:
                continue
            at, place = start, begin
            while at < ends[row] and (
                page[at] <= _SPACE or (place < len(title) and page[at] == title[place])
            ):
                place += page[at] > _SPACE
                at += 1
            if at == ends[row]:
                found[row] = True
                break
    return found


@compiled
def _copies(hashes: Int64Array) -> Int64Array:
    """Return how many other lines have the hash of each; 0 for hash 0."""
    size = 16
    while size < 2 * len(hashes):
        size *= 2
    keys = np.zeros(size, dtype=np.int64)
    counts = np.zeros(size, dtype=np.int64)
    places = np.empty(len(hashes), dtype=np.int64)
    for row in range(len(hashes)):
        key = hashes[row]
        if key == 0:
            continue
        place = (key ^ key >> 17) & (size - 1)
        while keys[place] != 0 and keys[place] != key:
            place = (place + 1) & (size - 1)
        keys[place] = key
        counts[place] += 1
        places[row] = place
    copies = np.zeros(len(hashes), dtype=np.int64)
    for row in range(len(hashes)):
        if hashes[row] != 0:
            copies[row] = counts[places[row]] - 1
    return copies
