"""The spectral program of circular networks, its constants, and what happens without them."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021.barrier import norms
from cnntheory.ergen2021.baselines import train_baseline
from cnntheory.ergen2021.circular import (
    CircularNetwork,
    beta_max_circular,
    circular_kappa,
    real_dft,
    spectral_norm,
    spectral_support,
    train_circular,
)


def draw(seed, n=5, d=4, rank=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d)) / np.sqrt(rank)
    return X, rng.standard_normal(n)


@settings(deadline=None)
@given(st.integers(1, 17), st.integers(0, 10**6))
def test_real_coordinates_keep_the_spectral_norm(d, seed):
    z = np.random.default_rng(seed).standard_normal((3, d))
    matrix, _ = real_dft(d)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(d), atol=1e-12)
    expected = np.abs(np.fft.fft(z, norm="ortho")).sum(axis=1)
    np.testing.assert_allclose(norms(z @ matrix.T, spectral_norm(d, 1.0)), expected)


@pytest.mark.parametrize(("d", "penalty"), [(4, "spectral"), (5, "spectral"), (4, "group")])
def test_agrees_with_cvxpy(d, penalty):
    X, y = draw(0, n=4, d=d, rank=3)
    beta, kappa = 0.2, np.sqrt(d)
    unitary = np.fft.fft(np.eye(d), norm="ortho")
    gates = np.random.default_rng(0).standard_normal((d, 20_000))
    fit, cost, walls = 0, 0, []
    for active in np.unique(X @ gates > 0, axis=1).T:
        for sign in (1, -1):
            z = cp.Variable(d)
            fit = fit + sign * (active[:, None] * X) @ z
            walls.append((np.where(active, 1.0, -1.0)[:, None] * X) @ z >= 0)
            spectral = cp.norm1(unitary @ z) / kappa
            cost = cost + (spectral if penalty == "spectral" else cp.norm(z))
    problem = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * cost), walls)
    problem.solve(solver=cp.CLARABEL)
    found = train_circular(X, y, beta, penalty=penalty)
    assert found.program == pytest.approx(problem.value, rel=1e-6)
    assert found.gap <= 1e-8


@pytest.mark.parametrize(("d", "rank"), [(4, 4), (5, 3), (16, 2)])
@pytest.mark.parametrize(
    ("layers", "constraint"), [(3, "filter"), (3, "product"), (4, "product"), (5, "product")]
)
def test_network_attains_the_program(d, rank, layers, constraint):
    X, y = draw(1, d=d, rank=rank)
    beta = 0.1 * beta_max_circular(X, y, layers=layers, constraint=constraint)
    found = train_circular(X, y, beta, layers=layers, constraint=constraint)
    network = found.network
    assert network.filters.shape[1:] == (layers - 2, d)
    assert network.constraint(constraint) == pytest.approx(1.0)
    assert found.objective == pytest.approx(found.program, rel=1e-8)
    assert -1e-12 <= found.gap <= 1e-8
    np.testing.assert_allclose(found.residual, y - network.predict(X), atol=1e-9)
    np.testing.assert_allclose(
        network.effective() * np.abs(network.second)[:, None], found.z, atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.norm(network.first, axis=1), np.abs(network.second))


def test_effective_filter_is_the_product_of_circulant_matrices():
    rng = np.random.default_rng(2)
    network = CircularNetwork(
        rng.standard_normal((2, 2, 5)), rng.standard_normal((2, 5)), rng.standard_normal(2)
    )
    for j in range(2):
        z = network.first[j]
        for u in network.filters[j]:
            z = np.stack([np.roll(u, s) for s in range(5)], axis=1) @ z
        np.testing.assert_allclose(network.effective()[j], z)
    frobenius = [
        np.linalg.norm(np.fft.fft(u[0]) * np.fft.fft(u[1])) for u in network.filters
    ]  # fmt: skip
    assert network.constraint("product") == pytest.approx(max(frobenius))


def test_the_product_constraint_makes_depth_irrelevant():
    X, y = draw(3)
    values = [
        train_circular(X, y, 0.1, layers=layers, constraint="product").objective
        for layers in (3, 4, 6)
    ]
    np.testing.assert_allclose(values, values[0], rtol=1e-8)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_no_network_is_below_the_bound(seed):
    X, y = draw(seed, n=4, rank=3)
    bound = train_circular(X, y, 0.3, tol=1e-5).dual_bound
    rng = np.random.default_rng(seed)
    for scale in (0.1, 0.4, 1.0):
        u = rng.standard_normal((3, 1, 4))
        net = CircularNetwork(
            u / np.linalg.norm(u, axis=-1, keepdims=True),
            scale * rng.standard_normal((3, 4)),
            scale * rng.standard_normal(3),
        )
        assert net.objective(X, y, 0.3) >= bound


def best_descent(X, y, beta, **options):
    return train_baseline(
        "circular", X, y, beta, width=2 * len(y), rng=np.random.default_rng(0),
        restarts=4, steps=2000, **options,
    ).objective.min()  # fmt: skip


def test_descent_reaches_the_program_and_not_less():
    X, y = draw(4)
    beta = 0.2 * beta_max_circular(X, y)
    found = train_circular(X, y, beta)
    least = best_descent(X, y, beta)
    assert found.dual_bound - 1e-9 <= least <= found.objective * (1 + 1e-4)


def test_controls_leave_a_gap():
    X, y = draw(4)
    beta = 0.2 * beta_max_circular(X, y)
    right = train_circular(X, y, beta)
    # Short filters reach only a subspace of spectra.
    assert best_descent(X, y, beta, filter_length=2) > 1.01 * right.objective
    # A wrong constant: descent goes below what would be its optimum.
    assert train_circular(X, y, beta, kappa=1.0).dual_bound > 1.01 * right.objective
    # One constraint for each of two layers: the program is a lower bound, not the optimum.
    beta = 0.2 * beta_max_circular(X, y, layers=4)
    deep = train_circular(X, y, beta, layers=4)
    assert best_descent(X, y, beta, layers=4) > 1.01 * deep.program
    assert deep.network.constraint("filter") == pytest.approx(1.0)
    assert deep.objective > 1.01 * deep.program


def test_spectral_penalty_is_sparse_where_the_group_penalty_is_not():
    X, y = draw(5, n=6, d=16, rank=3)
    spectral = spectral_support(train_circular(X, y, 0.1).spectra)
    group = spectral_support(train_circular(X, y, 0.1, penalty="group").spectra)
    assert np.median(spectral) < np.median(group)
    assert (group == 16).all()


def test_support_counts_both_frequencies_of_a_pair():
    t = np.arange(8)
    waves = np.stack([np.cos(2 * np.pi * t / 8), np.ones(8), np.eye(8)[0]])
    assert spectral_support(np.fft.fft(waves)).tolist() == [2, 1, 8]


@pytest.mark.parametrize("constraint", ["filter", "product"])
def test_zero_is_optimal_from_beta_max_on(constraint):
    X, y = draw(6, d=5, rank=3)
    beta = beta_max_circular(X, y, constraint=constraint)
    above = train_circular(X, y, beta * (1 + 1e-6), constraint=constraint)
    assert above.objective == y @ y / 2
    assert len(above.z) == 0
    assert len(train_circular(X, y, beta * 0.999, constraint=constraint).z) > 0


def test_constants_and_bad_arguments():
    assert circular_kappa(3, "filter", 16) == 4.0
    assert circular_kappa(4, "filter", 16) == 16.0
    assert circular_kappa(7, "product", 16) == 1.0
    X, y = draw(7)
    with pytest.raises(ValueError, match="layers: expected at least 3, found 2"):
        train_circular(X, y, 0.1, layers=2)
    with pytest.raises(ValueError, match="constraint: expected 'filter' or 'product'"):
        train_circular(X, y, 0.1, constraint="none")
    with pytest.raises(ValueError, match="penalty: expected 'spectral' or 'group'"):
        train_circular(X, y, 0.1, penalty="l1")
    with pytest.raises(ValueError, match=r"X: expected shape \(n, d\)"):
        train_circular(X[0], y, 0.1)
