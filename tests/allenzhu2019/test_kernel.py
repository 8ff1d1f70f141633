import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from cnntheory.allenzhu2019 import FrozenKernel, TangentKernel, descent, forward, fully_connected
from cnntheory.allenzhu2019.kernel import correlation, gram_matrix

KINDS = ("fully", "residual", "conv")


@pytest.fixture
def frozen():
    """Kernels (2, 4, 4) with eigenvalues from 1 to 30, outputs, labels, and step sizes."""
    rng = np.random.default_rng(4)
    Q = np.linalg.qr(rng.standard_normal((2, 4, 4)))[0]
    K = Q * np.array([1.0, 2.0, 7.0, 30.0]) @ Q.transpose(0, 2, 1)
    start, y = torch.from_numpy(rng.standard_normal((2, 2, 4)))
    step = torch.tensor([1 / 30, 1 / 45]).double()
    return TangentKernel(torch.from_numpy(K)).frozen(start, y, step=step)


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
    torch.testing.assert_close(TangentKernel.at(net, x).matrix, layers.sum(dim=1))
    torch.testing.assert_close(gram_matrix(net, x, signals=forward(net, x)), layers.sum(dim=1))


def test_wide_networks_have_the_arc_cosine_kernel(generators, problem):
    """The mean over draws, within four standard errors of it, and those are small."""
    x, _ = problem(1, 5, 11)
    draws, width, depth = 60, 500, 3
    x = x.expand(draws, 5, 12)
    K = TangentKernel.at(fully_connected(generators(draws), 12, width, depth), x).matrix / width
    limit = TangentKernel.limit(x[0], depth).matrix
    errors = K.std(dim=0) / draws**0.5
    assert ((K.mean(dim=0) - limit).abs() < 4 * errors).all()
    assert (errors < 0.05 * limit.diagonal()[0]).all()


def test_the_limit_on_one_unit_vector_is_half_the_depth():
    np.testing.assert_allclose(TangentKernel.limit(np.array([[0.6, 0.8]]), 5).matrix, 2.5)
    with pytest.raises(ValueError, match="unit vectors"):
        TangentKernel.limit(np.array([[1.0, 1.0]]), 2)


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


def test_predictions_are_descent_on_the_linear_model(frozen):
    K, y, current = frozen.kernel.matrix, frozen.y, frozen.start - frozen.y
    step = torch.eye(4) - frozen.step[:, None, None] * K
    losses, outputs = [], []
    for _ in range(6):
        losses.append(current.square().sum(dim=1) / 2)
        outputs.append(y + current)
        current = (step @ current[..., None])[..., 0]
    torch.testing.assert_close(frozen.losses(5), torch.stack(losses, dim=1))
    torch.testing.assert_close(frozen.outputs(5), torch.stack(outputs, dim=1))


def test_several_outputs_follow_each_other_sample_by_sample(frozen):
    by_output = frozen.kernel.frozen(
        frozen.start.reshape(2, 2, 2), frozen.y.reshape(2, 2, 2), step=frozen.step
    )
    torch.testing.assert_close(by_output.outputs(3), frozen.outputs(3))
    with pytest.raises(ValueError, match="y: expected 4 numbers a trial"):
        frozen.kernel.frozen(frozen.start, frozen.y[:, :3])


@pytest.mark.parametrize("tol", [0.5, 1e-3, 1e-8])
def test_predicted_times_lie_between_the_losses(frozen, tol):
    times, losses = frozen.iterations(tol), frozen.losses(1000)
    for s in range(2):
        relative = losses[s] / losses[s, 0]
        t = times[s].item()
        assert relative[int(t)] > tol >= relative[int(t) + 1]


def test_the_predicted_time_of_one_mode_is_closed():
    kernel, start = TangentKernel(2 * torch.ones(1, 1, 1).double()), torch.ones(1, 1).double()
    expected = np.log(1e-5) / (2 * np.log(0.8))
    slow = kernel.frozen(start, 0 * start, step=0.1)
    assert slow.iterations(1e-5).item() == pytest.approx(expected, rel=1e-12)
    assert torch.isinf(kernel.frozen(start, 0 * start, step=1.5).iterations(1e-5)).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        slow.iterations(1.0)


def test_the_predicted_movement_is_the_least_change_that_fits(frozen):
    """Among all changes w of the parameters with ``J w = y - f_0`` the least has that norm."""
    J = torch.linalg.cholesky(frozen.kernel.matrix)
    J = torch.cat([J, torch.zeros(2, 4, 3).double()], dim=2)
    asked = (frozen.y - frozen.start)[..., None]
    least = torch.linalg.lstsq(J, asked, driver="gelsd").solution
    torch.testing.assert_close(frozen.movement(), least.norm(dim=(1, 2)))


def test_one_decomposition_serves_all_predictions(frozen, monkeypatch):
    frozen.kernel.modes  # noqa: B018
    monkeypatch.setattr(torch.linalg, "eigh", None)
    for predict in (frozen.movement, lambda: frozen.losses(2), lambda: frozen.iterations(0.5)):
        assert predict().isfinite().all()
    assert frozen.outputs(2).shape == (2, 3, 4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_network_that_hardly_moves_follows_its_prediction(kind, outputs, build, problem):
    """With labels next to the outputs the kernel stays, and the prediction is exact."""
    net = build(kind, 2, 60, 2, outputs)
    x, y = problem(2, 4, 11)
    near = forward(net, x).outputs + 1e-6 * y[..., None]
    frozen = FrozenKernel.at(net, x, near)
    torch.testing.assert_close(frozen.step, TangentKernel.at(net, x).step())
    states = list(descent(net, x, near, frozen.step, max_iter=15))
    losses = torch.stack([state.loss for state in states], dim=1)
    torch.testing.assert_close(losses, frozen.losses(15), rtol=1e-3, atol=0)
    found = torch.stack([state.outputs.flatten(1) for state in states], dim=1)
    assert (found - frozen.outputs(15)).abs().max() < 1e-3 * states[0].residual.abs().max()


def test_step_sizes():
    K = TangentKernel(torch.diag_embed(torch.tensor([[1.0, 4.0, 2.0], [5.0, 5.0, 5.0]])))
    torch.testing.assert_close(K.step(2.0), torch.tensor([0.5, 0.4]))
    torch.testing.assert_close(K.step(batch=1), torch.tensor([1 / 12, 1 / 15]))
    torch.testing.assert_close(K.step(batch=3), torch.tensor([1 / 4, 1 / 5]))
    assert TangentKernel(0 * K.matrix).step().tolist() == [0, 0]
