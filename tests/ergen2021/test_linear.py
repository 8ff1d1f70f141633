"""The nuclear-norm program of the linear network."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import Network, beta_max, certify, train_baseline, train_convex


def train_linear(patches, y, beta, tol=1e-9):
    return train_convex(patches, y, beta, architecture="linear", tol=tol)


def draw(seed, n=6, K=3, h=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, K, h)), rng.standard_normal(n)


def orthonormal(seed, values, h=3, K=3):
    """Data on which the optimum is soft thresholding of a matrix with given singular values."""
    rng = np.random.default_rng(seed)
    q = np.linalg.qr(rng.standard_normal((h * K, h * K)))[0]
    left, right = (np.linalg.qr(rng.standard_normal((s, len(values))))[0] for s in (h, K))
    target = left * values @ right.T
    return q.reshape(-1, h, K).transpose(0, 2, 1), q @ target.ravel(), target


@pytest.mark.parametrize("shape", [(6, 3, 2), (6, 2, 3), (8, 1, 4), (8, 4, 1)])
@pytest.mark.parametrize("share", [0.3, 0.03])
def test_agrees_with_cvxpy(shape, share):
    patches, y = draw(0, *shape)
    beta = share * beta_max(patches, y, architecture="linear")
    Z = cp.Variable(shape[:0:-1])
    fit = sum(patches[:, k] @ Z[:, k] for k in range(shape[1]))
    problem = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * cp.normNuc(Z)))
    problem.solve(solver=cp.CLARABEL)
    found = train_linear(patches, y, beta)
    assert found.objective == pytest.approx(problem.value, rel=1e-6)
    assert found.gap <= 1e-9
    assert found.objective == pytest.approx(found.program, rel=1e-8)
    assert len(found.network.filters) <= min(shape[1:])
    certificate = certify(found.network, patches, y, beta, dual=found.dual)
    assert certificate.gap <= 1e-8 and certificate.price == pytest.approx(beta, rel=1e-4)


def test_orthonormal_data_soft_thresholds_the_singular_values():
    patches, y, target = orthonormal(1, [3.0, 2.0, 0.5])
    found = train_linear(patches, y, 1.0, tol=1e-12)
    left, _, right = np.linalg.svd(target)
    matrix = found.network.filters.T @ found.network.weights
    np.testing.assert_allclose(matrix, left * [2.0, 1.0, 0.0] @ right, atol=1e-5)
    assert len(found.network.weights) == 2
    assert found.objective == pytest.approx((2 + 0.25) / 2 + 3.0, rel=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.floats(0.01, 2.0))
def test_no_network_is_below_the_bound(seed, beta):
    patches, y = draw(seed)
    bound = train_linear(patches, y, beta, tol=1e-6).dual_bound
    rng = np.random.default_rng(seed)
    for scale in (0.1, 0.5, 1.0):
        u, w = scale * rng.standard_normal((4, 2)), scale * rng.standard_normal((4, 3))
        assert Network(u, w, "linear").objective(patches, y, beta) >= bound


def test_descent_needs_as_many_filters_as_the_rank():
    patches, y, _ = orthonormal(2, [3.0, 2.0])
    optimum = train_linear(patches, y, 0.5).objective
    gaps = {}
    for width in (1, 2):
        run = train_baseline(
            patches, y, 0.5, architecture="linear", width=width, rng=0, restarts=8, max_iter=2000,
        )  # fmt: skip
        gaps[width] = run.objective.min() / optimum - 1
    # Dropping the second singular value 2 - 1/2 costs half its square.
    assert gaps[1] == pytest.approx(1.5**2 / 2 / optimum, rel=1e-4)
    assert -1e-9 <= gaps[2] <= 1e-5


def test_beta_max_is_the_threshold():
    patches, y = draw(3)
    beta = beta_max(patches, y, architecture="linear")
    above = train_linear(patches, y, beta * (1 + 1e-8))
    assert len(above.network.weights) == 0
    assert above.objective == y @ y / 2
    assert len(train_linear(patches, y, beta * 0.999).network.weights) > 0
