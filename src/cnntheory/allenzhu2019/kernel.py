"""The tangent kernel ``K_ij = <grad f(x_i), grad f(x_j)>``, its limit, and what it predicts.

With the factors of the gradient no Jacobian is formed:
``K_ij = sum_l <h_{i,l-1}, h_{j,l-1}> <p_{i,l}, p_{j,l}>``. From a kernel that stays as it is all
of gradient descent follows in closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from .networks import backward, forward, product


@dataclass(frozen=True)
class TangentKernel:
    """The tangent kernels of S trials on N outputs, n inputs times d, and their spectra.

    Attributes
    ----------
    matrix : tensor, shape (S, N, N)
        Sample-major: the d outputs of an input follow each other.
    """

    matrix: torch.Tensor

    @classmethod
    def at(cls, net, X):
        """The empirical kernel of networks on inputs: `gram_matrix`.

        Parameters
        ----------
        net : Network
        X : tensor, shape (S, n, p)

        Raises
        ------
        ValueError
            The inputs have not the shape that the networks expect.
        """
        return cls(gram_matrix(net, X))

    @classmethod
    def limit(cls, X, depth):
        """Limit of K / m of the fully-connected network with one output, m to infinity.

        ``sum_{l=1..L} C_{l-1} / 2 prod_{q=l..L} kappa_0(C_{q-1})`` with ``C_0 = kappa_1(<x, x'>)``,
        ``C_l = kappa_1(C_{l-1})`` and ``kappa_0(c) = (pi - arccos c) / pi``. The backward vector at
        the top, ``D_L B^T``, has squared norm m / 2, hence the half.

        Parameters
        ----------
        X : array or tensor, shape (S, n, p)
            Unit vectors.
        depth : int
            L.

        Raises
        ------
        ValueError
            The inputs are not unit vectors.

        References
        ----------
        Cho & Saul, "Kernel methods for deep learning" (2009), for the two functions.
        """
        X = torch.as_tensor(X)
        points = X.cpu().double().numpy()
        norms = np.linalg.norm(points, axis=-1)
        if not np.allclose(norms, 1):
            raise ValueError(
                f"X: expected unit vectors, found norms {norms.min():.3g} to {norms.max():.3g}; "
                "scale them with inputs.prepare"
            )
        C = [correlation(points @ np.swapaxes(points, -1, -2))]
        for _ in range(depth):
            C.append(correlation(C[-1]))
        total, product = 0.0, 0.5
        for layer in range(depth, 0, -1):
            product = product * (np.pi - np.arccos(np.clip(C[layer - 1], -1, 1))) / np.pi
            total = total + C[layer - 1] * product
        return cls(torch.from_numpy(total).to(X))

    @cached_property
    def eigenvalues(self):
        """``lambda_1 <= .. <= lambda_N``, shape (S, N)."""
        # Without vectors: half the cost, and all that a step needs.
        return torch.linalg.eigvalsh(self.matrix)

    @cached_property
    def modes(self):
        """Eigenvalues (S, N), ascending, and eigenvectors (S, N, N), in columns."""
        return torch.linalg.eigh(self.matrix)

    def step(self, scale=1.0, *, batch=None):
        """Step ``c / lambda_max``; for SGD ``c / max(lambda_max, (n / b) max_i K_ii)``.

        The theorem's step has the same scaling in m, and an n, delta and L that make it useless in
        practice.

        Parameters
        ----------
        scale : float, optional
            c: 1 for gradient descent; below 2 the frozen kernel converges.
        batch : int, optional
            Size b of a mini-batch.

        Returns
        -------
        tensor, shape (S,)
            0 where K is 0.
        """
        largest = self.eigenvalues[..., -1]
        if batch is not None:
            diagonal = self.matrix.diagonal(dim1=-2, dim2=-1).amax(dim=-1)
            largest = torch.maximum(largest, self.matrix.shape[-1] / batch * diagonal)
        # A network that is dead on all inputs has no gradient to take a step along.
        return torch.where(largest > 0, scale / largest, 0)

    def frozen(self, outputs, y, *, step=None):
        """What gradient descent would do from here if the kernel stayed as it is.

        Parameters
        ----------
        outputs : tensor, shape (S, n, d) or (S, N)
            At the start.
        y : tensor, shape (S, n), (S, n, d) or (S, N)
            Real labels.
        step : float or tensor of shape (S,), optional
            `step()` by default.

        Returns
        -------
        FrozenKernel

        Raises
        ------
        ValueError
            Outputs or labels are not as many as the kernel has rows.
        """
        shape = self.matrix.shape[:-1]
        for name, values in (("outputs", outputs), ("y", y)):
            if values.numel() != shape.numel():
                raise ValueError(
                    f"{name}: expected {shape[-1]} numbers a trial, the rows of the kernel, found "
                    f"shape {tuple(values.shape)}"
                )
        step = self.step() if step is None else step
        eta = torch.as_tensor(step, dtype=self.matrix.dtype, device=self.matrix.device)
        return FrozenKernel(self, outputs.reshape(shape), y.reshape(shape), eta.expand(shape[:-1]))


@dataclass(frozen=True)
class FrozenKernel:
    """Gradient descent on the squared loss under a kernel that stays as it is.

    ``f_t = y + (I - eta K)^t (f_0 - y)``: every prediction is a sum over the modes of one
    eigendecomposition. `TangentKernel.frozen` and `at` make one.

    Attributes
    ----------
    kernel : TangentKernel
    start : tensor, shape (S, N)
        ``f_0``.
    y : tensor, shape (S, N)
        Labels.
    step : tensor, shape (S,)
        eta.
    """

    kernel: TangentKernel
    start: torch.Tensor
    y: torch.Tensor
    step: torch.Tensor

    @classmethod
    def at(cls, net, X, y, *, step=None):
        """Of networks on inputs and labels, in one forward pass.

        Parameters
        ----------
        net : Network
        X : tensor, shape (S, n, p)
        y : tensor, shape (S, n) or (S, n, d)
        step : float or tensor of shape (S,), optional
            ``1 / lambda_max`` by default.

        Returns
        -------
        FrozenKernel
        """
        signals = forward(net, X)
        kernel = TangentKernel(gram_matrix(net, X, signals=signals))
        return kernel.frozen(signals.outputs, y, step=step)

    @cached_property
    def coefficients(self):
        """Residual at the start along every mode, ``v_i^T (f_0 - y)``, shape (S, N)."""
        _, vectors = self.kernel.modes
        return (vectors.mT @ (self.start - self.y)[..., None])[..., 0]

    @cached_property
    def decay(self):
        """What a step leaves of every mode, ``1 - eta lambda_i``, shape (S, N)."""
        values, _ = self.kernel.modes
        return 1 - self.step[..., None] * values

    def losses(self, max_iter):
        """``F_t = sum_i (v_i^T r_0)^2 (1 - eta lambda_i)^{2 t} / 2`` for t from 0 to `max_iter`.

        Parameters
        ----------
        max_iter : int

        Returns
        -------
        tensor, shape (S, max_iter + 1)
        """
        powers = self.decay.square()[..., None] ** self._times(max_iter)
        return (self.coefficients.square()[..., None, :] @ powers)[..., 0, :] / 2

    def outputs(self, max_iter):
        """Outputs of the linearised model, ``y + (I - eta K)^t r_0`` for t from 0 to `max_iter`.

        Parameters
        ----------
        max_iter : int

        Returns
        -------
        tensor, shape (S, max_iter + 1, N)
        """
        powers = self.decay[..., None, :] ** self._times(max_iter)[:, None]
        _, vectors = self.kernel.modes
        return self.y[..., None, :] + (powers * self.coefficients[..., None, :]) @ vectors.mT

    def iterations(self, tol):
        """Iterations until ``F_t = tol F_0``, with fractions.

        Parameters
        ----------
        tol : float
            Between 0 and 1.

        Returns
        -------
        tensor, shape (S,)
            The time at which the loss, of continuous t, crosses the value; ``inf`` if it never
            does.

        Raises
        ------
        ValueError
            `tol` is not between 0 and 1.
        """
        if not 0 < tol < 1:
            raise ValueError(f"tol: expected a share of the loss between 0 and 1, found {tol}")
        squares = self.coefficients.square()
        weights = squares / squares.sum(dim=-1, keepdim=True)
        log_decay = self.decay.abs().log() * 2

        def above(t):
            return (weights * (log_decay * t[..., None]).exp()).sum(dim=-1) > tol

        low, high = torch.zeros_like(weights[..., 0]), torch.ones_like(weights[..., 0])
        # Doubling to 2^60, then halving to the last digit; a trial that never gets there stays
        # above.
        for _ in range(60):
            high = torch.where(above(high), 2 * high, high)
        never = above(high)
        for _ in range(120):
            middle = (low + high) / 2
            up = above(middle)
            low, high = torch.where(up, middle, low), torch.where(up, high, middle)
        return torch.where(never, torch.inf, high)

    def movement(self):
        """``||W_inf - W_0||_F = sqrt(r_0^T K^{-1} r_0)``, shape (S,); K positive definite."""
        values, _ = self.kernel.modes
        return (self.coefficients.square() / values).sum(dim=-1).sqrt()

    def _times(self, max_iter):
        return torch.arange(max_iter + 1, dtype=self.step.dtype, device=self.step.device)


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
        h_gram = product(rows, rows.mT).repeat_interleave(d, 1).repeat_interleave(d, 2)
        flat = p.reshape(S, n * d, m)
        return h_gram * product(flat, flat.mT)
    p = p.reshape(S, n, positions, d * m)
    gradients = product(p.mT, rows.reshape(S, n, positions, -1))
    flat = gradients.reshape(S, n * d, -1)
    return product(flat, flat.mT)


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
