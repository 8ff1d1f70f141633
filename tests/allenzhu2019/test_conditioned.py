"""Matrices drawn as far as they are seen have the law of matrices that are drawn."""

import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import backward, conditioned, forward, fully_connected, perturb
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


def test_a_layer_without_budget_flips_nothing_by_itself():
    budgets = [[0.0, 0.1], [0.1, 0.0], [0.0, 0.0]]
    found = conditioned.adversary(np.random.default_rng(5), 200, 2, budgets)
    assert found.flips[0, 0] == found.flips[2, 0] == found.flips[2, 1] == 0
    assert found.flips[0, 1] > 0 and found.flips[1, 0] > 0 and found.backward[2] < 1e-12
    with pytest.raises(ValueError, match="sizes"):
        conditioned.adversary(np.random.default_rng(5), 20, 2, [[0.1, 0.1, 0.1]])
