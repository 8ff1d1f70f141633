"""Laws of unit-norm inputs in the plane, with closed-form moments on arcs.

Angles are radians throughout. Du, Lee & Tian train on inputs whose signed angle to the teacher w*
is a mixture of truncated normals. In the plane (p = 2) every population quantity of the paper is a
moment of such a law on an arc, and those have closed forms through the Faddeeva function.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import erf, ndtr, ndtri, wofz


class AngularLaw(NamedTuple):
    """Equal mixture of normals on the circle, each truncated to ``centre +- half_width``.

    Attributes
    ----------
    sigma : float
        Standard deviation of the normal before truncation, in radians; ``inf`` is uniform. At 0
        the law can be sampled, but has no density and no arc moments.
    centres : tuple of float
        Centres of the components, in radians from w*: 0, pi or both, so that the law is symmetric
        about w* and filters on either side of it see the same.
    half_width : float
        Where each component is cut, in radians, at most pi.
    """

    sigma: float
    centres: tuple = (0.0, np.pi)
    half_width: float = np.pi / 2


class PatchLaw(NamedTuple):
    """Law of k unit-norm patches, each at a random angle from one common base patch (Figure 3b).

    Attributes
    ----------
    base : AngularLaw
        Law of the base patch's signed angle to w*.
    spread : AngularLaw
        Law of a patch's signed angle to the base patch.
    k : int
        Number of patches.
    """

    base: AngularLaw
    spread: AngularLaw
    k: int


def patch_mixture(sigma, patch_sigma, k):
    """Law of Figure 3b: base patch from `mixture`, patches at N(0, sigma_2) truncated to +-pi.

    Parameters
    ----------
    sigma : float
        Of the base patch's law.
    patch_sigma : float
        sigma_2, in radians; 0 makes all patches equal, inf makes them independent.
    k : int
        Number of patches.
    """
    return PatchLaw(mixture(sigma), AngularLaw(patch_sigma, (0.0,), np.pi), k)


def patch_band(sigma, half_width, k):
    """k patches at uniform angles within `half_width` of the base patch, radians (Theorem 3.3)."""
    return PatchLaw(mixture(sigma), AngularLaw(np.inf, (0.0,), half_width), k)


def mixture(sigma):
    """Law of Figure 3a: N(0, sigma) truncated to +-pi/2 around w* and, as often, around -w*.

    ``sigma = inf`` is the uniform law on the circle.
    """
    return AngularLaw(sigma)


def cap(half_width, two_sided=True):
    """Uniform law on the cap of `half_width` radians around w*, and around -w* if `two_sided`."""
    return AngularLaw(np.inf, (0.0, np.pi) if two_sided else (0.0,), half_width)


def sample_angles(law, rng, size):
    """Draw signed angles to w*.

    Parameters
    ----------
    law : AngularLaw
    rng : numpy.random.Generator or seed
    size : tuple of int

    Returns
    -------
    ndarray of shape `size`, in radians; not wrapped to one period.
    """
    rng = np.random.default_rng(rng)
    centre = np.asarray(law.centres)[rng.integers(len(law.centres), size=size)]
    return centre + _truncated_normal(rng, law.sigma, law.half_width, size)


def sample_patch_angles(law, rng, size):
    """Draw the k patches of each input: signed angles to w*, ``(*size, k)``, in radians.

    Parameters
    ----------
    law : PatchLaw
    rng : numpy.random.Generator or seed
    size : tuple of int
    """
    rng = np.random.default_rng(rng)
    centre = sample_angles(law.base, rng, size)[..., None]
    return centre + sample_angles(law.spread, rng, (*size, law.k))


def unit_vectors(angles, dimension=2, rng=None):
    """Unit vectors at the given signed angles to w* = e_1.

    Parameters
    ----------
    angles : (...) array
        Radians.
    dimension : int
        p. Beyond the plane the direction orthogonal to w* is uniform.
    rng : numpy.random.Generator or seed, optional
        Source of that direction.

    Returns
    -------
    (..., p) ndarray
    """
    if dimension == 2:
        return np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    across = np.random.default_rng(rng).standard_normal((*np.shape(angles), dimension - 1))
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    return np.concatenate([np.cos(angles)[..., None], np.sin(angles)[..., None] * across], axis=-1)


def density(law, angles):
    """Density of the law at signed angles to w*, per radian."""
    angles = np.asarray(angles, dtype=float)
    total = np.zeros(angles.shape)
    for centre in law.centres:
        u = _wrap(angles - centre)
        if np.isinf(law.sigma):
            peak = np.full(u.shape, 0.5 / law.half_width)
        else:
            scale = law.sigma * np.sqrt(2 * np.pi) * erf(law.half_width / law.sigma / np.sqrt(2))
            peak = np.exp(-0.5 * (u / law.sigma) ** 2) / scale
        # Half-open: where two components meet, one of them counts.
        total += np.where((u >= -law.half_width) & (u < law.half_width), peak, 0.0)
    return total / len(law.centres)


def arc_moment(law, first, last, order, shift=0.0):
    """``E[exp(i * order * angle) 1{angle in [first, last]}]`` in closed form.

    Parameters
    ----------
    law : AngularLaw
    first, last : array
        Ends of the arcs in radians, ``first <= last <= first + 2 pi``.
    order : int
        0 gives the mass, 1 the mean vector as a complex number, 2 the second moments.
    shift : array
        Rotation of the law, in radians; broadcast against the ends.

    Returns
    -------
    ndarray
        Complex unless the order is 0.

    Notes
    -----
    Completing the square turns the integral of ``exp(i q t)`` against a normal density into a
    complex error function; it is evaluated through the Faddeeva function, which neither overflows
    nor cancels for large sigma.
    """
    return moment_up_to(law, last, order, shift) - moment_up_to(law, first, order, shift)


def moment_up_to(law, end, order, shift=0.0):
    """`arc_moment` from a start that only the law, the order and the shift determine.

    The difference of two is the moment of the arc between them: for arcs with common ends.

    Parameters
    ----------
    law : AngularLaw
    end : array
        Ends in radians.
    order, shift
        As for `arc_moment`.

    Returns
    -------
    ndarray
        Of the shape of `end` and `shift` broadcast; complex unless the order is 0.
    """
    total = 0.0
    for centre in law.centres:
        at = centre + np.asarray(shift)
        piece = _cumulative(law, end - at, order)
        total = total + (np.exp(1j * order * at) * piece if order else piece)
    return total / len(law.centres)


def arc_second_moment(law, first, last):
    """``E[z z^T 1{angle in [first, last]}]`` of the unit vector z, ``(..., 2, 2)``."""
    mass = arc_moment(law, first, last, 0)
    double = arc_moment(law, first, last, 2)
    return second_moment_matrix(mass, double)


def second_moment_matrix(mass, double):
    """Second moments of a unit vector from its arc moments of order 0 and 2, ``(..., 2, 2)``.

    ``z z^T = (I + [[cos 2t, sin 2t], [sin 2t, -cos 2t]]) / 2``.
    """
    matrix = np.empty((*np.shape(mass), 2, 2))
    matrix[..., 0, 0] = (mass + double.real) / 2
    matrix[..., 1, 1] = (mass - double.real) / 2
    matrix[..., 0, 1] = matrix[..., 1, 0] = double.imag / 2
    return matrix


def region_arcs(phi):
    """Arcs of the regions S(w, w*), S(w, -w*), S(-w, w*) for w at signed angle `phi` from w*.

    Parameters
    ----------
    phi : array
        Radians in [-pi, pi].

    Returns
    -------
    tuple of three ``(first, last)`` pairs of arrays
        In the order of the text; inputs in the first region activate both filters, in the second
        only w (wrongly), in the third only w*.
    """
    phi = np.asarray(phi, dtype=float)
    quarter = np.pi / 2
    right = phi >= 0
    both = np.where(right, phi - quarter, -quarter), np.where(right, quarter, phi + quarter)
    wrong = np.where(right, quarter, phi - quarter), np.where(right, phi + quarter, -quarter)
    missed = np.where(right, -quarter, phi + quarter), np.where(right, phi - quarter, quarter)
    return both, wrong, missed


def _wrap(angles):
    """Angles in [-pi, pi)."""
    return np.mod(np.asarray(angles) + np.pi, 2 * np.pi) - np.pi


def _truncated_normal(rng, sigma, half_width, size):
    """Draws of N(0, sigma) truncated to +-`half_width`, by inversion: one uniform a draw, so that
    laws of other sigma use the same randomness."""
    uniform = rng.random(size)
    if sigma == 0:
        return np.zeros(size)
    if np.isinf(sigma):
        return (2 * uniform - 1) * half_width
    edge = ndtr(-half_width / sigma)
    return np.clip(sigma * ndtri(edge + uniform * (1 - 2 * edge)), -half_width, half_width)


def _cumulative(law, u, order):
    """Integral of ``exp(i order t)`` against one centred component, up to `u` from some start.

    Beyond one period the whole circle's moment is added once a turn.
    """
    turn = np.floor((u + np.pi) / (2 * np.pi))
    within = np.clip(u - 2 * np.pi * turn, -law.half_width, law.half_width)
    return _primitive(law, within, order) + turn * _whole(law.sigma, law.half_width, order)


@lru_cache
def _whole(sigma, half_width, order):
    """Integral of ``exp(i order t)`` against one centred component."""
    law = AngularLaw(sigma, half_width=half_width)
    start, end = _primitive(law, np.array([-half_width, half_width]), order)
    return end - start


def _primitive(law, t, order):
    """An antiderivative of ``exp(i order t)`` times the density of one centred component."""
    t = np.asarray(t, dtype=float)
    if np.isinf(law.sigma):
        wave = t if order == 0 else np.exp(1j * order * t) / (1j * order)
        return wave / (2 * law.half_width)
    scale = law.sigma * np.sqrt(2)
    normaliser = 2 * erf(law.half_width / scale)
    if order == 0:
        return erf(t / scale) / normaliser
    # exp(-y^2) erf(x - i y) with erf(z) = 1 - exp(-z^2) w(i z), evaluated for x >= 0 where w is
    # bounded; x < 0 follows from erf(-z) = -erf(z), which turns the sign of x and conjugates.
    x, y = np.abs(t) / scale, order * law.sigma / np.sqrt(2)
    value = np.full(t.shape, np.exp(-(y**2)), dtype=complex)
    # Farther out, where most nodes are, the second term is below the rounding of the first.
    near = x**2 < y**2 + 40
    x = x[near]
    value[near] -= np.exp(-(x**2) + 2j * x * y) * wofz(1j * x + y)
    value.real[t < 0] *= -1
    return value / normaliser
