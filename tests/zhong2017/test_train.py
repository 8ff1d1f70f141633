"""Losses against autograd and Monte Carlo; gradient descent against the rate of the theory."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    draw_teacher,
    empirical_hessian,
    empirical_objective,
    gradient_descent,
    levenberg_marquardt,
    network_output,
    population_hessian,
    population_objective,
    recovery_error,
    tensor_initialise,
    train,
)

CLOSED = ("relu", "leaky_relu", "erf")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_empirical_objective_is_autograd(activation, torch_phi, monkeypatch):
    monkeypatch.setattr(train, "_BLOCK_ENTRIES", 200)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    W = rng.standard_normal((2, 4, 3))
    x, y = rng.standard_normal((37, 12)), rng.standard_normal(37)
    leaf = torch.tensor(W, requires_grad=True)
    z = torch.as_tensor(x.reshape(37, 3, 4))
    output = torch_phi[activation](torch.einsum("nra,bat->bnrt", z, leaf)).sum(dim=(2, 3))
    losses = ((output - torch.as_tensor(y)) ** 2).mean(dim=1) / 2
    losses.sum().backward()
    loss, gradient = empirical_objective(x, y, 4, activation)(W)
    np.testing.assert_allclose(loss, losses.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(network_output(W, x, activation), output.detach().numpy())


@pytest.mark.parametrize("patches", [1, 4])
@pytest.mark.parametrize("activation", CLOSED)
def test_population_objective_is_the_mean_over_samples(activation, patches):
    rng = np.random.default_rng(1)
    teacher, W = draw_teacher(rng, 3, 2), rng.standard_normal((2, 3, 2))
    x = rng.standard_normal((200_000, 3 * patches))
    y = network_output(teacher, x, activation)
    loss, gradient = population_objective(teacher, activation, patches)(W)
    sample_loss, sample_gradient = empirical_objective(x, y, 3, activation)(W)
    np.testing.assert_allclose(loss, sample_loss, rtol=0.02)
    assert np.linalg.norm(gradient - sample_gradient) < 0.02 * np.linalg.norm(gradient)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(CLOSED), st.integers(1, 6))
def test_population_gradient_is_a_finite_difference(seed, activation, patches):
    rng = np.random.default_rng(seed)
    teacher, W = draw_teacher(rng, 4, 3), rng.standard_normal((4, 3))
    objective = population_objective(teacher, activation, patches)
    direction = rng.standard_normal(W.shape)
    h = 1e-5
    loss, _ = objective(np.stack([W + h * direction, W - h * direction]))
    slope = (objective(W[None])[1][0] * direction).sum()
    assert (loss[0] - loss[1]) / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("activation", CLOSED)
def test_truth_is_a_minimum(activation):
    teacher = draw_teacher(np.random.default_rng(0), 5, 3)
    loss, gradient = population_objective(teacher, activation, 3)(teacher[None, :, [1, 2, 0]])
    assert loss[0] < 1e-12
    assert abs(gradient).max() < 1e-12


@pytest.mark.parametrize("eigenvector", [0, 3])
def test_local_rate_is_one_minus_the_ratio_of_eigenvalues(eigenvector):
    teacher = draw_teacher(np.random.default_rng(0), 4, 3)
    values, vectors = np.linalg.eigh(population_hessian(teacher, "erf", 2))
    start = teacher + 1e-5 * vectors[:, eigenvector].reshape(3, 4).T
    iterates = gradient_descent(
        start[None],
        population_objective(teacher, "erf", 2),
        partial(population_hessian, activation="erf", patches=2),
        steps=20,
    )
    distance = [np.linalg.norm(W[0] - teacher) for W, _ in iterates]
    factor = (distance[20] / distance[0]) ** (1 / 20)
    assert 1 - factor == pytest.approx(values[eigenvector] / values[-1], rel=0.01)


def sample(seed, n, k, r, t, activation):
    rng = np.random.default_rng(seed)
    W = draw_teacher(rng, k, t)
    x = rng.standard_normal((n, k * r))
    return rng, W, x, network_output(W, x, activation)


@pytest.mark.parametrize("activation", ["squared_relu", "tanh", "relu"])
def test_tensor_start_descends_to_the_truth(activation):
    _, W, x, y = sample(0, 8000, 6, 2, 3, activation)
    start = tensor_initialise(x, y, 3, 6, activation)
    iterates = gradient_descent(
        start[None],
        empirical_objective(x, y, 6, activation),
        partial(empirical_hessian, x=x, activation=activation, y=y),
        steps=2000,
        tolerance=1e-16,
    )
    kernels, losses = zip(*iterates, strict=True)
    losses, found = np.ravel(losses), kernels[-1]
    assert (np.diff(losses) < 0).all()
    assert losses[-1] <= 1e-16
    assert recovery_error(found[0], W)[0] < 1e-6 < recovery_error(start, W)[0]


def test_many_starts_are_single_starts():
    rng, W, x, y = sample(0, 500, 4, 2, 2, "tanh")
    starts = np.stack([W, rng.standard_normal(W.shape), rng.standard_normal(W.shape)])
    objective = empirical_objective(x, y, 4, "tanh")
    hessian = partial(empirical_hessian, x=x, activation="tanh", y=y)
    before = starts.copy()
    together = list(gradient_descent(starts, objective, hessian, steps=15, tolerance=1e-25))
    np.testing.assert_array_equal(starts, before)
    assert len(together) == 16
    for i in (1, 2):
        alone = list(gradient_descent(starts[i : i + 1], objective, hessian, steps=15))
        np.testing.assert_allclose(together[-1][0][i], alone[-1][0][0], atol=1e-10)
        np.testing.assert_allclose(together[-1][1][i], alone[-1][1][0], rtol=1e-8)
    for iterate, _ in together:  # at the truth from the start: it stays
        np.testing.assert_array_equal(iterate[0], W)


def test_zero_loss_does_not_identify_a_linear_network():
    rng, W, x, y = sample(0, 400, 5, 2, 3, "linear")
    start = rng.standard_normal((1, *W.shape))
    iterates = gradient_descent(
        start,
        empirical_objective(x, y, 5, "linear"),
        partial(empirical_hessian, x=x, activation="linear", y=y),
        steps=500,
        tolerance=1e-22,
    )
    found, loss = list(iterates)[-1]
    assert loss[0] < 1e-20
    assert recovery_error(found[0], W)[1] > 0.2


def test_bad_arguments():
    with pytest.raises(ValueError, match="activation: expected one of relu, leaky_relu, erf"):
        population_objective(np.eye(3), "tanh", 2)
    with pytest.raises(ValueError, match="patches"):
        population_objective(np.eye(3), "relu", 0)
    with pytest.raises(ValueError, match="patch_size=3"):
        empirical_objective(np.ones((4, 4)), np.ones(4), 3, "relu")


@pytest.mark.parametrize("activation", ["squared_relu", "tanh", "relu"])
def test_second_order_steps_end_where_another_solver_does(activation):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((3, 60, 8))
    teachers = [draw_teacher(rng, 4, 2) for _ in x]
    # Noise, so that the optimum is not zero.
    y = np.array([network_output(W, s, activation) for W, s in zip(teachers, x, strict=True)])
    y += 0.1 * rng.standard_normal(y.shape)
    starts = np.array(teachers) + 0.1 * rng.standard_normal((3, 4, 2))
    found, loss = levenberg_marquardt(starts, x, y, activation, steps=500)
    for W, value, start, inputs, labels in zip(found, loss, starts, x, y, strict=True):
        peer = least_squares(
            lambda w, inputs=inputs, labels=labels: (
                network_output(w.reshape(4, 2), inputs, activation) - labels
            ),
            start.ravel(),
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )
        # The ReLU has kinks: equal losses to the digits that either solver reaches.
        assert value == pytest.approx(peer.cost / len(labels), rel=1e-6)
        if activation != "relu":
            gradient = empirical_objective(inputs, labels, 4, activation)(W[None])[1]
            assert np.abs(gradient).max() < 1e-7


def test_fewer_samples_than_unknowns_are_fitted_and_not_recovered():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((6, 5, 8))
    teachers = [draw_teacher(rng, 4, 2) for _ in x]
    y = np.array([network_output(W, s, "tanh") for W, s in zip(teachers, x, strict=True)])
    starts = np.array(teachers) + 0.3 * rng.standard_normal((6, 4, 2))
    found, loss = levenberg_marquardt(starts, x, y, "tanh")
    assert np.median(loss) < 1e-15
    assert min(recovery_error(*pair)[0] for pair in zip(found, teachers, strict=True)) > 0.02


def test_second_order_steps_stay_where_the_gradient_vanishes():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((1, 30, 8)), rng.standard_normal((1, 30))
    with np.errstate(all="raise"):
        found, loss = levenberg_marquardt(np.zeros((1, 4, 2)), x, y, "squared_relu")
    assert not found.any()
    assert loss[0] == pytest.approx((y**2).mean() / 2)


def test_many_problems_are_single_problems():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 30, 6))
    teachers = np.array([draw_teacher(rng, 3, 2) for _ in x])
    y = np.array([network_output(W, s, "tanh") for W, s in zip(teachers, x, strict=True)])
    starts = teachers + 0.2 * rng.standard_normal(teachers.shape)
    together, _ = levenberg_marquardt(starts, x, y, "tanh")
    for i in range(4):
        alone, _ = levenberg_marquardt(starts[i : i + 1], x[i : i + 1], y[i : i + 1], "tanh")
        np.testing.assert_allclose(together[i], alone[0], atol=1e-9)
        np.testing.assert_allclose(alone[0], teachers[i], atol=1e-6)
