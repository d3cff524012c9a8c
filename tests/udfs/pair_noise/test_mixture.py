"""Mixtures of two groups against the values that they were made from."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.pair_noise.mixture import Mixture, fit_mixture, probabilities


def histogram(values: np.ndarray, bins: int = 1024) -> tuple[np.ndarray, np.ndarray]:
    counts, edges = np.histogram(values, bins=bins)
    return (edges[1:] + edges[:-1]) / 2, counts.astype(np.int64)


def two_groups(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of 3,000 noisy pairs and 7,000 clean ones."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.15, 0.05, 3000), rng.normal(0.35, 0.04, 7000)


def test_groups_are_found_again() -> None:
    noisy, clean = two_groups(1)
    found = fit_mixture(*histogram(np.concatenate([noisy, clean])))
    assert found is not None
    assert found.shares == pytest.approx((0.3, 0.7), abs=0.02)
    assert found.means == pytest.approx((0.15, 0.35), abs=0.005)
    assert found.deviations == pytest.approx((0.05, 0.04), abs=0.005)
    assert found.separation == pytest.approx(0.2 / np.sqrt((0.05**2 + 0.04**2) / 2), rel=0.05)


def test_probabilities_say_which_group_a_value_is_of() -> None:
    noisy, clean = two_groups(2)
    found = fit_mixture(*histogram(np.concatenate([noisy, clean])))
    assert found is not None
    of_noisy, of_clean = (probabilities(values, found)[0] for values in (noisy, clean))
    right = np.concatenate([of_noisy > 0.5, of_clean <= 0.5])
    assert right.mean() > 0.97
    assert np.concatenate([of_noisy, of_clean]).mean() == pytest.approx(found.shares[0], abs=0.01)


def test_a_value_far_above_the_clean_ones_is_not_noise() -> None:
    """The density of a wide group is the larger one on both far sides."""
    wide = Mixture(shares=(0.3, 0.7), means=(0.15, 0.35), deviations=(0.2, 0.02))
    values = np.linspace(-1, 1, 401)
    low, high = probabilities(values, wide)
    assert (np.diff(low) <= 1e-12).all() and low[-1] < 0.1 < 0.9 < low[0]
    assert np.allclose(low + high, 1)


def test_a_histogram_without_two_groups_has_no_mixture() -> None:
    counts = np.zeros(64, dtype=np.int64)
    assert fit_mixture(np.linspace(0, 1, 64), counts) is None
    counts[5] = 1000
    assert fit_mixture(np.linspace(0, 1, 64), counts) is None


def test_few_bins_give_what_many_give() -> None:
    values = np.concatenate(two_groups(3))
    few, many = (fit_mixture(*histogram(values, bins)) for bins in (256, 4096))
    assert few is not None and many is not None
    assert few.means == pytest.approx(many.means, abs=0.002)
    assert few.shares == pytest.approx(many.shares, abs=0.01)


def test_two_values_become_two_groups() -> None:
    counts = np.zeros(64, dtype=np.int64)
    counts[[4, 60]] = 10, 30
    found = fit_mixture(np.linspace(0, 63, 64), counts)
    assert found is not None
    assert found.means == pytest.approx((4, 60)) and found.shares == pytest.approx((0.25, 0.75))
