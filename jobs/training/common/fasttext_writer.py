"""Write the weights of a linear model as a fastText file.

A supervised fastText model computes softmax(output x mean(input rows)). With an output matrix that
only distributes the columns to the labels, the input rows are the weights of a linear model.

Source: fastText v0.9.2, format 12 (args.cc, dictionary.cc, densematrix.cc, quantmatrix.cc,
productquantizer.cc).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float32Array, Float64Array, UInt8Array
from udfs.base.model_constants import LABEL_PREFIX

_MAGIC, _VERSION = 793712314, 12
_SUPERVISED = 3
_LOSSES = {"softmax": 3, "ova": 4}
_LEVELS = 256
_ROUNDS = 30
_SAMPLE = 1 << 16


def write_linear_model(
    path: Path,
    words: Sequence[str],
    labels: Sequence[str],
    weights: npt.NDArray[np.floating],
    output: npt.NDArray[np.floating],
    loss: str = "softmax",
    quantised: bool = True,
) -> None:
    """Write a model file.

    Args:
        path: The file.
        words: The dictionary.
        labels: Label names without fastText's prefix.
        weights: One row a word, one column a dimension.
        output: Shape (labels, dimensions): logits = output x mean of the rows of a line.
        loss: softmax, or ova for independent labels.
        quantised: Store one byte a number, with 256 levels for each column; else four bytes.
    Raises:
        ValueError: shapes that do not match, or a word that a token line cannot hold.
    """
    rows, dim = weights.shape
    if rows != len(words) or output.shape != (len(labels), dim):
        raise ValueError(
            f"weights {weights.shape}, output {output.shape}: expected ({len(words)}, n) for the "
            f"words and ({len(labels)}, n) for the labels"
        )
    for word in words:
        if not word or any(sign.isspace() or sign == "\0" for sign in word):
            raise ValueError(f"word {word!r}: expected no white space or NUL, and no empty word")
    settings = struct.pack(
        "<14id", _MAGIC, _VERSION, dim, 5, 1, 1, 5, 1, _LOSSES[loss], _SUPERVISED,
        0, 0, 0, 100, 0.0,
    )  # fmt: skip
    entries = [(word, 0) for word in words] + [(LABEL_PREFIX + label, 1) for label in labels]
    parts = [settings, struct.pack("<3i2q", len(entries), len(words), len(labels), 0, -1)]
    # Falling counts, as fastText sorts its dictionary by them.
    for place, (name, kind) in enumerate(entries):
        count = len(words) - place if kind == 0 else 1
        parts.append(name.encode() + b"\0" + struct.pack("<qb", count, kind))
    numbers = weights.astype("<f4")
    parts.append(struct.pack("<?", quantised))
    if quantised:
        levels, codes = zip(*(_quantise(column) for column in numbers.T), strict=True)
        parts.append(struct.pack("<?2qi", False, rows, dim, rows * dim))
        parts.append(np.stack(codes, axis=1).tobytes())
        parts.append(struct.pack("<4i", dim, dim, 1, 1))
        parts.append(np.stack(levels).astype("<f4").tobytes())
    else:
        parts.append(struct.pack("<2q", rows, dim) + numbers.tobytes())
    parts.append(struct.pack("<?2q", False, len(labels), dim) + output.astype("<f4").tobytes())
    path.write_bytes(b"".join(parts))


def _quantise(column: Float32Array) -> tuple[Float32Array, UInt8Array]:
    """The 256 levels of a column, and the number of the nearest level of each value.

    The commonest value is a level: many words have the same weight.
    """
    distinct, counts = np.unique(column, return_counts=True)
    common = distinct[counts.argmax()]
    others = column[column != common]
    if len(distinct) <= _LEVELS:
        levels = np.resize(distinct, _LEVELS)
        levels[len(distinct) :] = distinct[-1]
    else:
        levels = np.sort(np.append(_means(others, _LEVELS - 1), common)).astype(np.float32)
    middles = (levels[1:].astype(np.float64) + levels[:-1]) / 2
    codes = np.searchsorted(middles, column.astype(np.float64)).astype(np.uint8)
    return levels, codes


def _means(numbers: Float32Array, count: int) -> Float64Array:
    """One-dimensional k-means, started at quantiles."""
    ordered = np.sort(numbers).astype(np.float64)
    ordered = ordered[np.linspace(0, len(ordered) - 1, min(len(ordered), _SAMPLE)).astype(int)]
    levels: Float64Array = np.quantile(ordered, (np.arange(count) + 0.5) / count)
    levels[0], levels[-1] = ordered[0], ordered[-1]
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(_ROUNDS):
        cuts = np.searchsorted(ordered, (levels[1:] + levels[:-1]) / 2)
        edges = np.concatenate([[0], cuts, [len(ordered)]])
        sizes = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(sizes, 1)
        levels = np.where(sizes > 0, means, levels)
    return levels
