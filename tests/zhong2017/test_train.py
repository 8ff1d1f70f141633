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
    network_output,
    population_hessian,
    population_objective,
    recovery_error,
    tensor_initialise,
    train,
    train_levenberg_marquardt,
)

CLOSED = ("relu", "leaky_relu", "linear", "erf")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_empirical_objective_is_autograd(activation, torch_phi, monkeypatch):
    monkeypatch.setattr(train, "_BLOCK_ENTRIES", 200)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    W = rng.standard_normal((2, 3, 4))
    x, y = rng.standard_normal((37, 3, 4)), rng.standard_normal(37)
    leaf, z = torch.tensor(W, requires_grad=True), torch.as_tensor(x)
    output = torch_phi[activation](torch.einsum("nkp,bmp->bnkm", z, leaf)).sum(dim=(2, 3))
    losses = ((output - torch.as_tensor(y)) ** 2).mean(dim=1) / 2
    losses.sum().backward()
    loss, gradient = empirical_objective(x, y, activation)(W)
    np.testing.assert_allclose(loss, losses.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(network_output(W, x, activation), output.detach().numpy())


@pytest.mark.parametrize("patches", [1, 4])
@pytest.mark.parametrize("activation", CLOSED)
def test_population_objective_is_the_mean_over_samples(activation, patches):
    rng = np.random.default_rng(1)
    teacher, W = draw_teacher(2, 3, rng=rng), rng.standard_normal((2, 2, 3))
    x = rng.standard_normal((200_000, patches, 3))
    y = network_output(teacher, x, activation)
    loss, gradient = population_objective(teacher, activation, patches)(W)
    sample_loss, sample_gradient = empirical_objective(x, y, activation)(W)
    np.testing.assert_allclose(loss, sample_loss, rtol=0.02)
    assert np.linalg.norm(gradient - sample_gradient) < 0.02 * np.linalg.norm(gradient)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(CLOSED), st.integers(1, 6))
def test_population_gradient_is_a_finite_difference(seed, activation, patches):
    rng = np.random.default_rng(seed)
    teacher, W = draw_teacher(3, 4, rng=rng), rng.standard_normal((3, 4))
    objective = population_objective(teacher, activation, patches)
    direction = rng.standard_normal(W.shape)
    h = 1e-5
    loss, _ = objective(np.stack([W + h * direction, W - h * direction]))
    slope = (objective(W[None])[1][0] * direction).sum()
    assert (loss[0] - loss[1]) / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("activation", CLOSED)
def test_truth_is_a_minimum(activation):
    teacher = draw_teacher(3, 5, rng=0)
    loss, gradient = population_objective(teacher, activation, 3)(teacher[None, [1, 2, 0]])
    assert loss[0] < 1e-12
    assert abs(gradient).max() < 1e-12


@pytest.mark.parametrize("eigenvector", [0, 3])
def test_local_rate_is_one_minus_the_ratio_of_eigenvalues(eigenvector):
    teacher = draw_teacher(3, 4, rng=0)
    values, vectors = np.linalg.eigh(population_hessian(teacher, "erf", 2))
    start = teacher + 1e-5 * vectors[:, eigenvector].reshape(3, 4)
    iterates = gradient_descent(
        start[None],
        population_objective(teacher, "erf", 2),
        partial(population_hessian, activation="erf", n_patches=2),
        max_iter=20,
    )
    distance = [np.linalg.norm(W[0] - teacher) for W, _ in iterates]
    factor = (distance[20] / distance[0]) ** (1 / 20)
    assert 1 - factor == pytest.approx(values[eigenvector] / values[-1], rel=0.01)


def sample(seed, shape, n_filters, activation):
    rng = np.random.default_rng(seed)
    W = draw_teacher(n_filters, shape[-1], rng=rng)
    x = rng.standard_normal(shape)
    return rng, W, x, network_output(W, x, activation)


