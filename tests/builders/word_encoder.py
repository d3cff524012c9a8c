"""A scorer of pairs that stores vectors: texts by their characters, images by the text in them.

It stands for scorer ``alignment`` where a test needs vectors and no model: the body of an image is
a text in UTF-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.sql.types import BinaryType, DoubleType, StructField

from udfs.base.array_types import Float32Array
from udfs.pair_noise.embeddings import unit_rows
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.scorer import Record

WIDTH = 64
TYPE = result_type(
    StructField("similarity", DoubleType()),
    StructField("image_vector", BinaryType()),
    StructField("text_vector", BinaryType()),
)


@dataclass(frozen=True)
class WordEncoderSettings:
    """Nothing but whether vectors are stored."""

    vectors: bool = True
    """Whether they are."""


class WordEncoder:
    """Counts of characters by hash, at length one."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encoder(self) -> WordEncoder:
        return self

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]:
        self.encoded += texts
        counts = np.zeros((len(texts), WIDTH))
        for row, text in enumerate(texts):
            for char in text:
                counts[row, hashlib.sha256(char.encode()).digest()[0] % WIDTH] += 1
        return unit_rows(counts).astype(np.float32), [len(text) for text in texts]


def load(files: Loaded, settings: WordEncoderSettings) -> WordEncoder:
    return WordEncoder()


def score(pairs: Pairs, model: WordEncoder) -> list[Record]:
    texts, _ = model.text_vectors([text or "" for text in pairs.texts])
    images, _ = model.text_vectors([(body or b"").decode() for body in pairs.bodies])
    return [
        {
            "similarity": float(text @ image),
            "image_vector": image.astype("<f2").tobytes(),
            "text_vector": text.astype("<f2").tobytes(),
            "failure": None,
        }
        for text, image in zip(texts, images, strict=True)
    ]


def word_encoder() -> PairScorer:
    """The scorer as it travels."""
    return PairScorer("alignment", TYPE, load, score, options=WordEncoderSettings())


def make(settings: WordEncoderSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    return word_encoder()


WORD_ENCODER = PairScorerDeclaration(
    name="alignment", settings=WordEncoderSettings, result_type=TYPE, make=make
)


def pairs_of(shown: Sequence[tuple[str, str]]) -> Pairs:
    """Pairs of what an image shows and a text, with the records of the scorer."""
    texts, bodies = [text for _, text in shown], [image.encode() for image, _ in shown]
    keys = [f"{n:032x}" for n in range(len(shown))]
    plain = Pairs(keys, texts, bodies)
    return Pairs(keys, texts, [None] * len(shown), {"alignment": score(plain, WordEncoder())})
