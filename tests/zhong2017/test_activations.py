"""Activations and their constants against quadrature, Monte Carlo and finite differences."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from cnntheory.zhong2017 import ACTIVATIONS, moment_orders, phi, rho
from cnntheory.zhong2017.activations import (
    LEAK,
    alpha,
    beta,
    gamma,
    hermite_coefficient,
    magnitude,
    phi_and_slope,
    phi_twice,
)

INCREASING = [a for a in ACTIVATIONS if a not in ("linear", "quadratic")]
MAGNITUDES = (0.05, 1.0, 10.0, 60.0)


def gaussian_mean(function, scale):
    """E[function(z)] by adaptive quadrature, told where the function changes fastest."""
    cuts = sorted({0.0, *(s * c / scale for s in (-1, 1) for c in (1, 5, 20)), -9.5, 9.5, 3, -3})
    cuts = [c for c in cuts if abs(c) <= 9.5]
    weighted = lambda z: function(z) * norm.pdf(z)  # noqa: E731
    return sum(
        quad(weighted, a, b, epsabs=1e-14, epsrel=1e-13, limit=200)[0] for a, b in pairwise(cuts)
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_derivatives_are_finite_differences(activation):
    z = np.array([-7.3, -2.1, -0.4, 0.3, 1.7, 6.2])
    h = 1e-5
    for order in (0, 1):
        difference = phi(z + h, activation, order) - phi(z - h, activation, order)
        np.testing.assert_allclose(
            difference / (2 * h), phi(z, activation, order + 1), rtol=1e-7, atol=1e-8
        )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_shared_evaluation_agrees(activation):
    z = np.linspace(-30, 30, 201)
    for order, found in enumerate(phi_twice(z, activation)):
        np.testing.assert_allclose(found, phi(z, activation, order), rtol=1e-14, atol=1e-15)
    value, slope = phi_and_slope(z, activation)
    np.testing.assert_allclose(value, phi(z, activation), rtol=1e-12)
    np.testing.assert_allclose(slope, phi(z, activation, 1), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("sigma", MAGNITUDES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_constants_against_quadrature(activation, sigma):
    # Polynomial controls grow: what is zero by symmetry is so to rounding of its terms.
    size = max(1.0, abs(phi(sigma, activation)), abs(phi(sigma, activation, 1)))
    for q in range(4):
        expected = gaussian_mean(lambda z, q=q: phi(sigma * z, activation, 1) * z**q, sigma)
        found = alpha(q, sigma, activation)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size)
        expected = gaussian_mean(lambda z, q=q: phi(sigma * z, activation, 1) ** 2 * z**q, sigma)
        found = beta(q, sigma, activation)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size**2)
    for j in range(5):
        expected = gaussian_mean(lambda z, j=j: phi(sigma * z, activation) * z**j, sigma)
        found = gamma(j, sigma, activation)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * size)


@pytest.mark.parametrize("sigma", (0.5, 2.0))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hermite_coefficients_against_monte_carlo(activation, sigma):
    z = np.random.default_rng(1).standard_normal(400_000)
    hermite = (z, z**2 - 1, z**3 - 3 * z, z**4 - 6 * z**2 + 3)
    for j, polynomial in enumerate(hermite, start=1):
        sample = phi(sigma * z, activation) * polynomial
        error = sample.std() / np.sqrt(len(z))
        assert abs(sample.mean() - hermite_coefficient(j, sigma, activation)) < 5 * error


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hermite_coefficients_are_the_published_combinations_of_gamma(activation):
    sigma = np.array([0.1, 1.0, 3.0])
    g = [gamma(j, sigma, activation) for j in range(5)]
    scale = np.abs(g).max(axis=0)
    combinations = (g[1], g[2] - g[0], g[3] - 3 * g[1], g[4] + 3 * g[0] - 6 * g[2])
    for j, expected in enumerate(combinations, start=1):
        found = hermite_coefficient(j, sigma, activation)
        assert (abs(found - expected) < 1e-12 * scale).all()


@pytest.mark.parametrize("activation", INCREASING)
def test_moment_orders_are_the_first_that_do_not_vanish(activation):
    g = [gamma(j, 1.3, activation) for j in range(5)]
    m = {2: g[2] - g[0], 3: g[3] - 3 * g[1], 4: g[4] + 3 * g[0] - 6 * g[2]}
    alive = [j for j in m if abs(m[j]) > 1e-10]
    assert moment_orders(activation) == (alive[0], next(j for j in alive if j > 2))


@pytest.mark.parametrize(("activation", "reason"), [("linear", "linear"), ("quadratic", "even")])
def test_unidentifiable_activations_are_refused(activation, reason):
    with pytest.raises(ValueError, match=f"activation: .*is {reason}"):
        moment_orders(activation)


def test_rho_closed_forms():
    sigma = np.array([0.1, 1.0, 10.0])
    relu = 1 / 4 - 1 / (2 * np.pi)
    np.testing.assert_allclose(rho("relu", sigma), relu, rtol=1e-12)
    np.testing.assert_allclose(rho("leaky_relu", sigma), (1 - LEAK) ** 2 * relu, rtol=1e-12)
    np.testing.assert_allclose(rho("squared_relu", sigma), (4 / np.pi - 1) * sigma**2, rtol=1e-12)
    np.testing.assert_allclose(rho("linear", sigma), 0, atol=1e-14)
    np.testing.assert_allclose(rho("quadratic", sigma), -4 * sigma**2, rtol=1e-12)
    np.testing.assert_allclose(rho("cubic", sigma), 18 * sigma**4, rtol=1e-12)
    a, b = 4 * sigma**2 + 1, 2 * sigma**2 + 1
    terms = rho("erf", sigma, return_terms=True)[1]
    np.testing.assert_allclose(terms[:3], [a**-0.5 - 1 / b, a**-1.5 - b**-3, b**-2], rtol=1e-9)


@settings(deadline=None)
@given(st.sampled_from(["relu", "leaky_relu", "sigmoid", "tanh", "erf"]), st.floats(0.05, 30))
def test_rho_is_positive_and_never_bound_by_the_fourth_term(activation, sigma):
    smallest, terms = rho(activation, sigma, return_terms=True)
    assert smallest > 0
    assert terms[3] >= smallest


@settings(deadline=None)
@given(st.sampled_from(INCREASING), st.floats(0.01, 8.0))
def test_magnitude_inverts_the_first_moment(activation, sigma):
    found, clipped = magnitude(hermite_coefficient(1, [sigma], activation), activation, 10.0)
    assert found[0] == pytest.approx(sigma, rel=1e-7)
    assert not clipped[0]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "erf", "relu"])
def test_magnitude_beyond_saturation_is_clipped(activation):
    found, clipped = magnitude(np.array([0.01, 9.0]), activation, 10.0)
    np.testing.assert_array_equal(clipped, [False, True])
    assert found[1] == 10.0
    assert found[0] < 1


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"activation: expected one of relu.*found 'swish'"):
        phi(0.0, "swish")
    with pytest.raises(ValueError, match="derivative"):
        phi(0.0, "relu", 3)
    with pytest.raises(ValueError, match="sigma"):
        rho("relu", -1.0)
    with pytest.raises(ValueError, match="j: expected"):
        hermite_coefficient(5, 1.0, "relu")
