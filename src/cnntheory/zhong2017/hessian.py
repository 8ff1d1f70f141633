"""Hessians of the squared loss: exact under the Gaussian distribution, and on a sample.

The order of the ``t k`` coordinates is kernel by kernel: entry ``j k + a`` belongs to ``W[a, j]``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gamma as gamma_function

from .activations import (
    alpha,
    check_activation,
    gamma,
    homogeneous_pieces,
    phi,
    phi_twice,
    piecewise_power,
    trapezoid_nodes,
)
from .network import patch_rows

# Rows of a block of patches: a block and its temporaries stay in cache.
_BLOCK = 4096

# Gauss-Legendre is exact for the trigonometric polynomials (degree at most 10) on an arc.
_ARC_NODES, _ARC_WEIGHTS = np.polynomial.legendre.leggauss(24)


def population_hessian(W, activation, patches, teacher=None):
    """Hessian of the population loss ``E (f_W(x) - f_{W*}(x))^2 / 2`` for Gaussian inputs.

    At the truth it is ``H = r H_1 + r (r - 1) m m^T`` with ``m_j = alpha_1(|w_j|) w_j / |w_j|``:
    the gradient features ``g_j = sum_i phi'(w_j^T z_i) z_i`` are sums over independent patches, so
    that ``H = E[g g^T]`` has ``r`` diagonal and ``r (r - 1)`` cross terms.

    Parameters
    ----------
    W : ndarray, shape (..., patch_size, kernels)
        Kernels as columns, none zero; leading axes are trials.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.
    patches : int
        Number ``r`` of disjoint patches, at least 1.
    teacher : ndarray, shape (..., patch_size, kernels), optional
        Where the labels come from. By default `W` itself; otherwise the term of the residual
        ``E[(f_W - f_{W*}) phi'']`` is added. For the ReLU and leaky ReLU it has only the point
        mass at the kink, which is left out: the result is the expectation of the
        almost-everywhere Hessian.

    Returns
    -------
    ndarray, shape (..., kernels * patch_size, kernels * patch_size)
        Symmetric.

    Raises
    ------
    ValueError
        If the activation is unknown, ``patches < 1`` or a kernel is zero or not finite.

    Notes
    -----
    Two kernels see a two-dimensional Gaussian. Piecewise homogeneous activations are integrated
    over the angle, arc by arc between the kinks, where Gauss-Legendre is exact; ``erf`` is closed;
    the others use a trapezoidal rule in the plane whose spacing follows the largest magnitude.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the local strong convexity theorem; the two formulas
    are derived here.
    """
    check_activation(activation)
    W = np.asarray(W, dtype=float)
    if patches < 1:
        raise ValueError(f"patches: expected at least 1, found {patches}")
    *batch, k, t = W.shape
    norms = _column_norms(W)
    blocks = _pair_second_moment(W, W, activation, (1, 1))
    hessian = np.moveaxis(blocks, -2, -3).reshape(*batch, t * k, t * k)
    m = np.swapaxes((alpha(1, norms, activation) / norms)[..., None, :] * W, -1, -2)
    m = m.reshape(*batch, t * k)
    hessian = patches * hessian + patches * (patches - 1) * m[..., :, None] * m[..., None, :]
    if teacher is not None:
        residual = patches * _residual_blocks(W, np.asarray(teacher, float), activation, patches)
        for j in range(t):
            hessian[..., j * k : (j + 1) * k, j * k : (j + 1) * k] += residual[..., j, :, :]
    return hessian


def _residual_blocks(W, teacher, activation, patches):
    """``E[(f_W - f_W*)(x) phi''(w_j^T z_1) z_1 z_1^T]`` for every kernel j, (..., t, k, k)."""
    own = _pair_second_moment(W, W, activation, (2, 0)).sum(axis=-3)
    others = _pair_second_moment(W, teacher, activation, (2, 0)).sum(axis=-3)
    # The other patches are independent of z_1: only the mean of their outputs enters.
    norms, teacher_norms = _column_norms(W), _column_norms(teacher)
    mean = gamma(0, norms, activation).sum(-1) - gamma(0, teacher_norms, activation).sum(-1)
    curvature = _pair_second_moment(W, W, activation, (2, None))
    curvature = np.moveaxis(np.diagonal(curvature, axis1=-4, axis2=-3), -1, -3)
    return own - others + (patches - 1) * np.asarray(mean)[..., None, None, None] * curvature


def _column_norms(W):
    norms = np.linalg.norm(W, axis=-2)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ValueError("W: expected finite non-zero kernels; drop the zero or infinite columns")
    return norms


def _pair_second_moment(U, V, activation, derivatives):
    """``E[f(u_j^T z) g(v_l^T z) z z^T]`` for all pairs, shape (..., t_U, t_V, k, k).

    `derivatives` names f and g by order of derivative of the activation (None is the constant 1).
    In the basis (u, the part of v across u) the expectation is a 2 x 2 matrix A, and on the
    complement of that plane it is c I with ``c = E[f g]``.
    """
    u_norm, v_norm = _column_norms(U), _column_norms(V)
    first = np.swapaxes(U / u_norm[..., None, :], -1, -2)[..., :, None, :]
    other = np.swapaxes(V / v_norm[..., None, :], -1, -2)[..., None, :, :]
    cosine = (first * other).sum(axis=-1)
    across = other - cosine[..., None] * first
    # Once more: near-parallel kernels leave a remainder that rounding tilts towards u.
    across -= (first * across).sum(axis=-1)[..., None] * first
    sine = np.linalg.norm(across, axis=-1)
    second = across / np.where(sine > 1e-15, sine, np.inf)[..., None]
    angle = np.arctan2(sine, cosine)
    shape = angle.shape
    c, A = plane_expectation(
        np.broadcast_to(u_norm[..., :, None], shape).ravel(),
        np.broadcast_to(v_norm[..., None, :], shape).ravel(),
        angle.ravel(),
        activation,
        derivatives,
    )
    c, A = c.reshape(shape), A.reshape(*shape, 2, 2)
    basis = np.stack(np.broadcast_arrays(first, second), axis=-1)
    excess = A - c[..., None, None] * np.eye(2)
    plane = basis @ excess @ np.swapaxes(basis, -1, -2)
    return plane + c[..., None, None] * np.eye(U.shape[-2])


def plane_expectation(a, b, angle, activation, derivatives):
    """Expectations of ``f(a z_1) g(b (cos z_1 + sin z_2))`` against ``1`` and ``z z^T``.

    Parameters
    ----------
    a, b, angle : ndarray, shape (pairs,)
        Magnitudes of the two kernels and the angle between them, in [0, pi].
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.
    derivatives : pair of {0, 1, 2, None}
        f and g as orders of derivative of the activation; None stands for the constant 1.

    Returns
    -------
    c : ndarray, shape (pairs,)
        ``E[f g]``.
    A : ndarray, shape (pairs, 2, 2)
        ``E[f g z z^T]``.
    """
    if homogeneous_pieces(activation) is not None:
        return _angular_expectation(a, b, angle, activation, derivatives)
    if activation == "erf" and derivatives == (1, 1):
        return _erf_slopes(a, b, angle)
    c, A = np.empty(len(angle)), np.empty((len(angle), 2, 2))
    nodes, weights = trapezoid_nodes(activation, max(a.max(), b.max()))
    powers = weights * np.stack([np.ones_like(nodes), nodes, nodes**2])
    for p in range(len(angle)):
        f = _evaluate(a[p] * nodes, activation, derivatives[0])
        direction = np.cos(angle[p]) * nodes[:, None] + np.sin(angle[p]) * nodes
        g = _evaluate(b[p] * direction, activation, derivatives[1])
        moments = (powers * f) @ g @ powers.T  # E[f g z_1^row z_2^column]
        c[p] = moments[0, 0]
        A[p] = [[moments[2, 0], moments[1, 1]], [moments[1, 1], moments[0, 2]]]
    return c, A


def _evaluate(z, activation, derivative):
    return np.ones_like(z) if derivative is None else phi(z, activation, derivative)


def _erf_slopes(a, b, angle):
    """``phi' = exp(-z^2)`` for both: a Gaussian integral with precision I + 2 u u^T + 2 v v^T."""
    v = b[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    precision = np.eye(2) + 2 * v[:, :, None] * v[:, None, :]
    precision[:, 0, 0] += 2 * a**2
    c = np.linalg.det(precision) ** -0.5
    return c, c[:, None, None] * np.linalg.inv(precision)


def _angular_expectation(a, b, angle, activation, derivatives):
    """Polar coordinates: radial moments in closed form, Gauss-Legendre between the kinks."""
    (p, *f_sides), (q, *g_sides) = (
        (0, 1.0, 1.0) if order is None else homogeneous_pieces(activation, order)
        for order in derivatives
    )
    zero = np.zeros_like(angle)
    kinks = np.stack([zero - np.pi / 2, angle - np.pi / 2, zero + np.pi / 2, angle + np.pi / 2])
    edges = np.concatenate([kinks, kinks[:1] + 2 * np.pi])
    half = np.diff(edges, axis=0) / 2  # (arcs, pairs)
    directions = (edges[:-1] + half)[..., None] + half[..., None] * _ARC_NODES
    weights = half[..., None] * _ARC_WEIGHTS / (2 * np.pi)
    cos, sin = np.cos(directions), np.sin(directions)
    value = weights * piecewise_power(cos, p, *f_sides)
    value *= piecewise_power(np.cos(directions - angle[:, None]), q, *g_sides)
    total = lambda h: (value * h).sum(axis=(0, 2)) * a**p * b**q  # noqa: E731
    A = np.stack([total(cos**2), total(cos * sin), total(cos * sin), total(sin**2)], axis=-1)
    # The radius is independent of the angle, with E|z|^m = 2^(m/2) Gamma(m/2 + 1).
    return (
        total(1.0) * _radial_moment(p + q),
        A.reshape(-1, 2, 2) * _radial_moment(p + q + 2),
    )


def _radial_moment(power):
    """``E |z|^power`` for a standard normal ``z`` in the plane."""
    return 2 ** (power / 2) * gamma_function(power / 2 + 1)


def empirical_hessian(W, x, activation, y=None):
    """Hessian of the empirical loss ``sum_n (f_W(x_n) - y_n)^2 / (2 n)``.

    Parameters
    ----------
    W : ndarray, shape (..., patch_size, kernels)
        Kernels as columns; leading axes are trials.
    x : ndarray, shape (n, d)
        Inputs shared by all trials.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.
    y : ndarray, shape (n,), optional
        Labels. Without them the residual is taken as zero, which is the Hessian at the truth and
        the Gauss-Newton matrix elsewhere.

    Returns
    -------
    ndarray, shape (..., kernels * patch_size, kernels * patch_size)
        Symmetric. For the ReLU family the Hessian that exists almost everywhere.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of the patch size or the activation is unknown.

    Notes
    -----
    Costs ``n (t k)^2`` operations a trial, in blocks of samples.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the empirical Hessian of the local convexity theorem.
    """
    check_activation(activation)
    k, t = W.shape[-2:]
    rows = patch_rows(x, k)
    r = x.shape[1] // k
    trials = W.reshape(-1, k, t)
    hessian = np.zeros((len(trials), t * k, t * k))
    step = max(1, _BLOCK // (r * max(len(trials), 1)))
    for start in range(0, len(x), step):
        z = rows[start * r : (start + step) * r]
        label = None if y is None else y[start : start + step]
        _add_block(hessian, trials, z, r, activation, label)
    return hessian.reshape(*W.shape[:-2], t * k, t * k) / len(x)


def _add_block(total, W, z, r, activation, label):
    """Add one block's ``sum_n g g^T`` of every trial, and its residual term where labelled."""
    trials, k, t = W.shape
    u = z @ W  # (trials, patches, t)
    if label is None:
        slopes = phi(u, activation, 1)
    else:
        value, slopes, curvature = phi_twice(u, activation)
    slopes = np.swapaxes(slopes.reshape(trials, -1, r, t), -1, -2)
    features = (slopes @ z.reshape(-1, r, k)).reshape(trials, -1, t * k)
    total += np.swapaxes(features, -1, -2) @ features
    if label is not None:
        residual = value.reshape(trials, -1, r * t).sum(axis=-1) - label
        weights = np.repeat(residual, r, axis=-1)[..., None] * curvature
        for j in range(t):
            own = slice(j * k, (j + 1) * k)
            total[:, own, own] += z.T @ (weights[..., j, None] * z)
