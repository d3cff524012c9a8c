"""How well clusters of documents agree with all pairs that are similar enough."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.builders.near_duplicates import Pairs, clusters_of

Clusters = npt.NDArray[np.int64]


class Quality(NamedTuple):
    """Of one program's clusters."""

    recall: float
    """Share of the similar pairs whose two documents are in one cluster."""
    precision: float
    """Share of the removed documents that the similar pairs call for: a cluster that takes m
    components of the true graph together removes m - 1 documents too many."""
    removed: int


def quality(clusters: Clusters, truth: Pairs) -> Quality:
    """Judge clusters, shape (documents,), by every pair that is similar enough."""
    together = clusters[truth.left] == clusters[truth.right]
    components = clusters_of(len(clusters), truth.left.tolist(), truth.right.tolist())
    documents = len(clusters)
    found = len(np.unique(clusters))
    _, cluster_numbers = np.unique(clusters, return_inverse=True)
    parts = len(np.unique(cluster_numbers * np.int64(documents) + components))
    removed = documents - found
    return Quality(
        recall=float(together.mean()) if len(together) else 1.0,
        precision=(documents - parts) / removed if removed else 1.0,
        removed=removed,
    )
