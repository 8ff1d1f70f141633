"""Matrices drawn as far as they are seen have the law of matrices that are drawn."""

import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import (
    backward,
    conditioned,
    forward,
    fully_connected,
    initialisation,
    perturb,
)
from cnntheory.allenzhu2019.conditioned import GaussianMatrix


def test_products_with_a_matrix_and_its_transpose_belong_together():
    rng = np.random.default_rng(0)
    H, P = rng.standard_normal((2, 30, 4))
    H[:, 3] = 2 * H[:, 0]  # a direction seen twice
    W = GaussianMatrix(rng, 30, 2.0)
    WH = W.times(H)
    np.testing.assert_allclose(WH[:, 3], 2 * WH[:, 0])
    np.testing.assert_allclose(P.T @ WH, W.transposed_times(P).T @ H)


def test_products_have_the_law_of_a_gaussian_matrix():
    rng = np.random.default_rng(1)
    H, P = rng.standard_normal((2, 3, 2))
    draws = []
    for _ in range(20_000):
        W = GaussianMatrix(rng, 3, 1.0)
        draws.append(np.concatenate([W.times(H).ravel(), W.transposed_times(P).ravel()]))
    drawn = rng.standard_normal((20_000, 3, 3))
    whole = np.concatenate(
        [(drawn @ H).reshape(-1, 6), (drawn.transpose(0, 2, 1) @ P).reshape(-1, 6)], axis=1
    )
    np.testing.assert_allclose(np.cov(np.transpose(draws)), np.cov(whole.T), atol=0.3)


def test_the_drawn_adversary_changes_what_the_adversary_of_whole_networks_does():
    sizes, m, depth, trials = [0.03, 0.1], 256, 3, 40
    X = torch.ones(1, 1, 4, dtype=torch.float64) / 2
    drawn, whole = [], []
    for k in range(trials):
        found = conditioned.adversary(np.random.default_rng([3, k]), m, depth, sizes)
        drawn.append([*found.flips.ravel(), *found.backward, *found.gradient])
        net = fully_connected([np.random.default_rng([4, k])], 4, m, depth)
        signals = forward(net, X)
        attack = perturb.adversary(net, X, sizes)
        moved = perturb.changes(signals, backward(net, signals), attack)
        parts = moved.flips[0, :, 0], moved.backward[0, :, 0, 0], moved.gradient[0, :, 0]
        whole.append(np.concatenate([part.numpy().ravel() for part in parts]))
    drawn, whole = np.array(drawn), np.array(whole)
    error = np.sqrt((drawn.var(axis=0) + whole.var(axis=0)) / trials)
    assert (np.abs(drawn.mean(axis=0) - whole.mean(axis=0)) < 4 * error).all()


def test_signals_and_backward_norms_have_the_law_of_whole_networks():
    m, depth, trials = 24, 3, 1_000
    X = np.array([[1.0, 0.0], [0.6, 0.8]])
    drawn, whole = [], []
    inputs = torch.from_numpy(X)
    for k in range(trials):
        hidden = [h for h, _ in conditioned.signals([5, k], X, m, depth)]
        gram = [h.T @ h for h in hidden]
        norms = conditioned.backward_norms([6, k], X, m, depth)
        drawn.append(np.concatenate([np.ravel(gram), norms.ravel()]))
        net = fully_connected(np.random.default_rng([7, k]), 2, m, depth)
        passed = forward(net, inputs[None])
        gram = [(h[0] @ h[0].T).numpy() for h in passed.hidden]
        norms = initialisation.backward_products(net, passed)[0].numpy()
        whole.append(np.concatenate([np.ravel(gram), norms.ravel()]))
    drawn, whole = np.array(drawn), np.array(whole)
    for moment in (drawn, whole), (drawn**2, whole**2):
        error = np.sqrt(sum(values.var(axis=0) for values in moment) / trials)
        assert (np.abs(moment[0].mean(axis=0) - moment[1].mean(axis=0)) < 4 * error).all()


def test_the_variance_scales_signals_and_backward_norms():
    X = np.eye(2)
    usual, more = (list(conditioned.signals(3, X, 9, 2, variance=c)) for c in (2.0, 3.0))
    for layer, ((h, _), (scaled, _)) in enumerate(zip(usual, more, strict=True)):
        np.testing.assert_allclose(scaled, 1.5 ** ((layer + 1) / 2) * h)
    usual, more = (conditioned.backward_norms(3, X, 9, 2, variance=c) for c in (2.0, 3.0))
    np.testing.assert_allclose(more, usual * 1.5 ** np.array([[1.0], [0.5]]))


def test_a_layer_without_budget_flips_nothing_by_itself():
    budgets = [[0.0, 0.1], [0.1, 0.0], [0.0, 0.0]]
    found = conditioned.adversary(np.random.default_rng(5), 200, 2, budgets)
    assert found.flips[0, 0] == found.flips[2, 0] == found.flips[2, 1] == 0
    assert found.flips[0, 1] > 0 and found.flips[1, 0] > 0 and found.backward[2] < 1e-12
    with pytest.raises(ValueError, match="sizes"):
        conditioned.adversary(np.random.default_rng(5), 20, 2, [[0.1, 0.1, 0.1]])
