"""Normalisation of texts as duplicates are told by, in NumPy: the plain twin of `fold_column`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from udfs.base.array_types import Int64Array, UInt32Array
from udfs.dedup.normalise import fold_table

DROPPED = 0


def fold_texts(texts: Sequence[str]) -> tuple[UInt32Array, Int64Array]:
    """Normalise many texts at once.

    Args:
        texts: n documents; lone surrogates are kept as they are.
    Returns:
        Folded code points of all texts in a row, and n + 1 offsets: text i is
        ``codes[offsets[i]:offsets[i + 1]]``.
    """
    raw = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    folded = fold_table()[raw]
    kept = folded != DROPPED
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
    kept_before = np.zeros(len(raw) + 1, dtype=np.int64)
    np.cumsum(kept, out=kept_before[1:])
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    offsets[1:] = kept_before[ends]
    return folded[kept], offsets


def normalise_text(text: str) -> str:
    """One text as the duplicate levels see it."""
    codes, _ = fold_texts([text])
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
