import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import backward, forward, fully_connected
from cnntheory.allenzhu2019.perturb import (
    Dense,
    adversarial_direction,
    adversary,
    changes,
    gaussian,
    gradient,
    gradient_change,
    passes,
    rank_one,
    semismoothness,
)
from cnntheory.allenzhu2019.training import evaluate_loss

SIZES = [0.01, 0.1, 0.5]


def dense(direction, size=0):
    """W' as matrices (S, m, k)."""
    if isinstance(direction, Dense):
        return direction.matrices
    factors = zip(direction.left, direction.right, strict=True)
    return [
        U @ V.mT for U, V in ([f[:, size] if f.dim() == 4 else f for f in two] for two in factors)
    ]


def moved(net, direction, omega, size=0):
    other = net.copy()
    for W, matrix in zip(other.W, dense(direction, size), strict=True):
        W += omega * matrix
    return other


@pytest.fixture
def directions(generators):
    def make(net, x, y):
        signals = forward(net, x)
        residual = signals.outputs - y[..., None]
        return {
            "gaussian": gaussian(net, generators(net.trials, 3)),
            "rank one": rank_one(net, signals, generators(net.trials, 4)),
            "gradient": gradient(net, signals, residual),
        }

    return make


@pytest.mark.parametrize("kind", ["fully", "residual"])
@pytest.mark.parametrize("direction", ["gaussian", "rank one", "gradient"])
def test_perturbed_passes_are_passes_of_perturbed_networks(
    kind, direction, build, problem, directions
):
    net = build(kind, 2, 20, 3)
    x, y = problem(2, 4, 11)
    W = directions(net, x, y)[direction]
    found = passes(net, x, W, SIZES)
    for j, omega in enumerate(SIZES):
        other = moved(net, W, omega)
        expected = forward(other, x)
        torch.testing.assert_close(found.outputs[:, j], expected.outputs)
        for ours, theirs in zip(found.hidden, expected.hidden, strict=True):
            torch.testing.assert_close(ours[:, j], theirs)
        for ours, theirs in zip(found.vectors, backward(other, expected), strict=True):
            torch.testing.assert_close(ours[:, j], theirs)


def test_directions_have_spectral_norm_1(generators, problem, directions):
    net = fully_connected(generators(2), 12, 300, 2)
    x, y = problem(2, 5, 11)
    norms = {
        name: torch.stack([torch.linalg.matrix_norm(one, 2) for one in dense(direction)])
        for name, direction in directions(net, x, y).items()
    }
    torch.testing.assert_close(norms["rank one"], torch.ones(2, 2).double())
    torch.testing.assert_close(norms["gradient"].amax(dim=0), torch.ones(2).double())
    # The edge fluctuates by m^(-2/3).
    assert ((norms["gaussian"] - 1).abs() < 0.05).all()


def test_the_gradient_direction_goes_downhill(build, problem, directions):
    net = build("fully", 2, 20, 2)
    x, y = problem(2, 4, 11)
    direction = directions(net, x, y)["gradient"]
    W = [matrix.clone().requires_grad_() for matrix in net.W]
    loss = evaluate_loss(forward(moved(net, direction, 0), x).outputs, y)[0]
    net.W = W
    gradients = torch.autograd.grad(evaluate_loss(forward(net, x).outputs, y)[0].sum(), W)
    for matrix, true in zip(dense(direction), gradients, strict=True):
        cosine = torch.nn.functional.cosine_similarity(matrix.flatten(1), true.flatten(1))
        torch.testing.assert_close(cosine, -torch.ones(2).double())
    net.W = [matrix.detach() for matrix in W]
    assert (evaluate_loss(forward(moved(net, direction, 1e-4), x).outputs, y)[0] < loss).all()


