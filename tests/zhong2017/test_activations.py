"""Activations and their constants against quadrature, Monte Carlo and finite differences."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    Analytic,
    Homogeneous,
    as_activation,
    draw_teacher,
    empirical_hessian,
    network_output,
    population_hessian,
    recovery_error,
    series_hessian,
    tensor_initialise,
)

ALL = list(ACTIVATIONS.values())
INCREASING = [phi for phi in ALL if phi.name not in ("linear", "quadratic")]
MAGNITUDES = (0.05, 1.0, 10.0, 60.0)


def gaussian_mean(function, scale):
    """E[function(z)] by adaptive quadrature, told where the function changes fastest."""
    cuts = sorted({0.0, *(s * c / scale for s in (-1, 1) for c in (1, 5, 20)), -9.5, 9.5, 3, -3})
    cuts = [c for c in cuts if abs(c) <= 9.5]
    weighted = lambda z: function(z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    return sum(
        quad(weighted, a, b, epsabs=1e-14, epsrel=1e-13, limit=200)[0] for a, b in pairwise(cuts)
    )


def name(activation):
    return activation.name


each = pytest.mark.parametrize("phi", ALL, ids=name)


@each
def test_derivatives_are_finite_differences(phi):
    z = np.array([-7.3, -2.1, -0.4, 0.3, 1.7, 6.2])
    h = 1e-5
    for order in (0, 1):
        difference = phi(z + h, order) - phi(z - h, order)
        np.testing.assert_allclose(difference / (2 * h), phi(z, order + 1), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "erf"])
def test_many_numbers_are_what_few_are(activation):
    # From some thousand on other loops go over the elements.
    phi = ACTIVATIONS[activation]
    z = np.concatenate([np.linspace(-40, 40, 4001), np.geomspace(1e-12, 1, 4000)])
    z.flags.writeable = False
    few = [phi.jet(some) for some in np.array_split(z, 50)]
    for found, parts in zip(phi.jet(z), zip(*few, strict=True), strict=True):
        np.testing.assert_allclose(found, np.concatenate(parts), rtol=1e-14, atol=1e-15)
    backwards = phi(np.stack([z, z])[:, ::-2])
    np.testing.assert_allclose(backwards, np.stack([phi(z[::-2])] * 2), rtol=1e-14)


@each
def test_what_is_called_smooth_has_no_jump_in_its_slope(phi):
    jump = abs(phi(1e-9, 1) - phi(-1e-9, 1))
    assert phi.smooth == (jump < 1e-8)


@pytest.mark.parametrize("sigma", MAGNITUDES)
@each
def test_constants_against_quadrature(phi, sigma):
    # Polynomial controls grow: what is zero by symmetry is so to rounding of its terms.
    size = max(1.0, abs(phi(sigma)), abs(phi(sigma, 1)))
    for q in range(4):
        expected = gaussian_mean(lambda z, q=q: phi(sigma * z, 1) * z**q, sigma)
        found = phi.alpha(q, sigma)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size)
        expected = gaussian_mean(lambda z, q=q: phi(sigma * z, 1) ** 2 * z**q, sigma)
        found = phi.beta(q, sigma)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size**2)
    for j in range(5):
        expected = gaussian_mean(lambda z, j=j: phi(sigma * z) * z**j, sigma)
        found = phi.gamma(j, sigma)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size)


@pytest.mark.parametrize("sigma", (0.5, 2.0))
@each
def test_hermite_coefficients_against_monte_carlo(phi, sigma):
    z = np.random.default_rng(1).standard_normal(400_000)
    hermite = (z, z**2 - 1, z**3 - 3 * z, z**4 - 6 * z**2 + 3)
    for j, polynomial in enumerate(hermite, start=1):
        sample = phi(sigma * z) * polynomial
        error = sample.std() / np.sqrt(len(z))
        assert abs(sample.mean() - phi.hermite(j, sigma)) < 5 * error


@each
def test_hermite_coefficients_are_the_published_combinations_of_gamma(phi):
    sigma = np.array([0.1, 1.0, 3.0])
    g = [phi.gamma(j, sigma) for j in range(5)]
    scale = np.abs(g).max(axis=0)
    combinations = (g[1], g[2] - g[0], g[3] - 3 * g[1], g[4] + 3 * g[0] - 6 * g[2])
    for j, expected in enumerate(combinations, start=1):
        found = phi.hermite(j, sigma)
        assert (abs(found - expected) < 1e-12 * scale).all()


@pytest.mark.parametrize(
    ("activation", "orders"),
    [
        ("relu", (3,)),
        ("leaky_relu", (3,)),
        ("squared_relu", (4,)),
        ("linear", (2, 3, 4)),
        ("quadratic", (1, 3, 4)),
        ("cubic", (2, 4)),
        ("sigmoid", (2, 4)),
        ("softplus", (3,)),
        ("tanh", (2, 4)),
        ("erf", (2, 4)),
    ],
)
def test_moments_that_vanish_are_those_of_parity_and_degree(activation, orders):
    # Of the ReLU family because phi'' is even, of its square because E[z^4] = 3 E[z^2].
    phi = ACTIVATIONS[activation]
    assert phi.vanishing == orders
    for j in orders:
        assert phi.hermite(j, 2.5) == 0.0


@pytest.mark.parametrize("phi", INCREASING, ids=name)
def test_orders_are_the_first_that_do_not_vanish(phi):
    g = [phi.gamma(j, 1.3) for j in range(5)]
    m = {2: g[2] - g[0], 3: g[3] - 3 * g[1], 4: g[4] + 3 * g[0] - 6 * g[2]}
    alive = [j for j in m if abs(m[j]) > 1e-10]
    assert phi.orders == (alive[0], next(j for j in alive if j > 2))


@pytest.mark.parametrize(("activation", "reason"), [("linear", "linear"), ("quadratic", "even")])
def test_unidentifiable_activations_are_refused(activation, reason):
    with pytest.raises(ValueError, match=f"activation: .*is {reason}"):
        _ = ACTIVATIONS[activation].orders


def test_rho_closed_forms():
    sigma = np.array([0.1, 1.0, 10.0])
    rho = {name: phi.rho(sigma) for name, phi in ACTIVATIONS.items()}
    relu = 1 / 4 - 1 / (2 * np.pi)
    np.testing.assert_allclose(rho["relu"], relu, rtol=1e-12)
    np.testing.assert_allclose(rho["leaky_relu"], 0.9**2 * relu, rtol=1e-12)
    np.testing.assert_allclose(rho["squared_relu"], (4 / np.pi - 1) * sigma**2, rtol=1e-12)
    np.testing.assert_allclose(rho["linear"], 0, atol=1e-14)
    np.testing.assert_allclose(rho["quadratic"], -4 * sigma**2, rtol=1e-12)
    np.testing.assert_allclose(rho["cubic"], 18 * sigma**4, rtol=1e-12)
    a, b = 4 * sigma**2 + 1, 2 * sigma**2 + 1
    terms = ACTIVATIONS["erf"].rho_terms(sigma)
    np.testing.assert_allclose(terms[:3], [a**-0.5 - 1 / b, a**-1.5 - b**-3, b**-2], rtol=1e-9)


@settings(deadline=None)
@given(st.sampled_from(["relu", "leaky_relu", "sigmoid", "tanh", "erf"]), st.floats(0.05, 30))
def test_rho_is_positive_and_never_bound_by_the_fourth_term(activation, sigma):
    phi = ACTIVATIONS[activation]
    assert 0 < phi.rho(sigma) <= phi.rho_terms(sigma)[3]


@settings(deadline=None)
@given(st.sampled_from(INCREASING), st.floats(0.01, 8.0))
def test_magnitude_inverts_the_first_moment(phi, sigma):
    found, clipped = phi.magnitude(phi.hermite(1, [sigma]), 10.0)
    assert found[0] == pytest.approx(sigma, rel=1e-7)
    assert not clipped[0]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "erf", "relu"])
def test_magnitude_beyond_saturation_is_clipped(activation):
    found, clipped = ACTIVATIONS[activation].magnitude(np.array([0.01, 9.0]), 10.0)
    np.testing.assert_array_equal(clipped, [False, True])
    assert found[1] == 10.0
    assert found[0] < 1


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"activation: expected one of relu.*found 'swish'"):
        as_activation("swish")
    with pytest.raises(ValueError, match=r"activation: expected one of relu.*found \['tanh'\]"):
        as_activation(["tanh"])
    relu = as_activation("relu")
    assert as_activation(relu) is relu
    with pytest.raises(ValueError, match="derivative"):
        relu(0.0, 3)
    with pytest.raises(ValueError, match="sigma"):
        relu.rho(-1.0)
    with pytest.raises(ValueError, match="j: expected"):
        relu.hermite(5, 1.0)


class Arctan(Analytic):
    """An activation that a user brings: three lines."""

    def derivatives(self, z):
        yield np.arctan(z)
        yield 1 / (1 + z**2)
        yield -2 * z / (1 + z**2) ** 2


@pytest.mark.parametrize(
    "phi",
    [Arctan("arctan", pole=1.0, mean=0.0), Homogeneous("steep", 1, 2.0, 0.5)],
    ids=name,
)
def test_an_activation_of_ones_own_goes_all_the_way(phi):
    rng = np.random.default_rng(0)
    teacher = draw_teacher(2, 4, rng=rng)
    patches = rng.standard_normal((150_000, 2, 4))
    y = network_output(teacher, patches, phi)
    assert recovery_error(tensor_initialise(patches, y, 2, phi).filters, teacher).largest < 0.1
    filters = teacher + 0.1 * rng.standard_normal(teacher.shape)
    exact = population_hessian(filters, phi, 2, teacher)
    sample = empirical_hessian(filters, patches, phi, y)
    assert np.linalg.norm(exact - sample, 2) < 0.03 * np.linalg.norm(exact, 2)
    series = series_hessian(filters, phi, 2, teacher)
    np.testing.assert_allclose(series, exact, atol=1e-3 * abs(exact).max())
