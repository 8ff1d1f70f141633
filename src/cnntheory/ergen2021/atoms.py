"""Prices without a list of cells: the best filter of networks whose penalty has no closed form.

Without pooling the price of a filter is ``|[v^T (X_k u)_+]_k|``; of the three-layer network with a
shared filter ``|v^T (sum_k (X_k u)_+ w_k)_+|``, with ``|u| = |w| = 1``. The first is maximal on a
face of the arrangement at a singular vector, the second, for two patches of length two, on a
finite list of algebraic candidates; beyond that by a local search.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np
from scipy.linalg import null_space

from .arrangements import cells_in_cone

_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
# Exact candidates list 2^n second-layer patterns.
_EXACT_SAMPLES = 7


@dataclass(frozen=True)
class Faces:
    """All faces of the arrangement of the patches, for networks without pooling.

    Attributes
    ----------
    patches : ndarray, shape (n, K, h)
        The cost grows like ``(n K)^(h - 1)``, so h is 1 to 3, or few patches.
    """

    patches: np.ndarray
    exact = True
    architecture = "none"

    @cached_property
    def rows(self):
        """Unit normals of the hyperplanes, each once, shape (N, h)."""
        return _distinct_lines(self.patches.reshape(-1, self.patches.shape[2]))

    @cached_property
    def faces(self):
        """Faces on 0, 1, .. hyperplanes: bases of their spans, signs, active patches."""
        sizes = range(min(self.patches.shape[2], len(self.rows) + 1))
        return [_faces(self.rows, self.patches, size) for size in sizes]

    def fit(self, patches):
        """Whether they are faces of `patches`."""
        return np.array_equal(self.patches, patches)

    def price(self, v, rng=None):
        """Largest ``|[v^T (X_k u)_+]_k|`` on the unit sphere, exactly.

        Returns
        -------
        values : ndarray, shape (C,)
            Of all candidates, in decreasing order: the first is the maximum.
        u : ndarray, shape (C, h)
            Unit vectors.

        Notes
        -----
        On the relative interior of a face the function is ``|B u|`` with a constant matrix B, so a
        maximum there is a leading singular vector of B on the face's span.
        """
        values, directions = [np.zeros(1)], [np.eye(self.patches.shape[2])[:1]]
        for basis, signs, active in self.faces:
            slopes = np.einsum("n,pnk,nka->pka", v, active, self.patches, optimize=True) @ basis
            _, s, right = np.linalg.svd(slopes)
            u = np.einsum("pab,pb->pa", basis, right[:, 0])
            for sign in (-1.0, 1.0):
                inside = (sign * signs * (u @ self.rows.T) >= -1e-9).all(axis=1)
                values.append(s[inside, 0])
                directions.append(sign * u[inside])
        values, directions = np.concatenate(values), np.concatenate(directions)
        order = np.argsort(-values, kind="stable")
        return values[order], directions[order]


@dataclass(frozen=True)
class Atoms:
    """Atoms ``(u, w)`` of the three-layer network with a shared filter.

    Attributes
    ----------
    patches : ndarray, shape (n, K, h)
    """

    patches: np.ndarray
    exact = True
    architecture = "two-relu, shared"

    def fit(self, patches):
        """Whether they are atoms of `patches`."""
        return np.array_equal(self.patches, patches)

    @property
    def algebraic(self):
        """Whether the largest price is known: K = h = 2 and at most 7 samples."""
        return self.patches.shape[1:] == (2, 2) and len(self.patches) <= _EXACT_SAMPLES

    @cached_property
    def _exact_price(self):
        return exact_pricer(self.patches)

    def price(self, v, rng):
        """Prices in decreasing order, and their atoms ``[u, w]``, shape (C, h + K)."""
        if self.algebraic:
            values, u, w = self._exact_price(v)
        else:
            values, u, w = search_atoms(v, self.patches, rng)
        return values, np.concatenate([u, w], axis=1)


def _distinct_lines(rows):
    """Unit normals of the hyperplanes, each once."""
    rows = rows[rows.any(axis=1)]
    kept = []
    for row in rows / np.linalg.norm(rows, axis=1, keepdims=True):
        apart = (min(np.linalg.norm(row - x), np.linalg.norm(row + x)) for x in kept)
        if all(distance > 1e-12 for distance in apart):
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
        cells, inside = cells_in_cone(trace)
        bases.append(np.broadcast_to(basis, (len(cells), *basis.shape)))
        signs.append(cells)
        points.append(inside @ basis.T)
    if not bases:
        empty = np.zeros((0, *patches.shape[:2]))
        return np.zeros((0, h, h - size)), np.zeros((0, len(rows))), empty
    active = np.einsum("nka,pa->pnk", patches, np.concatenate(points)) > 0
    return np.concatenate(bases), np.concatenate(signs), active.astype(float)


def atom_outputs(u, w, patches):
    """Outputs ``(sum_k (X_k u)_+ w_k)_+`` of atoms u (m, h), w (m, K): shape (n, m)."""
    hidden = np.maximum(np.einsum("nka,ma->nmk", patches, u), 0.0)
    return np.maximum((hidden * w).sum(axis=-1), 0.0)


def exact_pricer(patches):
    """Prepare the exact maximum of the price for K = h = 2, for many ``v``.

    Parameters
    ----------
    patches : ndarray, shape (n, 2, 2)
        Patches; the cost grows like ``n^2 2^n``.

    Returns
    -------
    callable
        Maps ``v`` (n,) to prices in decreasing order and their atoms u (C, 2), w (C, 2).

    Notes
    -----
    Where both sign patterns are constant the price is ``|w^T B u|``. A maximum lies (a) inside such
    a region, at singular vectors of B; (b) where u turns orthogonal to a patch, and w then is along
    ``B u`` or makes some sample's second pre-activation zero; or (c) where u is inside its arc and
    sample i has zero pre-activation: then ``w`` is orthogonal to ``h_i(u)``, the price is the
    quotient of a quadratic form by a norm, and ``e^{2 i angle(u)}`` is a root of a quartic, or of
    a quadratic if a second sample turns zero there. The network itself prices all candidates.
    """
    n = len(patches)
    rows = patches.reshape(-1, 2)
    active = (cells_in_cone(rows)[0] > 0).reshape(-1, n, 2)
    maps = active[..., None] * patches
    gates = np.array(list(product((0.0, 1.0), repeat=n)))
    edges = _unit(rows[rows.any(axis=1)]) @ _TURN
    edges = np.concatenate([edges, -edges])
    at_edges = np.maximum(np.einsum("nka,ea->enk", patches, edges), 0.0)
    # w = J h_i(u): the pre-activation of sample l is the quadratic form of forms[a, i, l].
    turned = np.einsum("jk,aikb->aijb", _TURN, maps)
    forms = np.einsum("alkb,aikc->ailbc", maps, turned, optimize=True)
    grams = np.einsum("aikb,aikc->aibc", maps, maps)
    crossings = _unit_roots(_trigonometric(forms))
    crossed = np.broadcast_to(turned[:, :, None, None], (*crossings.shape, 2, 2))

    def price(v):
        inside = np.einsum("dn,ankb->adkb", gates * v, maps, optimize=True).reshape(-1, 2, 2)
        left, _, right = np.linalg.svd(inside)
        us, ws = [right[:, 0]], [left[:, :, 0]]
        along = np.einsum("dn,enk->edk", gates * v, at_edges, optimize=True)
        across = at_edges @ _TURN.T
        for w in (along, across):
            us.append(np.repeat(edges[:, None], w.shape[1], axis=1).reshape(-1, 2))
            ws.append(w.reshape(-1, 2))
        numerator = _trigonometric(np.einsum("dl,ailbc->aidbc", gates * v, forms, optimize=True))
        norm = _trigonometric(grams)[:, :, None]
        order = np.array([-1, 0, 1])
        stationary = _product(2j * order * numerator, norm) - _product(numerator, 1j * order * norm)
        angles = _unit_roots(stationary)
        lines = np.broadcast_to(turned[:, :, None, None], (*angles.shape, 2, 2))
        for found, line in ((angles, lines), (crossings, crossed)):
            u = np.stack([np.cos(found / 2), np.sin(found / 2)], axis=-1)
            us.append(u.reshape(-1, 2))
            ws.append(np.einsum("...jb,...b->...j", line, u).reshape(-1, 2))
        return _rank(np.concatenate(us), np.concatenate(ws), v, patches)

    return price


def _trigonometric(forms):
    """Coefficients of ``e^{-ip}, 1, e^{ip}`` of quadratic forms, p being twice the angle."""
    mean = (forms[..., 0, 0] + forms[..., 1, 1]) / 2
    cosine = (forms[..., 0, 0] - forms[..., 1, 1]) / 2
    sine = (forms[..., 0, 1] + forms[..., 1, 0]) / 2
    up = (cosine - 1j * sine) / 2
    return np.stack([np.conj(up), mean.astype(complex), up], axis=-1)


def _product(a, b):
    """Multiply trigonometric polynomials of degree one: coefficients from degree -2 to 2."""
    full = np.zeros((*np.broadcast_shapes(a.shape, b.shape)[:-1], 5), dtype=complex)
    for i in range(3):
        full[..., i : i + 3] += a[..., i : i + 1] * b
    return full


def _unit_roots(coefficients):
    """Angles of the roots near the unit circle; angle 0 stands in for the others."""
    degree = coefficients.shape[-1] - 1
    leading = coefficients[..., -1:]
    monic = coefficients[..., :-1] / np.where(np.abs(leading) > 1e-14, leading, 1e-14)
    companion = np.zeros((*monic.shape[:-1], degree, degree), dtype=complex)
    companion[..., np.arange(1, degree), np.arange(degree - 1)] = 1.0
    companion[..., -1] = -monic
    roots = np.linalg.eigvals(companion)
    return np.where(np.abs(np.abs(roots) - 1) < 1e-2, np.angle(roots), 0.0)


def _rank(u, w, v, patches):
    """Price all signs of the candidates, best first, each atom once."""
    size = np.linalg.norm(w, axis=1)
    u, w = u[size > 0], w[size > 0] / size[size > 0, None]
    u, w = np.concatenate([u, u, -u, -u]), np.concatenate([w, -w, w, -w])
    prices = np.abs(v @ atom_outputs(u, w, patches))
    order = np.argsort(-prices, kind="stable")[:200]
    return prices[order], u[order], w[order]


def search_atoms(v, patches, rng, *, draws=20_000, kept=60, turns=60):
    """Look for atoms of large price: random draws, the best of them improved by random steps.

    Parameters
    ----------
    v : ndarray, shape (n,)
        Dual point.
    patches : ndarray, shape (n, K, h)
        Patches.
    rng : numpy.random.Generator
        Source of draws and steps.
    draws, kept, turns : int, optional
        Random atoms, those improved, and turns of 16 steps whose length shrinks to 1e-8.

    Returns
    -------
    prices, u, w : ndarray, shapes (kept,), (kept, h), (kept, K)
        Best first. No upper bound: a better atom may exist.
    """
    _, K, h = patches.shape
    u, w = _unit(rng.standard_normal((draws, h))), _unit(rng.standard_normal((draws, K)))
    prices = np.abs(v @ atom_outputs(u, w, patches))
    best = np.argsort(-prices)[:kept]
    u, w, prices = u[best], w[best], prices[best]
    for length in np.geomspace(0.3, 1e-8, turns):
        near_u = _unit(u[:, None] + length * rng.standard_normal((kept, 16, h)))
        near_w = _unit(w[:, None] + length * rng.standard_normal((kept, 16, K)))
        near = np.abs(v @ atom_outputs(near_u.reshape(-1, h), near_w.reshape(-1, K), patches))
        near = near.reshape(kept, 16)
        step = near.argmax(axis=1)
        better = np.flatnonzero(near.max(axis=1) > prices)
        u[better], w[better] = near_u[better, step[better]], near_w[better, step[better]]
        prices[better] = near[better, step[better]]
    order = np.argsort(-prices)
    return prices[order], u[order], w[order]


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
