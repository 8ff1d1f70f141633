"""Does Theorem 3.1 speak of a data set? Its condition ``gamma > 6 L_cross``, measured on patches.

The law is that of the data at hand: each of the n inputs with probability 1 / n.
"""

from dataclasses import dataclass

import numpy as np

from cnntheory.du2018.neuron import REGIONS, angle
from cnntheory.du2018.smoothness import ACUTE, cross_norm, extremes

PAIRS = ("pp,pp", "pm,pm", "mp,mp", "pp,pm", "pp,mp", "pm,mp")
# Bytes of the products that are held at a time.
_BLOCK = 1 << 26


@dataclass(frozen=True)
class Condition:
    """Constants of Theorem 3.1 for m filters w* at a angles, from filters w in a few directions.

    A minimum over some of the directions is an upper bound of the minimum over all, a maximum a
    lower bound: the constants are bounds, each on the side that makes the condition look better
    than it is. At angle 0 the only filter is w* itself, and the values are exact.

    Attributes
    ----------
    samples, patches, directions : int
        n, k, and the directions looked at from each w*.
    filters : (m, p) ndarray
        The teachers w*, of unit norm.
    angles : (a,) ndarray
        Radians; the first is 0.
    gamma : (m, a) ndarray
        Upper bounds of ``gamma(phi)``.
    lipschitz, wrong, cross : (m, a) ndarray
        Lower bounds of L(phi), of the wrong region's largest eigenvalue, and of the sum of the
        norms of the three cross-covariances.
    """

    samples: int
    patches: int
    directions: int
    filters: np.ndarray
    angles: np.ndarray
    gamma: np.ndarray
    lipschitz: np.ndarray
    wrong: np.ndarray
    cross: np.ndarray

    @property
    def beta(self):
        """Lower bounds of beta, the largest ``wrong / phi`` up to 90 degrees, shape (m,)."""
        return self._growth(self.wrong)

    @property
    def l_cross(self):
        """Lower bounds of L_cross, the largest ``cross / phi`` up to 90 degrees, shape (m,)."""
        return self._growth(self.cross)

    @property
    def ratio(self):
        """Upper bounds of ``gamma(phi_0) / (6 L_cross)``, whatever phi_0, shape (m,)."""
        largest, needed = self._largest_gamma(), 6 * self.l_cross
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(largest > 0, largest / needed, 0.0)

    @property
    def refuted(self):
        """Whether the condition fails for every start, by filter: booleans (m,)."""
        return self.ratio <= 1

    @property
    def status(self):
        """``"refuted"``, ``"not refuted"``, or for how many of the filters it is."""
        count, m = self.refuted.sum(), len(self.filters)
        return {0: "not refuted", m: "refuted"}.get(count, f"refuted for {count} of {m} filters")

    def _growth(self, values):
        acute = (self.angles > 0) & (self.angles <= ACUTE)
        return (values[:, acute] / self.angles[acute]).max(axis=1, initial=0.0)

    def _largest_gamma(self):
        """Over the angles up to 90 degrees; what rounding cannot tell from 0 is 0."""
        acute = self.angles <= ACUTE
        rounding = self.filters.shape[1] * np.finfo(float).eps * self.lipschitz.max(axis=1)
        largest = self.gamma[:, acute].max(axis=1)
        return np.where(largest > rounding, largest, 0.0)

    def __str__(self):
        m, p = self.filters.shape
        verdict = {
            "refuted": "the theorem promises nothing for these filters on these inputs",
            "not refuted": "filters in other directions, not looked at, may still refute it",
        }.get(self.status, "the theorem promises nothing for those")
        return "\n".join(
            [
                f"gamma > 6 L_cross (Theorem 3.1) on {self.samples} inputs of {self.patches} "
                f"patches with {p} entries:",
                f"{m} filter(s) w*, {len(self.angles) - 1} angles, {self.directions} direction(s) "
                "at each",
                f"  largest gamma  at most   {_range(self._largest_gamma())}",
                f"  6 L_cross      at least  {_range(6 * self.l_cross)}",
                f"  gamma/6 L_cross at most  {_range(self.ratio)}",
                f"  L              at least  {_range(self.lipschitz.max(axis=1))}",
                f"  beta           at least  {_range(self.beta)}",
                f"{self.status}: {verdict}",
            ]
        )


