"""Curvature against dense Hessians, finite differences and smoothed losses in closed form."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from cnntheory.allenzhu2019.curvature import (
    difference_operator,
    flat_objective,
    hessian_operator,
    lanczos,
    oja,
    random_direction,
    rayleigh,
    stochastic_operator,
    value_and_gradient,
)


def network(activation):
    """A small network with a saddle-shaped loss, its inputs and labels."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), activation(), nn.Linear(6, 6), activation())
    model.append(nn.Linear(6, 3))
    rng = np.random.default_rng(0)
    return model, rng.standard_normal((12, 4)), rng.integers(3, size=12)


def dense(objective, w):
    return torch.autograd.functional.hessian(objective, w)


def symmetric(seed, size):
    A = torch.as_tensor(np.random.default_rng(seed).standard_normal((size, size)))
    return (A + A.T) / 2


def test_flat_objective_is_the_loss_of_the_module():
    model, x, y = network(nn.ReLU)
    objective, w = flat_objective(model, x, y)
    expected = cross_entropy(model.double()(torch.as_tensor(x)), torch.as_tensor(y))
    expected.backward()
    value, gradient = value_and_gradient(objective, w)
    assert float(value) == pytest.approx(expected.item(), rel=1e-12)
    parts = torch.cat([p.grad.ravel() for p in model.parameters()])
    torch.testing.assert_close(gradient, parts, rtol=1e-10, atol=1e-14)


def test_flat_objective_takes_other_losses_and_precisions():
    model, x, _ = network(nn.Tanh)
    target = np.ones((12, 3))
    objective, w = flat_objective(model, x, target, mse_loss, dtype=torch.float32)
    assert objective(w).dtype == w.dtype == torch.float32
    expected = mse_loss(model(torch.as_tensor(x).float()), torch.ones(12, 3)).item()
    assert float(objective(w)) == pytest.approx(expected, rel=1e-6)


def test_flat_objective_leaves_the_module_as_it_is():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    objective, w = flat_objective(model, np.random.default_rng(0).random((8, 4)), np.arange(8) % 3)
    assert float(objective(w)) == float(objective(w))
    assert float(objective(w + 1)) != float(objective(w))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh])
def test_products_are_the_dense_hessian(activation):
    objective, w = flat_objective(*network(activation))
    v = random_direction(np.random.default_rng(1), w)
    product = hessian_operator(objective, w)
    torch.testing.assert_close(product(v), dense(objective, w) @ v, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(product(-2 * v), -2 * product(v))


def test_products_are_finite_differences_of_gradients():
    objective, w = flat_objective(*network(nn.Softplus))
    v = random_direction(np.random.default_rng(1), w)
    exact = hessian_operator(objective, w)(v)
    error = [float((difference_operator(objective, w, q)(v) - exact).norm()) for q in (0.1, 0.01)]
    assert error[0] < 0.01 * float(exact.norm())
    assert error[0] / error[1] == pytest.approx(100, rel=0.1)  # second order
    product = difference_operator(objective, w, 0.1)
    torch.testing.assert_close(product(-3 * v), -3 * product(v))


def test_a_linear_loss_has_no_curvature():
    w = torch.ones(3, dtype=torch.float64)
    assert not hessian_operator(lambda w: 2 * w.sum(), w)(w).any()
    # and one that is curved in some coordinates only
    product = hessian_operator(lambda w: w[0] ** 2 + w[1], w)
    assert product(w).tolist() == [2.0, 0.0, 0.0]


def test_differences_see_kinks_and_second_derivatives_do_not():
    def objective(w):
        return 3 * torch.relu(w).sum()

    w = torch.tensor([0.002, 1.0], dtype=torch.float64)
    v = torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert not hessian_operator(objective, w)(v).any()
    # The slope jumps by 3 inside the segment of half-length q: a mean curvature of 3 / (2 q).
    assert difference_operator(objective, w, 0.01)(v).tolist() == pytest.approx([150, 0])
    assert not difference_operator(objective, w, 0.001)(v).any()


def test_lanczos_finds_the_spectrum_of_a_network():
    objective, w = flat_objective(*network(nn.Tanh))
    H = dense(objective, w)
    expected = torch.linalg.eigvalsh(H)
    start = random_direction(np.random.default_rng(2), w)
    ritz = lanczos(hessian_operator(objective, w), start, len(w))
    torch.testing.assert_close(ritz.values[[0, -1]], expected[[0, -1]], rtol=1e-9, atol=1e-9)
    assert expected[0] < 0
    few = lanczos(hessian_operator(objective, w), start, 20)
    torch.testing.assert_close(few.values[[0, -1]], expected[[0, -1]], rtol=1e-3, atol=1e-4)
    true = (few.vectors @ H - few.values[:, None] * few.vectors).norm(dim=1)
    torch.testing.assert_close(few.residuals, true, rtol=1e-6, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 15))
