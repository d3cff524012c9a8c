"""The scorer ``alip``: the weights of an image, its text and its synthetic caption.

ALIP weighs a sample by how far text and caption agree, and, where they do not, each of the two by
how far it agrees with the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import DoubleType, StructField

from udfs.base.settings import Amount
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import Rejection, ScorerFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from udfs.scorers.scorer import Record

NAME = "alip"
SIMILARITIES = "caption_similarity"
"""The scorer whose records are looked at."""
COLUMNS = ("text_caption", "image_text", "image_caption")
"""Its similarities, in the order of ALIP's loop."""
_EXACT = "decimal(20,12)"
"""Sums of doubles depend on their order, sums of decimals do not."""

Means = tuple[float, float, float]


@dataclass(frozen=True)
class AlipSettings:
    """ALIP's gates over three similarities; needs scorer ``caption_similarity``. The means that
    similarities are compared with are those of all pairs of the output."""


@dataclass(frozen=True)
class AlipLimits:
    """Keys of [select_pairs] on ALIP's weights."""

    min_sample_weight: Amount | None = None
    """Least weight of a sample, at most 1: ``exp(cos(text, caption) - mean) ** 2``
    (``low_sample_weight``). Off by default."""


RESULT_TYPE = result_type(
    StructField("sample_weight", DoubleType()),  # language consistency gate, at most 1
    StructField("text_weight", DoubleType()),  # description consistency gate of the text
    StructField("caption_weight", DoubleType()),  # the same of the caption
)


def gates(similarities: tuple[float, float, float], means: Means) -> tuple[float, float, float]:
    """Return the weights of a sample, its text and its caption.

    A sample whose text and caption agree more than the mean has the weight 1, and so have both of
    them. Else it has ``exp(s - mean) ** 2``, and each of the two the same of its similarity to the
    image, which may exceed 1.

    Args:
        similarities: Cosines of text and caption, image and text, image and caption.
        means: Their means.
    Source:
        deepglint/ALIP, train.py. There the means are moving ones over batches (0.99 of the one
        before), which start at 1 and follow a model that learns. Here the model is given, so that
        they would approach the means over all data, by an order of batches that nothing decides.

    >>> [round(weight, 3) for weight in gates((0.4, 0.3, 0.1), (0.5, 0.2, 0.2))]
    [0.819, 1.221, 0.819]
    >>> gates((0.6, 0.3, 0.1), (0.5, 0.2, 0.2))
    (1.0, 1.0, 1.0)
    """
    import math

    sample, text, caption = (
        math.exp(value - mean) ** 2 for value, mean in zip(similarities, means, strict=True)
    )
    return (sample, text, caption) if sample < 1 else (1.0, 1.0, 1.0)


def fit_means(settings: AlipSettings, records: DataFrame) -> Fitted:
    """Return pairs and the means of COLUMNS over all pairs that have the three similarities.

    Needs: caption_similarity (COLUMNS, null without). Collects: one row.
    """
    from pyspark.sql import functions as F

    of_pair = [F.col(SIMILARITIES)[name] for name in COLUMNS]
    whole = records.where(of_pair[0].isNotNull() & of_pair[1].isNotNull() & of_pair[2].isNotNull())
    sums = [F.sum(value.cast(_EXACT)) for value in of_pair]
    pairs, *found = whole.agg(F.count(F.lit(1)), *sums).collect()[0]
    return {"pairs": pairs, "means": [float(total) / pairs for total in found] if pairs else None}


def load_means(files: Loaded, options: Means) -> Means:
    """Return the means, which travel with the scorer."""
    return options


def score_gates(pairs: Pairs, means: Means) -> list[Record]:
    """Give every pair its three weights."""
    records = []
    for record in pairs.others[SIMILARITIES]:
        text_caption, image_text, image_caption = (record[name] for name in COLUMNS)
        sample, text, caption = gates((text_caption, image_text, image_caption), means)
        records.append(
            {
                "sample_weight": sample,
                "text_weight": text,
                "caption_weight": caption,
                "failure": None,
            }
        )
    return records


def _make(settings: AlipSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    # Without means no pair has similarities, and none is scored.
    first, second, third = fitted["means"] or (0.0, 0.0, 0.0)
    return PairScorer(NAME, RESULT_TYPE, load_means, score_gates, options=(first, second, third))


ALIP = PairScorerDeclaration(
    name=NAME,
    settings=AlipSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(),
    needs=lambda settings: (SIMILARITIES,),
    fit=fit_means,
    limits=AlipLimits,
    rejections=(
        Rejection(
            "low_sample_weight",
            "min_sample_weight",
            lambda alip, least: alip["sample_weight"] < least,
        ),
    ),
)
