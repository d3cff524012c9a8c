"""Logistic regression, and folds that keep sites and templates whole: for models of pages."""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

_STEPS = 30
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
