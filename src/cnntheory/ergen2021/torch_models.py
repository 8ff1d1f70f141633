"""PyTorch networks in the terms of the convex programs, and back.

A convolution cuts its patches out of an image linearly, so its response to the unit filters *is*
the patches: whatever its stride, padding and dilation are, they need not be known here.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from .._extras import extra
from .arrangements import ArrangementTooLarge
from .losses import make_loss
from .module import by_filter, layer_filters, sequential
from .network import Network
from .train import Solution, certify, train_convex

with extra("torch"):
    import torch
    from torch import fx, nn

_PROGRAM = (
    "the program of ergen2021: Conv1d, Conv2d or Linear -> ReLU -> sum, mean or max over the "
    "whole map, or Flatten -> Linear with one output and no bias"
)
# What may stand between the layers, by the names of modules, functions and methods. What it does
# there is then read from what it makes of a random map.
_LAYERS = {"Conv1d", "Conv2d", "Linear"}
_SHAPES = {"Flatten", "Identity", "Unflatten", "contiguous", "flatten", "getattr", "getitem"}
_SHAPES |= {"permute", "reshape", "size", "squeeze", "transpose", "unsqueeze", "view"}
_RELU = {"ReLU", "relu", "relu_"}
_POOLS = {"Pooling", "amax", "max", "mean", "sum"}
_POOLS |= {
    f"{kind}Pool{d}d" for d in (1, 2) for kind in ("Avg", "Max", "AdaptiveAvg", "AdaptiveMax")
}
_POOLS |= {f"{kind}_pool{d}d" for d in (1, 2) for kind in ("avg", "max")}
_POOLS |= {f"adaptive_{kind}_pool{d}d" for d in (1, 2) for kind in ("avg", "max")}
_SCALES = {"mul", "truediv"}
_ALLOWED = {
    "before the first layer": _LAYERS | _SHAPES | _SCALES | {"add", "sub"},
    "before the output layer": {"Linear"} | _SHAPES | _SCALES | _RELU | _POOLS,
    "after the output layer": _SHAPES,
}
# Images that go through a model at once.
_BATCH = 256


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
        Of the convex program, if it was solved: a better network, in the units of the program.
    """

    objective: float
    dual_bound: float
    gap: float
    problem: Problem = field(repr=False)
    solution: Solution | None = field(repr=False)


