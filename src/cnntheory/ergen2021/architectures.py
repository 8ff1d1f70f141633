"""The architectures of the paper, each an object that carries what sets it apart.

====================  ============================================  ==============================
``"average"``         ``sum_j w_j sum_k (X_k u_j)_+``               group l2 on every cell
``"max"``             ``sum_j w_j max_k (X_k u_j)_+``               the same, smaller cones
``"none"``            ``sum_j sum_k (X_k u_j)_+ w_jk``              a gauge of matrices ``u w^T``
``"linear"``          ``sum_j sum_k X_k u_j w_jk``                  nuclear norm
``"circular"``        ``sum_j (X U_j1 .. U_j,L-2 v_j)_+ w_j``       l1 of the spectrum
``"two-relu"``        ``sum_j (sum_k (X_k u_jk)_+ v_jk)_+ w_j``     Frobenius norm; a gauge, shared
====================  ============================================  ==============================

``u`` are filters, ``w`` output weights, ``v`` inner weights; ``U`` is circulant. Weight decay is on
filters and weights, in the last two on the weights ``v`` and ``w`` only, the filters being bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import ClassVar

import numpy as np
from scipy.linalg import block_diag, orth

from .arrangements import (
    ArrangementTooLarge,
    Cells,
    cells_in_cone,
    cells_of_patterns,
    check_budget,
    cover_count,
    distinct,
    distinct_rows,
    enumerate_pooled,
    unit_samples,
)
from .atoms import Atoms, Faces, atom_outputs
from .barrier import price_groups, solve_groups
from .bounding import bound_price
from .columns import solve_columns
from .exchange import exchange
from .facets import first_facets, many_rows, restrict_rows
from .network import Network, Trained, reduce_atoms
from .penalties import frobenius, group_l2, nuclear, real_dft, spectral_l1
from .pricing import blocks, largest_price
from .without_cells import solve_without_cells

# Entries of the differences of patches that are formed at most.
_LARGEST = 1 << 27
# Singular values of the linear network below this share of the first are the solver's.
_RANK_TOLERANCE = 1e-6


def price_in_time(name, v, patches, time_limit):
    """What is attained and an upper bound of a price, by branch and bound."""
    found = bound_price(patches, v, architecture=name, time_limit=time_limit)
    return found.lower, found.upper


class Architecture:
    """What the architectures share; each overrides what it does in its own way.

    Attributes
    ----------
    name : str
    decays : dict of bool
        Names of a network's arrays, in their order, and whether weight decay is on them.
    norms : dict of callable
        Penalties that its groups can have, by name.
    whole_signals : bool
        Whether there is one patch, the whole signal.
    """

    name: ClassVar[str]
    decays: ClassVar[dict[str, bool]] = {"filters": True, "weights": True}
    norms: ClassVar[dict] = {}
    whole_signals: ClassVar[bool] = False

    def inputs(self, patches):
        """Patches as a float array (n, K, h)."""
        return np.asarray(patches, float)

    def shapes(self, K, h):
        """Shape of each array of a network beyond its first axis, for patches (n, K, h)."""
        return {"filters": (h,), "weights": ()}

    def output(self, parameters, patches):
        """Outputs (n,) of a network's arrays on patches (n, K, h), all numpy or all torch."""
        raise NotImplementedError

    def largest_norm(self, parameters):
        """Largest of the norms that are bounded by one; zero where none is."""
        return 0.0

    def gate(self, response):
        """Patterns (P, n, K) of the patches that reach the output, of responses ``X_k u``."""
        return response > 0

    def enumerate(self, patches, max_patterns):
        """All cells of the patches."""
        raise NotImplementedError

    @property
    def cells_of(self):
        """What its cells are called; those of another name are refused."""
        return self.name

    def restrict(self, patches, patterns, max_patterns=200_000):
        """Cells of given patterns (P, n, K)."""
        raise ValueError(
            f"cells: architecture {self.name!r} prices all filters at once and takes none; "
            "leave them out"
        )

    def price(self, v, patches, cells):
        """Largest price ``|v^T phi|`` over the units ``phi`` of cost one in the cells.

        This bounds a dual point: ``theta v`` is feasible for ``|theta| <= beta / bound``.

        Returns
        -------
        found, bound : float
            What is attained, and an upper bound; equal where pricing is exact.
        """
        raise NotImplementedError

    def bound_price(self, v, patches, time_limit):
        """As `price`, over all filters, by branch and bound within so many seconds."""
        raise ValueError(
            f"time_limit: architecture {self.name!r} has no branch and bound; leave it out"
        )

    def solve_in_time(self, patches, loss, beta, tol, time_limit, rng):
        """As `solve`, over all filters, without listing cells, within so many seconds."""
        raise ValueError(
            f"time_limit: architecture {self.name!r} trains over listed cells; leave it out"
        )

    def groups(self, patches, cells):
        """Data ``A_g`` (G, n, p) and cones (G, N, p) of the convex program."""
        raise NotImplementedError

    def variables(self, z, patches):
        """Groups ``z (G, p)`` as matrices (G, h, K)."""
        return z.reshape(-1, *patches.shape[:0:-1])

    def solve_groups(self, patches, cells, loss, penalty, tol, least=1e-7):
        """Solve the convex program under a penalty, all groups at once.

        Returns
        -------
        found : GroupSolution
        used : int ndarray, shape (m,)
            Groups left after Caratheodory's reduction; those below the share `least` of the largest
            are the solver's, not the optimum's.
        variables : ndarray, shape (m, ...)
        """
        data, cones = self.groups(patches, cells)
        found = solve_groups(data, cones, loss, penalty, tol=tol)
        costs = penalty.value(found.z)
        used = np.flatnonzero(costs > least * costs.max())
        mass = reduce_atoms(
            np.einsum("gnp,gp->ng", data[used], found.z[used]) / costs[used], costs[used]
        )
        kept = mass > 0
        z = (mass / costs[used])[kept, None] * found.z[used[kept]]
        return found, used[kept], self.variables(z, patches)

    def relax(self, patches, cells, loss, beta, tol, cones, penalty):
        """Solve the convex program with constraints left out, or under another penalty.

        Returns
        -------
        program, dual_bound : float
        variables : ndarray
        network : Network or None
        """
        if cones is not True:
            raise ValueError(f"cones: architecture {self.name!r} keeps them; leave it out")
        if penalty not in self.norms:
            raise ValueError(
                f"penalty: expected one of {', '.join(self.norms)} for architecture "
                f"{self.name!r}, found {penalty!r}"
            )
        shape = patches.shape[2] if self.whole_signals else patches.shape[:0:-1]
        norm = self.norms[penalty](shape, beta)
        found, _, variables = self.solve_groups(patches, cells, loss, norm, tol)
        return found.objective, found.dual_bound, variables, None

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        """Train over the cells: `Trained`."""
        raise NotImplementedError


