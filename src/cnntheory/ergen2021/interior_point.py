"""A structured interior point for group penalties over cones, with a certified duality gap.

    minimise   L(sum_g s_g A_g c_g) + beta sum_g |c_g|   subject to   G_g c_g >= 0,

one group for each cell and each sign ``s_g`` of the output weight, ``L`` a convex loss. Its dual
maximises ``-L*(-v)`` over the ``v`` whose price ``max {s_g v^T A_g c : G_g c >= 0, |c| <= 1}`` is
at most ``beta`` for every group; ``|s_g A_g^T v + G_g^T z|`` bounds a price for every ``z >= 0``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .losses import dual_value

# Proximal terms of a Newton step, relative to the size of the data: they bound the condition of the
# blocks where an optimum is not unique or a facet tight, and vanish with the step.
_PROXIMAL = 1e-12
_EPS = np.finfo(float).eps
# Corrections of a Newton step by its residuals.
_CORRECTIONS = 2
# Share of the gap asked for at which complementarity stays: less would only cost digits.
_ENOUGH = 0.1


@dataclass(frozen=True)
class Groups:
    """Data fit and cones of the groups of a program.

    Attributes
    ----------
    design : ndarray, shape (n, C, h)
        ``A_i`` of the cells in use, samples first.
    cell : int ndarray, shape (G,)
        Cell of each group, an index into `design`.
    weight : ndarray, shape (G,)
        Sign ``s_g`` of the output weight.
    rows : ndarray, shape (N, h)
        Unit normals of the hyperplanes.
    signs : ndarray, shape (G, N)
        ``G_g = diag(signs_g) rows``; a zero does not bound the cone.
    normals : ndarray, shape (G, F, h), optional
        Only those rows of ``G_g`` that are facets, filled up with zeros; they then replace it.
    """

    design: np.ndarray
    cell: np.ndarray
    weight: np.ndarray
    rows: np.ndarray
    signs: np.ndarray
    normals: np.ndarray | None = None

    def __len__(self):
        return len(self.cell)

    def fit(self, c):
        """``sum_g s_g A_g c_g``, shape (n,)."""
        return self.design.reshape(len(self.design), -1) @ self.gather(c).ravel()

    def gather(self, c):
        """``sum s_g c_g`` over the groups of each cell, shape (C, h)."""
        total = np.zeros(self.design.shape[1:])
        np.add.at(total, self.cell, self.weight[:, None] * c)
        return total

    def correlate(self, v):
        """``s_g A_g^T v``, shape (G, h)."""
        each = (v @ self.design.reshape(len(v), -1)).reshape(self.design.shape[1:])
        return self.weight[:, None] * each[self.cell]

    def gram(self, curvature):
        """``A^T diag(curvature) A`` of all cells, shape (C h, C h)."""
        design = self.design.reshape(len(self.design), -1)
        if (curvature == 1).all():
            return self.plain_gram
        scaled = np.sqrt(curvature)[:, None] * design
        return scaled.T @ scaled

    @cached_property
    def plain_gram(self):
        """``A^T A`` of all cells: all that the squared loss asks of many samples."""
        design = self.design.reshape(len(self.design), -1)
        return design.T @ design

    @cached_property
    def size(self):
        """Largest ``|A_i|_F^2``; 1 where all are zero."""
        return np.einsum("nch,nch->c", self.design, self.design).max() or 1.0

    @cached_property
    def room(self):
        """Memory for a factor as large as the design, kept from step to step."""
        return np.empty_like(self.design)

    def live(self):
        """Which rows of ``G_g`` there are, shape (G, N) or (G, F)."""
        return self.signs != 0 if self.normals is None else self.normals.any(axis=2)

    def slack(self, c):
        """``G_g c_g``, shape (G, N) or (G, F)."""
        if self.normals is None:
            return self.signs * (c @ self.rows.T)
        return (self.normals @ c[:, :, None])[:, :, 0]

    def pull(self, z):
        """``G_g^T z_g``, shape (G, h)."""
        if self.normals is None:
            return (self.signs * z) @ self.rows
        return (z[:, None] @ self.normals)[:, 0]

    def blocks(self, w):
        """``G_g^T diag(w_g) G_g``, shape (G, h, h)."""
        h = self.rows.shape[1]
        if self.normals is None:
            return (w @ self.squares).reshape(-1, h, h)
        return (self.normals * w[:, :, None]).transpose(0, 2, 1) @ self.normals

    @cached_property
    def squares(self):
        """Outer products of the rows, shape (N, h^2)."""
        return (self.rows[:, :, None] * self.rows[:, None, :]).reshape(len(self.rows), -1)

    def facets(self, chosen):
        """Chosen rows (G, k) of each ``G_g``, shape (G, k, h)."""
        if self.normals is None:
            side = np.take_along_axis(self.signs, chosen, axis=1)
            return side[:, :, None] * self.rows[chosen]
        return np.take_along_axis(self.normals, chosen[:, :, None], axis=1)

    def flops(self):
        """Floating-point operations of the dense products of a Newton step.

        The Schur complement ``2 n^2 C h`` with its factor ``2 n C h^2`` and Cholesky's
        ``n^3 / 3`` (with more samples than ``C h`` entries those of a matrix of that size, its Gram
        matrix given), the blocks ``2 G F h^2`` (N rows for F where cones share them), and the
        products with ``A`` and ``G`` of the solutions.
        """
        n, cells, h = self.design.shape
        size, sides = self.signs.shape if self.normals is None else self.normals.shape[:2]
        if n > cells * h:
            schur = 4 * cells**2 * h**3 + (cells * h) ** 3 // 3
        else:
            schur = 2 * n**2 * cells * h + 2 * n * cells * h**2 + n**3 // 3
        products = 4 * (8 * n * cells * h + 6 * size * sides * h)
        return schur + 2 * size * sides * h**2 + products


@dataclass(frozen=True)
class Point:
    """What an interior point run returns.

    Attributes
    ----------
    c : ndarray, shape (G, h)
        Variables; inside their cones up to the tolerance.
    v : ndarray, shape (n,)
        Dual point ``-L'(sum_g s_g A_g c_g)``, not yet scaled to be feasible.
    multipliers : ndarray, shape (G, N) or (G, F)
        ``z >= 0``.
    price : float
        ``max_g |s_g A_g^T v + G_g^T z|``, which bounds every price at ``v``.
    n_iter : int
        Newton steps.
    work : float
        Floating-point operations counted by `Groups.flops`.
    """

    c: np.ndarray
    v: np.ndarray
    multipliers: np.ndarray
    price: float
    n_iter: int
    work: float


@np.errstate(all="ignore")  # rounding ends the last steps; the best iterate is returned
def interior_point(groups, loss, beta, tol=1e-9, max_iter=200):
    """Solve the program of `groups` by Mehrotra's predictor-corrector method.

    Parameters
    ----------
    groups : Groups
    loss : Squared or Logistic
    beta : float
        Above 0.
    tol : float, optional
        Relative duality gap at which to stop.
    max_iter : int, optional

    Returns
    -------
    Point
        The iterate of least gap.

    Notes
    -----
    Nesterov-Todd scaling. The cones ``|c_g| <= t_g``, their duals ``(beta, p_g)`` and the slacks
    are eliminated group by group, which leaves one h x h block a group and one Schur complement, of
    n rows or, with more samples, of the C h entries of the filters. The blocks are near singular at
    an optimum: a step is therefore corrected by the residuals of *all* linearised equations, duals
    and multipliers unknowns of their own (computed back from ``c`` they lose the digits of ``z /
    s``), and the ``t_g`` are eliminated in closed form: products with ``W^-2``, whose entries grow
    like one over complementarity, lose as many. Cost of an iteration ``O(min(n, C h)^2 C h + G N
    h^2)``, with facets F for N.
    """
    h = groups.design.shape[2]
    live = groups.live()
    degree = len(groups) + np.count_nonzero(live)
    fit = np.zeros(len(groups.design))
    scale = loss.value(fit) / (beta * len(groups))
    x = np.concatenate([np.full((len(groups), 1), scale), np.zeros((len(groups), h))], axis=1)
    dual = np.concatenate([np.full((len(groups), 1), beta), np.zeros((len(groups), h))], axis=1)
    s, z = np.full(live.shape, 0.1 * scale), np.where(live, 0.1 * beta, 0.0)
    best, least, flops = None, np.inf, groups.flops()
    for iteration in range(max_iter):
        c, v = x[:, 1:], loss.dual(fit)
        # stationarity s_g A_g^T v + p + G^T z = 0, and slack s = G c
        pushed = groups.correlate(v) + groups.pull(z)
        stationarity = pushed + dual[:, 1:]
        infeasibility = np.where(live, groups.slack(c) - s, 0.0)
        price = np.linalg.norm(pushed, axis=1).max()
        objective = loss.value(fit) + beta * np.linalg.norm(c, axis=1).sum()
        gap = objective - dual_value(v, loss, price, beta)[0]
        # Relative to the objective, which rises by orders while the start becomes feasible: the
        # absolute error of a slow instance would seem to grow and its progress go unseen.
        error = max(gap, 0.0) + np.abs(infeasibility).max(initial=0.0) * beta
        error /= max(objective, np.finfo(float).tiny)
        if error < least:
            best, least = Point(c.copy(), v, z, price, iteration, flops * iteration), error
        solved = gap <= tol * objective and error <= 2 * tol
        if solved or not np.isfinite(error) or (best and iteration > best.n_iter + 15):
            break
        floor = _ENOUGH * tol * objective / degree
        try:
            newton = _Newton(groups, loss.curvature(fit), x, dual, s, z)
            move = newton.predict_and_correct(stationarity, infeasibility, floor, 1e-2 * tol * beta)
        except np.linalg.LinAlgError:
            break
        step = min(1.0, 0.99 * _longest(x, dual, s, z, *move))
        if not step > 0:
            break
        x, dual, s, z = (a + step * da for a, da in zip((x, dual, s, z), move, strict=True))
        fit = groups.fit(x[:, 1:])
    return best


class _Scaling:
    """Nesterov-Todd scaling ``W`` of second-order cones: ``W dual = W^-1 x``, batched over groups.

    ``W = eta (2 J-reflection)`` is kept by its hyperbolic unit vector ``(w_0, w_1)``. The first
    entry of a dual is beta and stays; that of ``x`` is eliminated from ``W^-1 dx + W ddual = g``:
    ``dp = reduced(g) - H dc`` with ``H = (I - 2 w_1 w_1^T / (1 + 2 |w_1|^2)) / eta^2``.
    """

    def __init__(self, x, dual):
        length, dual_length = np.sqrt(_determinant(x)), np.sqrt(_determinant(dual))
        x, dual = x / length[:, None], dual / dual_length[:, None]
        half = np.sqrt((1 + (x * dual).sum(axis=1)) / 2)[:, None]
        self.tail = (x[:, 1:] - dual[:, 1:]) / (2 * half)
        self.square = (self.tail**2).sum(axis=1)
        self.head = np.sqrt(1 + self.square)
        self.spread = 1 + 2 * self.square
        self.eta = np.sqrt(length / dual_length)
        self.point = self.forward(dual * dual_length[:, None])
        self.determinant = length * dual_length

    def forward(self, u):
        """``W u``."""
        inner = (self.tail * u[:, 1:]).sum(axis=1)
        tail = u[:, 1:] + (u[:, 0] + inner / (1 + self.head))[:, None] * self.tail
        scaled = np.concatenate([(self.head * u[:, 0] + inner)[:, None], tail], axis=1)
        return self.eta[:, None] * scaled

    def curve(self, dc):
        """``H dc``."""
        inner = 2 * (self.tail * dc).sum(axis=1) / self.spread
        return (dc - inner[:, None] * self.tail) / (self.eta**2)[:, None]

    def reduced(self, g):
        """What ``W^-1 dx + W ddual = g`` says of ``dp + H dc``."""
        inner = (self.tail * g[:, 1:]).sum(axis=1)
        along = (g[:, 0] - inner * (1 + 2 * self.head) / (1 + self.head)) / self.spread
        return (g[:, 1:] + along[:, None] * self.tail) / self.eta[:, None]

    def lifted(self, g, dc):
        """``dx = (dt, dc)``, with the ``dt`` that leaves the dual's first entry as it is."""
        inner = self.head * g[:, 0] - (self.tail * g[:, 1:]).sum(axis=1)
        along = 2 * self.head * (self.tail * dc).sum(axis=1)
        return np.concatenate([((self.eta * inner + along) / self.spread)[:, None], dc], axis=1)

    def root(self, proximal):
        """Symmetric square root of ``H + proximal``, shape (G, h, h)."""
        across = np.sqrt(1 / self.eta**2 + proximal)
        along = np.sqrt(1 / (self.eta**2 * self.spread) + proximal)
        unit = self.tail / np.maximum(np.sqrt(self.square), 1e-300)[:, None]
        own = across[:, None, None] * np.eye(unit.shape[1])
        return own + (along - across)[:, None, None] * unit[:, :, None] * unit[:, None, :]