@pytest.mark.parametrize("activation", ["squared_relu", "tanh", "relu"])
def test_tensor_start_descends_to_the_truth(activation):
    _, W, x, y = sample(0, (8000, 2, 6), 3, activation)
    start = tensor_initialise(x, y, 3, activation).filters
    iterates = gradient_descent(
        start[None],
        empirical_objective(x, y, activation),
        partial(empirical_hessian, patches=x, activation=activation, y=y),
        max_iter=2000,
        tol=1e-16,
    )
    filters, losses = zip(*iterates, strict=True)
    losses, found = np.ravel(losses), filters[-1]
    assert (np.diff(losses) < 0).all()
    assert losses[-1] <= 1e-16
    assert recovery_error(found[0], W)[0] < 1e-6 < recovery_error(start, W)[0]


def test_many_starts_are_single_starts():
    rng, W, x, y = sample(0, (500, 2, 4), 2, "tanh")
    starts = np.stack([W, rng.standard_normal(W.shape), rng.standard_normal(W.shape)])
    objective = empirical_objective(x, y, "tanh")
    hessian = partial(empirical_hessian, patches=x, activation="tanh", y=y)
    before = starts.copy()
    together = list(gradient_descent(starts, objective, hessian, max_iter=15, tol=1e-25))
    np.testing.assert_array_equal(starts, before)
    assert len(together) == 16
    for i in (1, 2):
        alone = list(gradient_descent(starts[i : i + 1], objective, hessian, max_iter=15))
        np.testing.assert_allclose(together[-1][0][i], alone[-1][0][0], atol=1e-10)
        np.testing.assert_allclose(together[-1][1][i], alone[-1][1][0], rtol=1e-8)
    for iterate, _ in together:  # at the truth from the start: it stays
        np.testing.assert_array_equal(iterate[0], W)


def test_starts_on_samples_of_their_own_are_single_starts(monkeypatch):
    monkeypatch.setattr(train, "_BLOCK_ENTRIES", 500)  # several blocks of samples
    samples = [sample(seed, (300, 2, 4), 2, "tanh")[1:] for seed in range(3)]
    teachers, x, y = map(np.array, zip(*samples, strict=True))
    starts = teachers + 0.1 * np.random.default_rng(3).standard_normal(teachers.shape)
    together = list(
        gradient_descent(
            starts,
            empirical_objective(x, y, "tanh"),
            partial(empirical_hessian, patches=x, activation="tanh", y=y),
            max_iter=15,
        )
    )
    for i in range(3):
        hessian = partial(empirical_hessian, patches=x[i], activation="tanh", y=y[i])
        objective = empirical_objective(x[i], y[i], "tanh")
        alone = list(gradient_descent(starts[i : i + 1], objective, hessian, max_iter=15))
        np.testing.assert_allclose(together[-1][0][i], alone[-1][0][0], atol=1e-12)
        np.testing.assert_allclose(together[-1][1][i], alone[-1][1][0], rtol=1e-10)


def test_zero_loss_does_not_identify_a_linear_network():
    rng, W, x, y = sample(0, (400, 2, 5), 3, "linear")
    start = rng.standard_normal((1, *W.shape))
    iterates = gradient_descent(
        start,
        empirical_objective(x, y, "linear"),
        partial(empirical_hessian, patches=x, activation="linear", y=y),
        max_iter=500,
        tol=1e-22,
    )
    found, loss = list(iterates)[-1]
    assert loss[0] < 1e-20
    assert recovery_error(found[0], W)[1] > 0.2


def test_bad_arguments():
    with pytest.raises(
        ValueError, match="activation: expected one of relu, leaky_relu, linear, erf"
    ):
        population_objective(np.eye(3), "tanh", 2)
    with pytest.raises(ValueError, match="n_patches: expected at least 1, found 0"):
        population_objective(np.eye(3), "relu", 0)
    with pytest.raises(ValueError, match=r"patches: expected shape \(n, k, p\)"):
        empirical_objective(np.ones((4, 4)), np.ones(4), "relu")
    with pytest.raises(ValueError, match=r"y: expected shape \(4,\).*found \(4, 1\)"):
        empirical_objective(np.ones((4, 2, 3)), np.ones((4, 1)), "relu")
    with pytest.raises(ValueError, match="filters: expected 5 starts, one a sample, found 1"):
        empirical_objective(np.ones((5, 4, 2, 3)), np.ones((5, 4)), "relu")(np.ones((1, 1, 3)))
    with pytest.raises(ValueError, match=r"y: expected shape \(3, 9\).*found \(9,\)"):
        train_levenberg_marquardt(np.ones((3, 2, 4)), np.ones((3, 9, 1, 4)), np.ones(9), "relu")
    with pytest.raises(ValueError, match=r"one sample for each of the 2 .*found \(3, 9, 1, 4\)"):
        train_levenberg_marquardt(
            np.ones((2, 2, 4)), np.ones((3, 9, 1, 4)), np.ones((3, 9)), "relu"
        )


