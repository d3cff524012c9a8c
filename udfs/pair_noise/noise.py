"""The scorer ``noise``: the probability that an image and a text do not belong together.

The alignment of all pairs of an output is taken for a mixture of two normal distributions, of noisy
and of clean pairs. Histograms are counted by Spark, and the mixture is fitted to their 4,096 counts
on the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import DoubleType, StructField

from udfs.base.settings import PositiveCount, Share
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import Rejection, ScorerFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from udfs.pair_noise.mixture import Mixture
    from udfs.scorers.scorer import Record

NAME = "noise"
ALIGNMENT, SIMILARITY = "alignment", "similarity"
"""The scorer whose values are looked at, and its column."""
BINS = 4096
FEW_PAIRS = "few_pairs"
"""Failure of all pairs where fewer than ``noise.min_pairs`` have an alignment."""
ONE_GROUP = "one_group"
"""Failure of all pairs where alignments are equal, so that there are no two groups."""


@dataclass(frozen=True)
class NoiseSettings:
    """Probability that image and text do not belong together, by a mixture of two normal
    distributions over the alignment of all pairs; needs scorer ``alignment``."""

    min_pairs: PositiveCount = 1000
    """Fewest pairs with an alignment for a fit; with fewer no pair has a probability
    (``few_pairs``)."""


@dataclass(frozen=True)
class NoiseLimits:
    """Keys of [select_pairs] on the probability of noise."""

    max_noise_prob: Share | None = None
    """Largest probability that image and text do not belong together (``noisy``). Off by
    default."""


RESULT_TYPE = result_type(
    StructField("noise_prob", DoubleType()),
)


def fit_noise(settings: NoiseSettings, records: DataFrame) -> Fitted:
    """Fit the mixture to the alignment of all pairs.

    Needs: alignment.similarity, null for pairs without one.
    Collects: BINS counts.

    Returns:
        pairs; and with a fit shares, means and deviations of the two groups, the noisy one first,
        and their separation (below 2 the values do not show two groups).
    """
    import numpy as np
    from pyspark.sql import functions as F

    from udfs.pair_noise.mixture import fit_mixture

    values = records.select(F.col(ALIGNMENT)[SIMILARITY].cast("double").alias("value")).where(
        F.col("value").isNotNull()
    )
    bounds = values.agg(F.count("value"), F.min("value"), F.max("value")).collect()[0]
    pairs, least, most = bounds
    if pairs < settings.min_pairs:
        return {"pairs": pairs, "failure": FEW_PAIRS}
    if least == most:
        return {"pairs": pairs, "failure": ONE_GROUP}
    width = (most - least) / BINS
    number = F.least(F.floor((F.col("value") - least) / width), F.lit(BINS - 1))
    counts = np.zeros(BINS, dtype=np.int64)
    for row in values.groupBy(number.cast("int").alias("bin")).count().collect():
        counts[row["bin"]] = row["count"]
    found = fit_mixture(least + width * (np.arange(BINS) + 0.5), counts)
    if found is None:
        return {"pairs": pairs, "failure": ONE_GROUP}
    return {
        "pairs": pairs,
        "shares": found.shares,
        "means": found.means,
        "deviations": found.deviations,
        "separation": found.separation,
    }


def load_mixture(files: Loaded, options: Mixture | str) -> Mixture | str:
    """Return the mixture, or the failure of every pair."""
    return options


def score_noise(pairs: Pairs, mixture: Mixture | str) -> list[Record]:
    """Give every pair its probability of noise, from its alignment."""
    if isinstance(mixture, str):
        return [failed(RESULT_TYPE, mixture) for _ in range(len(pairs))]
    import numpy as np

    from udfs.pair_noise.mixture import probabilities

    values = np.array([record[SIMILARITY] for record in pairs.others[ALIGNMENT]], dtype=np.float64)
    noisy, _ = probabilities(values, mixture)
    return [{"noise_prob": value, "failure": None} for value in noisy.tolist()]


def _make(settings: NoiseSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    from udfs.pair_noise.mixture import Mixture

    options: Mixture | str
    if "failure" in fitted:
        options = str(fitted["failure"])
    else:
        keys = ("shares", "means", "deviations")
        options = Mixture(**{key: (float(fitted[key][0]), float(fitted[key][1])) for key in keys})
    return PairScorer(NAME, RESULT_TYPE, load_mixture, score_noise, options=options)


NOISE = PairScorerDeclaration(
    name=NAME,
    settings=NoiseSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(),
    needs=lambda settings: (ALIGNMENT,),
    fit=fit_noise,
    limits=NoiseLimits,
    rejections=(
        Rejection("noisy", "max_noise_prob", lambda noise, most: noise["noise_prob"] > most),
    ),
)