class _Pooled(Architecture):
    """One output weight for each filter; prices by projection on listed cells."""

    def pool(self, response):
        """Pool responses (n, K, m)."""
        raise NotImplementedError

    def features(self, filters, patches):
        """``pool_k (X_k u_j)_+``, shape (n, m)."""
        if not isinstance(patches, np.ndarray):
            return self.pool(_relu(patches @ filters.T))
        n, K, _ = patches.shape
        found = np.empty((n, len(filters)))
        for some in blocks(n, K * len(filters)):
            found[some] = self.pool(_relu(patches[some] @ filters.T))
        return found

    def output(self, parameters, patches):
        return self.features(parameters["filters"], patches) @ parameters["weights"]

    def enumerate(self, patches, max_patterns):
        return enumerate_pooled(patches, self, max_patterns)

    def restrict(self, patches, patterns, max_patterns=200_000):
        return cells_of_patterns(patches, patterns, self)

    def price(self, v, patches, cells):
        if many_rows(cells):
            cells = restrict_rows(cells, first_facets(cells, patches, v, 0.0))
        price = largest_price(cells, patches, v)
        return price, price

    def bound_price(self, v, patches, time_limit):
        return price_in_time(self.name, v, patches, time_limit)

    def without(self, cones, cells, patches):
        """The cells without some of their constraints: a control."""
        if cones is True:
            return cells
        if cones is False:
            return replace(cells, signs=np.zeros_like(cells.signs), facets=None)
        raise ValueError(
            f"cones: expected True, False, or 'order' with max pooling, found {cones!r} with "
            f"{self.name} pooling"
        )

    def relax(self, patches, cells, loss, beta, tol, cones, penalty):
        if penalty is not None:
            raise ValueError("penalty: with average or max pooling there is one; leave it out")
        cells = self.without(cones, cells, patches)
        found = solve_columns(cells, patches, loss, beta, self, tol, cones=False)
        variables = found.network.filters * np.abs(found.network.weights)[:, None]
        return found.program, found.dual_bound, variables, found.network

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        return solve_columns(cells, patches, loss, beta, self, tol, warm=warm)


