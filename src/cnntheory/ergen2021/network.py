"""The two-layer convolutional network, and the filters that a convex solution maps to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._extras import extra
from .arrangements import check_pooling
from .losses import make_loss


@dataclass(frozen=True)
class Network:
    """Two-layer convolutional ReLU network ``f = sum_j w_j pool_k (X_k u_j)_+``.

    Attributes
    ----------
    filters : ndarray, shape (m, h)
        ``u_j``.
    weights : ndarray, shape (m,)
        ``w_j``.
    pooling : {"average", "max"}
        ``"average"`` is the plain sum over patches.

    Raises
    ------
    ValueError
        For an unknown pooling.
    """

    filters: np.ndarray
    weights: np.ndarray
    pooling: str = "average"

    def __post_init__(self):
        check_pooling(self.pooling)

    def predict(self, patches):
        """Outputs, shape (n,), at patches of shape (n, K, h)."""
        return features(self.filters, patches, self.pooling) @ self.weights

    def objective(self, patches, y, beta, loss="squared"):
        """``L(f) + beta/2 sum_j (|u_j|^2 + w_j^2)``: problem P1, ``L`` a loss of `train_convex`."""
        return make_loss(loss, y).value(self.predict(patches)) + beta / 2 * self.decay()

    def decay(self):
        """``sum_j (|u_j|^2 + w_j^2)``."""
        squares = np.vdot(self.filters, self.filters) + np.vdot(self.weights, self.weights)
        return float(squares)

    def to_torch(self):
        """The same network as a `torch.nn.Module` from (n, K, h) to (n,), in float64."""
        with extra("torch"):
            import torch

        class Convolutional(torch.nn.Module):
            def __init__(self, network):
                super().__init__()
                self.filters = torch.nn.Parameter(torch.tensor(network.filters))
                self.weights = torch.nn.Parameter(torch.tensor(network.weights))
                self.pooling = network.pooling

            def forward(self, patches):
                response = torch.relu(patches @ self.filters.T)
                pooled = response.sum(1) if self.pooling == "average" else response.amax(1)
                return pooled @ self.weights

        return Convolutional(self)


def features(filters, patches, pooling="average"):
    """``pool_k (X_k u_j)_+``, shape (n, m)."""
    check_pooling(pooling)
    response = np.maximum(patches @ filters.T, 0.0)
    return response.sum(axis=1) if pooling == "average" else response.max(axis=1)


def network_of_rays(c, signs, pooling):
    """Map convex variables to weights: ``u = c / sqrt|c|``, ``w = +-sqrt|c|``.

    Parameters
    ----------
    c : ndarray, shape (m, h)
        Variables, none zero.
    signs : ndarray, shape (m,)
        Sign of the output weight of each.
    pooling : {"average", "max"}

    Returns
    -------
    Network
        Its weight decay is ``beta sum |c_j|``.
    """
    root = np.sqrt(np.linalg.norm(c, axis=1))
    return Network(c / root[:, None], signs * root, pooling)


def balance(network):
    """Rescale every filter and its weight to equal length, which leaves the function alone.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Network
        Without the filters that contribute nothing; its decay is the least of all rescalings.
    """
    rays = network.filters * np.abs(network.weights)[:, None]
    used = np.linalg.norm(rays, axis=1) > 0
    return network_of_rays(rays[used], np.sign(network.weights[used]), network.pooling)


def reduce_filters(network, patches, tolerance=1e-9):
    """Merge equal rays, then drop filters by Caratheodory's theorem.

    Parameters
    ----------
    network : Network
    patches : ndarray, shape (n, K, h)
    tolerance : float, optional
        Relative size below which outputs count as linearly dependent.

    Returns
    -------
    Network
        The same outputs on `patches` from at most n filters, with no larger decay.

    Notes
    -----
    Unit filters give outputs ``a_j``; a network is ``sum_j mass_j a_j`` with decay
    ``beta sum_j mass_j``. While the ``a_j`` are dependent, moving along a null vector of them, in
    the direction in which the total mass does not grow, takes some mass to zero. The theorem's
    bound is n + 1; the mass need not be kept as well, which saves the one.
    """
    network = balance(network)
    rays = network.filters * np.abs(network.weights)[:, None]
    signs = np.sign(network.weights)
    rays, signs = _merge_equal(rays, signs)
    mass = np.linalg.norm(rays, axis=1)
    units = rays / mass[:, None]
    outputs = features(units, patches, network.pooling) * signs
    while len(mass):
        scaled = outputs / np.maximum(np.linalg.norm(outputs, axis=0), 1e-300)
        _, values, right = np.linalg.svd(scaled, full_matrices=True)
        independent = int((values > tolerance * values[0]).sum())
        if independent == len(mass):
            break
        null = right[-1] / np.maximum(np.linalg.norm(outputs, axis=0), 1e-300)
        null = -null if null.sum() < 0 else null
        if not (null > 0).any():
            null = -null
        ratio = np.where(null > 0, mass / np.where(null > 0, null, 1.0), np.inf)
        mass = mass - ratio.min() * null
        kept = np.arange(len(mass)) != ratio.argmin()
        mass, units, signs, outputs = mass[kept], units[kept], signs[kept], outputs[:, kept]
    return network_of_rays(units * np.maximum(mass, 0)[:, None], signs, network.pooling)


def _merge_equal(rays, signs, tolerance=1e-10):
    """Add rays of one direction and sign."""
    merged, kept = [], []
    for ray, sign in zip(rays, signs, strict=True):
        unit = ray / np.linalg.norm(ray)
        for position, other in enumerate(merged):
            same = np.linalg.norm(unit - other / np.linalg.norm(other)) <= tolerance
            if same and sign == kept[position]:
                merged[position] = other + ray
                break
        else:
            merged.append(ray)
            kept.append(sign)
    return np.array(merged).reshape(-1, rays.shape[1]), np.array(kept)
