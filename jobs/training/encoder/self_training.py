"""Choose the unlabelled segments that a model learns from, by its uncertainty; without PyTorch.

Source:
    Uncertainty-aware self-training (Mukherjee and Awadallah 2020, arXiv 2006.15315), as BERTEval of
    ChineseWebText 1.0 uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Float64Array, Int64Array

_TINY = 1e-10


@dataclass(frozen=True)
class Chosen:
    """Segments with labels from the model's predictions."""

    rows: Int64Array
    labels: Float64Array
    """1.0 or 0.0."""
    weights: Float64Array
    """Minus the logarithm of the variance over passes, scaled to a mean of 1."""


def bald(passes: Float64Array) -> Float64Array:
    """Compute the mutual information of prediction and model: 0 if all passes agree, at most log 2.

    Args:
        passes: Probabilities, (rows, passes), of passes with dropout.
    Returns:
        Entropy of the mean minus mean of the entropies, (rows,).
    Source:
        Houlsby et al. 2011 (arXiv 1112.5745).
    """
    of_mean: Float64Array = _entropy(passes.mean(axis=1))
    of_passes: Float64Array = _entropy(passes).mean(axis=1)
    return of_mean - of_passes


def pseudo_labels(
    passes: Float64Array, positive_share: float, negative_share: float
) -> tuple[Int64Array, Float64Array]:
    """Return the rows that most passes put among the best or the worst, and their labels.

    Args:
        positive_share: Share of all scores, the highest, that vote for a positive label.
        negative_share: Share of the lowest ones, that vote for a negative label.
    """
    above = passes > np.quantile(passes, 1 - positive_share)
    below = passes < np.quantile(passes, negative_share)
    positives, negatives = (np.flatnonzero(votes.mean(axis=1) > 0.5) for votes in (above, below))
    labels = np.repeat([1.0, 0.0], [len(positives), len(negatives)])
    return np.concatenate([positives, negatives]), labels


def choose(
    passes: Float64Array,
    positive_share: float,
    negative_share: float,
    count: int,
    rng: np.random.Generator,
    by_ease: bool = True,
) -> Chosen:
    """Draw the same number of rows of each label.

    A label with too few rows gives all of them.

    Args:
        count: Rows of both labels together.
        by_ease: Draw rows with less mutual information (`bald`) with a higher probability, else all
            with the same.
    """
    rows, labels = pseudo_labels(passes, positive_share, negative_share)
    ease = 1 - bald(passes) / np.log(2) if by_ease else np.ones(len(passes))
    drawn: list[int] = []
    for label in (1.0, 0.0):
        own = rows[labels == label]
        if len(own):
            chance = np.maximum(ease[own], _TINY)
            wanted = min(count // 2, len(own))
            drawn += rng.choice(own, wanted, replace=False, p=chance / chance.sum()).tolist()
    chosen = np.array(drawn, dtype=np.int64)
    label_of = dict(zip(rows.tolist(), labels.tolist(), strict=True))
    weights = -np.log(passes[chosen].var(axis=1) + _TINY)
    return Chosen(
        chosen,
        np.array([label_of[row] for row in drawn]),
        weights / weights.mean() if len(drawn) else weights,
    )


def _entropy(chance: Float64Array) -> Float64Array:
    return -(chance * np.log(chance + _TINY) + (1 - chance) * np.log(1 - chance + _TINY))
