"""Certified training: against Clarabel, gradient descent, and the statements of the paper."""

import functools

import numpy as np
import pytest
import torch

from cnntheory import images
from cnntheory.ergen2021 import (
    ConvergenceWarning,
    ConvexCNNRegressor,
    Network,
    balance,
    beta_max,
    certify,
    enumerate_cells,
    gate_patterns,
    path,
    pattern_cells,
    reduce_filters,
    sample_gates,
    sign_patterns,
    train,
    train_convex,
    winner_patterns,
)
from cnntheory.ergen2021.network import features

POOLINGS = ("average", "max")


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("fraction", [0.3, 0.03])
@pytest.mark.parametrize("shape", [(8, 2, 2), (6, 2, 3)])
def test_the_optimum_is_clarabels(draw, clarabel_value, pooling, fraction, shape):
    patches, y = draw(*shape, seed=1)
    beta = fraction * beta_max(patches, y, pooling)
    solution = train_convex(patches, y, beta, pooling=pooling)
    reference = clarabel_value(patches, y, beta, solution.patterns, pooling)
    assert solution.objective == pytest.approx(reference, rel=1e-6)
    assert solution.gap <= 1e-8
    assert solution.exact


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("seed", range(3))
def test_the_mapped_network_attains_the_program(draw, pooling, seed):
    patches, y = draw(6, 3, 3, seed)
    beta = 0.1 * beta_max(patches, y, pooling)
    solution = train_convex(patches, y, beta, pooling=pooling)
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
    assert len(solution.patterns) > 1000
    assert solution.rounds > 1
    assert solution.gap <= 1e-8
    certificate = certify(solution.network.filters, solution.network.weights, patches, y, beta)
    assert certificate.gap <= 1e-7
    assert certificate.price <= beta * (1 + 1e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_dual_point_is_feasible(draw, pooling):
    patches, y = draw(8, 2, 2)
    beta = 0.1 * beta_max(patches, y, pooling)
    solution = train_convex(patches, y, beta, pooling=pooling)
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
    beta = 0.1 * beta_max(patches, y, pooling)
    solution = train_convex(patches, y, beta, pooling=pooling)
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
    top = beta_max(patches, y, pooling, loss=loss)
    value = 6 * np.log(2) if loss == "logistic" else y @ y / 2
    # There the interior point had taken a minute to come to the same end.
    for factor in (1 + 1e-9, 1.01, 100):
        solution = train_convex(patches, y, factor * top, pooling=pooling, loss=loss)
        assert solution.iterations == 0 and solution.converged
        assert len(solution.network.weights) == 0 and solution.gap == pytest.approx(0, abs=1e-12)
        assert solution.objective == pytest.approx(value) == solution.dual_bound
        np.testing.assert_array_equal(solution.network.predict(patches), 0)
    below = train_convex(patches, y, 0.99 * top, pooling=pooling, loss=loss)
    assert below.iterations > 0 and len(below.network.weights) and below.gap <= 1e-8


@pytest.mark.parametrize("pooling", POOLINGS)
def test_beta_max_is_the_threshold(draw, pooling):
    patches, y = draw(7, 2, 3)
    top = beta_max(patches, y, pooling)
    above = train_convex(patches, y, top * (1 + 1e-6), pooling=pooling)
    below = train_convex(patches, y, top * (1 - 1e-3), pooling=pooling)
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
    average, largest = (train_convex(patches, y, 0.1, pooling=p).objective for p in POOLINGS)
    assert average == pytest.approx(largest, rel=1e-7)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_dropping_the_cones_lowers_the_value(draw, clarabel_value, pooling):
    patches, y = draw(6, 2, 3)
    full = train_convex(patches, y, 0.1, pooling=pooling)
    gated = train_convex(patches, y, 0.1, pooling=pooling, cones=False)
    reference = clarabel_value(patches, y, 0.1, full.patterns, pooling, cones=False)
    assert gated.objective == pytest.approx(reference, rel=1e-6)
    assert gated.restricted_gap <= 1e-7 and np.isnan(gated.gap)
    assert gated.objective < 0.9 * full.objective
    assert gated.network.objective(patches, y, 0.1) > 1.1 * gated.program


def test_dropping_the_order_lowers_the_value_of_max_pooling(draw):
    patches, y = draw(6, 3, 3)
    full = train_convex(patches, y, 0.1, pooling="max")
    loose = train_convex(patches, y, 0.1, pooling="max", cones="order")
    none = train_convex(patches, y, 0.1, pooling="max", cones=False)
    assert none.objective < loose.objective < 0.99 * full.objective


def test_sampled_gates_bound_from_above_and_nest(draw):
    patches, y = draw(8, 2, 3)
    beta = 0.05 * beta_max(patches, y)
    exact = train_convex(patches, y, beta)
    values = [train_convex(patches, y, beta, arrangements=T, seed=5) for T in (5, 30, 2000)]
    assert not values[0].exact
    for coarse, fine in zip(values, [*values[1:], exact], strict=True):
        assert coarse.objective >= fine.objective * (1 - 1e-8)
        assert coarse.restricted_gap <= 1e-7 and coarse.converged and np.isnan(coarse.gap)
    assert values[0].objective > exact.objective * (1 + 1e-4)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gates_and_patterns_are_taken_as_given(draw, clarabel_value, pooling):
    patches, y = draw(8, 2, 3)
    gates = sample_gates(3, 8, 1)
    patterns = gate_patterns(patches, gates, pooling)
    by_gates = train_convex(patches, y, 0.1, pooling=pooling, arrangements=gates)
    by_patterns = train_convex(patches, y, 0.1, pooling=pooling, arrangements=patterns)
    assert by_gates.objective == pytest.approx(by_patterns.objective, rel=1e-8)
    reference = clarabel_value(patches, y, 0.1, patterns, pooling)
    assert by_gates.dual_bound == pytest.approx(reference, rel=1e-6)
    everything = sign_patterns(patches) if pooling == "average" else winner_patterns(patches)
    full = train_convex(patches, y, 0.1, pooling=pooling, arrangements=everything)
    exact = train_convex(patches, y, 0.1, pooling=pooling)
    assert full.objective == pytest.approx(exact.objective, rel=1e-7)


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
        solution = train_convex(patches, y, 0.1, pooling=pooling)
        assert solution.gap <= 1e-7
    zero = train_convex(np.zeros((3, 2, 2)), np.ones(3), 0.1)
    assert zero.objective == zero.dual_bound == 1.5
    assert len(zero.network.weights) == 0


@pytest.mark.parametrize("pooling", POOLINGS)
def test_certificates_are_rigorous(draw, pooling):
    patches, y = draw(7, 2, 2)
    beta = 0.1 * beta_max(patches, y, pooling)
    optimum = train_convex(patches, y, beta, pooling=pooling)
    rng = np.random.default_rng(0)
    bad = certify(
        10 * rng.standard_normal((5, 2)), rng.standard_normal(5), patches, y, beta, pooling
    )
    assert bad.gap > 0.9
    assert bad.dual_bound <= optimum.objective
    for noise in (1e-1, 1e-3):
        filters = optimum.network.filters + noise * rng.standard_normal(
            optimum.network.filters.shape
        )
        for dual in (None, optimum.dual):
            near = certify(filters, optimum.network.weights, patches, y, beta, pooling, dual=dual)
            excess = near.objective - optimum.objective
            assert near.dual_bound <= optimum.objective * (1 + 1e-9)
            assert near.gap * near.objective >= excess - 1e-9
        assert near.gap * near.objective == pytest.approx(excess, rel=1e-3, abs=1e-7)


def test_restricted_certificates_are_larger(draw):
    patches, y = draw(7, 2, 3)
    network = Network(np.eye(3), np.ones(3))
    few = pattern_cells(patches, gate_patterns(patches, sample_gates(3, 3, 0)))
    everything = enumerate_cells(patches)
    bounds = [
        certify(network.filters, network.weights, patches, y, 0.1, cells=cells).dual_bound
        for cells in (few, everything)
    ]
    assert bounds[0] > bounds[1]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_networks_are_balanced_and_reduced_without_changing_outputs(draw, pooling):
    patches, y = draw(5, 2, 3)
    rng = np.random.default_rng(1)
    network = Network(rng.standard_normal((20, 3)), rng.standard_normal(20), pooling)
    even = balance(network)
    np.testing.assert_allclose(even.predict(patches), network.predict(patches), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(even.filters, axis=1), np.abs(even.weights))
    small = reduce_filters(network, patches)
    np.testing.assert_allclose(small.predict(patches), network.predict(patches), atol=1e-9)
    assert len(small.weights) <= 5
    assert small.objective(patches, y, 1.0) <= even.objective(patches, y, 1.0) + 1e-9
    assert even.objective(patches, y, 1.0) < network.objective(patches, y, 1.0)


def test_the_torch_module_is_the_network(draw):
    patches, y = draw(5, 3, 2)
    for pooling in POOLINGS:
        network = train_convex(patches, y, 0.05, pooling=pooling).network
        module = network.to_torch()
        np.testing.assert_allclose(
            module(torch.tensor(patches)).detach().numpy(), network.predict(patches), atol=1e-14
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patches": np.ones((4, 3))}, r"patches: expected .* \(n, K, h\)"),
        ({"y": np.ones(3)}, r"y: expected shape \(4,\)"),
        ({"y": np.array([1, np.nan, 0, 0])}, "y: expected finite"),
        ({"patches": np.full((4, 2, 2), np.inf)}, "patches: expected finite"),
        ({"beta": 0.0}, "beta: expected a number above 0"),
        ({"beta": -1.0}, "beta: expected a number above 0, found -1"),
        ({"pooling": "mean"}, "pooling: expected one of average, max, none, found 'mean'"),
        ({"arrangements": "all"}, "arrangements: expected 'exact'"),
        ({"arrangements": 0}, "arrangements: expected at least 1 gate"),
        ({"arrangements": np.ones((3, 5))}, r"gates of shape \(2, T\)"),
        ({"arrangements": np.ones((2, 4, 3), bool)}, "patterns of shape"),
        ({"pooling": "max", "arrangements": np.ones((1, 4, 2), bool)}, "at most one winner"),
        ({"cones": "order"}, "cones: expected"),
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
    with pytest.raises(ValueError, match="filters: expected shape"):
        certify(np.ones((3, 5)), np.ones(3), patches, y, 0.1)
    with pytest.raises(ValueError, match="weights: expected shape"):
        certify(np.ones((3, 2)), np.ones(2), patches, y, 0.1)


@pytest.mark.parametrize(
    "call",
    [
        lambda patches, y: Network(np.ones((3, 2)), np.ones(3), "mean"),
        lambda patches, y: features(np.ones((3, 2)), patches, "mean"),
        lambda patches, y: enumerate_cells(patches, "mean"),
        lambda patches, y: gate_patterns(patches, np.ones((2, 5)), "mean"),
        lambda patches, y: pattern_cells(patches, sign_patterns(patches), "mean"),
        lambda patches, y: ConvexCNNRegressor(pooling="mean").fit(patches[:, 0], y),
    ],
)
def test_an_unknown_pooling_is_refused(draw, call):
    with pytest.raises(ValueError, match="pooling: expected one of average, max, found 'mean'"):
        call(*draw(4, 2, 2))


@pytest.mark.parametrize(
    "call",
    [
        lambda patches, y, cells: beta_max(patches, y, "mean", cells=cells),
        lambda patches, y, cells: path(patches, y, [0.1], pooling="mean"),
        lambda patches, y, cells: train_convex(
            patches, y, 0.1, pooling="mean", arrangements=cells.patterns
        ),
        lambda patches, y, cells: certify(
            np.ones((3, 2)), np.ones(3), patches, y, 0.1, "mean", cells=cells
        ),
    ],
)
def test_an_unknown_pooling_is_refused_with_cells_at_hand(draw, call):
    patches, y = draw(4, 2, 2)
    message = "pooling: expected one of average, max, none, found 'mean'"
    with pytest.raises(ValueError, match=message):
        call(patches, y, enumerate_cells(patches))


@pytest.mark.parametrize(
    "option",
    [{"cones": False}, {"cones": "order"}, {"seed": 1}, {"max_patterns": 10}],
    ids=str,
)
def test_training_without_pooling_refuses_what_it_would_ignore(draw, option):
    patches, y = draw(4, 2, 2)
    (name,) = option
    with pytest.raises(ValueError, match=f"{name}: has no meaning with pooling 'none'"):
        train_convex(patches, y, 0.5, pooling="none", **option)
    if name != "cones":
        with pytest.raises(ValueError, match=f"{name}: has no meaning with pooling 'none'"):
            path(patches, y, [0.5], pooling="none", **option)


@pytest.mark.parametrize("name", ["dual", "cells", "max_patterns"])
def test_certificates_without_pooling_refuse_what_they_would_ignore(draw, name):
    patches, y = draw(4, 2, 2)
    value = {"dual": y, "cells": enumerate_cells(patches), "max_patterns": 10}[name]
    weights = np.ones((3, 2)), np.ones((3, 2))
    certify(*weights, patches, y, 0.5, "none")
    with pytest.raises(ValueError, match=f"{name}: has no meaning with pooling 'none'"):
        certify(*weights, patches, y, 0.5, "none", **{name: value})
    if name != "dual":
        with pytest.raises(ValueError, match=f"{name}: has no meaning with pooling 'none'"):
            beta_max(patches, y, "none", **{name: value})


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
    solution = train_convex(patches, y[:n], weight_decay, arrangements=gates, tol=1e-4)
    assert solution.converged and solution.restricted_gap <= 1e-4 and np.isnan(solution.gap)
    # Gaussian patches of the shape, at the same strength of the weight decay.
    draws = np.random.default_rng(0).standard_normal(patches.shape) * patches.std()
    assert train_convex(draws, y[:n], weight_decay, arrangements=gates, tol=1e-4).converged


def test_what_does_not_converge_says_so(pictures, monkeypatch):
    pixels, y = pictures
    short = functools.partial(train.interior_point, max_iterations=3)
    monkeypatch.setattr(train, "interior_point", short)
    with pytest.warns(ConvergenceWarning, match=r"relative gap of .* not to tol = 0.0001"):
        solution = train_convex(cut(pixels[:50], 4, 2), y[:50], 1e-2, arrangements=5, tol=1e-4)
    assert not solution.converged and solution.restricted_gap > 1e-4


def test_the_certificate_of_sampled_cells_is_not_called_rigorous(draw):
    patches, y = draw(8, 2, 3)
    solution = train_convex(patches, y, 0.1)
    network = solution.network
    words = network.filters, network.weights, patches, y, 0.1
    sampled = pattern_cells(patches, gate_patterns(patches, sample_gates(3, 5, 1)))
    assert np.isnan(certify(*words, cells=sampled).gap)
    assert certify(*words).gap == certify(*words).restricted_gap <= 1e-6
