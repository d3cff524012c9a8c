"""Linear models of several classes beside their plain definitions."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.training.common.linear import SparseRows
from jobs.training.common.linear_classes import (
    class_logits,
    fit_multipliers,
    fit_softmax,
    softmax,
)
from udfs.base.array_types import Float64Array


def sparse(table: Float64Array) -> SparseRows:
    rows, columns = np.nonzero(table)
    bounds = np.searchsorted(rows, np.arange(len(table) + 1))
    values = table[rows, columns].astype(np.float32)
    return SparseRows(bounds.astype(np.int64), columns.astype(np.int32), values, table.shape[1])


@pytest.fixture
def example() -> tuple[Float64Array, Float64Array, Float64Array]:
    """Rows of small numbers, targets of three classes, what each row counts."""
    rng = np.random.default_rng(3)
    table = rng.integers(-2, 3, size=(40, 6)).astype(np.float64)
    targets = softmax(3 * table @ rng.normal(size=(6, 3)))
    return table, targets, rng.uniform(0.5, 2, size=40)


def loss_of(
    table: Float64Array, targets: Float64Array, counts: Float64Array, w: Float64Array
) -> float:
    return -float((counts[:, None] * targets * np.log(softmax(table @ w))).sum())


def test_logits_are_products_and_probabilities_sum_to_one() -> None:
    rng = np.random.default_rng(0)
    table, weights = rng.integers(0, 3, size=(5, 4)).astype(np.float64), rng.normal(size=(3, 4))
    assert class_logits(sparse(table), weights.T) == pytest.approx(table @ weights.T)
    huge = softmax(np.array([[1e4, 0.0, -1e4], [1.0, 1.0, 1.0]]))
    assert huge == pytest.approx(np.array([[1, 0, 0], [1 / 3] * 3]))


def test_the_fit_ends_where_no_small_change_helps(
    example: tuple[Float64Array, Float64Array, Float64Array],
) -> None:
    table, targets, counts = example
    penalty = 0.5
    weights = fit_softmax(sparse(table), targets, counts, penalty, 200)

    def whole(w: Float64Array) -> float:
        return loss_of(table, targets, counts, w) + penalty / 2 * float((w**2).sum())

    best = whole(weights)
    for place in np.ndindex(weights.shape):
        for change in (-1e-3, 1e-3):
            moved = weights.copy()
            moved[place] += change
            assert whole(moved) > best
    assert np.array_equal(weights, fit_softmax(sparse(table), targets, counts, penalty, 200))


def test_few_steps_and_a_penalty_hold_the_weights_back(
    example: tuple[Float64Array, Float64Array, Float64Array],
) -> None:
    table, targets, counts = example
    rows = sparse(table)
    free = fit_softmax(rows, targets, counts, 0.1, 100)
    few = fit_softmax(rows, targets, counts, 0.1, 2)
    held = fit_softmax(rows, targets, counts, 50.0, 100)
    losses = [loss_of(table, targets, counts, w) for w in (np.zeros((6, 3)), few, free)]
    assert losses == sorted(losses, reverse=True)
    assert np.abs(held).sum() < np.abs(free).sum()
    assert not fit_softmax(rows, targets, counts, 0.1, 0).any()


def test_multipliers_lower_the_loss_within_their_bounds(
    example: tuple[Float64Array, Float64Array, Float64Array],
) -> None:
    table, targets, counts = example
    table = np.abs(table)
    start = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0], [0, 2, 0], [0, 0, 0]])
    fixed = np.array([False, False, False, False, True, False])
    rows = sparse(table)
    found = fit_multipliers(rows, targets, counts, start, fixed, 0.0, 3.0, 60)
    assert np.array_equal(found[start == 0], start[start == 0])
    assert np.array_equal(found[fixed], start[fixed])
    assert ((found >= 0) & (found <= 3 * start)).all()
    assert (found != start).any()
    before, after = (loss_of(table, targets, counts, w) for w in (start, found))
    assert after < before
    held = fit_multipliers(rows, targets, counts, start, fixed, 1e4, 3.0, 60)
    assert np.abs(held - start).max() < np.abs(found - start).max()
