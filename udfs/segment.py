"""Chinese word segmentation that gives jieba's words, and the token line that fastText reads.

One function serves training and scoring, so that a model never meets words it was not trained on.
"""

from __future__ import annotations

import re

import numpy as np

from udfs import code_versions
from udfs.word_cuts import word_lengths

VERSION = code_versions.SEGMENTATION
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