@dataclass(frozen=True)
class Average(_Pooled):
    """Two layers, the sum over the patches: divide them by K for the mean."""

    name = "average"

    def pool(self, response):
        return response.sum(1)

    def solve_in_time(self, patches, loss, beta, tol, time_limit, rng):
        return solve_without_cells(patches, loss, beta, tol, time_limit, rng)

    def normals(self, patches):
        """Hyperplanes (M, h) that the cells lie between."""
        return patches.reshape(-1, patches.shape[2])

    def patterns_of_sides(self, signed, tied, n, K):
        """Patterns (P, n, K) of the sides (P, M) of each of `normals`; every cell has its own."""
        return signed.reshape(-1, n, K), None

    def signs(self, patterns, index, orientation, count):
        """Signs (P, N) that a pattern asks of the distinct hyperplanes."""
        flat = np.where(patterns.reshape(len(patterns), -1), orientation, -orientation)
        signs = np.zeros((len(patterns), count), np.int8)
        signs[:, index[index >= 0]] = flat[:, index >= 0]
        return signs


@dataclass(frozen=True)
class Max(_Pooled):
    """Two layers, the largest over the patches. On a cell every sample has a winner, or none."""

    name = "max"

    def pool(self, response):
        return response.max(1) if isinstance(response, np.ndarray) else response.amax(1)

    def gate(self, response):
        best = response.argmax(axis=-1)
        winners = np.zeros(response.shape, bool)
        np.put_along_axis(winners, best[..., None], True, axis=-1)
        return winners & (response > 0)

    def restrict(self, patches, patterns, max_patterns=200_000):
        if (patterns.sum(axis=2) > 1).any():
            raise ValueError("cells: max pooling has at most one winner for each sample")
        return super().restrict(patches, patterns, max_patterns)

    def normals(self, patches):
        """The patches, then their differences ``X_k - X_l`` for each pair ``k < l``."""
        n, K, h = patches.shape
        if n * h * K * (K - 1) // 2 > _LARGEST:
            raise ArrangementTooLarge(
                f"max pooling over {K} patches compares {K * (K - 1) // 2} pairs of them in each "
                f"of {n} samples; use fewer patches or samples, or average pooling"
            )
        differences = [patches[:, k] - patches[:, other] for k, other in _pairs(K)]
        return np.concatenate([patches.reshape(-1, patches.shape[2]), *differences])

    def patterns_of_sides(self, signed, tied, n, K):
        """Distinct patterns of winners, and which of them each cell has."""
        positive = signed[:, : n * K].reshape(-1, n, K)
        beats = positive.copy()
        tied = tied[n * K :].reshape(-1, n)
        ahead = signed[:, n * K :].reshape(len(signed), -1, n)
        for pair, (k, other) in enumerate(_pairs(K)):
            # equal patches: the first wins, as it does for argmax
            wins = ahead[:, pair] | tied[pair]
            beats[:, :, k] &= wins
            beats[:, :, other] &= ~wins
        return distinct(beats)

    def signs(self, patterns, index, orientation, count):
        """The winner is positive and ahead; without one nobody is positive."""
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

    def without(self, cones, cells, patches):
        """Without the order of the losers ``x_{s,winner} u >= 0`` is kept."""
        if cones != "order":
            return super().without(cones, cells, patches)
        _, index, orientation = distinct_rows(self.normals(patches))
        signs = np.zeros_like(cells.signs)
        for position, kept in enumerate(cells.patterns.reshape(len(cells.patterns), -1).T):
            if index[position] >= 0:
                signs[kept, index[position]] = orientation[position]
        return replace(cells, signs=signs, facets=None, exact=False)


