"""Smoothness of the input law: gamma, L, beta, L_cross (Definition 2.1, Assumptions 2.1, 3.1).

- ``gamma(phi)``: least eigenvalue of E[Z Z^T 1{S(w, w*)}] over filters at angle phi from w*; plays
  the part of strong convexity.
- ``L(phi)``: largest eigenvalue of the same; plays the part of the Lipschitz constant.
- ``beta``: the wrong region's largest eigenvalue, lambda_max E[Z Z^T 1{S(w, -w*)}], is at most
  ``beta * phi`` for phi in [0, pi/2].
- ``L_cross``: the cross-covariances of the regions are at most ``L_cross * phi``.

For the convolutional network Z Z^T is replaced by the products of the region means Z_pp, Z_pm,
Z_mp. Each constant comes three ways: in closed form (Gaussian, sphere, angular laws in the plane),
by quadrature (patches in the plane), from a sample.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cnntheory.du2018.laws import (
    arc_second_moment,
    density,
    moment_up_to,
    region_arcs,
    second_moment_matrix,
)
from cnntheory.du2018.neuron import REGIONS, region_means

ACUTE = np.pi / 2


class Constants(NamedTuple):
    """gamma, L and the wrong region's largest eigenvalue, as arrays over the angles asked for."""

    gamma: np.ndarray
    lipschitz: np.ndarray
    wrong: np.ndarray


def gaussian_constants(phi):
    """Constants of the law N(0, I_p), the same for every p >= 2.

    ``gamma = (pi - phi - sin phi) / (2 pi)``, ``L = (pi - phi + sin phi) / (2 pi)``, wrong region
    ``(phi + sin phi) / (2 pi)``. The uniform law on the unit sphere has the same divided by p.

    Parameters
    ----------
    phi : array
        Angles in [0, pi].
    """
    phi = np.asarray(phi, dtype=float)
    turn = 2 * np.pi
    return Constants(
        (np.pi - phi - np.sin(phi)) / turn,
        (np.pi - phi + np.sin(phi)) / turn,
        (phi + np.sin(phi)) / turn,
    )


GAUSSIAN_BETA = 1 / np.pi
"""Tight beta of N(0, I_p) for every p; the paper's appendix states that p is enough."""


def angular_constants(law, phi):
    """Constants of one neuron under an angular law in the plane, in closed form.

    Parameters
    ----------
    law : AngularLaw
    phi : array
        Angles in [0, pi].
    """
    return extremes(*angular_moments(law, phi))


def angular_moments(law, phi):
    """``E[Z Z^T 1{S(w, w*)}]`` and ``E[Z Z^T 1{S(w, -w*)}]`` at signed angles, ``(..., 2, 2)``."""
    both, wrong, _ = region_arcs(phi)
    return arc_second_moment(law, *both), arc_second_moment(law, *wrong)


def angular_beta(law):
    """Tight beta of an angular law: the supremum of lambda_max(A_{w,-w*}) / phi on (0, pi/2]."""
    return _growth(lambda phi: angular_constants(law, phi).wrong[None])[0]


def extremes(both, wrong):
    """`Constants` from second moments of the regions S(w, w*) and S(w, -w*), ``(..., p, p)``."""
    eigenvalues = np.linalg.eigvalsh(both)
    return Constants(eigenvalues[..., 0], eigenvalues[..., -1], np.linalg.eigvalsh(wrong)[..., -1])


