import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from cnntheory.du2018.starts import (
    at_distance,
    ball,
    good_probability,
    is_good,
    paper_bound,
    sharper_bound,
    unscaled_bound,
)

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("p", [1, 2, 7, 100])
def test_points_are_uniform_in_the_ball(p):
    n, radius = 20_000, 0.3
    found = ball(np.random.default_rng(p), p, radius, (n,))
    assert found.shape == (n, p)
    lengths = np.linalg.norm(found, axis=-1)
    assert lengths.max() <= radius * (1 + 1e-12)
    assert kstest((lengths / radius) ** p, "uniform").pvalue > 1e-3
    # E w = 0, E w_i^2 = radius^2 / (p + 2).
    spread = radius / np.sqrt((p + 2) * n)
    assert np.abs(found.mean(axis=0)).max() < 5 * spread


def test_batches_of_points_have_the_given_shape():
    assert ball(np.random.default_rng(0), 3, 1.0).shape == (3,)
    assert ball(np.random.default_rng(0), 3, 1.0, (2, 4)).shape == (2, 4, 3)


@settings(deadline=None)
@given(seeds, st.integers(1, 30), st.lists(st.floats(0.01, 3), min_size=1, max_size=4))
def test_starts_lie_at_the_relative_distances_in_one_direction(seed, p, distances):
    rng = np.random.default_rng(seed)
    w_star = rng.standard_normal(p)
    away = (at_distance(rng, w_star, distances) - w_star) / np.linalg.norm(w_star)
    np.testing.assert_allclose(np.linalg.norm(away, axis=-1), distances, rtol=1e-9)
    np.testing.assert_allclose(away, np.outer(distances, away[0] / distances[0]), atol=1e-9)


def test_a_further_distance_changes_no_other_start():
    w_star = np.arange(1.0, 5.0)
    few, more = (at_distance(np.random.default_rng(3), w_star, r) for r in ([1, 0.5], [1, 0.5, 2]))
    np.testing.assert_array_equal(more[:2], few)


@settings(deadline=None)
@given(seeds, st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_good_starts_are_those_close_enough_at_any_scale(seed, alpha, scale):
    rng = np.random.default_rng(seed)
    w_star = scale * rng.standard_normal(4)
    reach = np.sqrt(1 - alpha**2) * (1 + np.array([-1e-9, 1e-9]))
    assert list(is_good(at_distance(rng, w_star, reach), w_star, alpha)) == [True, False]


def lens_area(alpha):
    """Area of the intersection of two discs of radii a and b, their centres 1 apart."""
    a, b = alpha, np.sqrt(1 - alpha**2)
    # a^2 + b^2 = 1: the circles cross at a right angle. arcsin(a) is arccos(b), exact near b = 1.
    return a**2 * (np.arccos(a) - a * b) + b**2 * (np.arcsin(a) - a * b)


def lens_volume(alpha):
    """Volume of the intersection of two balls of R^3 as of the discs of `lens_area`."""
    a, b = alpha, np.sqrt(1 - alpha**2)
    caps = [(a, a - a**2), (b, b * a**2 / (1 + b))]  # radius and height; the last is b - b^2
    return np.pi * sum(height**2 * (radius - height / 3) for radius, height in caps)


@settings(deadline=None)
@given(st.floats(1e-3, 0.99))
def test_good_probability_is_the_lens_of_two_balls(alpha):
    area, volume = lens_area(alpha), lens_volume(alpha)
    assert good_probability(2, alpha) == pytest.approx(area / (np.pi * alpha**2), abs=1e-9)
    assert good_probability(3, alpha) == pytest.approx(
        volume / (4 / 3 * np.pi * alpha**3), abs=1e-9
    )


@pytest.mark.parametrize("p", [2, 10, 60])
@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.4])
def test_good_probability_is_the_share_of_random_starts(p, alpha):
    n = 20_000
    good = is_good(ball(np.random.default_rng(p), p, alpha, (n,)), np.eye(p)[0], alpha)
    exact = good_probability(p, alpha)
    assert abs(good.mean() - exact) < 4.5 * np.sqrt(exact * (1 - exact) / n)


@settings(deadline=None)
@given(st.integers(2, 2000), st.floats(1e-12, 0.999))
@example(54, 1e-8)  # its square is lost beside 1
def test_bounds_are_in_order_below_the_probability(p, alpha):
    exact = good_probability(p, alpha)
    assert -1e-12 <= exact <= 0.5 + 1e-12
    assert exact >= sharper_bound(p, alpha) - 1e-9
    assert sharper_bound(p, alpha) >= paper_bound(p, alpha)


@settings(deadline=None)
@given(st.integers(2, 200), st.floats(0.01, 0.9), st.floats(0.5, 0.99))
def test_small_balls_and_small_dimensions_are_better(p, alpha, factor):
    assert good_probability(p, factor * alpha) >= good_probability(p, alpha) - 1e-10
    assert good_probability(p, alpha) >= good_probability(p + 1, alpha) - 1e-10


@pytest.mark.parametrize("p", [2, 50])
def test_half_of_a_vanishing_ball_is_good(p):
    for alpha in (1e-6, 1e-9, 1e-14):
        assert good_probability(p, alpha) == pytest.approx(0.5, abs=1e-5)


def test_bounds_are_first_order_in_the_radius():
    # The event loses a slab of height alpha^2 (1 + r^2)/2: the sharper bound, which takes alpha^2,
    # has its slope right up to a factor between 1/2 and 1.
    for p in (2, 3, 10, 100):
        slope = (0.5 - good_probability(p, 1e-5)) / (0.5 - sharper_bound(p, 1e-5))
        assert 0.5 < slope < 1


def test_sharper_bound_loses_what_a_slab_of_the_ball_holds():
    # V_1 / V_2 = 2 / pi, V_2 / V_3 = 3/4, and sqrt(p / (2 pi)) for large p.
    assert sharper_bound(2, 0.1) == pytest.approx(0.5 - 0.1 * 2 / np.pi, rel=1e-12)
    assert sharper_bound(3, 0.1) == pytest.approx(0.5 - 0.1 * 3 / 4, rel=1e-12)
    lost = 0.5 - sharper_bound(np.array([1e6]), 1e-4)
    assert lost / (1e-4 * np.sqrt(1e6 / (2 * np.pi))) == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("p", [2, 10, 100])
def test_paper_bound_is_zero_at_the_largest_radius_that_it_allows(p):
    assert paper_bound(p, np.sqrt(1 / (2 * np.pi * p))) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("fraction", [0.01, 0.5, 1.0])
def test_the_bound_without_its_factor_is_false_from_dimension_twelve_on(fraction):
    for p in (2, 5, 10, 11, 12, 20, 100):
        alpha = fraction * np.sqrt(1 / (2 * np.pi * p))
        assert (good_probability(p, alpha) < unscaled_bound(p, alpha)) == (p >= 12)


def test_the_bound_without_its_factor_is_the_papers_in_one_dimension():
    assert unscaled_bound(1, 0.2) == pytest.approx(paper_bound(1, 0.2), rel=1e-15)
