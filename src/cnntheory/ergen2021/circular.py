"""L-layer circular CNNs with one ReLU layer: an l1 norm in the spectral domain.

``f(X) = sum_j (X U_j1 .. U_j,L-2 w_1j)_+ w_2j`` with circulant ``U``, filters constrained and decay
``beta/2 sum_j (|w_1j|^2 + w_2j^2)`` on the last two layers only. With the unitary DFT
``c = F z`` of ``z = U_1 .. U_{L-2} w_1``, the convex program penalises ``(beta / kappa) |c|_1``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orth

from .atoms import reduce_atoms
from .barrier import Penalty, group_norm, largest_price, norms, relative_gap, solve_groups
from .cells import sign_cells
from .unpooled import check_problem

# Filters below this share of the largest are the solver's, not the optimum's.
_ACTIVE = 1e-7


@dataclass(frozen=True)
class CircularNetwork:
    """The network ``f(X) = sum_j (X U_j1 .. U_j,L-2 w_1j)_+ w_2j``.

    Attributes
    ----------
    filters : ndarray, shape (m, L - 2, d)
        First columns of the circulant matrices, which convolve.
    first : ndarray, shape (m, d)
        The ``w_1j``.
    second : ndarray, shape (m,)
        The ``w_2j``.
    """

    filters: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def spectra(self):
        """Unnormalised DFT of each layer's filter, shape (m, L - 2, d)."""
        return np.fft.fft(self.filters, axis=-1)

    def effective(self):
        """``z_j = U_j1 .. U_j,L-2 w_1j``, shape (m, d)."""
        return np.fft.ifft(self.spectra().prod(axis=1) * np.fft.fft(self.first)).real

    def predict(self, X):
        """Evaluate the network on inputs (n, d): shape (n,)."""
        return np.maximum(X @ self.effective().T, 0.0) @ self.second

    def objective(self, X, y, beta):
        """``1/2 |f - y|^2 + beta/2 (|W_1|^2 + |w_2|^2)``; the filters are constrained instead."""
        residual = self.predict(X) - y
        return residual @ residual / 2 + beta / 2 * (
            (self.first**2).sum() + self.second @ self.second
        )

    def constraint(self, name):
        """Largest value over filters of what the constraint `name` bounds by one."""
        if not len(self.filters):
            return 0.0
        if name == "filter":
            return np.linalg.norm(self.filters, axis=-1).max()
        return np.linalg.norm(self.spectra().prod(axis=1), axis=-1).max()


@dataclass(frozen=True)
class CircularSolution:
    """The optimum of the spectral program, mapped back.

    Attributes
    ----------
    network : CircularNetwork
        Satisfies its constraint; None for the penalty "group", which belongs to no circular net.
    objective : float
        Objective of the network; with no network, of the program.
    program : float
        Value of the convex program.
    dual_bound : float
        Lower bound of the program (of the network's optimum too, unless kappa was overridden).
    gap : float
        ``(objective - dual_bound) / objective``.
    z : ndarray, shape (m, d)
        Effective filters in use.
    signs : ndarray, shape (m,)
        Sign of the output weight of each.
    spectra : ndarray, shape (m, d)
        Their unitary DFT.
    residual : ndarray, shape (n,)
        ``y - f(X)``.
    """

    network: CircularNetwork | None
    objective: float
    program: float
    dual_bound: float
    gap: float
    z: np.ndarray
    signs: np.ndarray
    spectra: np.ndarray
    residual: np.ndarray


def circular_kappa(layers, constraint, d):
    """Strength of the spectral norm: the penalty is ``beta / kappa``.

    Parameters
    ----------
    layers : int
        Depth ``L`` of at least 3.
    constraint : {"filter", "product"}
        ``|u_l| <= 1`` for each layer, or ``|U_1 .. U_{L-2}|_F <= 1`` for their product.
    d : int
        Length of the inputs and of the filters.

    Returns
    -------
    float
        ``d^{(L-2)/2}`` for "filter" and 1 for "product". Exact for ``L = 3`` and for the product;
        with a constraint on each of several layers the program is only a lower bound, because the
        exact penalty is the quasi-norm ``|c|_{2/(L-1)}``.

    Raises
    ------
    ValueError
        If there are fewer than three layers or the constraint is unknown.
    """
    if layers < 3:
        raise ValueError(f"layers: expected at least 3, found {layers}; two layers have no U")
    if constraint == "filter":
        return float(d) ** ((layers - 2) / 2)
    if constraint == "product":
        return 1.0
    raise ValueError(f"constraint: expected 'filter' or 'product', found {constraint!r}")


