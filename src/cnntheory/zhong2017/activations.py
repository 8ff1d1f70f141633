"""Activations and the scalar expectations that the theory of Zhong et al. is written in.

Every constant is an expectation over one standard normal ``z``. They all reduce to

    alpha_q(s) = E[phi'(s z) z^q],   beta_q(s) = E[phi'(s z)^2 z^q],   gamma_0(s) = E[phi(s z)],

because Stein's identity gives ``gamma_j = s alpha_{j-1} + (j-1) gamma_{j-2}`` and
``m_j = E[phi(s z) He_j(z)] = s E[phi'(s z) He_{j-1}(z)]``. The alphas and betas are closed for the
piecewise homogeneous activations and for ``erf``; ``sigmoid``, ``tanh`` and ``softplus`` use the
trapezoidal rule, which converges exponentially for functions analytic in a strip once its spacing
resolves the distance of the nearest pole, a distance that shrinks like ``1 / s``.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf, expit
from scipy.special import gamma as gamma_function

LEAK = 0.1
"""Slope of ``leaky_relu`` on the negative half-line."""

# phi(z) = positive * z^degree for z > 0 and negative * |z|^degree for z < 0.
_HOMOGENEOUS = {
    "relu": (1, 1.0, 0.0),
    "leaky_relu": (1, 1.0, -LEAK),
    "squared_relu": (2, 1.0, 0.0),
    "linear": (1, 1.0, -1.0),
    "quadratic": (2, 1.0, 1.0),
    "cubic": (3, 1.0, -1.0),
}

# Distance from the real axis to the nearest singularity of phi.
_POLE = {"sigmoid": np.pi, "softplus": np.pi, "tanh": np.pi / 2}

ACTIVATIONS = (*_HOMOGENEOUS, *_POLE, "erf")

# exp(-_RANGE^2 / 2) is 5e-20: what a normal leaves outside is below double precision.
_RANGE = 9.4


def phi(z, activation, derivative=0):
    """Evaluate an activation or one of its first two derivatives.

    Parameters
    ----------
    z : array_like
        Arguments, any shape.
    activation : str
        One of `ACTIVATIONS`. ``erf`` is the one with ``phi'(z) = exp(-z^2)``; ``leaky_relu`` has
        slope `LEAK` on the left.
    derivative : {0, 1, 2}, optional
        Order of the derivative. At the kink of a piecewise activation the left value is returned,
        and the point mass that the second derivative of a ReLU has there is left out.

    Returns
    -------
    ndarray
        Values, the shape of `z`.

    Raises
    ------
    ValueError
        If the activation or the order is unknown.
    """
    check_activation(activation)
    if derivative not in (0, 1, 2):
        raise ValueError(f"derivative: expected 0, 1 or 2, found {derivative!r}")
    z = np.asarray(z, dtype=float)
    if activation in _HOMOGENEOUS:
        return piecewise_power(z, *homogeneous_pieces(activation, derivative))
    if activation == "erf":
        if derivative == 0:
            return np.sqrt(np.pi) / 2 * erf(z)
        return np.exp(-(z**2)) * (1.0 if derivative == 1 else -2.0 * z)
    if activation == "tanh":
        value = np.tanh(z)
        slope = 1 - value**2
        return (value, slope, -2 * value * slope)[derivative]
    if activation == "softplus" and derivative == 0:
        return np.logaddexp(0.0, z)
    value = expit(z)
    slope = value * (1 - value)
    order = derivative - (activation == "softplus")
    return (value, slope, slope * (1 - 2 * value))[order]


def phi_and_slope(z, activation):
    """``phi(z)`` and ``phi'(z)``, sharing the exponential where one follows from the other."""
    if activation == "tanh":
        value = np.tanh(z)
        return value, 1 - value * value
    if activation == "sigmoid":
        value = expit(z)
        return value, value * (1 - value)
    if activation == "squared_relu":
        ramp = np.maximum(z, 0.0)
        return ramp * ramp, 2 * ramp
    return phi(z, activation), phi(z, activation, 1)


