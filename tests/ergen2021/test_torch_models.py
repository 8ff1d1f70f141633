"""PyTorch networks as problems of the convex programs: judged by PyTorch itself."""

import copy
import io
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnntheory.ergen2021 import (
    Network,
    certify_torch,
    enumerate_cells,
    from_torch,
    train_convex,
)

# Shape of an image, and a first layer with three filters.
FIRST = {
    "plain": ((2, 5, 4), lambda bias: nn.Conv2d(2, 3, 2, bias=bias)),
    "stride": ((1, 6, 5), lambda bias: nn.Conv2d(1, 3, (2, 3), stride=(2, 1), bias=bias)),
    "padding": ((2, 4, 4), lambda bias: nn.Conv2d(2, 3, 3, padding=(1, 2), stride=2, bias=bias)),
    "dilation": ((3, 5, 6), lambda bias: nn.Conv2d(3, 3, 2, dilation=(2, 3), bias=bias)),
    "same": ((1, 4, 5), lambda bias: nn.Conv2d(1, 3, (1, 3), padding="same", bias=bias)),
    "circular": (
        (1, 4, 4),
        lambda bias: nn.Conv2d(1, 3, 3, padding=1, padding_mode="circular", bias=bias),
    ),
    "whole": ((1, 3, 3), lambda bias: nn.Conv2d(1, 3, 3, bias=bias)),
    "row": ((2, 9), lambda bias: nn.Conv1d(2, 3, 3, stride=2, padding=1, bias=bias)),
}
POOLINGS = ("sum", "mean", "max", "none")
# Reference objectives are written with `functional`, apart from the modules that are read.
LOSSES = {
    "mse": ("mse", F.mse_loss),
    "mse, mean": (nn.MSELoss(), F.mse_loss),
    "mse, sum": (nn.MSELoss(reduction="sum"), lambda f, y: ((f - y) ** 2).sum()),
    "squared": ("squared", lambda f, y: ((f - y) ** 2).sum() / 2),
    "bce, mean": (nn.BCEWithLogitsLoss(), F.binary_cross_entropy_with_logits),
    "bce, sum": (
        nn.BCEWithLogitsLoss(reduction="sum"),
        lambda f, y: F.binary_cross_entropy_with_logits(f, y, reduction="sum"),
    ),
    "soft margin": (nn.SoftMarginLoss(), F.soft_margin_loss),
    "logistic": ("logistic", lambda f, y: F.softplus(-y * f).sum()),
}
DECAY = 0.03


class Sum(nn.Module):
    def forward(self, maps):
        return torch.sum(maps.flatten(2), dim=-1)


def images_of(shape, n=7):
    return torch.randn(n, *shape, dtype=torch.float64)


def labels_for(name, n=7):
    """Labels that the loss allows, shape (n, 1)."""
    if name.startswith(("bce", "soft", "logistic")):
        return torch.tensor(np.resize([1.0, 0.0 if "bce" in name else -1.0], (n, 1)))
    return torch.randn(n, 1, dtype=torch.float64)


def convolutional(first, pool, bias=False):
    """A model with the given first layer, and images."""
    torch.manual_seed(0)
    shape, make = FIRST[first]
    layer, images = make(bias), images_of(shape)
    K = layer(images.float()).numel() // 21
    one = len(shape) == 2
    tail = {
        "sum": [Sum()],
        "mean": [nn.AvgPool1d(K) if one else nn.AdaptiveAvgPool2d(1), nn.Flatten()],
        "max": [nn.AdaptiveMaxPool1d(1) if one else nn.AdaptiveMaxPool2d((1, 1)), nn.Flatten()],
        "none": [nn.Flatten()],
    }[pool]
    last = nn.Linear(3 * K if pool == "none" else 3, 1, bias=False)
    return nn.Sequential(layer, nn.ReLU(), *tail, last).double(), images


def objective(model, images, labels, loss):
    """Training objective as PyTorch has it."""
    with torch.no_grad():
        decay = sum((p**2).sum() for p in model.parameters())
        return (loss(model(images), labels) + DECAY / 2 * decay).item()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("pool", POOLINGS)
@pytest.mark.parametrize("first", FIRST)
def test_the_objective_is_that_of_torch(first, pool, bias):
    model, images = convolutional(first, pool, bias)
    labels = labels_for("mse")
    problem = from_torch(model, images, labels, loss="mse", weight_decay=DECAY)
    expected = pytest.approx(objective(model, images, labels, F.mse_loss), rel=1e-12)
    assert problem.objective() == expected
    value = problem.network.objective(problem.patches, problem.y, problem.beta)
    assert problem.scale * value == expected