def _growth(values, smallest=1e-4, points=64):
    """Suprema of ``values(phi) / phi`` on [smallest, pi/2], a number a row of ``values(phi)``.

    The ratio can peak at an angle as small as the spread of the patches, hence the logarithmic
    grid; a second grid then refines around each top, to a relative error of about 1e-5.
    """
    coarse = np.geomspace(smallest, ACUTE, points)
    top = (values(coarse) / coarse).argmax(axis=1)
    found = []
    for row, i in enumerate(top):
        fine = np.geomspace(coarse[max(i - 1, 0)], coarse[min(i + 1, points - 1)], points // 2)
        found.append(float((values(fine)[row] / fine).max()))
    return found


def patch_moments(law, phi, nodes=6):
    """Products ``E[Z_a Z_b^T]`` of the region means of a patch law, by quadrature.

    Given the base patch the k patches are independent, so that
    ``E[Z_a Z_b^T] = (k-1)/k E[m_a m_b^T] + (1/k) E[Z_1 Z_1^T 1{a} 1{b}]``, with the conditional
    means m in closed form, the last term zero for different regions, and the expectation over the
    base patch by Gauss-Legendre panels that are graded towards the edges of the regions.

    Parameters
    ----------
    law : PatchLaw
    phi : array
        Signed angles of w, radians.
    nodes : int
        Gauss-Legendre nodes a panel.

    Returns
    -------
    dict of str to (..., 2, 2) ndarray
        Keys ``"pp,pp"``, ``"pm,pm"``, ``"mp,mp"``, ``"pp,pm"``, ``"pp,mp"``, ``"pm,mp"``.
    """
    phi = np.asarray(phi, dtype=float)
    k = law.k
    moments = {}
    if law.spread.sigma == 0:
        for name, arc in zip(REGIONS, region_arcs(phi), strict=True):
            moments[f"{name},{name}"] = arc_second_moment(law.base, *arc)
        for pair in ("pp,pm", "pp,mp", "pm,mp"):
            moments[pair] = np.zeros((*phi.shape, 2, 2))
        return moments
    base, weight = _base_panels(law, phi, nodes)
    means, (mass, mean, double) = {}, (_patch_moments(law, phi, base, q) for q in (0, 1, 2))
    for name in REGIONS:
        means[name] = np.stack([mean[name].real, mean[name].imag], axis=-1)
        whole = ((weight * moment[name]).sum(axis=-1) for moment in (mass, double))
        moments[f"{name},{name}"] = second_moment_matrix(*whole) / k
    for pair in ("pp,pp", "pm,pm", "mp,mp", "pp,pm", "pp,mp", "pm,mp"):
        first, last = pair.split(",")
        product = np.swapaxes(means[first] * weight[..., None], -1, -2) @ means[last]
        moments[pair] = moments.get(pair, 0) + (k - 1) / k * product
    return moments


def _patch_moments(law, phi, base, order):
    """`arc_moment` of a patch in the regions, given the base patch: what they share is shared.

    The regions are the three arcs between four corners.
    """
    low, high = np.minimum(phi, 0), np.maximum(phi, 0)
    corners = (low - ACUTE, high - ACUTE, low + ACUTE, high + ACUTE)
    ends = [moment_up_to(law.spread, corner[..., None], order, base) for corner in corners]
    below, both, above = (last - first for first, last in pairwise(ends))
    right = (phi >= 0)[..., None]
    wrong, missed = np.where(right, above, below), np.where(right, below, above)
    return dict(zip(REGIONS, (both, wrong, missed), strict=True))


def _base_panels(law, phi, nodes):
    """Angles of the base patch and their probabilities, ``(..., panels * nodes)`` each.

    Seen from the base patch the integrand changes within the patches' spread of an edge of a
    region, and has kinks where the cut of the spread meets one; the base law changes within its
    sigma of a centre. Panels double in width from there.
    """
    edges = np.stack([ACUTE + 0 * phi, -ACUTE + 0 * phi, phi + ACUTE, phi - ACUTE], axis=-1)
    cuts = [_graded(edges, law.spread.sigma)]
    cuts += [edges + side * law.spread.half_width for side in (-1, 1)]
    fixed = [np.linspace(-np.pi, np.pi, 9)]
    for centre in law.base.centres:
        fixed.append(_graded(np.array([centre]), law.base.sigma))
        fixed.append(centre + law.base.half_width * np.array([-1, 1]))
    fixed = np.concatenate(fixed)
    cuts.append(np.broadcast_to(fixed, (*phi.shape, len(fixed))))
    cuts = np.mod(np.concatenate(cuts, axis=-1) + np.pi, 2 * np.pi) - np.pi
    # -pi is among the cuts; its other end completes the circle.
    cuts = np.sort(np.concatenate([cuts, np.full((*phi.shape, 1), np.pi)], axis=-1), axis=-1)
    half = np.diff(cuts)[..., None] / 2
    x, weight = np.polynomial.legendre.leggauss(nodes)
    base = (cuts[..., :-1, None] + half + half * x).reshape(*phi.shape, -1)
    return base, (half * weight).reshape(*phi.shape, -1) * density(law.base, base)


def _graded(points, sigma):
    """The points and, for finite sigma, cuts at distances sigma/2, sigma, .. 16 sigma of each."""
    if np.isinf(sigma):
        return points
    reach = sigma * 2.0 ** np.arange(-1, 5)
    offsets = np.concatenate([-reach, [0.0], reach])
    return (points[..., None] + offsets).reshape(*points.shape[:-1], -1)


def patch_constants(law, phi):
    """gamma, L and the wrong region's largest eigenvalue of a law of patches, by quadrature.

    Parameters
    ----------
    law : PatchLaw
    phi : array
        Angles in [0, pi].
    """
    moments = patch_moments(law, phi)
    return extremes(moments["pp,pp"], moments["pm,pm"])


def patch_growth(law):
    """Tight beta and L_cross of a law of patches (Assumptions 2.1 and 3.1).

    The suprema over (0, pi/2] of lambda_max(E[Z_pm Z_pm^T]) / phi and of `cross_norm` / phi.

    Returns
    -------
    beta, l_cross : float
    """

    def values(phi):
        moments = patch_moments(law, phi)
        return np.stack([np.linalg.eigvalsh(moments["pm,pm"])[..., -1], cross_norm(moments)])

    return tuple(_growth(values))


def cross_norm(moments):
    """``||E Z_pp Z_pm^T|| + ||E Z_pp Z_mp^T|| + ||E Z_pm Z_mp^T||`` (spectral norms)."""
    return sum(
        np.linalg.norm(moments[pair], 2, axis=(-2, -1)) for pair in ("pp,pm", "pp,mp", "pm,mp")
    )


def sample_moments(
    w, w_star, patches, pairs=("pp,pp", "pm,pm", "mp,mp", "pp,pm", "pp,mp", "pm,mp")
):
    """The same products from a sample of patches ``(n, k, p)``; keys as in `patch_moments`.

    All `pairs` unless some are asked for. For many filters at once see
    `cnntheory.du2018.condition.region_moments`.
    """
    regions = sorted({region for pair in pairs for region in pair.split(",")})
    means = dict(zip(regions, region_means(w, w_star, patches, regions), strict=True))
    return {pair: means[pair[:2]].T @ means[pair[3:]] / len(patches) for pair in pairs}
