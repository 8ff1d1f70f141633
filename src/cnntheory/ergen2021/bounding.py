"""Bounds on the dual constraint without listing cells: branch and bound on the unit sphere.

The price of a dual point, ``max {|v^T phi(u)| : |u| <= 1}``, is a maximum over all filters. The
sphere is cut into cones over boxes on the faces of a cube. In a small cone most patches keep the
sign of ``x^T u`` and contribute a linear form, for good: a cone hands down the sum of these forms
and the list of the patches that are left. The others are bounded, ``|t|`` by its chord where it
counts for and by a tangent where it counts against. Both errors shrink with the square of the cone.
A maximum sits where concave kinks cross, and there no single tangent is tight: in cones with few of
them all tangents are tried at once, by a small least-squares problem.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from typing import NamedTuple

import numpy as np

# Cones that are cut at once, axes along which each is cut, and entries of a block of temporaries.
_BATCH, _AXES, _ENTRIES = 64, 2, 1 << 20
# Products are summed in blocks of so many terms, which bounds their rounding.
_BLOCK = 256
# A list of undecided patches is copied once it has shrunk to this share of its parent's.
_SHRUNK = 0.7
# A box narrower than this is not cut: its points are one point up to rounding.
_NARROW = 1e-15
# Concave terms whose tangents are turned in a cone, and steps of the interior point that does it.
_KINKS, _STEPS = 8, 25
_UNIT = 2.0**-53


@dataclass(frozen=True)
class PriceBound:
    """Bounds on a price ``max {|v^T phi(u)| : |u| <= 1}``.

    Attributes
    ----------
    upper : float
        At least the price, rounding included: any time the search stops.
    lower : float
        ``|v^T phi(filter)|``, attained.
    filter : ndarray, shape (h,)
        A unit vector.
    n_nodes : int
        Cones that were bounded.
    converged : bool
        Whether ``upper - lower <= tol * upper``.
    """

    upper: float
    lower: float
    filter: np.ndarray
    n_nodes: int
    converged: bool


def bound_price(
    patches, v, *, architecture="average", tol=1e-9, time_limit=None, max_nodes=None, floor=None
):
    """Bound ``max {|v^T phi(u)| : |u| <= 1}`` from both sides, by branch and bound.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    v : ndarray, shape (n,)
        Dual point.
    architecture : {"average", "max", "none"}, optional
        ``phi_i(u)`` is ``sum_k (x_ik^T u)_+``, ``max_k (x_ik^T u)_+``, or the vector of the
        ``(x_ik^T u)_+``, whose price is the largest length of ``sum_i v_i phi_i(u)``.
    tol : float, optional
        Stop once ``upper - lower <= tol * upper``.
    time_limit : float, optional
        Seconds after which to stop (with the cones that are being cut).
    max_nodes : int, optional
        Cones after which to stop.
    floor : float, optional
        Stop once it is known on which side of this the price lies: with ``upper <= floor`` or with
        ``lower > floor``; or by `tol`, which may leave it between the two.

    Returns
    -------
    PriceBound

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, and an unknown architecture.

    Notes
    -----
    The bound of a cone is the largest value in it, within the unit ball, of a linear form; without
    pooling that form is along the outputs at the cone's centre, and the length of what is across is
    added in square. For average pooling an eigenvalue bounds all cones.

    `upper` is the largest bound of the cones that cover the sphere plus an allowance for rounding,
    ``(m + N / m + r + 20 h + 100) eps S``: ``eps = 2^-53``, N patches, ``m = 256`` terms in a block
    of a sum, r the most patches on one line (without pooling, n), ``S = sum_ik |v_i| |x_ik|``. Sums
    taken in blocks are off by at most ``(m + N / m) eps`` times the sum of the terms' lengths; a
    patch whose sign is mistaken, or that is counted on a line next to its own, by its rounding; a
    filter between two neighbouring boxes by its distance to them.

    The number of cones grows exponentially with h: filters of 2 to 4 entries close to 1e-9 on
    thousands of images, longer ones end with a gap.

    Examples
    --------
    >>> import numpy as np
    >>> patches = np.array([[[3.0, 4.0]], [[-1.0, 0.0]]])
    >>> bound = bound_price(patches, np.array([1.0, 1.0]))
    >>> round(bound.lower, 9), np.round(bound.filter, 9), bound.converged
    (5.0, array([0.6, 0.8]), True)
    """
    patches, v = _check(patches, v)
    if architecture not in _PROBLEMS:
        raise ValueError(
            f"architecture: expected one of {', '.join(_PROBLEMS)}, found {architecture!r}"
        )
    _check_tol(tol)
    # Sizes near 1, so that nothing under- or overflows.
    sizes = [float(np.abs(values).max()) or 1.0 for values in (patches, v)]
    scale = sizes[0] * sizes[1]
    problem = _PROBLEMS[architecture](patches / sizes[0], v / sizes[1])
    floor = None if floor is None else floor / scale
    upper, lower, filter_, n_nodes = _search(problem, tol, time_limit, max_nodes, floor)
    upper, lower = upper * scale * (1 + 8 * _UNIT), lower * scale
    converged = bool(upper - lower <= tol * upper)
    return PriceBound(float(upper), float(lower), filter_, n_nodes, converged)


def _check_tol(tol):
    if not (np.ndim(tol) == 0 and tol >= 0):
        raise ValueError(f"tol: expected a number of at least 0, found {tol}")


def _check(patches, v, name="v"):
    patches, v = np.asarray(patches, float), np.asarray(v, float)
    if patches.ndim != 3 or 0 in patches.shape:
        raise ValueError(
            f"patches: expected a nonempty array of shape (n, K, h), found {patches.shape}; "
            "cut the inputs into patches first"
        )
    if v.shape != patches.shape[:1]:
        raise ValueError(
            f"{name}: expected shape ({len(patches)},), one entry a sample, found {v.shape}"
        )
    for array, values in (("patches", patches), (name, v)):
        if not np.isfinite(values).all():
            raise ValueError(f"{array}: expected finite entries, found NaN or infinity; drop them")
    return patches, v


def climb_price(patches, v, filters, *, architecture="average"):
    """Climb to local maxima of the price: a search, which proves nothing.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    v : ndarray, shape (n,)
        Dual point.
    filters : ndarray, shape (m, h)
        Starts.
    architecture : {"average", "max", "none"}, optional

    Returns
    -------
    prices : ndarray, shape (m,)
        ``|v^T phi(u)|`` where each climb ended.
    filters : ndarray, shape (m, h)
        The unit vectors.
    """
    patches, v = _check(patches, v)
    if architecture not in _PROBLEMS:
        raise ValueError(
            f"architecture: expected one of {', '.join(_PROBLEMS)}, found {architecture!r}"
        )
    if architecture == "average":
        patches, v = _single_patches(patches, v)
    slope = _PROBLEMS[architecture].slope
    return _climb(slope, patches, v, _units(np.asarray(filters, float)))


# --------------------------------------------------------------------------------------------
# the tree


class _Cone(NamedTuple):
    """The cone ``{r z : r >= 0, |z - centre| <= half}``; ``centre[face]`` is 1 or -1, its half 0.

    `sign` says whether the maximum of ``v^T phi`` or of ``-v^T phi`` is looked for, `rows` are the
    undecided patches (samples, for max pooling), `form` is the sum of the decided ones.
    """

    upper: float
    centre: np.ndarray
    half: np.ndarray
    face: int
    sign: float
    rows: np.ndarray
    form: np.ndarray


def _search(problem, tol, time_limit, max_nodes, floor):
    """Cut the cones of the largest bounds until none exceeds what is attained."""
    start, order, n_nodes, closed = time.perf_counter(), count(), 0, 0.0
    best, filter_ = problem.climb(np.eye(problem.basis.shape[0])[0])
    heap = sorted((-cone.upper, next(order), cone) for cone in problem.roots())
    known = 0.0 if floor is None else floor - problem.rounding

    def enough():
        return max(best * (1 + tol / 2), known)

    def stop():
        late = time_limit is not None and time.perf_counter() - start > time_limit
        full = max_nodes is not None and n_nodes >= max_nodes
        return late or full or (floor is not None and best > floor)

    while heap and -heap[0][0] > enough() and not stop():
        batch = []
        while heap and len(batch) < _BATCH and -heap[0][0] > enough():
            batch.append(heapq.heappop(heap)[2])
        for parents in _similar(batch, problem.work):
            if stop():
                closed = max(closed, *(cone.upper for cone in parents))
                continue
            centres, half = _cut(problem, parents)
            upper, points, values, child = problem.bound(parents, centres, half, enough())
            upper = np.minimum(upper, np.array([[cone.upper] for cone in parents]))
            n_nodes += upper.size
            best, filter_ = max(
                (best, filter_),
                problem.attain(parents, centres, values, best),
                problem.attain(parents, points, upper, best),
                key=lambda pair: pair[0],
            )
            goes_on = upper > enough()
            goes_on &= (half.max(axis=1) > _NARROW)[:, None]
            closed = max(closed, upper[~goes_on].max(initial=0.0))
            for b, c in zip(*np.nonzero(goes_on), strict=True):
                rows, form = child(b, c)
                cone = parents[b]._replace(
                    upper=upper[b, c], centre=centres[b, c], half=half[b], rows=rows, form=form
                )
                heapq.heappush(heap, (-cone.upper, next(order), cone))
    upper = max(closed, best, -heap[0][0] if heap else 0.0)
    return upper + problem.rounding, best, filter_, n_nodes


def _similar(cones, work):
    """Cones in groups whose lists differ by less than a factor of two, and fit the block."""
    sizes = np.array([len(cone.rows) for cone in cones])
    for size in np.unique(np.ceil(np.log2(np.maximum(sizes, 8)))):
        group = np.flatnonzero(np.ceil(np.log2(np.maximum(sizes, 8))) == size)
        step = max(1, int(_ENTRIES / (2**size * work)))
        for first in range(0, len(group), step):
            yield [cones[i] for i in group[first : first + step]]


def _cut(problem, cones):
    """Halve each box along the axes that blur its patches most: centres (B, C, h), half (B, h)."""
    half = np.array([cone.half for cone in cones])
    spread = np.array([problem.weight_sizes(cone.rows) for cone in cones])
    axes = min(_AXES, half.shape[1] - 1)
    longest = np.argsort(-(spread + 1e-300) * half, axis=1)[:, :axes]
    half[np.arange(len(cones))[:, None], longest] /= 2
    centres = np.array([cone.centre for cone in cones])[:, None]
    for axis in longest.T:
        shift = np.zeros_like(half)
        shift[np.arange(len(cones)), axis] = half[np.arange(len(cones)), axis]
        centres = np.concatenate([centres - shift[:, None], centres + shift[:, None]], axis=1)
    return centres, half


def _largest_linear(forms, centres, half, face):
    """Maximise linear forms over cones within the unit ball: bounds and projections.

    A projection on the cone ``{|u_i - centre_i r| <= half_i r}``, with ``r = +-u_face``: given r,
    every entry is clipped, and r is the root of a piecewise linear function. The length of a form
    less multiples of the walls bounds it whatever these multiples are, so an inexact root is safe.
    """
    index, rows = face[:, None], np.arange(len(forms))[:, None]
    side, head = centres[rows, index], forms[rows, index] * centres[rows, index]
    free = np.arange(forms.shape[1]) != index
    tail = np.where(free, forms, 0.0)
    low, high = np.where(free, centres - half, 0.0), np.where(free, centres + half, 0.0)

    def walls(r):
        """The wall that holds each entry, 0 where none does, and by how much it is outside."""
        wall = np.where(tail > high * r, high, np.where(tail < low * r, low, 0.0))
        return wall, np.where((tail > high * r) | (tail < low * r), tail - wall * r, 0.0)

    r, least, most = np.maximum(head, 0.0), np.zeros_like(head), np.full_like(head, np.inf)
    for _ in range(60):
        wall, outside = walls(r)
        held = np.where(outside != 0, wall, 0.0)
        # the root if these walls are those of the root; Newton's method, kept in a bracket
        new = (head + (held * tail).sum(1, keepdims=True)) / (1 + (held**2).sum(1, keepdims=True))
        least, most = np.where(new > r, r, least), np.where(new < r, r, most)
        middle = np.where(np.isfinite(most), (least + most) / 2, 2 * r + 1e-300)
        new = np.where((new >= least) & (new <= most), new, middle)
        if (np.abs(new - r) <= 1e-15 * np.abs(r)).all():
            break
        r = new
    wall, outside = walls(r)
    points = tail - outside
    lifted = np.maximum(head + (outside * wall).sum(1, keepdims=True), 0.0)
    points[rows, index] = lifted * side
    return np.linalg.norm(points, axis=1), points


def _block_sum(left, right):
    """``left @ right`` for (B, C, U) and (B, U, h), the U terms summed in blocks."""
    steps = range(0, max(left.shape[2], 1), _BLOCK)
    return sum(left[:, :, i : i + _BLOCK] @ right[:, i : i + _BLOCK] for i in steps)


# --------------------------------------------------------------------------------------------
# the architectures


def _climb(slope, patches, v, u, steps=40):
    """Local maxima from unit vectors (m, h) on, in steps towards a subgradient."""
    u, step = u.copy(), np.ones(len(u))
    values, slopes = slope(patches, v, u)
    for _ in range(steps):
        moving = np.flatnonzero((step > 1e-7) & slopes.any(axis=1))
        if not len(moving):
            break
        ahead = step[moving, None]
        trial = _units((1 - ahead) * u[moving] + ahead * _units(slopes[moving]))
        new, direction = slope(patches, v, trial)
        step[moving] /= 4
        up = new > values[moving]
        moved = moving[up]
        values[moved], u[moved], slopes[moved] = new[up], trial[up], direction[up]
        step[moved] = np.minimum(8 * step[moved], 1.0)
    return values, u


def _single_patches(patches, v):
    """For average pooling every patch that is not zero is a sample of its own."""
    rows = patches.reshape(-1, 1, patches.shape[2])
    kept = rows.any(axis=(1, 2))
    return rows[kept], np.repeat(v, patches.shape[1])[kept]


def _units(u):
    length = np.linalg.norm(u, axis=1, keepdims=True)
    return u / np.where(length > 0, length, 1.0)


def _slope_average(patches, v, u):
    """Prices (m,) of unit vectors (m, h), and subgradients (m, h); every sample has one patch."""
    rows = patches[:, 0]
    forms = ((rows @ u.T > 0) * v[:, None]).T @ rows
    values = (forms * u).sum(axis=1)
    return np.abs(values), np.sign(values)[:, None] * forms


def _slope_max(patches, v, u):
    response = np.maximum(patches @ u.T, 0.0)
    best = response.argmax(axis=1)
    winners = np.take_along_axis(patches[..., None], best[:, None, None], axis=1)[:, 0]
    active = np.take_along_axis(response, best[:, None], axis=1)[:, 0] > 0
    forms = np.einsum("n,nm,nhm->mh", v, active, winners)
    values = (forms * u).sum(axis=1)
    return np.abs(values), np.sign(values)[:, None] * forms


def _slope_unpooled(patches, v, u):
    response = patches @ u.T
    outputs = np.einsum("n,nkm->mk", v, np.maximum(response, 0.0))
    values = np.linalg.norm(outputs, axis=1)
    weights = np.einsum("n,mk->nkm", v, _units(outputs)) * (response > 0)
    return values, np.tensordot(weights, patches, ((0, 1), (0, 1)))


class _Problem:
    """What the architectures share: the climb, in the patches as they are given.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    v : ndarray, shape (n,)
    """

    def __init__(self, patches, v):
        used = v != 0
        self.patches, self.v = patches[used], v[used]
        n, K, h = self.patches.shape
        lengths = np.linalg.norm(self.patches, axis=2)
        #: ``S``, at least every price
        self.total = float(np.abs(self.v) @ lengths.sum(axis=1))
        self.rounding = self.allowance(_BLOCK + n * K / _BLOCK + 20 * h + 100)

    def allowance(self, terms):
        """Rounding of so many operations on terms that add up to no more than `total`."""
        return terms * _UNIT * self.total

    def attain(self, cones, points, values, best):
        """Climb from the most promising point, unless it is known to be no better than `best`."""
        b, c = np.unravel_index(values.argmax(), values.shape)
        length = np.linalg.norm(points[b, c])
        if not (length > 0 and values[b, c] > best):
            return -1.0, None
        u = self.basis @ (points[b, c] / length) * (cones[b].sign if self.even else 1.0)
        value = self.slope(self.patches, self.v, u[None])[0][0]
        return self.climb(u) if value > best else (value, u)

    def climb(self, u):
        """A local maximum from `u` on: its value and the unit vector."""
        values, filters = _climb(self.slope, self.patches, self.v, u[None])
        return values[0], filters[0]

    def roots(self):
        """Cones over the faces of a cube, for both signs."""
        h = self.basis.shape[1]
        for sign, face, side in product(self.signs, range(h), (1.0, -1.0)):
            centre, half = np.zeros(h), np.ones(h)
            centre[face], half[face] = side, 0.0
            rows = np.arange(len(self.sizes) - 1)
            yield _Cone(self.ceiling(sign), centre, half, face, sign, rows, self.start)

    def ceiling(self, sign):
        """A bound on the whole sphere."""
        return self.total

    def weight_sizes(self, rows):
        """How much the entries of the undecided patches weigh, shape (h,)."""
        return self.sizes[rows].sum(axis=0)

    def stacked(self, cones):
        """Rows of several cones, filled up with the index of a row of zeros."""
        index = np.full((len(cones), max(1, *(len(cone.rows) for cone in cones))), -1)
        for one, cone in zip(index, cones, strict=True):
            one[: len(cone.rows)] = cone.rows
        return index


class _Average(_Problem):
    """``v^T phi(u) = c^T u + sum_l w_l |e_l^T u|`` over lines of unit normals ``e_l``.

    The second term is even, so where ``-v^T phi`` is largest, ``c^T u - sum`` is largest at ``-u``:
    with either sign half the sphere, ``c^T u >= 0``, is enough. The first axis is along ``c``, the
    others are the principal axes of the lines.
    """

    signs, work, even = (1.0, -1.0), 8, True
    slope = staticmethod(_slope_average)

    def __init__(self, patches, v):
        super().__init__(patches, v)
        h = patches.shape[2]
        self.patches, self.v = _single_patches(self.patches, self.v)
        c, lines, w, repeats = _lines(self.patches[:, 0], self.v)
        self.rounding += self.allowance(repeats)
        self.basis = _principal(c, lines, w)
        self.start = c @ self.basis
        self.lines = np.concatenate([lines @ self.basis, np.zeros((1, h))])
        self.w = np.append(w, 0.0)
        self.sizes = np.abs(self.w[:, None] * self.lines)
        self.ceilings = {
            sign: min(self.total, _quadratic_bound(self.start, self.lines, sign * self.w))
            for sign in self.signs
        }

    def ceiling(self, sign):
        return self.ceilings[sign]

    def roots(self):
        for cone in super().roots():
            centre, half = cone.centre.copy(), cone.half.copy()
            if cone.face > 0:
                centre[0], half[0] = 0.5, 0.5
            elif centre[0] < 0:
                continue
            yield cone._replace(centre=centre, half=half)

    def bound(self, cones, centres, half, enough):
        """Bounds (B, C), where they are largest, values at the centres, the children's lists."""
        index = self.stacked(cones)
        sign = np.array([cone.sign for cone in cones])
        lines, w = self.lines[index], sign[:, None] * self.w[index]
        start = np.array([cone.form for cone in cones])
        face = np.array([cone.face for cone in cones])
        at = lines @ centres.transpose(0, 2, 1)
        reach = np.abs(lines) @ half[:, :, None]
        undecided, side = np.abs(at) < reach, np.sign(at)
        # the chord of |t| over [at - reach, at + reach] has this slope, and at 0 this height
        chord = np.divide(at, reach, out=side.copy(), where=undecided)
        height = reach * (1 - chord**2) * np.maximum(w, 0.0)[:, :, None]
        slopes = np.where(w[:, :, None] > 0, chord, side) * w[:, :, None]
        forms = start[:, None] + _block_sum(slopes.transpose(0, 2, 1), lines)
        corner = (np.arange(len(cones))[:, None], np.arange(centres.shape[1]), face[:, None])
        ones = np.ones((len(cones), height.shape[1], 1))
        forms[corner] += centres[corner] * _block_sum(height.transpose(0, 2, 1), ones)[..., 0]
        kinks = (reach - np.abs(at)) * undecided * np.maximum(-w, 0.0)[:, :, None]
        kinks = kinks.transpose(0, 2, 1)

        def directions(b, c, rows):
            d = w[b, rows, None] * lines[b, rows]
            return d, side[b, rows, c], -1.0

        upper, points = _bounds_in_cones(forms, centres, half, face, enough, kinks, directions)
        values = (start[:, None] * centres).sum(axis=2) + (w[:, :, None] * np.abs(at)).sum(axis=1)
        settled = (side * w[:, :, None] * ~undecided).transpose(0, 2, 1)
        settled = start[:, None] + _block_sum(settled, lines)
        return (
            upper,
            points,
            values / np.linalg.norm(centres, axis=2),
            partial(_child, cones, undecided, settled),
        )