@dataclass(frozen=True)
class Unpooled(Architecture):
    """Two layers, every filter with one output weight for each patch (the name is ``"none"``).

    After rescaling, units ``(u, w)`` of unit norm carry an l1 penalty: the exact regulariser of a
    cell is the gauge of the matrices ``u w^T`` with ``u`` in the cell, which has no closed form.
    Nuclear and Frobenius norm with columns in the cell bound it from below.
    """

    name = "none"
    norms: ClassVar = {"frobenius": frobenius, "nuclear": nuclear}

    def shapes(self, K, h):
        return {"filters": (h,), "weights": (K,)}

    def output(self, parameters, patches):
        hidden = _relu(patches @ parameters["filters"].T)
        return _library(patches).einsum("nkm,mk->n", hidden, parameters["weights"])

    def enumerate(self, patches, max_patterns):
        _refuse_zero(patches)
        _, K, h = patches.shape
        predicted = cover_count(len(patches) * K, h)
        check_budget(predicted, max_patterns, f"{len(patches) * K} hyperplanes in R^{h}", False)
        return Faces(patches)

    def bound_price(self, v, patches, time_limit):
        return price_in_time(self.name, v, patches, time_limit)

    def price(self, v, patches, cells):
        found = float(cells.price(v)[0][0])
        return found, found

    def groups(self, patches, cells):
        n, K, h = patches.shape
        data, cones = [], []
        for active, walls in _shared_cells(patches):
            if active.any():
                gated = np.einsum("nk,nka->nak", active, patches)
                for flip in product((-1.0, 1.0), repeat=K):
                    data.append((gated * flip).reshape(n, h * K))
                    cones.append(walls)
        return np.array(data), np.array(cones)

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        def outputs(u):
            return np.maximum(patches @ u.T, 0.0).transpose(2, 0, 1)

        def map_back(u, weights):
            kept, units, root = _thin(outputs(u), weights)
            return Network(u[kept] * root, units * root, self)

        return Trained(*exchange(cells.price, outputs, map_back, patches, loss, beta, tol))


@dataclass(frozen=True)
class Linear(Architecture):
    """Two linear layers, no pooling: ``min_Z L(sum_k X_k z_k) + beta |Z|_*``."""

    name = "linear"
    norms: ClassVar = {"frobenius": frobenius, "nuclear": nuclear}

    def shapes(self, K, h):
        return {"filters": (h,), "weights": (K,)}

    def output(self, parameters, patches):
        hidden = patches @ parameters["filters"].T
        return _library(patches).einsum("nkm,mk->n", hidden, parameters["weights"])

    def enumerate(self, patches, max_patterns):
        n, K, h = patches.shape
        one, nothing = np.ones((1, n, K), bool), np.zeros((1, 0), np.int8)
        return Cells(np.zeros((0, h)), nothing, one, True, self.name, unit_samples(patches))

    def price(self, v, patches, cells):
        price = float(np.linalg.norm(np.einsum("n,nka->ak", v, patches), 2))
        return price, price

    def groups(self, patches, cells):
        n, K, h = patches.shape
        return patches.transpose(0, 2, 1).reshape(1, n, h * K), np.zeros((1, 1, h * K))

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        shape = patches.shape[:0:-1]
        found = solve_groups(*self.groups(patches, cells), loss, nuclear(shape, beta), tol=tol)
        left, s, right = np.linalg.svd(found.z.reshape(shape), full_matrices=False)
        rank = int((s > _RANK_TOLERANCE * s[0]).sum()) if s[0] > 0 else 0
        root = np.sqrt(s[:rank])[:, None]
        network = Network(left.T[:rank] * root, right[:rank] * root, self)
        return Trained(network, found.objective, found.dual_bound, found.dual, found.n_iter)


