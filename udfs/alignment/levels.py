"""The scorer ``alignment_level``: the similarity of a pair as one of a few levels.

Source: NoC (arXiv 2212.13563), which trains a captioner on eight levels of CLIP's cosine and asks
it for the highest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pyspark.sql.types import IntegerType, StructField

from udfs.alignment.alignment import NAME as ALIGNMENT_NAME
from udfs.base.settings import Bounds
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Pairs, PairScorer, result_type
from udfs.scorers.declaration import Rejection, ScorerFiles

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from udfs.pair_scorers.scorer import Loaded
    from udfs.scorers.scorer import Record

NAME = "alignment_level"
NOC_EDGES = (0.0280, 0.0930, 0.1579, 0.2229, 0.2878, 0.3527, 0.4177)
"""Inner edges of eight uniform levels between -0.0369 and 0.4826: CLIP ViT-L/14 on CC3M."""
STEPS = 10_000
"""Steps of a similarity of one, in which quantiles are found."""

RESULT_TYPE = result_type(StructField("level", IntegerType()))  # 0 for the lowest similarities


@dataclass(frozen=True)
class LevelSettings:
    """Levels of ``alignment``, table ``pair_scores/alignment_level``; pair_scores.json has the
    edges."""

    edges: Literal["quantiles", "noc"] = "quantiles"
    """``quantiles``: levels of equal size over all pairs of the output; ``noc``: the eight levels
    of NoC, which are of one model, CLIP ViT-L/14."""
    levels: Annotated[int, Bounds(least=2, most=100)] = 8
    """Number of levels with ``quantiles``."""


@dataclass(frozen=True)
class LevelLimits:
    """Keys of [select_pairs] that look at levels."""

    min_alignment_level: Annotated[int, Bounds(least=0, most=99)] | None = None
    """Least level that is kept (``low_alignment_level``)."""


def level_of(similarity: float, edges: Sequence[float]) -> int:
    """Return the level of a similarity; those outside of all edges get the outer levels.

    Args:
        edges: Inner edges, ascending; an edge belongs to the level above it.

    >>> [level_of(value, NOC_EDGES) for value in (-1.0, 0.0279, 0.0280, 0.3, 0.9)]
    [0, 0, 1, 5, 7]
    """
    return bisect_right(edges, similarity)


def quantile_edges(counts: Mapping[int, int], levels: int) -> list[float]:
    """Return the inner edges of levels of equal size.

    Args:
        counts: Step, similarity times `STEPS` rounded down -> pairs.
        levels: Number of levels.
    Returns:
        levels - 1 edges; some are equal, and levels between them empty, where many pairs are.

    >>> quantile_edges({0: 2, 1000: 1, 2000: 1}, 2), quantile_edges({}, 3)
    ([0.1], [1.0, 1.0])
    """
    steps = sorted(counts)
    sums = list(accumulate(counts[step] for step in steps))
    edges = []
    for level in range(1, levels):
        below = level * (sums[-1] if sums else 0) / levels
        place = next((n for n, total in enumerate(sums) if total > below), None)
        edges.append(1.0 if place is None else steps[place] / STEPS)
    return edges


def fit_edges(settings: LevelSettings, records: DataFrame) -> Fitted:
    """The edges in use. Collects a row for each step of a similarity, 20,001 at most."""
    if settings.edges == "noc":
        return {"edges": list(NOC_EDGES)}
    from pyspark.sql import functions as F

    similarity = F.col(ALIGNMENT_NAME)["similarity"]
    steps = records.where(similarity.isNotNull()).select(
        F.floor(similarity * STEPS).cast("int").alias("step")
    )
    counts = {row["step"]: row["count"] for row in steps.groupBy("step").count().collect()}
    return {"edges": quantile_edges(counts, settings.levels)}


def load(files: Loaded, edges: tuple[float, ...]) -> tuple[float, ...]:
    """The edges themselves: there is no model."""
    return edges


def score_levels(pairs: Pairs, edges: tuple[float, ...]) -> list[Record]:
    """The level of every pair."""
    return [
        {"level": level_of(record["similarity"], edges), "failure": None}
        for record in pairs.others[ALIGNMENT_NAME]
    ]


def _make(settings: LevelSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    edges = tuple(map(float, fitted["edges"]))
    return PairScorer(NAME, RESULT_TYPE, load, score_levels, (), edges)


def _below(scores: Any, least: int) -> Any:
    return scores["level"] < least


ALIGNMENT_LEVEL = PairScorerDeclaration(
    name=NAME,
    settings=LevelSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(),
    needs=lambda settings: (ALIGNMENT_NAME,),
    fit=fit_edges,
    limits=LevelLimits,
    rejections=(Rejection("low_alignment_level", "min_alignment_level", _below),),
)