def phi_twice(z, activation):
    """``phi(z)``, ``phi'(z)`` and ``phi''(z)``, sharing the exponential where there is one."""
    if activation == "tanh":
        value = np.tanh(z)
        slope = 1 - value * value
        return value, slope, -2 * value * slope
    if activation == "sigmoid":
        value = expit(z)
        slope = value * (1 - value)
        return value, slope, slope * (1 - 2 * value)
    if activation == "erf":
        slope = np.exp(-z * z)
        return phi(z, activation), slope, -2 * z * slope
    return tuple(phi(z, activation, order) for order in (0, 1, 2))


def piecewise_power(z, degree, positive, negative):
    """``positive * z^degree`` on the right of zero and ``negative * |z|^degree`` on the left."""
    if negative == 0:
        if degree == 0:
            return positive * (z > 0)
        ramp = np.maximum(z, 0.0)
        return positive * ramp if degree == 1 else positive * ramp**degree
    power = np.abs(z) ** degree if degree else 1.0
    return np.where(z > 0, positive, negative) * power


def check_activation(activation):
    """Raise ValueError unless `activation` is a known name."""
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation: expected one of {', '.join(ACTIVATIONS)}, found {activation!r}; "
            "pass one of these names"
        )


def homogeneous_pieces(activation, derivative=0):
    """Degree and the two coefficients of a piecewise homogeneous activation's derivative.

    Parameters
    ----------
    activation : str
        An activation.
    derivative : int, optional
        Order of the derivative; a point mass at zero is left out.

    Returns
    -------
    (degree, positive, negative) or None
        ``phi^(derivative)(z)`` is ``positive * z^degree`` for ``z > 0`` and
        ``negative * |z|^degree`` for ``z < 0``; None where the activation has no such form.
    """
    if activation not in _HOMOGENEOUS:
        return None
    degree, positive, negative = _HOMOGENEOUS[activation]
    for _ in range(derivative):
        # d|z|/dz is -1 on the left; a constant differentiates to zero and keeps degree 0.
        degree, positive, negative = max(degree - 1, 0), degree * positive, -degree * negative
    return degree, positive, negative


def trapezoid_nodes(activation, scale):
    """Nodes and standard normal weights of a trapezoidal rule exact at magnitude `scale`.

    The rule's error is ``exp(-2 pi d / h)`` for a pole at distance ``d = pole / scale``, and the
    normal density itself asks for ``h <= 1/4`` (its own error is then ``exp(-2 pi^2 / h^2)``).

    Parameters
    ----------
    activation : str
        ``sigmoid``, ``tanh``, ``softplus`` or ``erf``.
    scale : float
        Largest ``|w|`` that will be evaluated.

    Returns
    -------
    nodes, weights : ndarray, shape (points,)
        ``weights @ f(nodes)`` is ``E[f(z)]``.
    """
    # erf has no pole; along the imaginary axis phi' grows as exp(scale^2 y^2), and 3 / scale is
    # where shifting the contour further stops paying.
    distance = _POLE.get(activation, 3.0) / max(scale, 1e-300)
    spacing = min(0.25, 2 * np.pi * distance / 42)
    half = int(np.ceil(_RANGE / spacing))
    nodes = spacing * np.arange(-half, half + 1)
    return nodes, spacing * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)


def alpha(q, sigma, activation):
    """``alpha_q(sigma) = E[phi'(sigma z) z^q]`` for a standard normal ``z``.

    Parameters
    ----------
    q : int
        Power of ``z``, at least 0.
    sigma : array_like
        Magnitudes, at least 0.
    activation : str
        One of `ACTIVATIONS`.

    Returns
    -------
    ndarray
        One value for each magnitude.

    References
    ----------
    Zhong, Song, Jain, Bartlett & Dhillon, arXiv 1706.03175, the quantities inside ``rho``.
    """
    return _slope_moment(q, sigma, activation, power=1)


def beta(q, sigma, activation):
    """``beta_q(sigma) = E[phi'(sigma z)^2 z^q]``; parameters and source as in `alpha`."""
    return _slope_moment(q, sigma, activation, power=2)