@dataclass(frozen=True)
class Circular(Architecture):
    """L layers of circular convolution of whole signals, one ReLU; inputs (n, d) or (n, 1, d).

    With the unitary DFT ``c = F z`` of ``z = U_1 .. U_{L-2} v`` the program penalises
    ``(beta / kappa) |c|_1``.

    Attributes
    ----------
    layers : int
        Depth ``L`` of at least 3; filters have full length d.
    constraint : {"filter", "product"}
        ``|u_l| <= 1`` for each layer, or ``|U_1 .. U_{L-2}|_F <= 1`` for their product.
    """

    layers: int = 3
    constraint: str = "filter"

    name = "circular"
    whole_signals = True
    norms: ClassVar = {"group": group_l2, "spectral": spectral_l1}
    decays: ClassVar = {"filters": False, "inner": True, "weights": True}

    def __post_init__(self):
        if self.layers < 3:
            raise ValueError(
                f"layers: expected at least 3, found {self.layers}; two layers have no U"
            )
        if self.constraint not in ("filter", "product"):
            raise ValueError(
                f"constraint: expected 'filter' or 'product', found {self.constraint!r}"
            )

    def kappa(self, d):
        """Strength of the spectral norm: the penalty is ``beta / kappa``.

        ``d^{(L-2)/2}`` for "filter" and 1 for "product". Exact for ``L = 3`` and for the product;
        with a constraint on each of several layers the program is only a lower bound, because the
        exact penalty is the quasi-norm ``|c|_{2/(L-1)}``.
        """
        return float(d) ** ((self.layers - 2) / 2) if self.constraint == "filter" else 1.0

    def penalty(self, d, beta):
        """The regulariser, in the coordinates of `real_dft`."""
        return spectral_l1(d, beta / self.kappa(d))

    def inputs(self, patches):
        patches = np.asarray(patches, float)
        return patches[:, None] if patches.ndim == 2 else patches

    def shapes(self, K, h):
        return {"filters": (self.layers - 2, h), "inner": (h,), "weights": ()}

    def effective(self, filters, inner):
        """``z_j = U_j1 .. U_j,L-2 v_j``, shape (m, d)."""
        fft = _library(filters).fft
        return fft.ifft(fft.fft(filters).prod(1) * fft.fft(inner)).real

    def output(self, parameters, patches):
        z = self.effective(parameters["filters"], parameters["inner"])
        return _relu(patches.reshape(len(patches), -1) @ z.T) @ parameters["weights"]

    def largest_norm(self, parameters):
        filters = parameters["filters"]
        if self.constraint == "product":
            filters = np.fft.fft(filters).prod(axis=1)
        return np.linalg.norm(filters, axis=-1).max(initial=0.0)

    def enumerate(self, patches, max_patterns):
        _refuse_zero(patches)
        X = patches[:, 0]
        rows = X @ orth(X.T)
        check_budget(
            cover_count(len(X), rows.shape[1]), max_patterns, f"signals of rank {rows.shape[1]}"
        )
        signs = cells_in_cone(rows)[0]
        return self._cells(X, signs[(signs > 0).any(axis=1)], True)

    def restrict(self, patches, patterns, max_patterns=200_000):
        X = patches[:, 0]
        signs = np.where(patterns[:, :, 0], 1, -1) * X.any(axis=1)
        return self._cells(X, signs, False)

    def _cells(self, X, signs, exact):
        patterns, samples = signs[:, :, None] > 0, unit_samples(X[:, None])
        return Cells(X, signs.astype(np.int8), patterns, exact, self.name, samples)

    def groups(self, patches, cells):
        rotated = patches[:, 0] @ real_dft(patches.shape[2])[0].T
        data = (cells.signs > 0)[:, :, None] * rotated
        cones = np.repeat(cells.signs[:, :, None] * rotated, 2, axis=0)
        return np.stack([data, -data], axis=1).reshape(-1, *rotated.shape), cones

    def price(self, v, patches, cells):
        penalty = self.penalty(patches.shape[2], 1.0)
        return price_groups(v, *self.groups(patches, cells), penalty)

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        penalty = self.penalty(patches.shape[2], beta)
        found, used, z = self.solve_groups(patches, cells, loss, penalty, tol)
        network = self._network(np.fft.fft(z, norm="ortho"), np.where(used % 2 == 0, 1.0, -1.0))
        return Trained(network, found.objective, found.dual_bound, found.dual, found.n_iter)

    def variables(self, z, patches):
        return z @ real_dft(patches.shape[2])[0]

    def _network(self, spectra, signs):
        """Split each spectrum ``c`` into factors of equal modulus; the phase goes to the first."""
        modulus, phase = np.abs(spectra), np.exp(1j * np.angle(spectra))
        d, hidden = spectra.shape[1], self.layers - 2
        # The best split under each constraint: L - 1 equal factors, or two halves of the product.
        each = self.constraint == "filter"
        share = 1 / (self.layers - 1) if each else 1 / (2 * hidden)
        factor = modulus**share
        if each:
            norm = np.linalg.norm(factor, axis=1, keepdims=True) / np.sqrt(d)
        else:
            norm = np.linalg.norm(factor**hidden, axis=1, keepdims=True) ** (1 / hidden)
        inner = modulus ** (1 - hidden * share) * norm**hidden
        factor = np.repeat((factor / norm)[:, None].astype(complex), hidden, axis=1)
        factor[:, 0] *= phase
        filters = np.fft.ifft(factor, axis=-1).real
        inner = np.fft.ifft(inner, norm="ortho").real
        scale = np.sqrt(np.linalg.norm(inner, axis=1))
        return Network(filters, signs * scale, self, inner / scale[:, None])


