"""The spectral program of circular networks, its constants, and what happens without them."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import (
    Circular,
    ConvergenceWarning,
    Network,
    beta_max,
    certify,
    enumerate_cells,
    relax,
    train_baseline,
    train_convex,
)


def draw(seed, n=5, d=4, rank=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d)) / np.sqrt(rank)
    return X, rng.standard_normal(n)


def train_circular(X, y, beta, *options, tol=1e-9):
    return train_convex(X, y, beta, architecture=Circular(*options), tol=tol)


def beta_max_circular(X, y, *options):
    return beta_max(X, y, architecture=Circular(*options))


def support(z, tolerance=1e-4):
    """Frequencies of each filter above `tolerance` times its largest, a count each."""
    size = np.abs(np.fft.fft(z))
    return (size > tolerance * size.max(axis=-1, keepdims=True)).sum(axis=-1)


@pytest.mark.parametrize(("d", "penalty"), [(4, "spectral"), (5, "spectral"), (4, "group")])
def test_agrees_with_cvxpy(d, penalty):
    X, y = draw(0, n=4, d=d, rank=3)
    beta = 0.2
    unitary = np.fft.fft(np.eye(d), norm="ortho")
    gates = np.random.default_rng(0).standard_normal((d, 20_000))
    fit, cost, walls = 0, 0, []
    for active in np.unique(X @ gates > 0, axis=1).T:
        for sign in (1, -1):
            z = cp.Variable(d)
            fit = fit + sign * (active[:, None] * X) @ z
            walls.append((np.where(active, 1.0, -1.0)[:, None] * X) @ z >= 0)
            spectral = cp.norm1(unitary @ z)
            cost = cost + (spectral if penalty == "spectral" else cp.norm(z))
    problem = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * cost), walls)
    problem.solve(solver=cp.CLARABEL)
    found = relax(X, y, beta, architecture="circular", penalty=penalty)
    assert found.program == pytest.approx(problem.value, rel=1e-6)
    assert found.gap <= 1e-8
    if penalty == "spectral":  # the network's penalty is beta / sqrt(d)
        optimum = train_circular(X, y, beta * np.sqrt(d))
        assert optimum.objective == pytest.approx(problem.value, rel=1e-6)


@pytest.mark.parametrize(("d", "rank"), [(4, 4), (5, 3), (16, 2)])
@pytest.mark.parametrize(
    ("layers", "constraint"), [(3, "filter"), (3, "product"), (4, "product"), (5, "product")]
)
def test_network_attains_the_program(d, rank, layers, constraint):
    X, y = draw(1, d=d, rank=rank)
    circular = Circular(layers, constraint)
    cells = enumerate_cells(X, circular)
    beta = 0.1 * beta_max(X, y, architecture=circular, cells=cells)
    found = train_convex(X, y, beta, architecture=circular, cells=cells, tol=1e-9)
    network = found.network
    assert network.filters.shape[1:] == (layers - 2, d)
    assert circular.largest_norm(network.parameters) == pytest.approx(1.0)
    assert found.objective == pytest.approx(found.program, rel=1e-8)
    assert -1e-12 <= found.gap <= 1e-8
    np.testing.assert_allclose(np.linalg.norm(network.inner, axis=1), np.abs(network.weights))
    certificate = certify(network, X, y, beta, dual=found.dual, cells=cells)
    assert certificate.gap <= 1e-8
    assert certificate.price == pytest.approx(beta, rel=1e-3)


def test_sampled_gates_restrict_the_program():
    X, y = draw(8, n=6, d=5, rank=5)
    exact = train_circular(X, y, 0.1)
    gates = np.random.default_rng(0).standard_normal((5, 3))
    few, by_patterns = (
        train_convex(X, y, 0.1, architecture="circular", cells=cells)
        for cells in (gates, (X @ gates > 0).T[:, :, None])
    )
    assert few.objective == pytest.approx(by_patterns.objective, rel=1e-7)
    assert few.converged and np.isnan(few.gap) and few.objective > exact.objective * (1 + 1e-6)
    again = train_convex(X, y, 0.1, architecture="circular", cells=exact.cells.patterns)
    assert again.objective == pytest.approx(exact.objective, rel=1e-7)


def test_the_product_constraint_makes_depth_irrelevant():
    X, y = draw(3)
    values = [train_circular(X, y, 0.1, layers, "product").objective for layers in (3, 4, 6)]
    np.testing.assert_allclose(values, values[0], rtol=1e-8)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_no_network_is_below_the_bound(seed):
    X, y = draw(seed, n=4, rank=3)
    bound = train_circular(X, y, 0.3, tol=1e-5).dual_bound
    rng = np.random.default_rng(seed)
    for scale in (0.1, 0.4, 1.0):
        u = rng.standard_normal((3, 1, 4))
        inner, weights = scale * rng.standard_normal((3, 4)), scale * rng.standard_normal(3)
        net = Network(u / np.linalg.norm(u, axis=-1, keepdims=True), weights, "circular", inner)
        assert net.objective(X, y, 0.3) >= bound


def best_descent(X, y, beta, *options, filter_length=None):
    return train_baseline(
        X, y, beta, architecture=Circular(*options), filter_length=filter_length,
        width=2 * len(y), rng=0, restarts=4, max_iter=2000,
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
    wrong = relax(X, y, beta, architecture="circular", penalty="spectral")
    assert wrong.dual_bound > 1.01 * right.objective
    # One constraint for each of two layers: the program is a lower bound, not the optimum.
    beta = 0.2 * beta_max_circular(X, y, 4)
    with pytest.warns(ConvergenceWarning):
        deep = train_circular(X, y, beta, 4)
    assert best_descent(X, y, beta, 4) > 1.01 * deep.program
    assert Circular(4).largest_norm(deep.network.parameters) == pytest.approx(1.0)
    assert deep.objective > 1.01 * deep.program


def test_spectral_penalty_is_sparse_where_the_group_penalty_is_not():
    X, y = draw(5, n=6, d=16, rank=3)
    spectral, group = (
        support(relax(X, y, beta, architecture="circular", penalty=penalty).variables)
        for penalty, beta in (("spectral", 0.1 / 4), ("group", 0.1))
    )
    assert np.median(spectral) < np.median(group)
    assert (group == 16).all()


@pytest.mark.parametrize("constraint", ["filter", "product"])
def test_zero_is_optimal_from_beta_max_on(constraint):
    X, y = draw(6, d=5, rank=3)
    beta = beta_max_circular(X, y, 3, constraint)
    above = train_circular(X, y, beta * (1 + 1e-6), 3, constraint)
    assert above.objective == y @ y / 2
    assert len(above.network.weights) == 0
    assert len(train_circular(X, y, beta * 0.999, 3, constraint).network.weights) > 0


def test_other_shapes_are_refused():
    X, y = draw(7)
    with pytest.raises(ValueError, match=r"patches: expected whole signals of shape \(n, d\)"):
        train_circular(np.stack([X, X], axis=1), y, 0.1)
    with pytest.raises(ValueError, match="patches: expected a nonempty array"):
        train_circular(X[0], y, 0.1)
    with pytest.raises(ValueError, match="predicts up to 22 patterns"):
        train_convex(X[:, :3], y, 0.1, architecture="circular", max_patterns=21)
