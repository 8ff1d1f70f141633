from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from cnntheory.du2018.laws import (
    AngularLaw,
    arc_moment,
    arc_second_moment,
    cap,
    density,
    mixture,
    patch_band,
    patch_mixture,
    region_arcs,
    sample_angles,
    sample_patch_angles,
    unit_vectors,
)

ORDERS = (0, 1, 2)
LAWS = [
    mixture(0.2),
    mixture(1.0),
    mixture(np.inf),
    cap(0.5),
    cap(1.2, two_sided=False),
    AngularLaw(0.7, (0.0,), np.pi),
    AngularLaw(0.4, (np.pi,), 0.9),
]

sigmas = st.one_of(st.just(np.inf), st.floats(-2, 3).map(lambda x: 10.0**x))
laws = st.builds(
    AngularLaw,
    sigmas,
    st.sampled_from([(0.0,), (np.pi,), (0.0, np.pi)]),
    st.floats(0.05, np.pi),
)
angles = st.floats(-2 * np.pi, 2 * np.pi)
orders = st.sampled_from(ORDERS)


@st.composite
def arcs(draw):
    """Ends in order, at most one turn apart."""
    first = draw(angles)
    return first, first + draw(st.floats(0, 2 * np.pi))


def quadrature(law, first, last, order):
    """The arc moment by Gauss-Legendre panels between the cuts of the density."""
    cuts = [first, last]
    for centre in law.centres:
        for turn in range(-3, 4):
            at = centre + 2 * np.pi * turn
            cuts += [at - law.half_width, at + law.half_width]
            if law.sigma < law.half_width:
                reach = law.sigma * np.arange(0.5, 9)
                cuts += [at, *(at + reach), *(at - reach)]
    cuts = np.unique(np.clip(cuts, first, last))
    panels = [np.linspace(a, b, 5)[:-1] for a, b in pairwise(cuts)]
    panels = np.concatenate([*panels, [last]])
    x, weight = np.polynomial.legendre.leggauss(12)
    half = np.diff(panels)[:, None] / 2
    at = panels[:-1, None] + half * (1 + x)
    return (half * weight * density(law, at) * np.exp(1j * order * at)).sum()


@settings(deadline=None, max_examples=60)
@given(laws, arcs(), orders)
def test_arc_moments_are_integrals_of_the_density(law, arc, order):
    assert arc_moment(law, *arc, order) == pytest.approx(quadrature(law, *arc, order), abs=1e-9)


@settings(deadline=None)
@given(laws, angles)
def test_any_full_turn_has_mass_one(law, first):
    assert arc_moment(law, first, first + 2 * np.pi, 0) == pytest.approx(1, abs=1e-12)


@settings(deadline=None)
@given(laws, arcs(), st.floats(0, 1), orders)
def test_arc_moments_add_over_adjacent_arcs(law, arc, fraction, order):
    first, last = arc
    middle = first + fraction * (last - first)
    parts = arc_moment(law, first, middle, order) + arc_moment(law, middle, last, order)
    assert arc_moment(law, first, last, order) == pytest.approx(parts, abs=1e-12)


@settings(deadline=None)
@given(laws, arcs(), st.sampled_from([-2, -1, 1, 2]), orders)
def test_arc_moments_are_periodic(law, arc, turns, order):
    turned = arc_moment(law, arc[0] + 2 * np.pi * turns, arc[1] + 2 * np.pi * turns, order)
    assert arc_moment(law, *arc, order) == pytest.approx(turned, abs=1e-9)


@settings(deadline=None)
@given(laws, arcs(), angles, orders)
def test_rotating_law_and_arc_together_turns_the_moment(law, arc, shift, order):
    turned = arc_moment(law, arc[0] + shift, arc[1] + shift, order, shift=shift)
    expected = np.exp(1j * order * shift) * arc_moment(law, *arc, order)
    assert turned == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(laws, arcs(), orders)
def test_laws_are_symmetric_about_the_teacher(law, arc, order):
    mirrored = arc_moment(law, -arc[1], -arc[0], order)
    assert mirrored == pytest.approx(np.conj(arc_moment(law, *arc, order)), abs=1e-9)


@settings(deadline=None)
@given(sigmas, arcs(), orders)
def test_two_sided_laws_look_alike_from_w_star_and_its_opposite(sigma, arc, order):
    opposite = arc_moment(mixture(sigma), arc[0] + np.pi, arc[1] + np.pi, order)
    expected = (-1) ** order * arc_moment(mixture(sigma), *arc, order)
    assert opposite == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(laws, arcs())
def test_arc_second_moments_are_semidefinite_with_the_mass_as_trace(law, arc):
    matrix = arc_second_moment(law, *arc)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-12
    assert np.trace(matrix) == pytest.approx(arc_moment(law, *arc, 0).real, abs=1e-12)


@settings(deadline=None)
@given(arcs(), orders)
def test_wide_normals_tend_to_the_uniform_law(arc, order):
    wide, uniform = (arc_moment(mixture(sigma), *arc, order) for sigma in (1e5, np.inf))
    # On +-pi/2 the density differs from uniform by at most (pi/2)^2 / (2 sigma^2), relatively.
    assert wide == pytest.approx(uniform, abs=1e-9)


def test_narrow_normals_have_the_moments_of_their_centres():
    law, eps = mixture(1e-4), 1e-2
    for order in ORDERS:
        near = arc_moment(law, np.array([-eps, np.pi - eps]), np.array([eps, np.pi + eps]), order)
        np.testing.assert_allclose(near, [0.5, 0.5 * (-1) ** order], atol=1e-7)


