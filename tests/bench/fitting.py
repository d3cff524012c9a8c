"""Logistic regression, and folds that keep sites and templates whole: for models of pages."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

_STEPS = 30
_BOUNDED_STEPS = 400
_ENOUGH = 1e-6


def folds_of(sites: set[str], folds: int, seed: int) -> dict[str, int]:
    """Return a fold for each site or template."""
    shuffled = sorted(sites)
    random.Random(seed).shuffle(shuffled)
    return {site: place % folds for place, site in enumerate(shuffled)}


def logistic(
    features: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    strength: float,
) -> npt.NDArray[np.float64]:
    """Fit the weights of features by Newton's method.

    Args:
        features: Shape (rows, features); the first is the constant, and goes free of the ridge.
        truth: Shape (rows,), 0 or 1.
        weight: Shape (rows,): how much a row counts.
        strength: Of the ridge, against the sum of the weights.
    Returns:
        Shape (features,).
    """
    ridge = np.eye(features.shape[1]) * strength
    ridge[0, 0] = 1e-6
    found = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        likely = 1.0 / (1.0 + np.exp(-(features @ found)))
        slope = features.T @ (weight * (likely - truth)) + ridge @ found
        curve = (features * (weight * likely * (1 - likely))[:, None]).T @ features + ridge
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < _ENOUGH:
            break
    return found


def softmax_weights(
    features: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    number: int,
    strength: float,
) -> npt.NDArray[np.float64]:
    """Fit multinomial logistic regression by Newton's method with a bound of the curvature.

    Args:
        features: Shape (rows, features); the first is the constant, and goes free of the ridge.
        classes: Shape (rows,): the class of each row, below `number`.
        weight: Shape (rows,): how much a row counts.
        strength: Of the ridge, against the sum of the weights.
    Returns:
        Shape (features, classes).
    Source:
        Böhning, Multinomial logistic regression algorithm (1992): one matrix bounds the curvature
        of all steps.
    """
    truth = np.eye(number)[classes]
    ridge = np.full(features.shape[1], strength)
    ridge[0] = 1e-3
    bound = np.linalg.inv((features * weight[:, None]).T @ features / 2 + np.diag(ridge))
    found = np.zeros((features.shape[1], number))
    for _ in range(_BOUNDED_STEPS):
        scores = features @ found
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        slope = features.T @ (weight[:, None] * (likely - truth)) + ridge[:, None] * found
        found -= bound @ slope
    return found
