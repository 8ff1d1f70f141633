"""The network of the paper: one hidden layer of shared kernels on disjoint patches, summed."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from .activations import check_activation, phi


def network_output(W, x, activation):
    """``f_W(x) = sum_j sum_i phi(w_j^T P_i x)``, where patch ``i`` is ``x[:, i*k:(i+1)*k]``.

    Parameters
    ----------
    W : ndarray, shape (..., patch_size, kernels)
        Kernels as columns; leading axes are trials.
    x : ndarray, shape (n, d)
        Inputs shared by all trials, ``d`` a multiple of `patch_size`.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.

    Returns
    -------
    ndarray, shape (..., n)
        Outputs.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of `patch_size` or the activation is unknown.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the model.
    """
    check_activation(activation)
    z = patch_rows(x, W.shape[-2])
    value = phi(z @ W, activation).sum(axis=-1)
    return value.reshape(*W.shape[:-2], len(x), -1).sum(axis=-1)


def patch_rows(x, patch_size):
    """View ``x`` of shape (n, r k) as its ``n r`` patches, shape (n r, k), sample by sample."""
    if x.ndim != 2 or patch_size < 1 or x.shape[1] % patch_size:
        raise ValueError(
            f"x: expected shape (n, d) with d a multiple of patch_size={patch_size}, found "
            f"{tuple(x.shape)}; choose a patch_size that divides d, or pad the inputs"
        )
    return x.reshape(-1, patch_size)


def draw_teacher(rng, patch_size, kernels, condition=2.0):
    """Draw ``W* = U diag(1, .., kappa) V^T`` with Haar factors and evenly spaced singular values.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    patch_size, kernels : int
        Shape of the result, ``1 <= kernels <= patch_size``.
    condition : float, optional
        Condition number ``kappa`` of at least 1; the smallest singular value is 1 (with a single
        kernel it is the only one).

    Returns
    -------
    ndarray, shape (patch_size, kernels)
        The kernels.

    Raises
    ------
    ValueError
        If there are more kernels than coordinates in a patch, or ``kappa < 1``.

    References
    ----------
    The generator of the experiments of Zhong et al., arXiv 1706.03175, which uses ``kappa = 2``.
    """
    if not 1 <= kernels <= patch_size:
        raise ValueError(
            f"kernels: expected between 1 and patch_size={patch_size}, found {kernels}; "
            "W* must have full column rank"
        )
    if condition < 1:
        raise ValueError(f"condition: expected at least 1, found {condition}")
    left = _haar(rng, patch_size)[:, :kernels]
    return left * np.linspace(1.0, condition, kernels) @ _haar(rng, kernels).T


def _haar(rng, size):
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def match_kernels(W, teacher):
    """Permute the columns of `W` to lie closest to those of `teacher` (Hungarian algorithm).

    Parameters
    ----------
    W, teacher : ndarray, shape (patch_size, kernels)
        Kernels as columns.

    Returns
    -------
    ndarray, shape (patch_size, kernels)
        ``W[:, order]`` with the least sum of squared distances to `teacher`.

    Raises
    ------
    ValueError
        If the shapes differ or an entry of `W` is not finite.
    """
    if W.shape != teacher.shape:
        raise ValueError(f"W: expected the shape of teacher {teacher.shape}, found {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError("W: expected finite kernels, found NaN or infinity; drop that trial")
    distance = ((W[:, :, None] - teacher[:, None, :]) ** 2).sum(axis=0)
    rows, columns = linear_sum_assignment(distance)
    return W[:, rows[np.argsort(columns)]]


def recovery_error(W, teacher):
    """Relative errors of `W` after matching its kernels to those of `teacher`.

    Parameters
    ----------
    W, teacher : ndarray, shape (patch_size, kernels)
        Kernels as columns, no column of `teacher` zero.

    Returns
    -------
    max_column : float
        ``max_j |w_j - w_j*| / |w_j*|``.
    frobenius : float
        ``|W - W*|_F / |W*|_F``.
    """
    difference = match_kernels(W, teacher) - teacher
    columns = np.linalg.norm(difference, axis=0) / np.linalg.norm(teacher, axis=0)
    return columns.max(), np.linalg.norm(difference) / np.linalg.norm(teacher)