def _slope_moment(q, sigma, activation, power):
    """``E[phi'(sigma z)^power z^q]``."""
    check_activation(activation)
    sigma = _check_magnitude(sigma)
    if activation == "erf":
        even = 0.0 if q % 2 else 2 * _half_moment(q)
        return even * (1 + 2 * power * sigma**2) ** (-(q + 1) / 2)
    pieces = homogeneous_pieces(activation, 1)
    if pieces is not None:
        degree, positive, negative = pieces
        return sigma ** (degree * power) * _two_sided_moment(
            degree * power + q, positive**power, negative**power * (-1) ** q
        )
    nodes, weights = trapezoid_nodes(activation, sigma.max(initial=0.0))
    slopes = phi(sigma[..., None] * nodes, activation, 1)
    return slopes**power @ (weights * nodes**q)


def gamma(j, sigma, activation):
    """``gamma_j(sigma) = E[phi(sigma z) z^j]``; parameters and source as in `alpha`."""
    check_activation(activation)
    sigma = _check_magnitude(sigma)
    if j >= 2:
        step = sigma * alpha(j - 1, sigma, activation)
        return step + (j - 1) * gamma(j - 2, sigma, activation)
    if j == 1:
        return sigma * alpha(0, sigma, activation)
    if activation in _HOMOGENEOUS:
        degree, positive, negative = _HOMOGENEOUS[activation]
        return sigma**degree * _two_sided_moment(degree, positive, negative)
    if activation == "softplus":
        nodes, weights = trapezoid_nodes(activation, sigma.max(initial=0.0))
        return phi(sigma[..., None] * nodes, activation) @ weights
    # tanh and erf are odd, sigmoid is one half plus an odd function.
    return np.full(sigma.shape, 0.5 if activation == "sigmoid" else 0.0)


def hermite_coefficient(j, sigma, activation):
    """``m_j(sigma) = E[phi(sigma z) He_j(z)]``, the weight of one kernel in the moment ``M_j``.

    Parameters
    ----------
    j : {1, 2, 3, 4}
        Order of the moment.
    sigma : array_like
        Magnitudes ``|w|``, at least 0.
    activation : str
        One of `ACTIVATIONS`.

    Returns
    -------
    ndarray
        One value for each magnitude; exactly zero where symmetry makes the moment vanish.

    Raises
    ------
    ValueError
        If the order or the activation is unknown, or a magnitude is negative.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the weights of its moments, there written
    ``m_1 = gamma_1``, ``m_2 = gamma_2 - gamma_0``,
    ``m_3 = gamma_3 - 3 gamma_1``, ``m_4 = gamma_4 + 3 gamma_0 - 6 gamma_2``.
    """
    if j not in (1, 2, 3, 4):
        raise ValueError(f"j: expected 1, 2, 3 or 4, found {j!r}")
    check_activation(activation)
    sigma = _check_magnitude(sigma)
    if j in _VANISHING[activation]:
        return np.zeros(sigma.shape)
    if j == 1:
        return sigma * alpha(0, sigma, activation)
    if j == 2:
        return sigma * alpha(1, sigma, activation)
    if j == 3:
        return sigma * (alpha(2, sigma, activation) - alpha(0, sigma, activation))
    return sigma * (alpha(3, sigma, activation) - 3 * alpha(1, sigma, activation))


# Orders whose moment is zero at every magnitude: by parity, by degree for polynomials, and for
# the ReLU family because phi'' is even (degree 1) or because E[z^4 1] = 3 E[z^2 1] (degree 2).
_VANISHING = {
    "relu": (3,),
    "leaky_relu": (3,),
    "squared_relu": (4,),
    "linear": (2, 3, 4),
    "quadratic": (1, 3, 4),
    "cubic": (2, 4),
    "sigmoid": (2, 4),
    "tanh": (2, 4),
    "erf": (2, 4),
    "softplus": (3,),
}


