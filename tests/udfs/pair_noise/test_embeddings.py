"""Exact products, cells and cycle scores of embeddings."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from udfs.pair_noise.cells import fit_cells, nearest_cells
from udfs.pair_noise.cycle import cycle_score
from udfs.pair_noise.embeddings import WrongEmbedding, similarities, unit_rows, vectors_of


def made(rows: int, width: int, seed: int) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(rows, width)))


def test_products_are_exact_in_any_order() -> None:
    one, other = made(20, 512, 1), made(30, 512, 2)
    found = similarities(one, other)
    for row, column in ((0, 0), (7, 3), (19, 29)):
        exact = sum(
            Fraction(float(a)) * Fraction(float(b))
            for a, b in zip(one[row], other[column], strict=True)
        )
        assert Fraction(float(found[row, column])) == exact
    turned = similarities(one[:, ::-1], other[:, ::-1])
    assert np.array_equal(found, turned)
    assert np.array_equal(found[5:9, 2:3], similarities(one[5:9], other[2:3]))


def test_unit_rows_have_length_one() -> None:
    lengths = np.linalg.norm(made(100, 384, 3).astype(np.float64), axis=1)
    assert np.allclose(lengths, 1, atol=1e-3)
    assert np.array_equal(unit_rows(np.zeros((1, 4))), np.zeros((1, 4)))


def test_stored_bytes_become_vectors_again() -> None:
    vectors = made(5, 12, 4)
    assert np.array_equal(vectors_of([row.tobytes() for row in vectors]), vectors)


@pytest.mark.parametrize("stored", [[b"\0\0", b"\0\0\0\0"], [b"\0\0\0"], [b""]])
def test_embeddings_of_other_sizes_are_refused(stored: list[bytes]) -> None:
    with pytest.raises(WrongEmbedding, match="bytes"):
        vectors_of(stored)


def test_cells_are_the_groups_of_the_vectors() -> None:
    rng = np.random.default_rng(5)
    groups = made(8, 32, 6).astype(np.float64)
    own = np.tile(np.arange(8), 50)
    vectors = unit_rows(groups[own] + 0.05 * rng.normal(size=(400, 32)))
    centroids = fit_cells(vectors, 8)
    cells = nearest_cells(vectors, centroids, 3)
    assert cells.shape == (400, 3)
    products = similarities(vectors, centroids)
    assert np.array_equal(cells[:, 0], products.argmax(axis=1))
    assert (np.diff(np.take_along_axis(products, cells, axis=1), axis=1) <= 0).all()
    inertia = (1 - products.max(axis=1)).mean()
    assert inertia < (1 - similarities(vectors, made(8, 32, 7)).max(axis=1)).mean() / 3


def test_equal_vectors_fill_no_more_cells_than_there_are() -> None:
    vectors = np.repeat(made(1, 16, 8), 20, axis=0)
    centroids = fit_cells(vectors, 4)
    assert centroids.shape == (4, 16)
    assert nearest_cells(vectors, centroids, 9).shape == (20, 4)
    assert fit_cells(vectors[:0], 4).shape == (0, 16)


def test_the_cycle_score_is_the_mean_over_the_texts_that_come_back() -> None:
    own, same, other = np.eye(3, dtype=np.float16)
    assert cycle_score(own, np.stack([own, own])) == 1
    assert cycle_score(own, np.stack([own, other])) == 0.5
    assert cycle_score(own, np.stack([same, other])) == 0
    assert cycle_score(own, 3 * np.stack([own, -own])) == 0
