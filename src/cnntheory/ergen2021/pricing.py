"""Best atoms of the three-layer network with two ReLUs and a shared filter.

The price of an atom is ``|v^T (sum_k (X_k u)_+ w_k)_+|`` with ``|u| = |w| = 1``. For two patches of
length two every local maximum lies on a finite list of algebraic candidates; else a local search.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from .cells import sign_cells

_TURN = np.array([[0.0, -1.0], [1.0, 0.0]])


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
    active = (sign_cells(rows)[0] > 0).reshape(-1, n, 2)
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
