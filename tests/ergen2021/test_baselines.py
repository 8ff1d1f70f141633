"""Batched descent: its gradients against autograd, and what it returns."""

import numpy as np
import pytest
import torch

from cnntheory.ergen2021 import (
    Circular,
    TwoReLU,
    train_baseline,
    train_baselines,
    train_convex,
)
from cnntheory.ergen2021.architectures import ARCHITECTURES, get_architecture

CASES = [(architecture, None) for architecture in ARCHITECTURES.values()] + [
    (TwoReLU(shared=True), None),
    (Circular(4), None),
    (Circular(4, "product"), None),
    (Circular(), 2),
]


def draw(architecture, seed=0, n=5):
    rng = np.random.default_rng(seed)
    signals = get_architecture(architecture).whole_signals
    inputs = rng.standard_normal((n, 6) if signals else (n, 3, 2))
    return inputs, rng.standard_normal(n)


def circulant(u, d):
    u = torch.cat([u, torch.zeros(d - len(u), dtype=u.dtype)])
    return torch.stack([torch.roll(u, s) for s in range(d)], dim=1)


def torch_output(architecture, p, x):
    """One network, filter by filter, as the paper writes it."""
    total, name = 0, architecture.name
    for j in range(len(p["filters"])):
        u = p["filters"][j]
        if name == "circular":
            matrices = [circulant(v / v.norm(), x.shape[1]) for v in u]
            matrix = torch.linalg.multi_dot([*matrices, torch.eye(x.shape[1], dtype=x.dtype)])
            if architecture.constraint == "product":
                matrix = matrix / torch.linalg.matrix_norm(matrix)
            total = total + torch.relu(x @ matrix @ p["inner"][j]) * p["weights"][j]
        elif name == "two-relu":
            unit = u / u.norm(dim=-1, keepdim=True)
            hidden = torch.relu((x * unit).sum(dim=-1))
            total = total + torch.relu(hidden @ p["inner"][j]) * p["weights"][j]
        else:
            z = x @ u if name == "linear" else torch.relu(x @ u)
            pooled = {"average": lambda z: z.sum(dim=1), "max": lambda z: z.max(dim=1).values}
            if name in pooled:
                total = total + pooled[name](z) * p["weights"][j]
            else:
                total = total + z @ p["weights"][j]
    return total


def torch_objective(architecture, p, x, y, beta):
    decayed = ("inner", "weights") if "inner" in p else ("filters", "weights")
    decay = sum((p[key] ** 2).sum() for key in decayed)
    return ((torch_output(architecture, p, x) - y) ** 2).sum() / 2 + beta / 2 * decay


@pytest.mark.parametrize(("architecture", "length"), CASES, ids=str)
def test_a_step_is_along_the_gradient_of_autograd(architecture, length):
    inputs, y = draw(architecture)
    beta = np.array([0.1, 0.7])
    options = dict(architecture=architecture, filter_length=length, width=3, restarts=2)
    first = train_baseline(inputs, y, beta, max_iter=0, rng=1, **options)
    seen = []
    train_baseline(
        inputs, y, beta, max_iter=1, rng=2, method="gd", schedule="constant", step=1e-3,
        record_every=1, start=first.parameters, **options,
        callback=lambda t, p, f: seen.append({key: value.copy() for key, value in p.items()}),
    )  # fmt: skip
    x, target = torch.tensor(inputs), torch.tensor(y)
    for trial in range(2):
        leaves = {
            key: torch.tensor(value[trial], requires_grad=True) for key, value in seen[0].items()
        }
        value = torch_objective(architecture, leaves, x, target, beta[trial])
        value.backward()
        assert first.objective[trial] == pytest.approx(value.item(), rel=1e-12)
        for key, leaf in leaves.items():
            step = (seen[0][key][trial] - seen[1][key][trial]) / 1e-3
            np.testing.assert_allclose(step, leaf.grad.numpy(), atol=1e-10)


@pytest.mark.parametrize(("architecture", "length"), CASES, ids=str)
def test_networks_have_the_objectives_reported(architecture, length):
    inputs, y = draw(architecture)
    run = train_baseline(
        inputs, y, 0.2, architecture=architecture, filter_length=length, width=4, restarts=3,
        max_iter=60, record_every=25, rng=0,
    )  # fmt: skip
    assert run.iterations.tolist() == [0, 25, 50, 60]
    assert run.trace.shape == (4, 3)
    np.testing.assert_array_equal(run.objective, run.trace.min(axis=0))
    assert run.best == run.objective.argmin()
    for index in range(3):
        found = run.network(index).objective(inputs, y, 0.2)
        assert found == pytest.approx(run.objective[index], rel=1e-12)
    assert run.network().objective(inputs, y, 0.2) == pytest.approx(run.objective.min())
    assert (run.objective < run.trace[0]).all()


def test_constrained_networks_meet_their_constraint():
    inputs, y = draw("circular")
    for constraint in ("filter", "product"):
        circular = Circular(4, constraint)
        run = train_baseline(
            inputs, y, 0.2, architecture=circular, width=4, restarts=2, max_iter=20, rng=0
        )
        assert circular.largest_norm(run.network().parameters) == pytest.approx(1.0)


