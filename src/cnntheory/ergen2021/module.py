"""Networks as torch modules; a file of its own, so that the library does not load torch."""

from __future__ import annotations

import torch


class Module(torch.nn.Module):
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
            self.register_parameter(name, torch.nn.Parameter(torch.tensor(values)))

    def forward(self, patches):
        parameters = {name: getattr(self, name) for name in self.names}
        return self.architecture.output(parameters, patches)
