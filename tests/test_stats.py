import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from cnntheory.stats import (
    bootstrap,
    clustered_slope,
    log_log_slope,
    median_band,
    seeds_to_decide,
    sign_test,
    verdict,
    wilson,
)

Z = 1.959963984540054  # 97.5 % quantile of the normal law


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_solves_its_quadratic(runs, share):
    successes = round(share * runs)
    p = successes / runs
    centre = (p + Z**2 / (2 * runs)) / (1 + Z**2 / runs)
    half = Z / (1 + Z**2 / runs) * np.sqrt(p * (1 - p) / runs + Z**2 / (4 * runs**2))
    low, high = wilson(successes, runs)
    assert low == pytest.approx(max(centre - half, 0), abs=1e-12)
    assert high == pytest.approx(min(centre + half, 1), abs=1e-12)


def test_wilson_covers_the_share_about_as_often_as_it_says():
    for runs, share in ((50, 0.5), (400, 0.95), (400, 0.3)):
        successes = np.arange(runs + 1)
        ends = np.array([wilson(s, runs) for s in successes])
        inside = (ends[:, 0] <= share) & (share <= ends[:, 1])
        assert 0.93 < binom.pmf(successes, runs, share) @ inside < 0.97


def test_wilson_widens_with_its_level():
    assert wilson(30, 100, 0.99)[0] < wilson(30, 100)[0] < wilson(30, 100, 0.8)[0]