def _quadratic_bound(c, lines, w, turns=30):
    """A bound on ``c^T u + sum_l w_l |e_l^T u|`` over unit vectors, by eigenvalues.

    With ``|t| <= (s + t^2 / s) / 2`` where w counts for and ``|t| >= t^2`` where it counts against,
    a quadratic form is left, in which the two cancel; cones keep them apart. Each s moves towards
    the ``|t|`` at the form's maximiser.
    """
    up, down = lines[w > 0], lines[w < 0]
    gain, loss = w[w > 0], (down * w[w < 0, None]).T @ down
    total = np.abs(w).sum()
    if not gain.sum() > 0:
        return np.linalg.norm(c) + 1e-12 * total
    top = np.linalg.eigvalsh((up * gain[:, None]).T @ up)[-1]
    s, best = np.full(len(up), np.sqrt(top / gain.sum())), np.inf
    for turn in range(turns):
        s = np.maximum(s, 1e-2)
        form = (up * (gain / (2 * s))[:, None]).T @ up + loss
        value, u = _largest_quadratic(c, form)
        best = min(best, value + gain @ s / 2)
        s = s * (np.maximum(np.abs(up @ u), 1e-2) / s) ** (0.5 / (1 + turn / 5))
    # s >= 1/100: rounding is that of sums over the lines, a hundredfold
    return best + 100 * (len(lines) + 20 * len(c)) * _UNIT * total


