"""Train two-layer convolutional networks to certified global optimality."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace

import numpy as np

from .arrangements import (
    check_pooling,
    drop_order,
    enumerate_cells,
    gate_patterns,
    pattern_cells,
    sample_gates,
)
from .losses import make_loss
from .network import Network, network_of_rays, reduce_filters
from .programs import build_groups, largest_price, polish, price_cells
from .solver import dual_value, interior_point

# Cells above which they enter the program by their price.
_WHOLE = 600
# Column generation: cells to begin with, prices above beta to find in a round, cells that enter for
# being apart from better ones by the angle of this cosine, and for being the best.
_FIRST, _PRICED, _SPREAD, _APART, _NEAR = 200, 1000, 40, 0.995, 20
# What the polish takes for zero, in the order tried: the slack of a direction on a facet, and the
# length of a ray relative to the longest.
_ZEROS = ((1e-5, 1e-7), (1e-4, 1e-5), (1e-5, 1e-4), (1e-6, 1e-6), (1e-3, 1e-5), (1e-3, 1e-3))
# Relative gap above which the interior point's own rays are near enough.
_LOOSE = 1e-7
# The same, once the gap is closed, for the fewest rays.
_PRUNES = ((1e-4, 1e-3), (1e-5, 1e-4))
# Times that rays which the polish missed are added to it, and their relative length.
_REPAIRS, _LENGTH = 6, 1e-3
_TINY = np.finfo(float).tiny
# Options about cells and their dual points, as they are unless given.
_DEFAULTS = {
    "seed": 0,
    "cones": True,
    "max_patterns": 200_000,
    "dual": None,
    "cells": None,
    "loss": "squared",
}


class ConvergenceWarning(UserWarning):
    """A program was not solved to the accuracy that was asked for."""


@dataclass(frozen=True)
class Solution:
    """A trained network and its certificate.

    Attributes
    ----------
    network : Network
        At most n filters, mapped back from the convex program and reduced.
    objective : float
        Problem P1 of `network`: squared loss over 2 plus ``beta / 2`` weight decay. An upper bound
        on the optimum, whatever the solver did.
    program : float
        Value of the convex program at the solver's point, before mapping and reduction.
    dual_bound : float
        Value of a feasible point of the dual. If `exact`, a lower bound on the objective of every
        network of any width; otherwise of every network whose filters lie in the cells of
        `patterns`.
    restricted_gap : float
        ``(objective - dual_bound) / objective``: how far the program that was solved is from its
        optimum. Over sampled cells it says nothing of networks outside them: trained networks
        may lie far below.
    gap : float
        The same where it bounds the distance to the global optimum, that is over all cells with
        all constraints; NaN elsewhere.
    converged : bool
        Whether `restricted_gap` reached the tolerance that was asked for.
    exact : bool
        Whether `patterns` are all patterns.
    patterns : bool ndarray, shape (P, n, K)
        Gates of the cells of the program.
    dual : ndarray, shape (n,)
        The dual point, scaled to be feasible.
    active : int
        Rays of the convex solution before equal rays merge and Caratheodory's reduction.
    rounds, iterations : int
        Rounds of column generation and interior point iterations.
    work : float
        Floating-point operations of the Newton steps and of the pricing, counted by formula: the
        same on every machine.
    seconds : float
        Wall time of the solve, enumeration included.
    """

    network: Network
    objective: float
    program: float
    dual_bound: float
    restricted_gap: float
    gap: float
    converged: bool
    exact: bool
    patterns: np.ndarray
    dual: np.ndarray
    active: int
    rounds: int
    iterations: int
    work: float
    seconds: float


@dataclass(frozen=True)
class Certificate:
    """How far a network is from the global optimum.

    Attributes
    ----------
    objective : float
        Problem P1 of the network.
    dual_bound : float
        Lower bound on the objective of every network of any width, if all cells were given or
        enumerated; otherwise of those whose filters lie in the given cells.
    restricted_gap : float
        ``(objective - dual_bound) / objective``.
    gap : float
        The same where the bound is over all cells, a bound on the relative distance to the
        optimum; NaN elsewhere.
    price : float
        ``max {|v^T phi(u)| : |u| <= 1}`` at ``v = -L'(f)``; at most beta at an optimum.
    """

    objective: float
    dual_bound: float
    restricted_gap: float
    gap: float
    price: float


def train_convex(
    patches,
    y,
    beta,
    *,
    pooling="average",
    arrangements="exact",
    loss="squared",
    tol=1e-8,
    seed=0,
    cones=True,
    max_patterns=200_000,
):
    """Train ``f = sum_j w_j pool_k (X_k u_j)_+`` to global optimality by its convex program.

        ``min L(f) + beta/2 sum_j (|u_j|^2 + w_j^2)``

    over networks of any width, with a certified duality gap.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        ``K = 1`` is the fully connected network; append a column of ones for a (decayed) bias.
    y : ndarray, shape (n,)
    beta : float
        Weight decay, above 0. `beta_max` gives the value from which the zero network is optimal.
    pooling : {"average", "max", "none"}, optional
        ``"average"`` is the plain sum over the patches (divide `patches` by K for the mean; beta
        stays); ``"none"`` gives every patch its own output weight, see
        `cnntheory.ergen2021.unpooled.train_unpooled`, whose solution has fewer attributes. It
        works on exact arrangements only and has no use for `seed`, `cones` and `max_patterns`.
    arrangements : "exact", int, ndarray of shape (h, T), or bool ndarray of shape (P, n, K)
        All cells; the cells of so many Gaussian gates drawn from `seed`; the cells of given gates;
        given patterns. All but the first restrict the program: the objective stays an upper bound,
        the dual bound holds for the restricted program only.
    loss : {"squared", "logistic"}, optional
        ``L(f) = 1/2 |f - y|^2``, or ``sum log(1 + exp(-y f))`` for labels -1 and 1 (not with
        pooling ``"none"``).
    tol : float, optional
        Relative duality gap to reach. What was reached is in the result, and a
        `ConvergenceWarning` says when it is more.
    seed : int or numpy.random.Generator, optional
        Source of sampled gates.
    cones : bool or "order", optional
        ``False`` drops all cone constraints (the gated relaxation), ``"order"`` only those that
        make the winner of max pooling the winner. Both are controls: `program`, `objective` and
        `dual_bound` are then those of the relaxation, and the network does not attain them.
    max_patterns : int, optional
        Budget of exact enumeration.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, ``beta <= 0``, unknown options, and options
        that have no meaning for the pooling.
    ArrangementTooLarge
        If exact enumeration would exceed its budget (a ValueError).

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798: the two-layer program (Theorem 2.1 as we understand it); max
    pooling reconstructed.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> patches, y = rng.standard_normal((8, 3, 2)), rng.standard_normal(8)
    >>> train_convex(patches, y, beta=0.1).gap <= 1e-8
    True
    """
    start = time.perf_counter()
    patches, y = _check_data(patches, y)
    _check_beta(beta)
    check_pooling(pooling, "none")
    if pooling == "none":
        _refuse_unpooled(cones=cones, seed=seed, max_patterns=max_patterns, loss=loss)
        return _train_unpooled(patches, y, beta, arrangements, tol)
    fit = make_loss(loss, y)
    cells = _choose_cells(patches, pooling, arrangements, seed, max_patterns)
    cells = _relax(cells, patches, pooling, cones)
    return _solve(cells, patches, fit, beta, pooling, tol, start, cones is True)[0]


def path(
    patches,
    y,
    betas,
    *,
    pooling="average",
    arrangements="exact",
    tol=1e-8,
    seed=0,
    max_patterns=200_000,
):
    """Train along a path of betas, each start from the cells of its neighbour.

    Parameters
    ----------
    betas : sequence of float
        Solved from the largest to the smallest; results keep the order given.
    patches, y, pooling, arrangements, tol, seed, max_patterns
        As for `train_convex`.

    Returns
    -------
    list of Solution
        Enumeration is shared; it counts in the seconds of the first that is solved.
    """
    start = time.perf_counter()
    patches, y = _check_data(patches, y)
    betas = [float(beta) for beta in betas]
    for beta in betas:
        _check_beta(beta)
    check_pooling(pooling, "none")
    if pooling == "none":
        _refuse_unpooled(seed=seed, max_patterns=max_patterns)
        return [_train_unpooled(patches, y, beta, arrangements, tol) for beta in betas]
    cells = _choose_cells(patches, pooling, arrangements, seed, max_patterns)
    solutions, warm, loss = {}, None, make_loss("squared", y)
    for position in sorted(range(len(betas)), key=lambda i: -betas[i]):
        solutions[position], warm = _solve(
            cells, patches, loss, betas[position], pooling, tol, start, True, warm
        )
        start = time.perf_counter()
    return [solutions[position] for position in range(len(betas))]


def beta_max(patches, y, pooling="average", *, loss="squared", cells=None, max_patterns=200_000):
    """Least beta at which the zero network is optimal: ``max {|v^T phi(u)| : |u| <= 1}``, exact.

    Here ``v = -L'(0)``: the labels for the squared loss, half of them for the logistic one.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    y : ndarray, shape (n,)
    pooling : {"average", "max", "none"}, optional
    loss : {"squared", "logistic"}, optional
    cells : Cells, optional
        Result of `enumerate_cells`, to enumerate once.
    max_patterns : int, optional
        Budget of the enumeration.

    Returns
    -------
    float
    """
    patches, y = _check_data(patches, y)
    check_pooling(pooling, "none")
    if pooling == "none":
        _refuse_unpooled(cells=cells, max_patterns=max_patterns, loss=loss)
        from .unpooled import beta_max_unpooled

        return beta_max_unpooled(patches, y)
    if cells is None:
        cells = _choose_cells(patches, pooling, "exact", 0, max_patterns)
    return largest_price(cells, patches, make_loss(loss, y).dual(np.zeros(len(y))))


def certify(
    filters,
    weights,
    patches,
    y,
    beta,
    pooling="average",
    *,
    loss="squared",
    dual=None,
    cells=None,
    max_patterns=200_000,
):
    """Bound the distance of any network to the global optimum.

    Parameters
    ----------
    filters : ndarray, shape (m, h)
    weights : ndarray, shape (m,), or (m, K) for pooling ``"none"``
    patches : ndarray, shape (n, K, h)
    y : ndarray, shape (n,)
    beta : float
    pooling : {"average", "max", "none"}, optional
        ``"none"`` has no use for `dual`, `cells` and `max_patterns`.
    loss : {"squared", "logistic"}, optional
    dual : ndarray, shape (n,), optional
        A dual point to try beside the residual, such as `Solution.dual`: the bound is then as tight
        as that point.
    cells : Cells, optional
        Result of `enumerate_cells`, to enumerate once for many networks. Cells that are not all
        cells give a bound for the restricted program only.
    max_patterns : int, optional
        Budget of the enumeration.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, ``beta <= 0``, an unknown pooling, and
        options that have no meaning for the pooling.
    ArrangementTooLarge
        If the enumeration would exceed its budget.

    Notes
    -----
    The ``v = -L'(f)``, for the squared loss the residual ``y - f``, is scaled to the best feasible
    point on its ray, which needs the largest price over all cells: one product with all gates, then
    projections on the cones of the cells that ``|A_i^T v|`` does not rule out. It costs the
    enumeration and ``O(P n K h)``.
    """
    patches, y = _check_data(patches, y)
    _check_beta(beta)
    check_pooling(pooling, "none")
    if pooling == "none":
        _refuse_unpooled(dual=dual, cells=cells, max_patterns=max_patterns, loss=loss)
        return _certify_unpooled(filters, weights, patches, y, beta)
    network = Network(*_check_network(filters, weights, patches), pooling)
    if cells is None:
        cells = _choose_cells(patches, pooling, "exact", 0, max_patterns)
    objective, fit = network.objective(patches, y, beta, loss), make_loss(loss, y)
    v = fit.dual(network.predict(patches))
    price = largest_price(cells, patches, v)
    bound = dual_value(v, fit, price, beta)[0]
    if dual is not None:
        dual = np.asarray(dual, float)
        bound = max(bound, dual_value(dual, fit, largest_price(cells, patches, dual), beta)[0])
    gap = (objective - bound) / max(objective, _TINY)
    return Certificate(objective, bound, gap, gap if cells.exact else np.nan, price)


def _solve(cells, patches, loss, beta, pooling, tol, start, exact_cones, warm=None):
    """Generate columns, polish, map back. Returns the solution and the cells in use."""
    if (zero := _zero(cells, patches, loss, beta, pooling, start, exact_cones)) is not None:
        return zero, None
    chosen = _first_cells(cells, warm)
    groups, point, lower, chosen, rounds, iterations, work = _generate(
        cells, patches, loss, beta, tol, chosen
    )

    def map_back(rays, owner):
        """Objective, network, value of the program and rays, of polished rays."""
        outputs = _fit_rays(groups, rays, owner)
        program = float(loss.value(outputs) + beta * np.linalg.norm(rays, axis=1).sum())
        network = network_of_rays(rays, groups.weight[owner], pooling)
        if not exact_cones:
            return program, network, program, len(rays)
        network = reduce_filters(network, patches)
        objective = loss.value(network.predict(patches)) + beta / 2 * network.decay()
        return objective, network, program, len(rays)

    def closes(objective):
        return objective - lower[0] <= tol * objective

    # the zero network is the first candidate
    best = map_back(np.zeros((0, patches.shape[2])), np.zeros(0, int))
    if tol > _LOOSE:
        best = min(best, map_back(*_long_rays(point.c)), key=_first)
    for width, least in _ZEROS:
        c = point.c
        for _ in range(_REPAIRS):
            if closes(best[0]) or c is None:
                break
            rays, owner = polish(groups, c, loss, beta, width, least, merge=exact_cones)
            if not _inside(groups, rays, owner):
                break
            best = min(best, map_back(rays, owner), key=_first)
            if not closes(best[0]):
                v = loss.dual(_fit_rays(groups, rays, owner))
                price, *above = price_cells(cells, patches, v, beta * (1 + tol / 100))
                lower = max(lower, dual_value(v, loss, price, beta), key=_first)
                c = _repair(groups, chosen, rays, owner, *above)
    if not closes(best[0]):
        best = min(best, map_back(*_long_rays(point.c)), key=_first)
    for width, least in _PRUNES if tol <= _LOOSE else ():
        rays, owner = polish(groups, point.c, loss, beta, width, least, merge=exact_cones)
        if _inside(groups, rays, owner) and len(rays) < best[3]:
            pruned = map_back(rays, owner)
            if closes(pruned[0]) and len(pruned[1].weights) <= len(best[1].weights):
                best = pruned
    objective, network, program, active = best
    gap = (objective - lower[0]) / max(objective, _TINY)
    if not gap <= tol:
        warnings.warn(
            f"the program is solved to a relative gap of {gap:.2g}, not to tol = {tol:.2g} "
            f"({iterations} iterations); raise tol or beta, or use fewer cells",
            ConvergenceWarning,
            stacklevel=3,
        )
    solution = Solution(
        network=network,
        objective=objective,
        program=program,
        dual_bound=lower[0],
        restricted_gap=gap,
        gap=gap if cells.exact and exact_cones else np.nan,
        converged=bool(gap <= tol),
        exact=cells.exact,
        patterns=cells.patterns,
        dual=lower[1],
        active=active,
        rounds=rounds,
        iterations=iterations,
        work=work,
        seconds=time.perf_counter() - start,
    )
    length = np.linalg.norm(point.c, axis=1)
    return solution, chosen[np.unique(groups.cell[length > 1e-6 * length.max()])]


def _zero(cells, patches, loss, beta, pooling, start, exact_cones):
    """The zero network where it is the optimum, from beta_max on; else None.

    The interior point has no interior to follow there, and takes long to say so.
    """
    outputs = np.zeros(len(patches))
    v = loss.dual(outputs)
    price, *_ = price_cells(cells, patches, v, beta)
    if price > beta:
        return None
    objective, (bound, v) = float(loss.value(outputs)), dual_value(v, loss, price, beta)
    gap = (objective - bound) / max(objective, _TINY)
    return Solution(
        network=network_of_rays(np.zeros((0, patches.shape[2])), np.zeros(0), pooling),
        objective=objective,
        program=objective,
        dual_bound=bound,
        restricted_gap=gap,
        gap=gap if cells.exact and exact_cones else np.nan,
        converged=True,
        exact=cells.exact,
        patterns=cells.patterns,
        dual=v,
        active=0,
        rounds=0,
        iterations=0,
        work=0.0,
        seconds=time.perf_counter() - start,
    )


def _first_cells(cells, warm):
    """All cells of a small program; else a spread of cells and those in use at the last beta."""
    count = len(cells.patterns)
    if count <= _WHOLE:
        return np.arange(count)
    spread = np.random.default_rng(0).choice(count, min(_FIRST, count), replace=False)
    return np.unique(spread if warm is None else warm)


def _generate(cells, patches, loss, beta, tol, chosen):
    """Solve over the chosen cells, let those enter whose price exceeds beta, repeat."""
    lower, rounds, iterations, work, accuracy = (-np.inf, None), 0, 0, 0.0, 1e-2
    while True:
        rounds += 1
        whole = len(chosen) == len(cells.patterns)
        groups = build_groups(cells, patches, chosen)
        point = interior_point(
            groups, loss, beta, (tol / 2 if tol > _LOOSE else tol / 10) if whole else accuracy
        )
        iterations, work = iterations + point.iterations, work + point.work
        if whole:
            lower = max(lower, dual_value(point.v, loss, point.price, beta), key=_first)
            break
        floor = beta * (1 + accuracy / 10)
        price, found, rays, sides = price_cells(cells, patches, point.v, floor, _PRICED)
        work += 2.0 * cells.patterns.size * patches.shape[2]
        lower = max(lower, dual_value(point.v, loss, price, beta), key=_first)
        upper = loss.value(groups.fit(point.c)) + beta * np.linalg.norm(point.c, axis=1).sum()
        gap = (upper - lower[0]) / upper
        entering = _entering(found, rays * sides[:, None], chosen)
        if gap <= tol or (not len(entering) and accuracy <= tol / 10):
            break
        if not len(entering) or gap < 10 * accuracy:
            accuracy = tol / 10
        chosen = np.concatenate([chosen, entering])
    return groups, point, lower, chosen, rounds, iterations, work


def _entering(found, rays, chosen):
    """Cells to enter: the best ones, no two with rays close to each other, then the next best."""
    fresh = np.flatnonzero(~np.isin(found, chosen))
    units = rays[fresh] / np.linalg.norm(rays[fresh], axis=1)[:, None]
    spread = []
    for i in range(len(fresh)):
        if not spread or (units[spread] @ units[i]).max() < _APART:
            spread.append(i)
            if len(spread) >= _SPREAD:
                break
    near = np.arange(min(_NEAR, len(fresh)))
    return np.unique(found[fresh[np.concatenate([np.array(spread, int), near])]])


def _long_rays(c):
    """Rays of an interior point that are not about to vanish, and their groups."""
    length = np.linalg.norm(c, axis=1)
    owner = np.flatnonzero(length > 1e-6 * length.max())
    return c[owner], owner


def _inside(groups, rays, owner):
    """Whether polished rays have stayed in their cones: else they belong to another program."""
    slack = groups.signs[owner] * (rays @ groups.rows.T)
    return bool((slack >= -1e-9 * np.linalg.norm(rays, axis=1)[:, None]).all())


def _repair(groups, chosen, rays, owner, found, extra, sides):
    """Polished rays and, lightly, rays whose price exceeds beta: the faces that they missed."""
    place = np.searchsorted(chosen, found, sorter=(order := np.argsort(chosen)))
    place = order[np.minimum(place, len(chosen) - 1)]
    usable = np.flatnonzero(chosen[place] == found)[:_NEAR]
    if not len(usable) or not len(rays):
        return None
    c = np.zeros((len(groups), rays.shape[1]))
    np.add.at(c, owner, rays)
    group = place[usable] + np.where(sides[usable] > 0, 0, len(chosen))
    units = extra[usable] / np.linalg.norm(extra[usable], axis=1)[:, None]
    np.add.at(c, group, _LENGTH * np.linalg.norm(rays, axis=1).max() * units)
    return c


def _first(pair):
    return pair[0]


def _fit_rays(groups, rays, owner):
    outputs = np.einsum("nmh,mh->nm", groups.design[:, groups.cell[owner]], rays)
    return outputs @ groups.weight[owner]


def _check_data(patches, y):
    patches, y = np.asarray(patches, float), np.asarray(y, float)
    if patches.ndim != 3 or 0 in patches.shape:
        raise ValueError(
            f"patches: expected a nonempty array of shape (n, K, h), found {patches.shape}; "
            "K = 1 is the fully connected network"
        )
    if y.shape != patches.shape[:1]:
        raise ValueError(f"y: expected shape ({len(patches)},), one a sample, found {y.shape}")
    for name, values in (("patches", patches), ("y", y)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite entries, found NaN or infinity; drop them")
    return patches, y


def _check_beta(beta):
    if not (np.ndim(beta) == 0 and np.isfinite(beta) and beta > 0):
        raise ValueError(
            f"beta: expected a number above 0, found {beta}; without weight decay the convex "
            "program has no penalty"
        )


def _refuse_unpooled(**options):
    """Refuse options that have no meaning without pooling, which enumerates no cells."""
    for name, value in options.items():
        default = _DEFAULTS[name]
        if value is not default and not (isinstance(value, int) and value == default):
            raise ValueError(
                f"{name}: has no meaning with pooling 'none', which prices all filters without "
                "enumerating cells; leave it out"
            )


def _check_network(filters, weights, patches):
    filters, weights = np.asarray(filters, float), np.asarray(weights, float)
    if filters.ndim != 2 or filters.shape[1] != patches.shape[2]:
        raise ValueError(
            f"filters: expected shape (m, {patches.shape[2]}) for these patches, found "
            f"{filters.shape}; filters are rows"
        )
    if weights.shape != filters.shape[:1]:
        raise ValueError(f"weights: expected shape ({len(filters)},), found {weights.shape}")
    if not (np.isfinite(filters).all() and np.isfinite(weights).all()):
        raise ValueError("filters, weights: expected finite entries, found NaN or infinity")
    return filters, weights


def _choose_cells(patches, pooling, arrangements, seed, max_patterns):
    if isinstance(arrangements, str):
        if arrangements != "exact":
            raise ValueError(
                f"arrangements: expected 'exact', a number of gates, gates of shape (h, T) or "
                f"boolean patterns, found {arrangements!r}"
            )
        return enumerate_cells(patches, pooling, max_patterns=max_patterns)
    if np.ndim(arrangements) == 0:
        if int(arrangements) != arrangements or arrangements < 1:
            raise ValueError(f"arrangements: expected at least 1 gate, found {arrangements}")
        arrangements = sample_gates(patches.shape[2], int(arrangements), seed)
    arrangements = np.asarray(arrangements)
    if arrangements.dtype != bool:
        if arrangements.ndim != 2 or arrangements.shape[0] != patches.shape[2]:
            raise ValueError(
                f"arrangements: expected gates of shape ({patches.shape[2]}, T), found "
                f"{arrangements.shape}; gates are columns"
            )
        arrangements = gate_patterns(patches, arrangements, pooling)
    if arrangements.ndim != 3 or arrangements.shape[1:] != patches.shape[:2]:
        raise ValueError(
            f"arrangements: expected patterns of shape (P, {patches.shape[0]}, "
            f"{patches.shape[1]}), found {arrangements.shape}"
        )
    if pooling == "max" and (arrangements.sum(axis=2) > 1).any():
        raise ValueError("arrangements: max pooling has at most one winner for each sample")
    return pattern_cells(patches, arrangements, pooling)


def _relax(cells, patches, pooling, cones):
    if cones is True:
        return cells
    if cones is False:
        return replace(cells, signs=np.zeros_like(cells.signs), facets=None)
    if cones == "order" and pooling == "max":
        return drop_order(cells, patches)
    raise ValueError(
        f"cones: expected True, False, or 'order' with max pooling, found {cones!r} with "
        f"{pooling} pooling"
    )


def _train_unpooled(patches, y, beta, arrangements, tol):
    if not (isinstance(arrangements, str) and arrangements == "exact"):
        raise ValueError(
            "arrangements: pooling 'none' works on exact arrangements only; leave 'exact'"
        )
    from .unpooled import train_unpooled

    return train_unpooled(patches, y, beta, tol=tol)


def _certify_unpooled(filters, weights, patches, y, beta):
    from .unpooled import UnpooledNetwork, certify_unpooled, price_unpooled

    network = UnpooledNetwork(np.asarray(filters, float), np.asarray(weights, float))
    price = price_unpooled(y - network.predict(patches), patches)[0]
    objective, bound, gap = certify_unpooled(network, patches, y, beta)
    return Certificate(objective, bound, gap, gap, price)