def test_the_adversary_attains_its_flip_budget(generators, problem):
    """In layer 1 it flips the k smallest pre-activations, and k + 1 would exceed its norm."""
    net = fully_connected(generators(2), 12, 500, 2)
    x, _ = problem(2, 3, 11)
    signals = forward(net, x)
    found = changes(signals, backward(net, signals), adversary(net, x, SIZES))
    g = (signals.rows[0] @ net.W[0].mT).abs().sort(dim=-1).values
    cost = g.square().cumsum(dim=-1).sqrt() / signals.rows[0].norm(dim=-1, keepdim=True)
    for j, omega in enumerate(SIZES):
        expected = (cost <= omega).sum(dim=-1)
        torch.testing.assert_close(found.flips[:, j, :, 0] * 500, expected.double())
    # No other perturbation of a layer flips more: flipping any set costs its pre-activations.
    assert (found.flips[..., 0].diff(dim=1) > 0).all()


def test_the_adversarys_passes_are_those_of_the_network_it_makes(generators, problem):
    net = fully_connected(generators(2), 12, 60, 3)
    x, _ = problem(2, 4, 11)
    found = adversary(net, x, SIZES)
    direction = adversarial_direction(net, x, SIZES, sample=2)
    for j, omega in enumerate(SIZES):
        other = moved(net, direction, omega, size=j)
        signals = forward(other, x)
        vectors = backward(other, signals)
        torch.testing.assert_close(found.outputs[:, j, 2], signals.outputs[:, 2])
        for ours, theirs in zip(found.vectors, vectors, strict=True):
            torch.testing.assert_close(ours[:, j, 2], theirs[:, 2])
        for matrix in dense(direction, j):
            norms = torch.linalg.matrix_norm(matrix, 2)
            assert (norms <= 1 + 1.01e-4).all() and (norms > 0).all()
    # For all inputs, with the axis of sizes.
    everyone = passes(net, x, direction, SIZES)
    torch.testing.assert_close(everyone.outputs[:, :, 2], found.outputs[:, :, 2])
    torch.testing.assert_close(everyone.outputs[:, -1], signals.outputs)


def test_exponents_of_the_adversary_and_of_a_gaussian(generators, problem):
    """2/3 and 1, from the density of pre-activations at zero."""
    net = fully_connected(generators(3), 12, 2000, 1)
    x, _ = problem(3, 6, 11)
    signals = forward(net, x)
    vectors = backward(net, signals)
    sizes = np.geomspace(0.01, 0.1, 4)

    def slope(after):
        flips = changes(signals, vectors, after).flips.mean(dim=(0, 2, 3))
        return np.polyfit(np.log(sizes), flips.log().numpy(), 1)[0]

    assert abs(slope(adversary(net, x, sizes)) - 2 / 3) < 0.05
    generic = gaussian(net, generators(3, 5))
    assert abs(slope(passes(net, x, generic, sizes)) - 1) < 0.15


def test_no_perturbation_changes_nothing(build, problem, directions):
    net = build("fully", 2, 20, 2)
    x, y = problem(2, 4, 11)
    signals = forward(net, x)
    vectors = backward(net, signals)
    for after in (
        adversary(net, x, [0.0]),
        passes(net, x, directions(net, x, y)["gaussian"], [0.0]),
    ):
        for value in changes(signals, vectors, after):
            assert value.abs().max() < 1e-13


