"""Networks as torch modules; a file of its own, so that the library does not load torch."""

from __future__ import annotations

import copy

from .._extras import extra
from .._layers import by_filter, layer_filters

with extra("torch"):
    import torch
    from torch import nn


class Module(nn.Module):
    """A network whose forward pass is its architecture's, on patches as torch tensors.

    Parameters
    ----------
    architecture : Architecture
    parameters : dict of ndarray
        As `Network.parameters`.
    """

    def __init__(self, architecture, parameters):
        super().__init__()
        self.architecture, self.names = architecture, tuple(parameters)
        for name, values in parameters.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(values)))

    def forward(self, patches):
        parameters = {name: getattr(self, name) for name in self.names}
        return self.architecture.output(parameters, patches)


def sequential(network, layer, factor=1.0):
    """Build the PyTorch model of a network on images, in float64.

    Parameters
    ----------
    network : Network
        Of architecture average, max, none or linear.
    layer : torch.nn.Conv1d, Conv2d or Linear
        How patches lie in an image; its weights and number of filters do not matter.
    factor : float, optional
        As for `Network.to_torch`.

    Returns
    -------
    torch.nn.Sequential
        The first layer, ReLU, `Pooling` and a linear layer; outputs of shape (n,).

    Raises
    ------
    ValueError
        The layer's filters have another length than the network's, or its architecture no such
        model.
    """
    name = network.architecture.name
    if name not in ("average", "max", "none", "linear"):
        raise ValueError(
            f"network: expected architecture average, max, none or linear for a model on images, "
            f"found {name!r}; leave out the layer"
        )
    filters, weights = torch.tensor(network.filters), torch.tensor(network.weights)
    m, h = filters.shape
    first = copy.deepcopy(layer).cpu().double()
    entries, found = first.weight[0].numel(), layer_filters(first).shape[1]
    if found != h:
        raise ValueError(f"layer: expected filters of {h} entries, a bias counted, found {found}")
    first.weight = nn.Parameter(filters[:, :entries].reshape(m, *first.weight.shape[1:]).clone())
    if first.bias is not None:
        first.bias = nn.Parameter(filters[:, entries].clone())
    setattr(first, "out_features" if isinstance(first, nn.Linear) else "out_channels", m)
    pooling = "none" if weights.ndim == 2 else name
    last = nn.Linear(1, 1, bias=False)
    last.weight, last.in_features = nn.Parameter(weights.reshape(1, -1).clone()), weights.numel()
    return nn.Sequential(
        first,
        nn.Identity() if name == "linear" else nn.ReLU(),
        Pooling(pooling, factor, filters_last=isinstance(first, nn.Linear)),
        last,
        nn.Flatten(0),
    )


class Pooling(nn.Module):
    """Pool a whole map, of any shape, for each filter.

    Parameters
    ----------
    pooling : {"average", "max", "none"}
        Sum, maximum, or all entries, filter by filter.
    factor : float, optional
        The map is multiplied by it.
    filters_last : bool, optional
        Whether filters are the last axis of the map, as after a linear layer, and not the second.
    """

    def __init__(self, pooling, factor=1.0, *, filters_last=False):
        super().__init__()
        self.pooling, self.factor, self.filters_last = pooling, factor, filters_last

    def forward(self, maps):
        """Pool maps, (n, m, ...) or (n, ..., m): shape (n, m), or (n, m K) without pooling."""
        maps = by_filter(maps, self.filters_last) * self.factor
        if self.pooling == "none":
            return maps.flatten(1)
        return maps.sum(2) if self.pooling == "average" else maps.amax(2)

    def extra_repr(self):
        return f"{self.pooling!r}, factor={self.factor:.6g}"
