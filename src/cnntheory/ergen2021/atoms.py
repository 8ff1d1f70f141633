"""Thinning a combination of atoms without changing its sum or raising its cost."""

from __future__ import annotations

import numpy as np


def reduce_atoms(atoms, coefficients):
    """Move mass between atoms until those in use are linearly independent (Caratheodory).

    Parameters
    ----------
    atoms : ndarray, shape (n, m)
        One atom a column, all of unit cost.
    coefficients : ndarray, shape (m,)
        Non-negative.

    Returns
    -------
    ndarray, shape (m,)
        Non-negative coefficients with the same ``atoms @ coefficients`` up to rounding, a sum no
        larger, and at most rank(atoms) of them positive.
    """
    c = np.array(coefficients, dtype=float)
    while True:
        used = np.flatnonzero(c > 0)
        if not len(used):
            return c
        _, s, right = np.linalg.svd(atoms[:, used])
        rank = int((s > 1e-11 * s[0]).sum())
        if rank == len(used):
            return c
        move = right[-1] if right[-1].sum() <= 0 else -right[-1]
        if not (move < 0).any():
            move = -move
        falling = move < 0
        steps = np.full(len(used), np.inf)
        steps[falling] = -c[used][falling] / move[falling]
        c[used] = np.maximum(c[used] + steps.min() * move, 0.0)
        c[used[steps.argmin()]] = 0.0
