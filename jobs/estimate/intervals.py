"""Totals of a finite population from a simple random sample of it, with their intervals.

Source: W. G. Cochran, Sampling Techniques, 3rd edition, 1977: chapter 2 (finite population
correction, confidence limits), chapter 6 (ratio estimator, its standard error).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate, and the limits between which the true value is taken to lie."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """Return the interval of a multiple; the factor is 0 or more."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)

    def plus(self, amount: float) -> Interval:
        """Return the interval of a sum with a known amount."""
        return Interval(self.estimate + amount, self.low + amount, self.high + amount)

    def holds(self, value: float) -> bool:
        """Whether a value lies in the interval."""
        return self.low <= value <= self.high


def known(amount: float) -> Interval:
    """Return the interval of what is known."""
    return Interval(amount, amount, amount)


def interval_json(one: Interval) -> dict[str, float | None]:
    """Return an interval as JSON; what has no upper limit has null there."""

    def number(value: float) -> float | None:
        if math.isinf(value):
            return None
        return round(value) if value >= 1000 else float(f"{value:.6g}")

    return {
        "estimate": number(one.estimate),
        "low": number(one.low),
        "high": number(one.high),
    }


def summed(parts: Iterable[Interval]) -> Interval:
    """Return the interval of a sum whose parts err in the same direction: the widest one."""
    intervals = list(parts)
    return Interval(
        math.fsum(one.estimate for one in intervals),
        math.fsum(one.low for one in intervals),
        math.fsum(one.high for one in intervals),
    )


def total_of(
    values: Sequence[float],
    sizes: Sequence[float],
    all_sizes: float,
    units: int,
    confidence: float = CONFIDENCE,
    least: float | None = None,
) -> Interval:
    """Estimate the total of a population by the ratio of values to sizes in a sample.

    The residuals are those of each unit to the ratio of the others, so that a unit that is larger
    than the others does not hide its own error: the jackknife, whose intervals are not too narrow
    in small samples.

    Args:
        values: Of the sampled units.
        sizes: Known sizes of the same units, above 0; all 1 where none are known.
        all_sizes: Sum of the sizes of all units of the population.
        units: Number of all units.
        least: What the total is known to be at least; None: the sum of the values.
    Returns:
        A symmetric interval of Student's distribution, cut off at `least`. Without width where all
        units are in the sample; without an upper limit (infinity) where there is one of several.
    """
    n = len(values)
    found = math.fsum(values)
    if n >= units:
        return known(found)
    floor = found if least is None else least
    ratio = found / math.fsum(sizes)
    estimate = max(ratio * all_sizes, floor)
    if n < 2:
        return Interval(estimate, floor, math.inf)
    error = _standard_error(values, sizes, all_sizes, units)
    half = student_quantile(n - 1, confidence) * error
    return Interval(estimate, max(estimate - half, floor), estimate + half)


def _standard_error(
    values: Sequence[float], sizes: Sequence[float], all_sizes: float, units: int
) -> float:
    """Return the jackknife standard error of a ratio estimate of a total."""
    n = len(values)
    value_sum, size_sum = math.fsum(values), math.fsum(sizes)
    without = [
        (value_sum - value) / (size_sum - size)
        for value, size in zip(values, sizes, strict=True)
        if size_sum > size
    ]
    if len(without) < n:  # one unit is all there is
        return math.inf
    mean = math.fsum(without) / n
    variance = (1 - n / units) * (n - 1) / n * math.fsum((one - mean) ** 2 for one in without)
    return all_sizes * math.sqrt(variance)


def student_quantile(freedom: int, confidence: float) -> float:
    """Return the two-sided quantile of Student's distribution: P(|t| <= q) = confidence.

    Source: G. W. Hill, Algorithm 396: Student's t-quantiles, CACM 13 (10), 1970; its error is below
    10^-5 of the quantile from 3 degrees of freedom on, and the first two are exact.
    """
    outside = 1.0 - confidence
    if freedom == 1:
        return 1.0 / math.tan(outside * math.pi / 2)
    if freedom == 2:
        return math.sqrt(2.0 / (outside * (2.0 - outside)) - 2.0)
    n = float(freedom)
    a = 1.0 / (n - 0.5)
    b = 48.0 / (a * a)
    c = ((20700.0 * a / b - 98.0) * a - 16.0) * a + 96.36
    d = ((94.5 / (b + c) - 3.0) / b + 1.0) * math.sqrt(a * math.pi / 2) * n
    y = (d * outside) ** (2.0 / n)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(outside / 2)
        y = x * x
        if freedom < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x
        y = a * y * y
        y = math.expm1(y) if y > 0.002 else 0.5 * y * y + y
    else:
        y = (
            (1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0))
            * y
            - 1.0
        ) * (n + 1.0) / (n + 2.0) + 1.0 / y
    return math.sqrt(n * y)
