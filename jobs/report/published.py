"""What the published corpora lost at the same steps, to set beside a run's own rates."""

from __future__ import annotations

RULES_SOURCE = "ChineseWebText 2.0 (arXiv 2411.19668), share of bytes, from its source MAP-CC"
QUALITY_SOURCE = (
    "ChineseWebText 1.0 (arXiv 2311.01149), share of bytes below quality 0.9: 1421 GB to 600 GB"
)

REMOVED: dict[tuple[str, str], tuple[float, str]] = {
    ("apply_rules", "length"): (0.0158, RULES_SOURCE),
    ("apply_rules", "character"): (0.0742, RULES_SOURCE),
    ("apply_rules", "sensitive"): (0.1298, RULES_SOURCE),
    ("apply_rules", "duplication"): (0.0343, RULES_SOURCE),
    ("select_corpus", "low_quality"): (1 - 600 / 1421, QUALITY_SOURCE),
}
"""Stage and reason -> published share, and where it is published."""