@dataclass(frozen=True)
class LayerCells:
    """Cells of both ReLU layers of a three-layer network, one for each group of its program.

    Attributes
    ----------
    patterns : bool ndarray, shape (P, n, K)
        Patches that pass the first layer.
    data, cones : ndarray, shapes (G, n, h K) and (G, N, h K)
    flips : ndarray, shape (G, K)
        Sign of the inner weight of each patch.
    patches : ndarray, shape (n, K, h)
        What they are cells of.
    exact : bool
        Whether the cells are all cells.
    """

    patterns: np.ndarray
    data: np.ndarray
    cones: np.ndarray
    flips: np.ndarray
    patches: np.ndarray
    exact: bool
    architecture = "two-relu"

    def fit(self, patches):
        """Whether they are cells of `patches`."""
        return np.array_equal(self.patches, patches)


@dataclass(frozen=True)
class TwoReLU(Architecture):
    """Three layers with two ReLUs; ``|u_jk| <= 1``.

    A group of the convex program is a first-layer cell, a sign for each patch, a second-layer cell
    and an output sign, with ``C = [|v_1| u_1 .. |v_K| u_K]``; the Frobenius norm of ``C`` is exact.
    With a shared filter ``C`` has rank one and the norm is the gauge of such matrices, which
    Frobenius and nuclear norm bound from below. K is 2 or 3 and n at most 6 or so.

    Attributes
    ----------
    shared : bool
        Whether the patches share a filter. Such networks are trained to a rigorous gap by the
        nuclear norm's bound, which closes for K = h = 2 only, where all units are priced.
    """

    shared: bool = False

    name = "two-relu"
    norms: ClassVar = {"frobenius": frobenius, "nuclear": nuclear}
    decays: ClassVar = {"filters": False, "inner": True, "weights": True}

    @property
    def cells_of(self):
        return "two-relu, shared" if self.shared else self.name

    def shapes(self, K, h):
        return {"filters": (K, h), "inner": (K,), "weights": ()}

    def output(self, parameters, patches):
        hidden = _relu(_library(patches).einsum("nka,mka->nmk", patches, parameters["filters"]))
        return _relu((hidden * parameters["inner"]).sum(-1)) @ parameters["weights"]

    def largest_norm(self, parameters):
        return np.linalg.norm(parameters["filters"], axis=-1).max(initial=0.0)

    def enumerate(self, patches, max_patterns):
        _refuse_zero(patches)
        n, K, h = patches.shape
        if not (self.shared and Atoms(patches).algebraic):
            first = cover_count(n * K, h) if self.shared else cover_count(n, h) ** K
            self._check_budget(patches, first, max_patterns)
        return Atoms(patches) if self.shared else self._layer_cells(patches, _own_cells(patches))

    def restrict(self, patches, patterns, max_patterns=200_000):
        if self.shared:
            return super().restrict(patches, patterns, max_patterns)
        self._check_budget(patches, len(patterns), max_patterns)
        sides = np.where(patterns, 1, -1) * patches.any(axis=2)
        return self._layer_cells(patches, map(_walls(patches), sides), exact=False)

    def _check_budget(self, patches, first, max_patterns):
        n, K, h = patches.shape
        what = f"{first} cells of the first layer, {n} hyperplanes in R^{h * K} of the second"
        check_budget(2**K * first * cover_count(n, h * K), max_patterns, what, sampled=False)

    def _layer_cells(self, patches, first_cells, exact=True):
        """Second-layer cells inside those of the first, each row of a matrix an entry of u."""
        n, K, h = patches.shape
        patterns, data, cones, flips = [], [], [], []
        for active, walls in first_cells:
            patterns.append(active)
            gated = np.einsum("nk,nka->nak", active, patches)
            for flip in product((1.0, -1.0), repeat=K):
                rows = (gated * flip).reshape(n, h * K)
                for cell in cells_in_cone(rows, walls)[0]:
                    if (cell > 0).any():
                        kept = (cell > 0)[:, None] * rows
                        wall = np.concatenate([walls, cell[:, None] * rows])
                        data += [kept, -kept]
                        cones += [wall, wall]
                        flips += [flip, flip]
        return LayerCells(*map(np.array, (patterns, data, cones, flips)), patches, exact)

    def groups(self, patches, cells):
        if self.shared:
            cells = self._layer_cells(patches, _shared_cells(patches))
        return cells.data, cells.cones

    def price(self, v, patches, cells):
        shape = patches.shape[:0:-1]
        if not self.shared:
            return price_groups(v, *self.groups(patches, cells), frobenius(shape, 1.0))
        found = float(cells.price(v, np.random.default_rng(0))[0][0])
        if cells.algebraic:
            return found, found
        return found, price_groups(v, *self.groups(patches, cells), nuclear(shape, 1.0))[1]

    def solve(self, patches, cells, loss, beta, tol, warm=None):
        if self.shared:
            return self._solve_shared(patches, cells, loss, beta, tol)
        _, K, h = patches.shape
        penalty = frobenius((h, K), beta)
        found, used, matrices = self.solve_groups(patches, cells, loss, penalty, tol / 2, 1e-8)
        program, n_iter = found.objective, found.n_iter
        # Hundreds of groups near zero cost the solver its last digits; the few in use have them.
        if len(used):
            few = solve_groups(cells.data[used], cells.cones[used], loss, penalty, tol=tol / 100)
            n_iter += few.n_iter
            if few.objective < program:
                size = np.linalg.norm(few.z, axis=1)
                kept = size > 1e-8 * size.max()
                program, used = few.objective, used[kept]
                matrices = self.variables(few.z[kept], patches)
        columns = matrices.transpose(0, 2, 1)
        lengths = np.linalg.norm(columns, axis=2)
        filters = columns / np.maximum(lengths, np.finfo(float).tiny)[..., None]
        root = np.sqrt(np.linalg.norm(lengths, axis=1))
        inner = cells.flips[used] * lengths / root[:, None]
        network = Network(filters, np.where(used % 2 == 0, root, -root), self, inner)
        return Trained(network, program, found.dual_bound, found.dual, n_iter)

    def _solve_shared(self, patches, cells, loss, beta, tol):
        _, K, h = patches.shape
        lower, rng = None, np.random.default_rng(0)
        if not cells.algebraic:
            groups = self.groups(patches, cells)
            bound = solve_groups(*groups, loss, nuclear((h, K), beta), tol=tol)
            lower = bound.dual_bound, bound.dual

        def outputs(atoms):
            return atom_outputs(atoms[:, :h], atoms[:, h:], patches).T[:, :, None]

        def map_back(atoms, weights):
            kept, signs, root = _thin(outputs(atoms), weights)
            filters = np.repeat(atoms[kept, None, :h], K, axis=1)
            return Network(filters, (signs * root)[:, 0], self, atoms[kept, h:] * root)

        def price(v):
            return cells.price(v, rng)

        return Trained(*exchange(price, outputs, map_back, patches, loss, beta, tol, lower))


