"""Newton's method on the face of the cones that an approximate solution lies on."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np


def polish(groups, c, loss, beta, width=1e-5, least=1e-7, merge=True):
    """Newton's method on the face that an approximate solution lies on.

    Parameters
    ----------
    groups : Groups
    c : ndarray, shape (G, h)
        Approximate solution.
    loss : Squared or Logistic
    beta : float
    width : float, optional
        A ray whose direction has a slack below this lies on that facet.
    least : float, optional
        Rays shorter than this, relative to the longest, are taken for zero.
    merge : bool, optional
        Whether rays on a face that cells share are one; not so once cones are relaxed.

    Returns
    -------
    c : ndarray, shape (m, h)
        Rays, one for each face and sign in use, on their faces to rounding.
    group : int ndarray, shape (m,)
        A group of each.

    Notes
    -----
    Cells that share a face are linear in the same way on it, so their rays of one sign merge. On
    the faces the program is smooth where no ray vanishes; steps go back until none turns round.
    """
    length = np.linalg.norm(c, axis=1)
    chosen = np.flatnonzero(length > least * length.max(initial=0.0))
    chosen = chosen[np.argsort(-length[chosen])]
    faces, owner = {}, []
    slack = c @ groups.rows.T / np.maximum(length, 1e-300)[:, None]
    for g in chosen:
        on = (groups.signs[g] != 0) & (np.abs(slack[g]) <= width)
        key = (groups.weight[g], np.where(on, 0, groups.signs[g]).tobytes(), on.tobytes())
        key = key if merge else g
        basis = _null_space(groups.rows[on], c.shape[1])
        if basis.shape[1] == 0:
            continue
        if key in faces:
            position = faces[key]
            owner[position][2] += basis.T @ c[g]
        else:
            faces[key] = len(owner)
            owner.append([g, basis, basis.T @ c[g]])
    owner = [entry for entry in owner if np.linalg.norm(entry[2]) > 0]
    owner = _newton_on_faces(groups, owner, loss, beta)
    if not owner:
        return np.zeros((0, c.shape[1])), np.zeros(0, int)
    return (
        np.array([basis @ a for _, basis, a in owner]),
        np.array([g for g, _, _ in owner]),
    )


def _null_space(rows, h):
    if not len(rows):
        return np.eye(h)
    _, values, right = np.linalg.svd(rows)
    return right[int((values > 1e-7).sum()) :].T


def _newton_on_faces(groups, owner, loss, beta, steps=40):
    """Minimise over coordinates on fixed faces, by Newton's method with backtracking."""
    while owner:
        maps = [
            groups.weight[g] * groups.design[:, groups.cell[g]] @ basis for g, basis, _ in owner
        ]
        design = np.concatenate(maps, axis=1)
        cuts = np.cumsum([len(a) for _, _, a in owner])[:-1]
        x, turned = np.concatenate([a for _, _, a in owner]), None
        now = _smooth_terms(design, loss, beta, x, cuts)
        for _ in range(steps):
            value, gradient, hessian = now
            scale = 1 / np.sqrt(np.diag(hessian))
            scaled = hessian * scale * scale[:, None]
            step = -scale * np.linalg.lstsq(scaled, scale * gradient, rcond=1e-13)[0]
            size, noise = 1.0, 1e-13 * abs(value)
            while size > 1e-6:
                then = _smooth_terms(design, loss, beta, x + size * step, cuts)
                # where the value has no digits left to show progress the gradient does
                flatter = np.abs(scale * then[1]).max() < 0.9 * np.abs(scale * gradient).max()
                if then[0] < value - noise or (then[0] <= value + noise and flatter):
                    break
                size /= 2
            else:
                break
            old, x, now = np.split(x, cuts), x + size * step, then
            new = np.split(x, cuts)
            turned = [a @ b <= 1e-12 * (b @ b) for a, b in zip(new, old, strict=True)]
            if any(turned):  # a ray that turns round has passed zero: it leaves
                break
        parts = np.split(x, cuts)
        if turned is None or not any(turned):
            return [[g, basis, a] for (g, basis, _), a in zip(owner, parts, strict=True)]
        owner = [
            [g, basis, a]
            for (g, basis, _), a, gone in zip(owner, parts, turned, strict=True)
            if not gone
        ]
    return owner


def _smooth_terms(design, loss, beta, x, cuts):
    """Value, gradient and Hessian of ``L(design x) + beta sum |x_j|``, no ``x_j`` zero."""
    fit = design @ x
    value, gradient = loss.value(fit), -design.T @ loss.dual(fit)
    hessian = (design.T * loss.curvature(fit)) @ design
    bend = np.empty(len(x))
    for start, end in pairwise([0, *cuts, len(x)]):
        span, part = slice(start, end), x[start:end]
        norm = max(math.sqrt(part @ part), 1e-300)
        unit = part / norm
        value += beta * norm
        gradient[span] += beta * unit
        bend[span] = beta / norm
        hessian[span, span] -= (beta / norm * unit)[:, None] * unit
    hessian.flat[:: len(x) + 1] += bend
    return value, gradient, hessian
