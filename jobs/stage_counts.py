"""What a stage counted of itself beside its tables, for the report."""

from __future__ import annotations

import json
from collections.abc import Mapping

from jobs.store import Store

_COUNTS = "counts"


def write_counts(store: Store, stage: str, counts: Mapping[str, int]) -> None:
    """Keep a stage's counts under the output, over those of an earlier run."""
    store.write_bytes(json.dumps(counts, indent=1).encode(), _COUNTS, f"{stage}.json")


def read_counts(store: Store, stage: str) -> dict[str, int]:
    """The counts that a stage left; none where it left none."""
    try:
        counts: dict[str, int] = json.loads(store.read_bytes(_COUNTS, f"{stage}.json"))
    except FileNotFoundError:
        return {}
    return counts
