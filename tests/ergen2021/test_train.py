"""Certified training: against Clarabel, gradient descent, and the statements of the paper."""

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cnntheory import images
from cnntheory.ergen2021 import (
    ConvergenceWarning,
    ConvexCNNRegressor,
    Network,
    TwoReLU,
    beta_max,
    certify,
    columns,
    enumerate_cells,
    path,
    relax,
    sample_gates,
    train_convex,
)
from cnntheory.ergen2021.architectures import get_architecture

POOLINGS = ("average", "max")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("fraction", [0.3, 0.03])
@pytest.mark.parametrize("shape", [(8, 2, 2), (6, 2, 3)])
def test_the_optimum_is_clarabels(draw, clarabel_value, pooling, fraction, shape):
    patches, y = draw(*shape, seed=1)
    beta = fraction * beta_max(patches, y, architecture=pooling)
    solution = train_convex(patches, y, beta, architecture=pooling)
    reference = clarabel_value(patches, y, beta, solution.cells.patterns, pooling)
    assert solution.objective == pytest.approx(reference, rel=1e-6)
    assert solution.gap <= 1e-8
    assert solution.exact


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("seed", range(3))
def test_the_mapped_network_attains_the_program(draw, pooling, seed):
    patches, y = draw(6, 3, 3, seed)
    beta = 0.1 * beta_max(patches, y, architecture=pooling)
    solution = train_convex(patches, y, beta, architecture=pooling)
    u, w = solution.network.filters, solution.network.weights
    response = np.maximum(np.einsum("nkh,mh->nkm", patches, u), 0)
    fit = (response.sum(1) if pooling == "average" else response.max(1)) @ w
    value = ((fit - y) ** 2).sum() / 2 + beta / 2 * ((u**2).sum() + (w**2).sum())
    assert value == pytest.approx(solution.objective, rel=1e-12)
    assert value == pytest.approx(solution.program, rel=1e-8)
    assert solution.dual_bound <= value * (1 + 1e-12)
    assert len(w) <= len(y)


