"""Losses, on a sample and under the Gaussian distribution, and descent on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .activations import Activation, as_activation
from .hessian import check_count
from .network import check_labels, check_patches

Objective = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

# Entries of a block's pre-activations: half a mebibyte, so that its temporaries share the cache.
_BLOCK_ENTRIES = 1 << 16


def empirical_objective(
    patches: np.ndarray, y: np.ndarray, activation: str | Activation
) -> Objective:
    """Make the empirical loss ``f_S(W) = sum_n (f_W(x_n) - y_n)^2 / (2 n)`` and its gradient.

    Parameters
    ----------
    patches : ndarray, shape (n, k, p) or (starts, n, k, p)
        Inputs, shared by all starts or a sample for each.
    y : ndarray, shape (n,) or (starts, n)
        Labels.
    activation : str or Activation

    Returns
    -------
    callable
        Maps filters, shape (starts, m, p), to the losses, shape (starts,), and the gradients, the
        shape of the filters.

    Raises
    ------
    ValueError
        If the shapes do not fit or the activation is unknown.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the empirical risk.
    """
    activation = as_activation(activation)
    *own, n, k, p = check_patches(patches)
    check_labels(y, (*own, n))
    # Entries first, samples last: sums over patches and filters then add whole rows.
    z = np.ascontiguousarray(np.swapaxes(np.asarray(patches, float), -1, -3))

    def objective(filters):
        starts, m, _ = filters.shape
        if own not in ([], [starts]):
            raise ValueError(f"filters: expected {own[0]} starts, one a sample, found {starts}")
        # On a shared sample the filters of all starts are the rows of one product.
        rows = filters if own else filters.reshape(-1, p)
        loss, gradient = np.zeros(starts), np.zeros(rows.shape)
        step = max(1, _BLOCK_ENTRIES // (starts * m * k))
        for first in range(0, n, step):
            block = np.ascontiguousarray(z[..., first : first + step]).reshape(*own, p, -1)
            value, slope = activation.jet(rows @ block, 1)
            output = value.reshape(starts, m * k, -1).sum(axis=1)
            residual = output - y[..., first : first + step]
            slope = slope.reshape(starts, m * k, -1) * residual[:, None]
            loss += (residual**2).sum(axis=1)
            gradient += slope.reshape(*rows.shape[:-1], -1) @ np.swapaxes(block, -1, -2)
        return loss / (2 * n), gradient.reshape(starts, m, p) / n

    return objective


def population_objective(
    teacher: np.ndarray, activation: str | Activation, n_patches: int
) -> Objective:
    """Make the population loss ``f_D(W) = E (f_W(x) - f_{W*}(x))^2 / 2`` and its gradient.

    With the kernel ``K(u, v) = E[phi(u^T z) phi(v^T z)]``, r patches and the mean difference
    ``mu = sum_j E phi(w_j^T z) - sum_j E phi(w_j*^T z)``,

        ``2 f_D(W) = r (K(W, W) - 2 K(W, W*) + K(W*, W*) - mu^2) + r^2 mu^2``,

    K between sets being the sum over pairs: ``r`` variances, and the mean of ``r`` patches squared.

    Parameters
    ----------
    teacher : ndarray, shape (m, p) or (starts, m, p)
        The true filters, none zero.
    activation : str or Activation
        One whose kernel is closed: relu, leaky_relu, linear or erf.
    n_patches : int
        Number ``r`` of disjoint patches.

    Returns
    -------
    callable
        Maps filters, shape (starts, m, p), none zero, to the losses, shape (starts,), and the
        gradients, the shape of the filters.

    Raises
    ------
    ValueError
        If the activation has no closed kernel here, or ``n_patches < 1``.

    References
    ----------
    The loss is Zhong, Song & Dhillon, arXiv 1711.03440, the expected risk.
    """
    activation = as_activation(activation)
    check_count(n_patches)
    own = activation.kernel(teacher, teacher)[0]
    # The mean is linear in |w| for those of degree 1, and zero for erf.
    rate = activation.gamma(0, 1.0)
    target = rate * np.linalg.norm(teacher, axis=-1).sum(axis=-1)

    def objective(filters):
        to_self, slope_self = activation.kernel(filters, filters)
        to_teacher, slope_teacher = activation.kernel(filters, teacher)
        norms = np.linalg.norm(filters, axis=-1)
        mu = rate * norms.sum(axis=-1) - target
        one_patch = to_self - 2 * to_teacher + own
        loss = (n_patches * one_patch + n_patches * (n_patches - 1) * mu**2) / 2
        cross = n_patches * (n_patches - 1) * mu[..., None, None]
        cross = cross * (rate * filters / norms[..., None])
        # Near the truth the terms cancel to rounding error, of either sign.
        return np.maximum(loss, 0.0), n_patches * (slope_self - slope_teacher) + cross

    return objective


def gradient_descent(
    filters: np.ndarray,
    objective: Objective,
    hessian: Callable[[np.ndarray], np.ndarray],
    *,
    max_iter: int,
    refresh: int = 20,
    tol: float = 0.0,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Descend from many starts at once, with steps ``1 / lambda_max`` of the current Hessian.

    Parameters
    ----------
    filters : ndarray, shape (starts, m, p)
        Where to start.
    objective : callable
        Maps filters to losses and gradients: `empirical_objective`, `population_objective`, or one
        that draws a fresh sample at each call, as the theorem's resampling does.
    hessian : callable
        Maps filters to Hessians, shape (starts, m p, m p), as `population_hessian` and
        `empirical_hessian` do. Only its largest eigenvalue is used.
    max_iter : int
        Number of steps.
    refresh : int, optional
        Take the Hessian anew every so many steps, and at each of the steps 0, 1, 2, 4, 8, .. at
        first, when the curvature changes fastest.
    tol : float, optional
        A start whose loss has reached this value stays where it is; when all have, the descent
        ends.

    Yields
    ------
    filters : ndarray, shape (starts, m, p)
        Iterates, the starts first; never modified later.
    loss : ndarray, shape (starts,)
        Their losses.

    Notes
    -----
    The theorem's step is ``1 / M_0`` with ``M_0`` an upper bound of the Hessian near the truth.
    Far from it the squared ReLU is steeper, and a fixed step diverges.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the linear convergence theorem.
    """
    W = np.array(filters, dtype=float)
    for iteration in range(max_iter + 1):
        loss, gradient = objective(W)
        yield W, loss
        moving = ~(loss <= tol)
        if iteration == max_iter or not moving.any():
            return
        if iteration % refresh == 0 or (iteration & (iteration - 1)) == 0:
            step = 1 / np.linalg.eigvalsh(hessian(W))[:, -1]
        W = np.where(moving[:, None, None], W - step[:, None, None] * gradient, W)


