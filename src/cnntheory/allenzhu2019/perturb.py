"""Perturbations W' of the weights, and what they do to signals, patterns, gradients and the loss.

Sections 8 to 11 of the paper. A perturbation is `Dense` or `LowRank`; one pass over W serves all
sizes omega of it. Networks are fully connected or residual: one position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from .conditioned import BEYOND
from .networks import backward, check_inputs, first_layer, forward, generators, product
from .training import check_labels, evaluate_loss


@dataclass(frozen=True)
class Dense:
    """A perturbation as its matrices.

    Attributes
    ----------
    matrices : list of L tensors, shape (S, m, k)
    """

    matrices: list

    def __len__(self):
        return len(self.matrices)

    def times(self, layer, h):
        """``W'_l h`` for rows h, shape (S, J, n, k), of every size."""
        return _times(h, self.matrices[layer].mT)

    def transposed_times(self, layer, p):
        """``W'_l^T p`` for rows p, shape (S, J, n, m)."""
        return _times(p, self.matrices[layer])


@dataclass(frozen=True)
class LowRank:
    """A perturbation by its factors, ``W'_l = U_l V_l^T``, which are never multiplied out.

    Attributes
    ----------
    left : list of L tensors, shape (S, m, r) or (S, J, m, r)
        U; the latter where the perturbation differs from size to size.
    right : list of L tensors, shape (S, k, r) or (S, J, k, r)
        V.
    """

    left: list
    right: list

    def __len__(self):
        return len(self.left)

    def times(self, layer, h):
        """``W'_l h`` for rows h, shape (S, J, n, k), of every size."""
        U, V = self._factors(layer)
        return (h @ V) @ U.mT

    def transposed_times(self, layer, p):
        """``W'_l^T p`` for rows p, shape (S, J, n, m)."""
        U, V = self._factors(layer)
        return (p @ U) @ V.mT

    def _factors(self, layer):
        """U and V with an axis of sizes."""
        factors = self.left[layer], self.right[layer]
        return (factor if factor.dim() == 4 else factor[:, None] for factor in factors)


class Perturbed(NamedTuple):
    """Signals and backward vectors at ``W + W'`` for J sizes of W'.

    Attributes
    ----------
    hidden : list of L + 1 tensors, shape (S, J, n, m)
        ``h_0 .. h_L``.
    outputs : tensor, shape (S, J, n, d)
    vectors : list of L tensors, shape (S, J, n, m)
        Backward vectors for the weights asked for.
    """

    hidden: list
    outputs: torch.Tensor
    vectors: list


class Changes(NamedTuple):
    """How far perturbed signals are from the unperturbed ones, layer 1 to L on the last axis.

    Attributes
    ----------
    flips : tensor, shape (S, J, n, L)
        Share of the pattern that differs, ``||D'||_0 / m``.
    forward : tensor, shape (S, J, n, L)
        ``||h_l(W + W') - h_l(W)||``.
    backward : tensor, shape (S, J, n, L)
        ``||p_l(W + W') - p_l(W)|| / ||p_l(W)||``.
    gradient : tensor, shape (S, J, n)
        The same of the gradient of the output, in Frobenius norm over all layers.
    """

    flips: torch.Tensor
    forward: torch.Tensor
    backward: torch.Tensor
    gradient: torch.Tensor


def gaussian(net, rng):
    """Independent Gaussian entries, of variance ``1 / (sqrt(m) + sqrt(k))^2`` in an m x k matrix.

    Parameters
    ----------
    net : Network
    rng : list of S numpy.random.Generator or seeds, or one where S = 1

    Returns
    -------
    Dense
        Its spectral norms tend to 1 from below, as m^(-2/3).
    """
    rngs, found = generators(rng), []
    for W in net.W:
        scale = 1 / (np.sqrt(W.shape[1]) + np.sqrt(W.shape[2]))
        found.append(torch.stack([_normal(one, W[0]) * scale for one in rngs]))
    return Dense(found)