def test_ritz_pairs_bound_the_spectrum(seed, size, steps):
    H = symmetric(seed, size)
    start = torch.as_tensor(np.random.default_rng(seed + 1).standard_normal(size))
    values, vectors, residuals = lanczos(lambda v: H @ v, start, steps)
    spectrum = torch.linalg.eigvalsh(H)
    assert len(values) == min(steps, size)
    assert spectrum[0] - 1e-9 <= values[0] and values[-1] <= spectrum[-1] + 1e-9
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(len(values)).double())
    # An eigenvalue lies within the residual of every Ritz value.
    nearest = (values[:, None] - spectrum).abs().min(dim=1).values
    assert (nearest <= residuals + 1e-9).all()
    if steps >= size:
        torch.testing.assert_close(values, spectrum, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lanczos_stops_when_the_space_is_exhausted(dtype):
    d = torch.tensor([-2.0, 5, 5, 5, 1, 1], dtype=dtype)
    ritz = lanczos(lambda v: d * v, torch.ones(6, dtype=dtype), 6)
    assert ritz.values.tolist() == pytest.approx([-2, 1, 5], abs=1e-5)
    assert (ritz.residuals < 1e-5).all()


def test_oja_finds_the_most_negative_direction_through_noise():
    rng = np.random.default_rng(0)
    values = torch.linspace(-1, 4, 30).double()
    basis = torch.linalg.qr(torch.as_tensor(rng.standard_normal((30, 30))))[0]
    H = basis * values @ basis.T

    def product(v):
        noise = torch.as_tensor(rng.standard_normal((30, 30)))
        return H @ v + 0.05 * (noise + noise.T) @ v

    start = random_direction(rng, values)
    iterates = list(itertools.islice(oja(product, start, 0.1), 400))
    torch.testing.assert_close(iterates[0], start)
    assert all(float(v.norm()) == pytest.approx(1) for v in iterates)
    assert abs(float(start @ basis[:, 0])) < 0.5 < 0.95 < abs(float(iterates[-1] @ basis[:, 0]))
    quotient, residual = rayleigh(lambda v: H @ v, basis[:, 0])
    assert quotient == pytest.approx(-1) and residual < 1e-12


@pytest.mark.parametrize("radius", [None, 1e-3])
def test_noisy_products_average_to_the_smoothed_hessian(radius):
    # E cos(w + sigma xi) = exp(-sigma^2 / 2) cos w: smoothing shrinks the curvature.
    sigma, w = 0.8, torch.linspace(0, 1, 50).double()
    a = torch.linspace(-1, 1, 50).double()
    losses = [lambda w: 2 * (a * w.cos()).sum(), lambda w: 0 * w.sum() ** 2]
    product = stochastic_operator(
        itertools.cycle(losses), w, sigma, np.random.default_rng(0), radius
    )
    v = torch.ones_like(w)
    mean = sum(product(v) for _ in range(1000)) / 1000
    unsmoothed = -a * w.cos()
    shrunk = float(mean @ unsmoothed / unsmoothed.square().sum())
    assert shrunk == pytest.approx(np.exp(-(sigma**2) / 2), abs=0.03)


def test_oja_on_mini_batches_agrees_with_lanczos():
    model, x, y = network(nn.Tanh)
    objective, w = flat_objective(model, x, y)
    product = hessian_operator(objective, w)
    rng = np.random.default_rng(3)
    start = random_direction(rng, w)
    ritz = lanczos(product, start, 40)
    halves = [flat_objective(model, x[half], y[half])[0] for half in (slice(6), slice(6, 12))]
    noisy = stochastic_operator(itertools.cycle(halves), w, 1e-3, rng)
    v = next(itertools.islice(oja(noisy, start, 0.5 / float(ritz.values[-1])), 500, None))
    assert rayleigh(product, v)[0] < 0.9 * float(ritz.values[0])
    assert abs(float(v @ ritz.vectors[0])) > 0.9


def test_draws_do_not_depend_on_the_precision():
    short, long = (
        random_direction(np.random.default_rng(5), torch.zeros(40, dtype=dtype))
        for dtype in (torch.float32, torch.float64)
    )
    torch.testing.assert_close(short.double(), long, rtol=1e-5, atol=1e-6)
    assert float(long.norm()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, w: flat_objective(nn.ReLU(), w, w), "model: ReLU has no parameters"),
        (lambda f, w: flat_objective(nn.Linear(1, 1), w, w[1:]), "labels: found 2 for 3 inputs"),
        (lambda f, w: difference_operator(f, w, 0.0), "radius: .* found 0"),
        (lambda f, w: stochastic_operator(iter([f]), w, -1, None), "sigma: .* found -1"),
        (lambda f, w: lanczos(f, w, 0), "max_iter: .* found 0"),
        (lambda f, w: lanczos(f, 0 * w, 3), "start: .* found 0"),
        (lambda f, w: lanczos(f, w / 0, 3), "start: .* found inf"),
    ],
)
def test_errors_name_argument_and_value(call, message):
    with pytest.raises(ValueError, match=message):
        call(torch.sum, torch.ones(3, dtype=torch.float64))
