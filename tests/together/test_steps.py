"""What the steps of the room add to the library: the task, its descent and its maps."""

import numpy as np
import pytest
import torch

from cnntheory.ergen2021 import Network, train_convex
from workflow.scripts import step
from workflow.scripts.together import map_dimensions, map_widths, task

COMMON = {
    "trials": 3,
    "patches": 4,
    "patch_size": 3,
    "teacher": 2,
    "noise": 0.0,
    "samples": [4, 9],
    "widths": [2, 16],
    "tests": 50,
    "steps": 300,
    "step_size": 0.5,
    "stop": 1e-5,
    "reached": 0.01,
    "certified": 2,
    "decay": 0.03,
    "tolerance": 1e-4,
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def options():
    return map_widths.Options(case="two_filters", **COMMON)


@pytest.fixture
def streams():
    return step.streams(3, "tests")


# The task


def test_quadrants_are_white_and_a_linear_map_of_the_patches(rng):
    images = rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    found = task.quadrants(images, 3)
    rows = found.reshape(-1, 3)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(3), atol=1e-10)
    corners = images[:, :14, :14].reshape(200, -1) / 255
    design = np.column_stack([corners, np.ones(200)])
    fit = design @ np.linalg.lstsq(design, found[:, 0], rcond=None)[0]
    np.testing.assert_allclose(fit, found[:, 0], atol=1e-8)


def test_data_sets_are_nested_and_labelled_by_their_teachers(options, streams):
    small, large = (task.draw_data(options, streams, n, 50) for n in (4, 9))
    np.testing.assert_array_equal(large.patches[:, :4], small.patches)
    np.testing.assert_array_equal(large.y[:, :4], small.y)
    gram = small.teachers @ np.swapaxes(small.teachers, -1, -2)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-12)
    hidden = np.maximum(np.einsum("tnkp,tmp->tnkm", small.patches, small.teachers), 0).sum(2)
    np.testing.assert_allclose(small.y, hidden[..., 0] - hidden[..., 1], atol=1e-12)


def test_noise_is_on_the_labels_only(options, streams):
    noisy = options.model_copy(update={"noise": 0.5})
    clean, found = (task.draw_data(o, streams, 9, 50) for o in (options, noisy))
    np.testing.assert_array_equal(found.test_outputs, clean.test_outputs)
    assert (found.y != clean.y).all()


def test_too_few_images_are_refused(options, streams, rng):
    with pytest.raises(ValueError, match=r"9 \+ 50 images asked for, 20 there"):
        task.draw_data(options, streams, 9, 50, rng.standard_normal((20, 4, 3)))


def test_images_of_any_shape_have_four_quadrants(rng):
    assert task.quadrants(rng.integers(0, 256, (50, 13, 20)), 3).shape == (50, 4, 3)
    with pytest.raises(ValueError, match="patch_size: the images' quadrants have 4 components"):
        task.quadrants(rng.integers(0, 256, (50, 4, 4)), 5)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("teacher", 4, "teacher: 4 orthonormal filters"), ("patches", 2, "an image has 4 quadrants")],
)
def test_a_task_that_cannot_be_is_refused(options, streams, rng, key, value, message):
    asked = options.model_copy(update={key: value})
    with pytest.raises(ValueError, match=message):
        task.draw_data(asked, streams, 4, 5, rng.standard_normal((20, 4, 3)))


def test_where_nothing_is_to_be_learned_no_optimum_is_certified(options, streams):
    data = task.draw_data(options, streams, 9, 50)
    silent = data._replace(y=np.zeros_like(data.y))
    optima = map_widths.certify_optima(options, silent)
    assert optima.empty
    runs = map_widths.train_decayed(
        options, silent, 4, *task.draw_students(options, streams, 2), optima
    )
    assert runs.empty and set(runs) == {"seed", "dual_bound", "objective"}