def test_changes_are_the_differences(build, problem, directions, jacobian):
    net = build("fully", 2, 20, 3)
    x, y = problem(2, 4, 11)
    signals = forward(net, x)
    vectors = backward(net, signals)
    direction = directions(net, x, y)["gaussian"]
    found = changes(signals, vectors, passes(net, x, direction, SIZES))
    other = moved(net, direction, SIZES[2])
    after = forward(other, x)
    for layer in range(3):
        h, h_new = signals.hidden[layer + 1], after.hidden[layer + 1]
        p, p_new = vectors[layer], backward(other, after)[layer]
        flips = ((h > 0) ^ (h_new > 0)).double().mean(dim=-1)
        torch.testing.assert_close(found.flips[:, 2, :, layer], flips)
        torch.testing.assert_close(found.forward[:, 2, :, layer], (h_new - h).norm(dim=-1))
        expected = (p_new - p).norm(dim=-1) / p.norm(dim=-1)
        torch.testing.assert_close(found.backward[:, 2, :, layer], expected)
    for s in range(2):
        J, J_new = (
            torch.cat([one[:, 0].flatten(1) for one in jacobian(each, s, x[s])], dim=1)
            for each in (net, other)
        )
        expected = (J_new - J).norm(dim=1) / J.norm(dim=1)
        torch.testing.assert_close(found.gradient[s, 2], expected)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_residual_of_semi_smoothness_is_the_remainder(outputs, build, problem, generators):
    net = build("fully", 2, 20, 3, outputs)
    x, y = problem(2, 4, 11)
    y = torch.stack([y] * outputs, dim=-1)
    direction = gaussian(net, generators(2, 3))
    found = semismoothness(net, x, y, direction, SIZES, torch.tensor([0.0, 0.2]))
    W = [matrix.clone().requires_grad_() for matrix in net.W]
    net.W = W
    loss = evaluate_loss(forward(net, x).outputs, y)[0]
    gradients = torch.autograd.grad(loss.sum(), W)
    net.W = [matrix.detach() for matrix in W]
    inner = sum((g * w).sum(dim=(1, 2)) for g, w in zip(gradients, direction.matrices, strict=True))
    for j, omega in enumerate(SIZES):
        after = evaluate_loss(forward(moved(net, direction, omega), x).outputs, y)[0]
        torch.testing.assert_close(
            found.residual[:, j], (after - loss - omega * inner).detach(), rtol=1e-8, atol=1e-9
        )
        for s, radius in enumerate((0.0, 0.2)):
            root = np.sqrt(4 * 20 * np.log(20) / outputs * loss[s].item())
            expected = root * max(omega, radius) ** (1 / 3) * 9 * omega
            assert found.first[s, j].item() == pytest.approx(expected)
            assert found.second[s, j].item() == pytest.approx(4 * 9 * 20 / outputs * omega**2)


def test_without_kinks_the_residual_is_quadratic(build, problem, generators):
    """For a size so small that nothing flips only the product of layers is left: omega^2."""
    net = build("fully", 2, 20, 2)
    x, y = problem(2, 4, 11)
    sizes = np.geomspace(1e-6, 1e-4, 3)
    direction = gaussian(net, generators(2, 3))
    residual = semismoothness(net, x, y, direction, sizes).residual.abs().numpy()
    np.testing.assert_allclose(np.diff(np.log(residual), axis=1), np.log(100), rtol=1e-2)


def test_networks_that_do_not_fit_are_refused(build, problem):
    x, _ = problem(1, 3, 11)
    conv, skip, net = (build(kind, 1, 4, 2) for kind in ("conv", "residual", "fully"))
    with pytest.raises(ValueError, match="found images"):
        passes(conv, x, Dense([None, None]), SIZES)
    with pytest.raises(ValueError, match="knows no skips"):
        adversary(skip, x, SIZES)
    with pytest.raises(ValueError, match="each of 2 layers, found 1"):
        passes(net, x, Dense(net.W[:1]), SIZES)


def test_the_change_of_the_gradient_is_that_of_autograds(build, problem, jacobian):
    net, other = build("fully", 2, 6, 3), build("fully", 2, 6, 3, seed=9)
    other.A, other.B = net.A, net.B
    x, _ = problem(2, 4, 11)
    signals, after = forward(net, x), forward(other, x)
    found = gradient_change(signals, backward(net, signals), after, backward(other, after))
    for s in range(2):
        J, J_moved = (
            torch.cat([one[:, 0].flatten(1) for one in jacobian(each, s, x[s])], dim=1)
            for each in (net, other)
        )
        torch.testing.assert_close(found[s], (J_moved - J).norm(dim=1) / J.norm(dim=1))