def _largest_quadratic(c, form):
    """Maximise ``c^T u + u^T Q u`` over unit vectors: a bound by duality, a point close to it."""
    values, axes = np.linalg.eigh(form)
    along = axes.T @ c
    low, high = values[-1], values[-1] + np.linalg.norm(c) / 2 + 1e-12 * np.abs(values).max()
    for _ in range(60):
        middle = (low + high) / 2
        steep = ((along / (2 * np.maximum(middle - values, 1e-300))) ** 2).sum() > 1
        low, high = (middle, high) if steep else (low, middle)
    high += 1e-13 * np.abs(values).max()
    u = axes @ (along / (2 * (high - values)))
    u = u + axes[:, -1] * np.sqrt(max(0.0, 1 - u @ u))
    return high + (along**2 / (4 * (high - values))).sum(), u / np.linalg.norm(u)


def _child(cones, undecided, settled, b, c):
    """List and form of a child; the parent's, unless the list has become shorter by much."""
    cone = cones[b]
    left = undecided[b, : len(cone.rows), c]
    if left.sum() > _SHRUNK * len(cone.rows):
        return cone.rows, cone.form
    return cone.rows[left], settled[b, c]


def _bounds_in_cones(forms, centres, half, face, enough, kinks, directions):
    """`_largest_linear` for B parents with C children each; tangents are turned where it matters.

    An undecided concave term has the tangents ``coefficient * direction``, and the bound is a
    convex function of the coefficients. It is minimised where it exceeds `enough` and few terms
    have `kinks`, (B, C, U): how far the term's tangent is off, 0 where it is not.
    """
    B, C, h = forms.shape
    flat = [a.reshape(-1, h) for a in (forms, centres, np.repeat(half, C, axis=0))]
    flat.append(np.repeat(face, C))
    upper, points = _largest_linear(*flat)
    kinks = kinks.reshape(B * C, -1)
    number = np.count_nonzero(kinks, axis=1)
    live = np.flatnonzero((upper > enough) & (number > 0) & (number <= _KINKS))
    if len(live):
        most = number[live].max()
        rows = np.argpartition(-kinks[live], most - 1, axis=1)[:, :most]
        b, c = np.divmod(live, C)
        d, a, least = directions(b[:, None], c[:, None], rows)
        d = d * (np.take_along_axis(kinks[live], rows, axis=1) > 0)[..., None]
        value, p = _turn([x[live] for x in flat], d, a, least)
        better = value < upper[live]
        upper[live[better]], points[live[better]] = value[better], p[better]
    return upper.reshape(B, C), points.reshape(B, C, h)


