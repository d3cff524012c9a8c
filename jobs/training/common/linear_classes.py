"""Linear models of several classes on sparse rows, compiled and repeatable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jobs.training.common.linear import SparseRows
from udfs.base.array_types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from udfs.base.jit import compiled

_KEPT_STEPS = 6
_LEAST_STEP = 1e-6
_DECAY, _SQUARE_DECAY = 0.9, 0.99
_MULTIPLIER_STEP = 0.05


def class_logits(rows: SparseRows, weights: Float64Array) -> Float64Array:
    """Multiply each row by the weights of the columns, (rows, classes)."""
    return _dot(rows.bounds, rows.columns, rows.values, np.ascontiguousarray(weights))


def softmax(logits: Float64Array) -> Float64Array:
    """Turn logits into probabilities whose rows sum to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Float64Array = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def fit_softmax(
    rows: SparseRows,
    targets: Float64Array,
    row_weights: Float64Array,
    penalty: float,
    steps: int,
) -> Float64Array:
    """Minimise cross-entropy + penalty * |w|^2 / 2, without an intercept.

    Args:
        rows: One an example.
        targets: Shape (rows, classes), each row sums to 1.
        row_weights: Weight of each row's loss.
        penalty: Factor of the squared weights.
        steps: Steps of L-BFGS; stopping early regularises as a penalty does.
    Returns:
        Weights, (columns, classes).
    Source:
        Nocedal, Wright: Numerical Optimization, algorithm 7.4 (L-BFGS), with backtracking.
    """
    shape = (rows.width, targets.shape[1])

    def loss_of(point: Float64Array) -> tuple[float, Float64Array]:
        weights = point.reshape(shape)
        chances = softmax(class_logits(rows, weights))
        loss = -(row_weights[:, None] * targets * np.log(chances + 1e-12)).sum()
        gradient = _columns_of(rows, (chances - targets) * row_weights[:, None])
        whole = float(loss) + penalty / 2 * _inner(point, point)
        return whole, gradient.ravel() + penalty * point

    return _minimise(loss_of, np.zeros(shape[0] * shape[1]), steps).reshape(shape)


def fit_sigmoid(
    rows: SparseRows,
    targets: Float64Array,
    row_weights: Float64Array,
    penalty: float,
    steps: int,
    start: Float64Array | None = None,
) -> Float64Array:
    """Minimise the sum of independent logistic losses + penalty * |w - start|^2 / 2.

    Args:
        rows: One an example.
        targets: Shape (rows, classes), each in [0, 1].
        row_weights: Weight of each row's loss.
        penalty: Factor of the squared distance from ``start``.
        steps: Steps of L-BFGS.
        start: Weights to stay near to, shape (columns, classes); None for 0.
    Returns:
        Weights, (columns, classes).
    """
    shape = (rows.width, targets.shape[1])
    centre = np.zeros(shape[0] * shape[1]) if start is None else start.ravel()

    def loss_of(point: Float64Array) -> tuple[float, Float64Array]:
        logits = class_logits(rows, point.reshape(shape))
        losses = row_weights[:, None] * (np.logaddexp(0.0, logits) - targets * logits)
        errors = row_weights[:, None] * (1 / (1 + np.exp(-logits)) - targets)
        away = point - centre
        whole = float(losses.sum()) + penalty / 2 * _inner(away, away)
        return whole, _columns_of(rows, errors).ravel() + penalty * away

    return _minimise(loss_of, centre, steps).reshape(shape)


