"""Hessians of the squared loss: exact under the Gaussian distribution, and on a sample.

The order of the ``m p`` coordinates is that of ``filters.ravel()``: filter by filter.
"""

from __future__ import annotations

import numpy as np

from .activations import Activation, as_activation
from .network import check_labels, check_patches

# Rows of a block of patches: a block and its temporaries stay in cache.
_BLOCK = 4096


def population_hessian(
    filters: np.ndarray,
    activation: str | Activation,
    n_patches: int,
    teacher: np.ndarray | None = None,
) -> np.ndarray:
    """Hessian of the population loss ``E (f_W(x) - f_{W*}(x))^2 / 2`` for Gaussian inputs.

    At the truth it is ``H = r H_1 + r (r - 1) m m^T`` with ``m_j = alpha_1(|w_j|) w_j / |w_j|``
    and r patches: the gradient features ``g_j = sum_i phi'(w_j^T z_i) z_i`` are sums over
    independent patches, so that ``H = E[g g^T]`` has ``r`` diagonal and ``r (r - 1)`` cross terms.

    Parameters
    ----------
    filters : ndarray, shape (..., m, p)
        Filters as rows, none zero; leading axes are trials.
    activation : str or Activation
    n_patches : int
        Number ``r`` of disjoint patches, at least 1.
    teacher : ndarray, shape (..., m, p), optional
        Where the labels come from. By default `filters` itself; otherwise the term of the residual
        ``E[(f_W - f_{W*}) phi'']`` is added. For the ReLU and leaky ReLU it has only the point
        mass at the kink, which is left out: the result is the expectation of the
        almost-everywhere Hessian.

    Returns
    -------
    ndarray, shape (..., m p, m p)
        Symmetric.

    Raises
    ------
    ValueError
        If the activation is unknown, ``n_patches < 1`` or a filter is zero or not finite.

    Notes
    -----
    Two filters see a two-dimensional Gaussian. Piecewise homogeneous activations are integrated
    over the angle, arc by arc between the kinks, where Gauss-Legendre is exact; ``erf`` is closed;
    the others use a trapezoidal rule in the plane whose spacing follows the largest magnitude.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the local strong convexity theorem; the two formulas
    are derived here.
    """
    activation, filters = as_activation(activation), np.asarray(filters, dtype=float)
    check_count(n_patches)
    *batch, m, p = filters.shape
    blocks = _pair_second_moment(filters, filters, activation, (1, 1))
    hessian = np.moveaxis(blocks, -2, -3).reshape(*batch, m * p, m * p)
    norms = filter_norms(filters)
    mean = (activation.alpha(1, norms) / norms)[..., None] * filters
    mean = mean.reshape(*batch, m * p)
    hessian = n_patches * hessian
    hessian = hessian + n_patches * (n_patches - 1) * mean[..., :, None] * mean[..., None, :]
    if teacher is not None:
        residual = _residual_blocks(filters, np.asarray(teacher, float), activation, n_patches)
        for j in range(m):
            own = slice(j * p, (j + 1) * p)
            hessian[..., own, own] += n_patches * residual[..., j, :, :]
    return hessian


def check_count(n_patches):
    """Raise ValueError unless there is a patch."""
    if n_patches < 1:
        raise ValueError(f"n_patches: expected at least 1, found {n_patches}; count a patch")


def filter_norms(filters):
    """Lengths of the filters, shape (..., m); ValueError where one is zero or not finite."""
    norms = np.linalg.norm(filters, axis=-1)
    if not (np.isfinite(norms) & (norms > 0)).all():
        raise ValueError("filters: expected finite non-zero rows, found others; drop those")
    return norms


def _residual_blocks(filters, teacher, activation, n_patches):
    """``E[(f_W - f_W*)(x) phi''(w_j^T z_1) z_1 z_1^T]`` for every filter j, (..., m, p, p)."""
    own = _pair_second_moment(filters, filters, activation, (2, 0)).sum(axis=-3)
    others = _pair_second_moment(filters, teacher, activation, (2, 0)).sum(axis=-3)
    # The other patches are independent of z_1: only the mean of their outputs enters.
    means = [activation.gamma(0, filter_norms(W)).sum(axis=-1) for W in (filters, teacher)]
    mean = np.asarray(means[0] - means[1])
    curvature = _pair_second_moment(filters, filters, activation, (2, None))
    curvature = np.moveaxis(np.diagonal(curvature, axis1=-4, axis2=-3), -1, -3)
    return own - others + (n_patches - 1) * mean[..., None, None, None] * curvature


