"""Programs over sampled cells by those rows of their cones that bind.

A cell of a large data set is cut out by one row for each distinct patch, hundreds of thousands in
all, of which a solution touches a few dozen. Rows enter as solutions are found to violate them.
Fewer rows are larger cones, so every dual bound on the way holds for the whole program; solutions
are projected on the true cones, so every value does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .pricing import blocks, correlations, project_on_cones

# Rows above which cones whose facets are unknown are solved by those that bind.
MANY_ROWS = 1000
# Rows of a cell that enter at once for a point, the most violated first.
_ENTER = 32
# A direction that violates a unit row by less is in the cone.
_INSIDE = 1e-9
# A projection shorter than this, relative to its point, is zero.
_ZERO = 1e-12
# Points that are projected at once.
_PROJECTED = 256
# Accuracy of the first round, and rounds at most.
_FIRST, _ROUNDS = 1e-2, 40


def many_rows(cells):
    """Whether to solve the program of cells by `solve_by_facets`."""
    return cells.facets is None and len(cells.rows) > MANY_ROWS


def restrict_rows(cells, facets):
    """Cells with only the given rows, shape (P, F), filled up with -1: cones that hold theirs."""
    used = np.unique(facets[facets >= 0])
    position = np.full(len(cells.rows) + 1, -1)
    position[used] = np.arange(len(used))
    return replace(
        cells, rows=cells.rows[used], signs=cells.signs[:, used], facets=position[facets]
    )


def violated_rows(cells, points, owner, count=_ENTER):
    """The rows of its cell that each point violates most.

    Parameters
    ----------
    cells : Cells
    points : ndarray, shape (B, h)
    owner : int ndarray, shape (B,)
        Cell of each point.
    count : int, optional

    Returns
    -------
    int ndarray, shape (B, count)
        Rows, the most violated first, filled up with -1: one without any is inside its cone.
    """
    found = np.full((len(points), count), -1)
    lengths = np.linalg.norm(points, axis=1)
    for block in blocks(len(points), len(cells.rows)):
        slack = points[block] @ cells.rows.T
        slack *= cells.signs[owner[block]]
        outside = slack < -_INSIDE * lengths[block, None]
        for place, (row, depth) in enumerate(zip(outside, slack, strict=True), block.start):
            rows = np.flatnonzero(row)
            rows = rows[np.argsort(depth[rows])][:count]
            found[place, : len(rows)] = rows
    return found


def add_rows(facets, owner, rows):
    """Facets (P, F) of cells and, of each `owner`, more rows (B, count); -1 is no row."""
    lists = [row[row >= 0] for row in facets]
    for cell, more in zip(owner, rows, strict=True):
        lists[cell] = np.union1d(lists[cell], more[more >= 0])
    padded = np.full((len(lists), max(map(len, lists))), -1)
    for row, some in zip(padded, lists, strict=True):
        row[: len(some)] = some
    return padded


def project_on_cells(cells, points, owner, facets, floor=0.0):
    """Project points on the cones of their cells, by the rows that bind.

    Parameters
    ----------
    cells : Cells
    points : ndarray, shape (B, h)
    owner : int ndarray, shape (B,)
        Cell of each point.
    facets : int ndarray, shape (P, F)
        Rows of each cell to begin with, filled up with -1.
    floor : float, optional
        A point is left alone once its length is at most this.

    Returns
    -------
    projected : ndarray, shape (B, h)
        Inside its cone, and then of length ``max {point^T c : c in the cell, |c| <= 1}``, unless
        it was left alone.
    facets : int ndarray, shape (P, F')
        With the rows that were met.
    """
    projected, left = points.copy(), np.arange(len(points))
    while len(left):
        thin = restrict_rows(cells, facets)
        for start in range(0, len(left), _PROJECTED):
            some = left[start : start + _PROJECTED]
            normals = thin.cone_normals(owner[some])
            once = project_on_cones(points[some], normals, floor)
            # a short projection has lost the digits of a long point: its own projection has them
            projected[some] = project_on_cones(once, normals, floor)
        length = np.linalg.norm(projected[left], axis=1)
        zero = length <= _ZERO * np.linalg.norm(points[left], axis=1)
        projected[left[zero]] = 0.0
        left = left[(length > floor) & ~zero]
        rows = violated_rows(cells, projected[left], owner[left])
        left, rows = left[rows[:, 0] >= 0], rows[rows[:, 0] >= 0]
        known, facets = facets, add_rows(facets, owner[left], rows)
        if np.array_equal(known, facets):  # what is violated is so by rounding
            break
    return projected, facets


def first_facets(cells, patches, v, floor):
    """Rows that bind where ``+-A_i^T v`` is projected on each cell, shape (P, F).

    At ``v = -L'(0)`` these are the rays along which the network first leaves zero.
    """
    correlation = correlations(cells, patches, v)
    count = len(correlation)
    points, owner = np.concatenate([correlation, -correlation]), np.tile(np.arange(count), 2)
    return project_on_cells(cells, points, owner, np.full((count, 0), -1), floor)[1]


def solve_by_facets(cells, facets, solve, loss, beta, tol):
    """Solve a program whose cones have many rows, by few of them.

    Parameters
    ----------
    cells : Cells
        Cones without known facets.
    facets : int ndarray, shape (P, F)
        Rows of each cell to begin with, filled up with -1.
    solve : callable
        ``solve(cells, accuracy, chosen) -> groups, point, lower, chosen, rounds, iterations, work``
        over cells with known facets, of which ``chosen`` begin; ``lower`` is a pair of a dual bound
        and its dual point.
    loss : Squared or Logistic
    beta, tol : float

    Returns
    -------
    cells : Cells
        With the rows that were met as facets.
    groups, point, lower, chosen, rounds, iterations, work
        As `solve` returns them, with the best bound and the sums of the last three; ``point.c`` is
        inside the true cones.
    """
    accuracy, lower, chosen, spent = max(_FIRST, tol), (-np.inf, None), None, np.zeros(3)
    for _ in range(_ROUNDS):
        thin = restrict_rows(cells, facets)
        groups, point, bound, chosen, *counts = solve(thin, accuracy, chosen)
        lower, spent = max(lower, bound, key=lambda pair: pair[0]), spent + counts
        owner = chosen[groups.cell]
        more = add_rows(facets, owner, violated_rows(cells, point.c, owner))
        c, more = project_on_cells(cells, point.c, owner, more)
        value = loss.value(groups.fit(c)) + beta * np.linalg.norm(c, axis=1).sum()
        gap, grown = (value - lower[0]) / value, not np.array_equal(more, facets)
        if gap <= tol or (accuracy <= tol / 100 and not grown):
            break
        facets = more
        if gap < 10 * accuracy or not grown:
            accuracy = max(accuracy / 10, tol / 100)
    rounds, iterations, work = int(spent[0]), int(spent[1]), float(spent[2])
    return thin, groups, replace(point, c=c), lower, chosen, rounds, iterations, work