@dataclass(frozen=True)
class Solution:
    """Where `train_levenberg_marquardt` ends.

    Attributes
    ----------
    filters : ndarray, shape (problems, m, p)
    loss : ndarray, shape (problems,)
        ``sum_n (f_W(x_n) - y_n)^2 / (2 n)`` there.
    n_iter : ndarray of int, shape (problems,)
        Steps tried.
    converged : ndarray of bool, shape (problems,)
        Whether a problem was done before `max_iter` steps, at the truth or anywhere else.
    """

    filters: np.ndarray
    loss: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray


def train_levenberg_marquardt(
    filters: np.ndarray,
    patches: np.ndarray,
    y: np.ndarray,
    activation: str | Activation,
    *,
    max_iter: int = 200,
    tol: float = 1e-20,
) -> Solution:
    """Minimise the empirical loss by damped Gauss-Newton steps, many problems at once.

    Second-order steps, so that a run that has not arrived has stopped somewhere else, and is not
    merely slow as a gradient descent with a small ratio of eigenvalues is.

    Parameters
    ----------
    filters : ndarray, shape (problems, m, p)
        Where to start.
    patches : ndarray, shape (problems, n, k, p)
        Inputs, a sample for each problem.
    y : ndarray, shape (problems, n)
        Labels.
    activation : str or Activation
    max_iter : int, optional
        Largest number of steps tried.
    tol : float, optional
        Loss at which a problem is done; it is also done when a step is shorter than 1e-12 of its
        filters or no longer decreases the loss at any damping.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        If the shapes do not fit or the activation is unknown.

    Notes
    -----
    ``problems n (m p)^2`` operations a step, and memory for the Jacobians, ``problems n m p``.

    References
    ----------
    Levenberg (1944), Marquardt (1963), with the damping of the refinement of tensors here.
    """
    activation = as_activation(activation)
    if check_patches(patches, filters.shape[-1])[:-3] != filters.shape[:-2]:
        raise ValueError(
            f"patches: expected shape (problems, n, k, p) with one sample for each of the "
            f"{len(filters)} filters' problems, found {patches.shape}"
        )
    check_labels(y, patches.shape[:-2])
    W = np.array(filters, dtype=float)
    loss, slope, curvature = _gauss_newton(W, patches, y, activation)
    damping, n_iter = np.full(len(W), 1e-2), np.zeros(len(W), dtype=int)
    active = np.arange(len(W))
    for _ in range(max_iter):
        # Never zero: with fewer samples than unknowns, or dead filters, the matrix is singular.
        size = np.maximum(np.einsum("pii->pi", curvature).max(axis=1), np.finfo(float).eps)
        shift = (damping[active] * size)[:, None, None] * np.eye(slope.shape[1])
        step = np.linalg.solve(curvature + shift, slope[..., None])[..., 0]
        trial = W[active] - step.reshape(-1, *W.shape[1:])
        found = _gauss_newton(trial, patches[active], y[active], activation)
        better = found[0] < loss[active]
        W[active[better]], loss[active[better]] = trial[better], found[0][better]
        slope[better], curvature[better] = found[1][better], found[2][better]
        damping[active] = np.maximum(damping[active] * np.where(better, 0.1, 10.0), 1e-12)
        n_iter[active] += 1
        short = np.linalg.norm(step, axis=1) < 1e-12 * np.linalg.norm(W[active], axis=(1, 2))
        going = (loss[active] > tol) & (damping[active] < 1e10) & ~(better & short)
        active, slope, curvature = active[going], slope[going], curvature[going]
        if not active.size:
            break
    return Solution(W, loss, n_iter, ~np.isin(np.arange(len(W)), active))


def _gauss_newton(filters, patches, y, activation):
    """Losses, gradients (problems, m p) and Gauss-Newton matrices of problems with own samples."""
    problems, n, k, p = patches.shape
    m = filters.shape[1]
    z = patches.reshape(problems, n * k, p)
    value, slope = activation.jet(z @ np.swapaxes(filters, -1, -2), 1)
    residual = value.reshape(problems, n, -1).sum(axis=-1) - y
    slope = slope.reshape(problems, n, k, m).swapaxes(-1, -2)
    jacobian = (slope @ patches).reshape(problems, n, m * p)
    gradient = (residual[:, None] @ jacobian)[:, 0]
    return (
        (residual**2).sum(axis=1) / (2 * n),
        gradient / n,
        jacobian.swapaxes(-1, -2) @ jacobian / n,
    )
