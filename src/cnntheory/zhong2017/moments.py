"""Hermite moments ``M_j = E[y He_j(z)]`` of one patch, contracted while the samples stream by.

``He_j`` is the j-th Hermite tensor of a patch ``z``, so that for the network of the paper
``M_j = sum_l m_j(|w_l|) (w_l / |w_l|)^{(x) j}``. Every function averages over all ``k`` patches of
a sample: the label's other patches are independent of ``z_i``, and averaging removes their noise.
No tensor of ``p^3`` or ``p^4`` entries exists: a block of patches that fits the cache is projected,
and the products of its columns are multiplied back by one matrix product.

All functions take ``patches`` of shape (n, k, p) and ``y`` of shape (n,), in any precision, and
compute in float64. Centre ``y`` beforehand to lower the variance. The moments are those of Zhong et
al., arXiv 1706.03175, for one patch; ``V`` has orthonormal columns.
"""

from __future__ import annotations

import numpy as np

from .network import check_patches

# Entries of the widest temporary of a block: 1 MiB, about one core's second-level cache.
_BLOCK_ENTRIES = 1 << 17


def first_moment(patches, y):
    """``M_1 = E[y z]``, shape (p,)."""
    return _patch_mean(patches, y, 0, lambda z, c: c @ z)


def second_moment(patches, y):
    """``M_2 = E[y (z z^T - I)]``, shape (p, p)."""
    S = _patch_mean(patches, y, 0, lambda z, c: (c[:, None] * z).T @ z)
    return S - np.mean(y, dtype=float) * np.eye(len(S))


def contracted_third_moment(patches, y, direction):
    """``M_3(I, I, a) = E[y (a^T z) z z^T] - a M_1^T - M_1 a^T - (a^T M_1) I``, shape (p, p)."""
    raw = _patch_mean(patches, y, 0, lambda z, c: ((c * (z @ direction))[:, None] * z).T @ z)
    M_1 = first_moment(patches, y)
    outer = np.outer(direction, M_1)
    return raw - outer - outer.T - (direction @ M_1) * np.eye(len(M_1))


def third_moment_unfolding(patches, y, V):
    """Distinct columns of the unfolding of ``M_3(I, V, V)``, shape (p, q (q + 1) / 2) for q in V.

    Column (a, b), ``a <= b``, is ``M_3(I, v_a, v_b)``, times the square root of two off the
    diagonal: singular values and left vectors are those of the full p x q^2 unfolding. It takes
    ``n k p q^2`` operations, and memory for one block and the result.
    """
    a, b = np.triu_indices(V.shape[1])
    raw = _patch_mean(patches, y, 1 + len(a), lambda z, c: _products(V.T @ z.T, c) @ z)
    first, raw = raw[0], raw[1:].T
    projected = first @ V
    raw = raw - V[:, a] * projected[b] - V[:, b] * projected[a] - first[:, None] * (a == b)
    return raw * np.where(a == b, 1.0, np.sqrt(2.0))


def compressed_moment(patches, y, V, order, quadratic=None):
    """``R = M_order(V, .., V)`` straight from the projected patches ``u = V^T z``.

    Parameters
    ----------
    patches, y, V
        Of shapes (n, k, p), (n,) and (p, t).
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

    Notes
    -----
    ``n k t (2 p + t^2)`` operations for order 3, ``n k t (2 p + t^3 / 2)`` for order 4.
    """
    if order not in (3, 4):
        raise ValueError(f"order: expected 3 or 4, found {order!r}")
    k, t = patches.shape[1], V.shape[1]
    a, b = np.triu_indices(t)
    pair = np.zeros((t, t), dtype=int)
    pair[a, b] = pair[b, a] = 1 + np.arange(len(a))
    eye = np.eye(t)

    def raw_moments(z, c):
        u = V.T @ z.T
        if quadratic is not None:
            part = (quadratic @ (u * u) - np.sum(quadratic)).reshape(-1, k).sum(axis=1) / 2
            c = c - np.repeat(part, k)
        weighted = _products(u, c)
        return weighted @ (u if order == 3 else _products(u, np.ones_like(c))).T

    raw = _patch_mean(patches, y, (order - 2) * (1 + len(a)), raw_moments)
    if order == 3:
        return raw[pair] - _placements("i,jk->ijk", raw[0], eye)
    # E[y uuuu] - (6 placements of S (x) I) + E[y] (3 placements of I (x) I); the last is half of
    # the six placements of I (x) I and joins S.
    S = raw[0][pair] - raw[0, 0] / 2 * eye
    return raw[pair][..., pair] - _placements("ij,kl->ijkl", S, eye)


def subtract_linear(patches, y, M_1):
    """Take the part of Hermite degree 1 off the labels: ``y - sum_i M_1^T z_i``, shape (n,).

    Their higher moments keep their expectation and lose variance.
    """
    result = np.array(y, dtype=float)
    for start, z in _blocks(patches, 0):
        part = (z @ M_1).reshape(-1, patches.shape[1]).sum(axis=1)
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


def _patch_mean(patches, y, width, term):
    """Average ``term(z, c)``, a sum over a block's patches z (rows, p) with their labels c (rows,).

    `width` is the number of columns of the widest temporary in `term`, if wider than a patch.
    """
    n, k, _ = check_patches(patches)
    total = 0.0
    for start, z in _blocks(patches, width):
        labels = np.asarray(y[start : start + len(z) // k], dtype=float)
        total = total + term(z, np.repeat(labels, k))
    return total / (n * k)


def _blocks(patches, width):
    """Yield the first sample and the patches, float64 (rows, p), of blocks that fit the cache."""
    n, k, p = check_patches(patches)
    step = max(1, _BLOCK_ENTRIES // (max(width, p) * k))
    for start in range(0, n, step):
        yield start, np.ascontiguousarray(patches[start : start + step], float).reshape(-1, p)