class _Newton:
    """Linearised optimality conditions at a point: factored once, solved for several right sides.

    In the steps ``dc, dp, ds, dz``, with ``D`` the second derivatives of the loss:

        p + s_g A_g^T v + G^T z:  dp - s_g A_g^T D dfit + G^T dz - proximal dc = -stationarity,
        W^-1 dx + W ddual = g, that is dp + H dc = reduced(g),
        s = G c:    ds - G dc - soft dz = infeasibility,
        s z:        ds + (s / z) dz = r / z.

    Eliminating all but ``c`` leaves ``H + G^T ratio G`` for a group, ``ratio = 1 / (s/z + soft)``,
    eliminating these leaves ``I + F F^T`` in R^n, ``F F^T = D^1/2 sum_g A_g blocks_g^-1 A_g^T
    D^1/2``, or ``I + F^T F`` where the filters have fewer entries than there are samples.
    """

    def __init__(self, groups, curvature, x, dual, s, z):
        self.groups, self.curvature, self.point = groups, curvature, (x, dual, s, z)
        self.live, self.scaling = groups.live(), _Scaling(x, dual)
        self.z = np.where(self.live, z, 1.0)
        size = groups.size
        self.proximal, self.soft, self.slope = _PROXIMAL * size, _PROXIMAL / size, s / self.z
        self.ratio = np.where(self.live, 1 / (self.slope + self.soft), 0.0)
        self.inverse_root = _inverse_root(groups, self.ratio, self.scaling.root(self.proximal))
        n, cells, h = groups.design.shape
        # both signs of a cell share A_i: one factor of the sum of their inverses, by QR
        pair = np.zeros((cells, 2, h, h))
        pair[groups.cell, (groups.weight < 0).astype(int)] = self.inverse_root
        self.weights, self.tall = np.sqrt(curvature), n > cells * h
        if self.tall:
            self.mix, root = np.linalg.qr(pair.reshape(cells, 2 * h, h))
            self.root = root.transpose(0, 2, 1)
            half = groups.gram(curvature).reshape(-1, cells, h).transpose(1, 0, 2) @ self.root
            half = half.transpose(1, 0, 2).reshape(cells, h, -1)
            schur = (root @ half).reshape(cells * h, -1)
        else:
            root = np.linalg.qr(pair.reshape(cells, 2 * h, h), mode="r").transpose(0, 2, 1)
            np.matmul(groups.design.transpose(1, 0, 2), root, out=groups.room.transpose(1, 0, 2))
            factor = groups.room.reshape(n, -1)
            if (curvature != 1).any():
                factor *= self.weights[:, None]
            schur = factor @ factor.T
        schur[np.diag_indices(len(schur))] += 1
        self.schur = cho_factor(schur, lower=True, overwrite_a=True, check_finite=False)

    def predict_and_correct(self, stationarity, infeasibility, floor, enough):
        """Mehrotra's step: to the optimum first, from which target and second order are taken.

        Complementarity is not lowered below `floor`.
        """
        (x, dual, s, z), scaling = self.point, self.scaling
        degree = len(x) + np.count_nonzero(self.live)
        linear = stationarity, infeasibility, enough
        dx, dp, ds, dz = move = self.solve(-scaling.point, -s * z, *linear)
        step = min(1.0, _longest(x, dual, s, z, *move))
        centre = (np.vdot(x, dual) + np.vdot(s, z)) / degree
        after = np.vdot(x + step * dx, dual + step * dp) + np.vdot(s + step * ds, z + step * dz)
        target = min(max((after / degree / centre) ** 3, 1e-3), 1.0) * centre
        target = max(target, floor)
        scaled = scaling.forward(dp)
        complement = _jordan(scaling.point + scaled, scaled)
        complement -= _jordan(scaling.point, scaling.point)
        complement[:, 0] += target
        products = np.where(self.live, target - s * z - ds * dz, 0.0)
        return self.solve(_jordan_divide(scaling, complement), products, *linear)

    def solve(self, g, r, stationarity, infeasibility, enough):
        """Steps ``dx, ddual (G, 1 + h), ds, dz (G, F)``, corrected by their residuals.

        Corrections end once the residual of stationarity is below `enough`, or rises.
        """
        groups, curve = self.groups, self.scaling.curve
        reduced, r = self.scaling.reduced(g), r / self.z
        first, second, third, fourth = stationarity, reduced, infeasibility, r
        best, least, dc, dp, ds, dz = None, np.inf, 0.0, 0.0, 0.0, 0.0
        for correction in range(1 + _CORRECTIONS):
            c = self._eliminate(first + second + groups.pull(self.ratio * (fourth - third)))
            slack = groups.slack(c) + third
            multiplier = self.ratio * (fourth - slack)
            dc, dp = dc + c, dp + second - curve(c)
            ds, dz = ds + slack + self.soft * multiplier, dz + multiplier
            bent = groups.correlate(self.curvature * groups.fit(dc)) + self.proximal * dc
            first = stationarity + groups.pull(dz) + dp - bent
            error = np.abs(first).max()
            if not error < least:
                break
            best, least = (dc, dp, ds, dz), error
            if error <= enough or correction == _CORRECTIONS:
                break
            second = reduced - dp - curve(dc)
            third = infeasibility + groups.slack(dc) + self.soft * dz - ds
            fourth = r - ds - self.slope * dz
        if best is None:
            raise np.linalg.LinAlgError("no finite Newton step")
        dc, dp, ds, dz = best
        fixed = np.zeros((len(dp), 1))
        return self.scaling.lifted(g, dc), np.concatenate([fixed, dp], axis=1), ds, dz

    def _eliminate(self, right):
        """``dc`` from the equations that are left once all else is eliminated."""
        if self.tall:
            fit = self.curvature * self._fit_by_filters(right)
        else:
            fit = self.weights * self.groups.fit(self._apply(right))
            fit = self.weights * cho_solve(self.schur, fit, check_finite=False)
        return self._apply(right - self.groups.correlate(fit))

    def _fit_by_filters(self, right):
        """``(I + F F^T)^-1 F p = F (I + F^T F)^-1 p``, where ``F p`` is the fit of blocks^-1 u."""
        groups = self.groups
        cells, _, h = self.root.shape
        parts = np.zeros((cells, 2, h))
        sides = groups.cell, (groups.weight < 0).astype(int)
        scaled = (self.inverse_root @ right[:, :, None])[:, :, 0]
        np.add.at(parts, sides, groups.weight[:, None] * scaled)
        p = (self.mix.transpose(0, 2, 1) @ parts.reshape(cells, 2 * h, 1)).ravel()
        p = cho_solve(self.schur, p, check_finite=False).reshape(cells, h, 1)
        design = groups.design.reshape(len(groups.design), -1)
        return design @ (self.root @ p).ravel()

    def _apply(self, u):
        """``blocks^-1 u``."""
        root = self.inverse_root
        return (root.transpose(0, 2, 1) @ (root @ u[:, :, None]))[:, :, 0]


