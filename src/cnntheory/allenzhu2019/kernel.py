"""The tangent kernel ``K_ij = <grad f(x_i), grad f(x_j)>``, its limit, and what it predicts.

With the factors of the gradient no Jacobian is formed:
``K_ij = sum_l <h_{i,l-1}, h_{j,l-1}> <p_{i,l}, p_{j,l}>``.
"""

from __future__ import annotations

import numpy as np
import torch

from .networks import backward, forward


def gram_matrix(net, X, *, signals=None, per_layer=False):
    """The empirical tangent kernel on the inputs.

    Parameters
    ----------
    net : Network
    X : tensor, shape (S, n, p)
        The inputs of each trial.
    signals : Signals, optional
        Of a forward pass of `X`, if there has been one.
    per_layer : bool, optional
        Return the terms of the L trained matrices one by one.

    Returns
    -------
    tensor, shape (S, n d, n d) or (S, L, n d, n d)
        Sample-major: the d outputs of an input follow each other.

    Raises
    ------
    ValueError
        The inputs have not the shape that the networks expect.

    Notes
    -----
    ``||grad F||^2 = r^T K r`` for the squared loss with residuals r.
    """
    signals = forward(net, X) if signals is None else signals
    _, n, d = signals.outputs.shape
    by_output = []
    for k in range(d):
        weights = torch.zeros_like(signals.outputs)
        weights[:, :, k] = 1
        by_output.append(backward(net, signals, weights))
    terms = []
    for layer, rows in enumerate(signals.rows):
        p = torch.stack([vectors[layer] for vectors in by_output], dim=2)
        terms.append(_product(rows, p, n, net.positions))
    terms = torch.stack(terms, dim=1)
    return terms if per_layer else terms.sum(dim=1)


def _product(rows, p, n, positions):
    """Gram matrix of ``p_i^a rows_i^T``: rows (S, n q, k), p (S, n q, d, m), q positions."""
    S, _, d, m = p.shape
    if positions == 1:
        h_gram = (rows @ rows.mT).repeat_interleave(d, 1).repeat_interleave(d, 2)
        flat = p.reshape(S, n * d, m)
        return h_gram * (flat @ flat.mT)
    p = p.reshape(S, n, positions, d * m)
    gradients = p.mT @ rows.reshape(S, n, positions, -1)
    flat = gradients.reshape(S, n * d, -1)
    return flat @ flat.mT


def step_size(K, c=1.0, *, batch=None):
    """Step ``c / lambda_max(K)``; for SGD ``c / max(lambda_max(K), (n / b) max_i K_ii)``.

    The theorem's step has the same scaling in m, and an n, delta and L that make it useless in
    practice.

    Parameters
    ----------
    K : tensor, shape (S, n, n)
        Tangent kernel at the start.
    c : float, optional
        1 for gradient descent; below 2 the frozen kernel converges.
    batch : int, optional
        Size b of a mini-batch.

    Returns
    -------
    tensor, shape (S,)
        0 where K is 0.
    """
    largest = torch.linalg.eigvalsh(K)[..., -1]
    if batch is not None:
        diagonal = K.diagonal(dim1=-2, dim2=-1).amax(dim=-1)
        largest = torch.maximum(largest, K.shape[-1] / batch * diagonal)
    # A network that is dead on all inputs has no gradient to take a step along.
    return torch.where(largest > 0, c / largest, 0)


def correlation(c):
    """One step of the arc-cosine recursion, ``(sqrt(1 - c^2) + c (pi - arccos c)) / pi``.

    Parameters
    ----------
    c : float or array
        Correlation of two signals of one layer.

    Returns
    -------
    ndarray
        That of the next layer, at infinite width: kappa_1 of Cho & Saul (2009).
    """
    c = np.clip(c, -1.0, 1.0)
    return (np.sqrt(1 - c**2) + c * (np.pi - np.arccos(c))) / np.pi


