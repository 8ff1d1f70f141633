import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from cnntheory.allenzhu2019 import (
    backward,
    copy,
    correlation,
    forward,
    fully_connected,
    gradient_change,
    gram_matrix,
    limit_gram,
    limit_separations,
    linear_outputs,
    linearised,
    predicted_iterations,
    predicted_losses,
    predicted_movement,
    step_size,
    train,
)

KINDS = ("fully", "residual", "conv")


@pytest.fixture
def frozen():
    """Kernels (2, 4, 4) with eigenvalues from 1 to 30, residuals, and step sizes."""
    rng = np.random.default_rng(4)
    Q = np.linalg.qr(rng.standard_normal((2, 4, 4)))[0]
    K = Q * np.array([1.0, 2.0, 7.0, 30.0]) @ Q.transpose(0, 2, 1)
    r = rng.standard_normal((2, 4))
    return torch.from_numpy(K), torch.from_numpy(r), torch.tensor([1 / 30, 1 / 45]).double()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_the_kernel_is_the_gram_matrix_of_autograds_jacobian(
    kind, outputs, build, problem, jacobian
):
    net = build(kind, 2, 6, 3, outputs)
    x, _ = problem(2, 4, 11)
    layers = gram_matrix(net, x, per_layer=True)
    for s in range(2):
        for layer, J in enumerate(jacobian(net, s, x[s])):
            flat = J.reshape(4 * outputs, -1)
            torch.testing.assert_close(layers[s, layer], flat @ flat.T, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gram_matrix(net, x), layers.sum(dim=1))
    torch.testing.assert_close(gram_matrix(net, x, signals=forward(net, x)), layers.sum(dim=1))


def test_wide_networks_have_the_arc_cosine_kernel(generators, problem):
    """The mean over draws, within four standard errors of it, and those are small."""
    x, _ = problem(1, 5, 11)
    draws, width, depth = 60, 500, 3
    x = x.expand(draws, 5, 12)
    K = gram_matrix(fully_connected(generators(draws), 12, width, depth), x) / width
    limit = torch.from_numpy(limit_gram(x[0], depth))
    errors = K.std(dim=0) / draws**0.5
    assert ((K.mean(dim=0) - limit).abs() < 4 * errors).all()
    assert (errors < 0.05 * limit.diagonal()[0]).all()


def test_the_limit_on_one_unit_vector_is_half_the_depth():
    np.testing.assert_allclose(limit_gram(np.array([[0.6, 0.8]]), 5), 2.5)
    with pytest.raises(ValueError, match="unit vectors"):
        limit_gram(np.array([[1.0, 1.0]]), 2)


@given(st.floats(-0.999, 0.999))
def test_the_recursion_is_the_gaussian_average_of_two_relus(c):
    """``2 E relu(u) relu(v)`` for unit Gaussians of correlation c, integrated over the angle."""
    # In polar coordinates the radius gives E r^2 = 2, the angle the rest.
    phi = np.arccos(c)

    def product(angle):
        return max(np.cos(angle), 0) * max(np.cos(angle - phi), 0)

    low, high = phi - np.pi / 2, np.pi / 2
    expected = 2 * 2 * quad(product, low, high)[0] / (2 * np.pi)
    assert correlation(c) == pytest.approx(expected, abs=1e-9)


def test_correlations_and_separations_at_the_ends():
    np.testing.assert_allclose(correlation(np.array([-1.0, 0.0, 1.0])), [0, 1 / np.pi, 1])
    found = limit_separations(np.array([0.0, 1.0]), 2)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-7)
    assert found[0, 0] == pytest.approx(np.sqrt(1 - 1 / np.pi**2))


def test_predictions_are_descent_on_the_linear_model(frozen):
    K, r, eta = frozen
    step = torch.eye(4) - eta[:, None, None] * K
    f0 = torch.ones(2, 4).double()
    losses, outputs, current = [], [], r
    for _ in range(6):
        losses.append(current.square().sum(dim=1) / 2)
        outputs.append(f0 - r + current)
        current = (step @ current[..., None])[..., 0]
    torch.testing.assert_close(predicted_losses(K, r, eta, 5), torch.stack(losses, dim=1))
    torch.testing.assert_close(linear_outputs(K, f0, r, eta, 5), torch.stack(outputs, dim=1))
    torch.testing.assert_close(
        predicted_losses(K, r[..., None], eta, 5), predicted_losses(K, r, eta, 5)
    )


