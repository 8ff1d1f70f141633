"""A small conic solver for squared loss + a norm for each group + one cone for each group.

Every program of the paper reads

    ``min_z 1/2 |sum_g A_g z_g - y|^2 + sum_g N(z_g)  subject to  G_g z_g >= 0``,

with ``N`` a weighted sum of l2 norms of sub-blocks, or the nuclear norm of ``z_g`` as a matrix. Its
dual is ``max_v 1/2 |y|^2 - 1/2 |v - y|^2`` over the ``v`` for which multipliers ``l_g >= 0`` exist
with ``N*(A_g^T v + G_g^T l_g) <= 1``. The solver follows the central path: the epigraph of the norm
enters through its logarithmic barrier, the cones as slacks with their multipliers (primal-dual).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# Relative sizes of the proximal terms, in the order they are tried in.
_PROXIMAL = (1e-7, 1e-8, 1e-9)
# Steps without a tenth off the gap, after which rounding is taken to have the last word.
_PATIENCE = 40


@dataclass(frozen=True)
class Penalty:
    """The norm of one group: the same for all groups of a program.

    Attributes
    ----------
    labels : ndarray of int, shape (p,), or None
        Sub-block of each coordinate, whose l2 norms are summed; None for the nuclear norm.
    weights : ndarray, shape (blocks,)
        Weight of each sub-block's norm, positive; one entry for the nuclear norm.
    shape : tuple of int or None
        Matrix shape ``(h, K)`` of a group under the nuclear norm.
    """

    labels: np.ndarray | None
    weights: np.ndarray
    shape: tuple[int, int] | None = None


def group_norm(size, weight):
    """Make ``weight |z|_2`` for groups of `size` coordinates."""
    return Penalty(np.zeros(size, dtype=int), np.array([float(weight)]))


def nuclear_norm(shape, weight):
    """Make ``weight |Z|_*`` for groups that are matrices of the given shape."""
    return Penalty(None, np.array([float(weight)]), tuple(shape))


@dataclass(frozen=True)
class GroupSolution:
    """What `solve_groups` returns.

    Attributes
    ----------
    z : ndarray, shape (groups, p)
        Primal point, inside its cones up to rounding.
    objective : float
        Primal value at `z`.
    dual_bound : float
        Dual value at a feasible dual point: no primal point is below it.
    gap : float
        ``(objective - dual_bound) / objective``, zero for a zero objective.
    dual : ndarray, shape (n,)
        The feasible dual point ``v``.
    iterations : int
        Newton steps taken.
    """

    z: np.ndarray
    objective: float
    dual_bound: float
    gap: float
    dual: np.ndarray
    iterations: int


def solve_groups(data, cones, y, penalty, *, tol=1e-9, limit=300):
    """Minimise squared loss plus group norms over cones, to a certified relative duality gap.

    Parameters
    ----------
    data : ndarray, shape (groups, n, p)
        The matrices ``A_g``.
    cones : ndarray, shape (groups, N, p)
        The matrices ``G_g`` of ``G_g z_g >= 0``; zero rows are no constraints. Each cone must have
        an interior.
    y : ndarray, shape (n,)
        Targets.
    penalty : Penalty
        From `group_norm`, `nuclear_norm`, or made by hand.
    tol : float, optional
        Relative duality gap to stop at.
    limit : int, optional
        Greatest number of Newton steps.

    Returns
    -------
    GroupSolution
        The best certified point; its `gap` exceeds `tol` only if `limit` was reached or rounding
        stalled the steps.

    Notes
    -----
    A step costs one ``p x p`` factorisation for each group, and one ``n x n`` for all of them.
    """
    cones = _unit_rows(cones)
    best = None
    # On some instances the proximal terms themselves stall the steps: then once more with less.
    for proximal in _PROXIMAL:
        found = _follow_path(data, cones, y, penalty, tol, limit, proximal)
        best = found if best is None else _better(best, found)
        if best.gap <= tol:
            break
    return best


def _follow_path(data, cones, y, penalty, tol, limit, proximal):
    """Newton steps along the central path, from the start to `tol`, `limit` or a stall."""
    groups, n, p = data.shape
    wall = cones.any(axis=2)
    flat = data.transpose(1, 0, 2).reshape(n, -1)
    scale = np.abs(y).max() or 1.0
    size = max((data**2).sum(axis=(1, 2)).max(), np.finfo(float).tiny)
    mu = scale**2
    z = np.zeros((groups, p))
    slack, multiplier = np.where(wall, scale, 1.0), np.where(wall, scale, 1.0)
    best, progress = None, (np.inf, 0)
    for iteration in range(limit + 1):
        residual = y - flat @ z.ravel()
        pull = flat.T @ residual
        push = np.einsum("gN,gNp->gp", multiplier, cones)
        trial = _certify(z, residual, pull.reshape(groups, p) + push, y, penalty, iteration)
        # The path starts outside the cones: until it is inside only its bounds count.
        if iteration and np.einsum("gNp,gp->gN", cones, z).min() < -1e-12 * scale:
            trial = replace(trial, objective=np.inf)
        best = trial if best is None else _better(best, trial)
        if best.gap < 0.9 * progress[0]:
            progress = best.gap, iteration
        stalled = iteration - progress[1] > _PATIENCE
        if best.gap <= tol or iteration == limit or stalled:
            break
        gradient, hessian = _smoothed(z, penalty, mu)
        missing = np.where(wall, np.einsum("gNp,gp->gN", cones, z) - slack, 0.0)
        stationarity = pull.reshape(groups, p) + push - gradient
        dz, dslack, dmultiplier = _newton(
            flat, cones, wall, hessian, stationarity, missing, slack, multiplier, mu, size, proximal
        )
        # The barrier is self-concordant: steps of its local norm stay where its quadratic model is.
        square = np.einsum("gp,gpq,gq->g", dz, hessian, dz).max() / mu
        local = np.sqrt(max(square, np.finfo(float).tiny))
        primal = min(1.0, 1.5 / local, 0.99 * _reach(slack, dslack))
        dual = min(1.0, 0.99 * _reach(multiplier, dmultiplier))
        z, slack = z + primal * dz, slack + primal * dslack
        multiplier = multiplier + dual * dmultiplier
        if primal > 0.5 and dual > 0.5:
            mu *= 0.3 if local > 0.5 else 0.1
    return best


def _unit_rows(cones):
    norms = np.linalg.norm(cones, axis=2, keepdims=True)
    return np.divide(cones, norms, out=np.zeros_like(cones), where=norms > 0)


def _reach(value, change):
    """Largest step that keeps ``value + step * change`` non-negative."""
    falling = change < 0
    return (-value[falling] / change[falling]).min() if falling.any() else np.inf


def _newton(
    flat, cones, wall, hessian, stationarity, missing, slack, multiplier, mu, size, proximal
):
    """Solve the linearised central-path equations; slacks and multipliers eliminated first.

    Proximal terms of relative size `proximal` in ``z`` and in the multipliers bound the condition
    of the blocks: near the optimum those of active groups are flat along their ray and stiff
    across tight walls. They vanish with the step, so the path's end stays what it is.
    """
    groups, _, p = cones.shape
    relax = proximal / size
    stiff = np.where(wall, 1 / (slack / multiplier + relax), 0.0)
    target = np.where(wall, stiff * (mu / multiplier - slack - missing), 0.0)
    block = hessian + np.einsum("gNp,gN,gNq->gpq", cones, stiff, cones, optimize=True)
    rounding = np.finfo(float).eps * np.trace(block, axis1=1, axis2=2)
    block[:, np.arange(p), np.arange(p)] += (proximal * size + rounding)[:, None]
    right = stationarity + np.einsum("gNp,gN->gp", cones, target)
    inverse = np.linalg.inv(block)
    inverse = (inverse + inverse.transpose(0, 2, 1)) / 2
    data = flat.reshape(len(flat), groups, p)
    spread = np.einsum("gpq,ngq->ngp", inverse, data, optimize=True).reshape(len(flat), -1)
    schur = np.eye(len(flat)) + spread @ flat.T

    def solve(b):
        first = np.einsum("gpq,gq->gp", inverse, b)
        return first - (np.linalg.solve(schur, flat @ first.ravel()) @ spread).reshape(groups, p)

    dz = solve(right)
    for _ in range(2):
        error = right - np.einsum("gpq,gq->gp", block, dz)
        dz = dz + solve(error - ((flat @ dz.ravel()) @ flat).reshape(groups, p))
    slope = np.einsum("gNp,gp->gN", cones, dz)
    dmultiplier = target - stiff * slope
    dslack = np.where(wall, slope + missing + relax * dmultiplier, 0.0)
    return dz, dslack, dmultiplier


def _smoothed(z, penalty, mu):
    """Gradient (groups, p) and Hessian (groups, p, p) of the norm's barrier.

    Eliminating ``t`` from ``w t - mu log(t^2 - r^2)`` leaves a function ``psi`` of ``r`` with
    ``psi'(r) = w^2 r / (mu + R)``, ``R = sqrt(mu^2 + w^2 r^2)``; for the nuclear norm the same
    ``psi`` acts on each singular value.
    """
    if penalty.shape is not None:
        return _smoothed_nuclear(z, penalty.shape, penalty.weights[0], mu)
    one_hot = np.eye(len(penalty.weights))[penalty.labels]
    same = one_hot @ one_hot.T
    w2 = penalty.weights[penalty.labels] ** 2
    root = np.sqrt(mu**2 + w2 * (z**2 @ same))
    flatness = w2 / (mu + root)
    bend = w2**2 / (root * (mu + root) ** 2)
    hessian = -(bend * z)[:, :, None] * z[:, None, :] * same
    diagonal = np.arange(z.shape[1])
    hessian[:, diagonal, diagonal] += flatness
    return flatness * z, hessian


def _smoothed_nuclear(z, shape, weight, mu):
    """The spectral function's derivatives from the singular value decomposition of each group."""
    h, K = shape
    if h < K:  # Work with the tall transpose.
        order = np.arange(h * K).reshape(h, K).T.ravel()
        gradient, hessian = _smoothed_nuclear(z[:, order], (K, h), weight, mu)
        back = np.argsort(order)
        return gradient[:, back], hessian[:, back][:, :, back]
    U, s, Vt = np.linalg.svd(z.reshape(-1, h, K))
    s = np.maximum(s, 1e-200)
    padded = np.concatenate([s, np.zeros((len(s), h - K))], axis=1)
    root = np.sqrt(mu**2 + weight**2 * padded**2)
    gradient = (U[:, :, :K] * (weight**2 * s / (mu + root[:, :K]))[:, None]) @ Vt
    a, b, ra, rb = padded[:, :, None], s[:, None], root[:, :, None], root[:, None, :K]
    mixed = (a * rb + b * ra) / (a + b)
    scale = weight**2 / ((mu + ra) * (mu + rb))
    # Divided differences of psi' on the even and odd parts of the pair (i, j), (j, i).
    even, odd = scale * (mu + mu**2 / mixed), scale * (mu + mixed)
    keep, swap = (even + odd) / 2, (even - odd) / 2
    basis = np.einsum("gai,gjb->gijab", U, Vt).reshape(len(z), h, K, h * K)
    image = keep[..., None] * basis
    image[:, :K] += swap[:, :K, :, None] * basis[:, :K].transpose(0, 2, 1, 3)
    flat = basis.reshape(len(z), h * K, -1)
    return gradient.reshape(z.shape), flat.transpose(0, 2, 1) @ image.reshape(flat.shape)


