"""The lengths of the words of texts, by the segmenter that is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import rjieba

from udfs.code_points import CodePoints, encode_texts
from udfs.compiled import compiled
from udfs.cut_words import cut_words
from udfs.jieba_data import jieba_data

WordSegmenter = Literal["rjieba", "jieba"]

Lengths = npt.NDArray[np.int32]


def word_lengths(texts: Sequence[str], segmenter: WordSegmenter) -> list[Lengths]:
    """The code points of each word of each text.

    For ``rjieba`` runs such as ``v.qq.com`` may be whole, as `udfs.segment.segment` finds them
    before it cuts them up. Its cut is done here, compiled, by jieba's dictionary, which gives the
    same words in half the time; rare ideographs, which both take otherwise, are left to rjieba.

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
