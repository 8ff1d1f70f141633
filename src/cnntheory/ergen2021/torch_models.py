"""PyTorch networks in the terms of the convex programs, and back."""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from .._extras import extra
from ..shallow import read_shallow
from .arrangements import ArrangementTooLarge, sample_gates
from .losses import make_loss, relative_gap
from .module import sequential
from .network import Network
from .train import ConvergenceWarning, Solution, certify, train_convex

with extra("torch"):
    import torch
    from torch import nn

_PROGRAM = (
    "the program of ergen2021: Conv1d, Conv2d or Linear -> ReLU -> sum, mean or max over the "
    "whole map, or Flatten -> Linear with one output and no bias"
)

# Random gates and filters of the model whose cells stand in for those that are too many, and
# entries of filters up to which branch and bound needs none.
_GATES, _OWN, _PRICED = 20, 100, 4


@dataclass(frozen=True)
class Problem:
    """A PyTorch network and its training problem in the terms of `train_convex`.

    Attributes
    ----------
    patches : ndarray, shape (n, K, h)
        What the first layer sees, its entries in the order of the layer's weights; a bias is one
        more entry of 1, decayed as PyTorch decays it. For mean pooling all are divided by K.
    y : ndarray, shape (n,)
    beta : float
        Weight decay of the program.
    architecture : {"average", "max", "none"}
        ``"average"`` is the plain sum over `patches`.
    loss : {"squared", "logistic"}
    network : Network
        The model's filters, shape (m, h), and output weights, (m,), or (m, K) without pooling.
    scale : float
        The objective of PyTorch is `scale` times that of the program, for every network.
    layer : torch.nn.Module
        First layer of the model, which says how patches lie in its input.
    factor : float
        Of the patches: 1 / K for mean pooling, 1 elsewhere.
    head : torch.nn.Module
        What the model does to the images before its first layer.
    """

    patches: np.ndarray
    y: np.ndarray
    beta: float
    architecture: str
    loss: str
    network: Network
    scale: float
    layer: nn.Module = field(repr=False)
    factor: float
    head: nn.Module = field(repr=False)

    def objective(self, network=None):
        """Training objective as PyTorch computes it, of the model or of another network."""
        network = self.network if network is None else network
        value = network.objective(self.patches, self.y, self.beta, self.loss)
        return self.scale * float(value)

    def solve(self, **options):
        """`train_convex` on this problem; `scale` times its objectives are those of PyTorch."""
        return train_convex(
            self.patches,
            self.y,
            self.beta,
            architecture=self.architecture,
            loss=self.loss,
            **options,
        )

    def certify(self, **options):
        """`certify` of the model on this problem; `scale` times its bounds are those of PyTorch."""
        return certify(self.network, self.patches, self.y, self.beta, loss=self.loss, **options)

    def to_torch(self, network=None):
        """A network, such as ``solve().network``, as a model on the images."""
        network = self.network if network is None else network
        model = sequential(network, self.layer, self.factor)
        return model if isinstance(self.head, nn.Identity) else nn.Sequential(self.head, *model)


@dataclass(frozen=True)
class TorchCertificate:
    """How far a PyTorch network is from the global optimum of its own training objective.

    Attributes
    ----------
    objective : float
        Loss plus ``weight_decay / 2`` times the squared length of all parameters.
    dual_bound : float
        Lower bound on this objective for all networks of the architecture, of any width; minus
        infinity if only some cells were looked at.
    gap : float
        ``(objective - dual_bound) / objective``: the optimum is lower by this share at most.
    problem : Problem
    solution : Solution or None
        Of the convex program, or of that over some cells, in the units of the program. Its network
        is the optimum if it is `exact`, else a rival of the model's, better or worse.
    """

    objective: float
    dual_bound: float
    gap: float
    problem: Problem = field(repr=False)
    solution: Solution | None = field(repr=False)


def certify_torch(
    model, images, labels, *, loss, weight_decay, tol=1e-3, cells=None, time_limit=60, rng=0
):
    """Bound the distance of a PyTorch network to the global optimum of its training objective.

    Parameters
    ----------
    model, images, labels, loss, weight_decay
        As for `from_torch`.
    tol : float or None, optional
        The convex program is solved to this relative gap, for its lower bound. None leaves that
        out: the residuals of the model give a bound too, loose unless training has converged.
    cells : Cells, optional
        Those that another problem on the same patches has enumerated.
    time_limit : float, optional
        Seconds for the bound where there are too many cells to list. With average pooling and
        filters of up to four entries filters are priced without cells; else the program is solved
        over the cells of the model's filters and of some random gates, which takes its own time
        (none with ``tol=None``), and then its dual point and the model's are bounded over all
        filters, loosely for filters of many entries.
    rng : int or numpy.random.Generator, optional
        Source of the gates.

    Returns
    -------
    TorchCertificate

    Raises
    ------
    ValueError
        As `from_torch` and `certify`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False))
    >>> x = torch.randn(20, 2)
    >>> found = certify_torch(model, x, x[:, 0].abs(), loss="mse", weight_decay=0.01)
    >>> 0 < found.dual_bound < found.objective
    True
    """
    problem = from_torch(model, images, labels, loss=loss, weight_decay=weight_decay)
    return certify_problem(problem, tol=tol, cells=cells, time_limit=time_limit, rng=rng)