def rank_one(net, signals, rng):
    """``u v^T`` with u uniform on the sphere and v the direction of the mean signal below.

    Against a random v the perturbation would hardly be seen: ``|<v, h>| ~ 1 / sqrt(m)``.

    Parameters
    ----------
    net : Network
    signals : Signals
        At W.
    rng : list of S numpy.random.Generator or seeds, or one where S = 1

    Returns
    -------
    LowRank
        All spectral norms are 1.
    """
    rngs = generators(rng)
    left = [torch.stack([_normal(one, W[0, :, 0]) for one in rngs]) for W in net.W]
    right = [rows.mean(dim=1) for rows in signals.rows]
    return LowRank(*([_unit(v)[..., None] for v in side] for side in (left, right)))


def _unit(vectors):
    return vectors / vectors.norm(dim=-1, keepdim=True)


def gradient(net, signals, weights, sign=-1.0):
    """``sign`` times the gradient of ``sum_i <v_i, f(x_i)>``, scaled to spectral norm 1.

    Parameters
    ----------
    net : Network
    signals : Signals
        At W.
    weights : tensor, shape (S, n, d)
        ``v_i``; the residuals give the gradient of the loss.
    sign : float, optional
        The default goes downhill.

    Returns
    -------
    LowRank
        Of rank n; ``max_l ||W'_l||_2 = 1``, and the layers keep their proportions.
    """
    vectors = backward(net, signals, weights)
    norms = [_factor_norm(p.mT, h.mT) for p, h in zip(vectors, signals.rows, strict=True)]
    largest = torch.stack(norms).amax(dim=0)[:, None, None]
    return LowRank([sign * p.mT / largest for p in vectors], [h.mT for h in signals.rows])


def _normal(rng, like):
    return torch.from_numpy(rng.standard_normal(like.shape)).to(like)


def _factor_norm(U, V):
    """``||U V^T||_2`` from the eigenvalues of r x r matrices."""
    values, vectors = torch.linalg.eigh(V.mT @ V)
    root = vectors * values.clamp_min(0).sqrt()[..., None, :]
    inner = root.mT @ (U.mT @ U) @ root
    return torch.linalg.eigvalsh(inner)[..., -1].clamp_min(0).sqrt()


def passes(net, X, direction, sizes, weights=None):
    """Forward and backward pass at ``W + omega W'`` for several sizes omega at once.

    Parameters
    ----------
    net : Network
        Fully connected or residual.
    X : tensor, shape (S, n, p)
        The inputs of each trial.
    direction : Dense or LowRank
        W'.
    sizes : sequence of J floats
        The sizes omega.
    weights : tensor, shape (S, n, d), optional
        Of the backward vectors; ones by default.

    Returns
    -------
    Perturbed

    Raises
    ------
    ValueError
        The networks are convolutional, the inputs have the wrong shape, or W' has not L layers.
    """
    h, sizes = _start(net, X, sizes)
    if len(direction) != net.depth:
        raise ValueError(
            f"direction: expected a matrix for each of {net.depth} layers, found {len(direction)}"
        )

    def change(layer, h, _):
        return sizes * direction.times(layer, h)

    def change_back(layer, p):
        return sizes * direction.transposed_times(layer, p)

    return _run(net, h, weights, change, change_back)


def adversary(net, X, sizes, weights=None):
    """For each input and size, the perturbation that flips most of that input's activations.

    Layer by layer: of the pre-activations ``g = W_l h`` the k smallest are taken just beyond zero,
    k as large as ``||(g_(1), .., g_(k))|| <= omega ||h||`` allows, by the rank-one
    ``W'_l = v h^T / ||h||^2`` with ``v = -(1 + 1e-4) g`` there; h is the perturbed signal. So
    ``||W'_l||_2 <= (1 + 1e-4) omega``, and k / m ~ omega^(2/3).

    Parameters
    ----------
    net, X, sizes, weights
        As for `passes`.

    Returns
    -------
    Perturbed
        Every row under its own perturbation.

    Raises
    ------
    ValueError
        The networks are not fully connected, or the inputs have the wrong shape.
    """
    return _attack(net, X, sizes, weights)[0]