def limit_separations(c, depth):
    """Separation ``sqrt(1 - c_l^2)`` of two unit inputs in layers 0 .. depth, at infinite width.

    Parameters
    ----------
    c : float or array
        Correlation of the two inputs; layer 0 has ``correlation(c)``.
    depth : int

    Returns
    -------
    ndarray, shape (depth + 1, ...)
    """
    found = []
    for _ in range(depth + 1):
        c = correlation(c)
        found.append(np.sqrt(np.maximum(1 - c**2, 0)))
    return np.stack(found)


def limit_gram(X, depth):
    """Limit of ``K / m`` of the fully-connected network with one output, m to infinity.

    ``sum_{l=1..L} C_{l-1} / 2 prod_{q=l..L} kappa_0(C_{q-1})`` with ``C_0 = kappa_1(<x, x'>)``,
    ``C_l = kappa_1(C_{l-1})`` and ``kappa_0(c) = (pi - arccos c) / pi``. The backward vector at the
    top, ``D_L B^T``, has squared norm m / 2, hence the half.

    Parameters
    ----------
    X : array or tensor, shape (..., n, p)
        Unit vectors.
    depth : int
        L.

    Returns
    -------
    ndarray, shape (..., n, n)

    Raises
    ------
    ValueError
        The inputs are not unit vectors.

    References
    ----------
    Cho & Saul, "Kernel methods for deep learning" (2009), for the two functions.
    """
    X = np.asarray(X, dtype=float)
    if not np.allclose(np.linalg.norm(X, axis=-1), 1):
        raise ValueError("X: expected unit vectors; scale them with inputs.prepare")
    c = np.clip(X @ np.swapaxes(X, -1, -2), -1, 1)
    C = [correlation(c)]
    for _ in range(depth):
        C.append(correlation(C[-1]))
    total, product = 0.0, 0.5
    for layer in range(depth, 0, -1):
        product = product * (np.pi - np.arccos(np.clip(C[layer - 1], -1, 1))) / np.pi
        total = total + C[layer - 1] * product
    return total


def _modes(K, r0):
    """Eigenvalues (S, N) ascending, eigenvectors, and the coefficients of r0 (S, N)."""
    values, vectors = torch.linalg.eigh(K)
    r0 = r0.reshape(*K.shape[:-1])
    return values, vectors, (vectors.mT @ r0[..., None])[..., 0]


def _decay(values, eta):
    """``1 - eta lambda_i``, shape (S, N)."""
    eta = torch.as_tensor(eta, dtype=values.dtype, device=values.device)
    return 1 - eta.expand(values.shape[:-1])[..., None] * values


def predicted_losses(K, r0, eta, steps):
    """Loss of gradient descent if the kernel stayed as it is.

    ``F_t = sum_i (v_i^T r_0)^2 (1 - eta lambda_i)^{2 t} / 2``.

    Parameters
    ----------
    K : tensor, shape (S, N, N)
        Tangent kernel at the start.
    r0 : tensor, shape (S, N), or (S, n, d) with n d = N
        Residuals at the start.
    eta : float or tensor of shape (S,)
        Step size.
    steps : int

    Returns
    -------
    tensor, shape (S, steps + 1)
        ``F_0 .. F_steps``.
    """
    values, _, modes = _modes(K, r0)
    times = torch.arange(steps + 1, dtype=K.dtype, device=K.device)
    powers = _decay(values, eta).square()[..., None] ** times
    return (modes.square()[..., None, :] @ powers)[..., 0, :] / 2