@pytest.mark.parametrize("pool", POOLINGS)
@pytest.mark.parametrize("name", LOSSES)
def test_the_objective_is_that_of_torch_for_every_loss(name, pool):
    model, images = convolutional("stride", pool)
    labels, (loss, reference) = labels_for(name), LOSSES[name]
    problem = from_torch(model, images, labels, loss=loss, weight_decay=DECAY)
    expected = objective(model, images, labels, reference)
    assert problem.objective() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("pool", POOLINGS)
@pytest.mark.parametrize("first", ["padding", "row"])
def test_the_objective_is_that_of_torch_for_every_network(first, pool):
    """A network is not the model's: nothing of the model may have gone into the problem."""
    model, images = convolutional(first, pool, bias=True)
    labels = labels_for("mse")
    problem = from_torch(model, images, labels, loss="mse", weight_decay=DECAY)
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((5, problem.patches.shape[2]))
    shape = (5, problem.patches.shape[1]) if pool == "none" else 5
    network = Network(filters, rng.standard_normal(shape), problem.architecture)
    other = problem.to_torch(network)
    assert objective(other, images, labels[:, 0], F.mse_loss) == pytest.approx(
        problem.objective(network), rel=1e-12
    )
    again = from_torch(other, images, labels, loss="mse", weight_decay=DECAY)
    np.testing.assert_allclose(again.patches, problem.patches, rtol=1e-15)
    np.testing.assert_array_equal(again.network.filters, filters)
    np.testing.assert_array_equal(again.network.weights, network.weights)
    assert (again.architecture, again.beta, again.scale) == (
        problem.architecture,
        problem.beta,
        problem.scale,
    )


