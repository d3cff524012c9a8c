"""The compiled regression beside its plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.common.linear import SparseRows, fit_logistic, fit_logistic_by_rows
from udfs.base.array_types import Float64Array


def sparse(table: Float64Array) -> SparseRows:
    """Rows of a table; every second value is in two parts, which add up."""
    bounds, columns, values = [0], [], []
    for row in table:
        for column, value in enumerate(row):
            if value:
                parts = [value / 4, value * 3 / 4] if column % 2 else [value]
                columns += [column] * len(parts)
                values += parts
        bounds.append(len(columns))
    return SparseRows(
        np.array(bounds, dtype=np.int64),
        np.array(columns, dtype=np.int32),
        np.array(values, dtype=np.float32),
        table.shape[1],
    )


def example(seed: int, rows: int = 60, width: int = 7) -> tuple[Float64Array, np.ndarray]:
    rng = np.random.default_rng(seed)
    table = rng.integers(-2, 3, size=(rows, width)).astype(np.float64)
    truth = table @ rng.normal(size=width) + rng.normal(size=rows) > 0.3
    truth[:2] = [True, False]
    return table, truth


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_products_of_sparse_rows_are_those_of_the_table(seed: int) -> None:
    table, _ = example(seed)
    rows = sparse(table)
    rng = np.random.default_rng(seed)
    by_row, by_column = rng.normal(size=len(table)), rng.normal(size=table.shape[1])
    assert rows.dot(by_column) == pytest.approx(table @ by_column, abs=1e-5)
    assert rows.transposed_dot(by_row) == pytest.approx(by_row @ table, abs=1e-5)
    scaled = table * by_row[:, None] * by_column
    assert rows.scaled(by_row, by_column).dot(by_column) == pytest.approx(
        scaled @ by_column, abs=1e-4
    )


@given(st.integers(0, 1000), st.sampled_from([0.05, 1.0, 30.0]))
@settings(max_examples=25, deadline=None)
def test_the_slope_of_the_loss_is_zero_at_the_fit(seed: int, strength: float) -> None:
    table, truth = example(seed)
    counts = np.random.default_rng(seed).integers(1, 4, size=len(table)).astype(np.float64)
    model = fit_logistic(sparse(table), truth, counts, strength, tolerance=1e-7)
    missed = counts * (truth - 1 / (1 + np.exp(-(table @ model.weights + model.bias))))
    assert model.weights == pytest.approx(strength * missed @ table, abs=1e-3)
    assert missed.sum() == pytest.approx(0.0, abs=1e-3)


@given(st.integers(0, 1000), st.sampled_from([0.05, 1.0]))
@settings(max_examples=25, deadline=None)
def test_passes_over_the_rows_end_where_the_slope_is_zero(seed: int, strength: float) -> None:
    table, truth = example(seed)
    counts = np.random.default_rng(seed).integers(1, 4, size=len(table)).astype(np.float64)
    weights = fit_logistic_by_rows(sparse(table), truth, counts, strength, 400, 1)
    missed = counts * (truth - 1 / (1 + np.exp(-(table @ weights))))
    assert weights == pytest.approx(strength * missed @ table, abs=2e-2)
    again = fit_logistic_by_rows(sparse(table), truth, counts, strength, 400, 1)
    assert weights.tobytes() == again.tobytes()


def test_a_weight_of_two_counts_as_two_rows() -> None:
    table, truth = example(5)
    counts = np.where(np.arange(len(table)) < 20, 2.0, 1.0)
    doubled = fit_logistic(
        sparse(np.concatenate([table, table[:20]])),
        np.concatenate([truth, truth[:20]]),
        tolerance=1e-7,
    )
    weighted = fit_logistic(sparse(table), truth, counts, tolerance=1e-7)
    assert weighted.weights == pytest.approx(doubled.weights, abs=1e-4)
    assert weighted.bias == pytest.approx(doubled.bias, abs=1e-4)


def test_classes_that_fall_apart_have_a_fit_too() -> None:
    table = np.array([[3.0], [2.0], [-2.0], [-3.0]])
    truth = np.array([True, True, False, False])
    model = fit_logistic(sparse(table), truth, strength=1e4)
    assert ((table @ model.weights + model.bias > 0) == truth).all()


def test_the_same_rows_give_the_same_bytes() -> None:
    table, truth = example(3)
    fits = [fit_logistic(sparse(table), truth) for _ in range(2)]
    assert fits[0].weights.tobytes() == fits[1].weights.tobytes()
    assert fits[0].bias == fits[1].bias


def test_what_cannot_be_fitted_is_said() -> None:
    rows = sparse(np.ones((3, 1)))
    with pytest.raises(ValueError, match="3 rows, 2 classes, 3 weights"):
        fit_logistic(rows, np.array([True, False]))
    with pytest.raises(ValueError, match="both classes"):
        fit_logistic(rows, np.array([True, True, True]))
    with pytest.raises(ValueError, match="both classes"):
        fit_logistic(rows, np.array([True, True, False]), np.array([1.0, 1.0, 0.0]))
