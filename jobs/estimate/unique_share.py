"""Documents that deduplication keeps of a whole request: duplicates grow faster than the data.

A sample finds only duplicates whose other copy it holds too. So what it keeps, scaled up, is the
most that may stay. Each document that it removes has a copy: one in the same file is in every
sample that has the file, one in another file is in few. To scale each removed document as the pair
that it makes with its copy gives too many removed ones, since documents with several copies are
counted with each; that is the least that may stay. In between lies what follows from the growth of
the kept documents from the first half of the sample to the whole of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from jobs.estimate.intervals import CONFIDENCE, Interval, known, total_of


@dataclass(frozen=True)
class Removed:
    """What deduplication saw and removed of each file of a sample."""

    seen: Sequence[float]
    """Documents that came to deduplication."""
    within: Sequence[float]
    """Removed documents whose kept copy lies in the same file."""
    across: Sequence[float]
    """Other removed documents."""
    half_seen: float = 0
    """Documents of a part of the sample that was deduplicated alone; 0 where there is none."""
    half_kept: float = 0

    @property
    def kept(self) -> list[float]:
        """Documents of each file that stay."""
        return [
            seen - within - across
            for seen, within, across in zip(self.seen, self.within, self.across, strict=True)
        ]


def growth_exponent(removed: Removed) -> float | None:
    """Return how kept documents grow with all of them, as an exponent of at most 1.

    None where there are no two sizes to compare.

    Source: H. S. Heaps, Information Retrieval, 1978: distinct items grow with a power of all items.
    """
    seen, kept = math.fsum(removed.seen), math.fsum(removed.kept)
    if not (0 < removed.half_seen < seen and removed.half_kept > 0 and kept > 0):
        return None
    grown = math.log(kept / removed.half_kept) / math.log(seen / removed.half_seen)
    return min(max(grown, 0.0), 1.0)


def unique_total(
    removed: Removed,
    sizes: Sequence[float],
    all_sizes: float,
    units: int,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Estimate the documents of the whole request that deduplication keeps.

    Args:
        sizes, all_sizes, units: As `total_of` takes them.
    """
    kept = removed.kept
    found = math.fsum(kept)
    n = len(kept)
    if n >= units:
        return known(found)
    most = total_of(kept, sizes, all_sizes, units, confidence)
    pairs = (units - 1) / max(n - 1, 1)  # across files, beyond the growth of the files themselves
    paired = [
        seen - within - across * pairs
        for seen, within, across in zip(removed.seen, removed.within, removed.across, strict=True)
    ]
    least = total_of(paired, sizes, all_sizes, units, confidence, least=found)
    rare = total_of(
        [seen - within for seen, within in zip(removed.seen, removed.within, strict=True)],
        sizes,
        all_sizes,
        units,
        confidence,
    )
    unseen = most_events(math.fsum(removed.across), confidence) * all_sizes / math.fsum(sizes)
    low = max(found, min(least.low, rare.low - unseen * pairs))
    exponent = growth_exponent(removed)
    if exponent is None:
        middle = math.sqrt(max(least.estimate, 1.0) * most.estimate)
    else:
        seen = total_of(removed.seen, sizes, all_sizes, units, confidence).estimate
        middle = found * (seen / math.fsum(removed.seen)) ** exponent
    estimate = min(max(middle, least.estimate), most.estimate)
    return Interval(estimate, min(low, estimate), max(most.high, estimate))


def most_events(count: float, confidence: float = CONFIDENCE) -> float:
    """Return how many events may be expected where so many were seen, at the most.

    Source: Byar's approximation of the upper limit of a Poisson mean; N. E. Breslow, N. E. Day,
    Statistical Methods in Cancer Research II, 1987.
    """
    more = count + 1
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return float(more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3)


def thinned(linear: Interval, unique: Interval, unique_linear: Interval) -> Interval:
    """Lower a total of kept documents that was scaled up as if duplicates did not grow.

    Args:
        linear: The total.
        unique: The documents that deduplication keeps.
        unique_linear: The same, scaled up as `linear` is.
    """

    def share(of: float, whole: float) -> float:
        return min(of / whole, 1.0) if whole > 0 else 1.0

    estimate = linear.estimate * share(unique.estimate, unique_linear.estimate)
    low = linear.low * share(unique.low, unique_linear.low)
    return Interval(estimate, min(low, estimate), linear.high)
