"""A structured interior point for group penalties over cones, with a certified duality gap.

    minimise   1/2 |sum_g s_g A_g c_g - y|^2 + beta sum_g |c_g|   subject to   G_g c_g >= 0,

one group for each cell and each sign ``s_g`` of the output weight. Its dual maximises
``v^T y - |v|^2 / 2`` over the ``v`` whose price ``max {s_g v^T A_g c : G_g c >= 0, |c| <= 1}`` is
at most ``beta`` for every group; ``|s_g A_g^T v + G_g^T z|`` bounds a price for every ``z >= 0``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve


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
            squares = (self.rows[:, :, None] * self.rows[:, None, :]).reshape(-1, h * h)
            return (w @ squares).reshape(-1, h, h)
        return (self.normals * w[:, :, None]).transpose(0, 2, 1) @ self.normals


@dataclass(frozen=True)
class Point:
    """What an interior point run returns.

    Attributes
    ----------
    c : ndarray, shape (G, h)
        Variables; inside their cones up to the tolerance.
    v : ndarray, shape (n,)
        Dual point ``y - sum_g s_g A_g c_g``, not yet scaled to be feasible.
    multipliers : ndarray, shape (G, N) or (G, F)
        ``z >= 0``.
    price : float
        ``max_g |s_g A_g^T v + G_g^T z|``, which bounds every price at ``v``.
    iterations : int
    """

    c: np.ndarray
    v: np.ndarray
    multipliers: np.ndarray
    price: float
    iterations: int


def dual_value(v, y, price, beta):
    """Value of the best feasible dual point on the ray through `v`.

    Parameters
    ----------
    v, y : ndarray, shape (n,)
    price : float
        An upper bound on every price at ``v``, so that ``theta v`` is feasible for
        ``|theta| <= beta / price``.
    beta : float

    Returns
    -------
    float
        ``max_theta theta v^T y - theta^2 |v|^2 / 2``, a lower bound on the optimum.
    """
    length, along = v @ v, v @ y
    if length == 0:
        return 0.0
    theta = along / length
    if price > 0:
        theta = np.clip(theta, -beta / price, beta / price)
    return float(theta * along - theta**2 * length / 2)


@np.errstate(all="ignore")  # rounding ends the last steps; the best iterate is returned
def interior_point(groups, y, beta, tol=1e-9, max_iterations=200):
    """Solve the program of `groups` by Mehrotra's predictor-corrector method.

    Parameters
    ----------
    groups : Groups
    y : ndarray, shape (n,)
    beta : float
        Above 0.
    tol : float, optional
        Relative duality gap at which to stop.
    max_iterations : int, optional

    Returns
    -------
    Point
        The iterate of least gap.

    Notes
    -----
    Nesterov-Todd scaling; the cone ``|c_g| <= t_g`` and the slacks are eliminated group by group,
    which leaves one h x h block a group and one n x n Schur complement. Where rows are
    shared, all blocks ``G_g^T diag(z / s) G_g`` are one product with their outer products. Cost of
    an iteration ``O(n^2 C h + G N h^2)``, with facets F for N.
    """
    h = groups.design.shape[2]
    live = groups.live()
    degree = len(groups) + np.count_nonzero(live)
    scale = y @ y / (2 * beta * len(groups))
    x = np.concatenate([np.full((len(groups), 1), scale), np.zeros((len(groups), h))], axis=1)
    dual = np.concatenate([np.full((len(groups), 1), beta), np.zeros((len(groups), h))], axis=1)
    s, z = np.full(live.shape, 0.1 * scale), np.where(live, 0.1 * beta, 0.0)
    v, best, least = y.copy(), None, np.inf
    for iteration in range(max_iterations):
        c = x[:, 1:]
        # stationarity (0, s_g A_g^T v) + dual + (0, G^T z) = (beta, 0), and slack s = G c
        pushed = groups.correlate(v) + groups.pull(z)
        stationarity = pushed + dual[:, 1:]
        infeasibility = np.where(live, groups.slack(c) - s, 0.0)
        price = np.linalg.norm(pushed, axis=1).max()
        objective = v @ v / 2 + beta * np.linalg.norm(c, axis=1).sum()
        gap = objective - dual_value(v, y, price, beta)
        # Relative to the objective, which rises by orders while the start becomes feasible: the
        # absolute error of a slow instance would seem to grow and its progress go unseen.
        error = max(gap, 0.0) + np.abs(infeasibility).max(initial=0.0) * beta
        error /= max(objective, np.finfo(float).tiny)
        if error < least:
            best, least = Point(c.copy(), v, z, price, iteration), error
        solved = gap <= tol * objective and error <= 2 * tol
        if solved or not np.isfinite(error) or (best and iteration > best.iterations + 15):
            break
        centre = (np.vdot(x, dual) + np.vdot(s, z)) / degree
        scaling = _Scaling(x, dual)
        ratio = z / s
        try:
            solve = _newton_solver(groups, scaling, groups.blocks(ratio))
        except np.linalg.LinAlgError:
            break

        def direction(
            q,
            p,
            solve=solve,
            scaling=scaling,
            ratio=ratio,
            lag=infeasibility,
            stationarity=stationarity,
        ):
            """Step for the linearised complementarity ``d dual = q - W^-2 dx, dz = p - z/s ds``."""
            right = q.copy()
            right[:, 1:] += groups.pull(p - ratio * lag) + stationarity
            dx = solve(right)
            ds = groups.slack(dx[:, 1:]) + lag
            return dx, q - scaling.inverse(scaling.inverse(dx)), ds, p - ratio * ds

        def corrected(guess, target, scaling=scaling, direction=direction, s=s, z=z):
            """Step to ``target`` complementarity, its second order taken from a guess."""
            dx, ddual, ds, dz = guess
            complement = -_jordan(scaling.point, scaling.point)
            complement -= _jordan(scaling.inverse(dx), scaling.forward(ddual))
            complement[:, 0] += target
            q = scaling.inverse(_jordan_divide(scaling, complement))
            return direction(q, np.where(live, (target - ds * dz) / s - z, 0.0))

        move = direction(-dual, -z)
        step = min(1.0, _longest(x, dual, s, z, *move))
        after = np.vdot(x + step * move[0], dual + step * move[1])
        after = (after + np.vdot(s + step * move[2], z + step * move[3])) / degree
        target = min(max((after / centre) ** 3, 1e-8), 1.0) * centre
        move = corrected(move, target)
        step = min(1.0, 0.99 * _longest(x, dual, s, z, *move))
        dx, ddual, ds, dz = move
        if not step > 0:
            break
        x, dual, s, z = x + step * dx, dual + step * ddual, s + step * ds, z + step * dz
        v = y - groups.fit(x[:, 1:])
    return best


class _Scaling:
    """Nesterov-Todd scaling ``W`` of second-order cones: ``W dual = W^-1 x``, batched over groups.

    ``W = eta (2 J-reflection)`` is kept by its hyperbolic unit vector ``(w_0, w_1)``.
    """

    def __init__(self, x, dual):
        length, dual_length = np.sqrt(_determinant(x)), np.sqrt(_determinant(dual))
        x, dual = x / length[:, None], dual / dual_length[:, None]
        half = np.sqrt((1 + (x * dual).sum(axis=1)) / 2)[:, None]
        self.tail = (x[:, 1:] - dual[:, 1:]) / (2 * half)
        self.square = (self.tail**2).sum(axis=1)
        self.head = np.sqrt(1 + self.square)
        self.eta = np.sqrt(length / dual_length)
        self.point = self.forward(dual * dual_length[:, None])
        self.determinant = length * dual_length

    def forward(self, u):
        """``W u``."""
        return self.eta[:, None] * self._reflect(u, 1.0)

    def inverse(self, u):
        """``W^-1 u``."""
        return self._reflect(u, -1.0) / self.eta[:, None]

    def _reflect(self, u, side):
        inner = (self.tail * u[:, 1:]).sum(axis=1)
        tail = u[:, 1:] + (side * u[:, 0] + inner / (1 + self.head))[:, None] * self.tail
        return np.concatenate([(self.head * u[:, 0] + side * inner)[:, None], tail], axis=1)


def _newton_solver(groups, scaling, blocks):
    """Factor the Newton system; returns a function from right sides (G, h + 1) to steps.

    The system of a group is ``W^-2 + (0, rows^T diag(z / s) rows)``; eliminating its first variable
    leaves ``blocks``, eliminating the others leaves ``I + sum_g A_g blocks_g^-1 A_g^T`` in R^n.
    """
    n, cells, h = groups.design.shape
    precision = scaling.eta**-2
    corner = precision * (1 + 2 * scaling.square)
    edge = (-2 * precision * scaling.head)[:, None] * scaling.tail
    shrink = (2 * precision / (1 + 2 * scaling.square))[:, None, None]
    blocks = blocks - shrink * scaling.tail[:, :, None] * scaling.tail[:, None, :]
    blocks += precision[:, None, None] * np.eye(h)
    inverse_root = _inverse_root(blocks)
    # both signs of a cell share A_i: one factor of the sum of their inverses, by QR to keep digits
    pair = np.zeros((cells, 2, h, h))
    pair[groups.cell, (groups.weight < 0).astype(int)] = inverse_root
    root = np.linalg.qr(pair.reshape(cells, 2 * h, h), mode="r").transpose(0, 2, 1)
    factor = np.empty_like(groups.design)
    np.matmul(groups.design.transpose(1, 0, 2), root, out=factor.transpose(1, 0, 2))
    factor = factor.reshape(n, -1)
    schur = factor @ factor.T
    schur[np.diag_indices(n)] += 1
    schur = cho_factor(schur, lower=True, overwrite_a=True, check_finite=False)

    def apply(u):
        return (inverse_root.transpose(0, 2, 1) @ (inverse_root @ u[:, :, None]))[:, :, 0]

    def solve(right):
        reduced = right[:, 1:] - edge * (right[:, :1] / corner[:, None])
        fit = cho_solve(schur, groups.fit(apply(reduced)), check_finite=False)
        dc = apply(reduced - groups.correlate(fit))
        dt = (right[:, 0] - (edge * dc).sum(axis=1)) / corner
        return np.concatenate([dt[:, None], dc], axis=1)

    return solve


def _inverse_root(matrices):
    """``L^-1`` of Cholesky factors; by eigenvalues where rounding has made one indefinite."""
    try:
        return np.linalg.inv(np.linalg.cholesky(matrices))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrices)
        values = np.maximum(values, 1e-16 * values[:, -1:])
        return vectors.transpose(0, 2, 1) / np.sqrt(values)[:, :, None]


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