def _pair_second_moment(U, V, activation, derivatives):
    """``E[f(u_j^T z) g(v_l^T z) z z^T]`` for all pairs, shape (..., m_U, m_V, p, p).

    `derivatives` names f and g by order of derivative of the activation (None is the constant 1).
    In the basis (u, the part of v across u) the expectation is a 2 x 2 matrix A, and on the
    complement of that plane it is c I with ``c = E[f g]``.
    """
    u_norm, v_norm = filter_norms(U), filter_norms(V)
    first = (U / u_norm[..., None])[..., :, None, :]
    other = (V / v_norm[..., None])[..., None, :, :]
    cosine = (first * other).sum(axis=-1)
    across = other - cosine[..., None] * first
    # Once more: near-parallel filters leave a remainder that rounding tilts towards u.
    across -= (first * across).sum(axis=-1)[..., None] * first
    sine = np.linalg.norm(across, axis=-1)
    second = across / np.where(sine > 1e-15, sine, np.inf)[..., None]
    angle = np.arctan2(sine, cosine)
    shape = angle.shape
    c, A = activation.plane_moments(
        np.broadcast_to(u_norm[..., :, None], shape).ravel(),
        np.broadcast_to(v_norm[..., None, :], shape).ravel(),
        angle.ravel(),
        derivatives,
    )
    c, A = c.reshape(shape), A.reshape(*shape, 2, 2)
    basis = np.stack(np.broadcast_arrays(first, second), axis=-1)
    excess = A - c[..., None, None] * np.eye(2)
    plane = basis @ excess @ np.swapaxes(basis, -1, -2)
    return plane + c[..., None, None] * np.eye(U.shape[-1])


def empirical_hessian(
    filters: np.ndarray,
    patches: np.ndarray,
    activation: str | Activation,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Hessian of the empirical loss ``sum_n (f_W(x_n) - y_n)^2 / (2 n)``.

    Parameters
    ----------
    filters : ndarray, shape (..., m, p)
        Filters as rows; leading axes are trials.
    patches : ndarray, shape (n, k, p) or (..., n, k, p)
        Inputs, shared by all trials or a sample for each.
    activation : str or Activation
    y : ndarray, shape (n,) or (..., n), optional
        Labels. Without them the residual is taken as zero, which is the Hessian at the truth and
        the Gauss-Newton matrix elsewhere.

    Returns
    -------
    ndarray, shape (..., m p, m p)
        Symmetric. For the ReLU family the Hessian that exists almost everywhere.

    Raises
    ------
    ValueError
        If the shapes do not fit or the activation is unknown.

    Notes
    -----
    Costs ``n (m p)^2`` operations a trial, in blocks of samples.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the empirical Hessian of the local convexity theorem.
    """
    activation = as_activation(activation)
    *batch, m, p = filters.shape
    *own, n, k, _ = check_patches(patches, p)
    if own not in ([], batch):
        raise ValueError(
            f"patches: expected shape ({n}, {k}, {p}), or a sample for each of {batch} trials, "
            f"found {patches.shape}"
        )
    if y is not None:
        check_labels(y, (*own, n))
    trials = filters.reshape(-1, m, p)
    if own:
        patches = patches.reshape(-1, n, k, p)
    if y is not None:
        y = np.reshape(y, (-1, n))  # one row where all trials share the sample
    hessian = np.zeros((len(trials), m * p, m * p))
    step = max(1, _BLOCK // (k * max(len(trials), 1)))
    for start in range(0, n, step):
        block = slice(start, start + step)
        label = None if y is None else y[:, block]
        _add_block(hessian, trials, patches[..., block, :, :], activation, label)
    return hessian.reshape(*batch, m * p, m * p) / n


def _add_block(total, filters, patches, activation, label):
    """Add one block's ``sum_n g g^T`` of every trial, and its residual term where labelled."""
    trials, m, p = filters.shape
    k = patches.shape[-2]
    z = patches.reshape(*patches.shape[:-3], -1, p)
    u = z @ np.swapaxes(filters, -1, -2)  # (trials, samples k, m)
    if label is None:
        slopes = activation(u, 1)
    else:
        value, slopes, curvature = activation.jet(u)
    slopes = np.swapaxes(slopes.reshape(trials, -1, k, m), -1, -2)
    features = (slopes @ patches).reshape(trials, -1, m * p)
    total += np.swapaxes(features, -1, -2) @ features
    if label is not None:
        residual = value.reshape(trials, -1, k * m).sum(axis=-1) - label
        weights = np.repeat(residual, k, axis=-1)[..., None] * curvature
        for j in range(m):
            own = slice(j * p, (j + 1) * p)
            total[:, own, own] += np.swapaxes(z, -1, -2) @ (weights[..., j, None] * z)