def _inverse_root(groups, ratio, own):
    """``R^-T`` with ``R^T R = own^T own + G^T diag(ratio) G``, shape (G, h, h).

    By QR with the large rows first, which keeps the small directions of a group beside its stiff
    facets: their Gram matrix has lost them. Of many rows only the stiffest take part by themselves.
    """
    h = own.shape[1]
    count = min(2 * h, ratio.shape[1])
    if not count:
        return np.linalg.inv(own).transpose(0, 2, 1)
    stiff = np.argpartition(-ratio, count - 1, axis=1)[:, :count]
    weights = np.sqrt(np.take_along_axis(ratio, stiff, axis=1))
    parts = [weights[:, :, None] * groups.facets(stiff), own]
    if count < ratio.shape[1]:
        rest = ratio.copy()
        np.put_along_axis(rest, stiff, 0.0, axis=1)
        parts.append(_upper_root(groups.blocks(rest)))
    rows = np.concatenate(parts, axis=1)
    order = np.argsort(-np.linalg.norm(rows, axis=2), axis=1)
    triangle = np.linalg.qr(np.take_along_axis(rows, order[:, :, None], axis=1), mode="r")
    return np.linalg.inv(triangle).transpose(0, 2, 1)


def _upper_root(blocks):
    """``U`` with ``U^T U = blocks``, positive semidefinite but for rounding, shape (G, h, h)."""
    h = blocks.shape[1]
    trace = np.einsum("gii->g", blocks)
    lifted = blocks.copy()
    lifted[:, range(h), range(h)] += (h * _EPS * trace + np.finfo(float).tiny)[:, None]
    try:
        return np.linalg.cholesky(lifted, upper=True)
    except np.linalg.LinAlgError:  # rounding in the products was larger
        values, vectors = np.linalg.eigh(blocks)
        return np.sqrt(np.maximum(values, 0))[:, :, None] * vectors.transpose(0, 2, 1)


