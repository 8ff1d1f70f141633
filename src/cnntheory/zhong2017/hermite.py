"""The population Hessian by Hermite series: fast enough for a search to ask for thousands.

With ``phi(|w| z) = sum_n c_n(|w|) h_n(z)`` in normalised Hermite polynomials, two filters at angle
``theta`` have ``E[phi^(p)(u^T z) phi^(q)(v^T z)] = sum_n c_n^(p) c_n^(q) cos(theta)^n``: one
quadrature a filter instead of one in the plane for every pair of filters.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.special import gammaln

from .activations import Activation, Homogeneous, as_activation
from .hessian import check_count, filter_norms, population_hessian

# Beyond 14 the root of the normal weight is below 1e-21, whatever polynomial it carries; the
# spacing resolves the pole of tanh (error 1e-9 at length 6, below rounding at 3).
_NODES = 0.08 * np.arange(-175, 176)


def series_hessian(
    filters: np.ndarray,
    activation: str | Activation,
    n_patches: int,
    teacher: np.ndarray | None = None,
    degree: int = 100,
) -> np.ndarray:
    """Hessian of the population loss, as `population_hessian`, truncated at a Hermite degree.

    Parameters
    ----------
    filters : ndarray, shape (..., m, p)
        Filters as rows, none zero; leading axes are trials.
    activation : str or Activation
        Piecewise homogeneous ones, whose Hessian is closed, are passed on to `population_hessian`.
    n_patches : int
        Number ``r`` of disjoint patches.
    teacher : ndarray, shape (m, p), optional
        Where the labels come from; by default `filters` itself.
    degree : int, optional
        Degree of the series, at most 150.

    Returns
    -------
    ndarray, shape (..., m p, m p)

    Raises
    ------
    ValueError
        As `population_hessian`, or if the degree is above 150.

    Notes
    -----
    The blocks of the Gauss-Newton part with one filter are exact. The rest converges as
    ``cos(theta)^n exp(-2 d sqrt(2 n))`` with the distance d of phi's nearest pole over the
    filters' length: about 1e-5 at lengths up to 2 (tanh, erf) with the default degree, whatever
    the angle, and much better for filters that are far from parallel. Check what a search finds
    by `population_hessian`.
    """
    activation = as_activation(activation)
    if isinstance(activation, Homogeneous):
        return population_hessian(filters, activation, n_patches, teacher)
    check_count(n_patches)
    if degree > 150:
        raise ValueError(f"degree: expected at most 150, found {degree}; use population_hessian")
    *batch, m, p = filters.shape
    W = filters.reshape(-1, m, p)
    norms, series = _series(W, activation, degree)
    cosine = W @ np.swapaxes(W, -1, -2) / (norms[:, :, None] * norms[:, None, :])
    eye = np.eye(p)
    blocks = _second_moments(series, series, cosine, (1, 1), W, W)
    # One filter: beta_2 along it, beta_0 across.
    along = W / norms[..., None]
    line = along[..., :, None] * along[..., None, :]
    b0, b2 = (activation.beta(q, norms)[..., None, None] for q in (0, 2))
    own = np.arange(m)
    blocks[:, own, own] = b0 * eye + (b2 - b0) * line
    hessian = n_patches * np.moveaxis(blocks, -2, -3).reshape(-1, m * p, m * p)
    mean = (series[2][..., 0, None] * W).reshape(-1, m * p)
    hessian += n_patches * (n_patches - 1) * mean[:, :, None] * mean[:, None, :]
    if teacher is not None:
        true = teacher[None]
        true_norms, true_series = _series(true, activation, degree)
        to_teacher = W @ teacher.T / (norms[:, :, None] * true_norms[:, None, :])
        residual = _second_moments(series, series, cosine, (2, 0), W, W).sum(axis=2)
        toward = _second_moments(series, true_series, to_teacher, (2, 0), W, true)
        residual -= toward.sum(axis=2)
        difference = series[0][..., 0].sum(axis=-1) - true_series[0][..., 0].sum(axis=-1)
        curvature = series[2][..., 0, None, None] * eye
        curvature += series[4][..., 0, None, None] * W[..., :, None] * W[..., None, :]
        residual += (n_patches - 1) * difference[:, None, None, None] * curvature
        for j in range(m):
            part = slice(j * p, (j + 1) * p)
            hessian[:, part, part] += n_patches * residual[:, j]
    return hessian.reshape(*batch, m * p, m * p)


def _series(filters, activation, degree):
    """Lengths (trials, m), and Hermite coefficients (trials, m, degree + 1) of phi .. phi^(4)."""
    norms = filter_norms(filters)
    raw = activation(norms[..., None] * _NODES) @ _hermite(degree + 5)
    n = np.arange(degree + 1)
    # The derivative of h_n is sqrt(n) h_{n-1}.
    lowered = [np.exp((gammaln(n + p + 1) - gammaln(n + 1)) / 2) for p in range(5)]
    return norms, [
        raw[..., p : p + degree + 1] * lowered[p] / norms[..., None] ** p for p in range(5)
    ]


@functools.lru_cache
def _hermite(terms):
    """Normalised Hermite polynomials times the weights of the quadrature, (nodes, terms)."""
    z = _NODES
    rows = [np.ones_like(z), z]
    for n in range(1, terms - 1):
        rows.append((z * rows[-1] - np.sqrt(n) * rows[-2]) / np.sqrt(n + 1))
    weights = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    return (np.stack(rows) * weights).T


def _second_moments(first, second, cosine, orders, U, V):
    """``E[phi^(p)(u_j^T z) phi^(q)(v_l^T z) z z^T]``, shape (trials, t_U, t_V, k, k).

    By Stein's identity it is ``E[f g] I + E[grad^2 (f g)]``.
    """
    p, q = orders
    powers = np.ones((*cosine.shape, first[0].shape[-1]))
    powers[..., 1:] = cosine[..., None]
    powers = np.cumprod(powers, axis=-1)

    def mean(i, j):
        found = np.einsum("ajn,aln,ajln->ajl", first[p + i], second[q + j], powers)
        return found[..., None, None]

    u, v = U[:, :, None, :], V[:, None, :, :]
    cross = u[..., :, None] * v[..., None, :]
    result = mean(0, 0) * np.eye(U.shape[-1])
    result = result + mean(2, 0) * (u[..., :, None] * u[..., None, :])
    result = result + mean(1, 1) * (cross + np.swapaxes(cross, -1, -2))
    return result + mean(0, 2) * (v[..., :, None] * v[..., None, :])