def certify_problem(problem, *, tol=1e-3, cells=None, time_limit=60, rng=0):
    """As `certify_torch`, of a `Problem` that was read before."""
    solution = None
    try:
        if tol is not None:
            solution = problem.solve(tol=tol, cells=cells)
        found = solution or problem.certify(cells=cells)
    except ArrangementTooLarge:
        solution = None if tol is None else _solve_in_time(problem, tol, time_limit, rng)
        if solution is not None and solution.exact:
            found = solution
        else:
            dual = None if solution is None else solution.dual
            found = problem.certify(dual=dual, time_limit=time_limit)
    bound = -np.inf if np.isnan(found.gap) else problem.scale * found.dual_bound
    objective = problem.objective()
    gap = relative_gap(objective, bound) if np.isfinite(bound) else np.inf
    return TorchCertificate(objective, bound, gap, problem, solution)


def _solve_in_time(problem, tol, time_limit, rng):
    """Solution where there are too many cells to list; None without pooling."""
    average, h = problem.architecture == "average", problem.patches.shape[2]
    if average and h <= _PRICED:
        how = {"time_limit": time_limit}
    elif average or problem.architecture == "max":
        # In the cells of the model's own filters the program finds better weights for them.
        own = problem.network.filters[:_OWN].T
        how = {"cells": np.column_stack([own, sample_gates(h, _GATES, rng)])}
    else:
        return None
    with warnings.catch_warnings(), suppress(ArrangementTooLarge):
        # What was not reached shows in the gap.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return problem.solve(tol=tol, rng=rng, **how)
    return None


def from_torch(model, images, labels, *, loss, weight_decay):
    """Read a PyTorch network and its training objective as a problem of `train_convex`.

    Parameters
    ----------
    model : torch.nn.Module
        A `Sequential`, or a module whose `torch.fx` trace is a chain: Conv1d, Conv2d or Linear,
        with or without bias; ReLU; sum, mean or max over the whole map, or `Flatten`; Linear with
        one output and no bias. A copy in float64 is read, the model is left as it is.
    images : array or tensor, shape (n, ...)
        What the model takes.
    labels : array or tensor, shape (n,) or (n, 1)
    loss : str or torch.nn.Module
        ``"mse"`` or ``nn.MSELoss()``, ``nn.BCEWithLogitsLoss()`` (labels 0 and 1) or
        ``nn.SoftMarginLoss()`` (labels -1 and 1), each with reduction ``"mean"`` or ``"sum"``; or
        ``"squared"`` or ``"logistic"`` of `train_convex`, which are sums over the samples.
    weight_decay : float
        That of ``torch.optim.SGD``, above 0: its half times the squared length of all parameters is
        added to the loss. (The decoupled decay of ``AdamW`` belongs to no such objective.)

    Returns
    -------
    Problem

    Raises
    ------
    ValueError
        A layer, a parameter, a loss or a label is outside the program: it is named.
    """
    images, y = _tensor(images), _tensor(labels).numpy()
    y = y[:, 0] if y.shape[1:] == (1,) else y
    if y.ndim != 1 or not len(y) or images.shape[:1] != y.shape:
        raise ValueError(
            f"labels: expected shape (n,) or (n, 1) for images {tuple(images.shape)}, found "
            f"{tuple(y.shape)}; one a sample"
        )
    if not (np.ndim(weight_decay) == 0 and np.isfinite(weight_decay) and weight_decay > 0):
        raise ValueError(
            f"weight_decay: expected a number above 0, found {weight_decay}; without it the convex "
            "program has no penalty"
        )
    loss, scale, y = _read_loss(loss, y)
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError(
            "model: a parameter is not trained (requires_grad=False), and so not decayed, which is "
            f"outside {_PROGRAM}"
        )
    found = read_shallow(model, images, activations={"relu"}, output=True, kinds=_PROGRAM)
    patches, architecture = found.factor * found.patches, found.pooling
    network = Network(found.filters, found.weights, architecture)
    beta = float(weight_decay) / scale
    return Problem(
        patches, y, beta, architecture, loss, network, scale, found.layer, found.factor, found.head
    )


def _tensor(values):
    return torch.as_tensor(values).detach().cpu().double()


def _read_loss(loss, y):
    """Loss of the program, by what its sum is multiplied in PyTorch, and labels."""
    if loss in ("squared", "logistic"):
        return loss, 1.0, make_loss(loss, y).y
    loss = nn.MSELoss() if loss == "mse" else loss
    kind = type(loss).__name__
    factor = {"mean": 1 / len(y), "sum": 1.0}.get(getattr(loss, "reduction", None))
    weighted = any(getattr(loss, name, None) is not None for name in ("weight", "pos_weight"))
    if kind not in ("MSELoss", "BCEWithLogitsLoss", "SoftMarginLoss") or not factor or weighted:
        raise ValueError(
            "loss: expected 'mse', 'squared', 'logistic', or nn.MSELoss, nn.BCEWithLogitsLoss or "
            f"nn.SoftMarginLoss of reduction 'mean' or 'sum' without weights, found {loss!r}"
        )
    if kind == "MSELoss":
        return "squared", 2 * factor, y
    low = 0 if kind == "BCEWithLogitsLoss" else -1
    if not np.isin(y, (low, 1)).all():
        raise ValueError(f"labels: expected {low} and 1 for {kind}, found others")
    return "logistic", factor, np.where(y == 1, 1.0, -1.0)