def norms(z, penalty):
    """Evaluate the norm of each group, shape (groups,)."""
    if penalty.shape is not None:
        singular = np.linalg.svd(z.reshape(-1, *penalty.shape), compute_uv=False)
        return penalty.weights[0] * singular.sum(axis=1)
    one_hot = np.eye(len(penalty.weights))[penalty.labels]
    return np.sqrt(z**2 @ one_hot) @ penalty.weights


def dual_norms(g, penalty):
    """Evaluate the dual norm of each group, shape (groups,): at most 1 where ``g`` is feasible."""
    if penalty.shape is not None:
        singular = np.linalg.svd(g.reshape(-1, *penalty.shape), compute_uv=False)
        return singular[:, 0] / penalty.weights[0]
    one_hot = np.eye(len(penalty.weights))[penalty.labels]
    return (np.sqrt(g**2 @ one_hot) / penalty.weights).max(axis=1)


def dual_value(v, y, price):
    """Scale ``v`` into the feasible set ``price <= 1`` as well as the dual objective allows.

    Returns
    -------
    value : float
        ``1/2 |y|^2 - 1/2 |s v - y|^2``, a lower bound of the primal optimum.
    v : ndarray, shape (n,)
        The feasible point ``s v``.
    """
    size = v @ v
    step = max(v @ y, 0.0) / size if size > 0 else 0.0
    if price > 0:
        step = min(step, 1 / price)
    return step * (v @ y) - step**2 * size / 2, step * v


