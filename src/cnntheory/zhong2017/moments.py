"""Hermite moments ``M_j = E[y He_j(z)]`` of one patch, contracted while the samples stream by.

``He_j`` is the j-th Hermite tensor of a patch ``z``, so that for the network of the paper
``M_j = sum_l m_j(|w_l|) (w_l / |w_l|)^{(x) j}``. Every function averages over all ``r`` patches of
a sample: the label's other patches are independent of ``z_i``, and averaging removes their noise.
No tensor of ``k^3`` or ``k^4`` entries exists: a block of patches that fits the cache is projected,
and the products of its columns are multiplied back by one matrix product.

All functions take ``x`` of shape (n, d) with patch ``i`` in ``x[:, i*k:(i+1)*k]``, ``y`` of shape
(n,), in any precision, and compute in float64. Centre ``y`` beforehand to lower the variance.
"""

from __future__ import annotations

import numpy as np

from .network import patch_rows

# Entries of the widest temporary of a block: 1 MiB, about one core's second-level cache.
_BLOCK_ENTRIES = 1 << 17


def first_moment(x, y, patch_size):
    """``M_1 = E[y z]``.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs.
    y : ndarray, shape (n,)
        Labels.
    patch_size : int
        Number ``k`` of coordinates of a patch; ``d`` is a multiple of it.

    Returns
    -------
    ndarray, shape (k,)
        The moment, averaged over samples and patches.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of `patch_size`.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the moments of its tensor initialisation, for one patch.
    """
    return _patch_mean(x, y, patch_size, patch_size, lambda z, c: c @ z)


def second_moment(x, y, patch_size):
    """``M_2 = E[y (z z^T - I)]``, shape (k, k); parameters, errors and source as `first_moment`."""
    S = _patch_mean(x, y, patch_size, patch_size, lambda z, c: (c[:, None] * z).T @ z)
    return S - np.mean(y, dtype=float) * np.eye(patch_size)


def contracted_third_moment(x, y, direction):
    """``M_3(I, I, a)``, one contraction of the third moment.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs.
    y : ndarray, shape (n,)
        Labels.
    direction : ndarray, shape (k,)
        Unit vector ``a``.

    Returns
    -------
    ndarray, shape (k, k)
        ``E[y (a^T z) z z^T] - a M_1^T - M_1 a^T - (a^T M_1) I``.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of ``k``.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the matrix ``P_2`` of activations without a second moment.
    """
    k = len(direction)
    raw = _patch_mean(x, y, k, k, lambda z, c: ((c * (z @ direction))[:, None] * z).T @ z)
    M_1 = first_moment(x, y, k)
    outer = np.outer(direction, M_1)
    return raw - outer - outer.T - (direction @ M_1) * np.eye(k)


def third_moment_unfolding(x, y, V):
    """Distinct columns of the unfolding of ``M_3(I, V, V)``.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs.
    y : ndarray, shape (n,)
        Labels.
    V : ndarray, shape (k, q)
        Orthonormal columns.

    Returns
    -------
    ndarray, shape (k, q (q + 1) / 2)
        Column (a, b), ``a <= b``, is ``M_3(I, v_a, v_b)``, times the square root of two off the
        diagonal: singular values and left vectors are those of the full k x q^2 unfolding.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of ``k``.

    Notes
    -----
    ``n r k q^2`` operations; memory for one block and the result.

    References
    ----------
    Zhong et al., arXiv 1706.03175: the third moment takes ``z^{(x)3}`` less the three placements
    of ``z (x) I``.
    """
    k, q = V.shape
    a, b = np.triu_indices(q)
    raw = _patch_mean(x, y, k, 1 + len(a), lambda z, c: _products(V.T @ z.T, c) @ z)
    first, raw = raw[0], raw[1:].T
    projected = first @ V
    raw = raw - V[:, a] * projected[b] - V[:, b] * projected[a] - first[:, None] * (a == b)
    return raw * np.where(a == b, 1.0, np.sqrt(2.0))


