"""Wide networks without their matrices: what one input sees of them is drawn given what it saw.

A Gaussian matrix that is multiplied by k vectors is seen in k directions only; given these, all
else is still Gaussian and independent. So one forward and one backward pass of k versions of an
input cost O(m k^2) a layer and have exactly the law of the passes through drawn matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# By how much the adversary takes a pre-activation beyond zero, as a part of it.
BEYOND = 1e-4


class GaussianMatrix:
    """A matrix of m rows with entries N(0, variance), drawn as far as it is looked at.

    Parameters
    ----------
    rng : numpy.random.Generator
    width : int
        m.
    variance : float
    """

    def __init__(self, rng, width, variance):
        self._draw = lambda count: np.sqrt(variance) * rng.standard_normal((width, count))

    def times(self, H):
        """``W H`` for the columns of H, k of them: to be asked for once, before the transpose."""
        self._seen, shares = np.linalg.qr(H)
        self._images = self._draw(H.shape[1])
        return self._images @ shares

    def transposed_times(self, P):
        """``W^T P`` for the columns of P, (m, k), given what `times` has shown: once."""
        shares = np.linalg.qr(P, mode="r")
        new = self._draw(P.shape[1])
        new -= self._seen @ (self._seen.T @ new)
        # On what was seen the product is known; orthogonal to it W is independent of it.
        return self._seen @ (self._images.T @ P) + new @ shares


def signals(rng, X, width, depth, variance=2.0):
    """Signals of inputs in a fully-connected network that is not stored.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    X : (n, p) array
        The inputs.
    width, depth : int
        m and L.
    variance : float, optional
        c of weights drawn with variance c / m.

    Yields
    ------
    hidden : (m, n) ndarray
        ``h_0``, then ``h_1`` to ``h_L``.
    matrix : GaussianMatrix
        What it was multiplied by: A, then ``W_1`` to ``W_L``.
    """
    rng, hidden = np.random.default_rng(rng), np.transpose(X)
    for _ in range(depth + 1):
        matrix = GaussianMatrix(rng, width, variance / width)
        hidden = np.maximum(matrix.times(hidden), 0)
        yield hidden, matrix


def backward_norms(rng, X, width, depth, variance=2.0):
    """``||B D_{i,L} W_L .. D_{i,a} W_a||`` (Lemma 7.4) in a network of one output, not stored.

    Parameters
    ----------
    rng, X, width, depth, variance
        As for `signals`; B has entries N(0, 1).

    Returns
    -------
    (L, n) ndarray
        The row a - 1 belongs to a.
    """
    rng = np.random.default_rng(rng)
    passes = list(signals(rng, X, width, depth, variance))
    rows = rng.standard_normal((width, 1))
    norms = []
    for hidden, matrix in passes[:0:-1]:
        rows = matrix.transposed_times(rows * (hidden > 0))
        norms.append(np.linalg.norm(rows, axis=0))
    return np.array(norms[::-1])


class Attack(NamedTuple):
    """What the greedy adversary changes, for J perturbations.

    Attributes
    ----------
    flips : (J, L) ndarray
        Share of the activations flipped in every layer.
    backward : (J,) ndarray
        Relative change of the backward vector of the first layer.
    gradient : (J,) ndarray
        Relative change of the output's gradient, all layers.
    """

    flips: np.ndarray
    backward: np.ndarray
    gradient: np.ndarray


def adversary(rng, width, depth, sizes):
    """The greedy adversary against one input of a fully-connected network that is not stored.

    As `perturb.adversary`, with networks drawn as far as the input sees them.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    width, depth : int
        m and L.
    sizes : (J,) or (J, L) array
        Budget of every layer, the spectral norm of ``W'_l``.

    Returns
    -------
    Attack

    Raises
    ------
    ValueError
        A size is negative or not finite, or their number does not fit the depth.
    """
    sizes = np.asarray(sizes, dtype=float)
    sizes = np.broadcast_to(sizes[:, None], (len(sizes), depth)) if sizes.ndim == 1 else sizes
    if sizes.shape[1:] != (depth,) or not (np.isfinite(sizes).all() and (sizes >= 0).all()):
        raise ValueError(f"sizes: expected (J,) or (J, {depth}) numbers from 0, found {sizes}")
    rng = np.random.default_rng(rng)
    columns = 1 + len(sizes)  # the unperturbed network first
    first = np.sqrt(2 / width) * rng.standard_normal((width, 1))
    hidden, layers, shifts = [np.maximum(first, 0).repeat(columns, 1)], [], []
    flips = np.empty(sizes.shape)
    for layer in range(depth):
        h = hidden[-1]
        layers.append(GaussianMatrix(rng, width, 2 / width))
        pre = layers[-1].times(h)
        shift = np.zeros_like(pre)
        shift[:, 1:] = cheapest_flips(
            pre[:, 1:], sizes[:, layer] * np.linalg.norm(h[:, 1:], axis=0)
        )
        shifts.append(shift)
        hidden.append(np.maximum(pre + shift, 0))
        active = hidden[-1] > 0
        flips[:, layer] = (active[:, 1:] != active[:, :1]).mean(axis=0)
    return Attack(flips, *_backwards(rng, hidden, layers, shifts))


def cheapest_flips(pre, budgets):
    """Shifts of pre-activations, (m, J), that flip as many as norms of `budgets`, (J,), afford."""
    order = np.abs(pre).argsort(axis=0)
    smallest = np.take_along_axis(pre, order, axis=0)
    within = np.sqrt(np.cumsum(smallest**2, axis=0)) <= budgets
    shift = np.zeros_like(pre)
    np.put_along_axis(shift, order, -(1 + BEYOND) * smallest * within, axis=0)
    return shift


def _backwards(rng, hidden, layers, shifts):
    """Relative changes of the first backward vector and of the gradient, (J,) each."""
    e = rng.standard_normal((len(hidden[0]), 1)).repeat(hidden[0].shape[1], 1)
    part = whole = 0.0
    for layer in reversed(range(len(layers))):
        h, p = hidden[layer], np.where(hidden[layer + 1] > 0, e, 0)
        change, norms = p[:, 1:] - p[:, :1], np.linalg.norm(p[:, 0])
        moved = h[:, 1:] - h[:, :1]
        # The rank-one matrix p' h'^T - p h^T is change h'^T + p moved^T.
        inner = (change * p[:, :1]).sum(0) * (h[:, 1:] * moved).sum(0)
        squares = (change**2).sum(0) * (h[:, 1:] ** 2).sum(0) + norms**2 * (moved**2).sum(0)
        part, whole = part + squares + 2 * inner, whole + norms**2 * (h[:, 0] @ h[:, 0])
        if layer:
            shares = (shifts[layer] * p).sum(axis=0) / (h**2).sum(axis=0)
            e = layers[layer].transposed_times(p) + h * shares
    return np.linalg.norm(change, axis=0) / norms, np.sqrt(np.maximum(part, 0) / whole)