@pytest.mark.parametrize("law", LAWS)
def test_moments_of_arrays_are_those_of_their_entries(law):
    first = np.linspace(-3, 2, 6)[:, None]
    last, shift = first + np.linspace(0, 6, 4), np.linspace(-2, 2, 4)
    found = arc_moment(law, first, last, 2, shift=shift)
    for i, j in np.ndindex(found.shape):
        one = arc_moment(law, first[i, 0], last[i, j], 2, shift=shift[j])
        assert found[i, j] == pytest.approx(one, abs=1e-14)


def test_density_of_a_uniform_law_is_flat_also_where_its_components_meet():
    at = np.concatenate([np.linspace(-np.pi, np.pi, 1000), [-np.pi / 2, np.pi / 2, 3 * np.pi / 2]])
    np.testing.assert_allclose(density(mixture(np.inf), at), 1 / (2 * np.pi), rtol=1e-14)


@settings(deadline=None)
@given(laws, angles)
def test_density_is_periodic_and_not_negative(law, at):
    value = density(law, at)
    assert value >= 0
    shifted = density(law, at + 2 * np.pi)
    edge = min(
        abs(abs((at - c + np.pi) % (2 * np.pi) - np.pi) - law.half_width) for c in law.centres
    )
    # Rounding decides on which side of a cut an angle lies that is that close to it.
    assert edge < 1e-9 or shifted == pytest.approx(value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_samples_follow_the_arc_masses(law):
    found = sample_angles(law, np.random.default_rng(0), (20_000,))
    start = min(law.centres) - law.half_width
    found = start + np.mod(found - start, 2 * np.pi)
    test = kstest(found, lambda t: arc_moment(law, start, t, 0).real)
    assert test.pvalue > 1e-3


@pytest.mark.parametrize("law", LAWS)
def test_samples_stay_inside_the_truncation(law):
    found = sample_angles(law, np.random.default_rng(1), (5000,))
    away = np.min([np.abs(found - centre) for centre in law.centres], axis=0)
    assert away.max() <= law.half_width * (1 + 1e-12)


def test_levels_of_sigma_share_their_randomness():
    drawn = [
        sample_patch_angles(patch_mixture(1.0, sigma, 3), np.random.default_rng(2), (500,))
        for sigma in (0.1, 1.0, np.inf, 0.0)
    ]
    offsets = [found - drawn[-1] for found in drawn[:-1]]
    for offset in offsets[1:]:
        np.testing.assert_array_equal(np.argsort(offset.ravel()), np.argsort(offsets[0].ravel()))


def test_patches_coincide_without_spread():
    found = sample_patch_angles(patch_mixture(0.5, 0.0, 4), np.random.default_rng(3), (7, 100))
    assert found.shape == (7, 100, 4)
    np.testing.assert_array_equal(found, found[..., :1] + np.zeros(4))
    assert len(np.unique(found[..., 0])) == 700


def test_patches_of_a_band_stay_within_it():
    found = sample_patch_angles(patch_band(0.5, 0.05, 6), np.random.default_rng(4), (1000,))
    spread = np.ptp(found, axis=-1)
    assert 0.05 < spread.max() <= 0.1


def test_sigma_zero_draws_only_the_centres():
    found = sample_angles(mixture(0.0), np.random.default_rng(5), (1000,))
    assert set(found) == {0.0, np.pi}


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_unit_vectors_have_the_given_angle_to_the_teacher(dimension, seed):
    rng = np.random.default_rng(seed)
    at = rng.uniform(-np.pi, np.pi, (3, 4))
    z = unit_vectors(at, dimension, rng)
    assert z.shape == (3, 4, dimension)
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(z[..., 0], np.cos(at), atol=1e-15)


def test_beyond_the_plane_the_direction_across_the_teacher_is_uniform():
    n, p = 40_000, 5
    rng = np.random.default_rng(6)
    across = unit_vectors(np.full(n, np.pi / 2), p, rng)[:, 1:]
    # E u = 0, E u u^T = I / (p - 1); the variances of u_1 and u_1^2 on the sphere of R^q are 1/q
    # and 2 (q - 1) / (q^2 (q + 2)).
    q = p - 1
    assert np.abs(across.mean(axis=0)).max() < 4.5 / np.sqrt(q * n)
    spread = np.sqrt(2 * (q - 1) / (q**2 * (q + 2)) / n)
    assert np.abs((across**2).mean(axis=0) - 1 / q).max() < 4.5 * spread


@settings(deadline=None)
@given(st.floats(-np.pi, np.pi), st.floats(-np.pi, np.pi))
def test_regions_are_where_the_filters_are_active(phi, at):
    z, w, w_star = (unit_vectors(np.array(a)) for a in (at, phi, 0.0))
    on, star = z @ w, z @ w_star
    if min(abs(on), abs(star)) < 1e-9:
        return
    inside = []
    for first, last in region_arcs(phi):
        start = first + np.mod(at - first, 2 * np.pi)
        inside.append(start < last)
    expected = [on > 0 and star > 0, on > 0 and star < 0, on < 0 and star > 0]
    assert inside == expected


@settings(deadline=None)
@given(laws, st.floats(-np.pi, np.pi), orders)
def test_regions_make_up_the_half_planes(law, phi, order):
    both, wrong, missed = (arc_moment(law, *arc, order) for arc in region_arcs(phi))
    half = [arc_moment(law, at - np.pi / 2, at + np.pi / 2, order) for at in (phi, 0.0)]
    assert both + wrong == pytest.approx(half[0], abs=1e-9)
    assert both + missed == pytest.approx(half[1], abs=1e-9)
