"""Words and token lines as lists of strings: the plain twin of udfs/tokens/tokenizer.py."""

from __future__ import annotations

import re

import numpy as np

from udfs.tokens.segment import MAX_CHARS, SIGNED_WORDS, STOP_WORDS, word_lengths

# rjieba returns a run such as "v.qq.com" or "2021-04-08" as one word; jieba cuts it up.
_MIXED_RUN = re.compile(r"[A-Za-z0-9+#&._%\-]+")
_RUN_PIECES = re.compile(r"[A-Za-z0-9]+(?:\.[0-9]+)?%?|[^A-Za-z0-9]+")

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
    lengths, _ = word_lengths([text], "rjieba")
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
