"""Programs by the rows that bind, against all rows, NNLS and Clarabel; blocks against the whole."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory import images
from cnntheory.ergen2021 import ConvergenceWarning, beta_max, columns, sample_gates, train_convex
from cnntheory.ergen2021 import facets as facets_module
from cnntheory.ergen2021 import pricing as pricing_module
from cnntheory.ergen2021.architectures import Average, get_architecture
from cnntheory.ergen2021.arrangements import distinct
from cnntheory.ergen2021.columns import build_groups
from cnntheory.ergen2021.facets import (
    first_facets,
    project_on_cells,
    restrict_rows,
    violated_rows,
)
from cnntheory.ergen2021.interior_point import interior_point
from cnntheory.ergen2021.losses import Squared
from cnntheory.ergen2021.pricing import correlations, largest_price, project_on_cones


@pytest.fixture
def by_facets(monkeypatch):
    """Solve by the rows that bind however few there are."""
    monkeypatch.setattr(facets_module, "MANY_ROWS", 0)


@pytest.fixture(scope="module")
def digits(mnist_folder):
    """4 x 4 patches of 150 images at half resolution, and their labels even / odd."""
    data = images.load(mnist_folder) if mnist_folder else images.small_mnist()
    pixels = data["train_images"][:150].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    patches = images.extract_patches(pixels, 4, 2)
    return patches / patches.shape[1], np.where(data["train_labels"][:150] % 2, -1.0, 1.0)


def sampled(patches, gates, name="average"):
    drawn = sample_gates(patches.shape[2], gates, 0)
    architecture = get_architecture(name)
    patterns = architecture.gate(np.moveaxis(patches @ drawn, -1, 0))
    return architecture.restrict(patches, distinct(patterns)[0])


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_projections_by_few_rows_are_those_by_all(draw, pooling):
    patches, _ = draw(150, 3, 4)
    cells = sampled(patches, 6, pooling)
    owner = np.repeat(np.arange(6), 5)
    points = np.random.default_rng(1).standard_normal((30, 4))
    found, facets = project_on_cells(cells, points, owner, np.full((6, 0), -1))
    whole = project_on_cones(points, cells.cone_normals(owner))
    np.testing.assert_allclose(found, whole, atol=1e-9)
    assert (violated_rows(cells, found, owner) < 0).all()
    # the rows that were met cut out the same projections
    thin = restrict_rows(cells, facets)
    assert (facets >= 0).sum() < 6 * len(cells.rows) / 2
    again = project_on_cones(points, thin.cone_normals(owner))
    np.testing.assert_allclose(again, whole, atol=1e-9)


def test_the_most_violated_rows_come_first(draw, monkeypatch):
    monkeypatch.setattr(pricing_module, "_BLOCK", 64)  # several blocks
    patches, _ = draw(20, 2, 3)
    cells = sampled(patches, 5)
    points, owner = np.random.default_rng(1).standard_normal((15, 3)), np.arange(15) % 5
    found = violated_rows(cells, points, owner, 4)
    for point, cell, rows in zip(points, owner, found, strict=True):
        slack = cells.signs[cell] * (cells.rows @ point)
        assert (rows == np.argsort(slack)[:4])[slack[rows] < 0].all()
        assert (rows >= 0).sum() == min(4, (slack < 0).sum())


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("pooling", ["average", "max"])
@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_few_rows_solve_the_program_of_all(draw, monkeypatch, loss, pooling, tol):
    patches, y = draw(40, 3, 4)
    y = np.sign(y)
    options = {"loss": loss, "architecture": pooling, "cells": 8}
    whole = train_convex(patches, y, 0.5, tol=1e-8, **options)
    monkeypatch.setattr(facets_module, "MANY_ROWS", 0)
    found = train_convex(patches, y, 0.5, tol=tol, **options)
    assert found.converged
    assert found.dual_bound <= whole.objective * (1 + 1e-9)
    assert found.objective >= whole.dual_bound * (1 - 1e-9)
    assert found.objective == pytest.approx(whole.objective, rel=2 * tol)


@pytest.mark.parametrize("beta", [0.03, 0.3])
def test_few_rows_agree_with_clarabel(draw, clarabel_value, by_facets, beta):
    patches, y = draw(25, 3, 4)
    found = train_convex(patches, y, beta, cells=6)
    reference = clarabel_value(patches, y, beta, found.cells.patterns, "average")
    assert found.objective == pytest.approx(reference, rel=1e-6)


def test_images_by_few_rows(digits, monkeypatch):
    patches, y = digits
    found = train_convex(patches, y, 0.015, cells=6, tol=1e-6)
    assert len(sampled(patches, 6).rows) > facets_module.MANY_ROWS and found.converged
    monkeypatch.setattr(facets_module, "MANY_ROWS", np.inf)
    whole = train_convex(patches, y, 0.015, cells=6, tol=1e-6)
    assert found.objective == pytest.approx(whole.objective, rel=2e-6)
    # the optimum keeps to the cells: the network is linear where its gates say so
    outputs = np.abs(found.program - found.objective)
    assert outputs <= 1e-6 * found.objective


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 3.0), st.sampled_from([1e-1, 1e-4]))
def test_no_network_in_the_cells_is_below_the_bound(seed, beta, tol):
    """The bound is that of a program with fewer rows, and still one for the cells."""
    rng = np.random.default_rng(seed)
    patches, y = rng.standard_normal((30, 2, 3)), rng.standard_normal(30)
    gates = sample_gates(3, 4, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facets_module, "MANY_ROWS", 0)
        found = train_convex(patches, y, beta, cells=gates, tol=tol)
    # the best combination of the gates, both signs: networks inside the cells
    units = gates.T / np.linalg.norm(gates, axis=0)[:, None]
    outputs = Average().features(units, patches)
    masses = np.zeros(4)
    for _ in range(200):
        masses -= outputs.T @ (outputs @ masses - y) / np.linalg.norm(outputs, 2) ** 2
        shrink = beta / np.linalg.norm(outputs, 2) ** 2
        masses = np.sign(masses) * np.maximum(np.abs(masses) - shrink, 0)
        value = ((outputs @ masses - y) ** 2).sum() / 2 + beta * np.abs(masses).sum()
    assert found.dual_bound <= value * (1 + 1e-12)
    assert found.dual_bound <= found.objective * (1 + 1e-12)


def test_few_rows_that_do_not_converge_say_so(digits, monkeypatch):
    patches, y = digits
    short = functools.partial(columns.interior_point, max_iter=3)
    monkeypatch.setattr(columns, "interior_point", short)
    with pytest.warns(ConvergenceWarning, match=r"relative gap of .* not to tol = 0.0001"):
        found = train_convex(patches, y, 0.015, cells=3, tol=1e-4)
    assert not found.converged and found.restricted_gap > 1e-4


def test_the_zero_network_is_found_by_few_rows(digits):
    patches, y = digits
    cells = sampled(patches, 5)
    thin = restrict_rows(cells, first_facets(cells, patches, y, 0.0))
    top = largest_price(cells, patches, y)  # by all rows
    assert largest_price(thin, patches, y) == pytest.approx(top, rel=1e-9)
    assert beta_max(patches, y, cells=cells) == pytest.approx(top, rel=1e-9)
    assert len(train_convex(patches, y, 1.001 * top, cells=5).network.weights) == 0
    assert train_convex(patches, y, 0.99 * top, cells=5).objective < y @ y / 2


@pytest.mark.parametrize("samples", [8, 80])
def test_newton_in_the_space_of_samples_or_of_filters(draw, clarabel_value, samples):
    """The smaller of the two is factored; 4 cells of 3 entries lie between the two sizes."""
    patches, y = draw(samples, 2, 3)
    cells = sampled(patches, 4)
    groups = build_groups(cells, patches, np.arange(4))
    point = interior_point(groups, Squared(y), 0.1)
    value = point.v @ point.v / 2 + 0.1 * np.linalg.norm(point.c, axis=1).sum()
    reference = clarabel_value(patches, y, 0.1, cells.patterns, "average")
    assert value == pytest.approx(reference, rel=1e-7)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_blocks_change_nothing(draw, monkeypatch, pooling):
    patches, y = draw(17, 3, 2)
    drawn = sample_gates(2, 5, 0)

    def everything():
        cells = sampled(patches, 5, pooling)
        return (
            get_architecture(pooling).features(drawn.T, patches),
            train_convex(
                patches, y, 1.0, architecture=pooling, cells=drawn, tol=0.1
            ).cells.patterns,
            build_groups(cells, patches, np.arange(len(cells.patterns))).design,
            correlations(cells, patches, y),
        )

    whole = everything()
    monkeypatch.setattr(pricing_module, "_BLOCK", 40)
    monkeypatch.setattr(pricing_module, "_KEPT", 0)
    for one, other in zip(whole, everything(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)


def test_copies_of_a_patch_are_one_row():
    """Thousands of equal patches, scaled, turned and disturbed by rounding."""
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((7, 3))
    which = rng.integers(0, 7, 6000)
    scale = rng.uniform(0.5, 2, 6000) * rng.choice([-1, 1], 6000)
    patches = (lines[which] * scale[:, None]).reshape(2000, 3, 3)
    cells = Average().restrict(patches, patches[None] @ np.ones(3) > 0)
    assert len(cells.rows) == 7
    # every patch is on the side of its row that its pattern says
    leading = [np.flatnonzero(which == line)[0] for line in np.unique(which)]
    first = np.sort(leading)
    np.testing.assert_allclose(
        cells.rows,
        patches.reshape(-1, 3)[first]
        / np.linalg.norm(patches.reshape(-1, 3)[first], axis=1)[:, None],
    )
