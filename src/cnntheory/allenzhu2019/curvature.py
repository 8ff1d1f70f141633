"""Curvature of a loss without its Hessian: products, Lanczos, Oja, differences of gradients.

A loss is any function of a flat vector of weights, twice differentiable by torch almost everywhere;
`flat_objective` makes one of a torch module. A Hessian is a function that multiplies by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector

# A Krylov space is exhausted when the next vector is this short, in units of rounding errors.
_EXHAUSTED = 100


class Ritz(NamedTuple):
    """What Lanczos found: Ritz pairs in ascending order.

    Attributes
    ----------
    values : tensor, shape (k,)
    vectors : tensor, shape (k, parameters)
        Orthonormal rows.
    residuals : tensor, shape (k,)
        ``||H v - value v||`` of each.
    """

    values: torch.Tensor
    vectors: torch.Tensor
    residuals: torch.Tensor


def flat_objective(model, inputs, labels, loss=cross_entropy, device="cpu", dtype=torch.float64):
    """The loss of a torch module as a function of all its weights in one vector.

    Parameters
    ----------
    model : torch.nn.Module
        Called with `inputs` alone. It is never changed: buffers such as the running means of batch
        normalisation are copied at each call.
    inputs : array or tensor, shape (n, ...)
    labels : array or tensor, shape (n, ...)
        Converted to `dtype` unless they are integers.
    loss : callable, optional
        ``loss(outputs, labels)``, a scalar tensor.
    device, dtype : optional
        Where and in which precision the loss is evaluated.

    Returns
    -------
    objective : callable
        Maps weights, shape (parameters,), to the loss, a scalar tensor.
    weights : tensor, shape (parameters,)
        Those of the model, in the order of ``model.parameters()``.

    Raises
    ------
    ValueError
        The module has no parameters, or inputs and labels differ in number.

    Notes
    -----
    With batch normalisation in training mode the loss is a deterministic function of the weights
    for fixed inputs, but no longer a mean over samples.
    """
    names = [name for name, _ in model.named_parameters()]
    if not names:
        raise ValueError(f"model: {type(model).__name__} has no parameters; pass one with some")
    if len(inputs) != len(labels):
        raise ValueError(
            f"labels: found {len(labels)} for {len(inputs)} inputs; pass one label for each input"
        )
    inputs = torch.as_tensor(inputs).to(device, dtype)
    labels = torch.as_tensor(labels).to(device)
    labels = labels.to(dtype) if labels.is_floating_point() else labels
    shapes = [p.shape for p in model.parameters()]
    sizes = [p.numel() for p in model.parameters()]
    buffers = {
        name: b.to(device, dtype) if b.is_floating_point() else b.to(device)
        for name, b in model.named_buffers()
    }

    def objective(w):
        parts = (part.view(shape) for part, shape in zip(w.split(sizes), shapes, strict=True))
        state = dict(zip(names, parts, strict=True))
        state |= {name: b.clone() for name, b in buffers.items()}
        return loss(functional_call(model, state, (inputs,)), labels)

    return objective, parameters_to_vector(model.parameters()).detach().to(device, dtype)


def random_direction(rng, like):
    """A uniformly random unit vector.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    like : tensor, shape (parameters,)
        Gives length, precision and device.
    """
    v = _normal(np.random.default_rng(rng), like)
    return v / v.norm()


def _normal(rng, like):
    # Drawn in numpy, so that devices and precisions share the draws.
    return torch.as_tensor(rng.standard_normal(like.shape)).to(like)


def value_and_gradient(objective, w):
    """Loss and gradient at `w`: a scalar and a tensor of the shape of `w`, both without graph."""
    w = w.detach().requires_grad_()
    value = objective(w)
    (gradient,) = torch.autograd.grad(value, w)
    return value.detach(), gradient


def hessian_operator(objective, w):
    """Products with the Hessian at `w`, by differentiating the gradient once more.

    Parameters
    ----------
    objective : callable
        Scalar function of a flat vector, as of `flat_objective`.
    w : tensor, shape (parameters,)

    Returns
    -------
    callable
        Maps v, shape (parameters,), to ``H v``.

    Notes
    -----
    The graph of the gradient is built once, so that a product costs about two gradients. Where an
    activation has a kink, as the ReLU has, this is the Hessian that exists almost everywhere: it
    leaves out the curvature of the kinks, which `difference_operator` sees.
    """
    w = w.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(w), w, create_graph=True)
    if not gradient.requires_grad:  # a linear loss
        return torch.zeros_like

    def product(v):
        return torch.autograd.grad(gradient, w, v, retain_graph=True, materialize_grads=True)[0]

    return product


def difference_operator(objective, w, radius):
    """Products with the Hessian at `w` from two gradients, as Neon2 takes them.

    For a unit vector v: ``(grad F(w + q v) - grad F(w - q v)) / (2 q)``, the Hessian averaged over
    the segment of half-length q, the curvature of the kinks included.

    Parameters
    ----------
    objective : callable
        Scalar function of a flat vector.
    w : tensor, shape (parameters,)
    radius : float
        q, positive. Small ones need float64.

    Returns
    -------
    callable
        Maps v, shape (parameters,), not zero, to the product; homogeneous in v.

    Raises
    ------
    ValueError
        `radius` is not positive.

    References
    ----------
    Allen-Zhu & Li, "Neon2: finding local minima via first-order oracles" (2018).
    """
    if not radius > 0:
        raise ValueError(f"radius: expected a positive number, found {radius}; take about 1e-3")

    def product(v):
        norm = v.norm()
        offset = radius * v / norm
        _, ahead = value_and_gradient(objective, w + offset)
        _, behind = value_and_gradient(objective, w - offset)
        return norm * (ahead - behind) / (2 * radius)

    return product


def stochastic_operator(objectives, w, sigma, rng, radius=None):
    """Noisy products with the smoothed Hessian ``E H_S(w + sigma xi)``.

    Each product takes the next mini-batch S and a fresh standard normal xi.

    Parameters
    ----------
    objectives : iterator of callable
        Losses on mini-batches, one for each product.
    w : tensor, shape (parameters,)
    sigma : float
        Standard deviation of the noise on every weight; 0 leaves the loss as it is.
    rng : numpy.random.Generator or seed
        Source of xi.
    radius : float, optional
        Take differences of gradients at this distance (`difference_operator`) instead of
        differentiating twice.

    Returns
    -------
    callable
        Maps v, shape (parameters,), to one draw of the product.

    Raises
    ------
    ValueError
        `sigma` is negative.

    Notes
    -----
    Where the loss is twice differentiable this is the Hessian of the smoothed loss, without bias.
    With a kinked activation only the differences of gradients see the smoothed loss: a second
    derivative, wherever it is taken, leaves the kinks out.
    """
    if not sigma >= 0:
        raise ValueError(f"sigma: expected a number >= 0, found {sigma}; take about 1e-3")
    rng = np.random.default_rng(rng)

    def product(v):
        objective, centre = next(objectives), w + sigma * _normal(rng, w)
        if radius is None:
            return hessian_operator(objective, centre)(v)
        return difference_operator(objective, centre, radius)(v)

    return product


def lanczos(product, start, max_iter):
    """Ritz pairs of a symmetric operator, by Lanczos with full reorthogonalisation.

    Parameters
    ----------
    product : callable
        Maps v, shape (parameters,), to ``H v``.
    start : tensor, shape (parameters,)
        Not zero; a random one has a share in every eigenvector.
    max_iter : int
        Number of products, at least 1. Fewer are taken where the Krylov space is exhausted before.

    Returns
    -------
    Ritz
        Up to `max_iter` pairs; the outermost converge first.

    Raises
    ------
    ValueError
        ``max_iter < 1``, or `start` is zero or not finite.
    """
    if max_iter < 1:
        raise ValueError(
            f"max_iter: expected at least 1, found {max_iter}; 20 to 40 suffice as a rule"
        )
    norm = start.norm()
    if not (torch.isfinite(norm) and norm > 0):
        raise ValueError(f"start: expected a vector of positive length, found {float(norm)}")
    basis = start.new_empty(min(max_iter, len(start)), len(start))
    diagonal, off = [], []
    v = start / norm
    for k in range(len(basis)):
        basis[k] = v
        image = product(v)
        diagonal.append(float(v @ image))
        # Twice is enough: the second pass removes what rounding left of the first.
        for _ in range(2):
            image = image - basis[: k + 1].T @ (basis[: k + 1] @ image)
        off.append(float(image.norm()))
        scale = max(np.abs(diagonal).max(), max(off))
        if off[-1] <= _EXHAUSTED * torch.finfo(start.dtype).eps * scale:
            break
        v = image / off[-1]
    size = len(diagonal)
    tridiagonal = np.diag(diagonal) + np.diag(off[:-1], 1) + np.diag(off[:-1], -1)
    values, weights = np.linalg.eigh(tridiagonal)
    vectors = torch.as_tensor(weights.T.copy()).to(start) @ basis[:size]
    residuals = torch.as_tensor(np.abs(off[-1] * weights[-1])).to(start)
    return Ritz(torch.as_tensor(values).to(start), vectors, residuals)


def oja(product, start, step):
    """Oja's method for the most negatively curved direction, from noisy products.

    ``v <- v - step H_k v``, normalised, where each ``H_k`` is a draw of the Hessian.

    Parameters
    ----------
    product : callable
        Maps v to a draw of ``H v``, as `stochastic_operator` does.
    start : tensor, shape (parameters,)
        Not zero.
    step : float
        Below ``2 / lambda_max`` the positive directions shrink.

    Yields
    ------
    tensor, shape (parameters,)
        The unit iterates without end, the start first.

    References
    ----------
    Allen-Zhu & Li, "First efficient convergence for streaming k-PCA" (2017).
    """
    v = start / start.norm()
    while True:
        yield v
        v = v - step * product(v)
        v = v / v.norm()


def rayleigh(product, v):
    """Rayleigh quotient ``v^T H v`` of a unit vector and its residual ``||H v - (v^T H v) v||``."""
    image = product(v)
    quotient = v @ image
    return float(quotient), float((image - quotient * v).norm())