class Functional(nn.Module):
    """The same chain, written as functions and methods."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool
        self.conv = nn.Conv2d(1, 3, 2, bias=False)
        self.out = nn.Linear(27 if pool == "view" else 3, 1, bias=False)
        self.register_buffer("mean", torch.tensor(0.1))

    def forward(self, images):
        images = (images[:, :1] - self.mean) / 0.3
        maps = F.relu(self.conv(images), inplace=True)
        pools = {
            "view": lambda: maps.view(maps.size(0), -1),
            "mean": lambda: maps.mean((2, 3)),
            "mean twice": lambda: maps.mean(3).mean(-1),
            "sum over 5": lambda: maps.sum((2, 3)) / 5,
            "max_pool2d": lambda: F.max_pool2d(maps, 3).reshape(maps.shape[0], 3),
            "max": lambda: maps.flatten(2).max(dim=2)[0],
            "avg_pool2d": lambda: F.avg_pool2d(maps, 3).squeeze(-1).squeeze(-1),
            "adaptive": lambda: F.adaptive_avg_pool2d(maps, 1).flatten(1),
        }
        return self.out(pools[self.pool]()).squeeze(1)


@pytest.mark.parametrize(
    ("pool", "pooling"),
    [
        ("view", "none"),
        ("mean", "average"),
        ("mean twice", "average"),
        ("sum over 5", "average"),
        ("max_pool2d", "max"),
        ("max", "max"),
        ("avg_pool2d", "average"),
        ("adaptive", "average"),
    ],
)
def test_a_module_is_read_by_its_trace(pool, pooling):
    torch.manual_seed(0)
    model, images, labels = Functional(pool), images_of((2, 4, 4)), labels_for("mse")[:, 0]
    problem = from_torch(model, images, labels, loss="mse", weight_decay=DECAY)
    assert problem.architecture == pooling
    assert problem.objective() == pytest.approx(
        objective(copy.deepcopy(model).double(), images, labels, F.mse_loss), rel=1e-12
    )
    assert model.conv.weight.dtype == torch.float32  # left as it was
    again = from_torch(problem.to_torch(), images, labels, loss="mse", weight_decay=DECAY)
    np.testing.assert_allclose(again.patches, problem.patches, rtol=1e-15)


@pytest.mark.parametrize(
    ("shape", "layers", "K"),
    [
        ((6,), lambda: [nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 1, bias=False)], 1),
        (
            (1, 2, 3),
            lambda: [
                nn.Flatten(),
                nn.Sequential(nn.Linear(6, 3, bias=False), nn.ReLU()),
                nn.Linear(3, 1, bias=False),
                nn.Flatten(0),
            ],
            1,
        ),
        # a linear layer acts on the last axis: patches as they come
        (
            (2, 4, 3),
            lambda: [nn.Linear(3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(40, 1, bias=False)],
            8,
        ),
    ],
)
def test_linear_layers(shape, layers, K):
    torch.manual_seed(0)
    model, images, labels = nn.Sequential(*layers()).double(), images_of(shape), images_of(())
    model.append(nn.Flatten(0))
    problem = from_torch(model, images, labels, loss="mse", weight_decay=DECAY)
    assert problem.patches.shape[1] == K
    assert problem.objective() == pytest.approx(
        objective(model, images, labels, F.mse_loss), rel=1e-12
    )
    again = pickle.loads(pickle.dumps(problem.to_torch()))
    np.testing.assert_allclose(again(images).detach(), model(images).detach(), rtol=1e-12)


def bare(*layers):
    return lambda: nn.Sequential(*[layer() for layer in layers])


def conv(**options):
    return lambda: nn.Conv2d(1, 3, 2, **{"bias": False} | options)


def out(inputs=3, outputs=1, bias=False):
    return lambda: nn.Linear(inputs, outputs, bias=bias)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = bare(conv(), nn.ReLU, Sum)()
        self.scale = nn.Parameter(torch.ones(3))
        self.out = out()()

    def forward(self, images):
        return self.out(self.body(images) * self.scale)


class Undecided(nn.Module):
    def forward(self, images):
        return images if images.sum() > 0 else -images


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.rest = bare(conv(), nn.ReLU, Sum, out())(), nn.Linear(2, 2)

    def forward(self, images):
        return self.body(images)


def tied():
    model = bare(lambda: nn.Linear(4, 1, bias=False), nn.ReLU, nn.Flatten, out(16))()
    model[-1] = nn.Linear(4, 1, bias=False)
    model[-1].weight = model[0].weight
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            bare(conv(), lambda: nn.BatchNorm2d(3), nn.ReLU),
            "layer 1: BatchNorm2d stands before the output",
        ),
        (bare(conv(), nn.GELU), "layer 1: GELU"),
        (bare(conv(), nn.ReLU, nn.Dropout), "layer 2: Dropout"),
        (
            bare(conv(), nn.ReLU, lambda: nn.Conv2d(3, 1, 2)),
            "layer 2: Conv2d stands before the output",
        ),
        (bare(conv(), Sum, out()), "layer 2: Linear follows the first layer without an activation"),
        (bare(conv(), nn.ReLU, Sum, out(outputs=10)), "layer 3: Linear has 10 outputs"),
        (bare(conv(), nn.ReLU, Sum, out(bias=True)), "layer 3: Linear has a bias.*bias=False"),
        (
            bare(conv(), nn.ReLU, lambda: nn.AvgPool2d(2), nn.Flatten, out()),
            r"layer 2: AvgPool2d makes \(3,\) of a map \(3, 3, 3\): this is not the sum",
        ),
        (bare(conv(), nn.ReLU, Sum, out(), nn.Sigmoid), "layer 4: Sigmoid stands after the output"),
        (bare(conv(), nn.ReLU, Sum), "model: ends before the output layer"),
        (bare(nn.ReLU), "layer 0: ReLU stands before the first layer"),
        (bare(conv(), nn.ReLU, Sum, out(4)), "layer 3: Linear cannot be run"),
        (bare(lambda: nn.Conv2d(2, 4, 2, groups=2)), "layer 0: Conv2d in 2 groups"),
        (
            bare(lambda: nn.utils.parametrizations.weight_norm(conv()())),
            "layer 0: ParametrizedConv2d",
        ),
        (Scaled, "tensor scale is used outside a layer"),
        (Undecided, "model: torch.fx cannot trace it.*nn.Sequential"),
        (Unused, "parameter rest.weight, which is decayed"),
        (tied, "two layers share a weight"),
    ],
)
def test_what_is_outside_the_program_is_named(model, message):
    images = images_of((2 if "groups" in message else 1, 4, 4))
    with pytest.raises(ValueError, match=message):
        from_torch(model(), images, np.ones(7), loss="mse", weight_decay=DECAY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.ones(6)}, "labels: expected shape"),
        ({"labels": np.ones((7, 2))}, "labels: expected shape"),
        ({"weight_decay": 0}, "weight_decay: expected a number above 0, found 0"),
        ({"loss": "hinge"}, "loss: expected 'mse'"),
        ({"loss": nn.MSELoss(reduction="none")}, "loss: expected 'mse'"),
        ({"loss": nn.BCEWithLogitsLoss(pos_weight=torch.ones(1))}, "without weights"),
        ({"loss": nn.BCEWithLogitsLoss(), "labels": -np.ones(7)}, "labels: expected 0 and 1"),
        ({"loss": nn.SoftMarginLoss(), "labels": np.zeros(7)}, "labels: expected -1 and 1"),
        ({"loss": "logistic", "labels": np.zeros(7)}, "y: expected labels -1 and 1"),
    ],
)
def test_bad_arguments(change, message):
    model, images = convolutional("plain", "mean")
    arguments = {"labels": np.ones(7), "loss": "mse", "weight_decay": DECAY} | change
    with pytest.raises(ValueError, match=message):
        from_torch(model, images, **arguments)


def descend(model, images, labels):
    """The objective's minimum from the model's start, by L-BFGS: stationary, not global."""
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        decay = sum((p**2).sum() for p in model.parameters())
        value = F.mse_loss(model(images), labels) + DECAY / 2 * decay
        value.backward()
        return value

    optimiser.step(closure)


@pytest.mark.parametrize("pool", ["mean", "none"])
def test_the_certificate_encloses_the_optimum(pool):
    """The program's own network, trained on by torch, has the least objective of all."""
    torch.manual_seed(0)
    width = 2 if pool == "mean" else 6
    tail = [nn.AdaptiveAvgPool1d(1)] if pool == "mean" else []
    model = nn.Sequential(
        nn.Conv1d(1, 2, 2, bias=False),
        nn.ReLU(),
        *tail,
        nn.Flatten(),
        nn.Linear(width, 1, bias=False),
    ).double()
    images, labels = images_of((1, 4), 6), images_of((1,), 6)
    descend(model, images, labels)
    found = certify_torch(model, images, labels, loss="mse", weight_decay=DECAY, tol=1e-8)
    assert found.objective == pytest.approx(objective(model, images, labels, F.mse_loss), rel=1e-12)
    assert found.gap == pytest.approx(1 - found.dual_bound / found.objective, abs=1e-12)
    best = found.problem.to_torch(found.solution.network)
    least = objective(best, images, labels[:, 0], F.mse_loss)
    assert found.dual_bound <= least <= found.objective
    assert found.dual_bound == pytest.approx(least, rel=1e-7)
    descend(best, images, labels[:, 0])
    assert found.dual_bound <= objective(best, images, labels[:, 0], F.mse_loss)
    # the model's own residuals give a bound as well, no better one
    quick = certify_torch(model, images, labels, loss="mse", weight_decay=DECAY, tol=None)
    assert quick.solution is None and quick.dual_bound <= found.dual_bound + 1e-12
    assert quick.gap < 1


