"""The conic solver against CVXPY, closed forms and weak duality."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021.barrier import (
    Penalty,
    dual_norms,
    group_norm,
    largest_price,
    norms,
    nuclear_norm,
    solve_groups,
)


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
        "group": (group_norm(6, strength), lambda z: strength * cp.norm(z)),
        "blocks": (
            Penalty(labels, weights),
            lambda z: sum(w * cp.norm(z[labels == b]) for b, w in enumerate(weights)),
        ),
        "nuclear": (
            nuclear_norm((3, 2), strength),
            lambda z: strength * cp.normNuc(cp.reshape(z, (3, 2), order="C")),
        ),
        "wide": (
            nuclear_norm((2, 3), strength),
            lambda z: strength * cp.normNuc(cp.reshape(z, (2, 3), order="C")),
        ),
    }


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear", "wide"])
@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_agrees_with_cvxpy(name, strength):
    data, cones, y = instance(0)
    penalty, norm = penalties(strength)[name]
    found = solve_groups(data, cones, y, penalty, tol=1e-8)
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


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["group", "blocks", "nuclear"]))
def test_no_point_of_the_cones_is_below_the_bound(seed, name):
    data, cones, y = instance(seed)
    penalty, _ = penalties(0.3)[name]
    bound = solve_groups(data, cones, y, penalty, tol=1e-4).dual_bound
    rng = np.random.default_rng(seed)
    for z in rng.standard_normal((200, *data.shape[::2])) * rng.random((200, 1, 1)):
        z = z * (np.einsum("gNp,gp->gN", cones, z) >= 0).all(axis=1)[:, None]
        residual = np.einsum("gnp,gp->n", data, z) - y
        assert residual @ residual / 2 + norms(z, penalty).sum() >= bound


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["group", "blocks", "nuclear", "wide"]))
def test_dual_norm_bounds_the_pairing(seed, name):
    rng = np.random.default_rng(seed)
    penalty, _ = penalties(0.7)[name]
    z, g = rng.standard_normal((2, 3, 6))
    assert ((z * g).sum(axis=1) <= norms(z, penalty) * dual_norms(g, penalty) + 1e-12).all()


def test_without_cones_one_group_on_orthonormal_data_is_soft_thresholding():
    q = np.linalg.qr(np.random.default_rng(2).standard_normal((6, 6)))[0]
    y = np.arange(1.0, 7.0)
    found = solve_groups(q[None], np.zeros((1, 1, 6)), y, group_norm(6, 2.0), tol=1e-11)
    size = np.linalg.norm(y)
    np.testing.assert_allclose(found.z[0], (1 - 2 / size) * (q.T @ y), atol=1e-5)
    assert found.objective == pytest.approx(2 * size - 2, rel=1e-10)


@pytest.mark.parametrize("name", ["group", "blocks", "nuclear"])
def test_largest_price_is_where_zero_becomes_optimal(name):
    data, cones, y = instance(3)
    price = largest_price(y, data, cones, penalties(1.0)[name][0])
    above = solve_groups(data, cones, y, penalties(price * 1.000001)[name][0])
    below = solve_groups(data, cones, y, penalties(price * 0.999)[name][0])
    assert above.objective == pytest.approx(y @ y / 2, rel=1e-12)
    assert below.objective < (1 - 1e-8) * y @ y / 2


def test_no_direction_of_positive_price():
    data = -np.abs(np.random.default_rng(4).standard_normal((1, 3, 2)))
    cones, y = np.eye(2)[None], np.ones(3)
    assert largest_price(y, data, cones, group_norm(2, 1.0)) == 0.0
    assert largest_price(np.zeros(3), data, cones, group_norm(2, 1.0)) == 0.0