def adversarial_direction(net, X, sizes, sample=0):
    """The adversary's perturbation for one input, to be applied to all.

    Parameters
    ----------
    net, X, sizes
        As for `adversary`.
    sample : int
        The input that it is aimed at.

    Returns
    -------
    LowRank
        Of rank one and with an axis of sizes, for `passes` with the same: each is divided by its
        own.
    """
    x = X[:, sample : sample + 1]
    _, shifts, signals = _attack(net, x, sizes, None)
    _, sizes = _start(net, x, sizes)
    # Below layer 1 the signal is the same for all sizes.
    right = [h / h.square().sum(dim=-1, keepdim=True) for h in signals]
    return LowRank(
        [v.mT / sizes for v in shifts], [h.mT.expand(-1, len(sizes), -1, -1) for h in right]
    )


def _attack(net, X, sizes, weights):
    if any(net.skips):
        raise ValueError("net: expected fully-connected layers; the adversary knows no skips")
    h, sizes = _start(net, X, sizes)
    shifts, below = [], []

    def change(layer, h, pre):
        # A size of 0 and a signal of 0 leave no budget, and no coordinate is within it.
        budget = sizes * h.norm(dim=-1, keepdim=True)
        order = pre.abs().argsort(dim=-1)
        smallest = pre.gather(-1, order)
        within = smallest.square().cumsum(dim=-1).sqrt() <= budget
        flipped = -(1 + BEYOND) * smallest * within
        shift = torch.zeros_like(flipped).scatter_(-1, order.expand_as(flipped), flipped)
        shifts.append(shift)
        below.append(h)
        return shift

    def change_back(layer, p):
        h = below[layer]
        share = (shifts[layer] * p).sum(dim=-1, keepdim=True)
        return share * h / h.square().sum(dim=-1, keepdim=True)

    return _run(net, h, weights, change, change_back), shifts, below


def _start(net, X, sizes):
    """``h_0`` with an axis of sizes, (S, 1, n, m), and the sizes, (J, 1, 1)."""
    if net.image is not None:
        raise ValueError("net: expected a fully-connected or residual network, found images")
    check_inputs(net, X)
    sizes = torch.as_tensor(np.asarray(sizes, dtype=float)).to(X).reshape(-1, 1, 1)
    return first_layer(net, X)[:, None], sizes


def _run(net, h, weights, change, change_back):
    """Passes at W + W', where ``change`` is W' h and ``change_back`` is W'^T p, layer by layer."""
    S, _, n, _ = h.shape
    hidden, J = [], 1
    for layer, W in enumerate(net.W):
        hidden.append(h)
        pre = _times(h, W.mT)
        pre = pre + change(layer, h, pre)
        if net.skips[layer]:
            pre = h + net.scales[layer] * pre
        h = torch.relu(pre)
        J = h.shape[1]
    hidden = [one.expand(S, J, n, -1) for one in [*hidden, h]]
    weights = h.new_ones(S, n, net.outputs) if weights is None else weights
    e = (weights @ net.B)[:, None].expand(S, J, n, -1)
    vectors = [None] * net.depth
    for layer in range(net.depth - 1, -1, -1):
        e = torch.where(hidden[layer + 1] > 0, e, 0)
        vectors[layer] = p = e if net.scales[layer] == 1 else net.scales[layer] * e
        if layer > 0:
            back = _times(p, net.W[layer]) + change_back(layer, p)
            e = e + back if net.skips[layer] else back
    return Perturbed(hidden, _times(h, net.B.mT), vectors)


def _times(rows, matrix):
    """(S, J, n, k) times (S, k, m), as one product a trial."""
    return product(rows.flatten(1, 2), matrix).unflatten(1, rows.shape[1:3])


