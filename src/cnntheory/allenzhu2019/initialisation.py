"""Signals of networks at random initialisation (section 7 of the paper), and their laws.

Norms of the layers, separation of the inputs, backward vectors and products of layers: of networks
that are kept, of networks that are drawn layer by layer, and at infinite width.
"""

from __future__ import annotations

import numpy as np
import scipy  # its parts load when used
import torch

from .kernel import correlation
from .networks import drawer, generators
from .training import spectral_norm


def drawn_signals(rng, X, width, depth, *, variance=2.0):
    """The signals of freshly drawn fully-connected networks, layer by layer, keeping no matrix.

    Parameters
    ----------
    rng, width, depth
        As for `networks.fully_connected`, whose draws it shares.
    X : tensor, shape (S, n, p)
        The inputs.
    variance : float or sequence of n floats, optional
        As for `networks.fully_connected`; or one for each input, which then share the draws.

    Yields
    ------
    tensor, shape (S, n, width)
        ``h_0``, then ``h_1`` to ``h_L``.

    Raises
    ------
    ValueError
        As for `networks.fully_connected`, or the generators are not one a trial.
    """
    rngs = generators(rng)
    if len(rngs) != len(X):
        raise ValueError(f"rng: expected one for each of {len(X)} trials, found {len(rngs)}")
    variances = torch.as_tensor(variance, dtype=X.dtype, device=X.device).reshape(-1, 1)
    least, largest = float(variances.min()), float(variances.max())
    draw = drawer(rngs, least, X.device, X.dtype, width=width, depth=depth)
    scale = (variances / largest).sqrt()
    h = X
    for _ in range(depth + 1):
        h = torch.relu(h @ draw(width, h.shape[2], largest / width).mT * scale)
        yield h


def separations(h):
    """``min_{i != j} ||(I - h_i h_i^T / ||h_i||^2) h_j||`` of a layer (Lemma 7.5).

    Parameters
    ----------
    h : tensor, shape (..., n, m)
        Signals of n inputs.

    Returns
    -------
    tensor, shape (...)
    """
    gram = h @ h.mT
    squares = gram.diagonal(dim1=-2, dim2=-1)
    # A signal that is zero has no direction: nothing is projected out.
    safe = squares.clamp_min(torch.finfo(h.dtype).tiny)
    left = squares[..., None, :] - gram**2 / safe[..., :, None]
    left.diagonal(dim1=-2, dim2=-1).fill_(torch.inf)
    return left.clamp_min(0).amin(dim=(-2, -1)).sqrt()


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


def drawn_norms(rng, draws, width, depth, variance=2.0):
    """Norms of the layers of a unit input, in networks that are not drawn.

    Given h, the entries of ``W h`` are independent normals of variance ``c ||h||^2 / m``: m numbers
    a layer have the law of m^2.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    draws : int
        Networks.
    width, depth : int
        m and L.
    variance : float, optional
        c of weights drawn with variance c / m.

    Returns
    -------
    (draws, L + 1) ndarray
        ``||h_0||`` to ``||h_L||``.
    """
    rng = np.random.default_rng(rng)
    growth = np.empty((draws, depth + 1))
    for layer in range(depth + 1):
        active = np.maximum(rng.standard_normal((draws, width)), 0)
        growth[:, layer] = variance / width * np.einsum("ij,ij->i", active, active)
    return np.sqrt(np.cumprod(growth, axis=1))


def log_growth(width):
    """Mean and variance of ``log(||h_l||^2 / ||h_{l-1}||^2)`` with weights of variance 2 / m.

    The ratio is 2 / m times a chi-square variable, with as many degrees of freedom as there are
    active units: binomial, m halves. (None active, probability 2^-m, is left out.) So
    ``log ||h_l||^2`` is a sum of l + 1 independent terms with these moments.

    Parameters
    ----------
    width : int

    Returns
    -------
    mean, variance : float
    """
    active = np.arange(1, width + 1)
    weights = scipy.stats.binom.pmf(active, width, 0.5)
    weights = weights / weights.sum()
    means = np.log(4 / width) + scipy.special.digamma(active / 2)
    mean = weights @ means
    spread = scipy.special.polygamma(1, active / 2) + (means - mean) ** 2
    return float(mean), float(weights @ spread)


def backward_products(net, signals):
    """``||B D_{i,L} W_L .. D_{i,a} W_a||_2`` for every a and input (Lemma 7.4).

    Parameters
    ----------
    net : Network
        Fully connected.
    signals : Signals

    Returns
    -------
    tensor, shape (S, L, n)
        The entry a - 1 belongs to a; the lemma says O(sqrt(m / d)).

    Raises
    ------
    ValueError
        The networks are not fully connected.
    """
    _check_plain(net)
    n = signals.outputs.shape[1]
    # (S, n, d, m), which W multiplies as (S, n d, m).
    rows, found = net.B[:, None].expand(-1, n, -1, -1), []
    for W, h in zip(reversed(net.W), reversed(signals.hidden), strict=False):
        rows = ((rows * (h > 0)[:, :, None]).flatten(1, 2) @ W).reshape(rows.shape)
        found.append(torch.linalg.eigvalsh(rows @ rows.mT)[..., -1].sqrt())
    return torch.stack(found[::-1], dim=1)


def product_norms(net, signals, sample, first, last):
    """``||W_b D_{b-1} W_{b-1} .. D_a W_a||_2`` of one input's patterns (Lemma 7.3).

    Parameters
    ----------
    net : Network
        Fully connected.
    signals : Signals
    sample : int
        The input i.
    first, last : int
        a and b, 1 <= a <= b <= L.

    Returns
    -------
    tensor, shape (S,)

    Raises
    ------
    ValueError
        The networks are not fully connected, or a and b are no layers in order.
    """
    _check_plain(net)
    if not 1 <= first <= last <= net.depth:
        raise ValueError(
            f"first, last: expected 1 <= first <= last <= {net.depth}, found {first} and {last}"
        )
    norms = []
    for s in range(net.trials):
        matrices = [W[s] for W in net.W[first - 1 : last]]
        masks = [h[s, sample] > 0 for h in signals.hidden[first:last]]

        def apply(v, matrices=matrices, masks=masks):
            v = matrices[0] @ v
            for W, mask in zip(matrices[1:], masks, strict=True):
                v = W @ (v * mask)
            return v

        def apply_transposed(u, matrices=matrices, masks=masks):
            for W, mask in zip(matrices[:0:-1], masks[::-1], strict=True):
                u = (W.T @ u) * mask
            return matrices[0].T @ u

        norms.append(spectral_norm(apply, apply_transposed, matrices[0]))
    return torch.tensor(norms, dtype=torch.float64)


def _check_plain(net):
    if net.image is not None or any(net.skips):
        raise ValueError("net: expected a fully-connected network, without skips and images")
