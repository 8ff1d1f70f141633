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

POOLINGS = ("average", "max")
# Unit rows closer than this are one hyperplane; arcs narrower than this are taken for empty.
_TOLERANCE = 1e-9
# Entries of a block of arcs, so that its temporaries stay in the cache's reach.
_BLOCK_ENTRIES = 1 << 20


class ArrangementTooLarge(ValueError):
    """More cells than the budget allows."""


def check_pooling(pooling, *more):
    """Refuse a pooling that is unknown.

    Parameters
    ----------
    pooling : str
    *more : str
        Words that the caller knows beside ``"average"`` and ``"max"``.

    Raises
    ------
    ValueError
        It names the words that are allowed.
    """
    allowed = (*POOLINGS, *more)
    if pooling not in allowed:
        raise ValueError(f"pooling: expected one of {', '.join(allowed)}, found {pooling!r}")


@dataclass(frozen=True)
class Cells:
    """Cells of the filter's space, each a cone ``{u : sign * (rows @ u) >= 0}``.

    Attributes
    ----------
    rows : ndarray, shape (N, h)
        Unit normals of the distinct hyperplanes.
    signs : int8 ndarray, shape (P, N)
        Side of each hyperplane, 0 where the hyperplane does not bound the cone.
    patterns : bool ndarray, shape (P, n, K)
        The patches that reach the output on the cell: ``A_i = sum_k D_i^k X_k``.
    exact : bool
        Whether the cells cover the whole space.
    facets : int ndarray, shape (P, F), optional
        Rows that bound each cone, filled up with -1; if absent every row may.
    """

    rows: np.ndarray
    signs: np.ndarray
    patterns: np.ndarray
    exact: bool
    facets: np.ndarray | None = None

    @cached_property
    def normals(self):
        """Inner normals of the facets, shape (P, F, h), filled up with zeros."""
        if self.facets is None:
            return self.signs[:, :, None] * self.rows
        side = np.take_along_axis(self.signs, np.maximum(self.facets, 0), axis=1)
        return np.where(self.facets < 0, 0, side)[:, :, None] * self.rows[self.facets]

    @cached_property
    def float_gates(self):
        """`patterns` as floats, shape (P, n K), for products."""
        return self.patterns.reshape(len(self.patterns), -1).astype(float)


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


def sign_patterns(patches, *, max_patterns=200_000):
    """All sign patterns ``1[x_{sk}^T u >= 0]`` of full-dimensional cells (average pooling).

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    max_patterns : int, optional
        Budget for the predicted number of cells.

    Returns
    -------
    bool ndarray, shape (P, n, K)
        Distinct patterns; False at zero patches, which reach no output.

    Raises
    ------
    ArrangementTooLarge
        If Cover's bound exceeds the budget.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798, the matrices ``D(S_i^k)`` of the two-layer program.
    """
    return enumerate_cells(patches, "average", max_patterns=max_patterns).patterns


def winner_patterns(patches, *, max_patterns=200_000):
    """All patterns of winners of max pooling: which patch, if any, reaches the output.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    max_patterns : int, optional
        Budget for the predicted number of cells before those of equal winners are merged.

    Returns
    -------
    bool ndarray, shape (P, n, K)
        Distinct patterns, at most one True for each sample.

    Raises
    ------
    ArrangementTooLarge
        If Cover's bound exceeds the budget.
    """
    return enumerate_cells(patches, "max", max_patterns=max_patterns).patterns


def sample_gates(h, count, seed=0):
    """Gaussian gates; fewer gates of one seed are a prefix of more.

    Parameters
    ----------
    h, count : int
        Length of a filter and number of gates.
    seed : int or numpy.random.Generator

    Returns
    -------
    ndarray, shape (h, count)
    """
    return np.random.default_rng(seed).standard_normal((count, h)).T


def gate_patterns(patches, gates, pooling="average"):
    """Patterns of the cells in which given filters lie.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    gates : ndarray, shape (h, T)
    pooling : {"average", "max"}

    Returns
    -------
    bool ndarray, shape (P, n, K)
        Distinct patterns in the order in which the gates meet them.
    """
    check_pooling(pooling)
    response = np.moveaxis(patches @ gates, -1, 0)
    if pooling == "average":
        patterns = response > 0
    else:
        patterns = _winners(response)
    return _distinct(patterns)[0]


