"""Exact prices ``max {|v^T A_i c| : c in cone i, |c| <= 1}`` over listed cells, many at once."""

from __future__ import annotations

import numpy as np

# Gates of all cells that are kept as floats, and entries that are floats at once beyond.
_KEPT, _BLOCK = 1 << 25, 1 << 22


def blocks(count, width):
    """Slices of `count` rows of `width` entries, few enough to be floats in memory."""
    step = max(1, _BLOCK // max(1, width))
    return [slice(start, start + step) for start in range(0, count, step)]


def correlations(cells, patches, v):
    """``A_i^T v`` of every cell, shape (P, h), without forming an ``A_i``."""
    n, K, h = patches.shape
    weighted = (v[:, None, None] * patches).reshape(n * K, h)
    if cells.patterns.size <= _KEPT:
        return cells.float_gates @ weighted
    gates, found = cells.patterns.reshape(-1, n * K), np.empty((len(cells.patterns), h))
    for some in blocks(len(gates), n * K):
        np.matmul(gates[some].astype(float), weighted, out=found[some])
    return found


def project_on_cones(points, facets, floor=0.0, tolerance=1e-13):
    """Project points on cones ``{c : facets @ c >= 0}``, many at once.

    Parameters
    ----------
    points : ndarray, shape (B, h)
    facets : ndarray, shape (B, F, h)
        Unit normals of each cone, filled up with zeros.
    floor : float, optional
        Leave a point alone once its length is at most this; lengths only shrink.

    Returns
    -------
    ndarray, shape (B, h)
        ``points + G^T z`` for some ``z >= 0``: its length bounds ``max {points^T c : c in the cone,
        |c| <= 1}`` from above whatever the accuracy, and is that maximum at the projection.

    References
    ----------
    Lawson & Hanson, "Solving Least Squares Problems" (1974), chapter 23, batched.
    """
    batch, h = points.shape
    scale = np.linalg.norm(points, axis=1)
    support = np.full((batch, h), -1)
    z = np.zeros((batch, h))
    normals = np.zeros((batch, h, h))
    result = points.copy()
    active = np.flatnonzero(scale > 0)
    if facets.shape[1] == 0:
        return result
    for _ in range(8 * h + 20):
        active = active[np.linalg.norm(result[active], axis=1) > floor]
        slack = (facets[active] @ result[active][:, :, None])[:, :, 0]
        worst = slack.argmin(axis=1)
        depth = slack[np.arange(len(active)), worst]
        # a facet of the support is met up to rounding: adding it again would not move
        repeated = (support[active] == worst[:, None]).any(axis=1)
        outside = (depth < -tolerance * scale[active]) & ~repeated
        outside &= (support[active] < 0).any(axis=1)
        active, worst = active[outside], worst[outside]
        if not len(active):
            break
        slot = (support[active] < 0).argmax(axis=1)
        support[active, slot] = worst
        normals[active, slot] = facets[active, worst]
        z[active, slot] = 0.0
        _passive_step(points, normals, z, support, active)
        result[active] = points[active] + (z[active, None, :] @ normals[active])[:, 0]
    return result


def _passive_step(points, normals, z, support, active):
    """Least squares on the supports, dropping rows whose multiplier would turn negative."""
    pending = active
    for _ in range(points.shape[1] + 1):
        used = support[pending] >= 0
        facets = normals[pending]
        gram = facets @ facets.transpose(0, 2, 1)
        gram += np.where(used, 1e-15, 1.0)[:, :, None] * np.eye(points.shape[1])
        goal = -(facets @ points[pending][:, :, None])
        goal = np.linalg.solve(gram, goal)[:, :, 0] * used
        negative = used & (goal <= 0)
        done = ~negative.any(axis=1)
        z[pending[done]] = goal[done]
        pending, goal, negative = pending[~done], goal[~done], negative[~done]
        if not len(pending):
            return
        now = z[pending]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(negative, now / (now - goal), np.inf)
        step = np.nan_to_num(step, nan=0.0, posinf=np.inf)
        first = step.min(axis=1)
        now = now + first[:, None] * (goal - now)
        leaves = negative & (step <= first[:, None])
        z[pending] = np.where(leaves, 0.0, np.maximum(now, 0.0))
        support[pending] = np.where(leaves, -1, support[pending])
        normals[pending] = np.where(leaves[:, :, None], 0.0, normals[pending])


def price_cells(cells, patches, v, floor=0.0, enough=None):
    """Exact prices ``max {+-v^T A_i c : c in cone i, |c| <= 1}`` above a floor.

    Parameters
    ----------
    cells : Cells
    patches : ndarray, shape (n, K, h)
    v : ndarray, shape (n,)
    floor : float, optional
        Cells whose ``|A_i^T v|`` is at most the floor are not priced: their price is no larger.
    enough : int, optional
        Stop once so many prices above the floor are found; all by default.

    Returns
    -------
    price : float
        A bound on every price: the largest found or the floor, or the largest ``|A_i^T v|`` of the
        cells left when it stopped early.
    found : int ndarray, shape (F,)
        Cells with a price above the floor, best first (twice where both signs are).
    rays : ndarray, shape (F, h)
        Where the price is attained, times the price.
    sides : ndarray, shape (F,)
        Sign ``s`` of the output weight: ``s v^T A_i ray = |ray|^2``.
    """
    correlation = correlations(cells, patches, v)
    screen = np.linalg.norm(correlation, axis=1)
    order = np.argsort(-screen)
    order = order[: np.searchsorted(-screen[order], -floor)]
    found, rays, sides, start, count = [], [], [], 0, 0
    size = 128 if enough is None else min(8 * enough, 128)
    while start < len(order) and (enough is None or count < enough):
        block = order[start : start + size]
        start, size = start + size, min(2 * size, 4096)
        facets = cells.cone_normals(block)
        for sign in (1.0, -1.0):
            projected = project_on_cones(sign * correlation[block], facets, floor)
            above = np.linalg.norm(projected, axis=1) > floor
            found.append(block[above])
            rays.append(projected[above])
            sides.append(np.full(above.sum(), sign))
            count += above.sum()
    rest = screen[order[start]] if start < len(order) else floor
    if not found:
        return rest, np.zeros(0, int), np.zeros((0, patches.shape[2])), np.zeros(0)
    found, rays, sides = (np.concatenate(part) for part in (found, rays, sides))
    prices = np.linalg.norm(rays, axis=1)
    best = np.argsort(-prices)
    return max(rest, prices.max(initial=0.0)), found[best], rays[best], sides[best]


def largest_price(cells, patches, v):
    """``max_i max {|v^T A_i c| : c in cone i, |c| <= 1}``, exact; best first, then screened."""
    correlation = correlations(cells, patches, v)
    screen = np.linalg.norm(correlation, axis=1)
    order, best, start, size = np.argsort(-screen), 0.0, 0, 128
    while start < len(order) and screen[order[start]] > best:
        block = order[start : start + size]
        start, size = start + size, min(2 * size, 4096)
        facets = cells.cone_normals(block)
        for sign in (1.0, -1.0):
            projected = project_on_cones(sign * correlation[block], facets, best)
            best = max(best, np.linalg.norm(projected, axis=1).max())
    return float(best)
