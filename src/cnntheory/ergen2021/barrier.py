"""A small conic solver for a loss + a norm for each group + one cone for each group.

Every program of the paper reads

    ``min_z L(sum_g A_g z_g) + sum_g N(z_g)  subject to  G_g z_g >= 0``,

with ``L`` a convex loss and ``N`` a penalty. Its dual is ``max_v -L*(-v)`` over the ``v`` for which
multipliers ``l_g >= 0`` exist with ``N*(A_g^T v + G_g^T l_g) <= 1``. The solver follows the central
path: the epigraph of the norm enters through its logarithmic barrier, the cones as slacks with
their multipliers (primal-dual).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .losses import Squared, relative_gap

# Relative sizes of the proximal terms, and the least step after which the path goes on, in the
# order they are tried in.
_TRIES = ((1e-7, 0.5), (1e-8, 0.5), (1e-9, 0.5), (1e-7, 0.9), (1e-9, 0.9))
# Steps without a tenth off the gap, after which rounding is taken to have the last word.
_PATIENCE = 40


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
    n_iter : int
        Newton steps taken.
    """

    z: np.ndarray
    objective: float
    dual_bound: float
    gap: float
    dual: np.ndarray
    n_iter: int


def solve_groups(data, cones, loss, penalty, *, tol=1e-9, max_iter=300):
    """Minimise a loss plus group norms over cones, to a certified relative duality gap.

    Parameters
    ----------
    data : ndarray, shape (groups, n, p)
        The matrices ``A_g``.
    cones : ndarray, shape (groups, N, p)
        The matrices ``G_g`` of ``G_g z_g >= 0``; zero rows are no constraints. Each cone must have
        an interior.
    loss : Squared or Logistic
    penalty : BlockNorm or NuclearNorm
    tol : float, optional
        Relative duality gap to stop at.
    max_iter : int, optional
        Greatest number of Newton steps.

    Returns
    -------
    GroupSolution
        The best certified point; its `gap` exceeds `tol` only if `max_iter` was reached or rounding
        stalled the steps.

    Notes
    -----
    A step costs one ``p x p`` factorisation for each group, and one ``n x n`` for all of them.
    """
    cones = _unit_rows(cones)
    best = None
    # On some instances the proximal terms themselves stall the steps: then once more with less. On
    # others short steps leave the path far behind before they are in their cones: closer to it.
    for proximal, far in _TRIES:
        found = _follow_path(data, cones, loss, penalty, tol, max_iter, proximal, far)
        best = found if best is None else _better(best, found)
        if best.gap <= tol:
            break
    return best


