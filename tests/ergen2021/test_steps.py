"""The mathematics that the steps and the judge add to the library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import Network, beta_max, cover_count, enumerate_cells
from workflow.scripts.ergen2021 import (
    judge,
    problems,
    recover_network,
    trace_path,
    train_image_patches,
    train_images,
    train_sgd,
)

seeds = st.integers(0, 2**32 - 1)


def draw(seed, n=4, K=3, h=2, m=5):
    """Patches, labels and a network, all Gaussian."""
    rng = np.random.default_rng(seed)
    patches, y = rng.standard_normal((n, K, h)), rng.standard_normal(n)
    return patches, y, rng.standard_normal((m, h)), rng.standard_normal(m)


# --- instances -----------------------------------------------------------------------------------


def test_an_instance_depends_on_its_sizes_and_trial_only():
    first, again = (problems.draw_patches(7, 3, 6, 5, 3) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    # The same signals whatever they are cut into.
    X, y = problems.draw_signals(7, 3, 6, 5)
    np.testing.assert_array_equal(first[0][:, 1], X[:, 1:4])
    np.testing.assert_array_equal(first[1], y)
    assert not np.array_equal(X, problems.draw_signals(7, 4, 6, 5)[0])


def test_windows_side_by_side_leave_out_what_does_not_fill_one():
    X = np.arange(28.0).reshape(2, 14)
    cut = problems.windows(X, 3, 3)
    np.testing.assert_array_equal(cut, X[:, :12].reshape(2, 4, 3))


def test_row_profiles_are_means_of_pairs_of_rows():
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    found = problems.row_profiles(images)
    assert found.shape == (3, 14)
    np.testing.assert_allclose(found[1, 4], images[1, 8:10].mean() / 255)
    np.testing.assert_allclose(found.mean(axis=1), images.mean(axis=(1, 2)) / 255)


def test_halved_images_average_squares_of_four_pixels():
    images = np.random.default_rng(1).integers(0, 256, (2, 28, 28)).astype(np.uint8)
    found = train_image_patches.halved(images)
    assert found.shape == (2, 14, 14)
    np.testing.assert_allclose(found[0, 3, 5], images[0, 6:8, 10:12].mean() / 255)


def test_two_classes_keep_their_signs_and_a_missing_class_is_named():
    images, labels = np.arange(5)[:, None], np.array([0, 7, 1, 1, 0])
    chosen, y = problems.two_classes(images, labels)
    assert chosen.ravel().tolist() == [0, 2, 3, 4] and y.tolist() == [-1, 1, 1, -1]
    with pytest.raises(ValueError, match=r"found none of \[1\]; give a data set with labels"):
        problems.two_classes(images, np.zeros(5))


@pytest.mark.parametrize("samples", [4, 7])
def test_a_drawn_training_set_is_balanced_and_without_repeats(samples):
    y = np.where(np.arange(40) % 4, 1.0, -1.0)
    inputs, signs = problems.draw_split(np.arange(40), y, samples, np.random.default_rng(0))
    assert len(set(inputs)) == samples and abs(signs.sum()) <= 1
    np.testing.assert_array_equal(y[inputs], signs)


def test_networks_survive_the_table():
    _, _, filters, weights = draw(2)
    rows = problems.network_rows(filters, weights, seed=3).sample(frac=1, random_state=0)
    assert set(rows.seed) == {3}
    for one, other in zip((filters, weights), problems.network_from(rows), strict=True):
        np.testing.assert_array_equal(one, other)


# --- what the steps measure ----------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(seeds, st.sampled_from(["average", "max"]))
def test_the_torch_module_has_the_objective_of_the_network(seed, pooling):
    patches, y, filters, weights = draw(seed)
    network = Network(filters, weights, pooling)
    found = recover_network.torch_objective(network, patches, y, 0.3)
    assert found == pytest.approx(network.objective(patches, y, 0.3), rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_all_scale_in_the_filters_is_the_same_function_and_no_cheaper(seed):
    patches, y, filters, weights = draw(seed)
    network = Network(filters, weights, "average")
    size = np.sqrt(np.linalg.norm(filters, axis=1) / np.abs(weights))
    balanced = Network(filters / size[:, None], weights * size, "average")
    other = Network(*recover_network.unbalanced(filters, weights), "average")
    for changed in (balanced, other):
        np.testing.assert_allclose(changed.predict(patches), network.predict(patches), atol=1e-10)
    assert balanced.objective(patches, y, 1.0) <= other.objective(patches, y, 1.0) + 1e-10


def test_only_filters_that_contribute_are_counted():
    filters, weights = np.array([[3.0, 4.0], [1e-4, 0.0], [0.0, 2.0]]), np.array([1.0, 1e-4, 0.0])
    found = train_sgd.used(filters, weights)
    assert found[0].tolist() == [[3.0, 4.0]] and found[1].tolist() == [1.0]


def test_rank_of_the_outputs_counts_directions_not_filters():
    patches, *_ = draw(4, n=6)
    u, v = np.array([1.0, 0.3]), np.array([-0.2, 1.0])
    assert train_sgd.output_rank(np.array([u, 2 * u, 5 * u]), patches, "average") == 1
    assert train_sgd.output_rank(np.array([u, v, 2 * u]), patches, "max") == 2
    # Two directions inside one cell span all outputs of that cell.
    close = u + 1e-3 * np.array([[0, 0], [1, 0], [0, -1], [1, 1]])
    assert train_sgd.output_rank(close, patches, "average") == 2


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 1000), st.sampled_from(["average", "max"]))
def test_no_direction_correlates_more_than_the_threshold(seed, pooling):
    patches, y, *_ = draw(seed)
    largest = beta_max(patches, y, pooling, cells=enumerate_cells(patches, pooling))
    angles = np.linspace(0, 2 * np.pi, 2001)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = trace_path.correlations(circle, patches, y, pooling)
    assert found.max() <= largest * (1 + 1e-12)
    start = circle[found.argmax()]
    assert trace_path.ascend(start, patches, y, pooling) == pytest.approx(largest, rel=1e-8)


def test_accuracy_is_the_share_of_right_signs():
    y = np.array([1.0, 1.0, -1.0, -1.0])
    outputs = np.array([[0.2, 3.0, -1.0, -9.0], [0.2, -3.0, 0.0, -9.0]])
    assert train_images.accuracy(outputs, y).tolist() == [1.0, 0.5]


# --- the judge -----------------------------------------------------------------------------------


def ends(gaps, **columns):
    """End points with p* = 2 and the relative excess given, a row a restart."""
    gaps = np.atleast_2d(gaps)
    frames = [
        pd.DataFrame(
            {"objective": 2 * (1 + row), "program": 2.0, "seed": seed, "restart": range(len(row))}
        )
        for seed, row in enumerate(gaps)
    ]
    return pd.concat(frames, ignore_index=True).assign(**columns)


def test_the_best_restart_counts():
    table = ends([[0.5, 1e-5], [1e-3, 0.2]])
    np.testing.assert_allclose(judge.best(table, ["seed"]), [1e-5, 1e-3])
    found = judge.share_within(judge.best(table, ["seed"]), seeds=2)
    assert found.value == 0.5 and found.low < 0.5 < found.high


def test_a_doubled_decay_lies_above_the_end_points():
    by = {"architecture": "average", "beta_fraction": 0.1}
    trained = ends([[0.0, 0.1]], **by)
    convex = pd.DataFrame({**by, "seed": [0], "doubled": [3.0]})
    assert judge.doubled_decay(trained, convex).value == pytest.approx(-1 / 3)


def test_growth_is_the_exponent_between_the_two_largest_sizes():
    N = np.array([5, 11, 101, 201])
    table = pd.DataFrame({"patches": 1, "patch_size": 3, "rows": N, "cells": (N - 1.0) ** 2})
    table.loc[0, "cells"] = 999  # small sizes do not count
    assert judge.growth(table)[1, 3] == pytest.approx(2, rel=1e-12)
    cover = table.assign(cells=[cover_count(int(size), 3) for size in N])
    assert judge.growth(cover)[1, 3] == pytest.approx(2, abs=0.01)


def test_gates_are_judged_by_the_lowest_value_and_the_largest_rise():
    values = {"nested": [0.5, 0.1, 0.1], "fresh": [0.5, 0.1, 0.3]}
    table = pd.concat(
        pd.DataFrame(
            {
                "study": study,
                "seed": 0,
                "gates": [1, 2, 4],
                "objective": 1 + np.array(gaps),
                "program": 1.0,
                "cells": [1, 2, 4],
                "all_cells": 8,
            }
        )
        for study, gaps in values.items()
    )
    found = judge.gates(table.sample(frac=1, random_state=1))
    assert found["7"].value == pytest.approx(0.1)
    assert found["7b"].value == pytest.approx(0) and found["7x"].value == pytest.approx(0.2)


def test_one_filter_is_judged_only_where_the_optimum_has_more():
    frames = [
        ends([[gap, 2 * gap]] * 2, width=width, filters=filters, beta=beta, samples=3)
        for beta, filters, gaps in ((0.1, 3, (0.5, 0.1, 0.0)), (0.2, 1, (0.0, 0.0, 0.0)))
        for width, gap in zip((1, 3, 6), gaps, strict=True)
    ]
    found = judge.widths(pd.concat(frames), np.random.default_rng(0))
    assert found["4"].value == pytest.approx(0.5)
    assert found["4c"].value == 1 and found["4x"].value == 0
    assert found["4b"].value == pytest.approx(1 / 4)  # two pairs differ, both better


def test_certificates_of_end_points_must_not_exceed_the_optimum():
    table = ends(
        [[0.1, 0.2], [0.3, 0.1]],
        method="sgd",
        dual_bound=1.9,
        program_bound=1.999,
        sampled_bound=[1.9, 2.1, 1.9, 1.9],
        data="MNIST",
    )
    found = judge.images(table)
    assert found["14"].value == 1 and found["14x"].value == 0.75
    assert found["14b"].value == pytest.approx(0.1 + 0.0005)
    assert {claim.data for claim in found.values()} == {"MNIST"}