def test_column_generation_solves_the_whole_program(draw):
    patches, y = draw(14, 3, 3)
    beta = 0.05 * beta_max(patches, y)
    solution = train_convex(patches, y, beta)
    assert len(solution.cells.patterns) > 1000
    assert solution.n_rounds > 1
    assert solution.gap <= 1e-8
    certificate = certify(solution.network, patches, y, beta)
    assert certificate.gap <= 1e-7
    assert certificate.price <= beta * (1 + 1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_dual_point_is_feasible(draw, pooling):
    patches, y = draw(8, 2, 2)
    beta = 0.1 * beta_max(patches, y, architecture=pooling)
    solution = train_convex(patches, y, beta, architecture=pooling)
    v = solution.dual
    directions = sample_gates(2, 20_000, 3)
    directions /= np.linalg.norm(directions, axis=0)
    response = np.maximum(patches @ directions, 0)
    pooled = response.sum(1) if pooling == "average" else response.max(1)
    assert np.abs(v @ pooled).max() <= beta * (1 + 1e-9)
    assert v @ y - v @ v / 2 == pytest.approx(solution.dual_bound, rel=1e-12)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradient_descent_stays_above(draw, pooling):
    patches, y = draw(6, 2, 2)
    beta = 0.1 * beta_max(patches, y, architecture=pooling)
    solution = train_convex(patches, y, beta, architecture=pooling)
    generator = torch.Generator().manual_seed(0)
    u = torch.randn(8, 12, 2, generator=generator, dtype=torch.float64).requires_grad_()
    w = torch.randn(8, 12, generator=generator, dtype=torch.float64).requires_grad_()
    x, target = torch.tensor(patches), torch.tensor(y)
    optimiser = torch.optim.Adam([u, w], lr=0.03)
    for _ in range(600):
        response = torch.relu(torch.einsum("nkh,rmh->rnkm", x, u))
        pooled = response.sum(2) if pooling == "average" else response.amax(2)
        fit = torch.einsum("rnm,rm->rn", pooled, w)
        loss = ((fit - target) ** 2).sum(1) / 2
        loss = loss + beta / 2 * ((u**2).sum((1, 2)) + (w**2).sum(1))
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
    best = loss.min().item()
    assert best >= solution.dual_bound - 1e-9
    assert best <= solution.objective * (1.05 if pooling == "max" else 1.01)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_beyond_beta_max_the_zero_network_is_certified_without_iterations(draw, pooling, loss):
    patches, y = draw(6, 3, 3, seed=3)
    y = np.sign(y) if loss == "logistic" else y
    top = beta_max(patches, y, architecture=pooling, loss=loss)
    value = 6 * np.log(2) if loss == "logistic" else y @ y / 2
    # There the interior point had taken a minute to come to the same end.
    for factor in (1 + 1e-9, 1.01, 100):
        solution = train_convex(patches, y, factor * top, architecture=pooling, loss=loss)
        assert solution.n_iter == 0 and solution.converged
        assert len(solution.network.weights) == 0 and solution.gap == pytest.approx(0, abs=1e-12)
        assert solution.objective == pytest.approx(value) == solution.dual_bound
        np.testing.assert_array_equal(solution.network.predict(patches), 0)
    below = train_convex(patches, y, 0.99 * top, architecture=pooling, loss=loss)
    assert below.n_iter > 0 and len(below.network.weights) and below.gap <= 1e-8


@pytest.mark.parametrize("pooling", POOLINGS)
def test_beta_max_is_the_threshold(draw, pooling):
    patches, y = draw(7, 2, 3)
    top = beta_max(patches, y, architecture=pooling)
    above = train_convex(patches, y, top * (1 + 1e-6), architecture=pooling)
    below = train_convex(patches, y, top * (1 - 1e-3), architecture=pooling)
    assert len(above.network.weights) == 0
    assert above.objective == y @ y / 2
    assert len(below.network.weights) >= 1
    assert below.objective < y @ y / 2


def test_scaling_the_labels_scales_the_network(draw):
    """``(y, beta) -> (t y, t beta)`` takes the optimum to ``t^2`` times it."""
    patches, y = draw(7, 2, 2)
    beta = 0.1 * beta_max(patches, y)
    once, thrice = train_convex(patches, y, beta), train_convex(patches, 3 * y, 3 * beta)
    assert thrice.objective == pytest.approx(9 * once.objective, rel=1e-7)


def test_rotating_the_patches_changes_nothing(draw):
    patches, y = draw(6, 2, 3)
    rotation = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    values = [train_convex(x, y, 0.2).objective for x in (patches, patches @ rotation)]
    assert values[0] == pytest.approx(values[1], rel=1e-7)


def test_a_single_patch_pools_either_way(draw):
    patches, y = draw(7, 1, 2)
    average, largest = (train_convex(patches, y, 0.1, architecture=p).objective for p in POOLINGS)
    assert average == pytest.approx(largest, rel=1e-7)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_dropping_the_cones_lowers_the_value(draw, clarabel_value, pooling):
    patches, y = draw(6, 2, 3)
    full = train_convex(patches, y, 0.1, architecture=pooling)
    gated = relax(patches, y, 0.1, architecture=pooling, cones=False)
    reference = clarabel_value(patches, y, 0.1, full.cells.patterns, pooling, cones=False)
    assert gated.program == pytest.approx(reference, rel=1e-6)
    assert gated.gap <= 1e-7
    assert gated.program < 0.9 * full.objective
    sizes = np.linalg.norm(gated.variables, axis=1)
    assert gated.network.decay() == pytest.approx(2 * sizes.sum())
    assert gated.network.objective(patches, y, 0.1) > 1.1 * gated.program


def test_dropping_the_order_lowers_the_value_of_max_pooling(draw):
    patches, y = draw(6, 3, 3)
    full = train_convex(patches, y, 0.1, architecture="max")
    kept, loose, none = (
        relax(patches, y, 0.1, architecture="max", cones=cones) for cones in (True, "order", False)
    )
    assert none.program < loose.program < 0.99 * full.objective
    assert kept.program == pytest.approx(full.program, rel=1e-7)


def test_sampled_gates_bound_from_above_and_nest(draw):
    patches, y = draw(8, 2, 3)
    beta = 0.05 * beta_max(patches, y)
    exact = train_convex(patches, y, beta)
    values = [train_convex(patches, y, beta, cells=T, rng=5) for T in (5, 30, 2000)]
    assert not values[0].exact
    for coarse, fine in zip(values, [*values[1:], exact], strict=True):
        assert coarse.objective >= fine.objective * (1 - 1e-8)
        assert coarse.restricted_gap <= 1e-7 and coarse.converged and np.isnan(coarse.gap)
    assert values[0].objective > exact.objective * (1 + 1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gates_and_patterns_are_taken_as_given(draw, clarabel_value, pooling):
    patches, y = draw(8, 2, 3)
    gates = sample_gates(3, 8, 1)
    by_gates = train_convex(patches, y, 0.1, architecture=pooling, cells=gates)
    patterns = by_gates.cells.patterns
    by_patterns = train_convex(patches, y, 0.1, architecture=pooling, cells=patterns)
    assert by_gates.objective == by_patterns.objective
    reference = clarabel_value(patches, y, 0.1, patterns, pooling)
    assert by_gates.dual_bound == pytest.approx(reference, rel=1e-6)
    cells = enumerate_cells(patches, pooling)
    exact = train_convex(patches, y, 0.1, architecture=pooling)
    handed_on = train_convex(patches, y, 0.1, architecture=pooling, cells=cells)
    assert handed_on.exact and handed_on.gap == exact.gap and handed_on.cells is cells
    full = train_convex(patches, y, 0.1, architecture=pooling, cells=cells.patterns)
    assert full.objective == pytest.approx(exact.objective, rel=1e-7) and np.isnan(full.gap)


def test_the_path_is_the_solutions_one_by_one(draw):
    patches, y = draw(14, 3, 3)
    betas = np.array([0.1, 0.5, 0.02]) * beta_max(patches, y)
    solutions = path(patches, y, betas)
    for beta, solution in zip(betas, solutions, strict=True):
        assert solution.gap <= 1e-8
        assert solution.objective == pytest.approx(
            train_convex(patches, y, beta).objective, rel=1e-7
        )


def test_degenerate_patches(draw):
    """Zero, repeated and opposite patches, and repeated samples."""
    patches, y = draw(6, 3, 3)
    patches[0, 1] = 0
    patches[1] = patches[2]
    patches[3, 0] = -2 * patches[3, 1]
    for pooling in POOLINGS:
        solution = train_convex(patches, y, 0.1, architecture=pooling)
        assert solution.gap <= 1e-7
    zero = train_convex(np.zeros((3, 2, 2)), np.ones(3), 0.1)
    assert zero.objective == zero.dual_bound == 1.5
    assert len(zero.network.weights) == 0


@pytest.mark.parametrize("pooling", POOLINGS)
def test_certificates_are_rigorous(draw, pooling):
    patches, y = draw(7, 2, 2)
    beta = 0.1 * beta_max(patches, y, architecture=pooling)
    optimum = train_convex(patches, y, beta, architecture=pooling)
    rng = np.random.default_rng(0)
    wild = Network(10 * rng.standard_normal((5, 2)), rng.standard_normal(5), pooling)
    bad = certify(wild, patches, y, beta)
    assert bad.gap > 0.9
    assert bad.dual_bound <= optimum.objective
    for noise in (1e-1, 1e-3):
        filters = optimum.network.filters + noise * rng.standard_normal(
            optimum.network.filters.shape
        )
        near = Network(filters, optimum.network.weights, pooling)
        for dual in (None, optimum.dual):
            found = certify(near, patches, y, beta, dual=dual)
            excess = found.objective - optimum.objective
            assert found.dual_bound <= optimum.objective * (1 + 1e-9)
            assert found.gap * found.objective >= excess - 1e-9
        assert found.gap * found.objective == pytest.approx(excess, rel=1e-3, abs=1e-7)


def test_restricted_certificates_are_larger(draw):
    patches, y = draw(7, 2, 3)
    network = Network(np.eye(3), np.ones(3))
    everything = enumerate_cells(patches)
    bounds = [
        certify(network, patches, y, 0.1, cells=cells).dual_bound
        for cells in (sample_gates(3, 3, 0), everything)
    ]
    assert bounds[0] > bounds[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patches": np.ones((4, 3))}, r"patches: expected .* \(n, K, h\)"),
        ({"y": np.ones(3)}, r"y: expected shape \(4,\)"),
        ({"y": np.array([1, np.nan, 0, 0])}, "y: expected finite"),
        ({"patches": np.full((4, 2, 2), np.inf)}, "patches: expected finite"),
        ({"beta": 0.0}, "beta: expected a number above 0"),
        ({"beta": -1.0}, "beta: expected a number above 0, found -1"),
        ({"architecture": "mean"}, "architecture: expected one of average, max, none, linear"),
        ({"cells": "all"}, "cells: expected None for all, a number of gates"),
        ({"cells": 0}, "cells: expected at least 1 gate"),
        ({"cells": np.ones((3, 5))}, r"gates of shape \(2, T\)"),
        ({"cells": np.ones((2, 4, 3), bool)}, "patterns of shape"),
        ({"architecture": "max", "cells": np.ones((1, 4, 2), bool)}, "at most one winner"),
        ({"max_patterns": 3}, "predicts up to"),
    ],
)
def test_errors_name_the_argument(draw, change, message):
    patches, y = draw(4, 2, 2)
    options = {"patches": patches, "y": y, "beta": 0.1, **change}
    with pytest.raises(ValueError, match=message):
        train_convex(**options)


def test_certify_refuses_networks_of_another_shape(draw):
    patches, y = draw(4, 2, 2)
    with pytest.raises(ValueError, match=r"filters: expected shape \(m, 2\) for these patches"):
        certify(Network(np.ones((3, 5)), np.ones(3)), patches, y, 0.1)
    with pytest.raises(ValueError, match=r"weights: expected shape \(m, 2\)"):
        certify(Network(np.ones((3, 2)), np.ones(3), "none"), patches, y, 0.1)
    with pytest.raises(ValueError, match="dual: expected 4 finite entries"):
        certify(Network(np.ones((3, 2)), np.ones(3)), patches, y, 0.1, dual=y[:3])


@pytest.mark.parametrize("cones", ["order", "some"])
def test_cones_that_are_not_there_cannot_be_dropped(draw, cones):
    with pytest.raises(ValueError, match="cones: expected True, False, or 'order' with max"):
        relax(*draw(4, 2, 2), 0.1, cones=cones)


@pytest.mark.parametrize(
    "call",
    [
        lambda patches, y: get_architecture("mean"),
        lambda patches, y: enumerate_cells(patches, "mean"),
        lambda patches, y: path(patches, y, [0.1], architecture="mean"),
        lambda patches, y: beta_max(patches, y, architecture="mean"),
        lambda patches, y: ConvexCNNRegressor(architecture="mean").fit(patches[:, 0], y),
    ],
)
def test_an_unknown_architecture_is_refused(draw, call):
    with pytest.raises(ValueError, match="architecture: expected one of average, max, none, lin"):
        call(*draw(4, 2, 2))


def test_cells_of_another_architecture_or_of_other_samples_are_refused(draw):
    patches, y = draw(4, 2, 2)
    cells = enumerate_cells(patches)
    with pytest.raises(ValueError, match=r"cells: expected those of .* 'max', found .* 'average'"):
        train_convex(patches, y, 0.1, architecture="max", cells=cells)
    for architecture in ("average", "none", TwoReLU(shared=True), "two-relu"):
        cells = enumerate_cells(patches, architecture)
        with pytest.raises(ValueError, match=r"cells: expected .* of other patches"):
            beta_max(patches[:3], y[:3], architecture=architecture, cells=cells)
    with pytest.raises(ValueError, match="'two-relu, shared', found cells of 'two-relu'"):
        beta_max(patches, y, architecture=TwoReLU(shared=True), cells=cells)


@pytest.mark.parametrize(
    "architecture", ["average", "max", "none", "linear", "two-relu", TwoReLU(shared=True)], ids=str
)
def test_cells_are_handed_on_with_their_exactness(draw, architecture):
    patches, y = draw(4, 2, 2)
    cells = enumerate_cells(patches, architecture)
    program = dict(architecture=architecture, cells=cells)
    beta = 0.2 * beta_max(patches, y, **program)
    solution = train_convex(patches, y, beta, **program)
    assert solution.exact and solution.gap <= 1e-8 and solution.cells is cells
    again = certify(solution.network, patches, y, beta, dual=solution.dual, cells=cells)
    assert again.objective == solution.objective and again.gap <= 1e-7
    (only,) = path(patches, y, [beta], **program)
    assert only.objective == solution.objective


def test_the_library_loads_neither_torch_nor_scikit_learn():
    code = "import sys, cnntheory.ergen2021; sys.exit(bool({'torch', 'sklearn'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src").returncode == 0


