"""The settings of the samples that a run keeps for people to look at."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.base.settings import Count, PositiveCount


@dataclass(frozen=True)
class AuditConfig:
    """Samples of documents by stage and reason, in the table ``audit`` and the report."""

    samples: Count = 5
    """Documents for every stage and reason, pairs of near duplicates, kept documents, those just
    above the limit of quality, and toxic ones; 0 writes an empty table."""
    seed: Count = 0
    """Which documents: another seed takes others."""
    max_chars: PositiveCount = 600
    """Most code points of a sample's text: the part around what decided."""
