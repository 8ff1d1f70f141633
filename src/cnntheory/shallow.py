"""One hidden layer, read from a torch module.

A convolution cuts its patches out of an image linearly, so its response to the unit filters *is*
the patches: whatever its stride, padding and dilation are, they need not be known here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import numpy as np

from ._extras import extra
from ._layers import by_filter, layer_filters

with extra("torch"):
    import torch
    from torch import fx, nn

_SHALLOW = (
    "the networks of one hidden layer: Conv1d, Conv2d or Linear -> activation -> sum, mean or max "
    "over the whole map, or Flatten -> Linear with one output and no bias, or none"
)
# What may stand between the layers, by the names of modules, functions and methods. What it does
# there is then read from what it makes of a random map.
_LAYERS = {"Conv1d", "Conv2d", "Linear"}
_SHAPES = {"Flatten", "Identity", "Unflatten", "contiguous", "flatten", "getattr", "getitem"}
_SHAPES |= {"permute", "reshape", "size", "squeeze", "transpose", "unsqueeze", "view"}
_ACTIVATIONS = {"ReLU": "relu", "relu_": "relu", "LeakyReLU": "leaky_relu", "Tanh": "tanh"}
_ACTIVATIONS |= {"Sigmoid": "sigmoid", "Softplus": "softplus"}
_ACTIVATIONS |= {each: each for each in _ACTIVATIONS.values()}
_POOLS = {"Pooling", "amax", "max", "mean", "sum"}
_POOLS |= {
    f"{kind}Pool{d}d" for d in (1, 2) for kind in ("Avg", "Max", "AdaptiveAvg", "AdaptiveMax")
}
_POOLS |= {f"{kind}_pool{d}d" for d in (1, 2) for kind in ("avg", "max")}
_POOLS |= {f"adaptive_{kind}_pool{d}d" for d in (1, 2) for kind in ("avg", "max")}
_SCALES = {"mul", "truediv"}
_BEFORE = "before the first layer", "before the output layer", "after the output layer"
# Images that go through a model at once.
_BATCH = 256


@dataclass(frozen=True)
class Shallow:
    """A network of one hidden layer, and the patches that it sees.

    Attributes
    ----------
    patches : ndarray, shape (n, K, h)
        What the first layer sees, its entries in the order of the layer's weights; a bias is one
        more entry of 1.
    filters : ndarray, shape (m, h)
    activation : str
    pooling : {"average", "max", "none"}
        ``"average"`` is the sum of the map, times `factor`.
    factor : float
        The map is multiplied by it: 1 / K for the mean.
    weights : ndarray, shape (m,), (m, K) without pooling, or None
        Of the output layer; None where there is none and the filters are summed.
    layer : torch.nn.Module
        First layer of the model, which says how patches lie in its input.
    head : torch.nn.Module
        What the model does to the images before its first layer.
    """

    patches: np.ndarray
    filters: np.ndarray
    activation: str
    pooling: str
    factor: float
    weights: np.ndarray | None
    layer: nn.Module = field(repr=False)
    head: nn.Module = field(repr=False)

    def predict(self):
        """Outputs (n,) on the patches, and the largest sum of the sizes of their terms."""
        from .zhong2017 import as_activation

        hidden = as_activation(self.activation)(self.patches @ self.filters.T)
        if self.pooling == "none":
            terms = hidden * self.factor * self.weights.T
        else:
            pooled = hidden.sum(1) if self.pooling == "average" else hidden.max(1)
            weights = np.ones(len(self.filters)) if self.weights is None else self.weights
            terms = (pooled * self.factor * weights)[:, None]
        size = np.abs(hidden).sum((1, 2)).max() * self.factor
        if self.weights is not None:
            size *= np.abs(self.weights).max(initial=0.0)
        return terms.sum((1, 2)), size

    @property
    def biased(self):
        """Whether the last entry of patches and filters is that of a bias."""
        return self.layer.bias is not None

    @property
    def overlapping(self):
        """Whether patches share entries of the input, or zeros around it are among theirs."""
        if isinstance(self.layer, nn.Linear):
            return False
        layer = self.layer
        sizes = zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
        apart = all(stride > dilation * (size - 1) for size, stride, dilation in sizes)
        return not (apart and not any(layer._reversed_padding_repeated_twice))


def read_shallow(model, images, *, activations=None, output=False, kinds=_SHALLOW):
    """Read a torch module as a network of one hidden layer.

    Parameters
    ----------
    model : torch.nn.Module
        A `Sequential`, or a module whose `torch.fx` trace is a chain. A copy in float64 is read;
        the model is left as it is.
    images : tensor, shape (n, ...)
        What the model takes, in float64.
    activations : set of str, optional
        Those that are taken; all that are known by default.
    output : bool, optional
        Whether there has to be an output layer.
    kinds : str, optional
        What an error says that the model is outside of.

    Returns
    -------
    Shallow

    Raises
    ------
    ValueError
        A layer or a parameter is outside of what is read: it is named.
    """
    try:
        model = copy.deepcopy(model).cpu().double().eval()
    except RuntimeError as error:  # a parametrisation of the older kind
        raise ValueError(
            f"model: cannot be copied, so it may be outside {kinds}: {error}"
        ) from error
    with torch.no_grad():
        chain = _trace(model, torch.cat([images[:1], images[-1:]]), activations, output, kinds)
        pooling, factor = chain.read_pooling()
        head, batches = chain.head(), images.split(_BATCH)
        patches = np.concatenate([_patches(chain.first, head(x)) for x in batches])
        outputs = np.concatenate([model(x).reshape(-1).numpy() for x in batches])
    found = Shallow(
        patches=patches,
        filters=layer_filters(chain.first),
        activation=chain.activation,
        pooling=pooling,
        factor=factor,
        weights=chain.output_weights(pooling),
        layer=chain.first,
        head=head,
    )
    values, size = found.predict()
    if values.shape != outputs.shape or not np.allclose(values, outputs, rtol=0, atol=1e-12 * size):
        raise ValueError(f"model: its outputs are not those of its layers in {kinds}")
    return found


def _trace(model, images, activations, output, kinds):
    """The chain of a model, run on a few images."""
    try:
        chain = _Chain(fx.symbolic_trace(model), activations, kinds)
    except Exception as error:  # whatever the model's own code raises
        raise ValueError(
            f"model: torch.fx cannot trace it, so it may be outside {kinds}; write it as an "
            f"nn.Sequential ({type(error).__name__}: {error})"
        ) from error
    final = chain.run(images)
    if chain.first is None or chain.activation is None or (output and chain.last is None):
        raise ValueError(f"model: ends {chain.place()}, so outside {kinds}")
    if chain.last is None:
        chain.pooled = final
        chain.labels.append("the model")
    layers = [layer for layer in (chain.first, chain.last) if layer is not None]
    used = {id(p) for layer in layers for p in layer.parameters()}
    for name, parameter in model.named_parameters():
        if id(parameter) not in used:
            raise ValueError(f"parameter {name}, which is decayed, is outside {kinds}")
    if chain.last is not None and chain.first.weight is chain.last.weight:
        raise ValueError(f"model: its two layers share a weight, so it is outside {kinds}")
    return chain


class _Chain(fx.Interpreter):
    """Runs a traced model, notes its two layers and refuses what is outside of what is read.

    Instead of the first layer's response a random map goes on, which tells what is done to it.
    """

    def __init__(self, traced, activations, kinds):
        super().__init__(traced, garbage_collect_values=False)
        known = {
            each: name
            for each, name in _ACTIVATIONS.items()
            if activations is None or name in activations
        }
        allowed = (
            _LAYERS | _SHAPES | _SCALES | {"add", "sub"},
            {"Linear"} | _SHAPES | _SCALES | set(known) | _POOLS,
            _SHAPES,
        )
        self.known, self.kinds = known, kinds
        self.allowed = dict(zip(_BEFORE, allowed, strict=True))
        self.first = self.last = self.node = self.maps = self.pooled = self.activation = None
        self.labels = []
        self.extra_traceback = False  # it would end up in the messages

    def place(self):
        """How far the chain has been read."""
        return _BEFORE[(self.first is not None) + (self.last is not None)]

    def run_node(self, node):
        """Run one operation, or say why it is refused."""
        if node.op in ("placeholder", "output"):
            return super().run_node(node)
        name, label = self._names(node)
        if node.op == "get_attr":
            if self.first is None and name not in dict(self.module.named_parameters()):
                return super().run_node(node)  # a constant, for the images
            raise ValueError(f"{label} is used outside a layer, so outside {self.kinds}")
        if name not in self.allowed[self.place()]:
            raise ValueError(f"{label} stands {self.place()}, outside {self.kinds}")
        try:
            result = super().run_node(node)
        except (IndexError, RuntimeError) as error:
            raise ValueError(f"{label} cannot be run on these images: {error}") from error
        if name in _LAYERS:
            return self._read_layer(self.fetch_attr(node.target), label, node, result)
        if self.first is not None and name in self.known:
            self._read_activation(self.known[name], label, result)
        if self.first is not None and name in _POOLS:
            self.labels.append(label)
        return result

    def _read_activation(self, name, label, result):
        """Note the activation; a second one is refused, unless it is ReLU again, which is one."""
        from .zhong2017 import as_activation

        if self.activation is not None:
            if name == self.activation == "relu":
                return
            raise ValueError(f"{label} is a second activation, outside {self.kinds}")
        values = as_activation(name)(self.maps.numpy())
        # After pooling the shapes differ: what came out of both is told from the pooled map.
        if result.shape == self.maps.shape and not np.allclose(result, values, rtol=0, atol=1e-9):
            raise ValueError(f"{label} has other options than are known, outside {self.kinds}")
        self.activation, self.activated = name, torch.from_numpy(values)

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
                raise ValueError(f"{label} in {layer.groups} groups is outside {self.kinds}")
            self.first, self.node = layer, node
            random = torch.Generator().manual_seed(0)
            self.maps = torch.randn(result.shape, generator=random, dtype=torch.float64)
            return self.maps.clone()  # ReLU may work in place
        if self.activation is None:
            raise ValueError(
                f"{label} follows the first layer without an activation, outside {self.kinds}"
            )
        if layer.out_features != 1:
            raise ValueError(
                f"{label} has {layer.out_features} outputs, outside {self.kinds}; of several "
                "classes take one against the others"
            )
        if layer.bias is not None:
            raise ValueError(
                f"{label} has a bias, outside {self.kinds}; build it with bias=False and centre "
                "the labels"
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
        """Pooling and factor, from what became of the random map."""
        filters_last = isinstance(self.first, nn.Linear)
        maps = by_filter(self.activated, filters_last)
        n, _, K = maps.shape
        known = {"average": maps.sum(2), "max": maps.amax(2), "none": self.activated.flatten(1)}
        if self.last is None:  # the filters are summed too
            known = {"average": maps.sum((1, 2))}
            if self.pooled.numel() == n:
                self.pooled = self.pooled.reshape(n)
        ratios = {pooling: _ratio(self.pooled, values) for pooling, values in known.items()}
        pooling = next((pooling for pooling in known if ratios[pooling] is not None), None)
        if pooling is None:
            raise ValueError(
                f"{self.labels[0]} makes {tuple(self.pooled.shape[1:])} of a map "
                f"{tuple(self.maps.shape[1:])}: this is not the sum, mean or maximum over the "
                f"whole map nor all of it, so outside {self.kinds}"
            )
        # 1 and 1 / K to the last bit
        factor = ratios[pooling]
        return pooling, next((c for c in (1.0, 1 / K) if abs(factor - c) < 1e-12 * c), factor)

    def output_weights(self, pooling):
        """Weights of the output layer, by filter, and by patch without pooling."""
        if self.last is None:
            return None
        weights = self.last.weight.detach()[0].numpy()
        if pooling == "none":
            filters_last = isinstance(self.first, nn.Linear)
            index = torch.arange(weights.size).reshape(1, *self.maps.shape[1:])
            weights = weights[by_filter(index, filters_last)[0].numpy()]
        return weights


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
