"""Similarity of words and captions to images, by the model of scorer ``alignment``.

The vectors of images are those that ``alignment`` stored; texts are encoded by its model, which a
Python worker loads once for all scorers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from udfs.base.settings import ConfigError

if TYPE_CHECKING:
    from udfs.base.array_types import Float32Array
    from udfs.pair_scorers.scorer import PairScorer
    from udfs.scorers.scorer import Record

ALIGNMENT = "alignment"
DECIMALS = 4
"""Of a similarity: what else a batch holds moves the digits behind them."""


class TextEncoder(Protocol):
    """Vectors of texts in the space of those of images, of length one."""

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, Sequence[int]]: ...


class EncodingModel(Protocol):
    """What scorer ``alignment`` loads."""

    def encoder(self) -> TextEncoder: ...


def alignment_model(scorer: PairScorer) -> EncodingModel:
    """The model of scorer ``alignment``, the one that it uses itself in this worker."""
    from udfs.pair_scorers.scorer import loaded_model

    model: EncodingModel = loaded_model(scorer.files, scorer.load, scorer.options)
    return model


def check_vectors(settings: Any, needed: Mapping[str, Any]) -> None:
    """Check that ``alignment`` stores vectors. Raises ConfigError."""
    if not needed[ALIGNMENT].vectors:
        raise ConfigError(f"{ALIGNMENT}.vectors = false: scorers of words compare what it stores")


def stored_vectors(records: Sequence[Record], column: str = "image_vector") -> Float32Array:
    """The vectors in a column of records of ``alignment``, shape (records, width)."""
    import numpy as np

    from udfs.pair_noise.embeddings import vectors_of

    return vectors_of([record[column] for record in records]).astype(np.float32)


def similarities_to_images(
    words: Sequence[Sequence[str]], images: Float32Array, model: EncodingModel
) -> list[list[float]]:
    """Similarity of each of the words of a pair to its image; each distinct word is encoded once.

    Args:
        words: Words or texts of each pair.
        images: Vectors of their images, shape (pairs, width).
    """
    import numpy as np

    distinct = list(dict.fromkeys(word for of_pair in words for word in of_pair))
    if not distinct:
        return [[] for _ in words]
    vectors, _ = model.encoder().text_vectors(distinct)
    number = {word: n for n, word in enumerate(distinct)}
    found = []
    for of_pair, image in zip(words, images, strict=True):
        products = vectors[[number[word] for word in of_pair]] @ image
        found.append(np.round(products.astype(np.float64), DECIMALS).tolist())
    return found
