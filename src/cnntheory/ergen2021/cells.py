"""Cells of a small hyperplane arrangement inside a cone, each with an interior point."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

# A cone whose best unit vector clears its walls (unit normals) by less is taken for flat.
_CLEARANCE = 1e-9


def interior_point(cone):
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


def sign_cells(rows, cone=None):
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
    start = interior_point(walls)
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
                inside = (
                    u if sign * value > 1e-6 else interior_point(np.vstack([known, sign * row]))
                )
                if inside is not None:
                    children.append(((*signs, sign), inside))
        cells = children
    signs = np.array([s for s, _ in cells], dtype=int).reshape(-1, len(rows))
    return signs, np.array([u for _, u in cells]).reshape(-1, rows.shape[1])
