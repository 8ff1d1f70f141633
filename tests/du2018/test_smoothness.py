import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018.laws import (
    AngularLaw,
    arc_moment,
    cap,
    density,
    mixture,
    patch_band,
    patch_mixture,
    region_arcs,
    sample_patch_angles,
    unit_vectors,
)
from cnntheory.du2018.neuron import convolution_gradient, loss, neuron_gradient
from cnntheory.du2018.smoothness import (
    GAUSSIAN_BETA,
    angular_beta,
    angular_constants,
    angular_moments,
    cross_norm,
    gaussian_constants,
    patch_constants,
    patch_growth,
    patch_moments,
    sample_moments,
)

W_STAR = np.array([1.0, 0.0])
PAIRS = ("pp,pp", "pm,pm", "mp,mp", "pp,pm", "pp,mp", "pm,mp")
MIRROR = np.diag([1.0, -1.0])
NODES = np.pi * np.linspace(0, 1, 9)[1:-1]

seeds = st.integers(0, 2**32 - 1)
sigmas = st.one_of(st.just(np.inf), st.floats(-1.3, 2).map(lambda x: 10.0**x))
patch_sigmas = st.one_of(st.sampled_from([0.0, np.inf]), st.floats(-2, 1).map(lambda x: 10.0**x))
acute = st.floats(1e-3, np.pi / 2)
turns = st.floats(-np.pi, np.pi)
angular_laws = st.one_of(
    st.builds(mixture, sigmas),
    st.builds(cap, st.floats(0.1, np.pi / 2), st.booleans()),
)
patch_laws = st.one_of(
    st.builds(patch_mixture, sigmas, patch_sigmas, st.integers(1, 6)),
    st.builds(patch_band, sigmas, st.floats(0.01, 1), st.integers(1, 6)),
)
LAWS = [
    patch_mixture(0.3, 0.05, 5),
    patch_mixture(1.0, 0.5, 2),
    patch_mixture(np.inf, 1.0, 3),
    patch_mixture(0.5, np.inf, 4),
    patch_band(0.3, 0.2, 5),
    patch_mixture(0.4, 0.3, 1),
]


def at_angle(phi, p):
    """Filter at angle `phi` from e_1 in R^p."""
    return np.cos(phi) * np.eye(p)[0] + np.sin(phi) * np.eye(p)[1]


# --- one neuron ----------------------------------------------------------------------------------


def test_gaussian_constants_start_at_a_half_and_end_at_zero():
    gamma, lipschitz, wrong = gaussian_constants(np.array([0.0, np.pi]))
    np.testing.assert_allclose(gamma, [0.5, 0], atol=1e-15)
    np.testing.assert_allclose(lipschitz, [0.5, 0], atol=1e-15)
    np.testing.assert_allclose(wrong, [0, 0.5], atol=1e-15)


def test_gaussian_constants_are_those_of_a_circle_of_radius_sqrt_two():
    phi = np.linspace(0, np.pi, 50)
    for found, circle in zip(
        gaussian_constants(phi), angular_constants(mixture(np.inf), phi), strict=True
    ):
        np.testing.assert_allclose(found, 2 * circle, atol=1e-14)


@pytest.mark.parametrize("p", [2, 3, 8])
@pytest.mark.parametrize("law", ["gaussian", "sphere"])
def test_gaussian_constants_are_rayleigh_quotients_of_samples(p, law):
    n = 200_000
    z = np.random.default_rng(p).standard_normal((n, p))
    if law == "sphere":
        z /= np.linalg.norm(z, axis=-1, keepdims=True)
    for phi in (0.3, 1.0, 2.5):
        w, w_star = at_angle(phi, p), np.eye(p)[0]
        both = (z @ w > 0) & (z @ w_star > 0)
        wrong = (z @ w > 0) & (z @ w_star < 0)
        minus, plus = (v / np.linalg.norm(v) for v in (w - w_star, w + w_star))
        exact = gaussian_constants(phi)
        for region, along, value in zip(
            (both, both, wrong), (minus, plus, minus), exact, strict=True
        ):
            squares = region * (z @ along) ** 2
            error = squares.mean() - value / (p if law == "sphere" else 1)
            assert abs(error) < 4.5 * squares.std() / np.sqrt(n)


@pytest.mark.parametrize("p", [3, 5])
def test_directions_across_the_plane_of_the_filters_are_not_extreme(p):
    n = 200_000
    z = np.random.default_rng(10 + p).standard_normal((n, p))
    for phi in (0.5, 2.0):
        region = (z @ at_angle(phi, p) > 0) & (z[:, 0] > 0)
        squares = region * z[:, 2] ** 2
        value = (np.pi - phi) / (2 * np.pi)
        gamma, lipschitz, _ = gaussian_constants(phi)
        assert gamma < value < lipschitz
        assert abs(squares.mean() - value) < 4.5 * squares.std() / np.sqrt(n)


