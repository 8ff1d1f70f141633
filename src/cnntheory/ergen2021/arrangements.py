"""Cells of the hyperplane arrangement that the patches cut a filter's space into.

On a cell every patch keeps the sign of ``x_{sk}^T u``, so the network is linear in the filter:
the convex programs have one group of variables for each cell and each sign of the output weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import ConvexHull, QhullError

from .pricing import project_on_cones

# Unit rows closer than this are one hyperplane; arcs narrower than this are taken for empty.
_TOLERANCE = 1e-9
# A cone whose best unit vector clears its walls (unit normals) by less is taken for flat.
_CLEARANCE = 1e-9
# Below this clearance hulls are not looked for: of thousands of thin cones they lost facets, by up
# to 1e-7, of some that were clear by less than 1e-7, of none above.
_NARROW = 1e-6
# Dimension up to which the facets of listed cones are looked for; beyond they save less (half of a
# training's time at 5 and 6 entries, a third at 7), and thin cones have not been tried.
_HULLS = 4
# Entries of a block of arcs, and of cones, so that its temporaries stay in the cache's reach.
_BLOCK_ENTRIES, _CONE_ENTRIES = 1 << 20, 1 << 18


class ArrangementTooLarge(ValueError):
    """More cells than the budget allows."""


@dataclass(frozen=True)
class Cells:
    """Cells of the filter's space, each a cone ``{u : sign * (rows @ u) >= 0}``.

    Attributes
    ----------
    rows : ndarray, shape (N, h)
        Normals of the hyperplanes; distinct and of unit length for pooled networks.
    signs : int8 ndarray, shape (P, N)
        Side of each hyperplane, 0 where the hyperplane does not bound the cone.
    patterns : bool ndarray, shape (P, n, K)
        The patches that reach the output on the cell: ``A_i = sum_k D_i^k X_k``.
    exact : bool
        Whether the cells cover the whole space.
    architecture : str
        Name of the architecture that they are cells of.
    samples : ndarray, shape (n, K, h)
        What they are cells of: the patches, each sample divided by its longest patch.
    facets : int ndarray, shape (P, F), optional
        Rows that bound each cone, filled up with -1; if absent every row may.
    """

    rows: np.ndarray
    signs: np.ndarray
    patterns: np.ndarray
    exact: bool
    architecture: str
    samples: np.ndarray
    facets: np.ndarray | None = None

    def fit(self, patches):
        """Whether they are cells of `patches (n, K, h)`, whatever the length of each sample."""
        samples = unit_samples(patches)
        same = samples.shape == self.samples.shape
        return same and np.allclose(samples, self.samples, rtol=0, atol=1e-12)

    def cone_normals(self, chosen):
        """Inner normals of the facets of chosen cells, shape (C, F, h), filled up with zeros."""
        signs = self.signs[chosen]
        if self.facets is None:
            return signs[:, :, None] * self.rows
        facets = self.facets[chosen]
        side = np.take_along_axis(signs, np.maximum(facets, 0), axis=1)
        return np.where(facets < 0, 0, side)[:, :, None] * self.rows[facets]

    @cached_property
    def float_gates(self):
        """`patterns` as floats, shape (P, n K), for products."""
        return self.patterns.reshape(len(self.patterns), -1).astype(float)


def unit_samples(patches):
    """Patches (n, K, h), each sample divided by its longest: what its cells depend on."""
    longest = np.linalg.norm(patches, axis=2).max(axis=1)[:, None, None]
    return patches / np.where(longest > 0, longest, 1.0)


def cover_count(rows, rank):
    """Number of cells of `rows` hyperplanes through the origin in general position.

    ``2 sum_{t < rank} C(rows - 1, t)``; an upper bound for any arrangement.

    Parameters
    ----------
    rows, rank : int
        Number of hyperplanes and dimension of the space.

    Returns
    -------
    int

    References
    ----------
    Cover, "Geometrical and statistical properties of systems of linear inequalities" (1965).
    """
    if rows == 0 or rank == 0:
        return 1
    return 2 * sum(comb(rows - 1, t) for t in range(rank))


def paper_bound(rows, rank):
    """``2 r (e (N - 1) / r)^r``, the bound on the number of cells in the papers' complexity.

    Parameters
    ----------
    rows, rank : int
        Number ``N`` of hyperplanes and rank ``r``.

    Returns
    -------
    float
    """
    return 2 * rank * (np.e * (rows - 1) / rank) ** rank


def sample_gates(h, count, rng=0):
    """Gaussian gates; fewer gates of one seed are a prefix of more.

    Parameters
    ----------
    h, count : int
        Length of a filter and number of gates.
    rng : int or numpy.random.Generator, optional

    Returns
    -------
    ndarray, shape (h, count)
    """
    return np.random.default_rng(rng).standard_normal((count, h)).T


def check_budget(predicted, max_patterns, what, sampled=True):
    """Refuse an enumeration beforehand; `sampled` says whether gates can be sampled instead.

    Raises
    ------
    ArrangementTooLarge
    """
    if predicted > max_patterns:
        way_out = "sample gates instead (cells=<number of gates>), " if sampled else ""
        raise ArrangementTooLarge(
            f"cells: exact enumeration predicts up to {predicted} patterns ({what}), above the "
            f"budget of {max_patterns}; {way_out}shorten the filter or use fewer samples"
        )


def enumerate_pooled(patches, pooling, max_patterns):
    """Every cell of a pooled architecture, with the rows that bound it.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    pooling : Average or Max
        Which hyperplanes there are, and what reaches the output.
    max_patterns : int
        Budget for the predicted number of cells.

    Returns
    -------
    Cells

    Notes
    -----
    Normals closer than 1e-9 count as one, so that prices over the cells are exact to 1e-9 times
    ``sum_ik |v_i| |x_ik|``. A pointed cell of rank r has faces of dimension 2, and these are the
    arcs into which the other hyperplanes divide the intersection of r - 2 of them. All arcs are
    walked by sorting angles; the cells around an arc are found by sides alone, no point near it is
    evaluated, so degenerate arrangements are exact too. Cost ``O(2^r C(N, r - 2) N)`` hashes, ``O(P
    N)`` signs.
    """
    rows, index, orientation = distinct_rows(pooling.normals(patches))
    rank = _rank(rows)
    predicted = cover_count(len(rows), rank)
    check_budget(predicted, max_patterns, f"{len(rows)} hyperplanes of rank {rank}")
    n, K, _ = patches.shape
    if rank == 0:
        nothing, name = np.zeros((1, n, K), bool), pooling.name
        facets = np.zeros((1, 0), int)
        samples = unit_samples(patches)
        return Cells(rows, np.zeros((1, 0), np.int8), nothing, True, name, samples, facets)
    sides, (cell, row) = _cell_sides(rows, rank)
    # side of every patch or difference: False where the row is zero
    signed = sides[:, np.maximum(index, 0)] ^ (orientation < 0)
    signed[:, index < 0] = False
    patterns, merged = pooling.patterns_of_sides(signed, index < 0, n, K)
    if merged is None:
        signs = (2 * sides.astype(np.int8)) - 1
    else:
        signs = pooling.signs(patterns, index, orientation, len(rows))
        # a merged cell is bounded where a cell of its own is, by a row that matters to it
        cell = merged[cell]
        cell, row = cell[signs[cell, row] != 0], row[signs[cell, row] != 0]
    facets = _padded(cell, row, len(patterns))
    return Cells(rows, signs, patterns, True, pooling.name, unit_samples(patches), facets)


def cells_of_patterns(patches, patterns, pooling):
    """Cells with given patterns (P, n, K), sampled or chosen; they need not cover the space."""
    rows, index, orientation = distinct_rows(pooling.normals(patches))
    signs = pooling.signs(patterns, index, orientation, len(rows))
    facets = facets_of_cones(rows, signs)
    return Cells(rows, signs, patterns, False, pooling.name, unit_samples(patches), facets)


def facets_of_cones(rows, signs):
    """Rows that bound the cones ``{u : signs * (rows u) >= 0}``, up to dimension 4.

    Parameters
    ----------
    rows : ndarray, shape (N, h)
        Distinct unit normals.
    signs : ndarray, shape (P, N)
        Of -1, 0 (the row is no wall) and 1.

    Returns
    -------
    int ndarray, shape (P, F), or None
        Filled up with -1; None if some cone is too narrow to tell, all hold a line, or h is larger.

    Notes
    -----
    At a point ``u`` inside a cone its section is ``{x : q_j^T x >= -1}``, where ``q_j`` is the part
    of row j orthogonal to ``u`` over its product with ``u``. The facets are the corners of the
    section's polar, the convex hull of zero and all ``q_j``.
    """
    count, h = rows.shape
    if not len(signs) or not 2 <= h <= min(_HULLS, count):
        return None
    cell, bounding = [], []
    step = max(1, _CONE_ENTRIES // (count * (h + 1)))
    for start in range(0, len(signs), step):
        some = slice(start, start + step)
        normals = signs[some, :, None] * rows
        inside = _points_inside(normals, signs[some] != 0)
        if inside is None:
            return None
        across = np.linalg.svd(inside[:, None])[2][:, 1:]
        clear = (normals @ inside[:, :, None])[:, :, 0]
        polar = normals @ across.transpose(0, 2, 1) / np.where(clear, clear, 1)[:, :, None]
        for i, points in enumerate(polar, start):
            walls = np.flatnonzero(signs[i])
            try:
                corners = _corners(np.concatenate([points[walls], np.zeros((1, h - 1))]))
            except QhullError:  # the rows do not span the space
                return None
            bounding.append(walls[corners[corners < len(walls)]])
            cell.append(np.full(len(bounding[-1]), i))
    return _padded(np.concatenate(cell), np.concatenate(bounding), len(signs))


def _corners(points):
    """Indices of the corners of the convex hull of points (M, d)."""
    if points.shape[1] == 1:
        return np.array([points.argmin(), points.argmax()])
    return ConvexHull(points).vertices


def _points_inside(normals, walls):
    """Unit vectors (C, h) inside cones of unit normals (C, N, h), or None; walls (C, N) says which.

    `point_inside` of many cones: what is nearest to ``(0, 1)`` among the ``(u, t)`` with
    ``normals u >= t`` has a ``t > 0`` if the cone has an interior.
    """
    lifted = np.concatenate([normals, -walls[:, :, None].astype(float)], axis=2) / np.sqrt(2)
    target = np.zeros((len(normals), normals.shape[2] + 1))
    target[:, -1] = 1
    points = project_on_cones(target, lifted)[:, :-1]
    lengths = np.linalg.norm(points, axis=1)
    if not lengths.all():
        return None
    points /= lengths[:, None]
    least = np.where(walls, (normals @ points[:, :, None])[:, :, 0], np.inf).min(axis=1)
    return points if (least > _NARROW).all() else None


def distinct_rows(normals):
    """Distinct unit rows, and for each of `normals` (M, h) its row and orientation.

    Returns
    -------
    rows : ndarray, shape (N, h)
    index : int ndarray, shape (M,)
        -1 for zero rows.
    orientation : int8 ndarray, shape (M,)
        Of +-1.
    """
    length = np.linalg.norm(normals, axis=1)
    scale = length.max(initial=0.0)
    index = np.full(len(normals), -1)
    orientation = np.ones(len(normals), np.int8)
    nonzero = np.flatnonzero(length > 1e-12 * scale)
    unit = normals[nonzero] / length[nonzero, None]
    leader, orientation[nonzero] = _leaders(unit)
    first, index[nonzero] = np.unique(leader, return_inverse=True)
    return unit[first], index, orientation


def _leaders(unit):
    """For each unit row the first row of the same line, and which way it points along it."""
    distinct, copies = _distinct_lines(unit)
    rows, leader = unit[distinct], distinct.copy()
    # Lines nearby have nearby outer products: one projection of those sorts candidates together.
    direction = np.random.default_rng(0).standard_normal((unit.shape[1],) * 2)
    key = np.einsum("ni,ij,nj->n", rows, direction, rows)
    order = np.argsort(key, kind="stable")
    reach = _TOLERANCE * np.linalg.norm(direction)
    for lag in range(1, len(rows)):
        near = np.flatnonzero(key[order[lag:]] - key[order[:-lag]] <= 2 * reach)
        if not len(near):
            break
        a, b = order[near], order[near + lag]
        aligned = np.where(np.einsum("ni,ni->n", rows[a], rows[b]) < 0, -1, 1)
        same = np.linalg.norm(rows[a] - aligned[:, None] * rows[b], axis=1) <= _TOLERANCE
        for first, second in zip(a[same], b[same], strict=True):
            low, high = sorted((leader[first], leader[second]))
            leader[leader == high] = low
    leader = leader[copies]
    sign = np.ones(len(unit), np.int8)
    sign[np.einsum("ni,ni->n", unit, unit[leader]) < 0] = -1
    return leader, sign


def _distinct_lines(unit):
    """Rows that differ beyond rounding, in their order, and for each row its copy among them.

    Images repeat patches thousands of times; comparing the copies in pairs would be quadratic.
    """
    copies = _hashed((unit * (64 / _TOLERANCE)).round().astype(np.int64))
    _, first, inverse = np.unique(copies, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return first[order], np.argsort(order)[inverse]


def _rank(rows):
    return int(np.linalg.matrix_rank(rows, tol=1e-10 * max(1, len(rows)))) if len(rows) else 0


def _cell_sides(rows, rank):
    """Sides (P, N) of every cell of an arrangement of distinct lines' normals, and its facets.

    Facets are pairs of a cell and a row that bounds it, as two arrays.
    """
    count = len(rows)
    if rank == 0:
        return np.zeros((1, 0), bool), np.zeros((2, 0), int)
    if rank == 1:
        return np.array([[True], [False]]), np.array([[0, 1], [0, 0]])
    if rank < rows.shape[1]:
        rows = rows @ np.linalg.svd(rows, full_matrices=False)[2][:rank].T
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    codes = np.random.default_rng(1).integers(0, 1 << 63, count, np.uint64)
    subsets = np.array(list(combinations(range(count), rank - 2)), int)
    block = max(1, _BLOCK_ENTRIES // (count << (rank - 2)))
    corners = {}
    parts = [
        _cells_of_flats(rows, subsets[start : start + block], codes, corners)
        for start in range(0, len(subsets), block)
    ]
    sides, hashes, owners, bounding = (np.concatenate(part) for part in zip(*parts, strict=True))
    hashes, first = np.unique(hashes, return_index=True)
    half = len(first)
    pairs = _sorted_distinct(np.searchsorted(hashes, owners) * count + bounding)
    cell, row = np.divmod(pairs, count)
    sides = np.concatenate([sides[first], ~sides[first]])
    return sides, (np.concatenate([cell, cell + half]), np.tile(row, 2))


def _cells_of_flats(rows, subsets, codes, corners):
    """Cells around the arcs of two-dimensional flats, one of each antipodal pair.

    Each flat is where the rows of a subset vanish. In it the other rows are lines at the angles
    ``theta``; walking the half circle flips one side at a time, so hashes (an exclusive or of the
    codes of the positive rows) accumulate. Returns sides (C, N) and hashes (C,) of cells, then
    hashes of cells and rows that bound them.
    """
    flats, count = len(subsets), len(rows)
    basis, independent = _flat_bases(rows, subsets)
    plane = rows @ basis
    vanishing = (np.abs(plane) <= _TOLERANCE).all(axis=2)
    angle = np.arctan2(-plane[..., 0], plane[..., 1])
    rising = (angle >= 0) & (angle < np.pi)
    theta = np.where(vanishing, np.inf, np.where(rising, angle, angle % np.pi))
    order = np.argsort(theta, axis=1)
    position = np.empty(order.shape, np.int32)
    np.put_along_axis(
        position, order, np.broadcast_to(np.arange(count, dtype=np.int32), order.shape), axis=1
    )
    theta = np.take_along_axis(theta, order, axis=1)
    lines = np.isfinite(theta)
    last = lines.sum(axis=1) - 1
    following = np.concatenate([theta[:, 1:], np.full((flats, 1), np.inf)], axis=1)
    following[np.arange(flats), last] = theta[:, 0] + np.pi
    with np.errstate(invalid="ignore"):
        arcs = lines & (following - theta > _TOLERANCE) & independent[:, None]
    flips = np.bitwise_xor.accumulate(np.where(lines, codes[order], np.uint64(0)), axis=1)
    before = np.bitwise_xor.reduce(np.where(~vanishing & ~rising, codes, np.uint64(0)), axis=1)
    hashes = before[:, None] ^ flips
    everything = np.bitwise_xor.reduce(codes)

    general = vanishing.sum(axis=1) == subsets.shape[1]
    parts = [(np.flatnonzero(general), subsets[general], _all_sides(subsets.shape[1]))]
    for flat in np.flatnonzero(~general & independent):
        members = np.flatnonzero(vanishing[flat])
        key = members.tobytes()
        if key not in corners:  # each flat once, whichever subset spans it
            corners[key] = _cell_sides(rows[members], subsets.shape[1])[0]
            parts.append((np.array([flat]), members[None], corners[key]))
    found = []
    for chosen, members, corner in parts:
        where, arc = np.nonzero(arcs[chosen])
        flat = chosen[where]
        code = np.where(corner[None], codes[members][:, None], np.uint64(0))
        code = np.bitwise_xor.reduce(code, axis=2)[where]
        whole = hashes[flat, arc][:, None] ^ code
        whole = np.minimum(whole, whole ^ everything)
        # the rows of the flat bound the cells around it; in the plane the ends of the arc do
        bounding = members[where]
        if not bounding.shape[1]:
            bounding = np.stack([order[flat, arc], order[flat, (arc + 1) % (last[flat] + 1)]], 1)
        owners, bounding = np.broadcast_arrays(whole[:, :, None], bounding[:, None])
        whole, first = np.unique(whole, return_index=True)
        which, turn = np.divmod(first, len(corner))
        flat, arc, where = flat[which], arc[which], where[which]
        side = ~(rising[flat] ^ (position[flat] <= arc[:, None]))
        np.put_along_axis(side, members[where], corner[turn], axis=1)
        found.append((side, whole, owners.ravel(), bounding.ravel()))
    return [np.concatenate(part) for part in zip(*found, strict=True)]


def _sorted_distinct(values):
    """`numpy.unique` by sorting: hashing is ten times slower for keys such as these."""
    values = np.sort(values)
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def _padded(cell, row, count):
    """Rows of each cell as an array (count, F) filled up with -1."""
    width = row.max(initial=0) + 1
    cell, row = np.divmod(_sorted_distinct(cell * width + row), width)
    size = np.bincount(cell, minlength=count)
    table = np.full((count, size.max(initial=0)), -1)
    table[cell, np.arange(len(cell)) - np.repeat(np.cumsum(size) - size, size)] = row
    return table


def _flat_bases(rows, subsets):
    """Orthonormal bases (F, r, 2) of the planes where subsets of rows vanish."""
    if subsets.shape[1] == 0:
        return np.eye(2)[None], np.ones(1, bool)
    _, values, right = np.linalg.svd(rows[subsets])
    return right[:, -2:].transpose(0, 2, 1), values[:, -1] > _TOLERANCE


def _all_sides(count):
    """All sides (2^count, count) of independent rows."""
    return (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(bool)


def distinct(patterns):
    """Distinct patterns, first appearance first, and the index of each pattern among them."""
    packed = np.packbits(patterns.reshape(len(patterns), -1), axis=1)
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    _, first, inverse = np.unique(_hashed(words), return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return patterns[np.sort(first)], rank[inverse]


def _hashed(rows):
    """A hash of each row, of whole words of 8 bytes."""
    words = np.ascontiguousarray(rows).view(np.uint64)
    multipliers = np.random.default_rng(2).integers(0, 1 << 63, words.shape[1], np.uint64) * 2 + 1
    return (words ^ (words >> np.uint64(32))) @ multipliers


def point_inside(cone):
    """Find a unit vector strictly inside ``{u : cone u >= 0}``.

    Parameters
    ----------
    cone : ndarray, shape (N, p)
        Normals of the walls; zero rows are no walls.

    Returns
    -------
    ndarray, shape (p,), or None
        The vector, or None if the cone has no interior.

    Notes
    -----
    Gordan's alternative: the interior is empty iff some convex combination of the normals is zero.
    Non-negative least squares looks for that combination; what it leaves over is the vector.
    """
    norms = np.linalg.norm(cone, axis=1)
    walls = cone[norms > 0] / norms[norms > 0, None]
    if not len(walls):
        return np.eye(cone.shape[1])[0]
    system = np.vstack([walls.T, np.ones(len(walls))])
    target = np.append(np.zeros(cone.shape[1]), 1.0)
    left = target - system @ nnls(system, target)[0]
    size = np.linalg.norm(left[:-1])
    if size <= _CLEARANCE:
        return None
    u = -left[:-1] / size
    return u if (walls @ u).min() > _CLEARANCE else None


def cells_in_cone(rows, cone=None):
    """Enumerate the full-dimensional cells ``sign(rows u)`` for ``u`` inside a cone, exactly.

    Parameters
    ----------
    rows : ndarray, shape (N, p)
        Normals of the hyperplanes; zero rows have sign 0 everywhere.
    cone : ndarray, shape (M, p), optional
        Only cells that meet the interior of ``{u : cone u >= 0}``; all of R^p when missing.

    Returns
    -------
    signs : ndarray of int, shape (P, N)
        In {-1, 0, 1}.
    points : ndarray, shape (P, p)
        A unit vector inside each cell.

    Notes
    -----
    Hyperplanes are added one at a time; a cell is cut only if both sides have an interior, which is
    one small non-negative least-squares problem for each side that the known point does not show.
    Degenerate and repeated rows need no special care. The cost is that of N P such problems.
    """
    rows = np.asarray(rows, dtype=float)
    walls = np.zeros((0, rows.shape[1])) if cone is None else np.asarray(cone, dtype=float)
    start = point_inside(walls)
    cells = [] if start is None else [((), start)]
    for i, row in enumerate(rows):
        if not row.any():
            cells = [((*signs, 0), u) for signs, u in cells]
            continue
        children = []
        for signs, u in cells:
            known = np.vstack([walls, np.array(signs)[:, None] * rows[:i]])
            value = row @ u / np.linalg.norm(row)
            for sign in (-1, 1):
                # The parent's point settles one side at once, when it is clear of the new plane.
                inside = u if sign * value > 1e-6 else point_inside(np.vstack([known, sign * row]))
                if inside is not None:
                    children.append(((*signs, sign), inside))
        cells = children
    signs = np.array([s for s, _ in cells], dtype=int).reshape(-1, len(rows))
    return signs, np.array([u for _, u in cells]).reshape(-1, rows.shape[1])