def _determinant(x):
    """``x_0^2 - |x_1|^2``, as a product to keep digits near the boundary."""
    tail = np.linalg.norm(x[:, 1:], axis=1)
    return np.maximum((x[:, 0] - tail) * (x[:, 0] + tail), 1e-300)


def _jordan(a, b):
    """Product of the Jordan algebra of the second-order cone."""
    head = (a * b).sum(axis=1)
    return np.concatenate([head[:, None], a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:]], axis=1)


def _jordan_divide(scaling, b):
    """The ``u`` with ``a o u = b`` for the scaled point ``a``, its determinant known exactly."""
    a = scaling.point
    head = (a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(axis=1)) / scaling.determinant
    return np.concatenate([head[:, None], (b[:, 1:] - head[:, None] * a[:, 1:]) / a[:, :1]], axis=1)


def _longest(x, dual, s, z, dx, ddual, ds, dz):
    """Longest step that stays in all cones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shrink = max(np.nanmax(-ds / s, initial=0.0), np.nanmax(-dz / z, initial=0.0))
    linear = 1 / shrink if shrink > 0 else np.inf
    return min(linear, _longest_conic(x, dx), _longest_conic(dual, ddual))


def _longest_conic(x, dx):
    """Longest step of ``x + k dx`` in second-order cones: least positive root of a quadratic."""
    a = dx[:, 0] ** 2 - (dx[:, 1:] ** 2).sum(axis=1)
    b = x[:, 0] * dx[:, 0] - (x[:, 1:] * dx[:, 1:]).sum(axis=1)
    c = _determinant(x)
    root = np.sqrt(np.maximum(b * b - a * c, 0))
    leaves = ((a < 0) | (b < 0)) & (b * b >= a * c) & (root > b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(leaves, c / (root - b), np.inf).min()
