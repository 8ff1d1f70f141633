"""Batched descent: its gradients against autograd, and what it returns."""

import numpy as np
import pytest
import torch

from cnntheory.ergen2021.baselines import ARCHITECTURES, train_baseline

CASES = [(name, {}) for name in ARCHITECTURES] + [
    ("circular", {"layers": 4}),
    ("circular", {"layers": 4, "constraint": "product"}),
    ("circular", {"filter_length": 2}),
]


def draw(name, seed=0, n=5):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n, 6) if name == "circular" else (n, 3, 2))
    return inputs, rng.standard_normal(n)


def circulant(u, d):
    u = torch.cat([u, torch.zeros(d - len(u), dtype=u.dtype)])
    return torch.stack([torch.roll(u, s) for s in range(d)], dim=1)


def torch_output(name, p, x, options):
    """One network, filter by filter, as the paper writes it."""
    total = 0
    for j in range(len(p["filters"])):
        u = p["filters"][j]
        if name == "circular":
            matrices = [circulant(v / v.norm(), x.shape[1]) for v in u]
            matrix = torch.linalg.multi_dot([*matrices, torch.eye(x.shape[1], dtype=x.dtype)])
            if options.get("constraint") == "product":
                matrix = matrix / torch.linalg.matrix_norm(matrix)
            total = total + torch.relu(x @ matrix @ p["first"][j]) * p["second"][j]
        elif name.startswith("two_relu"):
            unit = u / u.norm(dim=-1, keepdim=True)
            hidden = torch.relu((x * unit).sum(dim=-1))
            total = total + torch.relu(hidden @ p["first"][j]) * p["second"][j]
        else:
            z = x @ u if name == "linear" else torch.relu(x @ u)
            pooled = {"average": lambda z: z.sum(dim=1), "max": lambda z: z.max(dim=1).values}
            if name in pooled:
                total = total + pooled[name](z) * p["weights"][j]
            else:
                total = total + z @ p["weights"][j]
    return total


def torch_objective(name, p, x, y, beta, options):
    decayed = ("first", "second") if "first" in p else ("filters", "weights")
    decay = sum((p[key] ** 2).sum() for key in decayed)
    return ((torch_output(name, p, x, options) - y) ** 2).sum() / 2 + beta / 2 * decay


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_step_is_along_the_gradient_of_autograd(name, options):
    inputs, y = draw(name)
    beta = np.array([0.1, 0.7])
    first = train_baseline(
        name, inputs, y, beta, width=3, restarts=2, steps=0, rng=np.random.default_rng(1), **options
    )
    seen = []
    train_baseline(
        name, inputs, y, beta, width=3, restarts=2, steps=1, rng=np.random.default_rng(2),
        method="gd", schedule="constant", learning_rate=1e-3, record_every=1,
        start=first.parameters, **options,
        callback=lambda t, p, f: seen.append({key: value.copy() for key, value in p.items()}),
    )  # fmt: skip
    x, target = torch.tensor(inputs), torch.tensor(y)
    for trial in range(2):
        leaves = {
            key: torch.tensor(value[trial], requires_grad=True) for key, value in seen[0].items()
        }
        value = torch_objective(name, leaves, x, target, beta[trial], options)
        value.backward()
        assert first.objective[trial] == pytest.approx(value.item(), rel=1e-12)
        for key, leaf in leaves.items():
            step = (seen[0][key][trial] - seen[1][key][trial]) / 1e-3
            np.testing.assert_allclose(step, leaf.grad.numpy(), atol=1e-10)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_networks_have_the_objectives_reported(name, options):
    inputs, y = draw(name)
    run = train_baseline(
        name, inputs, y, 0.2, width=4, restarts=3, steps=60, record_every=25,
        rng=np.random.default_rng(0), **options,
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
        run = train_baseline(
            "circular", inputs, y, 0.2, width=4, restarts=2, steps=20,
            rng=np.random.default_rng(0), layers=4, constraint=constraint,
        )  # fmt: skip
        assert run.network().constraint(constraint) == pytest.approx(1.0)


def test_restarts_do_not_see_each_other():
    inputs, y = draw("average")
    options = dict(width=3, steps=50, rng=np.random.default_rng(0), learning_rate=0.01)
    both = train_baseline("average", inputs, y, np.array([0.1, 0.5]), restarts=2, **options)
    starts = train_baseline(
        "average", inputs, y, np.array([0.1, 0.5]), restarts=2,
        **{**options, "rng": np.random.default_rng(0), "steps": 0},
    ).parameters  # fmt: skip
    for trial, beta in enumerate((0.1, 0.5)):
        start = {name: value[trial : trial + 1] for name, value in starts.items()}
        alone = train_baseline("average", inputs, y, beta, restarts=1, start=start, **options)
        np.testing.assert_allclose(alone.trace[:, 0], both.trace[:, trial], rtol=1e-9)


def test_a_batch_of_all_samples_is_gradient_descent():
    inputs, y = draw("unpooled")
    runs = [
        train_baseline(
            "unpooled", inputs, y, 0.1, width=3, restarts=2, steps=30,
            rng=np.random.default_rng(0), method=method, batch_size=size,
        )
        for method, size in (("gd", None), ("sgd", 5))
    ]  # fmt: skip
    np.testing.assert_array_equal(runs[0].trace, runs[1].trace)


def test_batches_give_an_unbiased_gradient():
    inputs, y = draw("linear")
    rng = np.random.default_rng(0)
    start = train_baseline("linear", inputs, y, 0.1, width=2, restarts=1, steps=0, rng=rng)
    ends = []
    for size in [5] + [2] * 200:
        seen = []
        train_baseline(
            "linear", inputs, y, 0.1, width=2, restarts=1, steps=1, rng=rng, method="sgd",
            batch_size=size, start=start.parameters, record_every=1, learning_rate=1e-3,
            callback=lambda t, p, f, seen=seen: seen.append(p["filters"].copy()),
        )  # fmt: skip
        ends.append(seen[1] - seen[0])
    spread = np.std(ends[1:], axis=0) / np.sqrt(200)
    assert (np.abs(np.mean(ends[1:], axis=0) - ends[0]) <= 4.5 * spread).all()


def test_the_same_generator_gives_the_same_run():
    inputs, y = draw("max")
    traces = [
        train_baseline(
            "max", inputs, y, 0.1, width=3, restarts=2, steps=20, batch_size=2,
            rng=np.random.default_rng(7),
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
        ({"beta": 0.0}, "beta: expected a positive number"),
        ({"architecture": "circular", "depth": 4}, "options: expected layers, constraint"),
        ({"layers": 4}, "options: expected none"),
    ],
)
def test_bad_arguments(change, message):
    inputs, y = draw(change.get("architecture", "average"))
    arguments = {"architecture": "average", "beta": 0.1, "rng": np.random.default_rng(0)} | change
    with pytest.raises(ValueError, match=message):
        train_baseline(inputs=inputs, y=y, width=2, steps=1, **arguments)
