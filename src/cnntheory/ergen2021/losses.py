"""Convex losses of the outputs, with their Fenchel duals.

The programs of a loss ``L`` have the dual ``max_v -L*(-v)`` over the same ``v`` for every loss: no
price ``max {v^T phi(u) : |u| <= 1}`` exceeds beta. Only ``L*`` changes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, expit


class Squared:
    """``1/2 |f - y|^2``; its dual value is ``v^T y - |v|^2 / 2``.

    Parameters
    ----------
    y : ndarray, shape (n,)
    """

    def __init__(self, y):
        self.y = y

    def value(self, fit):
        """The loss of outputs (n,)."""
        residual = fit - self.y
        return float(residual @ residual / 2)

    def dual(self, fit):
        """Minus the gradient: the ``v`` whose constraints are tight where `fit` is optimal."""
        return self.y - fit

    def curvature(self, fit):
        """Second derivatives, shape (n,)."""
        return np.ones_like(fit)

    def bound(self, v):
        """``-L*(-v)``: the value of a dual point that is feasible."""
        return float(v @ self.y - v @ v / 2)

    def scale(self, v, limit):
        """The ``|theta| <= limit`` of the largest ``bound(theta v)``."""
        length = v @ v
        return float(np.clip(v @ self.y / length, -limit, limit)) if length > 0 else 0.0


class Logistic:
    """``sum log(1 + exp(-y f))``; its dual value is the entropy of the ``y v`` in [0, 1].

    Parameters
    ----------
    y : ndarray, shape (n,)
        Labels -1 and 1.

    Raises
    ------
    ValueError
        For other labels.
    """

    def __init__(self, y):
        if not np.isin(y, (-1, 1)).all():
            raise ValueError("y: expected labels -1 and 1 for the logistic loss, found others")
        self.y = y

    def value(self, fit):
        """The loss of outputs (n,)."""
        return float(np.logaddexp(0, -self.y * fit).sum())

    def dual(self, fit):
        """Minus the gradient: the ``v`` whose constraints are tight where `fit` is optimal."""
        return self.y * expit(-self.y * fit)

    def curvature(self, fit):
        """Second derivatives, shape (n,)."""
        return expit(fit) * expit(-fit)

    def bound(self, v):
        """``-L*(-v)``: the value of a dual point that is feasible, minus infinity elsewhere."""
        share = self.y * v
        return float((entr(share) + entr(1 - share)).sum())

    def scale(self, v, limit):
        """The ``0 <= theta <= limit`` of the largest ``bound(theta v)``."""
        share = self.y * v
        if share.min() < 0 or share.max() <= 0:
            return 0.0

        def slope(theta):
            return share @ (np.log1p(-theta * share) - np.log(np.maximum(theta * share, 1e-300)))

        top = min(limit, (1 - 1e-15) / share.max())
        return top if slope(top) >= 0 else brentq(slope, 0.0, top)


LOSSES = {"squared": Squared, "logistic": Logistic}


def make_loss(name, y):
    """A loss by its name.

    Parameters
    ----------
    name : {"squared", "logistic"}
    y : ndarray, shape (n,)

    Raises
    ------
    ValueError
        For an unknown name, and labels that the loss is not made for.
    """
    if name not in LOSSES:
        raise ValueError(f"loss: expected one of {', '.join(LOSSES)}, found {name!r}")
    return LOSSES[name](y)


def dual_value(v, loss, price, beta):
    """Value of the best feasible dual point on the ray through `v`.

    Parameters
    ----------
    v : ndarray, shape (n,)
    loss : Squared or Logistic
    price : float
        An upper bound on every price at ``v``, so that ``theta v`` is feasible for
        ``|theta| <= beta / price``.
    beta : float

    Returns
    -------
    value : float
        A lower bound on the optimum.
    v : ndarray, shape (n,)
        The feasible point ``theta v``.
    """
    feasible = loss.scale(v, beta / price if price > 0 else np.inf) * v
    return loss.bound(feasible), feasible


def relative_gap(objective, bound):
    """``(objective - bound) / objective``, zero where both are."""
    return (objective - bound) / max(objective, np.finfo(float).tiny)