@pytest.mark.parametrize("tolerance", [0.5, 1e-3, 1e-8])
def test_predicted_times_lie_between_the_losses(frozen, tolerance):
    K, r, eta = frozen
    times = predicted_iterations(K, r, eta, tolerance)
    losses = predicted_losses(K, r, eta, 1000)
    for s in range(2):
        relative = losses[s] / losses[s, 0]
        t = times[s].item()
        assert relative[int(t)] > tolerance >= relative[int(t) + 1]


def test_the_predicted_time_of_one_mode_is_closed():
    K, r = 2 * torch.ones(1, 1, 1).double(), torch.ones(1, 1).double()
    expected = np.log(1e-5) / (2 * np.log(0.8))
    assert predicted_iterations(K, r, 0.1, 1e-5).item() == pytest.approx(expected, rel=1e-12)
    assert torch.isinf(predicted_iterations(K, r, 1.5, 1e-5)).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        predicted_iterations(K, r, 0.1, 1.0)


def test_the_predicted_movement_is_the_least_change_that_fits(frozen):
    """Among all changes w of the parameters with ``J w = -r`` the least has that norm."""
    K, r, _ = frozen
    J = torch.linalg.cholesky(K)
    J = torch.cat([J, torch.zeros(2, 4, 3).double()], dim=2)
    least = torch.linalg.lstsq(J, -r[..., None], driver="gelsd").solution
    torch.testing.assert_close(predicted_movement(K, r), least.norm(dim=(1, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_hardly_moves_follows_its_prediction(kind, build, problem):
    """With labels next to the outputs the kernel stays, and the prediction is exact."""
    net = build(kind, 2, 60, 2)
    x, y = problem(2, 4, 11)
    K = gram_matrix(net, x)
    eta = step_size(K)
    near = forward(net, x).outputs[..., 0] + 1e-6 * y
    states = list(train(net, x, near, eta, steps=15))
    losses = torch.stack([state.loss for state in states], dim=1)
    residual = states[0].residual
    torch.testing.assert_close(losses, predicted_losses(K, residual, eta, 15), rtol=1e-3, atol=0)
    outputs = torch.stack([state.outputs[..., 0] for state in states], dim=1)
    expected = linear_outputs(K, states[0].outputs, residual, eta, 15)
    assert (outputs - expected).abs().max() < 1e-3 * residual.abs().max()


def test_step_sizes():
    K = torch.diag_embed(torch.tensor([[1.0, 4.0, 2.0], [5.0, 5.0, 5.0]]))
    torch.testing.assert_close(step_size(K, 2.0), torch.tensor([0.5, 0.4]))
    torch.testing.assert_close(step_size(K, batch=1), torch.tensor([1 / 12, 1 / 15]))
    torch.testing.assert_close(step_size(K, batch=3), torch.tensor([1 / 4, 1 / 5]))
    assert step_size(0 * K).tolist() == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_linearised_change_is_the_derivative(kind, build, problem):
    net = build(kind, 2, 6, 3)
    x, _ = problem(2, 4, 11)
    signals = forward(net, x)
    rng = np.random.default_rng(5)
    change = [torch.from_numpy(rng.standard_normal(W.shape)) for W in net.W]
    moved = copy(net)
    for W, delta in zip(moved.W, change, strict=True):
        W += 1e-7 * delta
    expected = (forward(moved, x).outputs - signals.outputs)[..., 0] / 1e-7
    found = linearised(signals, backward(net, signals), change)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_the_change_of_the_gradient_is_that_of_autograds(build, problem, jacobian):
    net, other = build("fully", 2, 6, 3), build("fully", 2, 6, 3, seed=9)
    other.A, other.B = net.A, net.B
    x, _ = problem(2, 4, 11)
    signals, moved = forward(net, x), forward(other, x)
    found = gradient_change(signals, backward(net, signals), moved, backward(other, moved))
    for s in range(2):
        J, J_moved = (
            torch.cat([one[:, 0].flatten(1) for one in jacobian(each, s, x[s])], dim=1)
            for each in (net, other)
        )
        torch.testing.assert_close(found[s], (J_moved - J).norm(dim=1) / J.norm(dim=1))
