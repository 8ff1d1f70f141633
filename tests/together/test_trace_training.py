"""What the traced training measures, mathematics against mathematics."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from cnntheory.ergen2021 import Network
from workflow.scripts import step
from workflow.scripts.together import task, trace_training

TRACED = dict(
    trials=2,
    patches=4,
    patch_size=3,
    teacher=2,
    noise=0.1,
    widths=[3, 12],
    samples=6,
    decay=0.1,
    times=4,
    first=1e-3,
    last=4.0,
    step_size=1.0,
    substeps=4,
    condition_images=40,
    directions=2,
)


def traced(width):
    """Start of a training on data sets of Gaussian patches: options, filters, weights, data."""
    options = trace_training.Options(**TRACED)
    rng = step.streams(0, "trace_training")
    data = task.draw_data(options, rng, options.samples, 1)
    start = task.balance(*task.draw_students(options, rng, width))
    return options, *start, (data.patches, data.y, np.array([0.02, 0.05]))


def objective_by_torch(patches, y, beta, width):
    """The objective of one data set as a function of all parameters, filters first."""
    patches, y = torch.from_numpy(patches), torch.from_numpy(y)

    def objective(theta):
        filters, weights = theta[:-width].reshape(width, -1), theta[-width:]
        outputs = torch.relu(patches @ filters.T).sum(1) @ weights
        return ((outputs - y) ** 2).sum() / 2 + beta / 2 * (theta**2).sum()

    return objective


def joined(filters, weights):
    return np.concatenate([filters.ravel(), weights])


def test_balanced_networks_are_the_same_with_layers_of_one_length():
    options, filters, weights, (patches, *_) = traced(5)
    drawn = task.draw_students(options, step.streams(0, "trace_training"), 5)
    assert_allclose(task.outputs(filters, weights, patches), task.outputs(*drawn, patches))
    assert_allclose(np.linalg.norm(filters, axis=-1), np.abs(weights))


def test_the_traced_objective_is_that_of_the_convex_programs():
    _, filters, weights, data = traced(5)
    found = trace_training.slopes(filters, weights, *data)[0]
    for trial, (patches, y, beta) in enumerate(zip(*data, strict=True)):
        network = Network(filters[trial], weights[trial])
        assert network.objective(patches, y, beta) == pytest.approx(found[trial])


@pytest.mark.parametrize("width", [1, 3, 12])
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_extreme_eigenvalues_of_the_hessian_are_those_of_automatic_differentiation(width, scale):
    """Near the start J^T J is large, at small weights the blocks are; both widths beside n = 6."""
    _, filters, weights, data = traced(width)
    filters, weights = scale * filters, scale * weights
    found = trace_training.hessian_extremes(filters, weights, *data)
    for trial, (patches, y, beta) in enumerate(zip(*data, strict=True)):
        objective = objective_by_torch(patches, y, beta, width)
        theta = torch.from_numpy(joined(filters[trial], weights[trial]))
        values = np.linalg.eigvalsh(torch.autograd.functional.hessian(objective, theta).numpy())
        wanted = np.array([values[0], values[-1]])
        assert_allclose([part[trial] for part in found], wanted, atol=2e-7 * np.abs(values).max())


def test_filters_that_see_nothing_have_the_curvature_of_weight_decay():
    _, filters, weights, (patches, y, beta) = traced(3)
    dead = np.zeros_like(filters), np.zeros_like(weights)
    smallest, largest = trace_training.hessian_extremes(*dead, patches, y, beta)
    assert_allclose(smallest, beta)
    assert_allclose(largest, beta)


@pytest.mark.parametrize("width", [1, 12])
def test_predictions_are_those_of_small_steps_on_the_linearised_model(width):
    """With fewer parameters than samples, and with more."""
    _, filters, weights, data = traced(width)
    linear = trace_training.linearise(filters, weights, *data)
    patches, y, beta = data
    count, time = 4000, 0.7 / beta
    movement, objective = trace_training.predict(linear, beta, time)
    for trial in range(len(y)):
        start = joined(filters[trial], weights[trial])

        def outputs(theta, trial=trial):
            parts = theta[:-width].reshape(width, -1), theta[-width:]
            hidden = torch.relu(torch.from_numpy(patches[trial]) @ parts[0].T).sum(1)
            return hidden @ parts[1]

        theta = torch.from_numpy(start)
        jacobian = torch.autograd.functional.jacobian(outputs, theta).numpy()
        residual = outputs(theta).numpy() - y[trial]
        moved = np.zeros_like(start)
        for _ in range(count):
            slope = jacobian.T @ (residual + jacobian @ moved) + beta[trial] * (start + moved)
            moved = moved - time[trial] / count * slope
        decay = ((start + moved) ** 2).sum()
        loss = ((residual + jacobian @ moved) ** 2).sum() / 2
        assert np.linalg.norm(moved) == pytest.approx(movement[trial], rel=1e-3)
        assert loss + beta[trial] / 2 * decay == pytest.approx(objective[trial], rel=1e-3)


def test_descent_goes_as_far_as_it_is_asked_and_downhill():
    _, filters, weights, data = traced(12)
    before = trace_training.slopes(filters, weights, *data)[0]
    length, steps = np.array([0.5, 2.0]), np.array([0.01, 0.02])
    long = trace_training.descend(filters, weights, *data, length, steps)
    first = trace_training.descend(filters, weights, *data, 0.4 * length, steps)
    after = trace_training.slopes(*long, *data)[0]
    assert (after < trace_training.slopes(*first, *data)[0]).all() and (after < before).all()
    # A flow: half-way and then on is the whole way.
    second = trace_training.descend(*first, *data, 0.6 * length, steps)
    assert_allclose(second[0], long[0], rtol=0, atol=0.01)


def test_a_step_that_is_too_long_is_halved():
    _, filters, weights, data = traced(12)
    _, largest = trace_training.hessian_extremes(filters, weights, *data)
    before = trace_training.slopes(filters, weights, *data)[0]
    found = trace_training.descend(filters, weights, *data, 40 / largest, 8 / largest)
    assert (trace_training.slopes(*found, *data)[0] < before).all()


def test_trainings_on_images_end_near_and_above_the_certified_optimum():
    images = np.random.default_rng(0).integers(256, size=(60, 8, 8))
    options = trace_training.Options(**TRACED)
    table = trace_training.measure(options, step.streams(1, "trace_training"), images)
    assert len(table) == 2 * 2 * 4 and not table.isna().any(axis=None)
    assert (table.objective >= table.dual_bound * (1 - 1e-9)).all()
    last = table[(table.time == table.time.max()) & (table.width == 12)]
    assert (last.objective < 1.05 * last.program).all()
    assert (table.gamma > 0).all() and (table.merged_gamma > 0).all()
    # Another width changes no other row.
    fewer = trace_training.Options(**TRACED | {"widths": [12]})
    again = trace_training.measure(fewer, step.streams(1, "trace_training"), images)
    assert (again.to_numpy() == table[table.width == 12].to_numpy()).all()


@pytest.mark.parametrize("wrong", [{"patches": 3}, {"patch_size": 1}])
def test_images_that_are_cut_otherwise_are_refused(wrong):
    options = trace_training.Options(**TRACED | wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        images = np.random.default_rng(0).integers(0, 256, (60, 8, 8))
        trace_training.measure(options, step.streams(0, "x"), images)