def enumerate_cells(patches, pooling="average", *, max_patterns=200_000):
    """Enumerate every cell, with the rows that bound it.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    pooling : {"average", "max"}
    max_patterns : int, optional
        Budget for the predicted number of cells.

    Returns
    -------
    Cells

    Raises
    ------
    ArrangementTooLarge
        If Cover's bound exceeds the budget.

    Notes
    -----
    A pointed cell of rank r has faces of dimension 2, and these are the arcs into which the other
    hyperplanes divide the intersection of r - 2 of them. All arcs are walked by sorting angles; the
    cells around an arc are found by sides alone, no point near it is evaluated, so degenerate
    arrangements are exact too. Cost ``O(2^r C(N, r - 2) N)`` hashes, ``O(P N)`` signs.
    """
    rows, index, orientation = _arrangement_rows(patches, pooling)
    rank = _rank(rows)
    predicted = cover_count(len(rows), rank)
    if predicted > max_patterns:
        raise ArrangementTooLarge(
            f"arrangements: exact enumeration predicts up to {predicted} patterns ({len(rows)} "
            f"hyperplanes of rank {rank}), above the budget of {max_patterns}; sample gates "
            "instead (arrangements=<number of gates>), shorten the filter or use fewer samples"
        )
    n, K, _ = patches.shape
    if rank == 0:
        nothing = np.zeros((1, n, K), bool)
        return Cells(rows, np.zeros((1, 0), np.int8), nothing, True, np.zeros((1, 0), int))
    sides, facets = _cell_sides(rows, rank)
    # side of every patch or difference: False where the row is zero
    signed = sides[:, np.maximum(index, 0)] ^ (orientation < 0)
    signed[:, index < 0] = False
    if pooling == "average":
        patterns = signed.reshape(-1, n, K)
        return Cells(rows, _as_signs(sides), patterns, True, _padded(*facets, len(sides)))
    patterns, merged = _distinct(_winners_of_sides(signed, index, n, K))
    signs = _winner_signs(patterns, index, orientation, len(rows))
    # a merged cell is bounded where a cell of its own is, by a row that matters to the winners
    cell, row = merged[facets[0]], facets[1]
    cell, row = cell[signs[cell, row] != 0], row[signs[cell, row] != 0]
    return Cells(rows, signs, patterns, True, _padded(cell, row, len(patterns)))


def pattern_cells(patches, patterns, pooling="average"):
    """Cells with given patterns (sampled or chosen); they need not cover the space.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
    patterns : bool ndarray, shape (P, n, K)
        Patches that reach the output; for max pooling at most one for each sample.
    pooling : {"average", "max"}

    Returns
    -------
    Cells
    """
    rows, index, orientation = _arrangement_rows(patches, pooling)
    if pooling == "max":
        signs = _winner_signs(patterns, index, orientation, len(rows))
        return Cells(rows, signs, patterns, False)
    flat = np.where(patterns.reshape(len(patterns), -1), orientation, -orientation)
    signs = np.zeros((len(patterns), len(rows)), np.int8)
    signs[:, index[index >= 0]] = flat[:, index >= 0]
    return Cells(rows, signs, patterns, False)


def drop_order(cells, patches):
    """Cells of max pooling without the order of the losers: only ``x_{s,winner} u >= 0`` is kept.

    A relaxation, for the control that drops the ordering constraints.
    """
    _, index, orientation = _arrangement_rows(patches, "max")
    n, K, _ = patches.shape
    signs = np.zeros_like(cells.signs)
    for position, kept in enumerate(cells.patterns.reshape(len(cells.patterns), n * K).T):
        if index[position] >= 0:
            signs[kept, index[position]] = orientation[position]
    return Cells(cells.rows, signs, cells.patterns, False)


def _winners(response):
    """Winner of each sample among positive responses (..., K), as booleans."""
    best = response.argmax(axis=-1)
    winners = np.zeros(response.shape, bool)
    np.put_along_axis(winners, best[..., None], True, axis=-1)
    return winners & (response > 0)


def _pairs(K):
    return list(combinations(range(K), 2))


