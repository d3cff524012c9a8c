"""The settings of [select_pairs] and [interleave]: what becomes a selection of pairs, and what an
interleaved document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SelectPairsConfig:
    """Which pairs are selected, of those that the rules keep."""


@dataclass(frozen=True)
class InterleaveConfig:
    """Which documents and images become interleaved documents."""
