"""The scan against quadratics in closed form; networks and training against symmetries."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from cnntheory.allenzhu2019.curvature import flat_objective, value_and_gradient
from cnntheory.allenzhu2019.landscapes import (
    decreases,
    flatten_features,
    landscape,
    noisy_labels,
    plain_network,
    residual_network,
    sgd_epochs,
)
from cnntheory.descent import minibatches

NETWORKS = {"ResNet": residual_network, "plain": plain_network}


def images(n=30, seed=0):
    """Random images of side 8 with labels that every class has."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 1, 8, 8)), np.arange(n) % 10


@pytest.fixture
def quadratic():
    """Least squares ``mean (x w - y)^2``, which has a closed landscape; x, y and the weights."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 5)), rng.standard_normal((20, 1))
    model = nn.Linear(5, 1, bias=False).double()
    w = model.weight.detach().numpy().ravel()
    residual = x @ w - y.ravel()
    gradient, H = 2 * x.T @ residual / 20, 2 * x.T @ x / 20
    return model, x, y, gradient, H


@pytest.mark.parametrize(("name", "parameters"), [("ResNet", 5122), ("plain", 4370)])
def test_networks_have_the_stated_size(name, parameters):
    model = NETWORKS[name](np.random.default_rng(0))
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert model(torch.zeros(3, 1, 14, 14)).shape == (3, 10)
    assert not list(model.buffers())  # the loss depends on the weights and the batch alone


@pytest.mark.parametrize("name", NETWORKS)
def test_initial_weights_are_hes(name):
    model = NETWORKS[name](np.random.default_rng(0), widths=(64, 64), classes=7)
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    for layer in convolutions:
        deviation = np.sqrt(2 / (layer.out_channels * layer.kernel_size[0] ** 2))
        # six standard errors of an estimated standard deviation
        bound = 6 / np.sqrt(2 * layer.weight.numel())
        assert float(layer.weight.detach().std()) == pytest.approx(deviation, rel=bound)
    again = NETWORKS[name](np.random.default_rng(0), widths=(64, 64), classes=7)
    for first, second in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("name", NETWORKS)
def test_loss_ignores_the_scale_of_a_convolution(name):
    # Batch normalisation: F(c W_l) = F(W_l), hence <grad F, W_l> = 0.
    model = NETWORKS[name](np.random.default_rng(0)).double()
    x, y = map(torch.as_tensor, images())
    loss = cross_entropy(model(x), y)
    loss.backward()
    for layer in (m for m in model.modules() if isinstance(m, nn.Conv2d)):
        with torch.no_grad():
            inner, size = (layer.weight * layer.weight.grad).sum(), layer.weight.norm()
            assert abs(float(inner)) < 1e-4 * float(size * layer.weight.grad.norm())
            layer.weight *= 3
            assert float(cross_entropy(model(x), y)) == pytest.approx(float(loss), rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1), st.integers(1, 60))
def test_noise_replaces_no_more_than_its_share(seed, share, n):
    labels = np.arange(n) % 10
    noisy = noisy_labels(np.random.default_rng(seed), labels, share)
    assert (noisy != labels).sum() <= round(share * n)
    assert ((noisy >= 0) & (noisy < 10)).all()
    assert (labels == np.arange(n) % 10).all()


def test_noise_is_uniform():
    labels = np.zeros(20_000, dtype=int)
    noisy = noisy_labels(np.random.default_rng(0), labels, 0.5)
    counts = np.bincount(noisy, minlength=10)
    assert counts[0] == pytest.approx(11_000, abs=200)
    assert (abs(counts[1:] - 1000) < 6 * np.sqrt(1000)).all()


def test_training_is_that_of_torch():
    x, y = map(torch.as_tensor, images(32))
    models = [plain_network(np.random.default_rng(0), widths=(4, 4)).double() for _ in range(2)]
    options = dict(momentum=0.8, weight_decay=0.01)
    epochs = sgd_epochs(
        models[0], x, y, np.random.default_rng(1), step=0.5, drops=(2, 4), batch=10, **options
    )
    optimiser = torch.optim.SGD(models[1].parameters(), lr=0.5, **options)
    rates = torch.optim.lr_scheduler.MultiStepLR(optimiser, [1, 3], gamma=0.1)
    order = minibatches(np.random.default_rng(1), 32, 10)
    for _ in itertools.islice(epochs, 4):
        for picks in itertools.islice(order, 3):
            optimiser.zero_grad()
            cross_entropy(models[1](x[picks]), y[picks]).backward()
            optimiser.step()
        rates.step()
        for first, second in zip(*(model.parameters() for model in models), strict=True):
            torch.testing.assert_close(first, second)


def test_training_descends_and_repeats():
    x, y = images()
    ends = []
    for _ in range(2):
        model = plain_network(np.random.default_rng(0), widths=(8, 8))
        objective, start = flat_objective(model, x, y)
        epochs = sgd_epochs(model, x, y, np.random.default_rng(1), batch=10)
        assert list(itertools.islice(epochs, 12)) == list(range(1, 13))
        ends.append(flat_objective(model, x, y)[1])
    assert torch.equal(*ends)
    assert float(objective(ends[0])) < 0.8 * float(objective(start))


def test_a_quadratic_is_scanned_exactly(quadratic):
    model, x, y, gradient, H = quadratic
    scan = landscape(
        model, x, y, np.random.default_rng(1), loss=mse_loss, points=7, radius=2.0, max_iter=5
    )
    values, vectors = np.linalg.eigh(H)
    norm = np.linalg.norm(gradient)
    assert scan.gradient_norm == pytest.approx(norm)
    assert [scan.smallest, scan.largest] == pytest.approx(values[[0, -1]].tolist())
    assert scan.residual < 1e-9
    v = vectors[:, 0] * np.sign(vectors[:, 0] @ gradient)
    np.testing.assert_allclose(scan.gradient, gradient / norm)
    np.testing.assert_allclose(scan.curved, v, atol=1e-8)
    assert scan.alignment == pytest.approx(gradient @ v / norm)
    a, b = np.meshgrid(scan.steps, scan.steps, indexing="ij")
    moves = a[..., None] * gradient / norm + b[..., None] * v
    closed = scan.loss + moves @ gradient + np.einsum("abi,ij,abj->ab", moves, H, moves) / 2
    np.testing.assert_allclose(scan.surface, closed)
    d = scan.distances
    down = scan.loss - d * norm + d**2 * (gradient @ H @ gradient) / norm**2 / 2
    np.testing.assert_allclose(scan.down, down)
    for side, line in zip((-1, 1), scan.along, strict=True):
        np.testing.assert_allclose(
            line, scan.loss + side * d * (gradient @ v) + d**2 * values[0] / 2
        )
    fall = decreases(scan)
    assert fall.gradient == pytest.approx(scan.loss - down.min())
    assert fall.curved == pytest.approx(scan.loss - scan.along.min())
    assert fall.square_gradient == pytest.approx(scan.loss - closed[:4, 3].min())
    assert fall.square_curved == pytest.approx(scan.loss - closed[3].min())
    assert fall.square == pytest.approx(scan.loss - closed.min())


def test_radius_is_twice_the_lowest_distance(quadratic):
    model, x, y, gradient, H = quadratic
    distances = np.linspace(0.05, 4, 400)
    scan = landscape(model, x, y, np.random.default_rng(1), loss=mse_loss, distances=distances)
    norm = np.linalg.norm(gradient)
    assert scan.radius == pytest.approx(2 * norm**3 / (gradient @ H @ gradient), abs=0.03)
    # Exact line search at half the radius, which is on a grid of 4 k + 1 points.
    assert decreases(scan).square_gradient == pytest.approx(decreases(scan).gradient)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_scanned_around_its_loss(name):
    model = NETWORKS[name](np.random.default_rng(0))
    x, y = images()
    before = [p.detach().clone() for p in model.parameters()]
    scan = landscape(model, x, y, np.random.default_rng(1), points=3, radius=1e-5)
    objective, w = flat_objective(model, x, y)
    value, gradient = value_and_gradient(objective, w)
    assert scan.surface[1, 1] == pytest.approx(float(value), rel=1e-12)
    assert scan.loss == pytest.approx(float(value), rel=1e-12)
    slope = (scan.surface[2, 1] - scan.surface[0, 1]) / 2e-5
    assert slope == pytest.approx(float(gradient.norm()), rel=1e-3)
    assert scan.gradient_norm == pytest.approx(float(gradient.norm()), rel=1e-12)
    across = (scan.surface[1, 2] - scan.surface[1, 0]) / 2e-5
    assert across == pytest.approx(scan.alignment * scan.gradient_norm, rel=1e-2, abs=1e-4)
    assert scan.alignment >= 0 > scan.smallest
    for p, kept in zip(model.parameters(), before, strict=True):
        assert torch.equal(p, kept)


def test_second_difference_along_the_curved_direction_is_its_ritz_value():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.Tanh(), nn.Linear(6, 10))
    x, y = images()
    scan = landscape(model, x, y, np.random.default_rng(1), points=3, radius=1e-3, max_iter=60)
    second = (scan.surface[1, 2] - 2 * scan.surface[1, 1] + scan.surface[1, 0]) / 1e-6
    assert second == pytest.approx(scan.smallest, rel=1e-4)
    assert scan.smallest < 0


def test_precision_changes_rounding_only():
    model = residual_network(np.random.default_rng(0))
    x, y = images()
    short, long = (
        landscape(model, x, y, np.random.default_rng(1), points=3, radius=0.1, dtype=dtype)
        for dtype in (torch.float32, torch.float64)
    )
    assert short.curved.dtype == torch.float32
    np.testing.assert_allclose(short.surface, long.surface, rtol=1e-4)
    assert short.smallest == pytest.approx(long.smallest, rel=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_constant_features_are_a_strict_saddle(name):
    model = NETWORKS[name](np.random.default_rng(0))
    x, y = images()
    y = np.where(y > 7, 0, y)  # classes of unequal frequency, two of them absent
    frequencies = np.bincount(y, minlength=10) / len(y)
    flatten_features(model, frequencies)
    scan = landscape(model, x, y, np.random.default_rng(1), points=5)
    assert scan.loss == pytest.approx(entropy(frequencies), rel=1e-6)
    assert scan.gradient_norm < 1e-6 and not scan.gradient.any()
    assert scan.smallest < -1e-3
    fall = decreases(scan)
    assert fall.gradient == 0 == fall.square_gradient
    assert fall.curved > 0.01 and fall.square_curved > 0
    assert scan.alignment == 0


QUADRATIC = (nn.Linear(2, 1), np.ones((4, 2)), np.ones((4, 1)), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(points=4), "points: .* found 4"),
        (dict(points=1), "points: .* found 1"),
        (dict(radius=-1.0), "radius: .* found -1"),
        (dict(distances=[]), "distances: .* found"),
        (dict(distances=[0.0, 1.0]), r"distances: .* found \[0.0, 1.0\]"),
        (dict(loss=lambda f, y: f.sum() / 0), "model: its loss is"),
    ],
)
def test_landscape_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        landscape(*QUADRATIC, **(dict(loss=mse_loss) | options))


def test_other_errors_name_argument_and_value():
    model, rng = plain_network(np.random.default_rng(0)), np.random.default_rng(0)
    x, y = images()
    with pytest.raises(ValueError, match="labels: found 2 for 30 inputs"):
        landscape(model, x, y[:2], rng)
    with pytest.raises(ValueError, match=r"share: .* found 1\.5"):
        noisy_labels(rng, y, 1.5)
    with pytest.raises(ValueError, match="size is 31"):
        next(sgd_epochs(model, x, y, rng, batch=31))
    with pytest.raises(ValueError, match="model: its last skip is the identity"):
        flatten_features(residual_network(rng, widths=(4,)), np.ones(10) / 10)