def enumerate_cells(patches, architecture="average", *, max_patterns=200_000):
    """Enumerate every cell of an architecture, to be handed on as ``cells=``.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        Or whole signals (n, d) for ``"circular"``.
    architecture : str or Architecture, optional
    max_patterns : int, optional
        Budget for the predicted number of cells.

    Returns
    -------
    Cells
        Of pooled, linear and circular networks; an object of the architecture's own for the others.

    Raises
    ------
    ArrangementTooLarge
        If Cover's bound exceeds the budget.
    """
    architecture = get_architecture(architecture)
    return architecture.enumerate(architecture.inputs(patches), max_patterns)


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (Average(), Max(), Unpooled(), Linear(), Circular(), TwoReLU())
}


def get_architecture(architecture):
    """An architecture by its name; objects are what they are.

    Raises
    ------
    ValueError
        It names the words that are allowed.
    """
    if isinstance(architecture, Architecture):
        return architecture
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise ValueError(
            f"architecture: expected one of {', '.join(ARCHITECTURES)}, or an object of "
            f"cnntheory.ergen2021.architectures, found {architecture!r}"
        )
    return ARCHITECTURES[architecture]


def _refuse_zero(patches):
    if not patches.any():
        raise ValueError("patches: expected entries other than zero, found none")