def _range(values):
    low, high = values.min(), values.max()
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def check_condition(patches, *, filters=None, angles=None, directions=4, rng=0):
    """Look for filters that refute the condition of Theorem 3.1 on a data set.

    Parameters
    ----------
    patches : (n, k, p) array
        n inputs of k patches; uint8 is read as pixels / 255. May be memory-mapped.
    filters : (m, p) array, optional
        Teachers w*, not zero; their norm does not matter. By default four random ones.
    angles : (a,) array, optional
        Angles of w to w*, in radians between 0 and pi; by default 12 from 1e-3 to pi / 2,
        log-spaced: L_cross is a largest ratio, reached at angles as small as the patches are close.
    directions : int, optional
        Random directions in which w is turned away from each w*. More make the bounds tighter.
    rng : numpy.random.Generator or seed, optional
        Source of the filters, where none are given, and of the directions.

    Returns
    -------
    Condition
        Printed, it is a table.

    Raises
    ------
    ValueError
        Shapes do not fit, a filter is zero, an angle is not between 0 and pi, or there is nothing
        to look at.

    Notes
    -----
    The condition is asked of phi_0, ``sin(phi_0) = ||w_0 - w*|| / ||w*||``, and gamma has to be as
    large at all smaller angles, hence at 0, where it is known: one filter w with larger
    cross-covariances suffices to refute it for every start. To prove it takes all filters, which a
    search does not give. Time and memory are linear in n k (m directions a).

    References
    ----------
    Du, Lee & Tian, arXiv 1709.06129, Theorem 3.1; the constant 6 as we understand it.
    """
    patches, rng = np.asarray(patches), np.random.default_rng(rng)
    if patches.ndim != 3 or not patches.size:
        raise ValueError(
            f"patches: expected shape (n, k, p), found {patches.shape}; images.extract_patches "
            "cuts images"
        )
    if patches.shape[2] < 2:
        raise ValueError(
            "patches: expected two entries of a patch or more; with one w has no angle"
        )
    angles = np.geomspace(1e-3, ACUTE, 12) if angles is None else np.asarray(angles, dtype=float)
    if not (angles.ndim == 1 and len(angles) and ((angles > 0) & (angles < np.pi)).all()):
        raise ValueError(f"angles: expected numbers between 0 and pi, found {angles.tolist()}")
    if directions < 1:
        raise ValueError(f"directions: expected at least 1, found {directions}")
    teachers = _unit(rng, filters, patches.shape[2])
    curves = []
    for w_star in teachers:
        around = filters_around(w_star, angles, directions, rng)
        moments = region_moments(
            np.vstack([w_star, around.reshape(-1, len(w_star))]), w_star, patches
        )
        curves.append(_curves(moments, directions))
    return Condition(
        len(patches),
        patches.shape[1],
        directions,
        teachers,
        np.concatenate([[0.0], angles]),
        *(np.stack(curve) for curve in zip(*curves, strict=True)),
    )


def _unit(rng, filters, p):
    """The teachers, of unit norm."""
    filters = rng.standard_normal((4, p)) if filters is None else np.asarray(filters, dtype=float)
    if filters.ndim != 2 or filters.shape[1] != p or not len(filters):
        raise ValueError(
            f"filters: expected shape (m, {p}), the entries of a patch, found {filters.shape}"
        )
    norms = np.linalg.norm(filters, axis=1, keepdims=True)
    if not (norms > 0).all():
        raise ValueError("filters: expected directions, found a filter that is zero")
    return filters / norms


def filters_around(w_star, angles, directions, rng):
    """Filters ``(directions, len(angles), p)`` at `angles` to the unit vector w*.

    The directions in which they are turned away are random, and the same at all angles.
    """
    rng = np.random.default_rng(rng)
    across = rng.standard_normal((directions, len(w_star)))
    # A draw along w* is drawn again: of its part across only rounding errors are left.
    while (along := np.sin(angle(across, w_star)) < 1e-6).any():
        across[along] = rng.standard_normal((along.sum(), len(w_star)))
    across -= across @ w_star[:, None] * w_star
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    return np.cos(angles)[None, :, None] * w_star + np.sin(angles)[None, :, None] * across[:, None]


def _curves(moments, directions):
    """gamma, L, wrong and cross by angle, the first of them 0, over the directions."""
    constants = extremes(moments["pp,pp"], moments["pm,pm"])

    def over_directions(values, worst):
        return np.concatenate([values[:1], worst(values[1:].reshape(directions, -1), axis=0)])

    return (
        over_directions(constants.gamma, np.min),
        over_directions(constants.lipschitz, np.max),
        over_directions(constants.wrong, np.max),
        over_directions(cross_norm(moments), np.max),
    )


def region_moments(filters, w_star, patches):
    """Products ``E[Z_a Z_b^T]`` of the region means, for many filters at once, in blocks.

    Parameters
    ----------
    filters : (m, p) array
    w_star : (p,) array
    patches : (n, k, p) array
        uint8 is read as pixels / 255.

    Returns
    -------
    dict of str to (m, p, p) ndarray
        Keys as in `cnntheory.du2018.smoothness.patch_moments`.
    """
    (n, k, p), m = patches.shape, len(filters)
    scale = 255.0 if patches.dtype == np.uint8 else 1.0
    total = np.zeros((m, 3 * p, 3 * p))
    size = max(1, _BLOCK // (8 * k * (2 * m + p)))
    for first in range(0, n, size):
        block = (patches[first : first + size] / scale).astype(float, copy=False)
        if not np.isfinite(block).all():
            raise ValueError(
                "patches: expected finite numbers, found others; leave those inputs out"
            )
        means = _region_means(filters, w_star, block)
        total += np.swapaxes(means, 1, 2) @ means
    places = {name: slice(i * p, (i + 1) * p) for i, name in enumerate(REGIONS)}
    return {pair: total[:, places[pair[:2]], places[pair[3:]]] / n for pair in PAIRS}


def _region_means(filters, w_star, patches):
    """Z_pp, Z_pm, Z_mp side by side, ``(m, n, 3 p)``, of `neuron.region_means`."""
    n, k, p = patches.shape
    rows = patches.reshape(-1, p).T
    on, star = filters @ rows > 0, w_star @ rows > 0
    regions = np.concatenate([on & ~star, ~on & star, star[None]]).astype(float)
    means = regions.reshape(-1, n, k).swapaxes(0, 1) @ patches / k
    only_w, only_star, both = np.split(means.swapaxes(0, 1), [len(on), 2 * len(on)])
    # The patches that w* sees, but for those that w does not: one product less.
    return np.concatenate([both - only_star, only_w, only_star], axis=-1)
