"""What the steps of allenzhu2019 measure, on curves whose answer is known."""

import json

import numpy as np
import pandas as pd
import pytest

from workflow.scripts.allenzhu2019 import judge, trials


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
    rate, straight = trials.fit_rate(t, relative)
    inside = (relative <= 1e-2) & (relative >= 1e-8)
    assert rate == pytest.approx(-np.polyfit(t[inside], np.log(relative[inside]), 1)[0])
    assert rate == pytest.approx(0.1, rel=0.05)
    assert straight > 0.99


def test_a_run_that_stalls_is_fitted_on_its_second_half():
    t = np.arange(100)
    relative = np.where(t < 50, 1 - t / 100, 0.5)
    assert trials.fit_rate(t, relative)[0] == pytest.approx(0, abs=1e-12)


def test_a_run_that_diverges_at_once_has_no_rate():
    assert np.isnan(trials.fit_rate(np.arange(2), np.array([1.0, np.inf]))).all()


def test_subsets_and_seeds_do_not_change_each_others_draws(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "pixels.npy", rng.uniform(size=(3, 12, 16)))
    np.save(tmp_path / "digits.npy", rng.integers(10, size=(3, 12)))
    (tmp_path / "source.json").write_text(json.dumps({"data": "own"}))

    class Args:
        pixels, digits = tmp_path / "pixels.npy", tmp_path / "digits.npy"
        source, device, seed = tmp_path / "source.json", "cpu", 3

    few, many = trials.load(Args, 8, 2, 1), trials.load(Args, 8, 4, 3)
    same = [i for i in range(12) if many.subset[i] == 0 and many.seed[i] < 2]
    a, b = few.networks(3, "g", 6, 2), many.networks(3, "g", 6, 2)
    assert (a.W[0] == b.W[0][same]).all() and (few.x == many.x[same]).all()
    alone = many.one(5)
    assert (alone.networks(3, "g", 6, 2).W[1] == b.W[1][5:6]).all()
    with pytest.raises(ValueError, match="select_subset"):
        trials.load(Args, 13, 1, 1)


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
    found = judge.slope(sweep(-0.5), "width", "value", np.random.default_rng(2))
    assert found.low < -0.5 < found.high and found.high - found.low < 0.1
    assert (found.seeds, found.data) == (6, "own")


def test_the_worst_width_is_named():
    rows = sweep(0.0).assign(value=lambda r: np.where(r.width == 256, 0.2, 1.0))
    found = judge.medians_by(rows, "width", "value", np.random.default_rng(3))
    assert judge.least(found).value == judge.farthest(found, 1).value == 0.2
    assert judge.farthest(found, 1).note == "At m = 256."
