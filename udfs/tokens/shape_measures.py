"""The shape of a page's text: its lines, signs, repetition and tell-tale words.

Raw crawl pages differ from prose in shape more than in words: menus are short lines without a sign
at the end, stuffed pages repeat themselves, spun prose has other shares of particles and stops. The
word lists are written for this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from udfs.base.array_types import (
    BoolArray,
    Float64Array,
    Int32Array,
    Int64Array,
    UInt16Array,
    UInt32Array,
    UInt64Array,
)
from udfs.base.code_points import CODE_POINTS, EncodedTexts, encode_texts
from udfs.base.hash_table import ABSENT
from udfs.base.jit import compiled, uncounted
from udfs.base.language import FUNCTION_CHARS
from udfs.base.word_trie import WordTrie, longest_word, pair_place, word_trie

_GAMBLING = """
博彩 彩票 六合彩 六合 时时彩 娱乐城 赌场 赌博 赌球 百家乐 老虎机 投注 下注 开奖 特码 平特 一肖
生肖 澳门 葡京 真人 现金网 棋牌 北京赛车 赛车pk10 pk10 PK10 快三 快3 返水 反水 注册送 送彩金
彩金 赔率 盘口 太阳城 威尼斯人 心水 码报 玄机 马会 白小姐 曾道人 铁算盘 捕鱼 轮盘 牌九 扑克
德州扑克 双色球 大乐透 福彩 体彩 走势图 高手论坛 永利 金沙 明升 必发 博狗 博弈 娱乐平台 娱乐官网
国际娱乐 线上娱乐 娱乐场 娱乐 赌 下分 时时乐 斗地主 老千 出千 庄家 赢钱 皇冠 利来 优德 龙虎 大发
彩民 中奖 号码 期号 胆码
"""

_PORN = """
色情 成人 情色 黄色 三级片 三级 A片 a片 AV av 裸体 裸照 做爱 性爱 乱伦 强奸 轮奸 淫 骚 鸡巴 肉棒
阴道 口交 偷拍 自拍 激情 诱惑 丝袜 制服 人妻 少妇 熟女 美女 撸 色图 艳照 艳星 伦理 快播 qvod
先锋影音 吉吉影音 无码 有码 番号 迅雷下载 五月天 丁香 一夜情 约炮 援交 裸聊 小姐 性感 巨乳 乳房
走光 露点 春药 催情 性交 黄片 毛片 撸管 色色 亚洲 欧美 俺去也 爽 调教 痴汉 处女
"""

_GAME = """
私服 传奇 外挂 发布网 开服 复古 合击 变态版 单职业 刷级 元宝 辅助 破解版 无限 刷钻 加速器
"""

_SEO = """
网站地图 友情链接 热门搜索 热搜 相关搜索 猜你喜欢 大家都在搜 关键词 关键字 最新更新 排行榜
点击排行 热门文章 随机推荐 相关阅读 收录 外链 SEO seo 下载站 免费下载 在线观看 在线播放 高清
全集 官网 官方网站 官方 大全 哪里有 多少钱 哪家好 哪里 怎么样 图片 视频 点击进入 最新网址
备用网址 信誉 好评 免费 种子
"""

_SHOP = """
购物车 加入收藏 设为首页 立即购买 询价 报价 供应 求购 批发 厂家 型号 规格 产品分类 产品中心
产品展示 联系电话 在线留言 在线客服 传真 QQ 公司简介 加盟 招商 库存 商品 店铺 包邮 热线 联系我们
人才招聘 招聘 会员 免费注册 价格 有限公司
"""

_ERROR = """
404 403 500 错误 找不到 无法找到 未找到 不存在 已删除 已被删除 拒绝 权限 未授权 服务器 提示信息
登录 登陆 注册 验证码 用户名 密码 跳转 返回首页 维护 过期 备案 尚未 关闭 暂停 Error error
Forbidden 域名 访问的页面 浏览器 页面
"""

_PLAIN = """
记者 报道 表示 认为 指出 说道 因此 但是 如果 由于 可以 我们 他们 自己 已经 没有 所以 虽然 不过
就是 这个 那个 这样 什么 通过 进行 研究 主要 其中 以及 根据 需要 问题 发展 而且 并且 不仅 一些
一种 之后 时候 现在 开始 然后 其实 还是 可能 应该 为了 觉得 知道 不是 这些 那么 因为
"""

_FOOT = """
版权所有 Copyright copyright ICP备 京ICP 粤ICP 沪ICP 免责声明 站长统计 技术支持 公网安备 上一篇
下一篇 当前位置 您的位置 返回顶部
"""

WORDS = {
    "gambling": _GAMBLING.split(),
    "porn": _PORN.split(),
    "game": _GAME.split(),
    "seo": _SEO.split(),
    "shop": _SHOP.split(),
    "error": _ERROR.split(),
    "plain": _PLAIN.split(),
    "foot": _FOOT.split(),
}
"""Category -> its words."""

CATEGORIES = tuple(WORDS)
SPAM = (0, 1, 2)
"""Numbers of the categories that taint a line of prose."""


NAMES = (
    "chars",
    "longest_line",
    "long_prose_chars",
    "clean_prose_chars",
    "clean_prose_share",
    "prose_sentences",
    "prose_function_share",
    "prose_comma_share",
    "prose_stop_share",
    "prose_variety",
    "prose_top_window",
    "prose_repeats_share",
    "function_share",
    "mark_share",
    "han_share",
    "bar_share",
    "rare_share",
    "open_lines_share",
    "short_lines_share",
    "lines_before_prose_share",
    *(f"{name}_words" for name in CATEGORIES),
)
"""The measures, in the order of the columns.

