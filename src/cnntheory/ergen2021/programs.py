"""The convex programs of average and max pooling: groups, prices, the step to the active face."""

from __future__ import annotations

import numpy as np

from .solver import Groups


def build_groups(cells, patches, chosen):
    """Groups of both output signs for chosen cells.

    Parameters
    ----------
    cells : Cells
    patches : ndarray, shape (n, K, h)
    chosen : int ndarray, shape (C,)
        Cells in use.

    Returns
    -------
    Groups
        Weight +1 first, then -1, cells in the order of `chosen`.
    """
    gates = cells.patterns[chosen].transpose(1, 0, 2).astype(float)
    count = len(chosen)
    return Groups(
        np.matmul(gates, patches),
        np.tile(np.arange(count), 2),
        np.repeat([1.0, -1.0], count),
        cells.rows,
        np.tile(cells.signs[chosen].astype(float), (2, 1)),
        None if cells.facets is None else np.tile(cells.normals[chosen], (2, 1, 1)),
    )


def correlations(cells, patches, v):
    """``A_i^T v`` of every cell, shape (P, h), without forming an ``A_i``."""
    n, K, h = patches.shape
    weighted = (v[:, None, None] * patches).reshape(n * K, h)
    return cells.float_gates @ weighted


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
    found, rays, sides, start, size, count = [], [], [], 0, 128, 0
    while start < len(order) and (enough is None or count < enough):
        block = order[start : start + size]
        start, size = start + size, min(2 * size, 4096)
        facets = cells.normals[block]
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
        for sign in (1.0, -1.0):
            projected = project_on_cones(sign * correlation[block], cells.normals[block], best)
            best = max(best, np.linalg.norm(projected, axis=1).max())
    return float(best)


def polish(groups, c, loss, beta, width=1e-5, least=1e-7, merge=True):
    """Newton's method on the face that an approximate solution lies on.

    Parameters
    ----------
    groups : Groups
    c : ndarray, shape (G, h)
        Approximate solution.
    loss : Squared or Logistic
    beta : float
    width : float, optional
        A ray whose direction has a slack below this lies on that facet.
    least : float, optional
        Rays shorter than this, relative to the longest, are taken for zero.
    merge : bool, optional
        Whether rays on a face that cells share are one; not so once cones are relaxed.

    Returns
    -------
    c : ndarray, shape (m, h)
        Rays, one for each face and sign in use, on their faces to rounding.
    group : int ndarray, shape (m,)
        A group of each.

    Notes
    -----
    Cells that share a face are linear in the same way on it, so their rays of one sign merge. On
    the faces the program is smooth where no ray vanishes; steps go back until none turns round.
    """
    length = np.linalg.norm(c, axis=1)
    chosen = np.flatnonzero(length > least * length.max(initial=0.0))
    chosen = chosen[np.argsort(-length[chosen])]
    faces, owner = {}, []
    slack = c @ groups.rows.T / np.maximum(length, 1e-300)[:, None]
    for g in chosen:
        on = (groups.signs[g] != 0) & (np.abs(slack[g]) <= width)
        key = (groups.weight[g], np.where(on, 0, groups.signs[g]).tobytes(), on.tobytes())
        key = key if merge else g
        basis = _null_space(groups.rows[on], c.shape[1])
        if basis.shape[1] == 0:
            continue
        if key in faces:
            position = faces[key]
            owner[position][2] += basis.T @ c[g]
        else:
            faces[key] = len(owner)
            owner.append([g, basis, basis.T @ c[g]])
    owner = [entry for entry in owner if np.linalg.norm(entry[2]) > 0]
    owner = _newton_on_faces(groups, owner, loss, beta)
    if not owner:
        return np.zeros((0, c.shape[1])), np.zeros(0, int)
    return (
        np.array([basis @ a for _, basis, a in owner]),
        np.array([g for g, _, _ in owner]),
    )


def _null_space(rows, h):
    if not len(rows):
        return np.eye(h)
    _, values, right = np.linalg.svd(rows)
    return right[int((values > 1e-7).sum()) :].T


def _newton_on_faces(groups, owner, loss, beta, steps=40):
    """Minimise over coordinates on fixed faces, by Newton's method with backtracking."""
    while owner:
        maps = [
            groups.weight[g] * groups.design[:, groups.cell[g]] @ basis for g, basis, _ in owner
        ]
        design = np.concatenate(maps, axis=1)
        cuts = np.cumsum([len(a) for _, _, a in owner])[:-1]
        x, turned = np.concatenate([a for _, _, a in owner]), None
        now = _smooth_terms(design, loss, beta, x, cuts)
        for _ in range(steps):
            value, gradient, hessian = now
            scale = 1 / np.sqrt(np.diag(hessian))
            scaled = hessian * scale * scale[:, None]
            step = -scale * np.linalg.lstsq(scaled, scale * gradient, rcond=1e-13)[0]
            size, noise = 1.0, 1e-13 * abs(value)
            while size > 1e-6:
                then = _smooth_terms(design, loss, beta, x + size * step, cuts)
                # where the value has no digits left to show progress the gradient does
                flatter = np.abs(scale * then[1]).max() < 0.9 * np.abs(scale * gradient).max()
                if then[0] < value - noise or (then[0] <= value + noise and flatter):
                    break
                size /= 2
            else:
                break
            old, x, now = np.split(x, cuts), x + size * step, then
            new = np.split(x, cuts)
            turned = [a @ b <= 1e-12 * (b @ b) for a, b in zip(new, old, strict=True)]
            if any(turned):  # a ray that turns round has passed zero: it leaves
                break
        parts = np.split(x, cuts)
        if turned is None or not any(turned):
            return [[g, basis, a] for (g, basis, _), a in zip(owner, parts, strict=True)]
        owner = [
            [g, basis, a]
            for (g, basis, _), a, gone in zip(owner, parts, turned, strict=True)
            if not gone
        ]
    return owner


def _smooth_terms(design, loss, beta, x, cuts):
    """Value, gradient and Hessian of ``L(design x) + beta sum |x_j|``, no ``x_j`` zero."""
    fit = design @ x
    value, gradient = loss.value(fit), -design.T @ loss.dual(fit)
    hessian = (design.T * loss.curvature(fit)) @ design
    start = 0
    for part in np.split(x, cuts):
        norm = max(np.linalg.norm(part), 1e-300)
        unit, span = part / norm, slice(start, start + len(part))
        value += beta * norm
        gradient[span] += beta * unit
        hessian[span, span] += beta / norm * (np.eye(len(part)) - np.outer(unit, unit))
        start += len(part)
    return value, gradient, hessian