def changes(signals, vectors, after):
    """Compare a perturbed pass with the unperturbed one.

    Parameters
    ----------
    signals : Signals
        At W, of the same inputs.
    vectors : list of L tensors, shape (S, n, m)
        `backward` at W, with the weights of the perturbed pass.
    after : Perturbed
        At W + W'.

    Returns
    -------
    Changes
    """
    flips, moved, turned = [], [], []
    part = whole = 0.0
    for layer, p in enumerate(vectors):
        h, h_new = signals.hidden[layer + 1][:, None], after.hidden[layer + 1]
        p, p_new = p[:, None], after.vectors[layer]
        flips.append(((h > 0) != (h_new > 0)).to(h.dtype).mean(dim=-1))
        moved.append((h_new - h).norm(dim=-1))
        turned.append((p_new - p).norm(dim=-1) / p.norm(dim=-1))
        below, below_new = signals.hidden[layer][:, None], after.hidden[layer]
        change, square = product_change(below, p, below_new, p_new)
        part, whole = part + change, whole + square
    flips, moved, turned = (torch.stack(values, dim=-1) for values in (flips, moved, turned))
    return Changes(flips, moved, turned, (part / whole).sqrt())


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


class SemiSmoothness(NamedTuple):
    """``F(W + W') - F(W) - <grad F(W), W'>`` and the two terms that bound it, shape (S, J)."""

    residual: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor


def semismoothness(net, X, y, direction, sizes, radius=0.0):
    """What the first-order expansion of the squared loss misses, and the theorem's bound of it.

    The terms are ``sqrt(F) omega^(1/3) L^2 sqrt(n m log m) / sqrt(d) ||W'||_2`` and
    ``n L^2 m / d ||W'||_2^2`` with constant 1 and the natural logarithm.

    Parameters
    ----------
    net : Network
        At the point W of expansion.
    X, y
        Inputs and labels, as for `cnntheory.allenzhu2019.descent`.
    direction : Dense or LowRank
        W' for size 1, of spectral norm 1.
    sizes : sequence of J floats
        ``||W'||_2``.
    radius : float or tensor of shape (S,)
        ``||W - W(0)||_2``; omega is the larger of it and the size.

    Returns
    -------
    SemiSmoothness

    Raises
    ------
    ValueError
        As for `passes`, or the labels do not fit.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, Theorem 4, as we understand it.
    """
    check_labels(net, X, y, "squared")
    signals = forward(net, X)
    loss, r = evaluate_loss(signals.outputs, y)
    h, omegas = _start(net, X, sizes)
    after = passes(net, X, direction, sizes)
    moved = _output_change(net, signals, after)
    linear = 0.0
    for layer, p in enumerate(backward(net, signals, r)):
        h = signals.hidden[layer][:, None]
        linear = linear + (omegas * direction.times(layer, h) * p[:, None]).sum(dim=(2, 3))
    # <r, df> - <grad F, W'> + |df|^2 / 2: unlike a difference of losses it keeps its digits.
    residual = (r[:, None] * moved).sum(dim=(2, 3)) - linear + moved.square().sum(dim=(2, 3)) / 2
    sizes = omegas.reshape(1, -1)
    radius = torch.as_tensor(radius, dtype=X.dtype, device=X.device).reshape(-1, 1)
    n, m, L, d = X.shape[1], net.width, net.depth, net.outputs
    omega = torch.maximum(radius.expand(net.trials, 1), sizes)
    first = loss.sqrt()[:, None] * omega ** (1 / 3) * sizes * L**2 * np.sqrt(n * m * np.log(m) / d)
    second = (n * L**2 * m / d * sizes**2).expand_as(first)
    return SemiSmoothness(residual, first, second)


def _output_change(net, signals, after):
    """``B (h_L(W + W') - h_L(W))``, (S, J, n, d)."""
    return _times(after.hidden[-1] - signals.hidden[-1][:, None], net.B.mT)
