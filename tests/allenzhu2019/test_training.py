import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import (
    TangentKernel,
    descent,
    forward,
    fully_connected,
    movement,
    training,
)
from cnntheory.allenzhu2019.kernel import gram_matrix
from cnntheory.allenzhu2019.training import accuracy, evaluate_loss, plateau, spectral_norm

KINDS = ("fully", "residual", "conv")


def loop(net, s, x, y, eta, steps, loss, plain, batches=None):
    """Losses of the full data and W at the end: one trial with autograd and torch.optim.SGD."""
    W = [matrix[s].clone().requires_grad_() for matrix in net.W]
    optimiser = torch.optim.SGD(W, lr=float(eta[s]))

    def objective(rows):
        outputs = plain(net, s, W, x[s, rows])
        if loss == "squared":
            return (outputs.reshape(y[s, rows].shape) - y[s, rows]).square().sum() / 2
        return torch.nn.functional.cross_entropy(outputs, y[s, rows], reduction="sum")

    everything, losses = np.arange(x.shape[1]), []
    for t in range(steps):
        losses.append(objective(everything).item())
        rows = everything if batches is None else batches[t]
        optimiser.zero_grad()
        (len(everything) / len(rows) * objective(rows)).backward()
        optimiser.step()
    losses.append(objective(everything).item())
    return losses, [matrix.detach() for matrix in W]


