"""The interior point and the projections, against Clarabel, NNLS and the optimality conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from cnntheory.ergen2021 import enumerate_cells, sample_gates
from cnntheory.ergen2021.architectures import Average
from cnntheory.ergen2021.columns import build_groups
from cnntheory.ergen2021.interior_point import _upper_root, interior_point
from cnntheory.ergen2021.losses import Squared, dual_value
from cnntheory.ergen2021.pricing import largest_price, price_cells, project_on_cones


def value(point, beta):
    return point.v @ point.v / 2 + beta * np.linalg.norm(point.c, axis=1).sum()


@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("shape", [(6, 2, 2), (5, 2, 3)])
@pytest.mark.parametrize("beta", [0.03, 0.3])
def test_the_interior_point_agrees_with_clarabel(draw, clarabel_value, pooling, shape, beta):
    patches, y = draw(*shape, seed=2)
    cells = enumerate_cells(patches, pooling)
    groups = build_groups(cells, patches, np.arange(len(cells.patterns)))
    point = interior_point(groups, Squared(y), beta)
    reference = clarabel_value(patches, y, beta, cells.patterns, pooling)
    assert value(point, beta) == pytest.approx(reference, rel=1e-6)
    bound, _ = dual_value(point.v, Squared(y), point.price, beta)
    assert bound == pytest.approx(reference, rel=1e-6)


def test_facets_and_shared_rows_solve_the_same_program(draw):
    patches, y = draw(6, 3, 3)
    exact = enumerate_cells(patches)
    shared = Average().restrict(patches, exact.patterns)
    values = []
    for cells in (exact, shared):
        groups = build_groups(cells, patches, np.arange(len(cells.patterns)))
        values.append(value(interior_point(groups, Squared(y), 0.1), 0.1))
    assert values[0] == pytest.approx(values[1], rel=1e-7)


def test_the_solution_lies_in_its_cones(draw):
    patches, y = draw(20, 1, 5)
    patterns = np.moveaxis(patches @ sample_gates(5, 30, 0), -1, 0) > 0
    cells = Average().restrict(patches, np.unique(patterns, axis=0))
    groups = build_groups(cells, patches, np.arange(len(cells.patterns)))
    point = interior_point(groups, Squared(y), 0.2)
    assert groups.slack(point.c).min() >= -1e-9
    assert (point.multipliers >= 0).all()
    np.testing.assert_allclose(point.v, y - groups.fit(point.c), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 1.0), st.floats(-2.0, 2.0))
def test_weak_duality(seed, beta, scale):
    """No dual point exceeds the objective of any network."""
    rng = np.random.default_rng(seed)
    patches, y = rng.standard_normal((6, 2, 2)), rng.standard_normal(6)
    v = scale * (y + rng.standard_normal(6))
    cells = enumerate_cells(patches)
    bound, _ = dual_value(v, Squared(y), largest_price(cells, patches, v), beta)
    filters, weights = rng.standard_normal((4, 2)), rng.standard_normal(4)
    fit = np.maximum(patches @ filters.T, 0).sum(axis=1) @ weights
    decay = (filters**2).sum() + (weights**2).sum()
    assert bound <= ((fit - y) ** 2).sum() / 2 + beta / 2 * decay + 1e-12


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 12))
def test_projections_agree_with_nnls(seed, h, count):
    rng = np.random.default_rng(seed)
    facets = rng.standard_normal((3, count, h))
    facets /= np.maximum(np.linalg.norm(facets, axis=2, keepdims=True), 1e-300)
    points = rng.standard_normal((3, h))
    for point, normals, found in zip(points, facets, project_on_cones(points, facets), strict=True):
        expected = point + normals.T @ nnls(normals.T, -point)[0] if count else point
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_padded_facets_do_not_bound(draw):
    facets = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    found = project_on_cones(np.array([[-1.0, -2.0]]), facets)
    np.testing.assert_allclose(found, [[0.0, -2.0]], atol=1e-12)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_prices_are_the_maximum_over_the_sphere(draw, pooling):
    patches, y = draw(8, 3, 2)
    price = largest_price(enumerate_cells(patches, pooling), patches, y)
    angle = np.linspace(0, 2 * np.pi, 200_001)
    response = np.maximum(patches @ np.stack([np.cos(angle), np.sin(angle)]), 0)
    pooled = response.sum(axis=1) if pooling == "average" else response.max(axis=1)
    grid = np.abs(y @ pooled).max()
    assert grid <= price * (1 + 1e-12)
    assert price == pytest.approx(grid, rel=1e-8)


def test_pricing_finds_every_cell_above_the_floor(draw):
    patches, y = draw(8, 2, 3)
    cells = enumerate_cells(patches)
    top = largest_price(cells, patches, y)
    price, found, rays, _ = price_cells(cells, patches, y, floor=0.5 * top)
    assert price == pytest.approx(top, rel=1e-12)
    each = np.zeros((2, len(cells.patterns)))
    for row, sign in zip(each, (1, -1), strict=True):
        correlation = sign * np.einsum("pnk,nkh,n->ph", cells.patterns, patches, y)
        row[:] = np.linalg.norm(
            project_on_cones(correlation, cells.cone_normals(slice(None))), axis=1
        )
    assert len(found) == (each > 0.5 * top).sum()
    np.testing.assert_allclose(
        np.linalg.norm(rays, axis=1), np.sort(each[each > 0.5 * top])[::-1], rtol=1e-9
    )


@pytest.mark.parametrize("rank", [0, 1, 4])
def test_an_upper_root_of_few_and_unequal_rows(rank):
    rng = np.random.default_rng(rank)
    rows = rng.standard_normal((9, rank, 4)) * 10.0 ** rng.uniform(-5, 5, (9, rank, 1))
    blocks = rows.transpose(0, 2, 1) @ rows
    root = _upper_root(blocks)
    error = np.abs(root.transpose(0, 2, 1) @ root - blocks).max(axis=(1, 2))
    assert (error <= 1e-14 * np.einsum("gii->g", blocks) + 1e-300).all()


def test_an_upper_root_of_what_rounding_left_indefinite():
    blocks = np.diag([1.0, -1e-12])[None]
    root = _upper_root(blocks)
    np.testing.assert_allclose(root.transpose(0, 2, 1) @ root, blocks, atol=2e-12)