def _turn(part, directions, coefficient, least):
    """Least lengths of forms plus multiples of directions and of walls, many at once.

    Multiples of directions are in ``[least, 1]``, those of walls above 0. An interior point method
    whose iterates are feasible, so that each of them is a bound.
    """
    forms, centres, half, face = part
    M, L, h = directions.shape
    scale = np.linalg.norm(forms, axis=1) + np.linalg.norm(directions, axis=2).sum(axis=1)
    directions = directions / scale[:, None, None]
    fixed = forms / scale[:, None] + ((least - coefficient)[..., None] * directions).sum(axis=1)
    columns = np.concatenate([directions, _walls(centres, half, face)], axis=1)
    # y: multiples above their least value; w: room up to their largest, for directions
    y = np.full(columns.shape[:2], 0.1)
    y[:, :L] = (1 - least) / 2
    w, best, where = y[:, :L], np.full(M, np.inf), np.zeros((M, h))
    z, q = 0.1 / y, 0.1 / w
    pairs = y.shape[1] + L
    for _ in range(_STEPS):
        p = fixed + (y[..., None] * columns).sum(axis=1)
        # multiples of walls may be large; their rounding counts
        value = np.linalg.norm(p, axis=1) + 8 * h * _UNIT * y.sum(axis=1)
        better = value < best
        best, where = np.where(better, value, best), np.where(better[:, None], p, where)
        mu = 0.1 * ((y * z).sum(axis=1) + (w * q).sum(axis=1))[:, None] / pairs
        if (mu < 1e-14).all():
            break
        mu = np.maximum(mu, 1e-15)
        curve, pull = z / y, mu / y - (columns @ p[..., None])[..., 0]
        curve[:, :L] += q / w
        pull[:, :L] -= mu / w
        curve = np.maximum(curve, 1e-12)
        weighted = columns / curve[..., None]
        system = np.eye(h) + weighted.transpose(0, 2, 1) @ columns
        dp = np.linalg.solve(system, (weighted * pull[..., None]).sum(axis=1)[..., None])
        dy = (pull - (columns @ dp)[..., 0]) / curve
        dw = -dy[:, :L]
        dz, dq = mu / y - z * (1 + dy / y), mu / w - q * (1 + dw / w)
        step = np.ones((M, 1))
        for now, move in ((y, dy), (w, dw), (z, dz), (q, dq)):
            ratio = np.where(move < 0, now / np.where(move < 0, -move, 1.0), np.inf)
            step = np.minimum(step, 0.98 * ratio.min(axis=1, keepdims=True))
        y, w, z, q = y + step * dy, w + step * dw, z + step * dz, q + step * dq
    return best * scale, where * scale[:, None]


