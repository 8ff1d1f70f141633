"""The mathematics that the steps add to the library, and what they measure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import Network, beta_max
from workflow.scripts import step
from workflow.scripts.ergen2021 import (
    certify,
    certify_circular,
    enumerate_arrangements,
    learn_spectra,
    problems,
    recover_network,
    restart_descent,
    sparsify_spectrum,
    sweep_widths,
    trace_path,
    trace_prices,
    train_circular_images,
    train_convex,
    train_convex_matrix,
    train_image_patches,
    train_images,
    train_photographs,
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
    sizes = problems.Signals(samples=6, dimension=5, patch_size=3)
    # Whichever step asks.
    first, again = (
        problems.draw_patches(step.streams(7, name), 3, sizes) for name in ("certify", "train_sgd")
    )
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    # The same signals whatever they are cut into.
    X, y = problems.draw_signals(step.streams(7, "certify"), 3, 6, 5)
    np.testing.assert_array_equal(first[0][:, 1], X[:, 1:4])
    np.testing.assert_array_equal(first[1], y)
    assert not np.array_equal(X, problems.draw_signals(step.streams(7, "certify"), 4, 6, 5)[0])


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
    largest = beta_max(patches, y, architecture=pooling)
    angles = np.linspace(0, 2 * np.pi, 2001)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = trace_path.correlations(circle, patches, y, pooling)
    assert found.max() <= largest * (1 + 1e-12)
    start = circle[found.argmax()]
    assert trace_path.ascend(start, patches, y, pooling) == pytest.approx(largest, rel=1e-8)


def test_the_ascent_begins_on_the_second_hill_too():
    angles = np.concatenate([np.linspace(-0.1, 0.1, 50), [2.0]])
    directions = np.column_stack([np.cos(angles), np.sin(angles)]) * np.arange(1, 52)[:, None]
    sizes = np.append(np.cos(angles[:-1]), 0.5)
    begun = trace_path.apart(directions, sizes, 5)
    assert len(begun) == 2
    np.testing.assert_array_equal(begun[0], directions[sizes.argmax()])
    np.testing.assert_array_equal(begun[1], directions[-1])
    np.testing.assert_array_equal(trace_path.apart(directions, sizes, 1), begun[:1])


def test_accuracy_is_the_share_of_right_signs():
    y = np.array([1.0, 1.0, -1.0, -1.0])
    outputs = np.array([[0.2, 3.0, -1.0, -9.0], [0.2, -3.0, 0.0, -9.0]])
    assert train_images.accuracy(outputs, y).tolist() == [1.0, 0.5]


# --- the steps themselves ------------------------------------------------------------------------

SMALL = dict(trials=2, samples=4, dimension=3, patch_size=2, fractions=[0.3, 0.1])


@pytest.fixture(scope="module")
def convex():
    """Tables of train_convex, put together over two architectures as `step.load` does."""
    found = [
        train_convex.measure(
            train_convex.Options(case=case, **SMALL), step.streams(0, "train_convex")
        )
        for case in ("average", "max")
    ]
    return {name: pd.concat([part[name] for part in found]) for name in found[0]}


def test_convex_optima_are_certified_and_the_wrong_decay_is_that_of_average_pooling(convex):
    table = convex["table"]
    assert len(table) == 8
    assert ((table.objective - table.dual_bound) <= 1e-9 * table.objective).all()
    assert table.groupby("architecture").doubled.count().to_dict() == {"average": 4, "max": 0}
    assert (table.doubled.dropna() > table.program[table.doubled.notna()]).all()


def test_networks_are_recovered_and_certified_with_their_own_pooling(convex):
    networks, duals, table = convex["networks"], convex["duals"], convex["table"]
    options = recover_network.Options()
    recovered = recover_network.measure(options, step.streams(0, "any"), networks, table)
    mapped = recovered[recovered.study == "mapped"]
    np.testing.assert_allclose(mapped.objective, mapped.program, rtol=1e-9)
    assert (recovered.objective >= recovered.program * (1 - 1e-9)).all()
    found = certify.measure(
        certify.Options(gates=1), step.streams(0, "certify"), networks, duals, table
    )
    assert list(found.architecture.unique()) == ["average", "max"]
    gaps = found.groupby("study").gap.max()
    assert gaps["convex"] <= 1e-8 and gaps["residual"] <= 1e-6 and gaps["restricted"] > 1e-3


def test_descent_takes_up_the_instances_of_the_convex_program(convex):
    table = convex["table"]
    options = train_sgd.Options(case="max", restarts=3, steps=300, step_size=0.05)
    known = table[table.architecture == "max"]
    found = train_sgd.measure(options, step.streams(0, "train_sgd"), known)
    assert len(found) == 3 * len(known) and (found.width == 8).all()
    merged = found.merge(known, on=["seed", "beta_fraction"], suffixes=("", "_convex"))
    assert (merged.program == merged.program_convex).all()
    assert (found.objective >= found.program * (1 - 1e-8)).all()
    assert (found["rank"] <= found.filters).all()


@pytest.mark.parametrize(
    ("case", "more"),
    [("linear", set()), ("circular", set()), ("unpooled", {"frobenius", "nuclear"})],
)
def test_matrix_optima_have_relaxed_values_where_the_norm_is_another(case, more):
    small = SMALL | dict(trials=1, samples=3, fractions=[0.3])
    small |= dict(dimension=4, patch_size=4) if case == "circular" else {}
    options = train_convex_matrix.Options(case=case, **small)
    found = train_convex_matrix.measure(options, step.streams(0, "train_convex_matrix"))
    assert set(found.columns) - set(convex_columns()) == more
    assert ((found.objective - found.dual_bound) <= 1e-7 * found.objective).all()
    for relaxed in more:
        assert (found[relaxed] <= found.objective * (1 + 1e-6)).all()


def convex_columns():
    """Columns that the tables of all architectures have in common."""
    shared = "architecture seed samples dimension patches patch_size beta_fraction beta program"
    return [*shared.split(), "objective", "dual_bound", "filters", "zero_loss"]


def test_arrangements_above_the_budget_are_left_out():
    options = enumerate_arrangements.Options(
        trials=1, samples=[3, 5], patches=[1, 2], patch_sizes=[2], dimension=3, budget=30
    )
    found = enumerate_arrangements.measure(options, step.streams(0, "enumerate_arrangements"))
    general = found[found.study == "general"]
    assert (general.cells == general.formula).all()
    assert set(found.study) == {"general", "plane", "full", "max"}
    # Cover's formula for ten rows in R^3 is 92.
    assert not ((found.study == "plane") & (found.rows == 10)).any()


def test_a_sweep_must_reach_two_filters_a_sample():
    given = dict(trials=1, samples=6, dimension=5, patch_size=3, restarts=1, steps=1)
    given |= dict(step_size=0.1, betas=[0.1])
    assert sweep_widths.Options(widths=[1, 3, 12], **given).widths == [1, 3, 12]
    with pytest.raises(ValueError, match="expected 2 samples = 12 among them"):
        sweep_widths.Options(widths=[1, 3, 10], **given)


def test_rounds_of_descent_end_when_one_start_has_reached_the_optimum():
    small = SMALL | dict(trials=3, restarts=4, steps=1500, step_size=0.1, tol=1e-4)
    options = restart_descent.Options(case="linear", scales=[1.0, 2.0], **small)
    found = restart_descent.measure(options, step.streams(0, "restart_descent"))
    # The fractions in turn: a data set has one beta.
    assert found.groupby("seed").beta_fraction.first().tolist() == [0.3, 0.1, 0.3]
    for _, ends in found.groupby("seed"):
        first = ends[ends.restart < 4].objective.min() <= ends.program.iloc[0] * (1 + 1e-4)
        assert len(ends) == (4 if first else 8)
    assert (found.objective >= found.dual_bound * (1 - 1e-9)).all()
    # Out of reach in two steps: all rounds are run.
    options = options.model_copy(update={"steps": 2, "trials": 1})
    found = restart_descent.measure(options, step.streams(0, "restart_descent"))
    assert found.restart.tolist() == list(range(8))


def test_energy_of_a_cosine_is_at_its_frequency_however_it_is_shared_out():
    wave = np.cos(2 * np.pi * 3 * np.arange(16) / 16)
    found = learn_spectra.energies(np.array([2 * wave, np.roll(wave, 1)]), np.array([0.5, -3.0]))
    np.testing.assert_allclose(found[[3, 13]], 0.5, rtol=1e-12)
    np.testing.assert_allclose(found.sum(), 1.0, rtol=1e-12)
    # Parseval: two filters weigh by output weight and norm.
    pair = np.array([wave, np.ones(16)])
    found = learn_spectra.energies(pair, np.array([1.0, 2.0]))
    assert found[0] == pytest.approx(4 * 16 / (4 * 16 + 8), rel=1e-12)


def test_the_support_is_what_some_filter_has():
    spectra = np.array([[1.0, 1e-5, 0.5, 1e-5], [0.0, 1e-4, 1e-9, 1e-4]])
    filters = np.fft.ifft(spectra).real
    assert learn_spectra.support(filters, 1e-3).tolist() == [True] * 4
    assert learn_spectra.support(filters[:1], 1e-3).tolist() == [True, False, True, False]


def test_support_counts_both_frequencies_of_a_pair():
    t = np.arange(8)
    waves = np.stack([np.cos(2 * np.pi * t / 8), np.ones(8), np.eye(8)[0]])
    assert sparsify_spectrum.support(waves).tolist() == [2, 1, 8]


def test_trained_spectra_are_measured_against_the_program():
    options = learn_spectra.Options(
        trials=1, samples=4, dimension=6, rank=2, fraction=0.3, width=4, restarts=2, steps=200,
        batch=2, step_size=0.03, sgd_step=0.003, support=1e-3,
    )  # fmt: skip
    found = learn_spectra.measure(options, step.streams(0, "learn_spectra"))
    assert set(found.method) == {"program", "sgd", "adam", "group"} and len(found) == 24
    program = found[found.method == "program"]
    assert program[program.selected].energy.sum() == pytest.approx(1, abs=1e-5)
    circular = found[found.method.isin(["sgd", "adam"])]
    assert (circular.objective >= circular.program * (1 - 1e-7)).all()


def test_circular_programs_are_certified_with_both_networks():
    options = certify_circular.Options(
        dimensions=[6, 8], samples=[4, 3], trials=[3, 1], ranks=[2], fraction=0.1
    )
    found = certify_circular.measure(options, step.streams(0, "certify_circular"))
    assert found.layers.tolist() == [3, 4, 3, 3] and found.dimension.tolist() == [6, 6, 6, 8]
    assert (found.gap <= 1e-8).all() and (found.constraint <= 1 + 1e-9).all()


def test_prices_touch_one_at_the_optimal_filters_and_nowhere_exceed_it():
    options = trace_prices.Options(
        trial=0, samples=4, dimension=3, patch_size=2, restarts=4, steps=300, step_size=0.05,
        fraction=0.1, gates=2, angles=200,
    )  # fmt: skip
    found = trace_prices.measure(options, step.streams(0, "trace_prices"))
    prices, filters = found["prices"], found["directions"]
    exact = prices[prices.study == "exact"].sort_values("angle")
    assert exact.price.max() == pytest.approx(1, rel=1e-8)
    optimal = filters[filters.study == "exact"]
    at = np.interp(optimal.angle, exact.angle, exact.price)
    np.testing.assert_allclose(at, 1, rtol=1e-6)
    # Inside a cell no patch changes sides.
    patches, _ = problems.draw_patches(step.streams(0, "any"), 0, options)
    middle = exact.groupby("cell").angle.mean()
    signs = np.sign(patches @ np.stack([np.cos(middle), np.sin(middle)]))
    assert exact.cell.nunique() == len(trace_prices.crossings(patches)) + 1
    assert len(np.unique(signs.reshape(-1, signs.shape[-1]), axis=1).T) == exact.cell.max()
    with pytest.raises(ValueError, match="patch_size: expected 2"):
        options = options.model_copy(update={"patch_size": 3})
        trace_prices.measure(options, step.streams(0, "trace_prices"))


def test_projected_profiles_have_the_rank_asked_for_and_lose_least():
    rng = np.random.default_rng(3)
    X, test = rng.standard_normal((9, 6)), rng.standard_normal((4, 6))
    found, other = train_circular_images.project(X, test, 2)
    assert np.linalg.matrix_rank(found) == 2 == np.linalg.matrix_rank(np.vstack([found, other]))
    lost = np.linalg.svd(X - X.mean(axis=0))[1][2:]
    assert ((X - X.mean(axis=0) - found) ** 2).sum() == pytest.approx((lost**2).sum())


def images_of_two_classes(n):
    """Images that two classes of labels belong to."""
    rng = np.random.default_rng(5)
    labels = np.arange(n) % 2
    images = rng.integers(0, 80, (n, 28, 28)) + 100 * labels[:, None, None] * np.eye(28, dtype=int)
    return images.astype(np.uint8), labels


def test_circular_networks_on_images_are_certified_and_sgd_stays_above():
    options = train_circular_images.Options(
        trials=2, samples=6, components=2, fraction=0.1, width=4, restarts=2, steps=300, batch=3,
        step_size=0.05,
    )  # fmt: skip
    rng = step.streams(0, "train_circular_images")
    found = train_circular_images.measure(
        options, rng, *images_of_two_classes(20), *images_of_two_classes(10)
    )
    table, curves = found["table"], found["curves"]
    assert (table.gap <= 1e-8).all() and len(table) == 2
    assert (curves.objective >= table.dual_bound[0] * (1 - 1e-8)).all()
    assert curves.accuracy.between(0, 1).all()


def test_photographs_are_cut_into_patches_of_three_colours():
    pictures = train_photographs.photographs()
    assert pictures.shape == (2, 106, 160, 3) and 0 <= pictures.min() < pictures.max() <= 1
    tiles, y = train_photographs.draw_tiles(pictures, 5, 12, np.random.default_rng(0))
    assert tiles.shape == (5, 12, 12, 3) and y.tolist() == [-1, 1, -1, 1, -1]
    patches = train_photographs.colour_patches(tiles, 4, 4)
    assert patches.shape == (5, 9, 48)
    np.testing.assert_array_equal(patches[2, 4, 16:32], tiles[2, 4:8, 4:8, 1].ravel())
