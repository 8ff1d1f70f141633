"""Two linear layers without pooling: the nuclear norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .barrier import nuclear_norm, relative_gap, solve_groups
from .unpooled import UnpooledNetwork, check_problem

# Singular values below this share of the first are the solver's, not the optimum's.
_RANK_TOLERANCE = 1e-6


@dataclass(frozen=True)
class LinearSolution:
    """The optimum of the linear network.

    Attributes
    ----------
    network : UnpooledNetwork
        With linear activation and `rank` filters.
    matrix : ndarray, shape (h, K)
        ``Z = [z_1 .. z_K]`` of the convex program.
    rank : int
        Number of singular values of `matrix` above 1e-6 of the first.
    objective : float
        Objective of the network, at least the optimum.
    program : float
        Value of the convex program at `matrix`.
    dual_bound : float
        At most the optimum.
    gap : float
        ``(objective - dual_bound) / objective``.
    residual : ndarray, shape (n,)
        ``y - f(X)``.
    """

    network: UnpooledNetwork
    matrix: np.ndarray
    rank: int
    objective: float
    program: float
    dual_bound: float
    gap: float
    residual: np.ndarray


def train_linear(patches, y, beta, *, tol=1e-9):
    """Train ``f(X) = sum_j sum_k X_k u_j w_jk`` with weight decay to global optimality.

    The convex program is ``min_Z 1/2 |sum_k X_k z_k - y|^2 + beta |Z|_*``.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Patches ``X_k``.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    tol : float, optional
        Relative duality gap to stop at.

    Returns
    -------
    LinearSolution
        Network, certificate and the matrix of the convex program.

    Raises
    ------
    ValueError
        If the shapes disagree, a value is not finite or beta is not positive.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798, the linear case (reconstructed).
    """
    patches, y, beta = check_problem(patches, y, beta)
    n, K, h = patches.shape
    data = patches.transpose(0, 2, 1).reshape(1, n, h * K)
    solution = solve_groups(data, np.zeros((1, 1, h * K)), y, nuclear_norm((h, K), beta), tol=tol)
    matrix = solution.z.reshape(h, K)
    left, s, right = np.linalg.svd(matrix, full_matrices=False)
    rank = int((s > _RANK_TOLERANCE * s[0]).sum()) if s[0] > 0 else 0
    root = np.sqrt(s[:rank])[:, None]
    network = UnpooledNetwork(left.T[:rank] * root, right[:rank] * root, "linear")
    objective = network.objective(patches, y, beta)
    residual = y - network.predict(patches)
    gap = relative_gap(objective, solution.dual_bound)
    return LinearSolution(
        network, matrix, rank, objective, solution.objective, solution.dual_bound, gap, residual
    )


def beta_max_linear(patches, y):
    """Find the least beta at which the zero network is optimal: ``|[X_k^T y]_k|`` (spectral)."""
    patches, y, _ = check_problem(patches, y, 1.0)
    return np.linalg.norm(np.einsum("n,nka->ak", y, patches), 2)
