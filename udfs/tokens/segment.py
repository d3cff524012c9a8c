"""The lengths of the words of texts, by the segmenter that is asked for.

Chinese word segmentation that gives jieba's words, and the token line that fastText reads.

One function serves training and scoring, so that a model never meets words it was not trained on.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rjieba

from udfs.base import model_constants
from udfs.base.code_points import CodePoints, encode_texts
from udfs.base.jit import compiled
from udfs.tokens.cut_words import cut_words
from udfs.tokens.jieba_data import jieba_data

WordSegmenter = Literal["rjieba", "jieba"]

Lengths = npt.NDArray[np.int32]


def word_lengths(texts: Sequence[str], segmenter: WordSegmenter) -> list[Lengths]:
    """The code points of each word of each text.

    For ``rjieba`` runs such as ``v.qq.com`` may be whole, as `udfs.tokens.segment.segment` finds
    them before it cuts them up. Its cut is done here, compiled, by jieba's dictionary, which gives
    the same words in half the time; rare ideographs, which both take otherwise, are left to rjieba.

    Args:
        texts: Without lone surrogates.
        segmenter: ``jieba`` is that library itself.
    """
    if segmenter == "jieba":
        return [_lengths_of(_jieba()(text)) for text in texts]
    encoded = encode_texts(texts)
    bounds = np.concatenate([np.zeros(1, dtype=np.int64), encoded.stops])
    words, starts = cut_words(encoded.codes, bounds, *jieba_data())
    places = starts.tolist()
    has_rare = _has_rare(encoded.codes, bounds).tolist()
    return [
        _lengths_of(rjieba.cut(text)) if is_rare else words[places[number] : places[number + 1]]
        for number, (text, is_rare) in enumerate(zip(texts, has_rare, strict=True))
    ]


def _lengths_of(words: Sequence[str]) -> Lengths:
    return np.fromiter(map(len, words), dtype=np.int32, count=len(words))


@compiled
def _has_rare(codes: CodePoints, bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which texts have ideographs that are in no word of jieba's."""
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
    """jieba's own cut, its dictionary read in this process.

    jieba would leave a cache in a folder that anybody may write to, and read it back with marshal.
    """
    import jieba  # takes its time

    tokeniser: Any = jieba.Tokenizer()
    tokeniser.FREQ, tokeniser.total = tokeniser.gen_pfdict(tokeniser.get_dict_file())
    tokeniser.initialized = True
    cut: Callable[[str], list[str]] = tokeniser.lcut
    return cut


VERSION = model_constants.SEGMENTATION
"""Version of the token lines that this file makes: of the words, of the stop words, and of how much
is cut. Models name it in ``needs = {segmentation = "==1"}``; with another one they are not used. A
change that gives some text another line takes a new version, and new models."""

MAX_CHARS = 20_000
"""Characters of a document that are segmented: 5 ms at most, and labels settle long before."""

SIGNED_WORDS = frozenset({"AT&T", "C#", "C++", "c#", "c++"})
"""Words of the dictionary that jieba.cut keeps whole although they carry signs."""

# rjieba returns a run such as "v.qq.com" or "2021-04-08" as one word; jieba cuts it up.
_MIXED_RUN = re.compile(r"[A-Za-z0-9+#&._%\-]+")
_RUN_PIECES = re.compile(r"[A-Za-z0-9]+(?:\.[0-9]+)?%?|[^A-Za-z0-9]+")

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

# "\r\n" is the only word of two characters made of white space.
_DROPPED = STOP_WORDS | {"\r\n"}


def segment(text: str) -> list[str]:
    """Cut a text into words, as ``jieba.cut`` 0.42.1 does with its HMM.

    Runs of rare Han characters (extension blocks) stay one word where jieba gives single
    characters. A lone surrogate becomes a question mark.

    Args:
        text: Any text; all of it is cut.
    Returns:
        Words whose concatenation is the text.

    >>> segment("2021-04-08发布")
    ['2021', '-', '04', '-', '08', '发布']
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    (lengths,) = word_lengths([text], "rjieba")
    ends = np.cumsum(lengths).tolist()
    cut: list[str] = []
    for begin, end in zip([0, *ends], ends, strict=False):
        word = text[begin:end]
        # The cheap tests come first: a handful of a document's words reach the last one.
        if len(word) > 1 and word.isascii() and not word.isalnum():
            cut.extend(pieces_of(word))
        else:
            cut.append(word)
    return cut


def tokens_for_fasttext(text: str, max_chars: int = MAX_CHARS) -> str:
    """The words of a text that fastText reads: one line, words parted by one space.

    Words of one character and stop words are left out. A text in the shape of fastText's label
    marker comes out in pieces, so that no document can label itself.

    Args:
        text: One document.
        max_chars: Only this many leading characters are cut.
    Returns:
        A line without line breaks; empty where nothing is left.
    Source:
        ChineseWebText 1.0, FastText student (jieba, stop words and single characters removed).

    >>> tokens_for_fasttext("数学是一门基础的科学。")
    '数学 一门 基础 科学'
    """
    return " ".join(
        [word for word in segment(text[:max_chars]) if len(word) > 1 and word not in _DROPPED]
    )


def pieces_of(word: str) -> list[str]:
    """A word of rjieba's as jieba has it: a run such as ``v.qq.com`` cut up."""
    if word in SIGNED_WORDS or not _MIXED_RUN.fullmatch(word):
        return [word]
    return _RUN_PIECES.findall(word)