def compressed_moment(x, y, V, order, quadratic=None):
    """``R = M_order(V, .., V)`` straight from the projected patches ``u = V^T z``.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs.
    y : ndarray, shape (n,)
        Labels.
    V : ndarray, shape (k, t)
        Orthonormal columns, so that ``u`` is standard normal too.
    order : {3, 4}
        Order of the moment.
    quadratic : ndarray, shape (t,), optional
        First take ``sum_i sum_a quadratic_a (u_ia^2 - 1) / 2`` off the labels. With the
        eigenvalues of ``M_2`` that belong to `V`, this is their part of Hermite degree 2, which is
        orthogonal to ``He_order`` and only adds to the variance.

    Returns
    -------
    ndarray, shape (t,) * order
        Symmetric; ``sum_l m_order(|w_l|) (V^T w_l / |w_l|)^{(x) order}`` in expectation.

    Raises
    ------
    ValueError
        If the order is not 3 or 4, or ``d`` is not a multiple of ``k``.

    Notes
    -----
    ``n r t (2 k + t^2)`` operations for order 3, ``n r t (2 k + t^3 / 2)`` for order 4.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the third tensor of its tensor initialisation, with the
    fourth moment kept whole instead of contracted with one random vector.
    """
    if order not in (3, 4):
        raise ValueError(f"order: expected 3 or 4, found {order!r}")
    k, t = V.shape
    r = x.shape[1] // k
    a, b = np.triu_indices(t)
    pair = np.zeros((t, t), dtype=int)
    pair[a, b] = pair[b, a] = 1 + np.arange(len(a))
    eye = np.eye(t)

    def raw_moments(z, c):
        u = V.T @ z.T
        if quadratic is not None:
            part = (quadratic @ (u * u) - np.sum(quadratic)).reshape(-1, r).sum(axis=1) / 2
            c = c - np.repeat(part, r)
        weighted = _products(u, c)
        return weighted @ (u if order == 3 else _products(u, np.ones_like(c))).T

    raw = _patch_mean(x, y, k, (order - 2) * (1 + len(a)), raw_moments)
    if order == 3:
        return raw[pair] - _placements("i,jk->ijk", raw[0], eye)
    # E[y uuuu] - (6 placements of S (x) I) + E[y] (3 placements of I (x) I); the last is half of
    # the six placements of I (x) I and joins S.
    S = raw[0][pair] - raw[0, 0] / 2 * eye
    return raw[pair][..., pair] - _placements("ij,kl->ijkl", S, eye)


def subtract_linear(x, y, M_1):
    """Take the part of Hermite degree 1 off the labels: ``y - sum_i M_1^T z_i``.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs.
    y : ndarray, shape (n,)
        Labels.
    M_1 : ndarray, shape (k,)
        First moment.

    Returns
    -------
    ndarray, shape (n,)
        Labels whose higher moments have the same expectation and less variance.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of ``k``.
    """
    result = np.array(y, dtype=float)
    r = x.shape[1] // len(M_1)
    for start, z in _blocks(x, len(M_1), len(M_1)):
        part = (z @ M_1).reshape(-1, r).sum(axis=1)
        result[start : start + len(part)] -= part
    return result


def _placements(product, lower, eye):
    """Sum of the distinct index placements of ``lower (x) I``, for a symmetric `lower`."""
    tensor = np.einsum(product, lower, eye)
    # Where the indices of `lower` go; the rest, in order, belong to the identity.
    orders = [(0, 1, 2), (1, 0, 2), (1, 2, 0)]
    if tensor.ndim == 4:
        orders = [(0, 1, 2, 3), (0, 2, 1, 3), (0, 2, 3, 1)]
        orders += [(2, 0, 1, 3), (2, 0, 3, 1), (2, 3, 0, 1)]
    return sum(tensor.transpose(order) for order in orders)


def _products(u, c):
    """Rows ``c`` and ``c u_a u_b`` for ``a <= b``, given the coordinates as rows of u, (t, m)."""
    t = len(u)
    result = np.empty((1 + t * (t + 1) // 2, u.shape[1]))
    result[0] = c
    position = 1
    for a in range(t):
        np.multiply(c * u[a], u[a:], out=result[position : position + t - a])
        position += t - a
    return result


def _patch_mean(x, y, patch_size, width, term):
    """Average ``term(z, c)``, a sum over a block's patches z (m, k) with their labels c (m,).

    `width` is the number of columns of the widest temporary in `term`; it sets the block.
    """
    r = x.shape[1] // patch_size
    total = 0.0
    for start, z in _blocks(x, patch_size, width):
        labels = np.asarray(y[start : start + len(z) // r], dtype=float)
        total = total + term(z, np.repeat(labels, r))
    return total / (len(x) * r)


def _blocks(x, patch_size, width):
    """Yield the first sample and the patches, float64 (m, k), of blocks that fit the cache."""
    patch_rows(x[:0], patch_size)  # the shape is checked before any work
    r = x.shape[1] // patch_size
    step = max(1, _BLOCK_ENTRIES // (max(width, patch_size) * r))
    for start in range(0, len(x), step):
        block = np.ascontiguousarray(x[start : start + step], dtype=float)
        yield start, patch_rows(block, patch_size)
