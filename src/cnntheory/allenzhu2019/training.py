"""Gradient descent and SGD on W_1 .. W_L for all trials at once; the losses are sums over samples.

The gradient ``p^T rows`` has rank n in a fully-connected network: it goes into W without ever being
formed, and its norm follows from two n x n Gram matrices. ``W_1`` sees the same ``h_0`` at every
step, so that its products with it are updated in the space of samples, and the matrix itself only
when somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, svds

from .networks import Network, Signals, backward, first_layer, generators, product, propagate

LOSSES = ("squared", "cross_entropy")
# Bytes that are worked on at a time, so that a step finds matrices three times in the cache.
_CACHE = 1 << 22
# Up to this size a dense decomposition is faster than Lanczos steps.
_DENSE = 128


@dataclass(frozen=True)
class State:
    """What `descent` yields; the small arrays may be kept, W goes on changing in place.

    Attributes
    ----------
    iteration : int
    running : bool tensor, shape (S,)
        Which trials go on; all else is, for a stopped trial, as it was when it stopped.
    """

    iteration: int
    running: torch.Tensor
    _network: Network
    _groups: list
    _passes: list

    @property
    def network(self):
        """The networks as they are now, a `Network`; `copy` them to keep them."""
        for group in self._groups:
            group.settle()
        return self._network

    @cached_property
    def loss(self):
        """``F = sum_i F_i``, shape (S,)."""
        return torch.cat([one.loss for one in self._passes])

    @cached_property
    def outputs(self):
        """``f(x_i)``, shape (S, n, d)."""
        return torch.cat([one.signals.outputs for one in self._passes])

    @cached_property
    def residual(self):
        """Derivative of ``F_i`` in ``f(x_i)``, (S, n, d): ``f(x_i) - y_i`` for the squared loss."""
        return torch.cat([one.residual for one in self._passes])

    @cached_property
    def gradient_squares(self):
        """``||grad_{W_l} F||_F^2``, shape (S, L), along gradient descent."""
        if any(one.vectors is None for one in self._passes):
            raise ValueError(
                "gradient_squares: SGD does not compute the gradient of all samples; take "
                "r^T K r with the residuals and TangentKernel.at"
            )
        return torch.cat([_product_squares(one.signals.rows, one.vectors) for one in self._passes])

    @cached_property
    def signals(self):
        """The `Signals` of the data."""
        parts = [one.signals for one in self._passes]
        rows, hidden = (
            [torch.cat(layer) for layer in zip(*(part[k] for part in parts), strict=True)]
            for k in (0, 1)
        )
        return Signals(rows, hidden, self.outputs)


def descent(
    net,
    X,
    y,
    step,
    *,
    max_iter,
    loss="squared",
    batch=None,
    rng=None,
    tol=0.0,
    ceiling=1e6,
    every=1,
):
    """Iterates of gradient descent or SGD, without momentum; the networks are trained in place.

    Parameters
    ----------
    net : Network
        Trained in place: `copy` it before if the start is needed. While it is trained, ask
        `State.network`: the first matrix follows late.
    X : tensor, shape (S, n, p)
        The inputs of each trial.
    y : tensor, shape (S, n) or (S, n, d); integers of shape (S, n) for cross-entropy
        The labels.
    step : float, tensor of shape (S,), or callable
        eta, one for each trial; a callable maps the iteration to either.
    max_iter : int
        Number of iterations.
    loss : {"squared", "cross_entropy"}, optional
        ``F_i = ||f(x_i) - y_i||^2 / 2``, or ``log sum exp f(x_i) - f(x_i)_{y_i}``.
    batch : int, optional
        Size b of the mini-batches, drawn uniformly without replacement at every step; the step is
        ``W - eta (n / b) sum_{i in S_t} grad F_i``. By default all samples: gradient descent.
    rng : list of S numpy.random.Generator or seeds, or one where S = 1, optional
        Draw the mini-batches, one generator a trial.
    tol : float, optional
        A trial stops when ``F <= tol F_0``.
    ceiling : float, optional
        It also stops, as diverged, when ``F > ceiling F_0`` or F is not finite.
    every : int, optional
        Iterations between the states yielded, and between looks at the two bounds.

    Yields
    ------
    State
        At iterations 0, every, 2 every, .. and `max_iter`; the last one when no trial is running.

    Raises
    ------
    ValueError
        The labels do not fit outputs and loss, the loss is unknown, the mini-batch is not in 1 to
        n, or there is not one generator a trial.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, Theorems 1 and 2; the factor n / b as we understand it.
    """
    S, n, _ = X.shape
    check_labels(net, X, y, loss)
    rngs = check_batch(batch, rng, S, n)
    groups = _groups(net, X, y, loss)
    passes = [_full_pass(group, batch is None) for group in groups]
    running = torch.ones(S, dtype=torch.bool, device=X.device)
    try:
        for iteration in range(max_iter + 1):
            if iteration % every == 0 or iteration == max_iter:
                value = torch.cat([one.loss for one in passes])
                if iteration == 0:
                    low, high = tol * value, ceiling * value
                running = running & (value > low) & (value <= high)
                yield State(iteration, running, net, groups, list(passes))
                if iteration == max_iter or not running.any():
                    return
            eta = step(iteration) if callable(step) else step
            eta = torch.as_tensor(eta, dtype=X.dtype, device=X.device).expand(S)
            eta = torch.where(running, eta if batch is None else eta * (n / batch), 0)
            index = None if batch is None else _draw_batches(rngs, n, batch, X.device)
            measured_next = (iteration + 1) % every == 0 or iteration + 1 == max_iter
            for k, group in enumerate(groups):
                if not (moving := running[group.trials]).any():
                    continue
                chosen = None if batch is None else index[group.trials]
                one = passes[k] if batch is None else _batch_pass(group, chosen)
                _descend(group, one, eta[group.trials], moving, chosen)
                if batch is None or measured_next:
                    passes[k] = _full_pass(group, batch is None)
    finally:
        for group in groups:
            group.settle()


@dataclass
class _Group:
    """Some of the trials, as views: those whose matrices fit the cache together."""

    trials: slice
    net: Network
    y: torch.Tensor
    loss: str
    h: torch.Tensor  # h_0
    gram: torch.Tensor | None  # <h_0(x_i), h_0(x_j)>
    first: torch.Tensor | None  # W_1 h_0
    owed: torch.Tensor | None = None  # W_1 has yet to move by - owed^T h_0

    @property
    def samples(self):
        return self.y.shape[1]

    def settle(self):
        """Take the steps that W_1 owes."""
        if self.owed is not None:
            self.net.W[0].baddbmm_(self.owed.mT, self.h, alpha=-1)
            self.owed = None


class _Pass(NamedTuple):
    signals: Signals
    residual: torch.Tensor
    loss: torch.Tensor
    vectors: list | None  # backward vectors of the residuals, where a step is taken along them


def _groups(net, X, y, loss):
    h = first_layer(net, X)
    # Matrices, and the rows that they are applied to.
    numbers = sum(W[0].numel() + h.shape[1] * W.shape[2] for W in net.W)
    size = max(1, _CACHE // (numbers * h.element_size())) if h.device.type == "cpu" else len(h)
    groups = []
    for start in range(0, net.trials, size):
        part = slice(start, start + size)
        views = replace(net, A=net.A[part], B=net.B[part], W=[W[part] for W in net.W])
        gram = first = None
        # An image has many rows, and its maps are small: there W_1 is applied at every step.
        if net.image is None:
            gram, first = product(h[part], h[part].mT), product(h[part], views.W[0].mT)
        groups.append(_Group(part, views, y[part], loss, h[part], gram, first))
    return groups


def _full_pass(group, descends):
    signals = propagate(group.net, group.h, group.samples, group.first)
    return _finish_pass(group, signals, group.y, descends)


def _batch_pass(group, index):
    """The pass of the mini-batches, samples ``index[s]`` of trial s."""
    by_sample = group.h.reshape(len(group.h), group.samples, -1)
    h = _select(by_sample, index).reshape(len(by_sample), -1, group.h.shape[2])
    first = None if group.first is None else _select(group.first, index)
    signals = propagate(group.net, h, index.shape[1], first)
    return _finish_pass(group, signals, _select(group.y, index), True)


def _finish_pass(group, signals, y, descends):
    value, residual = evaluate_loss(signals.outputs, y, group.loss)
    vectors = backward(group.net, signals, residual) if descends else None
    return _Pass(signals, residual, value, vectors)


def _descend(group, one, step, moving, index):
    """``W_l -= step p_l^T rows_l`` in place where trials move, and the same in ``W_1 h_0``."""
    step = step[:, None, None]
    scaled = [p * step for p in one.vectors]
    if not moving.all():
        # A trial that diverged has no finite p for its step 0 to cancel.
        scaled = [torch.where(moving[:, None, None], p, 0) for p in scaled]
    matrices = list(zip(group.net.W, one.signals.rows, scaled, strict=True))
    if group.first is not None:
        seen = group.gram if index is None else _select(group.gram, index).mT
        group.first = group.first.baddbmm(seen, scaled[0], alpha=-1)
        if index is None:  # W_1 itself is not looked at before `settle`
            group.owed = scaled[0] if group.owed is None else group.owed + scaled[0]
            del matrices[0]
    for W, rows, p in matrices:
        W.baddbmm_(p.mT, rows, alpha=-1)


def _product_squares(rows, vectors):
    """``||p_l^T rows_l||_F^2``, shape (S, L), from Gram matrices or the product if smaller."""
    squares = []
    for h, p in zip(rows, vectors, strict=True):
        if h.shape[1] <= min(h.shape[2], p.shape[2]):
            squares.append((product(h, h.mT) * product(p, p.mT)).sum(dim=(1, 2)))
        else:
            squares.append(product(p.mT, h).square().sum(dim=(1, 2)))
    return torch.stack(squares, dim=1)


def _draw_batches(rngs, n, size, device):
    drawn = [rng.choice(n, size, replace=False, shuffle=False) for rng in rngs]
    return torch.from_numpy(np.stack(drawn)).to(device)


def _select(values, index):
    """``values[s, index[s]]`` for every trial s."""
    return values[torch.arange(len(index), device=index.device)[:, None], index]


def check_labels(net, X, y, loss):
    """Complain of labels that do not fit the outputs and the loss."""
    if loss not in LOSSES:
        raise ValueError(f"loss: expected one of {', '.join(LOSSES)}, found {loss!r}")
    S, n, _ = X.shape
    d = net.outputs
    if loss == "cross_entropy":
        if y.is_floating_point() or y.shape != (S, n):
            raise ValueError(
                f"y: expected classes, integers of shape ({S}, {n}), found {y.dtype} of shape "
                f"{tuple(y.shape)}; cross-entropy takes no one-hot labels"
            )
        if y.min() < 0 or y.max() >= d:
            raise ValueError(f"y: expected classes 0 to {d - 1} for {d} outputs, found others")
    elif y.shape != (S, n, d) and not (d == 1 and y.shape == (S, n)):
        raise ValueError(f"y: expected shape ({S}, {n}, {d}), found {tuple(y.shape)}")


def check_batch(batch, rng, S, n):
    """One generator a trial, after complaint of a mini-batch that does not fit n samples."""
    if batch is None:
        return None
    if not 1 <= batch <= n:
        raise ValueError(f"batch: expected 1 to the number of samples {n}, found {batch}")
    rngs = [] if rng is None else generators(rng)
    if len(rngs) != S:
        raise ValueError(
            f"rng: expected a generator or seed for each of {S} trials to draw the mini-batches, "
            f"found {len(rngs)}"
        )
    return rngs


def evaluate_loss(outputs, y, loss="squared"):
    """The loss of every trial, a sum over samples, and its derivative in the outputs.

    Parameters
    ----------
    outputs : tensor, shape (S, n, d)
    y : tensor
        As for `descent`.
    loss : {"squared", "cross_entropy"}

    Returns
    -------
    loss : tensor, shape (S,)
    residual : tensor, shape (S, n, d)
        ``f - y``, or softmax(f) minus the one-hot label.
    """
    if loss == "squared":
        residual = outputs - y.reshape(outputs.shape)
        return residual.square().sum(dim=(1, 2)) / 2, residual
    chosen = outputs.gather(2, y[..., None])
    value = (outputs.logsumexp(dim=2) - chosen[..., 0]).sum(dim=1)
    residual = outputs.softmax(dim=2)
    residual.scatter_add_(2, y[..., None], -torch.ones_like(chosen))
    return value, residual


def accuracy(outputs, y):
    """Share of samples whose largest output is the one of their class.

    Parameters
    ----------
    outputs : tensor, shape (S, n, d)
    y : tensor
        Classes (S, n), or real labels: one-hot (S, n, d), or signs (S, n) when d = 1.

    Returns
    -------
    tensor, shape (S,)
    """
    if outputs.shape[2] == 1:
        right = outputs[..., 0].sign() == y.reshape(outputs.shape[:2]).sign()
    else:
        right = outputs.argmax(dim=2) == (y if y.dim() == 2 else y.argmax(dim=2))
    return right.double().mean(dim=1)


def plateau(x, y):
    """Least squared loss that any function can have on inputs some of which are equal.

    Parameters
    ----------
    x : array, shape (n, p)
        Inputs; equal rows are duplicates.
    y : array, shape (n,) or (n, d)
        Labels.

    Returns
    -------
    float
        ``sum_i ||y_i - mean of its duplicates||^2 / 2``; with pairs, a quarter of the squared
        difference of each.
    """
    y = np.asarray(y, dtype=float).reshape(len(x), -1)
    _, group = np.unique(np.asarray(x), axis=0, return_inverse=True)
    belongs = group.reshape(-1, 1) == np.arange(group.max() + 1)
    means = belongs.T @ y / belongs.sum(axis=0)[:, None]
    return float(((y - belongs @ means) ** 2).sum() / 2)


def movement(net, start):
    """How far each matrix has moved.

    Parameters
    ----------
    net, start : Network
        The trained networks, and a copy of them as they were.

    Returns
    -------
    spectral, frobenius : tensor, shape (S, L)
        ``||W_l - W_l(0)||_2`` and ``||W_l - W_l(0)||_F``.
    """
    spectral = torch.zeros(net.trials, net.depth, dtype=torch.float64)
    frobenius = torch.zeros_like(spectral)
    for layer, (W, W_0) in enumerate(zip(net.W, start.W, strict=True)):
        for s in range(net.trials):
            change = W[s] - W_0[s]
            frobenius[s, layer] = change.norm()
            spectral[s, layer] = spectral_norm(change.mv, change.mT.mv, change)
    return spectral, frobenius


def spectral_norm(apply, apply_transposed, like, shape=None):
    """Largest singular value of a linear map, by Lanczos steps unless it is small.

    Parameters
    ----------
    apply, apply_transposed : callable
        The map and its transpose on vectors.
    like : tensor
        Gives dtype and device of the vectors, and the shape of the map by default.
    shape : (int, int), optional
        Of the map.

    Returns
    -------
    float
        To about 1e-8 of itself; nan if the map is not finite.
    """
    rows, columns = like.shape if shape is None else shape
    options = {"dtype": like.dtype, "device": like.device}
    if min(rows, columns) <= _DENSE:
        dense = torch.stack([apply(e) for e in torch.eye(columns, **options)], dim=1)
        return torch.linalg.matrix_norm(dense, 2).item() if dense.isfinite().all() else np.nan
    # A start without randomness, and without any pattern that the map could share.
    first = np.cos(np.arange(1, columns + 1) ** 2.0)

    def through(function):
        return lambda v: function(torch.from_numpy(v.ravel()).to(**options)).cpu().double().numpy()

    probe = through(apply)(first)
    if not np.isfinite(probe).all():
        return np.nan
    if not probe.any():
        return 0.0
    map_ = LinearOperator((rows, columns), through(apply), through(apply_transposed), dtype=float)
    values = svds(
        map_, k=1, v0=first[: min(rows, columns)], tol=1e-8, return_singular_vectors=False
    )
    return float(values[0])
