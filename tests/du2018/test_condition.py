"""The condition of Theorem 3.1 on data: bounds against loops, closed forms and known laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018 import condition
from cnntheory.du2018.condition import check_condition, filters_around, region_moments
from cnntheory.du2018.laws import patch_mixture, sample_patch_angles, unit_vectors
from cnntheory.du2018.neuron import angle
from cnntheory.du2018.smoothness import (
    cross_norm,
    gaussian_constants,
    patch_constants,
    patch_growth,
    patch_moments,
    sample_moments,
)

W_STAR = np.array([[1.0, 0.0]])
seeds = st.integers(0, 2**32 - 1)


def planar(law, n, seed=0):
    """Inputs ``(n, k, 2)`` of a law, with their mirror images: both sides of w* see the same."""
    patches = unit_vectors(sample_patch_angles(law, seed, (n // 2,)))
    return np.concatenate([patches, patches * [1, -1]])


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(1, 30), st.integers(1, 5), st.integers(2, 6), st.booleans())
def test_moments_of_many_filters_are_those_of_each(seed, n, k, p, pixels):
    rng = np.random.default_rng(seed)
    w_star, *filters = rng.standard_normal((4, p))
    patches = rng.standard_normal((n, k, p))
    if pixels:
        patches = rng.integers(0, 256, (n, k, p), dtype=np.uint8)
    found = region_moments(np.array([w_star, *filters]), w_star, patches)
    exact = patches / 255.0 if pixels else patches
    for i, w in enumerate([w_star, *filters]):
        for pair, expected in sample_moments(w, w_star, exact).items():
            np.testing.assert_allclose(found[pair][i], expected, atol=1e-13)


def test_blocks_make_up_the_whole(monkeypatch):
    patches = np.random.default_rng(0).standard_normal((50, 3, 4))
    whole = check_condition(patches)
    monkeypatch.setattr(condition, "_BLOCK", 10_000)
    for name in ("gamma", "lipschitz", "wrong", "cross"):
        np.testing.assert_allclose(
            getattr(check_condition(patches), name), getattr(whole, name), rtol=1e-10, atol=1e-14
        )


def test_filters_lie_at_the_angles_asked_for():
    phi, w_star = np.array([1e-6, 0.3, np.pi / 2, 3.0]), np.eye(5)[2]
    around = filters_around(w_star, phi, 3, np.random.default_rng(1))
    np.testing.assert_allclose(angle(around, w_star), [phi] * 3, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(around, axis=-1), 1)


def test_a_direction_drawn_along_the_filter_is_drawn_again():
    """As with filters from a seed that is given again for the directions."""
    w_star = np.random.default_rng(0).standard_normal(3)
    around = filters_around(w_star / np.linalg.norm(w_star), np.array([0.7]), 2, 0)
    np.testing.assert_allclose(angle(around, w_star), 0.7)


def test_in_the_plane_the_bounds_are_the_constants():
    """There w has two sides only, and the law is the same on both: nothing is left to search."""
    law, phi = patch_mixture(0.5, 0.3, 4), np.linspace(0.1, 1.5, 6)
    found = check_condition(planar(law, 40_000), filters=W_STAR, angles=phi, directions=1)
    exact = patch_constants(law, found.angles)
    for name in ("gamma", "lipschitz", "wrong"):
        np.testing.assert_allclose(getattr(found, name)[0], getattr(exact, name), atol=0.01)
    cross = cross_norm(patch_moments(law, found.angles))
    np.testing.assert_allclose(found.cross[0], cross, atol=0.005)
    assert found.beta[0] == pytest.approx((exact.wrong[1:] / phi).max(), rel=0.05)
    assert found.l_cross[0] == pytest.approx((cross[1:] / phi).max(), rel=0.1)


@pytest.mark.parametrize(("patch_sigma", "status"), [(0.02, "not refuted"), (np.inf, "refuted")])
def test_the_condition_is_refuted_where_the_population_fails_it(patch_sigma, status):
    law = patch_mixture(0.3, patch_sigma, 5)
    gamma, (_, l_cross) = patch_constants(law, np.zeros(1)).gamma[0], patch_growth(law)
    assert (gamma > 6 * l_cross) == (status == "not refuted")
    # From a few degrees on: the closest patches of a sample are closer than any law's mean says.
    angles = np.geomspace(0.02, np.pi / 2, 12)
    found = check_condition(planar(law, 20_000), filters=W_STAR, angles=angles)
    assert found.status == status and found.refuted.tolist() == [status == "refuted"]
    assert found.ratio[0] == pytest.approx(gamma / (6 * l_cross), rel=0.25)


def test_one_patch_has_no_cross_covariance_and_the_constants_of_its_law():
    patches = np.random.default_rng(2).standard_normal((20_000, 1, 3))
    found = check_condition(patches, angles=[0.4, 1.2], directions=2)
    exact = gaussian_constants(found.angles)
    for name in ("gamma", "lipschitz", "wrong"):
        values = getattr(found, name)
        np.testing.assert_allclose(values, [getattr(exact, name)] * 4, atol=0.03)
    assert (found.cross == 0).all() and (found.ratio == np.inf).all()
    assert found.status == "not refuted"


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_more_directions_only_tighten_the_bounds(seed):
    rng = np.random.default_rng(seed)
    patches, w_star = rng.standard_normal((40, 3, 4)), rng.standard_normal((1, 4))
    few, many = (
        check_condition(patches, filters=w_star, directions=d, rng=seed) for d in (2, 9)
    )  # the same first two directions
    assert (many.gamma <= few.gamma + 1e-12).all()
    for name in ("lipschitz", "wrong", "cross", "beta", "l_cross"):
        assert (getattr(many, name) >= getattr(few, name) - 1e-12).all()
    assert (many.ratio <= few.ratio * (1 + 1e-9)).all()


@settings(deadline=None, max_examples=20)
@given(seeds, st.floats(-6, 6))
def test_units_do_not_matter(seed, exponent):
    patches = np.random.default_rng(seed).standard_normal((40, 3, 4))
    found = check_condition(patches)
    other = check_condition(10.0**exponent * patches, filters=7 * found.filters)
    again = check_condition(patches, filters=found.filters)
    np.testing.assert_allclose(other.ratio, again.ratio, rtol=1e-6)
    np.testing.assert_allclose(other.gamma[:, 0], 100.0**exponent * found.gamma[:, 0], rtol=1e-6)


def test_a_degenerate_law_is_refuted_although_nothing_crosses():
    """Fewer inputs than entries: gamma is 0, which rounding must not hide."""
    patches = np.random.default_rng(3).standard_normal((5, 1, 8))
    found = check_condition(patches)
    assert (found.ratio == 0).all() and found.status == "refuted"


def test_filters_are_judged_one_by_one():
    """Half of the inputs have two different patches, both along the border of the second w*."""
    rng = np.random.default_rng(4)
    patches = np.empty((4_000, 2, 2))
    patches[:2_000] = rng.standard_normal((2_000, 1, 2))
    patches[2_000:] = unit_vectors(0.1 * rng.standard_normal((2_000, 2)))
    found = check_condition(patches, filters=np.eye(2), angles=[0.1, 0.5])
    assert found.cross[0].max() == 0 < found.cross[1].max()
    assert found.refuted.tolist() == [False, True] and found.status == "refuted for 1 of 2 filters"
    assert "refuted for 1 of 2" in str(found)


def test_the_text_says_which_side_a_number_bounds():
    patches = np.random.default_rng(5).standard_normal((30, 3, 4))
    found = check_condition(patches)
    lines = {line.split("  ")[1].strip(): line for line in str(found).splitlines() if "  " in line}
    assert "at most" in lines["largest gamma"] and f"{found.ratio.max():.3g}" in str(found)
    assert all("at least" in lines[name] for name in ("6 L_cross", "L", "beta"))
    assert str(found).splitlines()[-1].startswith(f"{found.status}: the theorem promises nothing")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(patches=np.ones((3, 4))), r"patches: expected shape \(n, k, p\), found \(3, 4\)"),
        (dict(patches=np.ones((0, 4, 2))), "patches: expected shape"),
        (dict(patches=np.full((3, 4, 2), np.inf)), "patches: expected finite numbers"),
        (dict(filters=np.ones((1, 3))), r"filters: expected shape \(m, 2\)"),
        (dict(filters=np.ones(2)), r"filters: expected shape \(m, 2\)"),
        (dict(filters=np.zeros((1, 2))), "filters: expected directions"),
        (dict(angles=[0.0]), r"angles: expected numbers between 0 and pi, found \[0.0\]"),
        (dict(angles=[]), "angles: expected"),
        (dict(patches=np.ones((3, 4, 1))), "two entries of a patch or more"),
        (dict(directions=0), "directions: expected at least 1, found 0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_condition(**(dict(patches=np.ones((3, 4, 2))) | arguments))
