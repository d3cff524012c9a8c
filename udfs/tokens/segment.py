"""Chinese word segmentation with jieba's words, and the stop words of token lines.

Training and scoring use the same functions, so that a model never meets words that it was not
trained on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import rjieba

from udfs.base import model_constants
from udfs.base.array_types import BoolArray, Int32Array, Int64Array, UInt32Array
from udfs.base.code_points import encode_texts
from udfs.base.jit import compiled
from udfs.tokens.cut_words import cut_words
from udfs.tokens.jieba_data import jieba_data

WordSegmenter = Literal["rjieba", "jieba"]

VERSION = model_constants.SEGMENTATION
"""Version of the words, of the stop words, and of MAX_CHARS. Models name it in
``needs = {segmentation = "==1"}`` and are rejected with another one. A change that gives any text
other tokens takes a new version, and new models."""

MAX_CHARS = 20_000
"""Leading characters of a document that are segmented: 5 ms at most; labels do not change after."""

SIGNED_WORDS = frozenset({"AT&T", "C#", "C++", "c#", "c++"})
"""Words of the dictionary that jieba.cut keeps whole although they contain signs."""

_FUNCTION_WORDS = """
一个 一些 一样 一种 一直 一般 一定 一下 一点 一起 一旦 一方面 一切 一边 两个 几个
这个 那个 这些 那些 这样 那样 这种 那种 这里 那里 这么 那么 这是 那是 此外 其中
其他 其它 其实 其余 某些 某个 各种 各个 各自 有些 有的 有关 所有 所以 所谓 任何
每个 每次 许多 很多 多少 我们 你们 他们 她们 它们 咱们 大家 自己 别人 人家 什么
怎么 怎样 如何 为何 为什么 哪些 哪个 哪里 多么 可以 可能 能够 可是 应该 应当 必须
不能 不会 不要 不得 不用 不可 不同 不仅 不但 不过 不管 不论 不如 不是 不只 没有
并不 并且 并非 并未 而且 而是 而言 或者 或是 还是 还有 还要 以及 以上 以下 以后
以前 以来 以便 以免 之后 之前 之间 之一 之中 之类 然后 然而 随后 接着 但是 但凡
只是 只要 只有 只能 除了 除非 因为 因此 因而 由于 由此 于是 从而 从此 既然 既是
即使 即便 虽然 虽说 尽管 如果 如此 假如 倘若 要是 若是 无论 甚至 何况 况且 否则
通过 根据 按照 依照 关于 对于 至于 鉴于 基于 为了 作为 成为 由此可见 与其 以至
已经 曾经 正在 刚刚 仍然 依然 非常 十分 特别 比较 更加 越来越 就是 就要 就会 也是
也许 也会 都是 都会 又是 还会 会有 总是 的话 似乎 大约 大概 左右 同时 同样 另外
此时 当时 有时 时候 的时候 目前 现在 那时 现时 今后 方面 之外 以外 以内 部分 出来
起来 下来 下去 过来 过去 上来 进行 使得 得到 觉得 认为 表示 具有 属于 只不过 是否
是不是 有没有 能不能 等等 例如 比如 譬如 诸如 即可
"""

_SIGNS = "-- --- ---- ----- .. ... .... ..... ...... __ ___ ____ ## ### ++ && %%"

STOP_WORDS = frozenset(_FUNCTION_WORDS.split()) | frozenset(_SIGNS.split())
"""Words of two or more characters that say nothing about a text's subject or quality."""


def word_lengths(texts: Sequence[str], segmenter: WordSegmenter) -> tuple[Int32Array, Int64Array]:
    """Cut texts into words.

    Args:
        texts: Without lone surrogates.
        segmenter: ``rjieba`` gives jieba's words, but runs such as ``v.qq.com`` whole
            (`cut_tokens` splits them): cut here, compiled, by jieba's dictionary, in half of
            rjieba's time; only texts with rare ideographs go to rjieba itself, which keeps runs of
            them whole. ``jieba`` is that library.
    Returns:
        The code points of each word, shape (words,); and the first word of each text, and the
        number of all words last, shape (texts + 1,).
    """
    if segmenter == "jieba":
        return joined_lengths([_lengths_of(_jieba()(text)) for text in texts])
    encoded = encode_texts(texts)
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), encoded.stops])
    words, starts = cut_words(encoded.codes, bounds, *jieba_data())
    rare = np.flatnonzero(_has_rare(encoded.codes, bounds)).tolist()
    if not rare:
        return words, starts
    lengths = np.split(words, starts[1:-1])
    for number in rare:
        lengths[number] = _lengths_of(rjieba.cut(texts[number]))
    return joined_lengths(lengths)


def joined_lengths(lengths: Sequence[Int32Array]) -> tuple[Int32Array, Int64Array]:
    """The lengths of words of each text end to end, as `word_lengths` returns them."""
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum([len(of_text) for of_text in lengths], out=bounds[1:])
    return np.concatenate([np.empty(0, dtype=np.int32), *lengths]), bounds


def _lengths_of(words: Sequence[str]) -> Int32Array:
    return np.fromiter(map(len, words), dtype=np.int32, count=len(words))


@compiled
def _has_rare(codes: UInt32Array, bounds: Int64Array) -> BoolArray:
    """Which texts have ideographs outside of jieba's words, shape (texts,)."""
    flags = np.zeros(len(bounds) - 1, dtype=np.bool_)
    for text in range(len(flags)):
        for at in range(bounds[text], bounds[text + 1]):
            code = codes[at]
            if code >= 0x3400 and (
                code <= 0x4DBF or 0x9FD6 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF
                or code >= 0x20000
            ):  # fmt: skip
                flags[text] = True
    return flags


@functools.lru_cache(maxsize=1)
def _jieba() -> Callable[[str], list[str]]:
    """jieba's own cut, with its dictionary read in this process.

    jieba itself caches the dictionary in a folder that others may write to, and reads it back with
    marshal.
    """
    import jieba  # slow

    tokeniser: Any = jieba.Tokenizer()
    tokeniser.FREQ, tokeniser.total = tokeniser.gen_pfdict(tokeniser.get_dict_file())
    tokeniser.initialized = True
    cut: Callable[[str], list[str]] = tokeniser.lcut
    return cut
