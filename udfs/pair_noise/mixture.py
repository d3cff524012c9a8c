"""Two normal distributions fitted to a histogram: which of two groups a value belongs to.

A network that learns noisy pairs gets the clean ones right first, so that losses of clean and noisy
pairs form two groups; so do the similarities of an encoder that is trained already. The fit reads
counts in bins and nothing else: as many numbers for a billion pairs as for a thousand, and the same
fit for any order of the pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from udfs.base.array_types import Float64Array, Int64Array

MAX_STEPS = 2000
_SMALLEST_GAIN = 1e-9
"""Gain of the mean log likelihood of a value at which the fit ends."""


@dataclass(frozen=True)
class Mixture:
    """A mixture of two normal distributions, the one with the lower mean first."""

    shares: tuple[float, float]
    """Shares of the values; they sum to 1."""
    means: tuple[float, float]
    deviations: tuple[float, float]
    """Standard deviations, at least that of a bin."""

    @property
    def separation(self) -> float:
        """Distance of the means in standard deviations (root mean square of both). Below 2 the sum
        of two equal groups has one peak: the values do not show two."""
        low, high = self.deviations
        return (self.means[1] - self.means[0]) / math.sqrt((low * low + high * high) / 2)


def fit_mixture(centres: Float64Array, counts: Int64Array) -> Mixture | None:
    """Fit two normal distributions to a histogram by expectation maximisation.

    It starts from the two sides of the threshold that leaves the least variance within them (Otsu),
    so that there is no seed.

    Args:
        centres: Centres of bins of one width, ascending, shape (bins,).
        counts: Values in each bin, shape (bins,), float64 exact: below 2 ** 53 in all.
    Returns:
        The mixture; None where fewer than two bins have values, or one of the groups vanishes.
    """
    filled = counts > 0
    if np.count_nonzero(filled) < 2:
        return None
    # Spreads within a bin are not known: the variance of a uniform one is the least.
    least = float((centres[-1] - centres[0]) / (len(centres) - 1)) ** 2 / 12
    x, n = centres[filled], counts[filled].astype(np.float64)
    belongs = _two_sides(x, n)
    likelihood = -math.inf
    for _ in range(MAX_STEPS):
        weights = belongs * n
        totals = weights.sum(axis=1)
        if totals.min() < 1e-6 * n.sum():
            return None
        means = weights @ x / totals
        variances = np.maximum((weights * (x - means[:, None]) ** 2).sum(axis=1) / totals, least)
        logs = _log_densities(x, totals / n.sum(), means, variances)
        sums = np.logaddexp(logs[0], logs[1])
        belongs = np.exp(logs - sums)
        reached = float(n @ sums / n.sum())
        if reached - likelihood < _SMALLEST_GAIN:
            break
        likelihood = reached
    order = np.argsort(means, kind="stable")
    low, high = ((means[at], variances[at], totals[at] / n.sum()) for at in order.tolist())
    return Mixture(
        shares=(float(low[2]), float(high[2])),
        means=(float(low[0]), float(high[0])),
        deviations=(math.sqrt(low[1]), math.sqrt(high[1])),
    )


def probabilities(values: Float64Array, mixture: Mixture) -> tuple[Float64Array, Float64Array]:
    """Probabilities that values belong to the lower and to the higher group.

    Beyond the means a wide group would take over again: a similarity far above that of clean pairs
    would become noise. So values are moved to the nearer mean first, which makes the probability
    monotonic.

    Returns:
        Two arrays of the shape of ``values``, which sum to 1.
    """
    means, deviations = np.array(mixture.means), np.array(mixture.deviations)
    between = np.clip(values, *mixture.means)
    low, high = _log_densities(between, np.array(mixture.shares), means, deviations**2)
    of_high = 1.0 / (1.0 + np.exp(low - high))
    return 1.0 - of_high, of_high


def _two_sides(x: Float64Array, n: Float64Array) -> Float64Array:
    """1 for the side that a bin lies on, 0 for the other one, shape (2, bins)."""
    below = np.cumsum(n)[:-1]
    above = n.sum() - below
    sums = np.cumsum(n * x)
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    is_low = np.arange(len(x)) <= int(np.argmax(between))
    return np.stack([is_low, ~is_low]).astype(np.float64)


def _log_densities(
    x: Float64Array, shares: Float64Array, means: Float64Array, variances: Float64Array
) -> Float64Array:
    """Logarithms of share times density, shape (2, values)."""
    constants = np.log(shares) - 0.5 * np.log(2 * math.pi * variances)
    logs: Float64Array = constants[:, None] - (x - means[:, None]) ** 2 / (2 * variances[:, None])
    return logs
