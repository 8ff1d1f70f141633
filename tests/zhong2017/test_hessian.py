"""Hessians against autograd, samples, finite differences, and the structure the theory gives."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    draw_teacher,
    empirical_hessian,
    network_output,
    population_hessian,
    population_objective,
)
from cnntheory.zhong2017 import hessian as module


def autograd_hessian(W, patches, y, torch_phi):
    z = torch.as_tensor(patches)

    def loss(rows):
        output = torch_phi(z @ rows.reshape(W.shape).T).sum(dim=(1, 2))
        return ((output - torch.as_tensor(y)) ** 2).mean() / 2

    return torch.autograd.functional.hessian(loss, torch.as_tensor(W.ravel())).numpy()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_empirical_hessian_is_autograd(activation, torch_phi, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 64)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    W, teacher = rng.standard_normal((2, 3, 4))
    x = rng.standard_normal((101, 3, 4))
    y = network_output(teacher, x, activation)
    expected = autograd_hessian(W, x, y, torch_phi[activation])
    tolerance = 1e-10 * abs(expected).max()
    np.testing.assert_allclose(empirical_hessian(W, x, activation, y), expected, atol=tolerance)
    expected = autograd_hessian(W, x, network_output(W, x, activation), torch_phi[activation])
    both = empirical_hessian(np.stack([W, W]), x, activation)
    np.testing.assert_allclose(both, [expected, expected], atol=tolerance)


@pytest.mark.parametrize("patches", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_population_hessian_is_the_mean_over_samples(activation, patches):
    rng = np.random.default_rng(3)
    teacher = draw_teacher(2, 4, rng=rng)
    W = teacher + 0.3 * rng.standard_normal(teacher.shape)
    x = rng.standard_normal((100_000, patches, 4))
    y = network_output(teacher, x, activation)
    for label, truth in ((None, None), (y, teacher)):
        exact = population_hessian(W, activation, patches, truth)
        sample = empirical_hessian(W, x, activation, label)
        error = np.linalg.norm(exact - sample, 2) / np.linalg.norm(exact, 2)
        # Heavy tails: the cubic's Hessian averages eighth powers.
        assert error < (0.12 if activation == "cubic" else 0.035)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "linear", "erf"])
def test_population_hessian_is_the_derivative_of_the_population_gradient(activation):
    rng = np.random.default_rng(5)
    teacher = draw_teacher(3, 4, rng=rng)
    # The kinked activations have a point mass in the Hessian wherever the residual is not zero.
    W = teacher + (0.2 * rng.standard_normal(teacher.shape) if activation == "erf" else 0.0)
    objective = population_objective(teacher, activation, 3)
    h = 1e-5
    shifts = h * np.eye(12).reshape(12, 3, 4)
    gradient = objective(np.concatenate([W + shifts, W - shifts]))[1].reshape(2, 12, 12)
    difference = (gradient[0] - gradient[1]) / (2 * h)
    exact = population_hessian(W, activation, 3, teacher)
    np.testing.assert_allclose(difference, exact, atol=1e-4 * abs(exact).max())


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "erf"])
@pytest.mark.parametrize(("a", "b", "angle"), [(0.3, 2.0, 0.7), (3.0, 3.0, 3.0), (4.0, 0.1, 1e-3)])
def test_plane_moments_against_gauss_legendre(activation, a, b, angle):
    phi = ACTIVATIONS[activation]
    nodes, weights = np.polynomial.legendre.leggauss(400)
    nodes, weights = 10 * nodes, 10 * weights * norm.pdf(10 * nodes)
    z_1, z_2 = np.meshgrid(nodes, nodes, indexing="ij")
    mass = np.outer(weights, weights)
    for f, g in ((1, 1), (2, 0), (2, None)):
        product = mass * phi(a * z_1, f)
        if g is not None:
            product *= phi(b * (np.cos(angle) * z_1 + np.sin(angle) * z_2), g)
        c, A = phi.plane_moments(*np.array([[a], [b], [angle]]), (f, g))
        expected = [[z_1 * z_1, z_1 * z_2], [z_2 * z_1, z_2 * z_2]]
        expected = [[(product * e).sum() for e in row] for row in expected]
        assert c[0] == pytest.approx(product.sum(), rel=1e-8, abs=1e-12)
        np.testing.assert_allclose(A[0], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "erf"])
def test_large_kernels_keep_the_hessian_above_the_bound(activation):
    W = 10 * np.eye(2, 3)  # orthonormal up to scale: kappa = lambda = 1
    smallest = np.linalg.eigvalsh(population_hessian(W, activation, 1))[0]
    assert smallest > ACTIVATIONS[activation].rho(10.0)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "sigmoid"])
def test_orthonormal_kernels_attain_the_bound(activation):
    W = draw_teacher(3, 6, condition=1, rng=0)
    for patches in (1, 4):
        smallest = np.linalg.eigvalsh(population_hessian(W, activation, patches))[0]
        assert smallest == pytest.approx(patches * ACTIVATIONS[activation].rho(1.0), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(list(ACTIVATIONS)), st.integers(1, 5))
def test_population_hessian_turns_with_the_filters(seed, activation, patches):
    rng = np.random.default_rng(seed)
    W = draw_teacher(3, 4, rng=rng)
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    turn = np.kron(np.eye(3), Q)
    H = population_hessian(W, activation, patches)
    turned = population_hessian(W @ Q.T, activation, patches)
    np.testing.assert_allclose(turned, turn @ H @ turn.T, atol=1e-10 * abs(H).max())
    np.testing.assert_allclose(H, H.T, atol=1e-12 * abs(H).max())
    assert np.linalg.eigvalsh(H)[0] > -1e-12 * abs(H).max()


def test_batched_trials_are_single_trials():
    rng = np.random.default_rng(0)
    W, teacher = rng.standard_normal((2, 3, 4, 5))
    for activation in ("relu", "tanh"):
        batch = population_hessian(W, activation, 2, teacher)
        single = [population_hessian(w, activation, 2, s) for w, s in zip(W, teacher, strict=True)]
        np.testing.assert_allclose(batch, single, atol=1e-10)


def test_duplicated_filters_and_controls_are_singular():
    m, p = 3, 5
    W = draw_teacher(m, p, rng=0)
    twin = W.copy()
    twin[1] = twin[0]
    for activation in ("relu", "squared_relu", "tanh", "erf"):
        assert np.linalg.eigvalsh(population_hessian(W, activation, 2))[0] > 1e-4
        assert abs(np.linalg.eigvalsh(population_hessian(twin, activation, 2))[0]) < 1e-12
    for activation, nulls in (("linear", m * p - p), ("quadratic", m * (m - 1) // 2)):
        values = np.linalg.eigvalsh(population_hessian(W, activation, 2))
        assert (values < 1e-10 * values[-1]).sum() == nulls


def test_fewer_samples_than_unknowns_leave_null_directions():
    rng = np.random.default_rng(0)
    W = draw_teacher(3, 6, rng=rng)
    values = np.linalg.eigvalsh(empirical_hessian(W, rng.standard_normal((11, 2, 6)), "tanh"))
    assert (abs(values) < 1e-12).sum() == 18 - 11


def test_near_parallel_relu_filters_lose_curvature_with_the_cube():
    angles = np.array([0.04, 0.02])
    smallest = []
    for angle in angles:
        W = np.array([[np.cos(angle / 2), s * np.sin(angle / 2), 0] for s in (1, -1)])
        smallest.append(np.linalg.eigvalsh(population_hessian(W, "relu", 1))[0])
    slope = np.log(smallest[0] / smallest[1]) / np.log(angles[0] / angles[1])
    assert slope == pytest.approx(3, abs=0.05)


def test_bad_arguments():
    W = np.eye(3)
    with pytest.raises(ValueError, match="n_patches: expected at least 1, found 0"):
        population_hessian(W, "relu", 0)
    with pytest.raises(ValueError, match="filters: expected finite non-zero"):
        population_hessian(np.zeros((3, 2)), "relu", 1)
    with pytest.raises(ValueError, match="activation"):
        population_hessian(W, "gelu", 1)
    with pytest.raises(ValueError, match=r"patches: expected p = 3 entries.*found 4"):
        empirical_hessian(W, np.ones((5, 1, 4)), "relu")
    with pytest.raises(ValueError, match=r"y: expected shape \(5,\).*found \(5, 1\)"):
        empirical_hessian(W, np.ones((5, 1, 3)), "relu", np.ones((5, 1)))
    with pytest.raises(ValueError, match=r"a sample for each of \[\] trials, found \(2, 5, 1, 3\)"):
        empirical_hessian(W, np.ones((2, 5, 1, 3)), "relu")
