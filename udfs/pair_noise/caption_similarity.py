"""The scorer ``caption_similarity``: how far an image, its text and its synthetic caption agree.

ALIP's three similarities. Image and text were encoded by scorer ``alignment``; here its model
encodes the captions that scorer ``captioner`` wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import DoubleType, StructField

from udfs.base.settings import Share
from udfs.pair_noise.word_similarity import (
    ALIGNMENT,
    DECIMALS,
    alignment_model,
    check_vectors,
    stored_vectors,
)
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import Rejection

if TYPE_CHECKING:
    from udfs.pair_noise.word_similarity import EncodingModel
    from udfs.scorers.scorer import Record

NAME = "caption_similarity"
CAPTIONER, CAPTION = "captioner", "caption_syn"
"""The scorer that writes captions, and its column."""


@dataclass(frozen=True)
class CaptionSimilaritySettings:
    """Similarities of an image, its text and its synthetic caption; needs scorers ``captioner``,
    and ``alignment`` with ``alignment.vectors``."""


@dataclass(frozen=True)
class CaptionSimilarityLimits:
    """Key of [select_pairs] that compares texts with captions."""

    min_text_caption: Share | None = None
    """Least similarity of a text and the synthetic caption of its image (``unlike_caption``). Off
    by default."""


RESULT_TYPE = result_type(
    StructField("text_caption", DoubleType()),  # cosine of text and caption
    StructField("image_text", DoubleType()),  # of image and text, as alignment has it
    StructField("image_caption", DoubleType()),  # of image and caption
)


def score_captions(pairs: Pairs, model: EncodingModel) -> list[Record]:
    """Compare image, text and caption of every pair; each distinct caption is encoded once."""
    import numpy as np

    records = pairs.others[ALIGNMENT]
    captions = [str(record[CAPTION]) for record in pairs.others[CAPTIONER]]
    distinct = {caption: number for number, caption in enumerate(dict.fromkeys(captions))}
    vectors, _ = model.encoder().text_vectors(list(distinct))
    own = vectors[[distinct[caption] for caption in captions]]
    products = [
        np.round((own * stored_vectors(records, column)).sum(axis=1, dtype=np.float64), DECIMALS)
        for column in ("text_vector", "image_vector")
    ]
    rows = zip(records, *(of.tolist() for of in products), strict=True)
    return [
        {
            "text_caption": text_caption,
            "image_text": round(record["similarity"], DECIMALS),
            "image_caption": image_caption,
            "failure": None,
        }
        for record, text_caption, image_caption in rows
    ]


def load(files: Loaded, alignment: PairScorer) -> EncodingModel:
    """The model of ``alignment``."""
    return alignment_model(alignment)


def _make(
    settings: CaptionSimilaritySettings, files: PairScorerFiles, fitted: Fitted
) -> PairScorer:
    return PairScorer(NAME, RESULT_TYPE, load, score_captions, options=files.scorer(ALIGNMENT))


CAPTION_SIMILARITY = PairScorerDeclaration(
    name=NAME,
    settings=CaptionSimilaritySettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(),
    needs=lambda settings: (CAPTIONER, ALIGNMENT),
    check_needed=check_vectors,
    limits=CaptionSimilarityLimits,
    rejections=(
        Rejection(
            "unlike_caption",
            "min_text_caption",
            lambda scores, least: scores["text_caption"] < least,
        ),
    ),
)
