"""Losses, on a sample and under the Gaussian distribution, and gradient descent on them."""

from __future__ import annotations

import numpy as np

from .activations import LEAK, check_activation, gamma, phi_and_slope
from .network import patch_rows

# Entries of a block's pre-activations: half a mebibyte, so that its temporaries share the cache.
_BLOCK_ENTRIES = 1 << 16


def empirical_objective(x, y, patch_size, activation):
    """Make the empirical loss ``f_S(W) = sum_n (f_W(x_n) - y_n)^2 / (2 n)`` and its gradient.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Inputs, shared by all starts.
    y : ndarray, shape (n,)
        Labels.
    patch_size : int
        Number ``k`` of coordinates of a patch.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.

    Returns
    -------
    callable
        Maps kernels, shape (starts, patch_size, kernels), to the losses, shape (starts,), and the
        gradients, the shape of the kernels.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of `patch_size` or the activation is unknown.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, the empirical risk.
    """
    check_activation(activation)
    patch_rows(x[:0], patch_size)
    n, r = len(x), x.shape[1] // patch_size
    # Coordinates first, samples last: sums over patches and kernels then add whole rows.
    z = np.ascontiguousarray(np.asarray(x, float).reshape(n, r, patch_size).transpose(2, 1, 0))

    def objective(W):
        starts, k, t = W.shape
        rows = W.transpose(0, 2, 1).reshape(-1, k)
        loss, gradient = np.zeros(starts), np.zeros((starts * t, k))
        step = max(1, _BLOCK_ENTRIES // (starts * t * r))
        for first in range(0, n, step):
            block = np.ascontiguousarray(z[:, :, first : first + step]).reshape(k, -1)
            value, slope = phi_and_slope(rows @ block, activation)
            output = value.reshape(starts, t * r, -1).sum(axis=1)
            residual = output - y[first : first + step]
            slope = slope.reshape(starts, t * r, -1) * residual[:, None]
            loss += (residual**2).sum(axis=1)
            gradient += slope.reshape(starts * t, -1) @ block.T
        return loss / (2 * n), gradient.reshape(starts, t, k).transpose(0, 2, 1) / n

    return objective


def population_objective(teacher, activation, patches):
    """Make the population loss ``f_D(W) = E (f_W(x) - f_{W*}(x))^2 / 2`` and its gradient.

    With the kernel ``K(u, v) = E[phi(u^T z) phi(v^T z)]`` and the mean difference
    ``mu = sum_j E phi(w_j^T z) - sum_j E phi(w_j*^T z)``,

        ``2 f_D(W) = r (K(W, W) - 2 K(W, W*) + K(W*, W*) - mu^2) + r^2 mu^2``,

    K between sets being the sum over pairs: ``r`` variances, and the mean of ``r`` patches squared.

    Parameters
    ----------
    teacher : ndarray, shape (patch_size, kernels) or (starts, patch_size, kernels)
        The true kernels ``W*``, none zero.
    activation : {"relu", "leaky_relu", "erf"}
        Those whose kernel is closed.
    patches : int
        Number ``r`` of disjoint patches.

    Returns
    -------
    callable
        Maps kernels, shape (starts, patch_size, kernels), none zero, to the losses, shape
        (starts,), and the gradients, the shape of the kernels.

    Raises
    ------
    ValueError
        If the activation has no closed kernel here, or ``patches < 1``.

    References
    ----------
    ReLU: Cho & Saul, "Kernel methods for deep learning" (2009); erf: Williams, "Computing with
    infinite networks" (1996). The loss is Zhong, Song & Dhillon, arXiv 1711.03440, the expected
    risk.
    """
    if activation not in _KERNELS:
        raise ValueError(
            f"activation: expected one of {', '.join(_KERNELS)}, found {activation!r}; use "
            "empirical_objective with a large sample"
        )
    if patches < 1:
        raise ValueError(f"patches: expected at least 1, found {patches}")
    kernel = _KERNELS[activation]
    target_mean = _mean_output(teacher, activation)[0]
    own = kernel(teacher, teacher)[0]

    def objective(W):
        to_self, slope_self = kernel(W, W)
        to_teacher, slope_teacher = kernel(W, teacher)
        mean, mean_slope = _mean_output(W, activation)
        mu = mean - target_mean
        one_patch = to_self - 2 * to_teacher + own
        loss = (patches * one_patch + patches * (patches - 1) * mu**2) / 2
        cross = patches * (patches - 1) * mu[..., None, None] * mean_slope
        # Near the truth the terms cancel to rounding error, of either sign.
        return np.maximum(loss, 0.0), patches * (slope_self - slope_teacher) + cross

    return objective


def _mean_output(W, activation):
    """``sum_j E phi(w_j^T z)`` and its gradient; zero for odd activations, linear in |w| else."""
    norms = np.linalg.norm(W, axis=-2, keepdims=True)
    rate = gamma(0, 1.0, activation)
    return rate * norms.sum(axis=(-2, -1)), rate * W / norms


def _relu_kernel(U, V):
    """``sum_jl K(u_j, v_l)`` and the gradient in U of its first argument alone."""
    inner = np.swapaxes(U, -1, -2) @ V
    u = np.linalg.norm(U, axis=-2)[..., :, None]
    v = np.linalg.norm(V, axis=-2)[..., None, :]
    # Half the angle from the chord: arccos would lose half the digits where u and v nearly agree,
    # which is where the descent ends.
    first, second = np.swapaxes(U, -1, -2) / u, np.swapaxes(V, -1, -2) / np.swapaxes(v, -1, -2)
    chord = np.linalg.norm(first[..., :, None, :] - second[..., None, :, :], axis=-1)
    chord_back = np.linalg.norm(first[..., :, None, :] + second[..., None, :, :], axis=-1)
    angle = 2 * np.arctan2(chord, chord_back)
    sine = chord * chord_back / 2
    value = u * v * sine + (np.pi - angle) * inner
    slope = V @ np.swapaxes(np.pi - angle, -1, -2)
    slope = slope + U * np.swapaxes((v * sine / u).sum(axis=-1, keepdims=True), -1, -2)
    return value.sum(axis=(-2, -1)) / (2 * np.pi), slope / (2 * np.pi)


def _leaky_relu_kernel(U, V):
    """``phi(z) = a z + (1 - a) relu(z)``: the ReLU's kernel and a share a of the linear one."""
    value, slope = _relu_kernel(U, V)
    total = V.sum(axis=-1)
    linear = (U.sum(axis=-1) * total).sum(axis=-1)
    return LEAK * linear + (1 - LEAK) ** 2 * value, (
        LEAK * total[..., :, None] + (1 - LEAK) ** 2 * slope
    )


def _erf_kernel(U, V):
    """``K(u, v) = arcsin(2 u^T v / sqrt((1 + 2 u^T u)(1 + 2 v^T v))) / 2``."""
    inner = 2 * np.swapaxes(U, -1, -2) @ V
    u = 1 + 2 * (U**2).sum(axis=-2)[..., :, None]
    v = 1 + 2 * (V**2).sum(axis=-2)[..., None, :]
    root = np.sqrt(u * v - inner**2)
    slope = V @ np.swapaxes(1 / root, -1, -2)
    slope = slope - U * np.swapaxes((inner / (u * root)).sum(axis=-1, keepdims=True), -1, -2)
    return np.arcsin(inner / np.sqrt(u * v)).sum(axis=(-2, -1)) / 2, slope


_KERNELS = {"relu": _relu_kernel, "leaky_relu": _leaky_relu_kernel, "erf": _erf_kernel}


def gradient_descent(starts, objective, hessian, *, steps, refresh=20, tolerance=0.0):
    """Descend from many starts at once, with steps ``1 / lambda_max`` of the current Hessian.

    Parameters
    ----------
    starts : ndarray, shape (starts, patch_size, kernels)
        Initial kernels.
    objective : callable
        Maps kernels to losses and gradients: `empirical_objective`, `population_objective`, or one
        that draws a fresh sample at each call, as the theorem's resampling does.
    hessian : callable
        Maps kernels, shape (m, patch_size, kernels), to Hessians, shape (m, t k, t k), as
        `population_hessian` and `empirical_hessian` do. Only its largest eigenvalue is used.
    steps : int
        Number of steps.
    refresh : int, optional
        Take the Hessian anew every so many steps, and at each of the steps 0, 1, 2, 4, 8, .. at
        first, when the curvature changes fastest.
    tolerance : float, optional
        A start whose loss has reached this value stays where it is; when all have, the descent
        ends.

    Yields
    ------
    W : ndarray, shape (starts, patch_size, kernels)
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
    W = np.array(starts, dtype=float)
    step = np.empty(len(W))
    for iteration in range(steps + 1):
        loss, gradient = objective(W)
        yield W, loss
        moving = ~(loss <= tolerance)
        if iteration == steps or not moving.any():
            return
        if iteration % refresh == 0 or (iteration & (iteration - 1)) == 0:
            step[moving] = 1 / np.linalg.eigvalsh(hessian(W[moving]))[:, -1]
        W = np.where(moving[:, None, None], W - step[:, None, None] * gradient, W)


def levenberg_marquardt(starts, x, y, activation, *, steps=200, tolerance=1e-20):
    """Minimise the empirical loss by damped Gauss-Newton steps, many problems at once.

    Second-order steps, so that a run that has not arrived has stopped somewhere else, and is not
    merely slow as a gradient descent with a small ratio of eigenvalues is.

    Parameters
    ----------
    starts : ndarray, shape (problems, patch_size, kernels)
        Initial kernels.
    x : ndarray, shape (problems, n, d)
        Inputs, a sample for each problem.
    y : ndarray, shape (problems, n)
        Labels.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS`.
    steps : int, optional
        Largest number of steps tried.
    tolerance : float, optional
        Loss at which a problem is done; it is also done when a step is shorter than 1e-12 of its
        kernels or no longer decreases the loss at any damping.

    Returns
    -------
    W : ndarray, shape (problems, patch_size, kernels)
        Where the runs end.
    loss : ndarray, shape (problems,)
        ``sum_n (f_W(x_n) - y_n)^2 / (2 n)`` there.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of `patch_size` or the activation is unknown.

    Notes
    -----
    ``problems n (t k)^2`` operations a step, and memory for the Jacobians, ``problems n t k``.

    References
    ----------
    Levenberg (1944), Marquardt (1963), with the damping of the refinement of tensors here.
    """
    check_activation(activation)
    patch_rows(x[0, :0], starts.shape[-2])
    W = np.array(starts, dtype=float)
    loss = np.empty(len(W))
    damping = np.full(len(W), 1e-2)
    active = np.arange(len(W))
    loss[:], slope, curvature = _gauss_newton(W, x, y, activation)
    for _ in range(steps):
        # Never zero: with fewer samples than unknowns, or dead kernels, the matrix is singular.
        size = np.maximum(np.einsum("pii->pi", curvature).max(axis=1), np.finfo(float).eps)
        shift = (damping[active] * size)[:, None, None] * np.eye(slope.shape[1])
        step = np.linalg.solve(curvature + shift, slope[..., None])[..., 0]
        trial = W[active] - step.reshape(len(active), *W.shape[:0:-1]).swapaxes(1, 2)
        found = _gauss_newton(trial, x[active], y[active], activation)
        better = found[0] < loss[active]
        W[active[better]], loss[active[better]] = trial[better], found[0][better]
        slope[better], curvature[better] = found[1][better], found[2][better]
        damping[active] = np.maximum(damping[active] * np.where(better, 0.1, 10.0), 1e-12)
        short = np.linalg.norm(step, axis=1) < 1e-12 * np.linalg.norm(W[active], axis=(1, 2))
        going = (loss[active] > tolerance) & (damping[active] < 1e10) & ~(better & short)
        active, slope, curvature = active[going], slope[going], curvature[going]
        if not active.size:
            break
    return W, loss


def _gauss_newton(W, x, y, activation):
    """Losses, gradients (problems, t k) and Gauss-Newton matrices of problems with own samples."""
    problems, n, d = x.shape
    _, k, t = W.shape
    z = x.reshape(problems, n * (d // k), k)
    value, slope = phi_and_slope(z @ W, activation)
    residual = value.reshape(problems, n, -1).sum(axis=-1) - y
    slope = slope.reshape(problems, n, -1, t).swapaxes(-1, -2)
    jacobian = (slope @ x.reshape(problems, n, -1, k)).reshape(problems, n, t * k)
    gradient = (residual[:, None] @ jacobian)[:, 0]
    return (
        (residual**2).sum(axis=1) / (2 * n),
        gradient / n,
        jacobian.swapaxes(-1, -2) @ jacobian / n,
    )
