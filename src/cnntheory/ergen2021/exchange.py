"""Exchange method of semi-infinite programming: atoms enter by price, their weights are a lasso."""

from __future__ import annotations

import numpy as np

from .barrier import solve_groups
from .losses import dual_value, relative_gap
from .network import objective_of
from .penalties import group_l2


def exchange(price, outputs, map_back, patches, loss, beta, tol, lower=None, max_rounds=60):
    """Train over all atoms, a few at a time.

    With the atoms fixed their weights solve a group lasso; its dual point prices all atoms; those
    that violate the dual constraint join.

    Parameters
    ----------
    price : callable
        Maps ``v (n,)`` to prices in decreasing order, and their atoms (C, a).
    outputs : callable
        Maps atoms (m, a) to their hidden units (m, n, k), whose weights are a group.
    map_back : callable
        Maps atoms and weights (m, k) to a network.
    patches : ndarray, shape (n, K, h)
    loss : Squared or Logistic
    beta, tol : float
    lower : (float, ndarray), optional
        A lower bound and its dual point, where the first price is no maximum.
    max_rounds : int, optional

    Returns
    -------
    network, program, dual_bound, dual, n_iter, n_rounds
        As in `Trained`.
    """
    fit, exact, n_iter = np.zeros(len(loss.y)), lower is None, 0
    atoms = weights = best = None
    for n_rounds in range(max_rounds + 1):
        v = loss.dual(fit)
        values, found = price(v)
        if exact:
            bound = dual_value(v, loss, values[0], beta)
            lower = bound if lower is None else max(lower, bound, key=_first)
        if atoms is None:
            atoms = found[:0]
            weights = np.zeros((0, outputs(atoms).shape[2]))
        network = map_back(atoms, weights)
        objective = objective_of(network, patches, loss, beta)
        program = loss.value(fit) + beta * np.linalg.norm(weights, axis=1).sum()
        if best is None or objective < best[0]:
            best = objective, network, program
        fresh = found[values > beta * (1 + (1e-13 if exact else tol / 10))]
        if relative_gap(best[0], lower[0]) <= tol or not len(fresh) or n_rounds == max_rounds:
            break
        size = np.linalg.norm(weights, axis=1)
        kept = atoms[size > 1e-10 * size.max(initial=0.0)]
        atoms = _join(kept, fresh)
        if len(atoms) == len(kept) == len(size):
            break
        data = outputs(atoms)
        walls = np.zeros((len(atoms), 1, data.shape[2]))
        master = solve_groups(data, walls, loss, group_l2(data.shape[2], beta), tol=tol / 10)
        weights, n_iter = master.z, n_iter + master.n_iter
        fit = np.einsum("mnk,mk->n", data, weights)
    return best[1], best[2], *lower, n_iter, n_rounds


def _join(atoms, fresh, most=12):
    """Append the first new atoms that are not there yet."""
    count = len(atoms)
    for atom in fresh:
        if len(atoms) >= count + most:
            break
        if not len(atoms) or np.abs(atoms - atom).max(axis=1).min() > 1e-10:
            atoms = np.vstack([atoms, atom])
    return atoms


def _first(pair):
    return pair[0]