def test_gaussian_beta_is_tight():
    phi = np.geomspace(1e-6, np.pi / 2, 1000)
    ratio = gaussian_constants(phi).wrong / phi
    assert (ratio <= GAUSSIAN_BETA * (1 + 1e-12)).all()
    assert ratio.max() == pytest.approx(GAUSSIAN_BETA, rel=1e-9)


@settings(deadline=None)
@given(angular_laws, turns)
def test_angular_moments_make_up_the_half_plane(law, phi):
    both, wrong = angular_moments(law, phi)
    first, last = phi - np.pi / 2, phi + np.pi / 2
    mass = arc_moment(law, first, last, 0).real
    double = arc_moment(law, first, last, 2)
    np.testing.assert_allclose(np.trace(both + wrong), mass, atol=1e-12)
    np.testing.assert_allclose((both + wrong)[0, 0] * 2 - mass, double.real, atol=1e-12)
    np.testing.assert_allclose((both + wrong)[0, 1] * 2, double.imag, atol=1e-12)


@settings(deadline=None)
@given(angular_laws, turns)
def test_angular_moments_are_mirrored_with_the_filter(law, phi):
    for found, mirrored in zip(angular_moments(law, phi), angular_moments(law, -phi), strict=True):
        np.testing.assert_allclose(mirrored, MIRROR @ found @ MIRROR, atol=1e-12)


@settings(deadline=None)
@given(angular_laws, st.lists(st.floats(0, np.pi), min_size=2, max_size=5))
def test_constants_shrink_and_the_wrong_region_grows_with_the_angle(law, phi):
    gamma, lipschitz, wrong = angular_constants(law, np.sort(phi))
    assert (gamma >= -1e-12).all() and (gamma <= lipschitz + 1e-15).all()
    assert (np.diff(gamma) <= 1e-12).all() and (np.diff(lipschitz) <= 1e-12).all()
    assert (np.diff(wrong) >= -1e-12).all() and (wrong >= -1e-12).all()


