"""Exact training without listing cells: exchange filters until the dual constraint holds for all.

With the filters' directions fixed, the output weights solve a lasso. Its dual point prices all
filters; those that violate the dual constraint join. `bounding.bound_price` proves that none is
left, or finds one that a search has missed.
"""

from __future__ import annotations

import time

import numpy as np

from .bounding import bound_price, climb_price
from .interior_point import Groups, interior_point
from .losses import dual_value
from .network import Trained, network_of_rays, reduce_filters

# Starts of the search in a round: so many filters and random ones; filters above which those that
# are hardly used leave; rounds at most.
_STARTS, _MOST, _ROUNDS = 60, 200, 100
# Directions closer than this are one.
_CLOSE = 1e-8


def solve_without_cells(patches, loss, beta, tol, time_limit, rng):
    """Train ``f = sum_j w_j sum_k (X_k u_j)_+``, for many samples and filters of 2 to 4 entries.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    loss : Squared or Logistic
    beta : float
    tol : float
        Relative gap to reach.
    time_limit : float
        Seconds after which no exchange begins; the last proof may take as long again.
    rng : numpy.random.Generator
        Starts of the search for filters.

    Returns
    -------
    Trained

    Notes
    -----
    The exchange method of semi-infinite programming, for ``min L(sum_j a_j phi(u_j)) + beta |a|_1``
    over unit filters. A round climbs from filters in use and from random ones; only where that
    finds no violation above ``tol / 4`` it is proved that there is none.
    """
    start, limit, zero = time.perf_counter(), beta * (1 + tol / 4), np.zeros(len(patches))
    filters, v = np.zeros((0, patches.shape[2])), loss.dual(zero)
    best, lower = (loss.value(zero), filters, np.zeros(0)), (-np.inf, v)
    accuracy, n_rounds, n_iter = tol / 10, 0, 0

    def prove(v, **options):
        """The price, and the dual bound it gives."""
        left = max(time_limit - (time.perf_counter() - start), 0.1 * time_limit)
        bound = bound_price(patches, v, time_limit=left, **options)
        return bound, max(lower, dual_value(v, loss, bound.upper, beta), key=_first)

    while n_rounds < _ROUNDS and accuracy > 1e-14:
        again = rng.permutation(filters)[:_STARTS]
        starts = np.concatenate([again, rng.standard_normal((_STARTS, patches.shape[2]))])
        prices, found = climb_price(patches, v, starts)
        found = found[prices > limit]
        if not len(found):
            bound, lower = prove(v, floor=limit)
            found = bound.filter[None] if bound.lower > limit else found
        if best[0] - lower[0] <= tol * best[0] or time.perf_counter() - start > time_limit:
            break
        known, filters = len(filters), _joined(filters, found)
        if len(filters) == known:
            # nothing is missing: what is left of the gap is the lasso's
            accuracy /= 10
        n_rounds += 1
        outputs = np.maximum(patches @ filters.T, 0.0).sum(axis=1)
        weights, v, steps = _lasso(outputs, loss, beta, accuracy)
        n_iter += steps
        objective = loss.value(outputs @ weights) + beta * np.abs(weights).sum()
        best = min(best, (objective, filters, weights), key=_first)
        if len(filters) > _MOST:
            filters = filters[np.abs(weights) > 1e-7 * np.abs(weights).max()]
    objective, filters, weights = best
    if not objective - lower[0] <= tol * objective:
        lower = prove(v, tol=tol / 4)[1]  # a last bound, where none was proved
    # What the interior point has not brought to zero.
    used = np.abs(weights) > 1e-9 * np.abs(weights).max(initial=0.0)
    rays = filters[used] * np.abs(weights[used])[:, None]
    network = network_of_rays(rays, np.sign(weights[used]), "average")
    network = reduce_filters(network, patches) if used.any() else network
    return Trained(network, float(objective), *lower, n_iter=n_iter, n_rounds=n_rounds)


def _lasso(outputs, loss, beta, tol):
    """Weights (m,) that minimise ``L(outputs @ a) + beta |a|_1``, dual point (n,), Newton steps."""
    m = outputs.shape[1]
    walls = np.zeros((0, 1)), np.zeros((m, 0))
    groups = Groups(outputs[:, :, None], np.arange(m), np.ones(m), *walls)
    point = interior_point(groups, loss, beta, tol)
    return point.c[:, 0], point.v, point.n_iter


def _joined(filters, more):
    """Filters and those of `more` that are not among them yet."""
    for u in more:
        if not (np.abs(filters - u).max(axis=1, initial=0.0) < _CLOSE).any():
            filters = np.concatenate([filters, u[None]])
    return filters


def _first(pair):
    return pair[0]