def real_dft(d):
    """Make the orthogonal matrix that takes ``z`` to the parts of its DFT, and their frequencies.

    Returns
    -------
    matrix : ndarray, shape (d, d)
        Rows are the constant, then ``sqrt 2`` times real and imaginary part of the unitary DFT for
        each frequency ``0 < k < d/2``, then for even d the alternating sign.
    frequency : ndarray of int, shape (d,)
        Frequency ``k`` of each row.
    """
    frequency = np.sort(np.concatenate([np.arange(d // 2 + 1), np.arange(1, (d + 1) // 2)]))
    phase = 2 * np.pi * np.outer(frequency, np.arange(d)) / d
    second = np.append(False, frequency[1:] == frequency[:-1])[:, None]
    matrix = np.where(second, -np.sin(phase), np.cos(phase)) * np.sqrt(2 / d)
    matrix[(frequency == 0) | (2 * frequency == d)] /= np.sqrt(2)
    return matrix, frequency


def spectral_norm(d, weight):
    """Make ``weight |F z|_1`` in the coordinates of `real_dft`."""
    frequency = real_dft(d)[1]
    single = np.bincount(frequency) == 1
    # A pair of conjugate frequencies has |c_k| + |c_-k| = sqrt 2 times the norm of its row pair.
    return Penalty(frequency, weight * np.where(single, 1.0, np.sqrt(2.0)))


def spectral_support(spectra, tolerance=1e-4):
    """Count each filter's frequencies above `tolerance` times its largest, shape (m,)."""
    size = np.abs(spectra)
    return (size > tolerance * size.max(axis=-1, keepdims=True)).sum(axis=-1)


def train_circular(
    X, y, beta, *, layers=3, constraint="filter", kappa=None, penalty="spectral", tol=1e-9
):
    """Train an L-layer circular CNN with one ReLU layer through its convex program.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        Inputs; all cells of their arrangement are enumerated, so the rank must be small.
    y : ndarray, shape (n,)
        Targets.
    beta : float
        Weight decay, positive.
    layers : int, optional
        Depth ``L`` of at least 3; filters have full length d.
    constraint : {"filter", "product"}, optional
        See `circular_kappa`.
    kappa : float, optional
        Overrides `circular_kappa`, as a control.
    penalty : {"spectral", "group"}, optional
        "group" replaces ``|F z|_1 / kappa`` by ``|z|_2``, as a comparison.
    tol : float, optional
        Relative duality gap to stop at.

    Returns
    -------
    CircularSolution
        Network and certificate.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, or an option is unknown.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798, circular CNNs; constants reconstructed.
    """
    X, y, beta = _check(X, y, beta)
    d = X.shape[1]
    derived = circular_kappa(layers, constraint, d)
    if penalty not in ("spectral", "group"):
        raise ValueError(f"penalty: expected 'spectral' or 'group', found {penalty!r}")
    kappa = derived if kappa is None else kappa
    norm = spectral_norm(d, beta / kappa) if penalty == "spectral" else group_norm(d, beta)
    data, cones = _groups(X)
    solution = solve_groups(data, cones, y, norm, tol=tol)
    rotation = real_dft(d)[0]
    size = np.abs(solution.z).sum(axis=1)
    used = np.flatnonzero(size > _ACTIVE * size.max())
    costs = norms(solution.z[used], norm)
    atoms = np.einsum("gnp,gp->ng", data[used], solution.z[used]) / costs
    thin = reduce_atoms(atoms, costs)
    used, factor = used[thin > 0], (thin / costs)[thin > 0]
    z = (factor[:, None] * solution.z[used]) @ rotation
    signs = np.where(used % 2 == 0, 1.0, -1.0)
    spectra = np.fft.fft(z, norm="ortho")
    network, objective = None, solution.objective
    residual = y - np.maximum(X @ z.T, 0.0) @ signs
    if penalty == "spectral":
        network = _map_back(spectra, signs, layers, constraint)
        objective = network.objective(X, y, beta)
    gap = relative_gap(objective, solution.dual_bound)
    return CircularSolution(
        network,
        objective,
        solution.objective,
        solution.dual_bound,
        gap,
        z,
        signs,
        spectra,
        residual,
    )


def beta_max_circular(X, y, *, layers=3, constraint="filter"):
    """Find the beta at which the program's optimum becomes zero, to about ten digits."""
    X, y, _ = _check(X, y, 1.0)
    data, cones = _groups(X)
    norm = spectral_norm(X.shape[1], 1 / circular_kappa(layers, constraint, X.shape[1]))
    return largest_price(y, data, cones, norm)


def _check(X, y, beta):
    X = np.asarray(X, dtype=float)
    if X.ndim != 2:
        raise ValueError(f"X: expected shape (n, d), found {X.shape}; flatten each sample")
    patches, y, beta = check_problem(X[:, None], y, beta)
    return patches[:, 0], y, beta


def _groups(X):
    """Data and cones of each cell, with both output signs, in the coordinates of `real_dft`."""
    rows = X @ orth(X.T) if X.any() else X
    signs = sign_cells(rows)[0]
    signs = signs[(signs > 0).any(axis=1)]
    rotated = X @ real_dft(X.shape[1])[0].T
    data = (signs > 0)[:, :, None] * rotated
    cones = np.repeat(signs[:, :, None] * rotated, 2, axis=0)
    return np.stack([data, -data], axis=1).reshape(-1, *X.shape), cones


def _map_back(spectra, signs, layers, constraint):
    """Split each spectrum ``c`` into factors of equal modulus; the phase goes to the first."""
    modulus, phase = np.abs(spectra), np.exp(1j * np.angle(spectra))
    d, hidden = spectra.shape[1], layers - 2
    # The best split under each constraint: L - 1 equal factors, or two halves of the product.
    share = 1 / (layers - 1) if constraint == "filter" else 1 / (2 * hidden)
    factor = modulus**share
    if constraint == "filter":
        norm = np.linalg.norm(factor, axis=1, keepdims=True) / np.sqrt(d)
    else:
        norm = np.linalg.norm(factor**hidden, axis=1, keepdims=True) ** (1 / hidden)
    first = modulus ** (1 - hidden * share) * norm**hidden
    factor = np.repeat((factor / norm)[:, None].astype(complex), hidden, axis=1)
    factor[:, 0] *= phase
    filters = np.fft.ifft(factor, axis=-1).real
    first = np.fft.ifft(first, norm="ortho").real
    scale = np.sqrt(np.linalg.norm(first, axis=1))
    return CircularNetwork(filters, first / scale[:, None], signs * scale)