@settings(deadline=None)
@given(angular_laws)
def test_constants_vanish_at_opposite_filters_and_the_wrong_region_at_equal_ones(law):
    gamma, lipschitz, wrong = angular_constants(law, np.array([0.0, np.pi]))
    np.testing.assert_allclose([gamma[1], lipschitz[1], wrong[0]], 0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(angular_laws)
def test_angular_beta_is_the_least_that_holds(law):
    phi = np.concatenate([np.geomspace(1e-4, np.pi / 2, 3000), np.linspace(0.01, np.pi / 2, 3000)])
    ratio = angular_constants(law, phi).wrong / phi
    beta = angular_beta(law)
    assert ratio.max() == pytest.approx(beta, rel=1e-4)


def test_angular_beta_of_the_circle_is_that_of_the_sphere():
    assert angular_beta(mixture(np.inf)) == pytest.approx(GAUSSIAN_BETA / 2, rel=1e-6)


# --- patches -------------------------------------------------------------------------------------


def dense_patch_moments(law, phi, points=40_000):
    """The same products by the midpoint rule over the base patch, all angles in one density."""
    width = 2 * np.pi / points
    base = -np.pi + width * (np.arange(points) + 0.5)
    weight = density(law.base, base) * width
    weight /= weight.sum()
    k, names = law.k, ("pp", "pm", "mp")
    mean, square = {}, {}
    for name, arc in zip(names, region_arcs(phi), strict=True):
        vector = arc_moment(law.spread, *arc, 1, shift=base)
        mean[name] = np.stack([vector.real, vector.imag], axis=-1)
        mass, double = (weight @ arc_moment(law.spread, *arc, q, shift=base) for q in (0, 2))
        square[name] = 0.5 * (
            mass.real * np.eye(2)
            + np.array([[double.real, double.imag], [double.imag, -double.real]])
        )
    found = {}
    for pair in PAIRS:
        a, b = pair.split(",")
        found[pair] = (k - 1) / k * np.einsum("n,ni,nj->ij", weight, mean[a], mean[b])
        if a == b:
            found[pair] = found[pair] + square[a] / k
    return found


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("phi", [-2.0, 0.02, 0.7, 3.0])
def test_patch_moments_agree_with_a_dense_sum(law, phi):
    found, expected = patch_moments(law, phi), dense_patch_moments(law, phi)
    assert set(found) == set(PAIRS)
    for pair in PAIRS:
        np.testing.assert_allclose(found[pair], expected[pair], atol=1e-7)


@settings(deadline=None, max_examples=30)
@given(patch_laws, turns)
def test_patch_moments_have_converged(law, phi):
    coarse, fine = patch_moments(law, phi), patch_moments(law, phi, nodes=20)
    for pair in PAIRS:
        np.testing.assert_allclose(coarse[pair], fine[pair], atol=1e-8)


# Laws under which no region is so rare that the products' means are not normal.
@pytest.mark.parametrize(
    "law",
    [
        patch_mixture(1.0, 1.5, 2),
        patch_mixture(np.inf, 1.0, 3),
        patch_mixture(0.5, np.inf, 4),
        patch_band(1.0, 1.5, 5),
        patch_mixture(1.0, 0.3, 1),
        patch_mixture(1.0, 0.0, 3),
    ],
)
def test_patch_moments_agree_with_a_sample(law):
    n = 100_000
    z = unit_vectors(sample_patch_angles(law, np.random.default_rng(7), (n,)))
    w = unit_vectors(np.array(0.6))
    on, star = z @ w > 0, z @ W_STAR > 0
    means = {
        name: (region[..., None] * z).mean(axis=1)
        for name, region in (("pp", on & star), ("pm", on & ~star), ("mp", ~on & star))
    }
    exact = patch_moments(law, 0.6)
    for pair in PAIRS:
        products = np.einsum("ni,nj->nij", means[pair[:2]], means[pair[3:]])
        # What cannot occur, such as two regions at once with a single patch, must be zero.
        spread = products.std(axis=0) / np.sqrt(n) + 1e-12
        assert np.abs((products.mean(axis=0) - exact[pair]) / spread).max() < 4.5, pair


@settings(deadline=None, max_examples=30)
@given(patch_laws, turns)
def test_patch_moments_are_mirrored_with_the_filter(law, phi):
    found, mirrored = patch_moments(law, phi), patch_moments(law, -phi)
    for pair in PAIRS:
        np.testing.assert_allclose(mirrored[pair], MIRROR @ found[pair] @ MIRROR, atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(patch_laws, turns)
def test_patch_moments_are_one_semidefinite_matrix(law, phi):
    m = patch_moments(law, phi)
    joint = np.block(
        [
            [m["pp,pp"], m["pp,pm"], m["pp,mp"]],
            [m["pp,pm"].T, m["pm,pm"], m["pm,mp"]],
            [m["pp,mp"].T, m["pm,mp"].T, m["mp,mp"]],
        ]
    )
    np.testing.assert_allclose(joint, joint.T, atol=1e-12)
    assert np.linalg.eigvalsh(joint)[0] >= -1e-8


@settings(deadline=None, max_examples=30)
@given(sigmas, st.integers(1, 6), turns)
def test_patches_that_coincide_are_one_neuron(sigma, patches, phi):
    law = patch_mixture(sigma, 0.0, patches)
    moments = patch_moments(law, phi)
    both, wrong = angular_moments(mixture(sigma), phi)
    np.testing.assert_allclose(moments["pp,pp"], both, atol=1e-14)
    np.testing.assert_allclose(moments["pm,pm"], wrong, atol=1e-14)
    w = 0.7 * unit_vectors(np.array(phi))
    expected = neuron_gradient(w, W_STAR, both, wrong)
    np.testing.assert_allclose(convolution_gradient(w, W_STAR, moments), expected, atol=1e-14)
    assert cross_norm(moments) == 0


def test_patch_moments_are_continuous_where_the_patches_coincide():
    for phi in (0.4, -1.3):
        # Only patches within the spread of an edge differ: the change is of its order.
        near, limit = (patch_moments(patch_mixture(0.6, s, 3), phi) for s in (1e-4, 0.0))
        for pair in PAIRS:
            np.testing.assert_allclose(near[pair], limit[pair], atol=3e-4)


@settings(deadline=None, max_examples=30)
@given(sigmas, st.integers(1, 6), turns)
def test_patches_without_a_common_base_are_independent_and_uniform(sigma, patches, phi):
    moments = patch_moments(patch_mixture(sigma, np.inf, patches), phi)
    circle, uniform = {}, mixture(np.inf)
    for name, arc in zip(("pp", "pm", "mp"), region_arcs(phi), strict=True):
        mean = arc_moment(uniform, *arc, 1)
        circle[name] = np.array([mean.real, mean.imag])
    both, wrong = angular_moments(uniform, phi)
    k = patches
    for pair in PAIRS:
        expected = (k - 1) / k * np.outer(circle[pair[:2]], circle[pair[3:]])
        expected = expected + {"pp,pp": both, "pm,pm": wrong}.get(pair, 0) / k
        if pair != "mp,mp":
            np.testing.assert_allclose(moments[pair], expected, atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(sigmas, patch_sigmas, turns)
def test_a_single_patch_has_no_cross_covariance(sigma, patch_sigma, phi):
    assert cross_norm(patch_moments(patch_mixture(sigma, patch_sigma, 1), phi)) < 1e-12


def test_one_patch_in_the_mixture_of_a_uniform_base_is_uniform():
    phi = np.linspace(0, np.pi, 7)
    found = patch_constants(patch_mixture(np.inf, 0.3, 1), phi)
    for value, circle in zip(found, angular_constants(mixture(np.inf), phi), strict=True):
        np.testing.assert_allclose(value, circle, atol=1e-8)


def test_moments_of_many_angles_are_those_of_each():
    law, phi = patch_mixture(0.5, 0.2, 3), np.array([[0.1, -0.4, 2.0], [1e-3, 3.0, -3.0]])
    together = patch_moments(law, phi)
    for index in np.ndindex(phi.shape):
        for pair, each in patch_moments(law, phi[index]).items():
            np.testing.assert_allclose(together[pair][index], each, atol=1e-14)


@pytest.mark.parametrize("law", LAWS[:5])
def test_growth_constants_are_the_least_that_hold(law):
    phi = np.concatenate([np.geomspace(1e-4, np.pi / 2, 400), np.linspace(0.01, np.pi / 2, 400)])
    moments = patch_moments(law, phi)
    beta, l_cross = patch_growth(law)
    wrong = patch_constants(law, phi).wrong
    assert (wrong / phi).max() == pytest.approx(beta, rel=1e-3)
    assert (cross_norm(moments) / phi).max() == pytest.approx(l_cross, rel=1e-3)
    # The grids only see points below the suprema that they estimate.
    assert (wrong / phi).max() <= beta * (1 + 1e-4)
    assert (cross_norm(moments) / phi).max() <= l_cross * (1 + 1e-4)


def test_patches_that_coincide_have_no_l_cross_and_the_beta_of_their_neuron():
    beta, l_cross = patch_growth(patch_mixture(0.5, 0.0, 5))
    assert l_cross == 0
    assert beta == pytest.approx(angular_beta(mixture(0.5)), rel=1e-12)


def test_cross_norm_adds_largest_singular_values():
    matrices = np.random.default_rng(8).standard_normal((3, 4, 2, 2))
    moments = dict(zip(("pp,pm", "pp,mp", "pm,mp"), matrices, strict=True))
    expected = sum(np.sqrt(np.linalg.eigvalsh(m.swapaxes(-1, -2) @ m)[..., -1]) for m in matrices)
    np.testing.assert_allclose(cross_norm(moments), expected, rtol=1e-12)


# --- samples -------------------------------------------------------------------------------------


@settings(deadline=None)
@given(seeds, st.integers(1, 30), st.integers(1, 5), st.integers(1, 6))
def test_sample_moments_are_loops_over_inputs_and_patches(seed, n, k, p):
    rng = np.random.default_rng(seed)
    w, w_star = rng.standard_normal((2, p))
    z = rng.standard_normal((n, k, p))
    regions = {(True, True): "pp", (True, False): "pm", (False, True): "mp", (False, False): None}
    expected = {pair: np.zeros((p, p)) for pair in PAIRS}
    for one in z:
        mean = {"pp": np.zeros(p), "pm": np.zeros(p), "mp": np.zeros(p)}
        for patch in one:
            name = regions[patch @ w > 0, patch @ w_star > 0]
            if name:
                mean[name] += patch / k
        for pair in PAIRS:
            expected[pair] += np.outer(mean[pair[:2]], mean[pair[3:]]) / n
    for pair, found in sample_moments(w, w_star, z).items():
        np.testing.assert_allclose(found, expected[pair], atol=1e-12)


def test_moments_by_quadrature_make_up_the_loss_of_a_large_sample():
    law, phi, n = patch_mixture(0.5, 0.3, 4), 0.8, 100_000
    w = 0.6 * unit_vectors(np.array(phi))
    weights = {"pp": w - W_STAR, "pm": w, "mp": -W_STAR}
    exact = 0.5 * sum(
        (1 if pair[:2] == pair[3:] else 2) * weights[pair[:2]] @ moment @ weights[pair[3:]]
        for pair, moment in patch_moments(law, phi).items()
    )
    z = unit_vectors(sample_patch_angles(law, np.random.default_rng(11), (n,)))
    values = np.array([loss(w[None], W_STAR[None], part)[0] for part in np.split(z, 100)])
    assert abs(values.mean() - exact) < 4.5 * values.std(ddof=1) / 10


def test_a_law_without_mass_in_the_half_plane_has_no_constants():
    law = AngularLaw(np.inf, (np.pi,), 0.5)
    gamma, lipschitz, _ = angular_constants(law, np.array([0.0, 0.3]))
    np.testing.assert_allclose([gamma, lipschitz], 0, atol=1e-15)