@pytest.mark.parametrize("cache", [1, 1 << 22])
@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("kind", KINDS)
def test_batched_descent_is_the_loop_over_trials(
    kind, loss, cache, build, problem, plain, monkeypatch
):
    # Trial by trial, and all in one group.
    monkeypatch.setattr(training, "_CACHE", cache)
    net = build(kind, 3, 8, 3, 2)
    x, _ = problem(3, 5, 11)
    rng = np.random.default_rng(3)
    y = torch.from_numpy(
        rng.standard_normal((3, 5, 2)) if loss == "squared" else rng.integers(0, 2, (3, 5))
    )
    eta = TangentKernel.at(net, x).step(0.7)
    trained = net.copy()
    losses = [state.loss for state in descent(trained, x, y, eta, max_iter=8, loss=loss)]
    for s in range(3):
        expected, W = loop(net, s, x, y, eta, 8, loss, plain)
        np.testing.assert_allclose([one[s] for one in losses], expected, rtol=1e-11)
        for ours, theirs in zip(trained.W, W, strict=True):
            torch.testing.assert_close(ours[s], theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_batched_sgd_is_the_loop_over_trials(kind, build, problem, plain, generators):
    net = build(kind, 2, 8, 2)
    x, y = problem(2, 6, 11)
    eta = TangentKernel.at(net, x).step(0.5, batch=2)
    trained = net.copy()
    states = descent(trained, x, y, eta, max_iter=9, batch=2, rng=generators(2, 7), every=4)
    losses = {state.iteration: state.loss for state in states}
    assert list(losses) == [0, 4, 8, 9]
    for s, rng in enumerate(generators(2, 7)):
        batches = [rng.choice(6, 2, replace=False, shuffle=False) for _ in range(9)]
        expected, W = loop(net, s, x, y, eta, 9, "squared", plain, batches)
        for t, loss in losses.items():
            assert loss[s].item() == pytest.approx(expected[t], rel=1e-10)
        for ours, theirs in zip(trained.W, W, strict=True):
            torch.testing.assert_close(ours[s], theirs, rtol=1e-10, atol=1e-11)


def test_sgd_with_all_samples_is_gradient_descent(build, problem, generators):
    net = build("fully", 2, 8, 2)
    x, y = problem(2, 5, 11)
    eta = TangentKernel.at(net, x).step()
    by_batch = net.copy()
    for _ in descent(by_batch, x, y, eta, max_iter=5, batch=5, rng=generators(2)):
        pass
    for _ in descent(net, x, y, eta, max_iter=5):
        pass
    for one, other in zip(net.W, by_batch.W, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [2, 40])
def test_squared_gradients_are_those_of_the_kernel(kind, width, build, problem):
    """||grad F||^2 = r^T K r, along the path, and layer by layer."""
    net = build(kind, 2, width, 3)
    x, y = problem(2, 6, 11)
    eta = TangentKernel.at(net, x).step()
    for state in descent(net, x, y, eta, max_iter=4):
        layers = gram_matrix(state.network, x, per_layer=True)
        r = state.residual
        expected = (r[:, None].mT @ layers @ r[:, None])[..., 0, 0]
        torch.testing.assert_close(state.gradient_squares, expected, rtol=1e-10, atol=1e-13)
        torch.testing.assert_close(
            state.outputs, forward(state.network, x).outputs, rtol=1e-10, atol=1e-12
        )


def test_sgd_has_no_gradient_of_all_samples(build, problem, generators):
    x, y = problem(2, 5, 11)
    state = next(
        descent(build("fully", 2, 8, 2), x, y, 0.1, max_iter=1, batch=2, rng=generators(2))
    )
    with pytest.raises(ValueError, match=r"take r\^T K r"):
        state.gradient_squares  # noqa: B018


def test_a_trial_that_diverges_or_converges_leaves_the_others_alone(build, problem):
    x, y = problem(3, 5, 11)
    eta = TangentKernel.at(build("fully", 3, 60, 2), x).step()
    usual = build("fully", 3, 60, 2)
    *_, expected = descent(usual, x, y, eta, max_iter=60, tol=1e-3)
    spoiled = build("fully", 3, 60, 2)
    wild = eta * torch.tensor([1.0, 1e4, 1.0])
    with np.errstate(all="raise"):
        *_, found = descent(spoiled, x, y, wild, max_iter=60, tol=1e-3)
    for s in (0, 2):
        torch.testing.assert_close(found.loss[s], expected.loss[s])
        for one, other in zip(spoiled.W, usual.W, strict=True):
            torch.testing.assert_close(one[s], other[s])
    assert not found.running.any()
    assert not found.loss[1] < 1e6 * evaluate_loss(forward(usual, x).outputs, y)[0][1]


def test_a_trial_stops_where_it_first_reached_the_tolerance(build, problem):
    x, y = problem(4, 5, 11)
    net = build("fully", 4, 60, 2)
    eta = TangentKernel.at(net, x).step()
    curve = torch.stack([s.loss for s in descent(net.copy(), x, y, eta, max_iter=200)])
    *_, state = descent(net, x, y, eta, max_iter=200, tol=1e-2)
    first = (curve <= 1e-2 * curve[0]).double().argmax(dim=0)
    assert len(set(first.tolist())) > 1
    torch.testing.assert_close(state.loss, curve[first, torch.arange(4)])
    torch.testing.assert_close(
        evaluate_loss(forward(net, x).outputs, y)[0], state.loss, rtol=1e-8, atol=0
    )
    assert state.iteration == first.max()


def test_step_sizes_may_change_with_the_iteration(build, problem):
    x, y = problem(2, 5, 11)
    net = build("fully", 2, 20, 2)
    eta = TangentKernel.at(net, x).step()
    other = net.copy()
    for _ in descent(other, x, y, lambda t: eta if t < 3 else 0.0, max_iter=9):
        pass
    for _ in descent(net, x, y, eta, max_iter=3):
        pass
    for one, two in zip(net.W, other.W, strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_duplicates_with_opposite_labels_stop_at_the_exact_value(generators, problem):
    x, _ = problem(2, 3, 11)
    x = x.repeat(1, 2, 1)
    y = torch.tensor([[1.0, 1.0, -1.0, -1.0, 1.0, -2.0]]).repeat(2, 1).double()
    net = fully_connected(generators(2), 12, 120, 2)
    eta = TangentKernel.at(net, x).step()
    *_, state = descent(net, x, y, eta, max_iter=1500, every=50)
    # Pairs (1, -1), (1, 1) and (-1, -2).
    expected = (4 + 0 + 1) / 4
    np.testing.assert_allclose(state.loss, expected, rtol=1e-9)
    assert state.gradient_squares.sum(dim=1).max() < 1e-8 * expected
    assert plateau(x[0], y[0]) == pytest.approx(expected)


def test_the_plateau_of_triples_and_of_vectors():
    x = np.array([[0.0], [1.0], [0.0], [0.0]])
    assert plateau(x, [1.0, 5.0, 2.0, 6.0]) == pytest.approx((4 + 1 + 9) / 2)
    assert plateau(x[:3], [[1.0, 0], [9, 9], [0, 1.0]]) == pytest.approx(0.5)
    assert plateau(np.eye(3), [1.0, 2.0, 3.0]) == 0


def test_losses_and_their_slopes():
    rng = np.random.default_rng(0)
    outputs = torch.from_numpy(rng.standard_normal((2, 4, 3))).requires_grad_()
    classes = torch.from_numpy(rng.integers(0, 3, (2, 4)))
    targets = torch.from_numpy(rng.standard_normal((2, 4, 3)))
    for y, loss in ((targets, "squared"), (classes, "cross_entropy")):
        value, slope = evaluate_loss(outputs, y, loss)
        expected = torch.autograd.grad(value.sum(), outputs)[0]
        torch.testing.assert_close(slope.detach(), expected)
    expected = torch.nn.functional.cross_entropy(outputs[1], classes[1], reduction="sum")
    torch.testing.assert_close(value[1], expected)


def test_accuracy_of_classes_signs_and_one_hot_labels():
    outputs = torch.tensor([[[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]])
    classes = torch.tensor([[0, 1, 1]])
    assert accuracy(outputs, classes).item() == pytest.approx(2 / 3)
    assert accuracy(outputs, torch.nn.functional.one_hot(classes)).item() == pytest.approx(2 / 3)
    assert accuracy(outputs[..., :1] - 1, torch.tensor([[1.0, 1.0, 1.0]])).item() == pytest.approx(
        2 / 3
    )


def test_movement_is_the_norm_of_the_difference(build, problem):
    net = build("fully", 2, 150, 2)
    start = net.copy()
    x, y = problem(2, 5, 11)
    for _ in descent(net, x, y, TangentKernel.at(net, x).step(), max_iter=5):
        pass
    spectral, frobenius = movement(net, start)
    for layer in range(2):
        change = net.W[layer] - start.W[layer]
        torch.testing.assert_close(spectral[:, layer], torch.linalg.matrix_norm(change, 2))
        torch.testing.assert_close(frobenius[:, layer], torch.linalg.matrix_norm(change))


@pytest.mark.parametrize("shape", [(3, 5), (200, 140), (140, 200)])
def test_the_spectral_norm_is_the_largest_singular_value(shape):
    matrix = torch.from_numpy(np.random.default_rng(2).standard_normal(shape))
    expected = torch.linalg.matrix_norm(matrix, 2).item()
    assert spectral_norm(matrix.mv, matrix.T.mv, matrix) == pytest.approx(expected, rel=1e-7)
    assert spectral_norm((0 * matrix).mv, (0 * matrix).T.mv, matrix) == 0
    assert np.isnan(spectral_norm((np.inf * matrix).mv, matrix.T.mv, matrix))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(y=torch.zeros(2, 4)), "y: expected shape"),
        (dict(loss="hinge"), "loss: expected one of squared"),
        (dict(loss="cross_entropy"), "y: expected classes, integers"),
        (dict(loss="cross_entropy", y=torch.ones(2, 5).long()), "y: expected classes 0 to 0"),
        (dict(batch=6, rng=[0, 1]), "batch: expected 1 to the number of samples 5"),
        (dict(batch=2), "rng: expected a generator or seed for each of 2"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message, build, problem):
    net = build("fully", 2, 4, 1)
    x, y = problem(2, 5, 11)
    usual = dict(net=net, X=x, y=y, step=1.0, max_iter=1)
    with pytest.raises(ValueError, match=message):
        next(descent(**(usual | arguments)))
