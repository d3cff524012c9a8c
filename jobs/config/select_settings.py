"""The settings of [select]: what enters a corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from udfs.base.settings import Share


@dataclass(frozen=True)
class SelectConfig:
    """What enters the corpus: limits on stored scores, nothing is recomputed.

    Scorers declare further keys of this section, which `Config.limits` has.
    """

    quality_from: str = "quality"
    """Scorer whose score is the corpus's quality_score; any that has a score from 0 to 1."""
    min_quality: Share | None = 0.5
    """Least quality_score."""
    jsonl: Literal["none", "gz", "zst"] = "none"
    """Also write the corpus as JSON lines, compressed in this way."""
