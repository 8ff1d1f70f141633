"""Loss landscapes of small convolutional networks, as in the figures of the paper.

Two networks, their training, and the scan of the loss around a point of it along the gradient and
along the most negatively curved direction.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from cnntheory.descent import minibatches

from .curvature import (
    flat_objective,
    hessian_operator,
    lanczos,
    random_direction,
    value_and_gradient,
)

# Distances of the line scans: four to a factor 10, from far below to about the weights' own norm.
DISTANCES = tuple(10.0 ** (k / 4) for k in range(-12, 5))

# Shorter gradients, in units of the largest curvature, are rounding errors without a direction.
_VANISHED = 1e-6


class Residual(nn.Module):
    """Basic block of a residual network: two 3 x 3 convolutions beside a skip connection."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(inside, outside, stride), nn.ReLU(), *_convolution(outside, outside)
        )
        same = inside == outside and stride == 1
        self.skip = (
            nn.Identity() if same else nn.Sequential(*_convolution(inside, outside, stride, size=1))
        )

    def forward(self, x):
        return torch.relu(self.body(x) + self.skip(x))


def _convolution(inside, outside, stride=1, size=3):
    """Convolution and batch normalisation, always by the statistics of the batch at hand."""
    return (
        nn.Conv2d(inside, outside, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outside, track_running_stats=False),
    )


def residual_network(rng, widths=(8, 16), classes=10):
    """A small ResNet with batch normalisation for images of one channel.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
        Source of the initial weights.
    widths : sequence of int, optional
        Channels of the basic blocks, one block each; each but the first halves the image.
    classes : int, optional

    Returns
    -------
    torch.nn.Module
        Maps images, shape (n, 1, height, width), to logits, shape (n, classes); float32 on the CPU.
        5 122 parameters by default.

    References
    ----------
    A small counterpart of the ResNet-32 of the paper's Figure 1.
    """
    inside = [widths[0], *widths[:-1]]
    blocks = [
        Residual(a, b, stride=1 if i == 0 else 2)
        for i, (a, b) in enumerate(zip(inside, widths, strict=True))
    ]
    stem = (*_convolution(1, widths[0]), nn.ReLU())
    return _initialise(nn.Sequential(*stem, *blocks, *_head(widths[-1], classes)), rng)


def plain_network(rng, widths=(8, 8, 16, 16), classes=10):
    """A small VGG-like network, convolutions with batch normalisation and no skips.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
        Source of the initial weights.
    widths : sequence of int, optional
        Channels of the 3 x 3 convolutions; the maximum over 2 x 2 pixels is taken half-way.
    classes : int, optional

    Returns
    -------
    torch.nn.Module
        As of `residual_network`. 4 370 parameters by default.

    References
    ----------
    A small counterpart of the VGG-19 of the paper's appendix, as we understand it.
    """
    layers = []
    for i, (a, b) in enumerate(zip([1, *widths[:-1]], widths, strict=True)):
        layers += [nn.MaxPool2d(2)] if i == len(widths) // 2 else []
        layers += [*_convolution(a, b), nn.ReLU()]
    return _initialise(nn.Sequential(*layers, *_head(widths[-1], classes)), rng)


def _head(width, classes):
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)


@torch.no_grad()
def _initialise(model, rng):
    """He's normal initialisation by fan-out for convolutions, uniform for the last layer."""
    rng = np.random.default_rng(rng)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            scale = np.sqrt(2 / (layer.out_channels * np.prod(layer.kernel_size)))
            weight = scale * rng.standard_normal(tuple(layer.weight.shape))
        elif isinstance(layer, nn.Linear):
            weight = rng.uniform(-1, 1, tuple(layer.weight.shape)) / np.sqrt(layer.in_features)
            layer.bias.zero_()
        else:
            continue
        layer.weight.copy_(torch.as_tensor(weight))
    return model


