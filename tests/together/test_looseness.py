"""The mathematics that the steps of several papers add to the library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018.rates import distance_angle, step_table
from workflow.scripts.du2018.plane import distance, gaussian_problem, mixture_problem
from workflow.scripts.together import collect_looseness as loose

seeds = st.integers(0, 2**32 - 1)


# --- what is proven beside what is needed --------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(seeds, st.sampled_from([0.4, 1.0, 2.5, None]))
def test_the_sufficient_step_just_keeps_the_promise(seed, sigma):
    problem = mixture_problem(sigma) if sigma else gaussian_problem()
    theorem, gamma = step_table(problem.constants, problem.beta, angles=301)
    w = loose.in_ball(np.random.default_rng(seed).normal(size=(20, 2)) * [2.0, 3.0])
    phi = distance_angle(distance(w))
    most = loose.sufficient_step(w, problem.gradient, gamma)
    found = loose.drop(w, problem.gradient, most)
    np.testing.assert_allclose(found, most * gamma(phi) / 2, rtol=1e-7, atol=1e-9)
    for share, side in ((0.9, 1), (1.1, -1)):
        kept = loose.drop(w, problem.gradient, share * most) - share * most * gamma(phi) / 2
        assert (side * kept > 0).all()
    assert (theorem(phi) <= most).all()


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_starts_of_the_search_lie_in_the_ball(x, y):
    far = distance(loose.in_ball(np.array([x, y])))
    assert loose.NEAREST - 1e-12 <= far <= loose.FARTHEST + 1e-12


def test_strict_is_a_large_width_and_a_small_step():
    width = loose.rows("width", "", 3.0, [1.0, 3.5], [0, 1])
    step_size = loose.rows("step", "", -3.0, [-1.0, -3.5], [0, 1], "less")
    assert list(width.looseness) == [2.0, -0.5]
    assert list(step_size.looseness) == [2.0, -0.5]
    assert set(width.data) == {"synthetic"} and set(width.found) == {"sampled"}


def test_of_every_draw_the_case_closest_to_the_theorem_is_kept():
    every = loose.rows("width", "", 3.0, [1.0, 2.0, 2.5, 0.0], [0, 0, 1, 1])
    assert list(loose.least(every).looseness) == [1.0, 0.5]


def test_powers_of_the_width():
    assert loose.power("width", 10, 10, 0.1) == pytest.approx(24 + 12 + 8)
    assert loose.power("width, another account", 10, 10, 0.1) == pytest.approx(60)
    assert -loose.power("radius", 10, 10, 0.1) == pytest.approx(-4.5 - 6 - 1.5)


@given(st.floats(6, 60))
def test_a_width_that_asks_for_its_own_logarithm(log10_width):
    m = loose.with_logarithms(log10_width)
    assert m == pytest.approx(log10_width + 5 * np.log10(m * np.log(10)))
    assert m > log10_width


def test_teachers_have_the_condition_that_they_are_drawn_with():
    rho, kappa, lam, growth = loose.teacher_numbers(3, "squared_relu", 0)
    assert (kappa, lam, growth) == pytest.approx((2.0, 3.0, 4.0))
    assert rho == pytest.approx(4 / np.pi - 1)
    assert loose.teacher_numbers(3, "tanh", 0)[3] == 1


@pytest.mark.parametrize(
    ("smallest", "expected"),
    [([1.0, 0.5, -0.5], 0.15), ([1.0, 0.5, 0.2], 0.2), ([1.0, -1.0], 0.05)],
)
def test_the_radius_ends_where_the_curvature_changes_sign(smallest, expected):
    radii = np.array([0.0, 0.1, 0.2])[: len(smallest)]
    curve = pd.DataFrame({"radius": radii, "smallest": smallest})
    assert loose.edge(curve) == pytest.approx(expected)


def test_enough_samples_are_interpolated_in_their_logarithm():
    table = pd.DataFrame(
        {
            "seed": [0, 0, 0, 1, 1, 1],
            "patches": 2,
            "samples": [10, 100, 1000] * 2,
            "smallest": [0.0, 0.2, 0.8, 0.9, 1.0, 1.0],
            "population": 1.0,
        }
    )
    found = loose.enough(table, 0.5)
    assert found[0, 2] == pytest.approx(10**2.5)
    assert np.isnan(found[1, 2])  # enough already with the fewest tried


def test_the_needed_width_is_the_one_from_which_on_all_fit():
    fits = {0: [False, True, True], 1: [True, False, True], 2: [False] * 3, 3: [True] * 3}
    table = pd.DataFrame(
        [
            dict(seed=s, width=m, converged=ok, samples=20, separation=0.5, data="own")
            for s, oks in fits.items()
            for m, ok in zip((4, 8, 16), oks, strict=True)
        ]
    )
    first, *_ = loose.widths(table, 3)
    assert dict(zip(first.seed, 10**first.log10_needed, strict=True)) == pytest.approx(
        {0: 8, 1: 16, 3: 4}
    )
    assert set(first.data) == {"own"}
