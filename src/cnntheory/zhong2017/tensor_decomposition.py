"""Non-orthogonal decomposition of a small symmetric tensor, ``R = sum_l c_l u_l^{(x) order}``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Random slices of the first pass; the authors' choice for their solver of the same kind.
_PROJECTIONS = 100
_JENNRICH_PAIRS = 20
# Updates of the joint diagonaliser in turn that are no shorter than one before them: it circles.
_CIRCLES = 20


@dataclass(frozen=True)
class Decomposition:
    """Components of a symmetric tensor, as `decompose` finds them.

    Attributes
    ----------
    directions : ndarray, shape (t, t)
        Unit rows ``u_l``, up to order and sign.
    weights : ndarray, shape (t,)
        ``c_l`` of the least-squares fit.
    residual : float
        ``|R - sum_l c_l u_l^{(x) order}| / |R|``.
    n_iter : int
        Sweeps of the joint diagonalisations, or steps of the refinement.
    converged : bool
        Whether the last of them stopped by itself.
    """

    directions: np.ndarray
    weights: np.ndarray
    residual: float
    n_iter: int
    converged: bool


def decompose(
    R: np.ndarray, *, rng: np.random.Generator | int, method: str = "kcl"
) -> Decomposition:
    """Find the ``t`` components of a symmetric ``t x .. x t`` tensor of rank ``t``.

    Parameters
    ----------
    R : ndarray, shape (t,) * order, order in {3, 4}
        Symmetric tensor with linearly independent components, not orthogonal in general.
    rng : numpy.random.Generator or int
        Draws the random slices.
    method : {"kcl", "jennrich"}, optional
        ``kcl``: joint diagonalisation of random slices, then of the slices along the components
        found. ``jennrich``: eigenvectors of the quotient of two slices, best of several pairs,
        refined by least squares on the tensor.

    Returns
    -------
    Decomposition

    Raises
    ------
    ValueError
        If `R` is not a cube of order 3 or 4, or the method is unknown.

    References
    ----------
    Kuleshov, Chaganty & Liang, "Tensor factorization via matrix factorization" (AISTATS 2015);
    for simultaneous diagonalisation of two slices, Leurgans, Ross & Abel (1993), after Jennrich.
    """
    if R.ndim not in (3, 4) or len(set(R.shape)) != 1:
        raise ValueError(f"R: expected shape (t, t, t) or (t, t, t, t), found {R.shape}")
    if method not in ("kcl", "jennrich"):
        raise ValueError(f"method: expected 'kcl' or 'jennrich', found {method!r}")
    find = _kcl if method == "kcl" else _jennrich
    directions, *iterations = find(R, np.random.default_rng(rng))
    return Decomposition(directions.T, *_fit_weights(R, directions), *iterations)


def _slices(R, q):
    """``R(I, I, q)``, or ``R(I, I, q, q)``, for each column of q, shape (columns, t, t)."""
    stack = (
        np.einsum("ijk,kl->lij", R, q)
        if R.ndim == 3
        else np.einsum("ijkm,kl,ml->lij", R, q, q, optimize=True)
    )
    return np.ascontiguousarray(stack)


def _powers(directions, order):
    """Columns ``vec(u_l^{(x) order})``."""
    result = directions
    for _ in range(order - 1):
        result = (result[:, None] * directions).reshape(-1, directions.shape[1])
    return result


def _fit_weights(R, directions):
    columns = _powers(directions, R.ndim)
    weights = np.linalg.lstsq(columns, R.ravel(), rcond=None)[0]
    residual = np.linalg.norm(R.ravel() - columns @ weights)
    return weights, residual / max(np.linalg.norm(R), np.finfo(float).tiny)


def _unit_columns(matrix):
    # A tensor of lower rank can leave a column zero: it stays so.
    return matrix / np.maximum(np.linalg.norm(matrix, axis=0), np.finfo(float).tiny)


def _kcl(R, rng):
    """Joint diagonalisation of random slices, then of the slices along what was found."""
    random = _unit_columns(rng.standard_normal((len(R), _PROJECTIONS)))
    first, sweeps, _ = joint_diagonaliser(_slices(R, random))
    # Row l of the diagonaliser is dual to u_l: its slice holds component l alone, which spreads
    # the generalised eigenvalues as far apart as they go.
    dual = _slices(R, _unit_columns(first.T))
    second, more, converged = joint_diagonaliser(dual, first)
    return _unit_columns(np.linalg.pinv(second)), sweeps + more, converged


def joint_diagonaliser(matrices, start=None, *, max_iter=100, tol=1e-14):
    """Find B with every ``B M B^T`` as diagonal as possible (FFDIAG).

    Parameters
    ----------
    matrices : ndarray, shape (L, t, t)
        Symmetric matrices ``U diag U^T`` with a common invertible U, up to noise.
    start : ndarray, shape (t, t), optional
        First B; by default the identity.
    max_iter : int, optional
        Largest number of multiplicative updates. Most arrive within 30.
    tol : float, optional
        Stop when an update is smaller than this.

    Returns
    -------
    B : ndarray, shape (t, t)
        Unit rows, an estimate of the inverse of U up to order and scale of its rows.
    n_iter, converged
        Updates, and whether the last was small enough.

    Notes
    -----
    ``B <- (I + X) B``, where each pair ``(X_ij, X_ji)`` solves the least-squares problem of the
    off-diagonal entries to first order; X is kept short, so that I + X stays invertible. Where
    noise has left the matrices without a common diagonaliser, B goes round in circles: it stops
    when 20 updates in turn were no shorter than one before them.

    References
    ----------
    Ziehe, Laskov, Nolte & Mueller, JMLR 5 (2004).
    """
    t = matrices.shape[-1]
    B = np.eye(t) if start is None else start
    off = ~np.eye(t, dtype=bool)
    # Entries (i, l, j), so that either product with B is one of matrices.
    flat = _fewest(matrices).transpose(1, 0, 2).reshape(t, -1)
    shortest, longer = math.inf, 0
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        B = B / np.sqrt((B * B).sum(axis=1))[:, None]
        D = ((B @ flat).reshape(-1, t) @ B.T).reshape(t, -1, t)
        diagonal = D.diagonal(axis1=0, axis2=2)
        z = diagonal.T @ diagonal
        y = (D * diagonal).sum(axis=1)  # y_ij = sum_l D_ij D_jj
        own = z.diagonal()
        product = own[:, None] * own
        determinant = product - z * z
        X = np.divide(
            z * y.T - own[:, None] * y,
            determinant,
            out=np.zeros((t, t)),
            where=off & (determinant > 1e-14 * product),
        )
        size = math.sqrt(np.vdot(X, X))
        B = B + min(1.0, 0.9 / max(size, 0.9)) * X @ B
        shortest, longer = (size, 0) if size < shortest else (shortest, longer + 1)
        if size < tol or longer == _CIRCLES:
            break
    return B / np.sqrt((B * B).sum(axis=1))[:, None], n_iter, bool(size < tol)


def _fewest(matrices):
    """As many symmetric matrices as span the given ones, with the same sums of products.

    The sums over the matrices do not change when an orthogonal matrix mixes them, and all but
    ``t (t + 1) / 2`` can be made zero.
    """
    L, t, _ = matrices.shape
    upper = np.triu_indices(t)
    entries = matrices[:, *upper]
    _, sizes, mixed = np.linalg.svd(entries, full_matrices=False)
    kept = sizes > L * np.finfo(float).eps * sizes[0]
    fewest = np.zeros((kept.sum(), t, t))
    fewest[:, *upper] = sizes[kept, None] * mixed[kept]
    return fewest + np.triu(fewest, 1).swapaxes(1, 2)


def _jennrich(R, rng):
    """Best quotient of two random slices, refined by least squares."""
    from scipy.linalg import eig  # much of the start-up otherwise

    t = len(R)
    best, least = np.eye(t), np.inf
    for _ in range(_JENNRICH_PAIRS):
        first, second = _slices(R, _unit_columns(rng.standard_normal((t, 2))))
        # first u = mu second u has real solutions (the rows dual to U) when R is exact.
        _, vectors = eig(first, second)
        dual = np.real(vectors)
        if not np.linalg.cond(dual) < 1e10:  # complex pairs, or a tensor of lower rank
            continue
        directions = _unit_columns(np.linalg.inv(dual).T)
        residual = _fit_weights(R, directions)[1]
        if residual < least:
            best, least = directions, residual
    return refine(R, best)


def refine(R, directions, *, max_iter=200, tol=1e-14):
    """Fit ``R = sum_l s_l a_l^{(x) order}`` by Levenberg-Marquardt.

    Unit columns `directions`, shape (t, t), are where it starts. The signs ``s_l`` are those of
    their linear fit and stay; each ``a_l`` is free, its length carrying the weight. The
    Gauss-Newton matrix follows from inner products of the ``a_l``: the Jacobian with its
    ``t^order`` rows is never formed. Returns unit columns, the steps tried, and whether the last
    was shorter than `tol` of the vectors, or no damping lowers the misfit.
    """
    t, order = len(R), R.ndim
    weights = _fit_weights(R, directions)[0]
    signs = np.where(weights < 0, -1.0, 1.0)
    a = directions * np.abs(weights) ** (1 / order)
    flat = R.reshape(t, -1)

    def loss_and_slope(a):
        lower = _powers(a, order - 1)
        misfit = (a * signs) @ lower.T - flat
        return (misfit**2).sum() / 2, order * signs * (misfit @ lower)

    loss, slope = loss_and_slope(a)
    damping = 1e-3
    for n_iter in range(1, max_iter + 1):  # noqa: B007
        inner = a.T @ a
        curvature = order * (order - 1) * np.einsum("im,jl->iljm", a, a)
        curvature *= (np.outer(signs, signs) * inner ** (order - 2))[:, None, :]
        same = order * np.outer(signs, signs) * inner ** (order - 1)
        for i in range(t):
            curvature[i, :, i, :] += same
        curvature = curvature.reshape(t * t, t * t)
        scale = damping * np.diag(curvature).max() + np.finfo(float).tiny
        step = np.linalg.solve(curvature + scale * np.eye(t * t), slope.ravel()).reshape(t, t)
        trial_loss, trial_slope = loss_and_slope(a - step)
        if trial_loss <= loss:
            a, loss, slope, damping = a - step, trial_loss, trial_slope, damping / 10
        else:
            damping *= 10
        done = np.linalg.norm(step) < tol * np.linalg.norm(a) or damping > 1e10
        if done:
            break
    return _unit_columns(a), n_iter, bool(done)
