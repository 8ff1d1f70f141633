"""What the steps of allenzhu2019 measure, on curves whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from cnntheory.allenzhu2019.training import plateau
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import (
    break_hypotheses,
    classify,
    landscape,
    measure_times,
    select_subset,
    train_gd,
    trials,
)
from workflow.studies import study
from workflow.studies.allenzhu2019 import common

CLAIM = dict(
    id="x",
    kind="claim",
    statement="a ratio is near one",
    source="none",
    provenance="derived",
    criterion="the farthest in [0.9, 1.1]",
    at_least=0.9,
    at_most=1.1,
    expected="holds",
)


@pytest.fixture
def images():
    """Pixels and digits of three subsets of twelve images."""
    rng = np.random.default_rng(0)
    return rng.uniform(size=(3, 12, 16)), rng.integers(10, size=(3, 12))


def test_crossings_of_an_exponential_are_exact():
    t = np.arange(200)[:, None]
    rates = np.array([0.05, 0.2, 0.001])
    losses = 7 * np.exp(-rates * t)
    np.testing.assert_allclose(
        trials.crossing(losses, 1e-3), [np.log(1e3) / 0.05, np.log(1e3) / 0.2, np.inf]
    )


def test_a_loss_that_becomes_zero_has_crossed():
    assert 0 < trials.crossing(np.array([[1.0], [0.0]]), 1e-3)[0] <= 1


def test_rates_are_fitted_between_the_two_levels():
    t = np.arange(400)
    # Slower before and after the window of the fit.
    log = np.where(t < 100, -0.04 * t, -4 - 0.1 * (t - 100))
    relative = np.exp(np.maximum(log, np.log(5e-9)))
    rate, straight = trials.fit_decay(t, relative)
    inside = (relative <= 1e-2) & (relative >= 1e-8)
    assert rate == pytest.approx(-np.polyfit(t[inside], np.log(relative[inside]), 1)[0])
    assert rate == pytest.approx(0.1, rel=0.05)
    assert straight > 0.99


def test_a_run_that_stalls_is_fitted_on_its_second_half():
    t = np.arange(100)
    relative = np.where(t < 50, 1 - t / 100, 0.5)
    assert trials.fit_decay(t, relative)[0] == pytest.approx(0, abs=1e-12)


def test_a_run_that_diverges_at_once_has_no_rate():
    assert np.isnan(trials.fit_decay(np.arange(2), np.array([1.0, np.inf]))).all()


def test_subsets_and_seeds_do_not_change_each_others_draws(images):
    rng = step.streams(3, trials.STREAM)
    few, many = trials.on_images(*images, 8, 2, 1), trials.on_images(*images, 8, 4, 3)
    same = [i for i in range(12) if many.subset[i] == 0 and many.seed[i] < 2]
    a, b = few.networks(rng, "g", 6, 2), many.networks(rng, "g", 6, 2)
    assert (a.W[0] == b.W[0][same]).all() and (few.x == many.x[same]).all()
    alone = many.one(5)
    assert (alone.networks(rng, "g", 6, 2).W[1] == b.W[1][5:6]).all()


def test_independent_trials_have_a_network_and_a_subset_each(images):
    rng = step.streams(3, trials.STREAM)
    few, many = trials.independent(*images, 8, 2), trials.independent(*images, 8, 3)
    assert (many.seed == many.subset).all() and len(set(many.seed)) == 3
    assert not (many.x[0] == many.x[1]).all()
    # What both schemes draw is the same: seed 0 on subset 0, seed 1 on subset 1.
    all_pairs = trials.on_images(*images, 8, 3, 3)
    same = np.flatnonzero(all_pairs.seed == all_pairs.subset)
    a, b, c = (t.networks(rng, "g", 6, 2).W[0] for t in (few, many, all_pairs))
    assert (a == b[:2]).all() and (b == c[same]).all() and (many.x == all_pairs.x[same]).all()
    parts = many.chunks(2)
    assert [len(part.seed) for part in parts] == [2, 1]
    assert (parts[1].networks(rng, "g", 6, 2).W[0] == b[2:]).all()


def test_more_images_than_the_subsets_have_are_refused(images):
    with pytest.raises(ValueError, match="select_subset"):
        trials.on_images(*images, 13, 1, 1)
    with pytest.raises(ValueError, match="select_subset"):
        trials.on_images(*images, 8, 1, 4)


def test_subsets_of_several_sizes_are_nested():
    rng = np.random.default_rng(0)
    photographs, labels = rng.integers(256, size=(40, 28, 28)), rng.integers(10, size=40)
    few, many = (
        select_subset.measure(
            select_subset.Options(subsets=subsets, samples=[5, 12]),
            step.streams(0, "select_subset"),
            photographs,
            labels,
        )
        for subsets in (1, 2)
    )
    assert few["pixels"].shape == (1, 12, 196) and (few["digits"] == many["digits"][:1]).all()
    separation = many["table"].pivot(index="subset", columns="samples", values="separation")
    assert len(separation) == 2 and separation.notna().all(axis=None)


def test_a_data_set_without_enough_labels_is_refused():
    options = select_subset.Options(subsets=1, samples=[5])
    with pytest.raises(ValueError, match=r"select_subset\.samples"):
        select_subset.measure(
            options, step.streams(0, "x"), np.zeros((9, 28, 28)), np.zeros(0, dtype=int)
        )


def test_small_outputs_are_the_usual_ones_with_another_b(images):
    """The kernel of B / sqrt(m) is the usual one over m: its step times the kernel is the same."""

    def train(scaling):
        options = train_gd.Options(
            case="narrow",
            widths=[32],
            trials=2,
            samples=8,
            depth=2,
            steps=20,
            tolerance=1e-8,
            scaling=scaling,
        )
        return train_gd.measure(options, step.streams(0, trials.STREAM), *images)

    usual, small = train("usual"), train("small")
    one, other = usual["table"], small["table"]
    np.testing.assert_allclose(other.lambda_max * 32, one.lambda_max)
    np.testing.assert_allclose(other.step / 32, one.step)
    # The path as stored: from the start on, at most as many points as asked for.
    curve = usual["curves"].groupby("seed").relative_loss.agg(["first", "size"])
    assert (curve["first"] == 1).all() and (curve["size"] <= 21).all()


def test_modes_of_a_network_that_hardly_moves_decay_as_their_eigenvalues_say(images):
    options = dict(case="w2048", widths=[1500], trials=2, samples=4, depth=1, steps=30)
    options = train_gd.Options(**options, tolerance=1e-8, together=1, mode_trials=2)
    table = train_gd.measure(options, step.streams(0, trials.STREAM), *images)["modes"]
    assert set(table.seed) == {0, 1} and (table[table.iteration == 0].residual_share == 1).all()
    early = table[table.decay_time < 1]
    np.testing.assert_allclose(early.residual_share, np.exp(-early.decay_time), atol=0.15)


def test_the_least_ratio_lies_in_the_band_of_the_kernel(images):
    options = dict(case="samples", widths=[400], depths=[1], samples=[6], trials=3, steps=60)
    options = measure_times.Options(**options)
    table = measure_times.measure(options, step.streams(0, trials.STREAM), *images)
    worst = 2 * np.minimum(table.lambda_min, table.end_lambda_min)
    assert (table.least_ratio >= 0.7 * worst).all()  # r^T K r >= lambda_min |r|^2 on the way
    assert (table.lambda_min > 0).all()


def test_where_nothing_is_trained_the_kernel_is_still_measured(images):
    options = dict(case="pairs", widths=[16], depths=[1], samples=[8], trials=2, steps=5)
    options = measure_times.Options(**options, distances=[0.9, 0.6], untrained=[0.3])
    table = measure_times.measure(options, step.streams(0, trials.STREAM), *images)
    alone = table.delta == 0.3
    assert table.lambda_min.notna().all() and table.kernel_iterations.notna().all()
    assert (table.iterations.isna() == alone).all() and alone.sum() == 2
    # What a network shows of one distance does not depend on what else is measured.
    options = options.model_copy(update=dict(distances=[], untrained=[0.9, 0.6, 0.3], together=1))
    rest = measure_times.measure(options, step.streams(0, trials.STREAM), *images)
    both = table.merge(rest, on=["seed", "delta"])
    assert len(both) == 6
    np.testing.assert_allclose(both.lambda_min_x, both.lambda_min_y, rtol=1e-9)
    np.testing.assert_allclose(both.kernel_iterations_x, both.kernel_iterations_y)


def test_random_pairs_are_labelled_synthetic_whatever_the_images(images):
    def measure(**more):
        options = measure_times.Options(
            widths=[16], depths=[1], samples=[8], trials=2, steps=5, **more
        )
        return measure_times.measure(options, step.streams(0, trials.STREAM), *images)

    pairs = measure(case="pairs", distances=[0.9, 0.4])
    assert pairs.columns[-1] == "data" and set(pairs.data) == {"synthetic"}
    assert pairs.groupby("delta").separation.nunique().eq(1).all()
    np.testing.assert_allclose(pairs.separation, pairs.delta)
    assert "data" not in measure(case="samples")  # on images the step's own label is written


def test_duplicates_stop_at_the_closed_form_and_only_their_number_is_checked(images):
    options = dict(
        width=32, depth=1, deep_width=8, deep=2, samples=4, pairs=2, trials=1, deep_trials=3
    ) | dict(variances=[1.0, 2.0], steps=200, deep_steps=2)
    rng = step.streams(0, trials.STREAM)
    found = break_hypotheses.measure(break_hypotheses.Options(**options), rng, *images)
    table = found["table"].set_index("study")
    assert table.plateau_ratio["duplicates"] == pytest.approx(1, abs=1e-3)
    # A share near one takes more networks: of variance 2 alone.
    counts = table.loc["variances"].groupby("variance").size()
    assert counts.to_dict() == {1.0: 1, 2.0: 3}
    with pytest.raises(ValueError, match="pairs"):
        break_hypotheses.measure(break_hypotheses.Options(**options | dict(pairs=5)), rng, *images)


@pytest.mark.parametrize("wrong", [1.0, 1.01])
def test_descent_with_duplicates_ends_where_it_ends_whatever_the_closed_form(
    images, monkeypatch, wrong
):
    monkeypatch.setattr(break_hypotheses, "plateau", lambda x, y: wrong * plateau(x, y))
    options = dict(
        width=32, depth=1, deep_width=8, deep=2, samples=4, pairs=2, trials=3, deep_trials=3
    ) | dict(variances=[2.0], steps=10**6, settled=1e-9, deep_steps=2)
    rng = step.streams(0, trials.STREAM)
    found = break_hypotheses.measure(break_hypotheses.Options(**options), rng, *images)
    ratio = found["table"].query("study == 'duplicates'").plateau_ratio
    np.testing.assert_allclose(ratio, 1 / wrong, rtol=1e-8)
    assert 10 < found["curves"].query("study == 'duplicates'").iteration.max() < 10**5


def test_all_losses_are_measured_at_the_largest_width_only(images):
    options = classify.Options(
        case="fully",
        widths=[4, 6],
        depth=1,
        samples=8,
        trials=2,
        losses=["cross_entropy", "squared"],
        batch=4,
        epochs=2,
        step=1.0,
        pooled=2,
    )
    table = classify.measure(options, step.streams(0, trials.STREAM), *images)
    losses = table.groupby("width").loss_function.unique().map(set)
    assert losses[4] == {"cross_entropy"} and losses[6] == {"cross_entropy", "squared"}
    assert set(table.labels) == {"true", "random"} and table.accuracy.between(0, 1).all()


def test_a_landscape_without_labels_is_refused():
    options = landscape.Options(
        case="plain_true",
        network="plain",
        noise=0.0,
        first_trial=0,
        trials=1,
        samples=4,
        evaluate=2,
        panels=[1],
        drops=[2],
        step=0.1,
        batch=2,
        momentum=0.9,
        weight_decay=0.0,
        points=5,
        lanczos_steps=2,
        compare=[],
        oja_steps=2,
        oja_every=1,
        oja_step=0.5,
        oja_batch=2,
        sigma=1e-3,
        offset=0.1,
        offsets=[0.1],
        dtype="float32",
    )
    with pytest.raises(ValueError, match="labels"):
        landscape.measure(
            options, step.streams(0, "landscape"), np.zeros((9, 28, 28)), np.zeros(0, dtype=int)
        )


def sweep(exponent, seeds=6):
    """A table of movements that fall as a power of the width, with noise by trial and level."""
    rng = np.random.default_rng(1)
    seed, subset, width = (
        a.ravel() for a in np.meshgrid(range(seeds), range(3), [128, 256, 512], indexing="ij")
    )
    level = rng.uniform(1, 9, (seeds, 3))[seed, subset]
    value = level * width**exponent * np.exp(0.01 * rng.standard_normal(len(seed)))
    return pd.DataFrame(dict(seed=seed, subset=subset, width=width, value=value, data="own"))


def test_slopes_are_found_with_their_interval():
    found = common.slope(sweep(-0.5), "width", "value", np.random.default_rng(2))
    assert found.low < -0.5 < found.high and found.high - found.low < 0.1
    assert (found.seeds, found.data) == (6, "own")


def test_the_worst_width_is_named():
    rows = sweep(0.0).assign(value=lambda r: np.where(r.width == 256, 0.2, 1.0))
    found = common.medians_by(rows, "width", "value", np.random.default_rng(3))
    claim = study.Claim.model_validate(CLAIM)
    assert common.lowest(found).value == common.farthest(found, claim).value == 0.2
    assert common.farthest(found, claim).note == "At m = 256."
    assert common.highest(found).value == 1


def test_where_no_rows_are_nothing_is_decided():
    none = sweep(-0.5).iloc[:0]
    rng = np.random.default_rng(0)
    found = common.slope(none, "width", "value", rng)
    assert np.isnan(found.value) and found.seeds == 0
    assert np.isnan(common.lowest(common.medians_by(none, "width", "value", rng)).value)
    assert np.isnan(common.least(none, "value").value)