def predicted_iterations(K, r0, eta, tolerance):
    """Iterations until ``F_t = tolerance F_0`` if the kernel stayed as it is, with fractions.

    Parameters
    ----------
    K, r0, eta
        As for `predicted_losses`.
    tolerance : float
        Between 0 and 1.

    Returns
    -------
    tensor, shape (S,)
        The time at which the predicted loss, of continuous t, crosses the value; ``inf`` if it
        never does.

    Raises
    ------
    ValueError
        The tolerance is not between 0 and 1.
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance: expected between 0 and 1, found {tolerance}")
    values, _, modes = _modes(K, r0)
    weights = modes.square() / modes.square().sum(dim=-1, keepdim=True)
    log_decay = _decay(values, eta).abs().log() * 2

    def above(t):
        return (weights * (log_decay * t[..., None]).exp()).sum(dim=-1) > tolerance

    low, high = torch.zeros_like(values[..., 0]), torch.ones_like(values[..., 0])
    # Doubling to 2^60, then halving to the last digit; a trial that never gets there stays above.
    for _ in range(60):
        high = torch.where(above(high), 2 * high, high)
    never = above(high)
    for _ in range(120):
        middle = (low + high) / 2
        up = above(middle)
        low, high = torch.where(up, middle, low), torch.where(up, high, middle)
    return torch.where(never, torch.inf, high)


def predicted_movement(K, r0):
    """``||W_inf - W_0||_F = sqrt(r_0^T K^{-1} r_0)`` if the kernel stayed as it is.

    Parameters
    ----------
    K, r0
        As for `predicted_losses`; K must be positive definite.

    Returns
    -------
    tensor, shape (S,)
    """
    values, _, modes = _modes(K, r0)
    return (modes.square() / values).sum(dim=-1).sqrt()


def linear_outputs(K, outputs, residual, eta, steps):
    """Outputs of gradient descent on the linearised model, ``f_0 - r_0 + (I - eta K)^t r_0``.

    Parameters
    ----------
    K, eta, steps
        As for `predicted_losses`.
    outputs, residual : tensor, shape (S, n, d) or (S, N)
        Those at the start.

    Returns
    -------
    tensor, shape (S, steps + 1, N)
    """
    values, vectors, modes = _modes(K, residual)
    times = torch.arange(steps + 1, dtype=K.dtype, device=K.device)
    decay = _decay(values, eta)
    powers = decay[..., None, :] ** times[:, None]
    remaining = (powers * modes[..., None, :]) @ vectors.mT
    flat = (outputs - residual).reshape(*K.shape[:-1])
    return flat[..., None, :] + remaining


def linearised(signals, vectors, change):
    """``<grad <v_i, f(x_i)>, W'>``, the first-order change of the outputs, without Jacobians.

    Parameters
    ----------
    signals : Signals
        At the point of expansion.
    vectors : list of L tensors, shape (S, N, m)
        `backward` there, with the weights ``v_i``.
    change : list of L tensors, shape (S, m, k)
        ``W'``, for instance ``W_t - W_0``.

    Returns
    -------
    tensor, shape (S, n)
    """
    S, n, _ = signals.outputs.shape
    total = 0.0
    for rows, p, delta in zip(signals.rows, vectors, change, strict=True):
        total = total + ((rows @ delta.mT) * p).reshape(S, n, -1).sum(dim=2)
    return total


def gradient_change(signals, vectors, new_signals, new_vectors):
    """Relative change of the gradient of every output, in Frobenius norm over all layers.

    Parameters
    ----------
    signals, new_signals : Signals
        At W and at W', of the same inputs; networks with one position (no images).
    vectors, new_vectors : list of L tensors, shape (S, n, m)
        `backward` at W and at W'.

    Returns
    -------
    tensor, shape (S, n)
    """
    change = total = 0.0
    for h, p, h_new, p_new in zip(
        signals.rows, vectors, new_signals.rows, new_vectors, strict=True
    ):
        part, whole = product_change(h, p, h_new, p_new)
        change, total = change + part, total + whole
    return (change / total).sqrt()


def product_change(h, p, h_new, p_new):
    """``||p' h'^T - p h^T||_F^2`` and ``||p h^T||_F^2`` of vectors on the last axis.

    The difference is ``dp h'^T + p dh^T``: small changes keep their digits.
    """
    dh, dp = h_new - h, p_new - p
    inner = (dp * p).sum(-1) * (h_new * dh).sum(-1)
    change = dp.square().sum(-1) * h_new.square().sum(-1) + p.square().sum(-1) * dh.square().sum(-1)
    return (change + 2 * inner).clamp_min(0), p.square().sum(-1) * h.square().sum(-1)
