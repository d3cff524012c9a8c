"""The settings of [pair_rules]: which image-text pairs are rejected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PairRulesConfig:
    """Limits on what is measured of a pair's text, page and image; a null measure rejects, too."""

    pack: str | None = "default"
    """Rule pack of pairs: a bundled one or a file; off: the defaults of this section."""