def _relu(values):
    return np.maximum(values, 0.0) if isinstance(values, np.ndarray) else values.relu()


def _library(array):
    """The library that an array belongs to."""
    if isinstance(array, np.ndarray):
        return np
    import torch

    return torch


def _pairs(K):
    return list(combinations(range(K), 2))


def _walls(patches):
    """Maps sides (n, K) to active patches and the cone of ``[c_1 .. c_K]``, a filter a patch."""
    _, K, h = patches.shape
    order = np.arange(K * h).reshape(K, h).T.ravel()

    def walls(sides):
        blocks = (sides[:, k, None] * patches[:, k] for k in range(K))
        return sides > 0, block_diag(*blocks)[:, order]

    return walls


def _own_cells(patches):
    """First-layer cells of one filter for each patch: products over the patches."""
    walls = _walls(patches)
    for chosen in product(*(cells_in_cone(rows)[0] for rows in patches.transpose(1, 0, 2))):
        yield walls(np.stack(chosen, axis=1))


def _shared_cells(patches):
    """First-layer cells of one filter: active patches (n, K) and the cone of ``[c_1 .. c_K]``."""
    n, K, h = patches.shape
    rows = patches.reshape(-1, h)
    for cell in cells_in_cone(rows)[0]:
        walls = np.einsum("Na,kl->Nkal", cell[:, None] * rows, np.eye(K)).reshape(-1, h * K)
        yield cell.reshape(n, K) > 0, walls


def _thin(hidden, weights):
    """Atoms left after Caratheodory, units of their weights, roots of their lengths (m, 1).

    `hidden` are outputs (m, n, k), `weights` (m, k).
    """
    size = np.linalg.norm(weights, axis=1)
    used = np.flatnonzero(size > 0)
    units = weights[used] / size[used, None]
    mass = reduce_atoms(np.einsum("mnk,mk->nm", hidden[used], units), size[used])
    kept = mass > 0
    return used[kept], units[kept], np.sqrt(mass[kept])[:, None]
