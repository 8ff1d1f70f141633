"""Two layers without pooling: every filter has one output weight for each patch.

``f(X) = sum_j sum_k phi(X_k u_j) w_jk`` with decay ``beta/2 sum_j (|u_j|^2 + |w_j|^2)``. After
rescaling, atoms ``(u, w)`` of unit norm carry an l1 penalty; the dual constraint is
``max_{|u| <= 1} |[v^T phi(X_k u)]_k|_2 <= beta``. On each cell of the arrangement the exact penalty
is the gauge of the rank-one matrices ``u w^T`` with ``u`` in the cell, which has no closed form;
nuclear and Frobenius norm with columns in the cell bound it from below (as we understand it).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from scipy.linalg import null_space

from .._extras import extra
from .atoms import reduce_atoms
from .barrier import dual_value, group_norm, nuclear_norm, relative_gap, solve_groups
from .cells import sign_cells


@dataclass(frozen=True)
class UnpooledNetwork:
    """The network ``f(X) = sum_j sum_k phi(X_k u_j) w_jk``.

    Attributes
    ----------
    filters : ndarray, shape (m, h)
        The ``u_j``.
    weights : ndarray, shape (m, K)
        The ``w_j``.
    activation : {"relu", "linear"}
        ``phi``.
    """

    filters: np.ndarray
    weights: np.ndarray
    activation: str = "relu"

    def predict(self, patches):
        """Evaluate the network on patches (n, K, h): shape (n,)."""
        hidden = patches @ self.filters.T
        if self.activation == "relu":
            hidden = np.maximum(hidden, 0.0)
        return np.einsum("nkm,mk->n", hidden, self.weights)

    def objective(self, patches, y, beta):
        """``1/2 |f - y|^2 + beta/2 (|U|^2 + |W|^2)``."""
        residual = self.predict(patches) - y
        return residual @ residual / 2 + beta / 2 * (
            (self.filters**2).sum() + (self.weights**2).sum()
        )

    def to_torch(self):
        """The same network as a `torch.nn.Module` from (n, K, h) to (n,), in float64."""
        with extra("torch"):
            import torch

        filters, weights = torch.tensor(self.filters), torch.tensor(self.weights)
        activation = torch.relu if self.activation == "relu" else torch.nn.Identity()

        class Unpooled(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.filters = torch.nn.Parameter(filters)
                self.weights = torch.nn.Parameter(weights)

            def forward(self, patches):
                return (activation(patches @ self.filters.T) * self.weights.T).sum(dim=(1, 2))

        return Unpooled()


@dataclass(frozen=True)
class UnpooledSolution:
    """A network, and how far at most it is from the optimum.

    Attributes
    ----------
    network : UnpooledNetwork
        The network.
    objective : float
        Its objective, at least the optimum.
    program : float
        Value of the convex master program the network is mapped from.
    dual_bound : float
        At most the optimum.
    gap : float
        ``(objective - dual_bound) / objective``.
    residual : ndarray, shape (n,)
        ``y - f(X)``.
    """

    network: UnpooledNetwork
    objective: float
    program: float
    dual_bound: float
    gap: float
    residual: np.ndarray


@dataclass(frozen=True)
class Relaxation:
    """A convex program whose optimum is at most that of the network.

    Attributes
    ----------
    program : float
        Value of the relaxed program at the solver's point.
    dual_bound : float
        Value of a dual feasible point: a lower bound of the relaxed and of the network's optimum.
    gap : float
        ``(program - dual_bound) / program``.
    matrices : ndarray, shape (G, h, K)
        The variables, one matrix for each group.
    """

    program: float
    dual_bound: float
    gap: float
    matrices: np.ndarray


def check_problem(patches, y, beta):
    """Return patches, targets and beta as float arrays, or say what is wrong with them."""
    patches, y = np.asarray(patches, dtype=float), np.asarray(y, dtype=float)
    if patches.ndim != 3 or 0 in patches.shape:
        raise ValueError(
            f"patches: expected shape (n, K, h) without empty axes, found {patches.shape}; "
            "reshape, or cut the inputs into patches first"
        )
    if y.shape != patches.shape[:1]:
        raise ValueError(
            f"y: expected shape ({len(patches)},), one target for each row of patches, "
            f"found {y.shape}"
        )
    for name, array in (("patches", patches), ("y", y)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name}: expected finite values, found NaN or infinity; drop them")
    if not beta > 0:
        raise ValueError(f"beta: expected a positive number, found {beta}; weight decay is needed")
    return patches, y, float(beta)


def relax_unpooled(patches, y, beta, penalty="nuclear", *, tol=1e-8):
    """Solve the convex lower bounds of the unpooled ReLU network.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    penalty : {"nuclear", "frobenius"}
        Norm of each group's matrix ``Z = [c_1 .. c_K]``, all columns in the cell.
    tol : float, optional
        Relative duality gap to stop at.

    Returns
    -------
    Relaxation
        ``p_F < p_N <= p*`` as a rule.

    Raises
    ------
    ValueError
        If the shapes disagree, a value is not finite, beta is not positive or the penalty unknown.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798, reconstructed; the nuclear form is eq. 4 of Sahiner et al.,
    "Scaling Convex Neural Networks with Burer-Monteiro Factorization".
    """
    patches, y, beta = check_problem(patches, y, beta)
    n, K, h = patches.shape
    rows = patches.reshape(-1, h)
    data, cones = [], []
    for cell in sign_cells(rows)[0]:
        gated = np.einsum("nk,nka->nak", cell.reshape(n, K) > 0, patches)
        if not gated.any():
            continue
        walls = np.einsum("Na,kl->Nkal", cell[:, None] * rows, np.eye(K)).reshape(-1, h * K)
        for signs in product((-1.0, 1.0), repeat=K):
            data.append((gated * signs).reshape(n, h * K))
            cones.append(walls)
    norm = make_penalty(penalty, (h, K), beta)
    solution = solve_groups(np.array(data), np.array(cones), y, norm, tol=tol)
    matrices = solution.z.reshape(-1, h, K)
    return Relaxation(solution.objective, solution.dual_bound, solution.gap, matrices)


def make_penalty(penalty, shape, beta):
    """Make beta times the named norm of matrices of the given shape."""
    if penalty == "nuclear":
        return nuclear_norm(shape, beta)
    if penalty == "frobenius":
        return group_norm(shape[0] * shape[1], beta)
    raise ValueError(f"penalty: expected 'nuclear' or 'frobenius', found {penalty!r}")


def unpooled_pricer(patches):
    """Prepare the exact maximum of ``|[v^T (X_k u)_+]_k|_2`` over the unit sphere, for many ``v``.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches; the cost grows like ``(n K)^(h - 1)``, so h is 1 to 3, or few patches.

    Returns
    -------
    callable
        Maps ``v``, shape (n,), to the candidates' values, in decreasing order, and their unit
        vectors, shape (candidates, h). The first is the maximum.

    Notes
    -----
    On the relative interior of a face of the arrangement the function is ``|B u|`` with a constant
    matrix B, so a maximum there is a leading singular vector of B on the face's span. All faces of
    all dimensions are visited.
    """
    h = patches.shape[2]
    rows = _distinct_lines(patches.reshape(-1, h))
    faces = [_faces(rows, patches, size) for size in range(min(h, len(rows) + 1))]

    def price(v):
        values, directions = [np.zeros(1)], [np.eye(h)[:1]]
        for basis, signs, active in faces:
            slopes = np.einsum("n,pnk,nka->pka", v, active, patches, optimize=True) @ basis
            _, s, right = np.linalg.svd(slopes)
            u = np.einsum("pab,pb->pa", basis, right[:, 0])
            for sign in (-1.0, 1.0):
                inside = (sign * signs * (u @ rows.T) >= -1e-9).all(axis=1)
                values.append(s[inside, 0])
                directions.append(sign * u[inside])
        values, directions = np.concatenate(values), np.concatenate(directions)
        order = np.argsort(-values, kind="stable")
        return values[order], directions[order]

    return price


def _distinct_lines(rows):
    """Unit normals of the hyperplanes, each once."""
    rows = rows[rows.any(axis=1)]
    kept = []
    for row in rows / np.linalg.norm(rows, axis=1, keepdims=True):
        if all(abs(row @ other) < 1 - 1e-14 for other in kept):
            kept.append(row)
    return np.array(kept).reshape(-1, rows.shape[1])


def _faces(rows, patches, size):
    """Faces that lie on `size` hyperplanes: bases of their spans, signs and active patches."""
    h = rows.shape[1]
    bases, signs, points = [], [], []
    for chosen in combinations(range(len(rows)), size):
        basis = null_space(rows[list(chosen)]) if size else np.eye(h)
        if basis.shape[1] != h - size:
            continue
        trace = rows @ basis
        trace[np.abs(trace).max(axis=1) < 1e-12] = 0.0
        cells, inside = sign_cells(trace)
        bases.append(np.broadcast_to(basis, (len(cells), *basis.shape)))
        signs.append(cells)
        points.append(inside @ basis.T)
    if not bases:
        empty = np.zeros((0, *patches.shape[:2]))
        return np.zeros((0, h, h - size)), np.zeros((0, len(rows))), empty
    active = np.einsum("nka,pa->pnk", patches, np.concatenate(points)) > 0
    return np.concatenate(bases), np.concatenate(signs), active.astype(float)


def price_unpooled(v, patches):
    """Maximise ``|[v^T (X_k u)_+]_k|_2`` over ``|u| <= 1`` exactly.

    Parameters
    ----------
    v : ndarray, shape (n,)
        Dual point.
    patches : ndarray, shape (n, K, h)
        Patches, h at most 3 or so.

    Returns
    -------
    value : float
        The maximum.
    u : ndarray, shape (h,)
        A maximiser.
    """
    values, directions = unpooled_pricer(np.asarray(patches, dtype=float))(np.asarray(v, float))
    return values[0], directions[0]


def beta_max_unpooled(patches, y):
    """Find the least beta at which the zero network is optimal, exactly."""
    patches, y, _ = check_problem(patches, y, 1.0)
    return price_unpooled(y, patches)[0]


def certify_unpooled(network, patches, y, beta):
    """Bound how far any unpooled ReLU network is from the optimum.

    Parameters
    ----------
    network : UnpooledNetwork
        The network, with ReLU.
    patches, y, beta
        As for `train_unpooled`.

    Returns
    -------
    objective, dual_bound, gap : float
        The optimum lies between the first two; the third is their relative difference.
    """
    patches, y, beta = check_problem(patches, y, beta)
    residual = y - network.predict(patches)
    bound, _ = dual_value(residual, y, price_unpooled(residual, patches)[0] / beta)
    objective = network.objective(patches, y, beta)
    return objective, bound, relative_gap(objective, bound)


def train_unpooled(patches, y, beta, *, tol=1e-8, rounds=60):
    """Train the two-layer ReLU CNN without pooling to a certified gap.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches; exact pricing costs about ``(n K)^(h - 1)`` small decompositions a round.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    tol : float, optional
        Relative gap to stop at.
    rounds : int, optional
        Greatest number of exchanges of filters.

    Returns
    -------
    UnpooledSolution
        Its `gap` exceeds `tol` only if the rounds ran out.

    Raises
    ------
    ValueError
        If the shapes disagree, a value is not finite or beta is not positive.

    Notes
    -----
    Exchange method of semi-infinite programming: with the filters' directions fixed the output
    weights solve a group lasso; its residual prices all directions exactly; those that violate the
    dual constraint join.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798, without pooling; reconstructed.
    """
    patches, y, beta = check_problem(patches, y, beta)
    price = unpooled_pricer(patches)
    values, found = price(y)
    directions = _violators(values, found, beta, np.zeros((0, patches.shape[2])))
    weights = np.zeros((len(directions), patches.shape[1]))
    residual, program = y, y @ y / 2
    bound, _ = dual_value(y, y, values[0] / beta)
    best = _unpooled_solution(patches, y, beta, directions, weights, program, bound)
    for _ in range(rounds):
        if best.gap <= tol or not len(directions):
            break
        data = np.maximum(patches @ directions.T, 0.0).transpose(2, 0, 1)
        walls = np.zeros((len(directions), 1, patches.shape[1]))
        master = solve_groups(data, walls, y, group_norm(patches.shape[1], beta), tol=tol / 10)
        residual = y - np.einsum("mnk,mk->n", data, master.z)
        values, found = price(residual)
        bound = max(bound, dual_value(residual, y, values[0] / beta)[0])
        trial = _unpooled_solution(patches, y, beta, directions, master.z, master.objective, bound)
        best = trial if trial.gap <= best.gap else best
        size = np.linalg.norm(master.z, axis=1)
        kept = directions[size > 1e-9 * size.max()]
        directions = np.concatenate([kept, _violators(values, found, beta, kept)])
    return best


def _violators(values, directions, beta, known, most=12):
    """Directions priced above beta, each once, that are not among the known ones."""
    new = []
    for u in directions[values > beta][:most]:
        if all(np.abs(u - other).max() > 1e-12 for other in (*known, *new)):
            new.append(u)
    return np.array(new).reshape(-1, directions.shape[1])


def _unpooled_solution(patches, y, beta, directions, weights, program, bound):
    """Thin to at most n filters and balance the layers, ``|u_j| = |w_j|``."""
    size = np.linalg.norm(weights, axis=1)
    directions, weights, size = directions[size > 0], weights[size > 0], size[size > 0]
    units = weights / size[:, None]
    hidden = np.maximum(patches @ directions.T, 0.0)
    thin = reduce_atoms(np.einsum("nkm,mk->nm", hidden, units), size)
    root = np.sqrt(thin[thin > 0])[:, None]
    network = UnpooledNetwork(directions[thin > 0] * root, units[thin > 0] * root)
    objective = network.objective(patches, y, beta)
    gap = relative_gap(objective, bound)
    residual = y - network.predict(patches)
    return UnpooledSolution(network, objective, program, bound, gap, residual)
