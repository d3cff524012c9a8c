"""Logistic regression on sparse rows, compiled and repeatable.

A supervised fastText model is a linear model of a line's features. Fitting its weights to the
optimum of a convex loss needs no learning rate, no epochs and no order of the rows, and scores a
few points higher than fastText's own training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from udfs.base.array_types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from udfs.base.jit import compiled

_NEWTON_STEPS = 60
_CG_STEPS = 60
_HALVINGS = 30
_DUAL_STEPS = 100
_DUAL_ENOUGH = 1e-4


@dataclass(frozen=True)
class SparseRows:
    """Rows of which most values are zero (compressed sparse rows)."""

    bounds: Int64Array
    """Index of the first value of each row, and the number of values; (rows + 1,)."""
    columns: Int32Array
    """Column of each value; values of one column in one row add up."""
    values: Float32Array
    width: int
    """Number of columns."""

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.bounds) - 1

    def dot(self, weights: Float64Array) -> Float64Array:
        """Multiply each row by the weights of the columns, (rows,)."""
        return _dot(self.bounds, self.columns, self.values, weights)

    def transposed_dot(self, weights: Float64Array) -> Float64Array:
        """Multiply each column by the weights of the rows, (width,)."""
        return _transposed_dot(self.bounds, self.columns, self.values, weights, self.width)

    def picked(self, places: Int64Array) -> SparseRows:
        """Return the rows with these numbers."""
        sizes = np.diff(self.bounds)[places]
        bounds = np.concatenate([[0], np.cumsum(sizes)])
        at = np.arange(bounds[-1]) + np.repeat(self.bounds[places] - bounds[:-1], sizes)
        return SparseRows(bounds, self.columns[at], self.values[at], self.width)

    def scaled(self, by_row: Float64Array, by_column: Float64Array) -> SparseRows:
        """Multiply each value by its row's and its column's factor."""
        values = self.values * np.repeat(by_row, np.diff(self.bounds)) * by_column[self.columns]
        return replace(self, values=values.astype(np.float32))


@dataclass(frozen=True)
class Fitted:
    """A linear model: ``rows.dot(weights) + bias`` is the logit of the positive class."""

    weights: Float64Array
    bias: float


def fit_logistic(
    rows: SparseRows,
    positive: BoolArray,
    row_weights: Float64Array | None = None,
    strength: float = 1.0,
    tolerance: float = 1e-3,
) -> Fitted:
    """Minimise |w|^2 / 2 + strength * (sum of weighted logistic losses).

    The bias is not penalised. The same input gives the same bytes on one machine.

    Args:
        rows: One an example.
        positive: The class of each row.
        row_weights: Weight of each row's loss; None for 1 each.
        strength: The larger, the closer the fit to the rows (C of LIBLINEAR).
        tolerance: The fit ends where the gradient's norm is this share of that at zero weights.
    Raises:
        ValueError: numbers of rows differ, or all rows are of one class.
    Source:
        Lin, Weng, Keerthi 2008: Trust region Newton method for logistic regression; a line search
        here instead of the trust region.
    """
    weights_of_rows = np.ones(len(rows)) if row_weights is None else row_weights
    if not len(rows) == len(positive) == len(weights_of_rows):
        raise ValueError(
            f"{len(rows)} rows, {len(positive)} classes, {len(weights_of_rows)} weights"
        )
    if len(np.unique(positive[weights_of_rows > 0])) < 2:
        raise ValueError("rows of both classes are needed")
    signs = np.where(positive, 1.0, -1.0)
    costs = strength * weights_of_rows
    model = np.zeros(rows.width + 1)
    logits = np.zeros(len(rows))
    first = 0.0
    for _ in range(_NEWTON_STEPS):
        wrong = 1 / (1 + np.exp(signs * logits))
        gradient = _with_bias(rows, -costs * signs * wrong)
        gradient[:-1] += model[:-1]
        size = float(np.sqrt(_product(gradient, gradient)))
        first = first or size
        if size <= tolerance * first:
            break
        curvature = costs * wrong * (1 - wrong)
        enough = min(0.5, np.sqrt(size / first)) * size
        move = _newton_direction(rows, curvature, gradient, enough)
        move_logits = rows.dot(move[:-1]) + move[-1]
        share = _step_length(
            model, move, logits, move_logits, signs, costs, _product(gradient, move)
        )
        if share == 0.0:
            break
        model = model + share * move
        logits = logits + share * move_logits
    return Fitted(model[:-1], float(model[-1]))


def fit_logistic_by_rows(
    rows: SparseRows,
    positive: BoolArray,
    row_weights: Float64Array,
    strength: float,
    passes: int,
    seed: int,
) -> Float64Array:
    """Approximate `fit_logistic` without a bias by coordinate descent on the dual.

    Reaches the optimum's neighbourhood far sooner where rows are short, columns many and the
    strength is large. The same input gives the same bytes on one machine.

    Args:
        rows: One an example, and ``positive``, ``row_weights`` and ``strength`` as above; weights
            above 0.
        passes: Passes over all rows.
        seed: Seed of the order of the rows, which differs in each pass.
    Source:
        Yu, Huang, Lin 2011: Dual coordinate descent methods for logistic regression and maximum
        entropy models, algorithms 3 and 4.
    """
    signs = np.where(positive, 1.0, -1.0)
    squares = np.zeros(len(rows))
    np.add.at(squares, np.repeat(np.arange(len(rows)), np.diff(rows.bounds)), rows.values**2)
    rng = np.random.default_rng(seed)
    orders = np.stack([rng.permutation(len(rows)) for _ in range(passes)])
    return _dual_passes(
        rows.bounds, rows.columns, rows.values, rows.width, signs, squares,
        strength * row_weights, orders,
    )  # fmt: skip


def _with_bias(rows: SparseRows, weights: Float64Array) -> Float64Array:
    return np.append(rows.transposed_dot(weights), weights.sum())


def _product(a: Float64Array, b: Float64Array) -> float:
    """Inner product without BLAS, whose order of summation depends on the number of threads."""
    return float(np.einsum("i,i->", a, b))


def _newton_direction(
    rows: SparseRows, curvature: Float64Array, gradient: Float64Array, enough: float
) -> Float64Array:
    """Solve the Newton equation by conjugate gradients, until the residual is small enough."""
    move = np.zeros_like(gradient)
    residual = -gradient
    direction = residual.copy()
    energy = _product(residual, residual)
    for _ in range(_CG_STEPS):
        if np.sqrt(energy) <= 0.1 * enough:
            break
        along = curvature * (rows.dot(direction[:-1]) + direction[-1])
        product = _with_bias(rows, along)
        product[:-1] += direction[:-1]
        length = energy / _product(direction, product)
        move += length * direction
        residual -= length * product
        energy, before = _product(residual, residual), energy
        direction = residual + (energy / before) * direction
    return move


def _step_length(
    model: Float64Array,
    move: Float64Array,
    logits: Float64Array,
    move_logits: Float64Array,
    signs: Float64Array,
    costs: Float64Array,
    slope: float,
) -> float:
    """The first of 1, 1/2, 1/4 ... that satisfies the Armijo condition; 0 if none does."""

    def loss(share: float) -> float:
        weights = model[:-1] + share * move[:-1]
        losses = np.logaddexp(0.0, -signs * (logits + share * move_logits))
        return _product(weights, weights) / 2 + _product(costs, losses)

    before = loss(0.0)
    for halving in range(_HALVINGS):
        share = 0.5**halving
        if loss(share) <= before + 1e-4 * share * slope:
            return share
    return 0.0


@compiled
def _dot(
    bounds: Int64Array, columns: Int32Array, values: Float32Array, weights: Float64Array
) -> Float64Array:
    products = np.zeros(len(bounds) - 1, dtype=np.float64)
    for row in range(len(products)):
        total = 0.0
        for at in range(bounds[row], bounds[row + 1]):
            total += values[at] * weights[columns[at]]
        products[row] = total
    return products


@compiled
def _transposed_dot(
    bounds: Int64Array, columns: Int32Array, values: Float32Array, weights: Float64Array, width: int
) -> Float64Array:
    products = np.zeros(width, dtype=np.float64)
    for row in range(len(bounds) - 1):
        if weights[row] != 0.0:
            for at in range(bounds[row], bounds[row + 1]):
                products[columns[at]] += values[at] * weights[row]
    return products


@compiled
def _dual_passes(
    bounds: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    width: int,
    signs: Float64Array,
    squares: Float64Array,
    costs: Float64Array,
    orders: Int64Array,
) -> Float64Array:
    weights = np.zeros(width, dtype=np.float64)
    # A row's multiplier, and its cost less that; both are kept, as either may be tiny.
    given = np.minimum(0.001 * costs, 1e-8)
    left = costs - given
    for row in range(len(signs)):
        for at in range(bounds[row], bounds[row + 1]):
            weights[columns[at]] += signs[row] * given[row] * values[at]
    for order in orders:
        for row in order:
            margin, cost, square = 0.0, costs[row], squares[row]
            for at in range(bounds[row], bounds[row + 1]):
                margin += weights[columns[at]] * values[at]
            margin *= signs[row]
            # Solve for the one that will be less than half the cost.
            is_given = square * (left[row] - given[row]) / 2 + margin >= 0
            before = given[row] if is_given else left[row]
            turn = 1.0 if is_given else -1.0
            after = 0.1 * before if cost - before < 0.5 * cost else before
            for _ in range(_DUAL_STEPS):
                slope = square * (after - before) + turn * margin + np.log(after / (cost - after))
                if abs(slope) < _DUAL_ENOUGH:
                    break
                moved = after - slope / (square + cost / (cost - after) / after)
                after = moved if moved > 0 else 0.1 * after
            given[row] = after if is_given else cost - after
            left[row] = cost - after if is_given else after
            added = turn * (after - before) * signs[row]
            for at in range(bounds[row], bounds[row + 1]):
                weights[columns[at]] += added * values[at]
    return weights
