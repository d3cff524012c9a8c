"""Cells of an inverted file: embeddings grouped around centroids, so that few are compared.

An index of one process would have to hold all embeddings. Here an image lies in the cell of its
nearest centroid, a text looks into the cells of several, and images and texts that share a cell are
multiplied as blocks. As faiss' IndexIVFFlat, over DataFrames. All arithmetic is exact or rounded to
float16 at the same places, so that centroids are the same on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Float16Array, Float64Array, Int32Array, Int64Array
from udfs.pair_noise.embeddings import similarities, unit_rows, vectors_of

ROUNDS = 10
SAMPLE_OF_CELL = 64
"""Embeddings of the sample for each cell that is fitted."""
MAX_SAMPLE = 65_536
"""Most embeddings of the sample, which the driver holds."""

_PART = 4096


def fit_cells(sample: Float16Array, cells: int) -> Float16Array:
    """Fit centroids by spherical k-means.

    It starts from every n-th vector. A cell that loses all its vectors takes the vector that is
    farthest from its own centroid.

    Args:
        sample: Shape (rows, width), in an order that has nothing to do with what they show.
    Returns:
        Centroids of length one, shape (min(cells, rows), width).
    """
    count = min(cells, len(sample))
    if not count:
        return sample
    centroids = sample[(np.arange(count) * len(sample)) // count]
    for _ in range(ROUNDS):
        own, values = _nearest_with_values(sample, centroids)
        sums = np.zeros((count, sample.shape[1]))
        np.add.at(sums, own, sample.astype(np.float64))
        empty = np.flatnonzero(np.bincount(own, minlength=count) == 0)
        farthest = np.argsort(values, kind="stable")[: len(empty)]
        sums[empty] = sample[farthest].astype(np.float64)
        moved = unit_rows(sums)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    return centroids


def nearest_cells(vectors: Float16Array, centroids: Float16Array, count: int) -> Int32Array:
    """The nearest cells of embeddings, nearest first, shape (rows, min(count, cells))."""
    count = min(count, len(centroids))
    parts = [np.empty((0, count), dtype=np.int32)]
    for start in range(0, len(vectors), _PART):
        products = similarities(vectors[start : start + _PART], centroids)
        order = np.argsort(-products, axis=1, kind="stable")[:, :count]
        parts.append(order.astype(np.int32))
    return np.concatenate(parts)


def cells_pass(
    centroids: Float16Array, count: int
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make the function for mapInArrow: key, vector in; key, vector, cell out, ``count`` rows for
    each."""

    def with_cells(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if not batch.num_rows:
                continue
            cells = nearest_cells(vectors_of(batch.column("vector")), centroids, count)
            rows = pa.array(np.repeat(np.arange(batch.num_rows), cells.shape[1]))
            columns = [batch.column(name).take(rows) for name in ("key", "vector")]
            yield pa.RecordBatch.from_arrays(
                [*columns, pa.array(cells.ravel())], names=["key", "vector", "cell"]
            )

    return with_cells


def _nearest_with_values(
    vectors: Float16Array, centroids: Float16Array
) -> tuple[Int64Array, Float64Array]:
    """The nearest centroid of each vector and their product, shapes (rows,)."""
    own, values = [], []
    for start in range(0, len(vectors), _PART):
        products = similarities(vectors[start : start + _PART], centroids)
        nearest = products.argmax(axis=1)
        own.append(nearest)
        values.append(products[np.arange(len(products)), nearest])
    return np.concatenate(own), np.concatenate(values)
