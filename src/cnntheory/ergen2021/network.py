"""Networks of every architecture, and the filters that a convex solution maps to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._extras import extra
from .losses import make_loss

if TYPE_CHECKING:
    from .architectures import Architecture


@dataclass(frozen=True)
class Network:
    """A network of one of the paper's architectures.

    Attributes
    ----------
    filters : ndarray, shape (m, h)
        ``u_j``; of shape (m, L - 2, d) for ``"circular"``, the first columns of the circulant
        matrices, and (m, K, h) for ``"two-relu"``, equal over the patches where they share them.
    weights : ndarray, shape (m,)
        Output weights ``w_j``; of shape (m, K) without pooling.
    architecture : str or Architecture
        See `cnntheory.ergen2021.architectures`.
    inner : ndarray, shape (m, d) or (m, K), optional
        Weights between filters and output of ``"circular"`` and ``"two-relu"``.

    Raises
    ------
    ValueError
        For an unknown architecture, and weights that do not fit together.
    """

    filters: np.ndarray
    weights: np.ndarray
    architecture: str | Architecture = "average"
    inner: np.ndarray | None = None

    def __post_init__(self):
        # the architectures map back to networks, so they are imported when one is made
        from .architectures import get_architecture

        object.__setattr__(self, "architecture", get_architecture(self.architecture))
        for name in ("filters", "inner", "weights"):
            values = getattr(self, name)
            if name not in self.architecture.decays:
                if values is not None:
                    raise ValueError(f"{name}: {self.architecture.name!r} has none; leave it out")
                continue
            values = np.asarray(values, float)
            if values.ndim == 0 or len(values) != len(self.filters):
                raise ValueError(
                    f"{name}: expected one entry for each of the {len(self.filters)} filters, "
                    f"found shape {values.shape}"
                )
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: expected finite entries, found NaN or infinity")
            object.__setattr__(self, name, values)

    @property
    def parameters(self):
        """The arrays by name, in their order in the network."""
        return {name: getattr(self, name) for name in self.architecture.decays}

    def predict(self, patches):
        """Outputs, shape (n,), at patches of shape (n, K, h)."""
        return self.architecture.output(self.parameters, self.architecture.inputs(patches))

    def objective(self, patches, y, beta, loss="squared"):
        """``L(f) + beta/2`` times `decay`: problem P1, ``L`` a loss of `train_convex`."""
        return objective_of(self, patches, make_loss(loss, y), beta)

    def decay(self):
        """Sum of the squares of the weights that decay: all but filters that are constrained."""
        decays = self.architecture.decays
        decayed = [values for name, values in self.parameters.items() if decays[name]]
        return float(sum(np.vdot(values, values) for values in decayed))

    def to_torch(self, layer=None, factor=1.0):
        """The same network as a `torch.nn.Module` to outputs (n,), in float64.

        Parameters
        ----------
        layer : torch.nn.Conv1d, Conv2d or Linear, optional
            How patches lie in an image: kernel, stride, padding, dilation, channels; with a bias if
            the last entry of the patches is 1. The module then takes images, else patches.
        factor : float, optional
            With a layer: what patches are multiplied by, such as 1 / K for their mean.
        """
        with extra("torch"):
            from . import module

        if layer is None:
            return module.Module(self.architecture, self.parameters)
        return module.sequential(self, layer, factor)


class Trained(NamedTuple):
    """What the solver of an architecture returns."""

    network: Network
    program: float
    dual_bound: float
    dual: np.ndarray
    n_iter: int = 0
    n_rounds: int = 0
    work: float = 0.0
    warm: np.ndarray | None = None


def objective_of(network, patches, loss, beta):
    """Problem P1 of a network, the loss being an object."""
    return loss.value(network.predict(patches)) + beta / 2 * network.decay()


def network_of_rays(c, signs, architecture):
    """Map convex variables to weights: ``u = c / sqrt|c|``, ``w = +-sqrt|c|``.

    Parameters
    ----------
    c : ndarray, shape (m, h)
        Variables, none zero.
    signs : ndarray, shape (m,)
        Sign of the output weight of each.
    architecture : Average or Max

    Returns
    -------
    Network
        Its weight decay is ``beta sum |c_j|``.
    """
    root = np.sqrt(np.linalg.norm(c, axis=1))
    return Network(c / root[:, None], signs * root, architecture)


def balance(network):
    """Rescale every filter and its weight to equal length, which leaves the function alone.

    Parameters
    ----------
    network : Network
        Of average or max pooling.

    Returns
    -------
    Network
        Without the filters that contribute nothing; its decay is the least of all rescalings.
    """
    rays = network.filters * np.abs(network.weights)[:, None]
    used = np.linalg.norm(rays, axis=1) > 0
    return network_of_rays(rays[used], np.sign(network.weights[used]), network.architecture)


def reduce_filters(network, patches):
    """Merge equal rays, then drop filters by Caratheodory's theorem.

    Parameters
    ----------
    network : Network
        Of average or max pooling.
    patches : ndarray, shape (n, K, h)

    Returns
    -------
    Network
        The same outputs on `patches` from at most n filters, with no larger decay.
    """
    network = balance(network)
    rays = network.filters * np.abs(network.weights)[:, None]
    rays, signs = _merge_equal(rays, np.sign(network.weights))
    mass = np.linalg.norm(rays, axis=1)
    units = rays / mass[:, None]
    mass = reduce_atoms(network.architecture.features(units, patches) * signs, mass)
    used = mass > 0
    return network_of_rays(units[used] * mass[used, None], signs[used], network.architecture)


def reduce_atoms(atoms, mass, tolerance=1e-9):
    """Move mass between atoms until those in use are linearly independent (Caratheodory).

    Parameters
    ----------
    atoms : ndarray, shape (n, m)
        One atom a column, all of unit cost.
    mass : ndarray, shape (m,)
        Non-negative.
    tolerance : float, optional
        Relative size below which atoms count as linearly dependent.

    Returns
    -------
    ndarray, shape (m,)
        Non-negative, with the same ``atoms @ mass`` up to rounding, a sum no larger, and at most
        rank(atoms) entries positive.

    Notes
    -----
    While the atoms are dependent, moving along a null vector of them, in the direction in which the
    total mass does not grow, takes some mass to zero. The theorem's bound is n + 1; the total need
    not be kept as well, which saves the one.
    """
    mass = np.array(mass, dtype=float)
    lengths = np.maximum(np.linalg.norm(atoms, axis=0), 1e-300)
    scaled = atoms / lengths
    while len(used := np.flatnonzero(mass > 0)):
        _, values, right = np.linalg.svd(scaled[:, used], full_matrices=len(used) > len(atoms))
        if int((values > tolerance * values[0]).sum()) == len(used):
            break
        null = right[-1] / lengths[used]
        null = -null if null.sum() < 0 else null
        if not (null > 0).any():
            null = -null
        ratio = np.where(null > 0, mass[used] / np.where(null > 0, null, 1.0), np.inf)
        mass[used] = np.maximum(mass[used] - ratio.min() * null, 0.0)
        mass[used[ratio.argmin()]] = 0.0
    return mass


def _merge_equal(rays, signs, tolerance=1e-10):
    """Add rays of one direction and sign."""
    merged, units, kept, count = rays.copy(), np.empty_like(rays), np.array(signs), 0
    for ray, sign in zip(rays, signs, strict=True):
        apart = np.linalg.norm(units[:count] - ray / np.linalg.norm(ray), axis=1)
        same = np.flatnonzero((apart <= tolerance) & (kept[:count] == sign))
        if len(same):
            place = same[0]
            merged[place] += ray
        else:
            place, count = count, count + 1
            merged[place], kept[place] = ray, sign
        units[place] = merged[place] / np.linalg.norm(merged[place])
    return merged[:count], kept[:count]