def moment_orders(activation):
    """Orders ``(j_2, j_3)`` of the moments that carry the subspace and the directions.

    Parameters
    ----------
    activation : str
        One of `ACTIVATIONS`.

    Returns
    -------
    (int, int)
        The smallest order of at least 2, and of at least 3, whose moment does not vanish.

    Raises
    ------
    ValueError
        If the kernels cannot be identified: a linear network shows only the sum of its kernels,
        and an even activation hides their signs (``m_1 = 0``).

    References
    ----------
    Zhong et al., arXiv 1706.03175, the orders that its tensor initialisation uses.
    """
    check_activation(activation)
    vanishing = _VANISHING[activation]
    third = [j for j in (3, 4) if j not in vanishing]
    if not third or 1 in vanishing:
        reason = "is linear" if activation == "linear" else "is even"
        raise ValueError(
            f"activation: expected one whose kernels are identifiable, found {activation!r}, which "
            f"{reason}; use a non-linear activation that is not even, such as 'squared_relu'"
        )
    return min(j for j in (2, 3) if j not in vanishing), third[0]


def rho(activation, sigma, *, return_terms=False):
    """Non-linearity ``rho(sigma)`` that bounds the Hessian at the truth from below.

    Parameters
    ----------
    activation : str
        One of `ACTIVATIONS`.
    sigma : array_like
        Magnitudes, at least 0.
    return_terms : bool, optional
        Also return the three terms whose minimum is taken, and ``alpha_0^2``, which the paper on
        convolutional networks is understood to add and which binds for no activation here but
        ``cubic``.

    Returns
    -------
    ndarray
        ``rho`` at each magnitude.
    ndarray, shape (4, ...), only with `return_terms`
        ``beta_0 - alpha_0^2 - alpha_1^2``, ``beta_2 - alpha_1^2 - alpha_2^2``,
        ``alpha_0 alpha_2 - alpha_1^2`` and, apart, ``alpha_0^2``.

    Raises
    ------
    ValueError
        If the activation is unknown or a magnitude is negative or not finite.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the property of non-linearity.
    """
    a0, a1, a2 = (alpha(q, sigma, activation) for q in (0, 1, 2))
    b0, b2 = (beta(q, sigma, activation) for q in (0, 2))
    terms = np.stack([b0 - a0**2 - a1**2, b2 - a1**2 - a2**2, a0 * a2 - a1**2, a0**2])
    smallest = terms[:3].min(axis=0)
    return (smallest, terms) if return_terms else smallest


def magnitude(first_moment, activation, ceiling):
    """Invert ``m_1``: the magnitudes ``|w|`` with ``m_1(|w|) = first_moment``, clipped.

    Parameters
    ----------
    first_moment : array_like, shape (kernels,)
        Estimates of ``m_1(|w_l|)``, at least 0.
    activation : str
        An activation with an increasing ``m_1``.
    ceiling : float
        Largest magnitude returned. ``m_1`` saturates for bounded activations, so that noise can
        ask for an infinite kernel.

    Returns
    -------
    magnitudes : ndarray, shape (kernels,)
    clipped : ndarray of bool, shape (kernels,)
        Where the ceiling was reached.
    """
    target = np.asarray(first_moment, dtype=float)
    clipped = target >= hermite_coefficient(1, ceiling, activation)
    result = np.full(target.shape, float(ceiling))
    inside = target[~clipped]
    if activation in _HOMOGENEOUS:
        unit = hermite_coefficient(1, 1.0, activation)
        result[~clipped] = (inside / unit) ** (1 / _HOMOGENEOUS[activation][0])
    elif activation == "softplus":
        result[~clipped] = 2 * inside
    elif activation == "erf":
        result[~clipped] = inside / np.sqrt(1 - 2 * inside**2)
    else:
        result[~clipped] = [
            brentq(lambda s, v=v: hermite_coefficient(1, s, activation) - v, 0.0, ceiling)
            for v in inside
        ]
    return result, clipped


def _half_moment(q):
    """``E[z^q 1{z > 0}]`` for a standard normal ``z``."""
    return 2 ** (q / 2 - 1) * gamma_function((q + 1) / 2) / np.sqrt(np.pi)


def _two_sided_moment(q, right, left):
    """``E[|z|^q (right 1{z > 0} + left 1{z < 0})]``."""
    return (right + left) * _half_moment(q)


def _check_magnitude(sigma):
    sigma = np.asarray(sigma, dtype=float)
    if not (np.isfinite(sigma) & (sigma >= 0)).all():
        raise ValueError(
            f"sigma: expected finite magnitudes of at least 0, found {sigma.min()}; "
            "pass norms or singular values"
        )
    return sigma
