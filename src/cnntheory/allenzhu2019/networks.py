"""The three networks of the paper, a batch of trials at once: draws, forward and backward vectors.

Only the middle matrices ``W_1 .. W_L`` are ever trained; ``A`` and ``B`` stay where they were
drawn. The gradient of an output is ``grad_{W_l} f(x_i) = p_{i,l} h_{i,l-1}^T``, summed over the
positions of an image for the convolutional network. Everything here works with the two factors, of
size n m, and leaves the m x m products to those who need them.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch


@dataclass
class Network:
    """A batch of S networks of one shape.

    Attributes
    ----------
    A : tensor, shape (S, m, k)
        First layer, fixed; k is the input dimension, or the pixels of a patch.
    W : list of L tensors, shape (S, m, q m)
        The trained matrices; q is the number of positions of a patch, 1 unless convolutional.
    B : tensor, shape (S, d, positions * m)
        Output layer, fixed.
    skips : tuple of L bool
        Whether ``h_{l-1}`` is added to the pre-activation of layer l.
    scales : tuple of L float
        Factor of ``W_l h_{l-1}``: tau in residual layers, else 1.
    image : (int, int) or None
        Height and width of the maps of a convolutional network.
    patch : int
        Side of its patches.
    """

    A: torch.Tensor
    W: list
    B: torch.Tensor
    skips: tuple
    scales: tuple
    image: tuple | None = None
    patch: int = 1

    @property
    def trials(self):
        return self.A.shape[0]

    @property
    def width(self):
        return self.A.shape[1]

    @property
    def depth(self):
        return len(self.W)

    @property
    def outputs(self):
        return self.B.shape[1]

    @property
    def positions(self):
        return 1 if self.image is None else self.image[0] * self.image[1]

    def copy(self):
        """The same networks with matrices W of their own; A and B are shared."""
        return replace(self, W=[W.clone() for W in self.W])


class Signals(NamedTuple):
    """What a forward pass leaves behind, for n inputs and N = n * positions rows.

    Attributes
    ----------
    rows : list of L tensors, shape (S, N, q m)
        What ``W_l`` is applied to: ``h_{l-1}``, or its patches.
    hidden : list of L + 1 tensors, shape (S, N, m)
        ``h_0 .. h_L``. The diagonal of ``D_l`` is ``hidden[l] > 0``: a pre-activation of exactly 0
        needs a layer below that is dead, and then no gradient passes anyway.
    outputs : tensor, shape (S, n, d)
        ``B h_L``.
    """

    rows: list
    hidden: list
    outputs: torch.Tensor


def fully_connected(
    rng, inputs, width, depth, outputs=1, *, variance=2.0, device="cpu", dtype=torch.float64
):
    """Draw ``h_0 = relu(A x)``, ``h_l = relu(W_l h_{l-1})``, output ``B h_L``.

    Parameters
    ----------
    rng : numpy.random.Generator or seed, or a list of S of them
        One for each trial, so that a trial does not depend on the others of its batch; one alone
        draws one trial.
    inputs, width, depth, outputs : int
        Sizes: x in R^inputs, ``h_l`` in R^m, L trained matrices, B in R^{d x m}.
    variance : float, optional
        ``c``: the entries of A and W have variance ``c / m``; the paper has c = 2. Those of B have
        variance ``1 / d``.
    device, dtype : optional
        Of the tensors; the draws are made in double precision on the CPU, whatever they are.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        There is no generator, a size is below 1, or the variance is not positive.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, section 2; the variance of B as we understand it.
    """
    draw = drawer(rng, variance, device, dtype, inputs=inputs, width=width, depth=depth, d=outputs)
    A = draw(width, inputs, variance / width)
    W = [draw(width, width, variance / width) for _ in range(depth)]
    B = draw(outputs, width, 1 / outputs)
    return Network(A, W, B, (False,) * depth, (1.0,) * depth)


def residual(
    rng,
    inputs,
    width,
    depth,
    outputs=1,
    *,
    skip_scale=None,
    variance=2.0,
    device="cpu",
    dtype=torch.float64,
):
    """Draw ``h_l = relu(h_{l-1} + tau W_l h_{l-1})`` for l < L, ``h_L = relu(W_L h_{L-1})``.

    Parameters
    ----------
    skip_scale : float, optional
        ``tau``; the default is ``1 / L``. The norms grow like ``(1 + tau^2)^(l/2)`` or faster.
    rng, inputs, width, depth, outputs, variance, device, dtype
        As for `fully_connected`, whose draws it shares.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        As for `fully_connected`.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, the residual network of Theorem 8, as we understand it.
    """
    plain = fully_connected(
        rng, inputs, width, depth, outputs, variance=variance, device=device, dtype=dtype
    )
    tau = 1 / depth if skip_scale is None else float(skip_scale)
    inner = depth - 1
    return replace(plain, skips=(True,) * inner + (False,), scales=(tau,) * inner + (1.0,))


def convolutional(
    rng,
    image,
    channels,
    depth,
    outputs=1,
    *,
    patch=3,
    variance=2.0,
    device="cpu",
    dtype=torch.float64,
):
    """Draw ``h_0 = relu(A * patches of x)``, ``h_l = relu(W_l * patches of h_{l-1})``.

    Patches have stride 1 and see zeros outside the image, so that all maps have its size. With
    entries of A and W of variance ``c / (q m)``, where q is the number of positions of a patch,
    the norm of a map is that of the image, but for what the border loses. B acts on the whole
    last map.

    Parameters
    ----------
    image : (int, int)
        Height and width; an input is the image in row-major order, x in R^(height * width).
    channels : int
        m.
    patch : int, optional
        Side of a patch, odd.
    rng, depth, outputs, variance, device, dtype
        As for `fully_connected`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        As for `fully_connected`, or the side of the patch is even.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, the convolutional network of Theorem 7, as we
    understand it.
    """
    height, width = image
    if patch < 1 or patch % 2 == 0:
        raise ValueError(f"patch: expected an odd side, so that it has a centre, found {patch}")
    sizes = {"height": height, "width": width, "channels": channels, "depth": depth, "d": outputs}
    draw = drawer(rng, variance, device, dtype, **sizes)
    q = patch**2
    A = draw(channels, q, variance / (q * channels))
    W = [draw(channels, q * channels, variance / (q * channels)) for _ in range(depth)]
    B = draw(outputs, height * width * channels, 1 / outputs)
    return Network(A, W, B, (False,) * depth, (1.0,) * depth, (height, width), patch)


def generators(rng):
    """A list of generators, one a trial: of several generators or seeds, or of one alone."""
    many = rng if isinstance(rng, (list, tuple)) else [rng]
    return [np.random.default_rng(one) for one in many]


def drawer(rng, variance, device, dtype, **sizes):
    """A function that draws one matrix for every trial, after the arguments have been checked."""
    rngs = generators(rng)
    if not rngs:
        raise ValueError("rng: expected a generator or seed for each trial, found an empty list")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name}: expected at least 1, found {size}")
    if not variance > 0:
        raise ValueError(f"variance: expected a positive number, found {variance}")

    def draw(rows, columns, entry_variance):
        matrices = torch.empty(len(rngs), rows, columns, dtype=torch.float64)
        for matrix, rng in zip(matrices.numpy(), rngs, strict=True):
            rng.standard_normal(out=matrix)
            matrix *= math.sqrt(entry_variance)
        return matrices.to(device, dtype)

    return draw


def forward(net, X):
    """Run all inputs through all networks.

    Parameters
    ----------
    net : Network
    X : tensor, shape (S, n, p)
        The inputs of each trial, of the networks' dtype and on their device.

    Returns
    -------
    Signals

    Raises
    ------
    ValueError
        The inputs have not the shape that the networks expect.
    """
    return propagate(net, first_layer(net, X), X.shape[1])


def first_layer(net, X):
    """``h_0``, (S, N, m), which training leaves as it is."""
    check_inputs(net, X)
    # An image has one channel, so that its pixels are the rows of a map.
    rows = X if net.image is None else _unfold(net, X.reshape(len(X), -1, 1))
    return product(rows, net.A.mT).relu_()


def product(a, b):
    """``a @ b`` for stacks of matrices.

    On the CPU by numpy, whose BLAS takes three quarters of the time for few rows, and less than
    half for a matrix by its own transpose; where a gradient is asked for, by torch.
    """
    if a.device.type != "cpu" or a.requires_grad or b.requires_grad:
        return a @ b
    return torch.from_numpy(np.matmul(a.numpy(), b.numpy()))


def propagate(net, h, n, first=None):
    """Signals of n inputs from ``h = h_0``, and ``first = W_1 rows_1`` where it is known."""
    rows, hidden = [], [h]
    for layer, (W, skip, scale) in enumerate(zip(net.W, net.skips, net.scales, strict=True)):
        rows.append(_unfold(net, h))
        pre = first if layer == 0 and first is not None else product(rows[-1], W.mT)
        if skip:
            pre = torch.add(h, pre, alpha=scale)
        h = torch.relu(pre)
        hidden.append(h)
    return Signals(rows, hidden, product(h.reshape(len(h), n, -1), net.B.mT))


def check_inputs(net, X):
    """Complain of inputs that are not (S, n, p) for these networks."""
    S, _, k = net.A.shape
    p = k if net.image is None else net.positions
    if X.dim() != 3 or X.shape[0] != S or X.shape[2] != p:
        raise ValueError(
            f"X: expected shape ({S}, n, {p}) for {S} trials, found {tuple(X.shape)}; expand the "
            "inputs along a first axis of trials"
        )


def backward(net, signals, weights=None):
    """Backward vectors: ``p_{i,l} = D_{i,l} (B D_{i,L} W_L .. D_{i,l+1} W_{l+1})^T v_i``.

    Parameters
    ----------
    net : Network
    signals : Signals
        Of a forward pass with the same W.
    weights : tensor, shape (S, n, d), optional
        ``v_i``; ones by default, which for d = 1 gives the gradient of the output, and the
        residuals give that of the squared loss.

    Returns
    -------
    list of L tensors, shape (S, N, m)
        So that ``grad_{W_l} sum_i <v_i, f(x_i)> = p_l^T rows_l``; in residual layers this includes
        the factor tau.
    """
    if weights is None:
        weights = torch.ones_like(signals.outputs)
    e = product(weights, net.B).reshape(signals.hidden[-1].shape)
    vectors = [None] * net.depth
    for layer in range(net.depth, 0, -1):
        # e is the derivative in h_l, then D_l e the one in the pre-activation of layer l.
        e = torch.ops.aten.threshold_backward(e, signals.hidden[layer], 0)
        scale = net.scales[layer - 1]
        vectors[layer - 1] = p = e if scale == 1 else scale * e
        if layer > 1:
            back = _fold(net, product(p, net.W[layer - 1]))
            e = e + back if net.skips[layer - 1] else back
    return vectors


def _unfold(net, maps):
    """Patches of maps, (S, n positions, m) to (S, n positions, q m), position by position."""
    if net.image is None:
        return maps
    S, _, m = maps.shape
    margin, side = net.patch // 2, net.patch
    grid = maps.reshape(S, -1, *net.image, m)
    padded = torch.nn.functional.pad(grid, (0, 0, margin, margin, margin, margin))
    windows = padded.unfold(2, side, 1).unfold(3, side, 1)
    return windows.permute(0, 1, 2, 3, 5, 6, 4).reshape(S, -1, side**2 * m)


def _fold(net, patches):
    """The adjoint of `_unfold`: each position sums what the patches that contain it hold."""
    if net.image is None:
        return patches
    S, side, (height, width) = len(patches), net.patch, net.image
    windows = patches.view(S, -1, height, width, side, side, patches.shape[2] // side**2)
    n, m = windows.shape[1], windows.shape[-1]
    padded = patches.new_zeros(S, n, height + side - 1, width + side - 1, m)
    for down, across in itertools.product(range(side), repeat=2):
        padded[:, :, down : down + height, across : across + width] += windows[
            :, :, :, :, down, across
        ]
    margin = side // 2
    inner = padded[:, :, margin : margin + height, margin : margin + width]
    return inner.reshape(S, -1, m)