def test_a_network_that_is_dead_on_all_inputs_decays(options, streams):
    alone = options.model_copy(update={"patches": 1, "patch_size": 2, "teacher": 1})
    data = task.draw_data(alone, streams, 9, 50)
    x = np.abs(data.patches)
    labels = task.outputs(np.abs(data.teachers), data.signs, x)
    data = data._replace(patches=x, y=labels)
    optima = map_widths.certify_optima(alone, data)
    dead = -np.ones((3, 1, 2))
    found = map_widths.train_decayed(alone, data, 9, dead, np.ones(1), optima)
    zero = (labels[found.seed] ** 2).sum(-1) / 2
    np.testing.assert_allclose(found.objective, zero, rtol=1e-6)


def test_slopes_are_those_of_autograd(rng):
    filters, weights = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 5))
    patches, y = rng.standard_normal((2, 7, 4, 3)), rng.standard_normal((2, 7))
    residual, by_filters, by_weights = task.residual_and_slope(
        filters, weights, patches, y, both=True
    )
    w, a = (torch.tensor(part, requires_grad=True) for part in (filters, weights))
    hidden = torch.relu(torch.einsum("tnkp,tmp->tnkm", torch.tensor(patches), w)).sum(2)
    outputs = torch.einsum("tnm,tm->tn", hidden, a)
    (((outputs - torch.tensor(y)) ** 2).sum() / 2).backward()
    np.testing.assert_allclose(residual, outputs.detach().numpy() - y, atol=1e-12)
    np.testing.assert_allclose(by_filters, w.grad, atol=1e-12)
    np.testing.assert_allclose(by_weights, a.grad, atol=1e-12)
    np.testing.assert_allclose(task.outputs(filters, weights, patches) - y, residual, atol=1e-12)


def test_the_tangent_kernel_is_that_of_autograd(rng):
    filters, weights = rng.standard_normal((1, 3, 2)), np.array([1.0, -1.0, 0.5])
    patches = rng.standard_normal((1, 5, 4, 2))

    def outputs(w):
        hidden = torch.relu(torch.einsum("nkp,mp->nkm", torch.tensor(patches[0]), w)).sum(1)
        return hidden @ torch.tensor(weights)

    jacobian = torch.autograd.functional.jacobian(outputs, torch.tensor(filters[0]))
    rows = jacobian.reshape(5, -1)
    np.testing.assert_allclose(task.kernel(filters, weights, patches)[0], rows @ rows.T, atol=1e-12)


# The maps


def test_the_frozen_kernel_is_linear_descent(rng):
    factor = rng.standard_normal((2, 4, 6))
    values, vectors = np.linalg.eigh(factor @ np.swapaxes(factor, -1, -2))
    residual = rng.standard_normal((2, 4))
    step_size = 0.5 / values[:, -1]
    along = (np.swapaxes(vectors, -1, -2) @ residual[..., None])[..., 0] ** 2
    found = map_widths.frozen_times(along, 1 - step_size[:, None] * values, 0.01, 10_000)
    for trial in range(2):
        weights, t = np.zeros(6), 0
        loss = first = (residual[trial] ** 2).sum()
        while loss > 0.01 * first:
            left = residual[trial] + factor[trial] @ weights
            weights = weights - step_size[trial] * factor[trial].T @ left
            loss, t = ((residual[trial] + factor[trial] @ weights) ** 2).sum(), t + 1
        assert found[trial] == t


def test_a_kernel_without_the_labels_never_gets_there():
    assert map_widths.frozen_times(np.ones((1, 2)), np.array([[1.0, 0.5]]), 0.01, 50) == np.inf


def test_balanced_networks_are_the_same_functions(rng):
    filters, weights = rng.standard_normal((2, 4, 3)), np.array([1.0, -1.0, 0.3, -2.0])
    patches = rng.standard_normal((2, 5, 4, 3))
    balanced = task.balance(filters, weights)
    np.testing.assert_allclose(
        task.outputs(*balanced, patches), task.outputs(filters, weights, patches), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.norm(balanced[0], axis=-1), np.abs(balanced[1]))