# Real images


@pytest.fixture(scope="module")
def pictures(mnist_folder):
    """Images at half resolution in [0, 1] and their labels even / odd: MNIST, or its stand-in."""
    data = images.load(mnist_folder) if mnist_folder else images.small_mnist()
    pixels = data["train_images"][:1000].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    return pixels, np.where(data["train_labels"][:1000] % 2, -1.0, 1.0)


def cut(pixels, side, stride):
    """Mean-pooled square patches (n, K, side^2)."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side), axis=(1, 2))
    patches = windows[:, ::stride, ::stride].reshape(len(pixels), -1, side**2)
    return patches / patches.shape[1]


@pytest.mark.parametrize(
    ("n", "side", "stride", "gates", "weight_decay"),
    [
        (100, 4, 2, 20, 1e-2),
        (200, 4, 2, 20, 2e-2),
        (200, 3, 3, 10, 2e-3),
        (300, 7, 7, 5, 3e-1),
        (100, 5, 3, 20, 1e-4),
        (500, 4, 2, 20, 5e-2),
    ],
)
def test_images_are_trained_to_the_tolerance(pictures, n, side, stride, gates, weight_decay):
    pixels, y = pictures
    patches = cut(pixels[:n], side, stride)
    solution = train_convex(patches, y[:n], weight_decay, cells=gates, tol=1e-4)
    assert solution.converged and solution.restricted_gap <= 1e-4 and np.isnan(solution.gap)
    # Gaussian patches of the shape, at the same strength of the weight decay.
    draws = np.random.default_rng(0).standard_normal(patches.shape) * patches.std()
    assert train_convex(draws, y[:n], weight_decay, cells=gates, tol=1e-4).converged


def test_what_does_not_converge_says_so(pictures, monkeypatch):
    pixels, y = pictures
    short = functools.partial(columns.interior_point, max_iter=3)
    monkeypatch.setattr(columns, "interior_point", short)
    with pytest.warns(ConvergenceWarning, match=r"relative gap of .* not to tol = 0.0001"):
        solution = train_convex(cut(pixels[:50], 4, 2), y[:50], 1e-2, cells=5, tol=1e-4)
    assert not solution.converged and solution.restricted_gap > 1e-4


def test_the_certificate_of_sampled_cells_is_not_called_rigorous(draw):
    patches, y = draw(8, 2, 3)
    solution = train_convex(patches, y, 0.1)
    sampled = certify(solution.network, patches, y, 0.1, cells=sample_gates(3, 5, 1))
    assert np.isnan(sampled.gap) and np.isfinite(sampled.restricted_gap)
    exact = certify(solution.network, patches, y, 0.1)
    assert exact.gap == exact.restricted_gap <= 1e-6


@pytest.mark.parametrize("architecture", ["average", "max", "none"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_bound_in_time_is_that_over_all_cells(architecture, loss, draw):
    patches, y = draw(8, 3, 2)
    y = np.sign(y) if loss == "logistic" else y
    solution = train_convex(patches, y, 0.3, architecture=architecture, loss=loss, tol=1e-6)
    rng = np.random.default_rng(0)
    shape = (4, 3) if architecture == "none" else (4,)
    network = Network(rng.standard_normal((4, 2)), rng.standard_normal(shape), architecture)
    for dual in (None, solution.dual):
        options = dict(loss=loss, dual=dual)
        listed = certify(network, patches, y, 0.3, **options)
        timed = certify(network, patches, y, 0.3, **options, time_limit=60)
        assert timed.dual_bound == pytest.approx(listed.dual_bound, rel=1e-8, abs=1e-8)
        assert timed.dual_bound <= solution.objective
        assert timed.gap == timed.restricted_gap  # rigorous
        assert timed.attained <= timed.price == pytest.approx(timed.attained, rel=1e-8)
    # stopped at once it is looser, and as valid
    early = certify(network, patches, y, 0.3, loss=loss, time_limit=1e-9)
    assert early.dual_bound <= solution.objective * (1 + 1e-12) and early.price >= early.attained


def test_a_bound_in_time_refuses_what_it_cannot_do(draw):
    patches, y = draw(6, 2, 2)
    network = Network(np.ones((1, 2)), np.ones(1))
    cells = enumerate_cells(patches)
    with pytest.raises(ValueError, match="cells, time_limit"):
        certify(network, patches, y, 0.1, cells=cells, time_limit=1)
    with pytest.raises(ValueError, match="time_limit: expected seconds above 0, found 0"):
        certify(network, patches, y, 0.1, time_limit=0)
    linear = Network(np.ones((1, 2)), np.ones((1, 2)), "linear")
    with pytest.raises(ValueError, match="time_limit: architecture 'linear'"):
        certify(linear, patches, y, 0.1, time_limit=1)


@pytest.mark.parametrize("architecture", ["average", "max", "none", "linear"])
def test_cells_of_other_patches_would_give_false_bounds_and_are_refused(architecture, draw):
    patches, y = draw(8, 2, 2)
    cells = enumerate_cells(patches, architecture)
    network = Network(
        np.ones((1, 2)),
        np.ones((1, 2) if cells.architecture in ("none", "linear") else 1),
        architecture,
    )
    others = [0 * patches, patches[::-1], patches + 0.1]
    for other in others:
        with pytest.raises(ValueError, match="of other patches; enumerate them again"):
            certify(network, other, y, 0.1, cells=cells)
    if architecture in ("average", "max"):
        # the length of a sample moves no hyperplane
        certify(network, patches * np.arange(1, 9)[:, None, None], y, 0.1, cells=cells)


def test_patches_that_nearly_coincide_are_told_apart_without_pooling():
    """Pairs of opposite labels: what their sum leaves lies between them."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((6, 1, 2))
    patches = np.concatenate([x, x + 5e-8 * rng.standard_normal((6, 1, 2))])
    y = np.concatenate([np.ones(6), -np.ones(6)])
    listed = beta_max(patches, y, architecture="none")
    assert listed == pytest.approx(beta_max(patches, y, architecture="average"), rel=1e-6)


@pytest.mark.parametrize("tol", [-1, np.nan])
def test_meaningless_accuracies_are_refused(tol, draw):
    patches, y = draw(6, 2, 2)
    with pytest.raises(ValueError, match="tol: expected a number of at least 0"):
        train_convex(patches, y, 0.1, tol=tol)
