"""The population Hessian by Hermite series: fast enough for a search to ask for thousands.

With ``phi(|w| z) = sum_n c_n(|w|) h_n(z)`` in normalised Hermite polynomials, two kernels at angle
``theta`` have ``E[phi^(p)(u^T z) phi^(q)(v^T z)] = sum_n c_n^(p) c_n^(q) cos(theta)^n``: one
quadrature a kernel instead of one in the plane for every pair of kernels.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.special import gammaln

from .activations import beta, check_activation, homogeneous_pieces, phi
from .hessian import population_hessian

# Beyond 14 the root of the normal weight is below 1e-21, whatever polynomial it carries; the
# spacing resolves the pole of tanh (error 1e-9 at length 6, below rounding at 3).
_NODES = 0.08 * np.arange(-175, 176)


def series_hessian(W, activation, patches, teacher=None, degree=100):
    """Hessian of the population loss, as `population_hessian`, truncated at a Hermite degree.

    Parameters
    ----------
    W : ndarray, shape (..., patch_size, kernels)
        Kernels as columns, none zero; leading axes are trials.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`; piecewise homogeneous ones, whose Hessian is
        closed, are passed on to `population_hessian`.
    patches : int
        Number ``r`` of disjoint patches.
    teacher : ndarray, shape (patch_size, kernels), optional
        Where the labels come from; by default `W` itself.
    degree : int, optional
        Degree of the series, at most 150.

    Returns
    -------
    ndarray, shape (..., kernels * patch_size, kernels * patch_size)

    Raises
    ------
    ValueError
        If the activation is unknown or the degree above 150.

    Notes
    -----
    The blocks of the Gauss-Newton part with one kernel are exact. The rest converges as
    ``cos(theta)^n exp(-2 d sqrt(2 n))`` with the distance d of phi's nearest pole over the
    kernels' length: about 1e-5 at lengths up to 2 (tanh, erf) with the default degree, whatever
    the angle, and much better for kernels that are far from parallel. Check what a search finds
    by `population_hessian`.
    """
    check_activation(activation)
    if homogeneous_pieces(activation) is not None:
        return population_hessian(W, activation, patches, teacher)
    if degree > 150:
        raise ValueError(f"degree: expected at most 150, found {degree}; use population_hessian")
    *batch, k, t = W.shape
    W = W.reshape(-1, k, t)
    norms, series = _series(W, activation, degree)
    columns = np.swapaxes(W, -1, -2)  # (trials, t, k)
    gram = columns @ W
    cosine = gram / (norms[:, :, None] * norms[:, None, :])
    eye = np.eye(k)
    blocks = _second_moments(series, series, cosine, (1, 1), columns, columns)
    # One kernel: beta_2 along it, beta_0 across.
    along = columns / norms[..., None]
    line = along[..., :, None] * along[..., None, :]
    b0, b2 = (beta(q, norms, activation)[..., None, None] for q in (0, 2))
    own = np.arange(t)
    blocks[:, own, own] = b0 * eye + (b2 - b0) * line
    hessian = patches * np.moveaxis(blocks, -2, -3).reshape(-1, t * k, t * k)
    m = (series[2][..., 0, None] * columns).reshape(-1, t * k)
    hessian += patches * (patches - 1) * m[:, :, None] * m[:, None, :]
    if teacher is not None:
        true_norms, true_series = _series(teacher[None], activation, degree)
        true = np.swapaxes(teacher[None], -1, -2)
        to_teacher = columns @ teacher / (norms[:, :, None] * true_norms[:, None, :])
        residual = _second_moments(series, series, cosine, (2, 0), columns, columns).sum(axis=2)
        toward = _second_moments(series, true_series, to_teacher, (2, 0), columns, true)
        residual -= toward.sum(axis=2)
        mean = series[0][..., 0].sum(axis=-1) - true_series[0][..., 0].sum(axis=-1)
        curvature = series[2][..., 0, None, None] * eye
        curvature += series[4][..., 0, None, None] * columns[..., :, None] * columns[..., None, :]
        residual += (patches - 1) * mean[:, None, None, None] * curvature
        for j in range(t):
            part = slice(j * k, (j + 1) * k)
            hessian[:, part, part] += patches * residual[:, j]
    return hessian.reshape(*batch, t * k, t * k)


def _series(W, activation, degree):
    """Lengths (trials, t), and Hermite coefficients (trials, t, degree + 1) of phi .. phi^(4)."""
    norms = np.linalg.norm(W, axis=-2)
    raw = phi(norms[..., None] * _NODES, activation) @ _hermite(degree + 5)
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
