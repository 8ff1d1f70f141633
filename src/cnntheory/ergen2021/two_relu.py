"""Three layers with two ReLUs, the first layer's filters shared by the patches or not.

``f(X) = sum_j (sum_k (X_k u_jk)_+ w_1jk)_+ w_2j`` with ``|u_jk| <= 1`` and decay
``beta/2 sum_j (|w_1j|^2 + w_2j^2)``. A group of the convex program is a first-layer cell, a sign
for each patch, a second-layer cell and an output sign, with ``C = [|w_1| u_1 .. |w_K| u_K]``. With
one filter for each patch the Frobenius norm of ``C`` is exact. With a shared filter ``C`` has rank
one and the norm is the gauge of such matrices: Frobenius and nuclear norm are lower bounds (all
reconstructed).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.linalg import block_diag

from .atoms import reduce_atoms
from .barrier import dual_value, group_norm, largest_price, relative_gap, solve_groups
from .cells import sign_cells
from .pricing import atom_outputs, exact_pricer, search_atoms
from .unpooled import Relaxation, check_problem, make_penalty

# Groups below this share of the largest are the solver's, not the optimum's.
_ACTIVE = 1e-8
# Exact pricing lists 2^n second-layer patterns.
_EXACT_SAMPLES = 7


@dataclass(frozen=True)
class TwoReluNetwork:
    """The network ``f(X) = sum_j (sum_k (X_k u_jk)_+ w_1jk)_+ w_2j``.

    Attributes
    ----------
    filters : ndarray, shape (m, K, h)
        The ``u_jk``, of norm at most one; equal over k when shared.
    first : ndarray, shape (m, K)
        The ``w_1j``.
    second : ndarray, shape (m,)
        The ``w_2j``.
    """

    filters: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def predict(self, patches):
        """Evaluate the network on patches (n, K, h): shape (n,)."""
        hidden = np.maximum(np.einsum("nka,mka->nmk", patches, self.filters), 0.0)
        return np.maximum((hidden * self.first).sum(axis=-1), 0.0) @ self.second

    def objective(self, patches, y, beta):
        """``1/2 |f - y|^2 + beta/2 (|W_1|^2 + |w_2|^2)``; the filters are constrained instead."""
        residual = self.predict(patches) - y
        return residual @ residual / 2 + beta / 2 * (
            (self.first**2).sum() + self.second @ self.second
        )


@dataclass(frozen=True)
class TwoReluSolution:
    """A network, and how far at most it is from the optimum.

    Attributes
    ----------
    network : TwoReluNetwork
        The network.
    objective : float
        Its objective, at least the optimum.
    program : float
        Value of the convex program it is mapped from.
    dual_bound : float
        At most the optimum.
    gap : float
        ``(objective - dual_bound) / objective``.
    residual : ndarray, shape (n,)
        ``y - f(X)``.
    """

    network: TwoReluNetwork
    objective: float
    program: float
    dual_bound: float
    gap: float
    residual: np.ndarray


def relax_two_relu(patches, y, beta, penalty="nuclear", *, tol=1e-8):
    """Solve the convex lower bounds of the network with shared filters.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches; K is 2 or 3 and n at most 6 or so.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    penalty : {"nuclear", "frobenius"}, optional
        Norm of each group's matrix.
    tol : float, optional
        Relative duality gap to stop at.

    Returns
    -------
    Relaxation
        ``p_F < p_N <= p*`` as a rule.
    """
    patches, y, beta = check_problem(patches, y, beta)
    data, cones, _ = _groups(patches, _shared_cells(patches))
    shape = patches.shape[:0:-1]
    solution = solve_groups(data, cones, y, make_penalty(penalty, shape, beta), tol=tol)
    return Relaxation(
        solution.objective, solution.dual_bound, solution.gap, solution.z.reshape(-1, *shape)
    )


def _shared_cells(patches):
    """First-layer cells of one filter: active patches (n, K) and the cone of ``[c_1 .. c_K]``."""
    n, K, h = patches.shape
    rows = patches.reshape(-1, h)
    for cell in sign_cells(rows)[0]:
        walls = np.einsum("Na,kl->Nkal", cell[:, None] * rows, np.eye(K)).reshape(-1, h * K)
        yield cell.reshape(n, K) > 0, walls


def _separate_cells(patches):
    """First-layer cells of one filter for each patch, whose patterns are products over patches."""
    _, K, h = patches.shape
    order = np.arange(K * h).reshape(K, h).T.ravel()
    for chosen in product(*(sign_cells(patches[:, k])[0] for k in range(K))):
        walls = block_diag(*(cell[:, None] * patches[:, k] for k, cell in enumerate(chosen)))
        yield np.stack(chosen, axis=1) > 0, walls[:, order]


def _groups(patches, first_cells):
    """Data, cones and patch signs of every group; each row of a matrix is a coordinate of u."""
    n, K, h = patches.shape
    data, cones, signs = [], [], []
    for active, walls in first_cells:
        gated = np.einsum("nk,nka->nak", active, patches)
        for flip in product((1.0, -1.0), repeat=K):
            rows = (gated * flip).reshape(n, h * K)
            for cell in sign_cells(rows, walls)[0]:
                if (cell > 0).any():
                    kept = (cell > 0)[:, None] * rows
                    wall = np.concatenate([walls, cell[:, None] * rows])
                    data += [kept, -kept]
                    cones += [wall, wall]
                    signs += [flip, flip]
    return np.array(data), np.array(cones), np.array(signs)


def train_two_relu(patches, y, beta, *, shared=False, tol=1e-8, rounds=60, seed=0):
    """Train the three-layer network with two ReLUs.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches; K is 2 or 3 and n at most 6 or so, for the groups grow like ``2^K`` times a product
        of cell counts.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    shared : bool, optional
        Whether the patches share a filter.
    tol : float, optional
        Relative gap to stop at.
    rounds, seed : int, optional
        Exchanges of atoms, and seed of the local search for them (shared filters only).

    Returns
    -------
    TwoReluSolution
        Unshared filters: optimal within `tol`. Shared: optimal within `tol` for K = h = 2, where
        atoms are priced exactly; else a network from the semi-infinite program with the nuclear
        relaxation's bound, which need not be tight.
    """
    patches, y, beta = check_problem(patches, y, beta)
    if shared:
        return _train_shared(patches, y, beta, tol, rounds, seed)
    return _train_separate(patches, y, beta, tol)


def _train_separate(patches, y, beta, tol):
    _, K, h = patches.shape
    data, cones, flips = _groups(patches, _separate_cells(patches))
    penalty = group_norm(h * K, beta)
    solution = solve_groups(data, cones, y, penalty, tol=tol / 2)
    z, program = solution.z, solution.objective
    size = np.linalg.norm(z, axis=1)
    used = np.flatnonzero(size > _ACTIVE * size.max())
    atoms = np.einsum("gnp,gp->ng", data[used], z[used]) / size[used]
    thin = reduce_atoms(atoms, size[used])
    used, thin = used[thin > 0], thin[thin > 0]
    # Hundreds of groups near zero cost the solver its last digits; the few in use have them.
    few = solve_groups(data[used], cones[used], y, penalty, tol=tol / 100) if len(used) else None
    if few and few.objective < program:
        z, program = np.zeros_like(z), few.objective
        z[used] = few.z
        size = np.linalg.norm(z, axis=1)
        used = used[size[used] > _ACTIVE * size.max()]
        thin = size[used]
    columns = z[used].reshape(-1, h, K).transpose(0, 2, 1) / size[used, None, None]
    lengths = np.linalg.norm(columns, axis=2)
    filters = columns / np.maximum(lengths, np.finfo(float).tiny)[..., None]
    root = np.sqrt(thin)
    second = np.where(used % 2 == 0, root, -root)
    network = TwoReluNetwork(filters, flips[used] * lengths * root[:, None], second)
    return _solution(network, patches, y, beta, program, solution.dual_bound)


def _solution(network, patches, y, beta, program, bound):
    objective = network.objective(patches, y, beta)
    residual = y - network.predict(patches)
    return TwoReluSolution(
        network, objective, program, bound, relative_gap(objective, bound), residual
    )


def _train_shared(patches, y, beta, tol, rounds, seed):
    """Exchange method: lasso over the atoms found, whose residual prices new ones."""
    rng = np.random.default_rng(seed)
    exact = patches.shape[1:] == (2, 2) and len(y) <= _EXACT_SAMPLES
    price = exact_pricer(patches) if exact else lambda v: search_atoms(v, patches, rng)
    bound = 0.0 if exact else relax_two_relu(patches, y, beta, tol=tol).dual_bound
    u, w = np.zeros((0, patches.shape[2])), np.zeros((0, patches.shape[1]))
    coefficients, program, best = np.zeros(0), y @ y / 2, None
    for _ in range(rounds):
        outputs = atom_outputs(u, w, patches)
        residual = y - outputs @ coefficients
        prices, new_u, new_w = price(residual)
        if exact:
            bound = max(bound, dual_value(residual, y, prices[0] / beta)[0])
        trial = _shared_solution(u, w, coefficients, patches, y, beta, program, bound)
        best = trial if best is None or trial.objective < best.objective else best
        best = replace(best, dual_bound=bound, gap=relative_gap(best.objective, bound))
        used = np.abs(coefficients) > 1e-10 * np.abs(coefficients).max(initial=0.0)
        fresh = prices > beta * (1 + 1e-13)
        if best.gap <= tol or not fresh.any() or (not exact and prices[0] < beta * (1 + tol / 10)):
            break
        u, w = _join(u[used], w[used], new_u[fresh], new_w[fresh])
        outputs = atom_outputs(u, w, patches).T[:, :, None]
        walls = np.zeros((len(u), 1, 1))
        master = solve_groups(outputs, walls, y, group_norm(1, beta), tol=tol / 10)
        coefficients, program = master.z[:, 0], master.objective
    return best


def _join(u, w, new_u, new_w, most=12):
    """Append the first new atoms that are not there yet."""
    atoms = np.concatenate([u, w], axis=1)
    for atom in np.concatenate([new_u, new_w], axis=1):
        if len(atoms) >= len(u) + most:
            break
        if not len(atoms) or np.abs(atoms - atom).max(axis=1).min() > 1e-10:
            atoms = np.vstack([atoms, atom])
    return atoms[:, : u.shape[1]], atoms[:, u.shape[1] :]


def _shared_solution(u, w, coefficients, patches, y, beta, program, bound):
    signs = np.where(coefficients < 0, -1.0, 1.0)
    thin = reduce_atoms(atom_outputs(u, w, patches) * signs, np.abs(coefficients))
    used = thin > 0
    root = np.sqrt(thin[used])
    filters = np.repeat(u[used, None], patches.shape[1], axis=1)
    network = TwoReluNetwork(filters, w[used] * root[:, None], signs[used] * root)
    return _solution(network, patches, y, beta, program, bound)


def beta_max_two_relu(patches, y, *, shared=False, seed=0):
    """Find the least beta at which the zero network is optimal.

    Exact to about ten digits for unshared filters, exact for shared ones with K = h = 2; otherwise
    the best of a local search, which may be too small.
    """
    patches, y, _ = check_problem(patches, y, 1.0)
    if not shared:
        data, cones, _ = _groups(patches, _separate_cells(patches))
        return largest_price(y, data, cones, group_norm(data.shape[2], 1.0))
    if patches.shape[1:] == (2, 2) and len(y) <= _EXACT_SAMPLES:
        return exact_pricer(patches)(y)[0][0]
    return search_atoms(y, patches, np.random.default_rng(seed))[0][0]
