"""The conic solver against CVXPY, closed forms and weak duality."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021.barrier import price_groups, solve_groups
from cnntheory.ergen2021.losses import Logistic, Squared
from cnntheory.ergen2021.penalties import BlockNorm, group_l2, nuclear, real_dft, spectral_l1


def instance(seed, groups=4, n=5, p=6, walls=5):
    """Cones that contain a known interior direction each, so that none is flat."""
    rng = np.random.default_rng(seed)
    cones, inside = rng.standard_normal((groups, walls, p)), rng.standard_normal((groups, p))
    cones *= np.sign(np.einsum("gNp,gp->gN", cones, inside))[:, :, None]
    cones[0, -2:] = 0.0
    return rng.standard_normal((groups, n, p)), cones, rng.standard_normal(n)


def penalties(strength):
    """Each norm, and how CVXPY writes it for six coordinates."""
    labels, weights = np.array([0, 1, 1, 2, 2, 2]), strength * np.array([1.0, 2.0, 0.5])
    return {
        "group": (group_l2(6, strength), lambda z: strength * cp.norm(z)),
        "blocks": (
            BlockNorm(labels, weights),
            lambda z: sum(w * cp.norm(z[labels == b]) for b, w in enumerate(weights)),
        ),
        "nuclear": (
            nuclear((3, 2), strength),
            lambda z: strength * cp.normNuc(cp.reshape(z, (3, 2), order="C")),
        ),
        "wide": (
            nuclear((2, 3), strength),
            lambda z: strength * cp.normNuc(cp.reshape(z, (2, 3), order="C")),
        ),
    }


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear", "wide"])
@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_agrees_with_cvxpy(name, strength):
    data, cones, y = instance(0)
    penalty, norm = penalties(strength)[name]
    found = solve_groups(data, cones, Squared(y), penalty, tol=1e-8)
    z = [cp.Variable(6) for _ in data]
    fit = sum(a @ v for a, v in zip(data, z, strict=True))
    problem = cp.Problem(
        cp.Minimize(cp.sum_squares(fit - y) / 2 + sum(map(norm, z))),
        [g @ v >= 0 for g, v in zip(cones, z, strict=True)],
    )
    problem.solve(solver=cp.CLARABEL)
    assert found.objective == pytest.approx(problem.value, rel=1e-6)
    assert -1e-12 <= found.gap <= 1e-8
    assert np.einsum("gNp,gp->gN", cones, found.z).min() >= -1e-10


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear", "wide"])
def test_the_logistic_loss_agrees_with_cvxpy(name):
    data, cones, y = instance(1)
    y = np.sign(y)
    penalty, norm = penalties(0.3)[name]
    found = solve_groups(data, cones, Logistic(y), penalty, tol=1e-8)
    z = [cp.Variable(6) for _ in data]
    fit = sum(a @ v for a, v in zip(data, z, strict=True))
    problem = cp.Problem(
        cp.Minimize(cp.sum(cp.logistic(-cp.multiply(y, fit))) + sum(map(norm, z))),
        [g @ v >= 0 for g, v in zip(cones, z, strict=True)],
    )
    problem.solve(solver=cp.CLARABEL)
    assert found.objective == pytest.approx(problem.value, rel=1e-6)
    assert -1e-12 <= found.gap <= 1e-8


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear", "wide"])
def test_the_barriers_derivatives_are_finite_differences(name):
    penalty, mu, step = penalties(0.7)[name][0], 0.3, 1e-6
    z = np.random.default_rng(3).standard_normal((2, 6))
    gradient, hessian = penalty.barrier(z, mu)
    for i, e in enumerate(step * np.eye(6)):
        change = (penalty.barrier(z + e, mu)[0] - penalty.barrier(z - e, mu)[0]) / (2 * step)
        np.testing.assert_allclose(change, hessian[:, :, i], atol=1e-8)
    # far from the boundary of the epigraph it is the norm's own gradient
    np.testing.assert_allclose(
        (penalty.barrier(z, 1e-12)[0] * z).sum(axis=1), penalty.value(z), rtol=1e-9
    )
    assert np.isfinite(gradient).all()


@settings(deadline=None)
@given(st.integers(1, 17), st.integers(0, 10**6))
def test_real_coordinates_keep_the_spectral_norm(d, seed):
    z = np.random.default_rng(seed).standard_normal((3, d))
    matrix, _ = real_dft(d)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(d), atol=1e-12)
    expected = np.abs(np.fft.fft(z, norm="ortho")).sum(axis=1)
    np.testing.assert_allclose(spectral_l1(d, 1.0).value(z @ matrix.T), expected)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["group", "blocks", "nuclear"]))
def test_no_point_of_the_cones_is_below_the_bound(seed, name):
    data, cones, y = instance(seed)
    penalty, _ = penalties(0.3)[name]
    bound = solve_groups(data, cones, Squared(y), penalty, tol=1e-4).dual_bound
    rng = np.random.default_rng(seed)
    for z in rng.standard_normal((200, *data.shape[::2])) * rng.random((200, 1, 1)):
        z = z * (np.einsum("gNp,gp->gN", cones, z) >= 0).all(axis=1)[:, None]
        residual = np.einsum("gnp,gp->n", data, z) - y
        assert residual @ residual / 2 + penalty.value(z).sum() >= bound


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["group", "blocks", "nuclear", "wide"]))
def test_dual_norm_bounds_the_pairing(seed, name):
    rng = np.random.default_rng(seed)
    penalty, _ = penalties(0.7)[name]
    z, g = rng.standard_normal((2, 3, 6))
    assert ((z * g).sum(axis=1) <= penalty.value(z) * penalty.dual(g) + 1e-12).all()


def test_without_cones_one_group_on_orthonormal_data_is_soft_thresholding():
    q = np.linalg.qr(np.random.default_rng(2).standard_normal((6, 6)))[0]
    y = np.arange(1.0, 7.0)
    found = solve_groups(q[None], np.zeros((1, 1, 6)), Squared(y), group_l2(6, 2.0), tol=1e-11)
    size = np.linalg.norm(y)
    np.testing.assert_allclose(found.z[0], (1 - 2 / size) * (q.T @ y), atol=1e-5)
    assert found.objective == pytest.approx(2 * size - 2, rel=1e-10)


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear"])
def test_largest_price_is_where_zero_becomes_optimal(name):
    data, cones, y = instance(3)
    price, bound = price_groups(y, data, cones, penalties(1.0)[name][0])
    assert price * (1 - 1e-12) <= bound <= price * (1 + 1e-6)
    above = solve_groups(data, cones, Squared(y), penalties(price * 1.000001)[name][0])
    below = solve_groups(data, cones, Squared(y), penalties(price * 0.999)[name][0])
    assert above.objective == pytest.approx(y @ y / 2, rel=1e-12)
    assert below.objective < (1 - 1e-8) * y @ y / 2


def test_no_direction_of_positive_price():
    data = -np.abs(np.random.default_rng(4).standard_normal((1, 3, 2)))
    cones, y = np.eye(2)[None], np.ones(3)
    found, bound = price_groups(y, data, cones, group_l2(2, 1.0))
    assert found == 0.0 <= bound <= 1e-3 * np.linalg.norm(y @ data[0])
    assert price_groups(np.zeros(3), data, cones, group_l2(2, 1.0)) == (0.0, 0.0)