def _arrangement_rows(patches, pooling):
    """Distinct unit rows, and for each patch (then each difference) its row and orientation.

    Returns rows (N, h), index (M,) with -1 for zero rows, orientation (M,) of +-1. The first n K
    are the patches, sample by sample; max pooling appends ``X_k - X_l`` for each pair ``k < l``.
    """
    check_pooling(pooling)
    patches = np.asarray(patches, float)
    n, K, h = patches.shape
    stacked = patches.reshape(n * K, h)
    if pooling == "max" and K > 1:
        differences = [patches[:, k] - patches[:, other] for k, other in _pairs(K)]
        stacked = np.concatenate([stacked, *differences])
    length = np.linalg.norm(stacked, axis=1)
    scale = length.max(initial=0.0)
    index = np.full(len(stacked), -1)
    orientation = np.ones(len(stacked), np.int8)
    nonzero = np.flatnonzero(length > 1e-12 * scale)
    unit = stacked[nonzero] / length[nonzero, None]
    leader, orientation[nonzero] = _leaders(unit)
    first, index[nonzero] = np.unique(leader, return_inverse=True)
    return unit[first], index, orientation


def _leaders(unit):
    """For each unit row the first row of the same line, and which way it points along it."""
    # Lines nearby have nearby outer products: one projection of those sorts candidates together.
    direction = np.random.default_rng(0).standard_normal((unit.shape[1],) * 2)
    key = np.einsum("ni,ij,nj->n", unit, direction, unit)
    order = np.argsort(key, kind="stable")
    leader, sign = np.arange(len(unit)), np.ones(len(unit), np.int8)
    reach = _TOLERANCE * np.linalg.norm(direction)
    for lag in range(1, len(unit)):
        a, b = order[:-lag], order[lag:]
        near = key[b] - key[a] <= 2 * reach
        if not near.any():
            break
        a, b = a[near], b[near]
        aligned = np.where(np.einsum("ni,ni->n", unit[a], unit[b]) < 0, -1, 1)
        same = np.linalg.norm(unit[a] - aligned[:, None] * unit[b], axis=1) <= _TOLERANCE
        for first, second in zip(a[same], b[same], strict=True):
            low, high = sorted((leader[first], leader[second]))
            leader[leader == high] = low
    sign[np.einsum("ni,ni->n", unit, unit[leader]) < 0] = -1
    return leader, sign


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


def _as_signs(sides):
    return (2 * sides.astype(np.int8)) - 1


def _winners_of_sides(signed, index, n, K):
    """Winners (P, n, K) from the sides of patches and of differences."""
    positive = signed[:, : n * K].reshape(-1, n, K)
    beats = positive.copy()
    tied = (index[n * K :] < 0).reshape(-1, n)
    ahead = signed[:, n * K :].reshape(len(signed), -1, n)
    for pair, (k, other) in enumerate(_pairs(K)):
        # equal patches: the first wins, as it does for argmax
        wins = ahead[:, pair] | tied[pair]
        beats[:, :, k] &= wins
        beats[:, :, other] &= ~wins
    return beats


def _winner_signs(patterns, index, orientation, count):
    """Cone of a pattern of winners: the winner is positive and ahead; else nobody is positive."""
    P, n, K = patterns.shape
    signs = np.zeros((P, count), np.int8)

    def bound(column, cells, side):
        if index[column] >= 0:
            signs[cells, index[column]] = side * orientation[column]

    for s in range(n):
        inactive = ~patterns[:, s].any(axis=1)
        for k in range(K):
            bound(s * K + k, patterns[:, s, k], 1)
            bound(s * K + k, inactive, -1)
        for pair, (k, other) in enumerate(_pairs(K)):
            bound(n * K + pair * n + s, patterns[:, s, k], 1)
            bound(n * K + pair * n + s, patterns[:, s, other], -1)
    return signs


def _distinct(patterns):
    """Distinct patterns, first appearance first, and the index of each pattern among them."""
    packed = np.packbits(patterns.reshape(len(patterns), -1), axis=1)
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    words = np.ascontiguousarray(words).view(np.uint64)
    multipliers = np.random.default_rng(2).integers(0, 1 << 63, words.shape[1], np.uint64) * 2 + 1
    hashes = (words ^ (words >> np.uint64(32))) @ multipliers
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return patterns[np.sort(first)], rank[inverse]