def test_restarts_do_not_see_each_other():
    inputs, y = draw("average")
    options = dict(width=3, max_iter=50, rng=0, step=0.01)
    both = train_baseline(inputs, y, np.array([0.1, 0.5]), restarts=2, **options)
    starts = train_baseline(
        inputs, y, np.array([0.1, 0.5]), restarts=2, **{**options, "max_iter": 0}
    ).parameters
    for trial, beta in enumerate((0.1, 0.5)):
        start = {name: value[trial : trial + 1] for name, value in starts.items()}
        alone = train_baseline(inputs, y, beta, restarts=1, start=start, **options)
        np.testing.assert_allclose(alone.trace[:, 0], both.trace[:, trial], rtol=1e-9)


@pytest.mark.parametrize("batch", [None, 2])
@pytest.mark.parametrize(("architecture", "length"), CASES, ids=str)
def test_data_sets_trained_together_end_as_alone(architecture, length, batch):
    problems = [(*draw(architecture, seed), beta) for seed, beta in ((0, 0.1), (1, 0.5), (2, 0.2))]
    options = dict(architecture=architecture, filter_length=length, width=3, restarts=2)
    options |= dict(max_iter=40, record_every=20, batch_size=batch, step=0.01)
    together = train_baselines(*zip(*problems, strict=True), rng=range(3), **options)
    for seed, (problem, run) in enumerate(zip(problems, together, strict=True)):
        alone = train_baseline(*problem, rng=seed, **options)
        np.testing.assert_allclose(run.trace, alone.trace, rtol=1e-10)
        assert run.best == alone.best
        for name, value in run.network().parameters.items():
            np.testing.assert_allclose(value, alone.network().parameters[name], rtol=1e-8)


def test_data_sets_trained_together_are_alike():
    (first, y), (second, z) = draw("average", n=5), draw("average", n=4)
    with pytest.raises(ValueError, match="patches: expected data sets of one shape"):
        train_baselines([first, second], [y, z], [0.1, 0.1], rng=[0, 1], width=2)
    with pytest.raises(ValueError, match="expected one for each of 2 data sets, found 2, 1"):
        train_baselines([first, first], [y, y], [0.1, 0.1], rng=[0], width=2)


def test_the_logistic_loss_is_trained_to_its_convex_optimum():
    inputs, y = draw("average")
    y = np.where(y < 0, -1.0, 1.0)
    run = train_baseline(
        inputs, y, 0.1, loss="logistic", width=10, restarts=8, max_iter=2000, step=0.05, rng=0
    )
    optimum = train_convex(inputs, y, 0.1, loss="logistic")
    network = run.network()
    fit = network.predict(inputs)
    decay = sum((value**2).sum() for value in (network.filters, network.weights))
    assert np.logaddexp(0, -y * fit).sum() + 0.05 * decay == pytest.approx(run.objective.min())
    assert optimum.dual_bound <= run.objective.min() <= optimum.objective * (1 + 1e-4)
    with pytest.raises(ValueError, match="labels -1 and 1"):
        train_baseline(inputs, 2 * y, 0.1, loss="logistic", width=1, rng=0)


def test_a_batch_of_all_samples_is_gradient_descent():
    inputs, y = draw("none")
    runs = [
        train_baseline(
            inputs, y, 0.1, architecture="none", width=3, restarts=2, max_iter=30, rng=0,
            method=method, batch_size=size,
        )
        for method, size in (("gd", None), ("sgd", 5))
    ]  # fmt: skip
    np.testing.assert_array_equal(runs[0].trace, runs[1].trace)


def test_batches_give_an_unbiased_gradient():
    inputs, y = draw("linear")
    rng = np.random.default_rng(0)
    start = train_baseline(
        inputs, y, 0.1, architecture="linear", width=2, restarts=1, max_iter=0, rng=rng
    )
    ends = []
    for size in [5] + [2] * 200:
        seen = []
        train_baseline(
            inputs, y, 0.1, architecture="linear", width=2, restarts=1, max_iter=1, rng=rng,
            method="sgd", batch_size=size, start=start.parameters, record_every=1, step=1e-3,
            callback=lambda t, p, f, seen=seen: seen.append(p["filters"].copy()),
        )  # fmt: skip
        ends.append(seen[1] - seen[0])
    spread = np.std(ends[1:], axis=0) / np.sqrt(200)
    assert (np.abs(np.mean(ends[1:], axis=0) - ends[0]) <= 4.5 * spread).all()


def test_the_same_generator_gives_the_same_run():
    inputs, y = draw("max")
    traces = [
        train_baseline(
            inputs, y, 0.1, architecture="max", width=3, restarts=2, max_iter=20, batch_size=2,
            rng=7,
        ).trace
        for _ in range(2)
    ]  # fmt: skip
    np.testing.assert_array_equal(*traces)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "dense"}, "architecture: expected one of average, max"),
        ({"method": "lbfgs"}, "method: expected one of adam, gd, sgd, found 'lbfgs'"),
        ({"schedule": "step"}, "schedule: expected 'cosine' or 'constant'"),
        ({"method": "sgd"}, "batch_size: method 'sgd' needs one"),
        ({"batch_size": 9}, "batch_size: expected 1 to n=5, found 9"),
        ({"beta": 0.0}, "beta: expected a number above 0"),
        ({"filter_length": 4}, "filter_length: expected None for 'average'"),
        ({"architecture": "circular", "filter_length": 9}, "filter_length: expected 1 to 6"),
    ],
)
def test_bad_arguments(change, message):
    inputs, y = draw("circular" if change.get("architecture") == "circular" else "average")
    with pytest.raises(ValueError, match=message):
        train_baseline(inputs, y, **{"beta": 0.1, "rng": 0, "width": 2, "max_iter": 1} | change)