def _walls(centres, half, face):
    """Inner unit normals of boxes' cones, (M, 2 h - 2, h)."""
    M, h = centres.shape
    side = np.take_along_axis(centres, face[:, None], axis=1)
    tail = np.argsort(np.arange(h) == face[:, None], axis=1, kind="stable")[:, : h - 1]
    normals = []
    for sign in (1.0, -1.0):
        normal = np.zeros((M, h - 1, h))
        np.put_along_axis(normal, tail[..., None], -sign, axis=2)
        edge = np.take_along_axis(centres + sign * half, tail, axis=1) * sign * side
        np.put_along_axis(
            normal, np.broadcast_to(face[:, None, None], (M, h - 1, 1)), edge[..., None], axis=2
        )
        normals.append(normal / np.linalg.norm(normal, axis=2, keepdims=True))
    return np.concatenate(normals, axis=1)


def _lines(x, a):
    """``sum_r a_r (x_r^T u)_+ = c^T u + sum_l w_l |e_l^T u|``: c, e, w, most rows of a line."""
    c = _block_sum(a[None, None], x[None])[0, 0] / 2
    length = np.linalg.norm(x, axis=1)
    x, a, length = x[length > 0], a[length > 0], length[length > 0]
    e = x / length[:, None]
    largest = np.abs(e).argmax(axis=1)
    e *= np.sign(e[np.arange(len(e)), largest])[:, None]
    _, first, line = np.unique(
        np.round(e, 15) + 0.0, axis=0, return_index=True, return_inverse=True
    )
    w = np.bincount(line.ravel(), a * length, len(first)) / 2
    return c, e[first], w, np.bincount(line.ravel()).max(initial=0)


