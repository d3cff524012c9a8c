"""Probabilities that further evidence raises or lowers."""

from __future__ import annotations

import math


def with_odds(probability: float, weight: float) -> float:
    """A probability whose log odds are so much more; 0 and 1 stay what they are.

    >>> round(with_odds(0.5, math.log(3)), 2), with_odds(0.0, 1.0), with_odds(1.0, 1.0)
    (0.75, 0.0, 1.0)
    """
    if weight == 0.0 or probability in (0.0, 1.0):
        return probability
    return 1.0 / (1.0 + (1.0 - probability) / probability * math.exp(-weight))