def noisy_labels(rng, labels, share, classes=10):
    """Replace a share of the labels by uniformly random ones.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    labels : int ndarray, shape (n,)
    share : float
        Between 0 and 1. A random label may be the true one, so that about
        ``share (1 - 1 / classes)`` of the labels are wrong.
    classes : int, optional

    Returns
    -------
    int64 ndarray, shape (n,)

    Raises
    ------
    ValueError
        `share` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: expected a number from 0 to 1, found {share}")
    rng = np.random.default_rng(rng)
    labels = np.array(labels, dtype=np.int64)
    picks = rng.permutation(len(labels))[: round(share * len(labels))]
    labels[picks] = rng.integers(classes, size=len(picks))
    return labels


def sgd_epochs(
    model, images, labels, rng, *, step=0.1, drops=(), batch=50, momentum=0.9, weight_decay=0.0
):
    """Epochs of stochastic gradient descent with momentum on the cross-entropy.

    Parameters
    ----------
    model : torch.nn.Module
        Trained in place, on its own device and in its own precision.
    images : array or tensor, shape (n, 1, height, width)
    labels : int array or tensor, shape (n,)
    rng : numpy.random.Generator or seed
        Source of the mini-batches, a fresh permutation each epoch.
    step : float, optional
        Learning rate of the first epoch.
    drops : sequence of int, optional
        Epochs, counted from 1, from which on the rate is a tenth of what it was.
    batch : int, optional
        Images of a mini-batch, at most n; a last smaller one is left out.
    momentum, weight_decay : float, optional

    Yields
    ------
    int
        The number of epochs done, 1, 2, ... without end; `model` then has their weights.

    Raises
    ------
    ValueError
        With the first epoch, if `batch` is not in 1 to n.
    """
    weights = list(model.parameters())
    images = torch.as_tensor(images).to(weights[0])
    labels = torch.as_tensor(labels).to(weights[0].device)
    order = minibatches(rng, len(images), batch)
    velocities = [torch.zeros_like(w) for w in weights]
    model.train()
    for epoch in itertools.count(1):
        rate = step * 0.1 ** sum(epoch >= drop for drop in drops)
        for _ in range(max(1, len(images) // max(1, batch))):
            picks = torch.as_tensor(next(order), device=images.device)
            loss = cross_entropy(model(images[picks]), labels[picks])
            gradients = torch.autograd.grad(loss, weights)
            # By hand, because torch.optim takes two seconds to load a compiler not used here.
            with torch.no_grad():
                for w, v, g in zip(weights, velocities, gradients, strict=True):
                    v.mul_(momentum).add_(g + weight_decay * w)
                    w.sub_(rate * v)
        yield epoch


@torch.no_grad()
def flatten_features(model, frequencies):
    """Move a network to a strict saddle point of its loss: constant features, no output weights.

    The last batch normalisations get scale 0 and shift 1 and the last layer weight 0 and the log
    frequencies as bias. Then the gradient vanishes, and the loss is the entropy of the labels; but
    changing scale and weights together, in the right proportion, decreases it.

    Parameters
    ----------
    model : torch.nn.Module
        Of `residual_network` or `plain_network`; changed in place.
    frequencies : array or tensor, shape (classes,)
        Share of each class among the labels; of an absent one, 1e-12 is taken.

    Raises
    ------
    ValueError
        The skip of the last block is the identity, which keeps the features from being constant.
    """
    *rest, last = model
    block = [layer for layer in rest if isinstance(layer, (Residual, nn.BatchNorm2d))][-1]
    if isinstance(block, Residual) and isinstance(block.skip, nn.Identity):
        raise ValueError("model: its last skip is the identity; take two or more widths")
    ends = [block] if isinstance(block, nn.BatchNorm2d) else [block.body[-1], block.skip[-1]]
    for end in ends:
        end.weight.zero_()
        end.bias.fill_(1)
    last.weight.zero_()
    last.bias.copy_(torch.as_tensor(frequencies).clamp(min=1e-12).log())


class Landscape(NamedTuple):
    """The loss around a point, as `landscape` scans it.

    Attributes
    ----------
    loss : float
        F(W).
    gradient_norm : float
    smallest, largest : float
        Extreme Ritz values of the Hessian.
    residual : float
        ``||H v - smallest v||`` of the most negatively curved direction.
    alignment : float
        Cosine of the gradient and v, not negative; v is oriented so.
    gradient, curved : tensor, shape (parameters,)
        The unit directions. The first is zero where the gradient has vanished.
    radius : float
        Half the side of the square scanned.
    steps : ndarray, shape (points,)
        From -radius to radius.
    surface : ndarray, shape (points, points)
        ``F(W + steps[i] gradient + steps[j] curved)``.
    distances : ndarray, shape (d,)
    down : ndarray, shape (d,)
        ``F(W - distances gradient)``.
    along : ndarray, shape (2, d)
        ``F(W - distances curved)`` and ``F(W + distances curved)``.
    """

    loss: float
    gradient_norm: float
    smallest: float
    largest: float
    residual: float
    alignment: float
    gradient: torch.Tensor
    curved: torch.Tensor
    radius: float
    steps: np.ndarray
    surface: np.ndarray
    distances: np.ndarray
    down: np.ndarray
    along: np.ndarray


class Decreases(NamedTuple):
    """Largest decreases of the loss in a `Landscape`, all at least 0.

    Attributes
    ----------
    gradient, curved : float
        Along the line of either direction, at any of the distances scanned.
    square_gradient, square_curved : float
        Along either axis of the square.
    square : float
        Anywhere in the square.
    """

    gradient: float
    curved: float
    square_gradient: float
    square_curved: float
    square: float


def landscape(
    model,
    inputs,
    labels,
    rng,
    *,
    loss=cross_entropy,
    points=13,
    radius=None,
    distances=DISTANCES,
    max_iter=20,
    device="cpu",
    dtype=torch.float64,
):
    """Scan the loss around a network's weights along its gradient and its most negative curvature.

    Parameters
    ----------
    model : torch.nn.Module
        Any module whose loss on `inputs` is a deterministic function of its weights. Not changed;
        batch normalisation in training mode takes the statistics of `inputs`.
    inputs : array or tensor, shape (n, ...)
    labels : array or tensor, shape (n, ...)
    rng : numpy.random.Generator or seed
        Source of Lanczos's start.
    loss : callable, optional
        ``loss(outputs, labels)``, a scalar tensor.
    points : int, optional
        Points on a side of the square, odd so that its centre is W. With ``4 k + 1`` points half
        the radius is on the grid.
    radius : float, optional
        Half the side of the square, the same in both directions. By default twice the distance at
        which the line down the gradient is lowest (down the curved direction where the gradient
        has vanished): the scale of the valley changes by orders of magnitude during training.
    distances : sequence of float, optional
        Where the two lines are looked at, far beyond the square.
    max_iter : int, optional
        Number of Hessian-vector products, the steps of Lanczos.
    device, dtype : optional
        Where and in which precision everything is evaluated.

    Returns
    -------
    Landscape

    Raises
    ------
    ValueError
        `points` is even or below 3, `radius` or a distance is not positive, inputs and labels
        differ in number, or the loss at W is not finite.

    Notes
    -----
    Costs ``points^2 + 3 len(distances)`` losses and `max_iter` Hessian-vector products. The
    Hessian is the one that exists almost everywhere; the paper smooths it, see
    `cnntheory.allenzhu2019.curvature.stochastic_operator`.

    References
    ----------
    Allen-Zhu, Li & Song, arXiv 1811.03962, Figure 1.
    """
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points: expected an odd number from 3, found {points}; take 13")
    distances = np.asarray(distances, dtype=float)
    if not (len(distances) and (distances > 0).all()):
        raise ValueError(f"distances: expected positive numbers, found {distances.tolist()}")
    if radius is not None and not radius > 0:
        raise ValueError(f"radius: expected a positive number, found {radius}; or leave it out")
    objective, w = flat_objective(model, inputs, labels, loss, device, dtype)
    value, gradient = value_and_gradient(objective, w)
    if not torch.isfinite(value):
        raise ValueError(f"model: its loss is {float(value)}; scan a point where it is finite")
    ritz = lanczos(hessian_operator(objective, w), random_direction(rng, w), max_iter)
    norm, curved = gradient.norm(), ritz.vectors[0]
    curvature = ritz.values.abs().max()
    unit = torch.zeros_like(w) if norm <= _VANISHED * curvature else gradient / norm
    curved = curved * (-1 if unit @ curved < 0 else 1)
    # The many losses of the scan need no gradients.
    objective, _ = flat_objective(model, _channels_last(inputs), labels, loss, device, dtype)
    down = line_scan(objective, w, -unit, distances)
    along = np.stack([line_scan(objective, w, side * curved, distances) for side in (-1, 1)])
    if radius is None:
        # Nothing to see along a vanished gradient: the curved direction sets the scale.
        lowest = down if unit.any() else along.min(axis=0)
        radius = 2 * distances[np.nanargmin(lowest)]
    steps = radius * np.linspace(-1, 1, points)
    return Landscape(
        loss=float(value),
        gradient_norm=float(norm),
        smallest=float(ritz.values[0]),
        largest=float(ritz.values[-1]),
        residual=float(ritz.residuals[0]),
        alignment=float(unit @ curved),
        gradient=unit,
        curved=curved,
        radius=float(radius),
        steps=steps,
        surface=plane_scan(objective, w, unit, curved, steps),
        distances=distances,
        down=down,
        along=along,
    )


def _channels_last(inputs):
    """Images laid out so that convolutions without gradients take half the time."""
    inputs = torch.as_tensor(inputs)
    if inputs.dim() != 4:
        return inputs
    # With one channel the layout is ambiguous, and a conversion would leave it as it is.
    layout = dict(device=inputs.device, memory_format=torch.channels_last)
    return torch.empty(inputs.shape, dtype=inputs.dtype, **layout).copy_(inputs)


@torch.no_grad()
def line_scan(objective, w, direction, distances):
    """Losses ``F(w + d direction)`` for the distances d: an ndarray of their number."""
    return np.array([float(objective(w + float(d) * direction)) for d in distances])


def plane_scan(objective, w, first, second, steps):
    """Losses ``F(w + a first + b second)``, shape (a, b), for a and b in `steps`."""
    return np.stack([line_scan(objective, w + float(a) * first, second, steps) for a in steps])


def decreases(scan):
    """How far the loss falls along the gradient, along the curved direction and anywhere.

    Parameters
    ----------
    scan : Landscape

    Returns
    -------
    Decreases
    """
    centre = len(scan.steps) // 2

    def fall(values):
        return max(0.0, scan.loss - float(np.nanmin(values)))

    return Decreases(
        gradient=fall(scan.down),
        curved=fall(scan.along),
        square_gradient=fall(scan.surface[: centre + 1, centre]),
        square_curved=fall(scan.surface[centre]),
        square=fall(scan.surface),
    )