@pytest.mark.parametrize("activation", ["squared_relu", "tanh", "relu"])
def test_second_order_steps_end_where_another_solver_does(activation):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((3, 60, 2, 4))
    teachers = np.array([draw_teacher(2, 4, rng=rng) for _ in x])
    # Noise, so that the optimum is not zero.
    y = network_output(teachers, x, activation)
    y += 0.1 * rng.standard_normal(y.shape)
    starts = teachers + 0.1 * rng.standard_normal(teachers.shape)
    found = train_levenberg_marquardt(starts, x, y, activation, max_iter=500)
    assert found.converged.all()
    problems = zip(found.filters, found.loss, starts, x, y, strict=True)
    for W, value, start, inputs, labels in problems:
        peer = least_squares(
            lambda w, inputs=inputs, labels=labels: (
                network_output(w.reshape(2, 4), inputs, activation) - labels
            ),
            start.ravel(),
            xtol=1e-14,
            ftol=1e-14,
            gtol=1e-14,
        )
        # At a kink either solver may stop early.
        smooth = ACTIVATIONS[activation].smooth
        assert value == pytest.approx(peer.cost / len(labels), rel=1e-6 if smooth else 0.02)
        if smooth:
            gradient = empirical_objective(inputs, labels, activation)(W[None])[1]
            assert np.abs(gradient).max() < 1e-7


def test_fewer_samples_than_unknowns_are_fitted_and_not_recovered():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((6, 5, 2, 4))
    teachers = np.array([draw_teacher(2, 4, rng=rng) for _ in x])
    y = network_output(teachers, x, "tanh")
    starts = teachers + 0.3 * rng.standard_normal(teachers.shape)
    found = train_levenberg_marquardt(starts, x, y, "tanh")
    assert np.median(found.loss) < 1e-15
    errors = [recovery_error(*pair) for pair in zip(found.filters, teachers, strict=True)]
    assert min(error.largest for error in errors) > 0.02


def test_second_order_steps_stay_where_the_gradient_vanishes():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((1, 30, 2, 4)), rng.standard_normal((1, 30))
    with np.errstate(all="raise"):
        found = train_levenberg_marquardt(np.zeros((1, 2, 4)), x, y, "squared_relu")
    assert not found.filters.any()
    assert found.loss[0] == pytest.approx((y**2).mean() / 2)


def test_many_problems_are_single_problems():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 30, 2, 3))
    teachers = np.array([draw_teacher(2, 3, rng=rng) for _ in x])
    y = network_output(teachers, x, "tanh")
    starts = teachers + 0.2 * rng.standard_normal(teachers.shape)
    starts[1] = teachers[1] + 1e-7  # done long before the others
    together = train_levenberg_marquardt(starts, x, y, "tanh")
    assert together.converged.all()
    assert together.n_iter[1] < min(together.n_iter[[0, 2, 3]])
    for i in range(4):
        own = slice(i, i + 1)
        alone = train_levenberg_marquardt(starts[own], x[own], y[own], "tanh")
        assert alone.n_iter[0] == together.n_iter[i]
        np.testing.assert_allclose(together.filters[i], alone.filters[0], atol=1e-9)
        np.testing.assert_allclose(alone.filters[0], teachers[i], atol=1e-6)
    short = train_levenberg_marquardt(starts, x, y, "tanh", max_iter=1)
    assert (short.n_iter == 1).all() and not short.converged[[0, 2, 3]].any()
