"""The measures that the published script's decisions need, without any other.

Mode casia-exact stores these alone: they take a fifth of the time of all measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.base.characters import CASIA_HAN_RANGE
from udfs.base.chinese_script import casia_conversion
from udfs.base.code_points import EncodedTexts
from udfs.lists.lexicon import Lexicon
from udfs.lists.word_counts import count_words
from udfs.measures.repetition import window_shares


def casia_columns(
    chunks: Sequence[tuple[Sequence[str], EncodedTexts]], lexicon: Lexicon
) -> dict[str, Any]:
    """Measure texts as ChineseWebText's script does for its four rules.

    One measure after the other: each has tables that the others push out of the cache.

    Args:
        chunks: Documents and their code points, in chunks that stay in the cache.
        lexicon: The sensitive words.
    Returns:
        Those fields of TEXT_MEASURES_TYPE that the script compares with a limit or divides by, an
        array of shape (texts,) each.
    Source:
        ChineseWebText 2.0's script.
    """
    columns: dict[str, list[npt.NDArray[Any]]] = {
        "chars": [encoded.lengths for _, encoded in chunks],
        "lines": [encoded.counts_of(encoded.codes == ord("\n")) + 1 for _, encoded in chunks],
        "casia_han_share": [_han_shares(encoded) for _, encoded in chunks],
        "casia_traditional": [casia_conversion().changes(*chunk) for chunk in chunks],
        "casia_dup_13gram_share": [window_shares(*chunk).casia for chunk in chunks],
        "sensitive_distinct": [
            np.bincount(count_words(lexicon, encoded).texts, minlength=len(texts))
            for texts, encoded in chunks
        ],
    }
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _han_shares(encoded: EncodedTexts) -> npt.NDArray[np.float64]:
    first, last = CASIA_HAN_RANGE
    # One comparison: what is below the range wraps around to a large number.
    is_han = (encoded.codes - np.uint32(first)) <= np.uint32(last - first)
    shares: npt.NDArray[np.float64] = encoded.counts_of(is_han) / np.maximum(encoded.lengths, 1)
    return shares
