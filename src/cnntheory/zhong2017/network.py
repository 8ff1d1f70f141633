"""The network of the paper: one hidden layer of shared filters on disjoint patches, summed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .activations import Activation, as_activation


def network_output(
    filters: np.ndarray, patches: np.ndarray, activation: str | Activation
) -> np.ndarray:
    """``f_W(x) = sum_j sum_i phi(w_j^T P_i x)``: the sum over filters and patches.

    Parameters
    ----------
    filters : ndarray, shape (..., m, p)
        Filters as rows; leading axes are trials.
    patches : ndarray, shape (..., n, k, p)
        Inputs, k patches of p entries each; leading axes, if any, are those of `filters`.
    activation : str or Activation

    Returns
    -------
    ndarray, shape (..., n)
        Outputs.

    Raises
    ------
    ValueError
        If the shapes do not fit or the activation is unknown.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the model.
    """
    activation = as_activation(activation)
    *batch, n, k, p = check_patches(patches, filters.shape[-1])
    rows = patches.reshape(*batch, n * k, p)
    value = activation(rows @ np.swapaxes(filters, -1, -2)).sum(axis=-1)
    return value.reshape(*value.shape[:-1], n, k).sum(axis=-1)


def check_patches(patches, size=None):
    """Shape of an array of patches; ValueError unless it is (..., n, k, p), p the `size` given."""
    shape = np.shape(patches)
    if len(shape) < 3 or 0 in shape[-2:]:
        raise ValueError(
            f"patches: expected shape (n, k, p), k patches of p entries a sample, found {shape}; "
            "use images.extract_patches, or reshape inputs whose patches follow each other"
        )
    if size not in (None, shape[-1]):
        raise ValueError(
            f"patches: expected p = {size} entries a patch, as the filters have, found {shape[-1]}"
            f" in shape {shape}; cut patches of the filters' size"
        )
    return shape


def check_labels(y, shape):
    """Raise ValueError unless there is one label a sample."""
    if np.shape(y) != shape:
        raise ValueError(f"y: expected shape {shape}, one label a sample, found {np.shape(y)}")


def draw_teacher(
    n_filters: int, patch_size: int, condition: float = 2.0, *, rng: np.random.Generator | int
) -> np.ndarray:
    """Draw filters with evenly spaced singular values ``1, .., kappa`` and Haar factors.

    Parameters
    ----------
    n_filters, patch_size : int
        Shape of the result, ``1 <= n_filters <= patch_size``.
    condition : float, optional
        Condition number ``kappa`` of at least 1; the smallest singular value is 1 (with a single
        filter it is the only one).
    rng : numpy.random.Generator or int

    Returns
    -------
    ndarray, shape (n_filters, patch_size)
        Filters as rows; the paper's ``W*`` is the transpose.

    Raises
    ------
    ValueError
        If there are more filters than entries in a patch, or ``kappa < 1``.

    References
    ----------
    The generator of the experiments of Zhong et al., arXiv 1706.03175, which uses ``kappa = 2``.
    """
    if not 1 <= n_filters <= patch_size:
        raise ValueError(
            f"n_filters: expected between 1 and patch_size={patch_size}, found {n_filters}; "
            "the filters must be linearly independent, use fewer or larger ones"
        )
    if condition < 1:
        raise ValueError(f"condition: expected at least 1, found {condition}; give kappa itself")
    rng = np.random.default_rng(rng)
    left = _haar(rng, patch_size)[:, :n_filters]
    return (left * np.linspace(1.0, condition, n_filters) @ _haar(rng, n_filters).T).T


def _haar(rng, size):
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def match_filters(filters: np.ndarray, teacher: np.ndarray) -> np.ndarray:
    """Permute filters to lie closest to those of `teacher` (Hungarian algorithm).

    Parameters
    ----------
    filters, teacher : ndarray, shape (m, p)

    Returns
    -------
    ndarray, shape (m, p)
        ``filters[order]`` with the least sum of squared distances to `teacher`.

    Raises
    ------
    ValueError
        If the shapes differ or an entry of `filters` is not finite.
    """
    from scipy.optimize import linear_sum_assignment  # much of the start-up otherwise

    if filters.shape != teacher.shape:
        raise ValueError(
            f"filters: expected the shape of teacher {teacher.shape}, found {filters.shape}; "
            "filters are rows"
        )
    if not np.isfinite(filters).all():
        raise ValueError("filters: expected finite ones, found NaN or infinity; drop that trial")
    distance = ((filters[:, None] - teacher) ** 2).sum(axis=-1)
    rows, columns = linear_sum_assignment(distance)
    return filters[rows[np.argsort(columns)]]


class RecoveryError(NamedTuple):
    """Relative errors of filters after matching them to those of a teacher.

    Attributes
    ----------
    largest : float
        ``max_j |w_j - w_j*| / |w_j*|``.
    frobenius : float
        ``|W - W*|_F / |W*|_F``.
    """

    largest: float
    frobenius: float


def recovery_error(filters: np.ndarray, teacher: np.ndarray) -> RecoveryError:
    """Match filters to those of a teacher and measure how far they are.

    Parameters
    ----------
    filters, teacher : ndarray, shape (m, p)
        Filters as rows, none of `teacher` zero.

    Returns
    -------
    RecoveryError

    Raises
    ------
    ValueError
        As `match_filters`.
    """
    difference = match_filters(filters, teacher) - teacher
    each = np.linalg.norm(difference, axis=1) / np.linalg.norm(teacher, axis=1)
    total = np.linalg.norm(difference) / np.linalg.norm(teacher)
    return RecoveryError(float(each.max()), float(total))
