"""ChineseWebText's four rules as its script decides them, without keeping any measure.

The pipeline decides from stored measures (``jobs.transforms.rules``); this is for whoever
wants the published decision alone, and for the bench: a text that one rule rejects is not
looked at by the next, as in the script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from udfs.base.characters import CASIA_HAN_RANGE
from udfs.base.chinese_script import casia_conversion
from udfs.base.code_points import EncodedTexts, encode_texts
from udfs.lists.lexicon import Lexicon
from udfs.measures.repetition import window_shares

CHUNK_CHARS = 1 << 17
"""Code points decided together: bounds memory and stays in cache."""


@dataclass(frozen=True)
class CasiaLimits:
    """The script's thresholds."""

    min_chars: int = 200
    """A text of so many code points is still too short."""
    min_mean_line_chars: float = 10.0
    """Code points, newlines included, over lines."""
    min_han_share: float = 0.3
    max_sensitive_per_line: float = 0.5
    """Different words over lines."""
    max_dup_13gram_share: float = 0.5


def casia_reasons(
    texts: Sequence[str], lexicon: Lexicon, limits: CasiaLimits | None = None
) -> list[str | None]:
    """The first rule that rejects each text.

    Args:
        texts: One document each.
        lexicon: The sensitive words.
        limits: None for the script's own.
    Returns:
        ``length``, ``character``, ``sensitive``, ``duplication``, or None for a text that is
        kept; as long as texts.
    Source:
        ChineseWebText 2.0's script; METHOD of this project, "The four rules".
    """
    limits = limits or CasiaLimits()
    reasons: list[str | None] = ["length"] * len(texts)
    long_enough = [i for i, text in enumerate(texts) if not _is_short(text, limits)]
    for indexes in _chunks(long_enough, texts):
        chunk = [texts[i] for i in indexes]
        for index, reason in zip(indexes, _decide(chunk, lexicon, limits), strict=True):
            reasons[index] = reason
    return reasons


def _decide(texts: list[str], lexicon: Lexicon, limits: CasiaLimits) -> list[str | None]:
    """Reasons of texts that are long enough, and so not empty."""
    encoded = encode_texts(texts)
    wrong_script = _han_share(encoded) < limits.min_han_share
    wrong_script |= casia_conversion().changes(texts, encoded)
    reasons: list[str | None] = ["character" if wrong else None for wrong in wrong_script]
    left = []
    for index in np.flatnonzero(~wrong_script).tolist():
        text = texts[index]
        per_line = len(lexicon.find(text).words) / (text.count("\n") + 1)
        if per_line > limits.max_sensitive_per_line:
            reasons[index] = "sensitive"
        else:
            left.append(index)
    rest = [texts[index] for index in left]
    shares = window_shares(rest, encoded if len(rest) == len(texts) else encode_texts(rest)).casia
    for index, share in zip(left, shares, strict=True):
        if share > limits.max_dup_13gram_share:
            reasons[index] = "duplication"
    return reasons


def _is_short(text: str, limits: CasiaLimits) -> bool:
    mean = len(text) / (text.count("\n") + 1)
    return not text or len(text) <= limits.min_chars or mean < limits.min_mean_line_chars


def _han_share(encoded: EncodedTexts) -> npt.NDArray[np.float64]:
    first, last = CASIA_HAN_RANGE
    # One comparison: what lies below wraps around to a huge number.
    is_han = (encoded.codes - np.uint32(first)) <= np.uint32(last - first)
    share: npt.NDArray[np.float64] = (
        np.add.reduceat(is_han, encoded.starts, dtype=np.int64) / encoded.lengths
    )
    return share


def _chunks(indexes: Sequence[int], texts: Sequence[str]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for index in indexes:
        chunk.append(index)
        size += len(texts[index])
        if size >= CHUNK_CHARS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