def test_some_cells_give_no_bound(draw):
    patches, y = draw(7, 3, 2)
    model = Network(np.ones((1, 2)), np.ones(1)).to_torch(nn.Linear(2, 1, bias=False))
    options = dict(loss="mse", weight_decay=DECAY, tol=None)
    cells = enumerate_cells(patches)
    found = certify_torch(model, patches, y, cells=cells, **options)
    assert 0 < found.dual_bound < found.objective
    found = certify_torch(model, patches, y, cells=replace(cells, exact=False), **options)
    assert found.dual_bound == -np.inf and found.gap == np.inf


def test_modules_of_solutions_are_saved_copied_and_loaded(draw):
    patches, y = draw(8, 3, 2)
    for architecture in ("average", "max", "none", "linear"):
        solution = train_convex(patches, y, 0.05, architecture=architecture, tol=1e-3)
        module = solution.to_torch(nn.Linear(2, 1, bias=False))
        expected = solution.network.predict(patches)
        buffer = io.BytesIO()
        torch.save(module, buffer)
        buffer.seek(0)
        fresh = copy.deepcopy(module)
        for parameter in fresh.parameters():
            nn.init.zeros_(parameter)
        fresh.load_state_dict(module.state_dict())
        copies = (pickle.loads(pickle.dumps(module)), torch.load(buffer, weights_only=False), fresh)
        for other in (module, *copies):
            outputs = other(torch.tensor(patches)).detach().numpy()
            np.testing.assert_allclose(outputs, expected, atol=1e-13)


def test_a_layer_says_where_patches_lie(draw):
    patches, y = draw(6, 4, 3)
    network = train_convex(patches, y, 0.5).network
    rows = torch.tensor(patches.reshape(6, 1, 12))
    model = network.to_torch(nn.Conv1d(1, 9, 3, stride=3, bias=False))
    np.testing.assert_allclose(model(rows).detach(), network.predict(patches), atol=1e-13)
    mean = network.to_torch(nn.Conv1d(1, 9, 3, stride=3, bias=False), factor=1 / 4)
    np.testing.assert_allclose(mean(rows).detach(), network.predict(patches / 4), atol=1e-13)
    with pytest.raises(ValueError, match=r"layer: expected filters of 3 entries, .* found 4"):
        network.to_torch(nn.Conv1d(1, 1, 3))


def test_the_zero_network_is_a_module(draw):
    patches, y = draw(6, 4, 3)
    network = train_convex(patches, y, 1e6).network
    assert not network.to_torch(nn.Linear(3, 1, bias=False))(torch.tensor(patches)).any()


def test_ergen2021_is_imported_without_torch_and_scikit_learn():
    code = (
        "import sys, cnntheory.ergen2021 as e; assert {'from_torch', 'Problem'} <= set(e.__all__);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
