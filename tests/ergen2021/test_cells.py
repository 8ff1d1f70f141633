"""Cells inside a cone, with their interior points; and the thinning of atoms."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021.atoms import reduce_atoms
from cnntheory.ergen2021.cells import interior_point, sign_cells


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (5, 2), (9, 3), (6, 4)])
def test_general_position_has_covers_count(rows, size):
    signs, points = sign_cells(np.random.default_rng(0).standard_normal((rows, size)))
    assert len(signs) == 2 * sum(comb(rows - 1, t) for t in range(size))
    assert len(np.unique(signs, axis=0)) == len(signs) == len(points)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10**6))
def test_degenerate_rows_give_the_cells_that_random_directions_see(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, size=(6, 3)).astype(float)
    signs, points = sign_cells(rows)
    np.testing.assert_array_equal(np.sign(points @ rows.T) * rows.any(axis=1), signs)
    seen = np.unique(np.sign(rng.standard_normal((5_000, 3)) @ rows.T), axis=0)
    np.testing.assert_array_equal(np.unique(signs, axis=0), seen)


def test_cells_inside_a_cone_are_those_of_its_directions():
    rng = np.random.default_rng(1)
    rows, cone = rng.standard_normal((7, 3)), rng.standard_normal((2, 3))
    signs, points = sign_cells(rows, cone)
    assert (points @ cone.T > 0).all()
    np.testing.assert_array_equal(np.sign(points @ rows.T), signs)
    u = rng.standard_normal((100_000, 3))
    seen = np.sign(u[(u @ cone.T > 0).all(axis=1)] @ rows.T).astype(int)
    # Random directions may miss a small cell; the point inside it is its proof.
    assert {*map(tuple, seen.tolist())} <= {*map(tuple, signs.tolist())}


def test_a_flat_cone_has_no_interior():
    assert interior_point(np.array([[1.0, 0.0], [-1.0, 0.0]])) is None
    assert len(sign_cells(np.eye(2), np.array([[1.0, 0.0], [-1.0, 0.0]]))[0]) == 0


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12))
def test_thinning_keeps_the_sum_and_never_raises_the_cost(seed, count):
    rng = np.random.default_rng(seed)
    atoms, coefficients = rng.standard_normal((3, count)), rng.random(count)
    thin = reduce_atoms(atoms, coefficients)
    np.testing.assert_allclose(atoms @ thin, atoms @ coefficients, atol=1e-10)
    assert (thin >= 0).all()
    assert thin.sum() <= coefficients.sum() + 1e-10
    assert (thin > 0).sum() <= 3
