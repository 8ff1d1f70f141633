"""Exact training without listing cells: exchange filters until the dual constraint holds for all.

With the filters' directions fixed, the output weights solve a lasso. Its dual point prices all
filters; those that violate the dual constraint join. `bounding.bound_price` proves that none is
left, or finds one that a search has missed.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np

from .bounding import _check, bound_price, climb_price
from .interior_point import Groups, interior_point
from .losses import dual_value, make_loss
from .network import Network, network_of_rays, reduce_filters
from .train import ConvergenceWarning

# Starts of the search in a round: so many filters and random ones; filters above which those that
# are hardly used leave.
_STARTS, _MOST = 60, 200
# Directions closer than this are one.
_CLOSE = 1e-8


@dataclass(frozen=True)
class PricingSolution:
    """A trained network, and how far at most it is from the optimum over all networks.

    Attributes
    ----------
    network : Network
        At most n filters.
    objective : float
        Problem P1 of `network`.
    dual_bound : float
        A lower bound on the objective of every network of any width.
    gap : float
        ``(objective - dual_bound) / objective``.
    converged : bool
        Whether `gap` reached the tolerance.
    dual : ndarray, shape (n,)
        The feasible dual point of `dual_bound`.
    n_iter : int
        Exchanges.
    """

    network: Network
    objective: float
    dual_bound: float
    gap: float
    converged: bool
    dual: np.ndarray
    n_iter: int


def train_by_pricing(
    patches, y, beta, *, loss="squared", tol=1e-6, max_iter=100, time_limit=None, rng=0
):
    """Train ``f = sum_j w_j sum_k (X_k u_j)_+`` to global optimality without listing cells.

    Where `train_convex` enumerates the cells of the filter's space, this one never does: it suits
    many samples and filters of 2 to 4 entries.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    y : ndarray, shape (n,)
    beta : float
        Weight decay, above 0.
    loss : {"squared", "logistic"}, optional
    tol : float, optional
        Relative duality gap to reach; a `ConvergenceWarning` says when it is not.
    max_iter : int, optional
        Exchanges at most.
    time_limit : float, optional
        Seconds after which no exchange begins; the last proof may take as long again.
    rng : int or numpy.random.Generator, optional
        Starts of the search for filters.

    Returns
    -------
    PricingSolution

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, ``beta <= 0`` and an unknown loss.

    Notes
    -----
    The exchange method of semi-infinite programming, for ``min L(sum_j a_j phi(u_j)) + beta |a|_1``
    over unit filters. A round climbs from filters in use and from random ones; only where that
    finds no violation above ``tol / 4`` it is proved that there is none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> patches, y = rng.standard_normal((8, 3, 2)), rng.standard_normal(8)
    >>> bool(train_by_pricing(patches, y, 0.1).gap <= 1e-6)
    True
    """
    start, rng = time.perf_counter(), np.random.default_rng(rng)
    patches, y = _check(patches, y, "y")
    if not (np.isfinite(beta) and beta > 0):
        raise ValueError(f"beta: expected a number above 0, found {beta}; weight decay is needed")
    fit, limit = make_loss(loss, y), beta * (1 + tol / 4)
    filters, v = np.zeros((0, patches.shape[2])), fit.dual(np.zeros(len(y)))
    best, lower = (fit.value(np.zeros(len(y))), filters, np.zeros(0)), (-np.inf, v)
    accuracy, n_iter = tol / 10, 0

    def prove(v, **options):
        """The price, and the dual bound it gives."""
        spent = time.perf_counter() - start
        left = None if time_limit is None else max(time_limit - spent, 0.1 * time_limit)
        bound = bound_price(patches, v, time_limit=left, **options)
        return bound, max(lower, dual_value(v, fit, bound.upper, beta), key=_first)

    while n_iter < max_iter and accuracy > 1e-14:
        again = rng.permutation(filters)[:_STARTS]
        starts = np.concatenate([again, rng.standard_normal((_STARTS, patches.shape[2]))])
        prices, found = climb_price(patches, v, starts)
        found = found[prices > limit]
        if not len(found):
            bound, lower = prove(v, floor=limit)
            found = bound.filter[None] if bound.lower > limit else found
        late = time_limit is not None and time.perf_counter() - start > time_limit
        if late or best[0] - lower[0] <= tol * best[0]:
            break
        known, filters = len(filters), _joined(filters, found)
        if len(filters) == known:
            # nothing is missing: what is left of the gap is the lasso's
            accuracy /= 10
        n_iter += 1
        outputs = np.maximum(patches @ filters.T, 0.0).sum(axis=1)
        weights, v = _lasso(outputs, fit, beta, accuracy)
        objective = fit.value(outputs @ weights) + beta * np.abs(weights).sum()
        best = min(best, (objective, filters, weights), key=_first)
        if len(filters) > _MOST:
            filters = filters[np.abs(weights) > 1e-7 * np.abs(weights).max()]
    return _solution(patches, y, beta, loss, tol, best, lower, n_iter, prove, v)


def _solution(patches, y, beta, loss, tol, best, lower, n_iter, prove, v):
    """Map the lasso to a network of at most n filters; a last bound where none was proved."""
    objective, filters, weights = best
    if not objective - lower[0] <= tol * objective:
        lower = prove(v, tol=tol / 4)[1]
    used = weights != 0
    rays = filters[used] * np.abs(weights[used])[:, None]
    network = network_of_rays(rays, np.sign(weights[used]), "average")
    network = reduce_filters(network, patches) if used.any() else network
    objective = network.objective(patches, y, beta, loss)
    gap = (objective - lower[0]) / max(objective, np.finfo(float).tiny)
    if not gap <= tol:
        warnings.warn(
            f"trained to a relative gap of {gap:.2g}, not to tol = {tol:.2g} ({n_iter} exchanges); "
            "raise time_limit, max_iter, tol or beta",
            ConvergenceWarning,
            stacklevel=3,
        )
    return PricingSolution(network, objective, lower[0], gap, bool(gap <= tol), lower[1], n_iter)


def _lasso(outputs, loss, beta, tol):
    """Weights (m,) that minimise ``L(outputs @ a) + beta |a|_1``, and the dual point (n,)."""
    m = outputs.shape[1]
    walls = np.zeros((0, 1)), np.zeros((m, 0))
    groups = Groups(outputs[:, :, None], np.arange(m), np.ones(m), *walls)
    point = interior_point(groups, loss, beta, tol)
    return point.c[:, 0], point.v


def _joined(filters, more):
    """Filters and those of `more` that are not among them yet."""
    for u in more:
        if not (np.abs(filters - u).max(axis=1, initial=0.0) < _CLOSE).any():
            filters = np.concatenate([filters, u[None]])
    return filters


def _first(pair):
    return pair[0]