@pytest.mark.parametrize(("successes", "runs"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_have_no_interval(successes, runs):
    with pytest.raises(ValueError):
        wilson(successes, runs)


def test_bootstrap_of_a_mean_is_its_normal_interval():
    values = np.random.default_rng(0).standard_normal(400)
    low, high = bootstrap(values, np.random.default_rng(1), np.mean, draws=4000)
    half = Z * values.std() / 20
    # The ends of 4000 draws scatter by about 4 % of the half-width.
    np.testing.assert_allclose(
        [low, high], values.mean() + np.array([-half, half]), atol=0.2 * half
    )


def test_bootstrap_covers_the_median_about_as_often_as_it_says():
    rng, trials = np.random.default_rng(2), 300
    hits = 0
    for _ in range(trials):
        low, high = bootstrap(rng.exponential(size=40), rng, draws=300)
        hits += low <= np.log(2) <= high
    # Nominal 285; the band leaves room for chance (3.8 a standard deviation) and small samples.
    assert 265 <= hits <= 299


def test_bootstrap_draws_whole_seeds():
    a = np.random.default_rng(3).standard_normal(30)
    low, high = bootstrap(np.stack([a, -a, 2 * a], axis=1), np.random.default_rng(4), np.mean)
    assert low.shape == high.shape == (3,)
    np.testing.assert_allclose([low[1], high[1]], [-high[0], -low[0]], atol=1e-12)
    np.testing.assert_allclose([low[2], high[2]], [2 * low[0], 2 * high[0]], atol=1e-12)


def test_all_replicas_together_give_the_same_interval():
    values = np.random.default_rng(8).standard_normal((12, 3))

    def over_all(replicas, axis):
        return np.quantile(replicas.reshape(len(replicas), -1), 0.25, axis=1)

    together = bootstrap(values, np.random.default_rng(9), over_all, together=True)
    one_by_one = bootstrap(
        values, np.random.default_rng(9), lambda replica, axis: np.quantile(replica, 0.25)
    )
    np.testing.assert_array_equal(together, one_by_one)


def test_bootstrap_of_equal_values_is_a_point():
    assert bootstrap(np.full(9, 2.5), np.random.default_rng(5)) == (2.5, 2.5)


def test_bootstrap_belongs_to_its_generator():
    first, second = (bootstrap(np.arange(20.0), np.random.default_rng(6)) for _ in range(2))
    assert first == second


@given(st.lists(st.sampled_from([-1.5, 0.0, 2.0]), max_size=40))
def test_sign_test_is_the_binomial_tail_of_the_wins(differences):
    wins, pairs, p_value = sign_test(differences)
    assert wins == differences.count(2.0)
    assert pairs == wins + differences.count(-1.5)
    assert p_value == pytest.approx(binom.sf(wins - 1, pairs, 0.5) if pairs else 1, abs=1e-12)


@given(st.floats(-3, 3), st.floats(0.01, 100), st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_the_slope_of_a_power_law_is_its_exponent(exponent, factor, n, seed):
    x = np.cumsum(np.random.default_rng(seed).uniform(0.1, 2, n))
    y = np.stack([factor * x**exponent, x])
    np.testing.assert_allclose(log_log_slope(x, y), [exponent, 1], atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_the_slope_is_that_of_least_squares(seed):
    x, y = np.random.default_rng(seed).uniform(0.1, 5, (2, 12))
    assert log_log_slope(x, y) == pytest.approx(np.polyfit(np.log(x), np.log(y), 1)[0], abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "edges", "expected"),
    [
        (0.2, 0.3, dict(at_least=0.1), "holds"),
        (0.2, 0.3, dict(at_least=0.2), "holds"),
        (0.2, 0.3, dict(at_least=0.25), "inconclusive"),
        (0.2, 0.3, dict(at_least=0.3), "inconclusive"),
        (0.2, 0.3, dict(at_least=0.31), "fails"),
        (0.2, 0.3, dict(at_most=0.3), "holds"),
        (0.2, 0.3, dict(at_most=0.25), "inconclusive"),
        (0.2, 0.3, dict(at_most=0.2), "inconclusive"),
        (0.2, 0.3, dict(at_most=0.19), "fails"),
        (0.2, 0.3, dict(at_least=0.1, at_most=0.4), "holds"),
        (0.2, 0.3, dict(at_least=0.25, at_most=0.27), "inconclusive"),
        (0.2, 0.3, dict(at_least=0.25, at_most=0.4), "inconclusive"),
        (0.2, 0.3, dict(at_least=0.4, at_most=0.5), "fails"),
        (0.2, 0.3, dict(at_least=-1.0, at_most=0.1), "fails"),
        (0.2, 0.2, dict(at_most=0.2), "holds"),
        (0.2, 0.2, dict(at_least=0.3), "fails"),
        (math.nan, math.nan, dict(at_most=0.2), "inconclusive"),
        (-math.inf, math.inf, dict(at_most=0.2), "inconclusive"),
        (math.inf, math.inf, dict(at_most=0.2), "fails"),
    ],
)
def test_verdicts(low, high, edges, expected):
    assert verdict(low, high, **edges) == expected


numbers = st.floats(-10, 10)


@given(numbers, st.floats(0, 5), numbers, st.floats(0, 5))
def test_verdicts_turn_with_the_sign(low, width, at_least, band):
    high, at_most = low + width, at_least + band
    mirrored = verdict(-high, -low, at_least=-at_most, at_most=-at_least)
    assert verdict(low, high, at_least, at_most) == mirrored


@given(numbers, st.floats(0, 5), numbers, st.floats(0, 5), st.floats(0, 1))
def test_a_narrower_interval_never_reverses_a_verdict(low, width, at_least, band, share):
    wide = verdict(low, low + width, at_least, at_least + band)
    narrow = verdict(low + share * width, low + width, at_least, at_least + band)
    assert wide == "inconclusive" or narrow == wide


@settings(deadline=None)
@given(
    numbers, st.floats(0.1, 5), st.floats(0.1, 5), numbers, st.floats(0.1, 5), st.integers(1, 500)
)
def test_as_many_seeds_as_it_takes_decide(measured, below, above, at_least, band, seeds):
    at_most = at_least + band
    assume(min(abs(measured - at_least), abs(measured - at_most)) > 1e-6)
    low, high = measured - below, measured + above
    needed = seeds_to_decide(measured, low, high, seeds, at_least, at_most)
    assert needed >= seeds
    if verdict(low, high, at_least, at_most) != "inconclusive":
        assert needed == seeds
    # Slightly more than needed: the interval that touches an edge, up to rounding, is decided too.
    shrink = math.sqrt(seeds / (needed * (1 + 1e-6) + 1))
    outcome = verdict(measured - shrink * below, measured + shrink * above, at_least, at_most)
    inside = at_least <= measured <= at_most
    assert outcome == ("holds" if inside else "fails")


def test_seeds_grow_with_the_square_of_the_closeness():
    near = [seeds_to_decide(d, d - 1, d + 1, 100, at_least=0.0) for d in (0.5, 0.25, 0.125)]
    assert near == [400, 1600, 6400]


def test_no_number_of_seeds_decides_on_the_edge():
    assert seeds_to_decide(0.5, 0.4, 0.6, 20, at_most=0.5) is None


@pytest.mark.parametrize(("seeds", "points", "j"), [(20, 1, 5), (8, 1, 0), (100, 1, 39)])
def test_median_bands_lie_between_the_order_statistics_of_the_tables(seeds, points, j):
    # The classical intervals for a median at 95 %: x_(j+1) to x_(n-j).
    values = np.random.default_rng(7).permutation(np.arange(float(seeds)))[:, None]
    median, low, high = median_band(values)
    assert median == np.median(values)
    assert (low, high) == (j, seeds - 1 - j)


@given(st.integers(6, 100), st.integers(1, 30))
def test_median_bands_are_the_narrowest_that_cover(seeds, points):
    values = np.tile(np.arange(float(seeds))[:, None], points)
    _, low, high = median_band(values)
    j = int(low[0])
    assert high[0] == seeds - 1 - j
    level = 0.05 / points
    assert 2 * binom.cdf(j + 1, seeds, 0.5) > level or 2 * (j + 1) > seeds
    assert j == 0 or 2 * binom.cdf(j, seeds, 0.5) <= level


def test_median_bands_cover_all_points_at_once():
    rng, trials = np.random.default_rng(8), 500
    hits = 0
    for _ in range(trials):
        _, low, high = median_band(rng.standard_normal((30, 5)))
        hits += ((low <= 0) & (high >= 0)).all()
    # At least 95 %, less three standard deviations.
    assert hits >= 0.92 * trials


def test_few_seeds_give_their_whole_range():
    values = np.array([[3.0, 1.0], [2.0, 5.0], [1.0, 9.0]])
    median, low, high = median_band(values)
    np.testing.assert_array_equal([median, low, high], [[2, 5], [1, 1], [3, 9]])


def test_clustered_slopes_are_those_of_dummy_regression():
    rng = np.random.default_rng(9)
    trials = np.repeat(np.arange(8), 5)
    x, y = rng.uniform(1, 9, (2, 40))
    design = np.column_stack([np.log(x), trials[:, None] == np.arange(8)])
    expected = np.linalg.lstsq(design, np.log(y))[0][0]
    slope, low, high = clustered_slope(x, y, trials // 2, rng, trials)
    assert slope == pytest.approx(expected)
    assert low < slope < high


def test_clustered_slopes_ignore_levels_and_missing_measurements():
    rng = np.random.default_rng(10)
    seeds = np.repeat(np.arange(5), 4)
    x = np.tile([1.0, 2.0, 4.0, 8.0], 5)
    y = rng.uniform(1, 100, 5)[seeds] * x**-0.5
    keep = (x < 8) | (seeds < 2)
    found = clustered_slope(x[keep], y[keep], seeds[keep], rng)
    np.testing.assert_allclose(found, -0.5)


def test_clustered_intervals_cover():
    rng, hits = np.random.default_rng(11), 0
    seeds, x = np.repeat(np.arange(20), 4), np.tile([1.0, 2.0, 4.0, 8.0], 20)
    for _ in range(300):
        noise = rng.normal(size=20)[seeds] * np.log(x) + rng.normal(size=80)
        _, low, high = clustered_slope(x, x * np.exp(noise), seeds, rng, draws=400)
        hits += low <= 1 <= high
    # At least 93 % of the nominal 95 %, less three standard deviations: 20 clusters are few.
    assert hits >= 0.88 * 300