def test_the_step_is_that_of_both_layers(rng):
    filters, weights = rng.standard_normal((1, 3, 2)), rng.standard_normal((1, 3))
    patches = rng.standard_normal((1, 4, 2, 2))
    shift = 1e-6
    columns = []
    for index in np.ndindex(3, 2):
        moved = filters.copy()
        moved[(0, *index)] += shift
        columns.append(task.outputs(moved, weights, patches)[0])
    for j in range(3):
        moved = weights.copy()
        moved[0, j] += shift
        columns.append(task.outputs(filters, moved, patches)[0])
    jacobian = (np.array(columns) - task.outputs(filters, weights, patches)[0]) / shift
    found = map_widths.largest_curvature(filters, weights, patches)
    assert found[0] == pytest.approx(np.linalg.eigvalsh(jacobian.T @ jacobian)[-1], rel=1e-4)


def test_a_data_set_that_has_arrived_waits_for_no_other(options, streams):
    asked = options.model_copy(update={"steps": 2000})
    data = task.draw_data(asked, streams, 9, 50)
    start = task.draw_students(asked, streams, 16)
    found = map_widths.train_fixed(asked, data, 4, *start)
    for seed in range(asked.trials):
        own = task.Data(*(part[seed : seed + 1] for part in data))._replace(signs=data.signs)
        alone = map_widths.train_fixed(asked, own, 4, start[0][seed : seed + 1], start[1])
        columns = ["end_loss", "test_error", "iterations"]
        np.testing.assert_allclose(alone[columns], found[columns][seed : seed + 1], rtol=1e-6)
    assert (found.end_loss <= asked.stop).any()


def test_decayed_descent_measures_the_objective_of_the_programs(options, streams):
    data = task.draw_data(options, streams, 9, 50)
    optima = map_widths.certify_optima(options, data)
    optima = optima[optima.samples == 9]
    start = task.draw_students(options, streams, 16)
    found = map_widths.train_decayed(options, data, 9, *start, optima)
    assert (found.objective >= found.dual_bound).all()
    row, filters = optima.iloc[0], task.balance(start[0][:1], start[1])
    network = Network(filters=filters[0][0], weights=filters[1][0], architecture="average")
    first = network.objective(data.patches[0, :9], data.y[0, :9], row["beta"])
    still = options.model_copy(update={"steps": 0})
    stays = map_widths.train_decayed(still, data, 9, *start, optima)
    assert stays.objective[0] == pytest.approx(first, rel=1e-12)
    assert found.objective[0] < first
    again = train_convex(data.patches[0, :9], data.y[0, :9], row["beta"], tol=1e-6)
    assert row["dual_bound"] == pytest.approx(again.objective, rel=1e-3)


def test_a_map_says_what_became_of_every_run(options, streams):
    found = map_widths.draw_map(options, streams, "two_filters")
    runs = found["runs"]
    assert len(runs) == 3 * 2 * 3
    assert runs.objective.notna().sum() == 2 * 2 * 3
    assert (runs.seed.value_counts() == 6).all()
    wide = runs[(runs.width == 16) & (runs.samples == 4)]
    assert (wide.end_loss < 1e-2).all()
    # At the teacher itself nothing is left to learn.
    data = task.draw_data(options, streams, 9, 50)
    assert np.allclose(task.outputs(data.teachers, data.signs, data.patches), data.y)
    assert (found["limits"].condition_ratio < 1).all()
    alone = options.model_copy(update={"patches": 1})
    one = task.draw_data(alone, streams, 9, 50)
    assert (map_widths.begin_theories(alone, streams, one).condition_ratio > 1).all()


def test_recovery_is_seen_by_every_method():
    options = map_dimensions.Options(
        trials=3,
        patches=4,
        kernels=2,
        dimensions=[2, 3, 4],
        samples_per_entry=[1, 4, 12],
        convex_dimensions=[2],
        convex_trials=2,
        decay=1e-3,
        tolerance=1e-4,
        steps=100,
        scale=1.5,
        radius=0.05,
        tests=200,
    )
    found = map_dimensions.measure(options, step.streams(3, "tests"))
    sizes = found.groupby("method").size()
    assert sizes.to_dict() == {"convex": 6, "local": 27, "random": 27, "span": 27, "tensor": 27}
    many = found[found.samples >= 12 * found.patch_size]
    assert (many[many.method == "local"].test_error < 1e-6).all()
    assert (many[many.method == "convex"].test_error < 1e-2).all()
    few = found[(found.samples == found.patch_size) & (found.method == "random")]
    assert (few.test_error > 1e-2).all()