def _certify(z, residual, slope, y, penalty, iteration):
    objective = residual @ residual / 2 + norms(z, penalty).sum()
    bound, v = dual_value(residual, y, dual_norms(slope, penalty).max())
    return GroupSolution(z, objective, bound, relative_gap(objective, bound), v, iteration)


def relative_gap(objective, bound):
    """``(objective - bound) / objective``, zero when the objective is."""
    return (objective - bound) / max(objective, np.finfo(float).tiny)


def _better(old, new):
    """Pair the better bound with the better primal point: both are certificates of their own."""
    primal = new if new.objective <= old.objective else old
    bound = new if new.dual_bound >= old.dual_bound else old
    gap = relative_gap(primal.objective, bound.dual_bound)
    return GroupSolution(
        primal.z, primal.objective, bound.dual_bound, gap, bound.dual, new.iterations
    )


def largest_price(y, data, cones, penalty, *, tol=1e-10):
    """Find the largest ``y^T A_g z`` over groups and ``z`` in cone ``g`` with ``N(z) <= 1``.

    With a penalty of unit strength this is the least ``beta`` whose optimum is zero.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Targets.
    data, cones, penalty
        As for `solve_groups`.
    tol : float, optional
        Relative duality gap of the program solved.

    Returns
    -------
    float
        The maximum; zero if no group has a positive price.

    Notes
    -----
    On the single row ``c = y^T A_g`` with target 1 and strength ``b`` below the price ``p``, the
    optimum is ``x - x^2 / 2`` with ``x = b / p``.
    """
    slopes = np.einsum("n,gnp->gp", y, data)
    ceiling = dual_norms(slopes, penalty).max()
    for strength in (0.5 * ceiling, 1e-2 * ceiling, 1e-4 * ceiling):
        if strength == 0:
            break
        weights = strength * penalty.weights
        scaled = replace(penalty, weights=weights)
        value = solve_groups(slopes[:, None], cones, np.ones(1), scaled, tol=tol).objective
        if value < 0.499:
            return strength / (1 - np.sqrt(1 - 2 * value))
    return 0.0