A line is one that is not blank, without white space around it; prose is a line of 30 characters or
more with two marks of a sentence, and one in 60 characters. clean_prose is prose without a word of
a spam category; prose_variety the different characters of prose, those beyond U+FFFF left out, by
the square root of its length; prose_top_window how often its most frequent five characters in a row
come, and prose_repeats_share the share of such windows that have come before. function_share,
mark_share, han_share and bar_share are of all characters, rare_share of ideographs, shares of lines
of lines, others of prose; X_words counts the different words of a category."""

PROSE_CHARS = 30
LONG_PROSE_CHARS = 80

_SHORT_CHARS = 6
_CHARS_A_MARK = 60
_SENTENCE_CHARS = (8, 120)
_WINDOW = 5
_KEY_BITS = 13  # five characters fill the 64 bits of a window's key; a sixth is out of it
_TABLE_BITS = 15
_MOST_TRIES = 64
_OF_WORDS = len(NAMES) - len(CATEGORIES)

_HAN, SPACE, _FUNCTION, _MARK, _END, _BAR, _RARE, _BEGIN, _ALONE = (1 << bit for bit in range(9))
_MARKS = "。，、；：！？“”…,;!?"
_ENDS = "。！？!?…”；"
_BARS = "|｜>»·_-【】[]"
_COMMA, _STOP = ord("，"), ord("。")


# Sums over a text, of which measures are made.
(
    _LINES, _LONGEST, _OPENED, _SHORT, _HANS, _MARKS_COUNT, _FUNCTIONS, _BAR_COUNT, _RARES,
    _BEFORE_PROSE, _PROSE, _LONG_PROSE, _CLEAN, _PROSE_FUNCTIONS, _PROSE_COMMAS, _PROSE_STOPS,
    _SENTENCES, _VARIETY, _WINDOWS, _REPEATS, _TOP,
) = range(21)  # fmt: skip
_SUMS = 21


class _Words(NamedTuple):
    """The tell-tale words, for compiled functions: a trie (see `WordTrie`) and categories."""

    keys: UInt64Array
    nodes: Int32Array
    words: Int64Array
    begins: BoolArray
    step: int
    kinds: Int64Array
    """Number of the category of each word."""
    is_of_spam: BoolArray
    """Whether that taints a line of prose."""


def shape_measures(texts: Sequence[str]) -> Float64Array:
    """The measures of some texts, shape (texts, len(NAMES)); all 0 for a blank text.

    Args:
        texts: Pages as text, a line for each block.
    """
    return measures_of(encode_texts(texts))


def measures_of(encoded: EncodedTexts) -> Float64Array:
    """The same of texts that are code points already."""
    trie, kinds = _trie()
    table = np.zeros((len(encoded.lengths), len(NAMES)), dtype=np.float64)
    words = _Words(
        trie.keys, trie.nodes, trie.words, trie.begins, CODE_POINTS, kinds, np.isin(kinds, SPAM)
    )
    _measure(encoded.codes, encoded.starts, encoded.stops, character_bits(), words, table)
    return table


@lru_cache(maxsize=1)
def character_bits() -> UInt16Array:
    """Code point -> what it is; SPACE is all white space, and U+0000, but the line feed."""
    bits = np.zeros(CODE_POINTS, dtype=np.uint16)
    bits[0x4E00:0xA000] |= _HAN | _RARE
    for high in range(0xB0, 0xD8):  # GB 2312 begins with its 3,755 common characters
        row = bytes(byte for low in range(0xA1, 0xFF) for byte in (high, low))
        bits[[ord(char) for char in row.decode("gb2312", "ignore")]] = _HAN
    spaces = "\0" + "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
    for chars, bit in (
        (spaces.replace("\n", ""), SPACE),
        (FUNCTION_CHARS, _FUNCTION),
        (_MARKS, _MARK),
        (_ENDS, _END),
        (_BARS, _BAR),
        ([word[0] for words in WORDS.values() for word in words], _BEGIN),
        ([word for words in WORDS.values() for word in words if len(word) == 1], _ALONE),
    ):
        bits[[ord(char) for char in chars]] |= bit
    return bits


@lru_cache(maxsize=1)
def _trie() -> tuple[WordTrie, Int64Array]:
    """All words, and the number of the category of each."""
    kinds = [kind for kind, words in enumerate(WORDS.values()) for _ in words]
    trie = word_trie([word for words in WORDS.values() for word in words])
    return trie, np.array(kinds, dtype=np.int64)


@compiled
def _measure(
    codes: UInt32Array,
    starts: Int64Array,
    stops: Int64Array,
    bits: UInt16Array,
    words: _Words,
    table: Float64Array,
) -> None:
    """Fill a table of measures."""
    words = _Words(  # borrowed from the caller: else every line counts references
        uncounted(words.keys),
        uncounted(words.nodes),
        uncounted(words.words),
        uncounted(words.begins),
        words.step,
        uncounted(words.kinds),
        uncounted(words.is_of_spam),
    )
    seen_words = np.full(len(words.kinds), -1, dtype=np.int32)
    seen_chars = np.full(0x10000, -1, dtype=np.int32)
    keys = np.zeros(1 << _TABLE_BITS, dtype=np.uint64)
    owners = np.full(1 << _TABLE_BITS, -1, dtype=np.int32)
    tallies = np.zeros(1 << _TABLE_BITS, dtype=np.int32)
    sums = np.zeros(_SUMS, dtype=np.int64)
    for text in range(len(starts)):
        stop = stops[text]
        row = table[text]
        sums[:] = 0
        used_bits = 4  # a short text's part of the table stays in the processor's cache
        while used_bits < _TABLE_BITS and (1 << used_bits) < 2 * (stop - starts[text]):
            used_bits += 1
        at = starts[text]
        while at < stop:
            at, left, right = _measure_line(
                codes, at, stop, bits, words, text, seen_words, row, sums
            )
            if right > left:
                _measure_prose(
                    codes, left, right, bits, text, used_bits, seen_chars, keys, owners, tallies,
                    sums,
                )  # fmt: skip
        if sums[_LINES] > 0:
            _fill_row(row, sums, float(stop - starts[text]))


@compiled
def _measure_line(
    codes: UInt32Array,
    at: int,
    stop: int,
    bits: UInt16Array,
    words: _Words,
    text: int,
    seen_words: Int32Array,
    row: Float64Array,
    sums: Int64Array,
) -> tuple[int, int, int]:
    """Add a line to the sums of its text, and its words to the row.

    Returns:
        Where the next line begins; and, of a line of prose, its first character and the one behind
        its last, white space around it left out: equal for other lines.
    """
    left = at
    right = at  # behind the last character that is not white space
    is_spam = False
    behind_word = at
    han = marks = function = commas = full_stops = bars = rare = 0
    while at < stop and codes[at] != 10:
        code = codes[at]
        what = bits[code]
        if what & SPACE:
            left += left == at
            at += 1
            continue
        if what & _HAN:
            han += 1
            function += (what & _FUNCTION) != 0
            rare += (what & _RARE) != 0
        elif what & _MARK:
            marks += 1
            commas += code == _COMMA
            full_stops += code == _STOP
        elif what & _BAR:
            bars += 1
        if (what & _BEGIN and at >= behind_word) and (
            what & _ALONE or (at + 1 < stop and words.begins[pair_place(code, codes[at + 1])])
        ):
            word, length = longest_word(
                codes, at, stop, words.keys, words.nodes, words.words, words.step
            )
            if word != ABSENT:
                behind_word = at + length
                is_spam |= words.is_of_spam[word]
                if seen_words[word] != text:
                    seen_words[word] = text
                    row[_OF_WORDS + words.kinds[word]] += 1
        at += 1
        right = at
    length = right - left
    if length <= 0:
        return at + 1, left, left
    sums[_LINES] += 1
    sums[_LONGEST] = max(sums[_LONGEST], length)
    sums[_OPENED] += (bits[codes[right - 1]] & _END) == 0
    sums[_SHORT] += length <= _SHORT_CHARS
    sums[_HANS] += han
    sums[_MARKS_COUNT] += marks
    sums[_FUNCTIONS] += function
    sums[_BAR_COUNT] += bars
    sums[_RARES] += rare
    if length < PROSE_CHARS or marks < max(2, length / _CHARS_A_MARK):
        sums[_BEFORE_PROSE] += sums[_PROSE] == 0
        return at + 1, left, left
    sums[_PROSE] += length
    sums[_LONG_PROSE] += length * (length >= LONG_PROSE_CHARS)
    sums[_CLEAN] += length * (not is_spam)
    sums[_PROSE_FUNCTIONS] += function
    sums[_PROSE_COMMAS] += commas
    sums[_PROSE_STOPS] += full_stops
    return at + 1, left, right


@compiled
def _measure_prose(
    codes: UInt32Array,
    left: int,
    right: int,
    bits: UInt16Array,
    text: int,
    used_bits: int,
    seen_chars: Int32Array,
    keys: UInt64Array,
    owners: Int32Array,
    tallies: Int32Array,
    sums: Int64Array,
) -> None:
    """Add the sentences, characters and windows of a line of prose to the sums of its text.

    Windows are counted in a part of a table of 1 << used_bits places: keys, owners (the text that
    uses a place) and tallies. It is bounded: after _MOST_TRIES places a window takes the last one.
    """
    sentence = sentences = variety = repeats = top = 0
    key = np.uint64(0)
    for place in range(left, right):
        code = codes[place]
        if code < 0x10000 and seen_chars[code] != text:
            seen_chars[code] = text
            variety += 1
        sentence += 1
        if bits[code] & _END:
            sentences += _SENTENCE_CHARS[0] <= sentence <= _SENTENCE_CHARS[1]
            sentence = 0
        key = (key << np.uint64(_KEY_BITS)) ^ np.uint64(code)
        if place < left + _WINDOW - 1:
            continue
        mixed = key * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64(mixed >> np.uint64(64 - used_bits))
        tries = 0
        while owners[slot] == text and keys[slot] != key and tries < _MOST_TRIES:
            slot = (slot + 1) & ((1 << used_bits) - 1)
            tries += 1
        if owners[slot] != text or keys[slot] != key:
            owners[slot], keys[slot], tallies[slot] = text, key, 0
        repeats += tallies[slot] > 0
        tallies[slot] += 1
        top = max(top, tallies[slot])
    sums[_SENTENCES] += sentences
    sums[_VARIETY] += variety
    sums[_WINDOWS] += right - left - _WINDOW + 1
    sums[_REPEATS] += repeats
    sums[_TOP] = max(sums[_TOP], top)


@compiled
def _fill_row(row: Float64Array, sums: Int64Array, total: float) -> None:
    """The measures of a text of some characters, but those of words."""
    lines, of_prose = sums[_LINES], float(max(1, sums[_PROSE]))
    row[0] = total
    row[1] = sums[_LONGEST]
    row[2] = sums[_LONG_PROSE]
    row[3] = sums[_CLEAN]
    row[4] = sums[_CLEAN] / total
    row[5] = sums[_SENTENCES]
    row[6] = sums[_PROSE_FUNCTIONS] / of_prose
    row[7] = sums[_PROSE_COMMAS] / of_prose
    row[8] = sums[_PROSE_STOPS] / of_prose
    row[9] = sums[_VARIETY] / np.sqrt(of_prose)
    row[10] = sums[_TOP]
    row[11] = sums[_REPEATS] / float(max(1, sums[_WINDOWS]))
    row[12] = sums[_FUNCTIONS] / total
    row[13] = sums[_MARKS_COUNT] / total
    row[14] = sums[_HANS] / total
    row[15] = sums[_BAR_COUNT] / total
    row[16] = sums[_RARES] / float(max(1, sums[_HANS]))
    row[17] = sums[_OPENED] / lines
    row[18] = sums[_SHORT] / lines
    row[19] = sums[_BEFORE_PROSE] / lines