def certify_torch(model, images, labels, *, loss, weight_decay, tol=1e-3, cells=None, **options):
    """Bound the distance of a PyTorch network to the global optimum of its training objective.

    Parameters
    ----------
    model, images, labels, loss, weight_decay
        As for `from_torch`.
    tol : float or None, optional
        The convex program is solved to this relative gap, for its lower bound. None leaves that
        out, and so do too many cells: the residuals of the model give a bound too, loose unless
        training has converged.
    cells : Cells, optional
        Those that another problem on the same patches has enumerated.
    **options
        Of `certify`, which bounds from the residuals.

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
    problem, solution = (
        from_torch(model, images, labels, loss=loss, weight_decay=weight_decay),
        None,
    )
    if tol is not None:
        with suppress(ArrangementTooLarge):
            solution = problem.solve(tol=tol, cells=cells)
    found = solution or _certify(problem, cells, options)
    bound = -np.inf if np.isnan(found.gap) else problem.scale * found.dual_bound
    objective = problem.objective()
    return TorchCertificate(objective, bound, (objective - bound) / objective, problem, solution)


def _certify(problem, cells, options):
    """Certificate of the model from its own residuals."""
    return certify(
        problem.network,
        problem.patches,
        problem.y,
        problem.beta,
        loss=problem.loss,
        cells=cells,
        **options,
    )


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
    model = copy.deepcopy(model).cpu().double().eval()
    with torch.no_grad():
        chain = _trace(model, torch.cat([images[:1], images[-1:]]))
        architecture, factor, weights = chain.read_pooling()
        head = chain.head()
        batches = images.split(_BATCH)
        patches = factor * np.concatenate([_patches(chain.first, head(x)) for x in batches])
        outputs = np.concatenate([model(x).reshape(-1).numpy() for x in batches])
    network = Network(layer_filters(chain.first), weights, architecture)
    _check_outputs(network, patches, outputs)
    beta = float(weight_decay) / scale
    return Problem(patches, y, beta, architecture, loss, network, scale, chain.first, factor, head)


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


def _trace(model, images):
    """The chain of a model, run on a few images."""
    try:
        chain = _Chain(fx.symbolic_trace(model))
    except Exception as error:  # whatever the model's own code raises
        raise ValueError(
            f"model: torch.fx cannot trace it, so it may be outside {_PROGRAM}; write it as an "
            f"nn.Sequential ({type(error).__name__}: {error})"
        ) from error
    chain.run(images)
    if chain.last is None:
        raise ValueError(f"model: ends {chain.place()}, so outside {_PROGRAM}")
    used = {id(p) for layer in (chain.first, chain.last) for p in layer.parameters()}
    for name, parameter in model.named_parameters():
        if id(parameter) not in used:
            raise ValueError(f"parameter {name}, which is decayed, is outside {_PROGRAM}")
    if chain.first.weight is chain.last.weight:
        raise ValueError(f"model: its two layers share a weight, so it is outside {_PROGRAM}")
    return chain


class _Chain(fx.Interpreter):
    """Runs a traced model, notes its two layers and refuses what is outside the program.

    Instead of the first layer's response a random map goes on, which tells what is done to it.
    """

    def __init__(self, traced):
        super().__init__(traced, garbage_collect_values=False)
        self.first = self.last = self.node = self.maps = self.pooled = None
        self.rectified, self.labels = False, []
        self.extra_traceback = False  # it would end up in the messages

    def place(self):
        """How far the chain has been read."""
        layers = (self.first is not None) + (self.last is not None)
        return tuple(_ALLOWED)[layers]

    def run_node(self, node):
        """Run one operation, or say why it is refused."""
        if node.op in ("placeholder", "output"):
            return super().run_node(node)
        name, label = self._names(node)
        if node.op == "get_attr":
            if self.first is None and name not in dict(self.module.named_parameters()):
                return super().run_node(node)  # a constant, for the images
            raise ValueError(f"{label} is used outside a layer, so outside {_PROGRAM}")
        if name not in _ALLOWED[self.place()]:
            raise ValueError(f"{label} stands {self.place()}, outside {_PROGRAM}")
        try:
            result = super().run_node(node)
        except (IndexError, RuntimeError) as error:
            raise ValueError(f"{label} cannot be run on these images: {error}") from error
        if name in _LAYERS:
            return self._read_layer(self.fetch_attr(node.target), label, node, result)
        self.rectified |= name in _RELU
        if self.first is not None and name in _POOLS:
            self.labels.append(label)
        return result

    def _names(self, node):
        """Name of an operation, and what an error calls it."""
        if node.op == "call_module":
            name = type(self.fetch_attr(node.target)).__name__
            return name, f"layer {node.target}: {name}"
        if node.op == "get_attr":
            return node.target, f"tensor {node.target}"
        name = node.target if isinstance(node.target, str) else node.target.__name__
        return name, f"operation {node.name}: {name}"

    def _read_layer(self, layer, label, node, result):
        if layer._forward_pre_hooks:
            raise ValueError(f"{label}: expected a plain layer, found one with a parametrisation")
        if self.first is None:
            if getattr(layer, "groups", 1) != 1:
                raise ValueError(f"{label} in {layer.groups} groups is outside {_PROGRAM}")
            self.first, self.node = layer, node
            random = torch.Generator().manual_seed(0)
            self.maps = torch.randn(result.shape, generator=random, dtype=torch.float64)
            return self.maps.clone()  # ReLU may work in place
        if not self.rectified:
            raise ValueError(f"{label} follows the first layer without ReLU, outside {_PROGRAM}")
        if layer.out_features != 1:
            raise ValueError(
                f"{label} has {layer.out_features} outputs, outside {_PROGRAM}; take one class "
                "against the others"
            )
        if layer.bias is not None:
            raise ValueError(
                f"{label} has a bias, outside {_PROGRAM}; build it with bias=False and centre the "
                "labels"
            )
        self.last, self.pooled = layer, self.fetch_args_kwargs_from_env(node)[0][0]
        self.labels.append(label)
        return result

    def head(self):
        """What is done to the images before the first layer."""
        graph, copies = fx.Graph(), {}
        for node in self.module.graph.nodes:
            if node is self.node:
                break
            copies[node] = graph.node_copy(node, copies.__getitem__)
        source = self.node.args[0]
        graph.output(copies[source])
        return nn.Identity() if source.op == "placeholder" else fx.GraphModule(self.module, graph)

    def read_pooling(self):
        """Pooling, factor and output weights, from what became of the random map."""
        filters_last = isinstance(self.first, nn.Linear)
        maps = by_filter(self.maps.relu(), filters_last)
        _, m, K = maps.shape
        known = {"average": maps.sum(2), "max": maps.amax(2), "none": self.maps.relu().flatten(1)}
        ratios = {pooling: _ratio(self.pooled, values) for pooling, values in known.items()}
        pooling = next((pooling for pooling in known if ratios[pooling] is not None), None)
        if pooling is None:
            raise ValueError(
                f"{self.labels[0]} makes {tuple(self.pooled.shape[1:])} of a map "
                f"{tuple(self.maps.shape[1:])}: this is not the sum, mean or maximum over the "
                f"whole map nor all of it, so outside {_PROGRAM}"
            )
        # 1 and 1 / K to the last bit
        factor = ratios[pooling]
        factor = next((c for c in (1.0, 1 / K) if abs(factor - c) < 1e-12 * c), factor)
        weights = self.last.weight.detach()[0].numpy()
        if pooling == "none":
            index = torch.arange(m * K).reshape(1, *self.maps.shape[1:])
            weights = weights[by_filter(index, filters_last)[0].numpy()]
        return pooling, factor, weights


def _ratio(pooled, values):
    """The factor between two tensors; None if there is none, above 0."""
    if values.shape != pooled.shape:
        return None
    ratio = float(pooled.sum() / values.sum())
    equal = torch.allclose(pooled, ratio * values, rtol=1e-12, atol=1e-12)
    return ratio if ratio > 0 and equal else None


def _patches(first, inputs):
    """What a layer sees of its inputs, shape (n, K, h), with the column of its bias."""
    h = first.weight[0].numel()
    units = {"weight": torch.eye(h, dtype=torch.float64).reshape(h, *first.weight.shape[1:])}
    if first.bias is not None:
        units["bias"] = torch.zeros(h, dtype=torch.float64)
    maps = torch.func.functional_call(first, units, (inputs,))
    patches = by_filter(maps, isinstance(first, nn.Linear)).transpose(1, 2).numpy()
    if first.bias is None:
        return patches
    return np.concatenate([patches, np.ones((*patches.shape[:2], 1))], axis=2)


def _check_outputs(network, patches, outputs):
    """Refuse a model that computes something else than its layers say."""
    found = network.predict(patches)
    terms = [np.abs(values) for values in (network.filters, network.weights)]
    size = Network(*terms, network.architecture).predict(np.abs(patches)).max()
    if found.shape != outputs.shape or not np.allclose(found, outputs, rtol=0, atol=1e-12 * size):
        raise ValueError(f"model: its outputs are not those of its layers in {_PROGRAM}")
