"""What several tests of this paper share."""

import numpy as np
import pytest
import torch


@pytest.fixture
def torch_phi():
    """The activations written in torch, for autograd to differentiate."""
    return {
        "relu": torch.relu,
        "leaky_relu": lambda u: torch.nn.functional.leaky_relu(u, 0.1),
        "squared_relu": lambda u: torch.relu(u) ** 2,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "erf": lambda u: np.sqrt(np.pi) / 2 * torch.erf(u),
        "softplus": torch.nn.functional.softplus,
        "linear": lambda u: u,
        "quadratic": lambda u: u**2,
        "cubic": lambda u: u**3,
    }
