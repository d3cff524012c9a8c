"""The best partners within a block of pairs.

Source: TaiSu (NeurIPS 2022), which keeps a web caption if it is the first of 120 that its image
finds, or its image the first that it finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from udfs.base.array_types import Float32Array

if TYPE_CHECKING:
    import pandas as pd

BEST_DDL = "doc_id string, place int, is_best boolean"


def are_best(images: Float32Array, texts: Float32Array) -> list[bool]:
    """Return whether each pair's text is the nearest to its image, or its image to its text.

    Equal ones are as near: a text that two pairs of the block have does not remove both.

    Args:
        images: Vectors of length one, shape (pairs, size); row n of both is a pair.
        texts: Likewise.
    """
    similarity = images @ texts.T
    own = np.diagonal(similarity) + np.float32(1e-6)
    is_best = (own >= similarity.max(axis=1)) | (own >= similarity.max(axis=0))
    found: list[bool] = is_best.tolist()
    return found


def best_of_block() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function for applyInPandas: doc_id, place, image_vector, text_vector of a block
    become rows of BEST_DDL."""

    def best(block: pd.DataFrame) -> pd.DataFrame:
        ordered = block.sort_values(["doc_id", "place"])
        images, texts = (
            np.stack([np.frombuffer(vector, "<f2") for vector in ordered[name]]).astype(np.float32)
            for name in ("image_vector", "text_vector")
        )
        return ordered[["doc_id", "place"]].assign(is_best=are_best(images, texts))

    return best