def _follow_path(data, cones, loss, penalty, tol, max_iter, proximal, far):
    """Newton steps along the central path, from the start to `tol`, `max_iter` or a stall."""
    groups, n, p = data.shape
    wall = cones.any(axis=2)
    flat = data.transpose(1, 0, 2).reshape(n, -1)
    scale = np.abs(loss.y).max() or 1.0
    size = max((data**2).sum(axis=(1, 2)).max(), np.finfo(float).tiny)
    mu = scale**2
    z = np.zeros((groups, p))
    slack, multiplier = np.where(wall, scale, 1.0), np.where(wall, scale, 1.0)
    best, progress = None, (np.inf, 0)
    for iteration in range(max_iter + 1):
        fit = flat @ z.ravel()
        v = loss.dual(fit)
        pull = flat.T @ v
        push = np.einsum("gN,gNp->gp", multiplier, cones)
        trial = _certify(z, fit, v, pull.reshape(groups, p) + push, loss, penalty, iteration)
        # The path starts outside the cones: until it is inside only its bounds count.
        if iteration and np.einsum("gNp,gp->gN", cones, z).min() < -1e-12 * scale:
            trial = replace(trial, objective=np.inf)
        best = trial if best is None else _better(best, trial)
        if best.gap < 0.9 * progress[0]:
            progress = best.gap, iteration
        stalled = iteration - progress[1] > _PATIENCE
        if best.gap <= tol or iteration == max_iter or stalled:
            break
        gradient, hessian = penalty.barrier(z, mu)
        missing = np.where(wall, np.einsum("gNp,gp->gN", cones, z) - slack, 0.0)
        stationarity = pull.reshape(groups, p) + push - gradient
        dz, dslack, dmultiplier = _newton(
            np.sqrt(loss.curvature(fit))[:, None] * flat,
            cones, wall, hessian, stationarity, missing, slack, multiplier, mu, size, proximal,
        )  # fmt: skip
        # The barrier is self-concordant: steps of its local norm stay where its quadratic model is.
        square = np.einsum("gp,gpq,gq->g", dz, hessian, dz).max() / mu
        local = np.sqrt(max(square, np.finfo(float).tiny))
        primal = min(1.0, 1.5 / local, 0.99 * _reach(slack, dslack))
        dual = min(1.0, 0.99 * _reach(multiplier, dmultiplier))
        z, slack = z + primal * dz, slack + primal * dslack
        multiplier = multiplier + dual * dmultiplier
        if primal > far and dual > far:
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

    `flat` are all ``A_g`` side by side, rows times the root of the loss's second derivatives.
    Proximal terms of relative size `proximal` in ``z`` and in the multipliers bound the condition
    of the blocks: near the optimum those of active groups are flat along their ray and stiff
    across tight walls. They vanish with the step, so the path's end stays what it is.
    """
    groups, _, p = cones.shape
    relax = proximal / size
    stiff = np.where(wall, 1 / (slack / multiplier + relax), 0.0)
    target = np.where(wall, stiff * (mu / multiplier - slack - missing), 0.0)
    # Roots on both sides: symmetric to the last bit, which the last digits of a gap depend on.
    weighted = np.sqrt(stiff)[..., None] * cones
    block = hessian + weighted.swapaxes(1, 2) @ weighted
    rounding = np.finfo(float).eps * np.trace(block, axis1=1, axis2=2)
    block[:, np.arange(p), np.arange(p)] += (proximal * size + rounding)[:, None]
    right = stationarity + np.einsum("gNp,gN->gp", cones, target)
    inverse = np.linalg.inv(block)
    inverse = (inverse + inverse.transpose(0, 2, 1)) / 2
    data = flat.reshape(len(flat), groups, p)
    spread = (data.swapaxes(0, 1) @ inverse).swapaxes(0, 1).reshape(len(flat), -1)
    schur = np.eye(len(flat)) + spread @ flat.T

    def solve(b):
        first = np.einsum("gpq,gq->gp", inverse, b)
        return first - (np.linalg.solve(schur, flat @ first.ravel()) @ spread).reshape(groups, p)

    def system(x):
        return (block @ x[..., None])[..., 0] + ((flat @ x.ravel()) @ flat).reshape(groups, p)

    dz = _conjugate_gradients(system, solve, right)
    slope = np.einsum("gNp,gp->gN", cones, dz)
    dmultiplier = target - stiff * slope
    dslack = np.where(wall, slope + missing + relax * dmultiplier, 0.0)
    return dz, dslack, dmultiplier


def _conjugate_gradients(system, solve, right, steps=10):
    """Solve a positive definite system to ten digits, given an approximate inverse.

    Near the path's end the blocks have condition numbers of 1e13: the inverse by parts has no
    digits left in a few directions, in which plain refinement goes away from the solution.
    """
    x = best = solve(right)
    error, toward, rho = right - system(x), 0.0, 1.0
    least = np.linalg.norm(error)
    for _ in range(steps):
        if least <= 1e-10 * np.linalg.norm(right):
            break
        refined = solve(error)
        before, rho = rho, (error * refined).sum()
        toward = refined + rho / before * toward
        image = system(toward)
        curvature = (toward * image).sum()
        if not min(rho, curvature) > 0:  # rounding
            break
        x = x + rho / curvature * toward
        error = right - system(x)
        if np.linalg.norm(error) < least:
            best, least = x, np.linalg.norm(error)
    return best


def _certify(z, fit, v, slope, loss, penalty, iteration):
    objective = loss.value(fit) + penalty.value(z).sum()
    price = penalty.dual(slope).max()
    # Groups need not come with both signs: the opposite point may be infeasible.
    v = max(loss.scale(v, 1 / price if price > 0 else np.inf), 0.0) * v
    bound = loss.bound(v)
    return GroupSolution(z, objective, bound, relative_gap(objective, bound), v, iteration)


def _better(old, new):
    """Pair the better bound with the better primal point: both are certificates of their own."""
    primal = new if new.objective <= old.objective else old
    bound = new if new.dual_bound >= old.dual_bound else old
    gap = relative_gap(primal.objective, bound.dual_bound)
    return GroupSolution(primal.z, primal.objective, bound.dual_bound, gap, bound.dual, new.n_iter)


def price_groups(v, data, cones, penalty, *, tol=1e-10):
    """Largest ``v^T A_g z`` over groups and ``z`` in cone ``g`` with ``N(z) <= 1``.

    Parameters
    ----------
    v : ndarray, shape (n,)
        Dual point.
    data, cones, penalty
        As for `solve_groups`.
    tol : float, optional
        Relative duality gap of the program solved.

    Returns
    -------
    found, bound : float
        Attained, and an upper bound, about ten digits apart; zero if no price is positive.

    Notes
    -----
    On the single row ``c = v^T A_g`` with target 1 and strength ``b`` below the price ``p``, the
    optimum is ``x - x^2 / 2`` with ``x = b / p``.
    """
    slopes = np.einsum("n,gnp->gp", v, data)
    ceiling, bound = penalty.dual(slopes).max(initial=0.0), 0.0
    for strength in (0.5 * ceiling, 1e-2 * ceiling, 1e-4 * ceiling):
        if strength == 0:
            break
        scaled, one = penalty.times(strength), Squared(np.ones(1))
        solution = solve_groups(slopes[:, None], cones, one, scaled, tol=tol)
        if solution.dual_bound > 0:
            bound = min(ceiling, strength / (1 - np.sqrt(max(1 - 2 * solution.dual_bound, 0.0))))
        else:
            bound = ceiling
        if solution.objective < 0.499:
            return strength / (1 - np.sqrt(1 - 2 * solution.objective)), bound
    return 0.0, bound