def _principal(c, rows, w):
    """Orthonormal axes (columns): along `c`, then principal axes of weighted rows."""
    h = len(c)
    size = np.linalg.norm(c)
    along = c / size if size > 0 else np.zeros(h)
    across = rows - (rows @ along)[:, None] * along
    axes = np.linalg.eigh((across * np.abs(w)[:, None]).T @ across)[1][:, ::-1]
    if size > 0:
        axes = np.linalg.qr(np.concatenate([along[:, None], axes[:, : h - 1]], axis=1))[0]
        axes[:, 0] *= np.sign(axes[:, 0] @ along)
    return axes


class _Max(_Problem):
    """``v_i max_k (x_ik^T u)_+``: convex for positive ``v_i``, concave for negative ones.

    The winner at a cone's centre, or nothing, is a form that bounds from below; from above does
    the mixture of it and of its closest rival, plus what any patch can exceed the mixture by.
    """

    signs, even = (1.0, -1.0), False
    slope = staticmethod(_slope_max)

    def __init__(self, patches, v):
        super().__init__(patches, v)
        x = _distinct_patches(self.patches)
        _, K, h = x.shape
        self.work = 8 * K
        self.basis = _principal(np.zeros(h), x.reshape(-1, h), np.repeat(self.v, K))
        self.start = np.zeros(h)
        self.x = np.concatenate([x @ self.basis, np.zeros((1, K, h))])
        self.w = np.append(self.v, 0.0)
        widths = self.x.max(axis=1).clip(0) - self.x.min(axis=1).clip(None, 0)
        self.sizes = np.abs(self.w[:, None]) * widths

    def bound(self, cones, centres, half, enough):
        """As `_Average.bound`; the patch 0 stands for no winner."""
        index = self.stacked(cones)
        sign = np.array([cone.sign for cone in cones])
        w = (sign[:, None] * self.w[index])[:, None]
        x = self.x[index][:, None]
        x = np.concatenate([x, np.zeros_like(x[..., :1, :])], axis=3)
        start = np.array([cone.form for cone in cones])[:, None]
        face = np.array([cone.face for cone in cones])
        at = np.einsum("boukh,bch->bcuk", x, centres)

        def excess(form):
            """By how much each patch can exceed a form (B, C, U, h) in the cone, over ``r``."""
            reach = sum(
                np.abs(x[..., a] - form[..., None, a]) * half[:, None, None, None, a]
                for a in range(form.shape[-1])
            )
            return at - (form * centres[:, :, None]).sum(axis=-1)[..., None] + reach

        winner = at.argmax(axis=-1)
        first, rival = _pick(x, winner), excess(_pick(x, winner))
        np.put_along_axis(rival, winner[..., None], -np.inf, axis=-1)
        closest = rival.argmax(axis=-1)
        above = np.take_along_axis(rival, closest[..., None], axis=-1)[..., 0]
        undecided = above > 0
        second = _pick(x, closest)
        behind = ((first - second) * centres[:, :, None]).sum(axis=-1)
        # the chord of (t)_+, t = (second - first)^T z, between its least and its largest value
        share = np.where(undecided, above / np.where(undecided, 2 * (above + behind), 1.0), 0.0)
        mixture = first + share[..., None] * (second - first)
        height = np.where(w > 0, np.maximum(excess(mixture).max(axis=-1), 0.0), 0.0)
        height[~undecided] = 0.0
        tangent = np.where((w > 0)[..., None], mixture, first)
        forms = start + _form_sum(w, tangent)
        corner = (np.arange(len(cones))[:, None], np.arange(centres.shape[1]), face[:, None])
        forms[corner] += centres[corner] * _form_sum(w, height[..., None])[..., 0]
        kinks = above * undecided * np.maximum(-w, 0.0)

        def directions(b, c, rows):
            d = w[b, 0, rows, None] * (second[b, c, rows] - first[b, c, rows])
            return d, np.zeros(rows.shape), 0.0

        upper, points = _bounds_in_cones(forms, centres, half, face, enough, kinks, directions)
        settled = start + _form_sum(w * ~undecided, first)
        values = (start * centres).sum(axis=2) + (w * at.max(axis=-1)).sum(axis=-1)
        return (
            upper,
            points,
            values / np.linalg.norm(centres, axis=2),
            partial(_child, cones, undecided.transpose(0, 2, 1), settled),
        )