def fit_multipliers(
    rows: SparseRows,
    targets: Float64Array,
    row_weights: Float64Array,
    start: Float64Array,
    fixed: BoolArray,
    hold: float,
    most: float,
    steps: int,
) -> Float64Array:
    """Multiply given weights by factors of at least 0 that lower the cross-entropy.

    A weight of 0 stays 0: a column supports only the classes that it has a weight for.

    Args:
        rows: One an example.
        targets: Shape (rows, classes), each row sums to 1.
        row_weights: Weight of each row's loss.
        start: Weights of the columns, (columns, classes), at least 0.
        fixed: Columns whose multipliers stay 1.
        hold: Penalty that pulls each multiplier to 1.
        most: The largest multiplier.
        steps: Steps of Adam on all rows.
    Returns:
        ``start`` times the multipliers.
    Source:
        Kingma, Ba 2015: Adam.
    """
    used = np.flatnonzero(start.any(axis=1))
    given, rows = start[used], _some_columns(rows, used)
    multipliers = np.ones_like(given)
    free = (given > 0) & ~fixed[used, None]
    mean, square = np.zeros_like(given), np.zeros_like(given)
    for step in range(1, steps + 1):
        chances = softmax(class_logits(rows, given * multipliers))
        errors = (chances - targets) * row_weights[:, None] / len(rows)
        gradient = _columns_of(rows, errors) * given + hold * (multipliers - 1) / len(rows)
        mean = _DECAY * mean + (1 - _DECAY) * gradient
        square = _SQUARE_DECAY * square + (1 - _SQUARE_DECAY) * gradient**2
        move = mean / (1 - _DECAY**step) / (np.sqrt(square / (1 - _SQUARE_DECAY**step)) + 1e-12)
        moved = np.clip(multipliers - _MULTIPLIER_STEP * move, 0.0, most)
        multipliers = np.where(free, moved, 1.0)
    found = start.copy()
    found[used] *= multipliers
    return found


def _minimise(
    loss_of: Callable[[Float64Array], tuple[float, Float64Array]], point: Float64Array, steps: int
) -> Float64Array:
    loss, gradient = loss_of(point)
    moves: list[Float64Array] = []
    changes: list[Float64Array] = []
    for _ in range(steps):
        direction = _direction(gradient, moves, changes)
        slope, share = _inner(gradient, direction), 1.0
        while True:
            moved = point + share * direction
            loss_there, gradient_there = loss_of(moved)
            if loss_there <= loss + 1e-4 * share * slope or share < _LEAST_STEP:
                break
            share /= 2
        move, change = moved - point, gradient_there - gradient
        if _inner(move, change) > 1e-10:
            moves, changes = [*moves, move][-_KEPT_STEPS:], [*changes, change][-_KEPT_STEPS:]
        point, loss, gradient = moved, loss_there, gradient_there
    return point


def _direction(
    gradient: Float64Array, moves: list[Float64Array], changes: list[Float64Array]
) -> Float64Array:
    """The L-BFGS direction, from the curvature along the last steps."""
    direction = gradient.copy()
    pairs = list(zip(moves, changes, strict=True))
    shares = []
    for move, change in reversed(pairs):
        share = _inner(move, direction) / _inner(change, move)
        shares.append(share)
        direction -= share * change
    if pairs:
        move, change = pairs[-1]
        direction *= _inner(move, change) / _inner(change, change)
    else:
        direction /= max(1e-9, float(np.abs(gradient).max()))
    for (move, change), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - _inner(change, direction) / _inner(change, move)) * move
    return -direction


def _some_columns(rows: SparseRows, columns: Int64Array) -> SparseRows:
    """The rows with only these columns."""
    places = np.full(rows.width, -1, dtype=np.int32)
    places[columns] = np.arange(len(columns))
    kept = places[rows.columns] >= 0
    bounds = np.concatenate([[0], np.cumsum(kept)])[rows.bounds]
    return SparseRows(bounds, places[rows.columns[kept]], rows.values[kept], len(columns))


def _inner(left: Float64Array, right: Float64Array) -> float:
    """Inner product without BLAS, whose order of summation depends on the number of threads."""
    return float(np.einsum("i,i->", left, right))


def _columns_of(rows: SparseRows, of_rows: Float64Array) -> Float64Array:
    return _transposed_dot(rows.bounds, rows.columns, rows.values, of_rows, rows.width)


@compiled
def _dot(
    bounds: Int64Array, columns: Int32Array, values: Float32Array, weights: Float64Array
) -> Float64Array:
    classes = weights.shape[1]
    products = np.zeros((len(bounds) - 1, classes), dtype=np.float64)
    for row in range(len(bounds) - 1):
        for at in range(bounds[row], bounds[row + 1]):
            for number in range(classes):
                products[row, number] += values[at] * weights[columns[at], number]
    return products


@compiled
def _transposed_dot(
    bounds: Int64Array, columns: Int32Array, values: Float32Array, of_rows: Float64Array, width: int
) -> Float64Array:
    classes = of_rows.shape[1]
    products = np.zeros((width, classes), dtype=np.float64)
    for row in range(len(bounds) - 1):
        for at in range(bounds[row], bounds[row + 1]):
            for number in range(classes):
                products[columns[at], number] += values[at] * of_rows[row, number]
    return products
