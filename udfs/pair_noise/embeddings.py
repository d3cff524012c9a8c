"""Embeddings as float16 vectors of length one, and scalar products of them without rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Float16Array, Float32Array, Float64Array

_BYTES = 2


class WrongEmbedding(ValueError):
    """Embeddings of one table differ in width."""


def similarities(rows: Float16Array, columns: Float16Array) -> Float64Array:
    """Scalar products of embeddings, shape (rows, columns), without a rounding error.

    Products of two float16 are multiples of 2 ** -48. Sums of those of two vectors whose lengths
    are near one stay below 2 ** 4, so float64 holds each of them: the result is the same for any
    order of summation, and so for any block, BLAS and number of threads.
    """
    products: Float64Array = rows.astype(np.float64) @ columns.astype(np.float64).T
    return products


def unit_rows(vectors: Float16Array | Float32Array | Float64Array) -> Float16Array:
    """Vectors at length one as float16, shape (rows, width); a vector of zeros stays one."""
    wide = vectors.astype(np.float64)
    lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
    unit: Float16Array = (wide / np.where(lengths > 0, lengths, 1.0)).astype(np.float16)
    return unit


def vectors_of(stored: pa.Array | Sequence[bytes]) -> Float16Array:
    """The vectors of stored embeddings (little-endian float16), shape (rows, width).

    Raises:
        WrongEmbedding: they differ in width, or one is no sequence of float16.
    """
    bodies = stored.to_pylist() if isinstance(stored, pa.Array) else list(stored)
    sizes = {len(body) for body in bodies}
    if len(sizes) > 1 or any(size % _BYTES or not size for size in sizes):
        raise WrongEmbedding(f"embeddings of {sorted(sizes)} bytes in one table")
    width = sizes.pop() // _BYTES if sizes else 0
    return np.frombuffer(b"".join(bodies), dtype="<f2").reshape(len(bodies), width)