def _pick(x, k):
    """Patch number k (B, C, U) of each sample of x (B, 1, U, K, h)."""
    x = np.broadcast_to(x, (*k.shape, *x.shape[3:]))
    return np.take_along_axis(x, k[..., None, None], axis=3)[..., 0, :]


def _form_sum(w, forms):
    """Weighted sums over U of forms (B, C, U, h)."""
    weights = np.broadcast_to(w, forms.shape[:3])[:, :, None]
    steps = range(0, forms.shape[2], _BLOCK)
    parts = (weights[..., i : i + _BLOCK] @ forms[:, :, i : i + _BLOCK] for i in steps)
    return sum(parts)[:, :, 0]


def _distinct_patches(patches):
    """Each sample's patches once, without zeros, filled up with zeros."""
    kept = [np.unique(x[x.any(axis=1)], axis=0) for x in patches]
    result = np.zeros((len(kept), max([1, *map(len, kept)]), patches.shape[2]))
    for row, x in zip(result, kept, strict=True):
        row[: len(x)] = x
    return result


class _Unpooled(_Problem):
    """``|sum_i v_i (x_ik^T u)_+|_2`` over the patches k.

    Along the outputs at the cone's centre it is average pooling with weights ``v_i phi_k / |phi|``;
    across them it is small of second order, and is added in square.
    """

    signs, work, even = (1.0,), 16, False
    slope = staticmethod(_slope_unpooled)

    def __init__(self, patches, v):
        super().__init__(patches, v)
        n, K, h = self.patches.shape
        self.rounding += self.allowance(n)
        x = self.patches.reshape(-1, h)
        kept = x.any(axis=1)
        x, self.k = x[kept], np.append(np.tile(np.arange(K), n)[kept], 0)
        w = np.repeat(self.v, K)[kept]
        self.basis = _principal(np.zeros(h), x, w)
        self.start = np.zeros((K, h))
        self.x, self.w = np.concatenate([x @ self.basis, np.zeros((1, h))]), np.append(w, 0.0)
        self.sizes = np.abs(self.w[:, None] * self.x)

    def bound(self, cones, centres, half, enough):
        """As `_Average.bound`."""
        index = self.stacked(cones)
        x, v, k = self.x[index], self.w[index][:, :, None], self.k[index]
        start = np.array([cone.form for cone in cones])[:, None]
        face = np.array([cone.face for cone in cones])
        at = x @ centres.transpose(0, 2, 1)
        reach = np.abs(x) @ half[:, :, None]
        undecided, side = np.abs(at) < reach, np.sign(at)
        K = start.shape[2]
        on = (at > 0) * v
        gated = start + _group_sum(on, x, k, K)
        settled = start + _group_sum(on * ~undecided, x, k, K)
        outputs = np.einsum("bckh,bch->bck", gated, centres)
        size = np.linalg.norm(outputs, axis=2)
        unit = outputs / np.where(size > 0, size, 1.0)[..., None]
        # the part along the outputs at the centre is that of average pooling with these weights
        b, c = np.arange(len(cones))[:, None, None], np.arange(centres.shape[1])
        w = v * unit[b, c, k[:, :, None]] / 2
        chord = np.divide(at, reach, out=side.copy(), where=undecided)
        height = reach * (1 - chord**2) * np.maximum(w, 0.0)
        slopes = w * (1 + np.where(w > 0, chord, side))
        forms = np.einsum("bck,bckh->bch", unit, np.broadcast_to(start, gated.shape))
        forms += _block_sum(slopes.transpose(0, 2, 1), x)
        corner = (np.arange(len(cones))[:, None], np.arange(centres.shape[1]), face[:, None])
        ones = np.ones((*x.shape[:2], 1))
        forms[corner] += centres[corner] * _block_sum(height.transpose(0, 2, 1), ones)[..., 0]
        kinks = (reach - np.abs(at)) * undecided * np.maximum(-w, 0.0)
        kinks = kinks.transpose(0, 2, 1)

        def directions(b, c, rows):
            d = w[b, rows, c, None] * x[b, rows]
            return d, side[b, rows, c], -1.0

        # what is across is no longer than its change from the centre on
        columns = gated - unit[..., None] * np.einsum("bck,bckh->bch", unit, gated)[:, :, None]
        across = (np.linalg.norm(columns, axis=2) * half[:, None]).sum(axis=2)
        blur = np.where(undecided, reach - np.abs(at), 0.0) * np.abs(v)
        blur = np.linalg.norm(_group_sum(blur, ones, k, K)[..., 0], axis=2)
        back = np.abs(np.einsum("bck,bckh->bch", unit, gated)) @ half[:, :, None]
        back = blur + np.maximum(back[..., 0] - size, 0.0)
        near = np.linalg.norm(np.maximum(np.abs(centres) - half[:, None], 0.0), axis=2)
        across, back = (across + blur) / near, back / near
        along, points = _bounds_in_cones(forms, centres, half, face, enough, kinks, directions)
        upper = np.hypot(np.maximum(along, back), across)
        spectral = np.linalg.norm(gated, 2, axis=(2, 3)) + blur / near
        lengths = np.linalg.norm(centres, axis=2)
        child = partial(_child, cones, undecided, settled)
        return np.minimum(upper, spectral), points, size / lengths, child


def _group_sum(weights, x, k, K):
    """Sums (B, C, K, h) over the rows of each group of ``weights (B, U, C) x (B, U, h)``."""
    B, _, C = weights.shape
    h = x.shape[2]
    place = (np.arange(B)[:, None, None] * C + np.arange(C)) * K + k[:, :, None]
    sums = [
        np.bincount(place.ravel(), (weights * x[:, :, None, a]).ravel(), B * C * K)
        for a in range(h)
    ]
    return np.stack(sums, axis=-1).reshape(B, C, K, h)


_PROBLEMS = {"average": _Average, "max": _Max, "none": _Unpooled}
