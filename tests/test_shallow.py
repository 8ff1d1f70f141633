"""What is read of a torch module, beside what `test_torch_models` asks of ReLU networks."""

import numpy as np
import pytest
import torch
from torch import nn

from cnntheory.shallow import read_shallow


class Total(nn.Module):
    """The sum over filters and positions: no output layer."""

    def forward(self, x):
        return x.sum((1, 2, 3))


IMAGES = torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(0)).double()
KINDS = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("output", [True, False])
def test_the_formula_gives_the_outputs(name, output):
    torch.manual_seed(1)
    tail = (
        [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1, bias=False)]
        if output
        else [Total()]
    )
    model = nn.Sequential(nn.Conv2d(1, 3, 2, stride=2), KINDS[name](), *tail).double()
    found = read_shallow(model, IMAGES)
    assert (found.activation, found.pooling, found.biased) == (name, "average", True)
    assert found.factor == (1 / 9 if output else 1.0)
    assert (found.weights is None) != output
    with torch.no_grad():
        np.testing.assert_allclose(found.predict()[0], model(IMAGES).reshape(-1), atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "overlapping"),
    [
        (nn.Conv2d(1, 2, 2, stride=2), False),
        (nn.Conv2d(1, 2, 2), True),
        (nn.Conv2d(1, 2, 2, stride=2, padding=1), True),
        (nn.Conv2d(1, 2, 2, stride=2, dilation=2), True),
        (nn.Conv2d(1, 2, (1, 3), stride=(1, 3)), False),
        (nn.Linear(6, 2), False),
    ],
)
def test_patches_that_share_entries_are_known(layer, overlapping):
    model = nn.Sequential(layer, nn.Tanh(), Total())
    assert read_shallow(model, IMAGES).overlapping is overlapping


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.LeakyReLU(0.3), Total()], "layer 1: LeakyReLU has other options"),
        ([nn.ReLU(), nn.Tanh(), Total()], "layer 2: Tanh is a second activation"),
        ([Total()], "ends before the output layer"),
        ([nn.GELU(), Total()], "layer 1: GELU stands before the output layer"),
        ([nn.ReLU(), nn.MaxPool2d(2), Total()], "layer 2: MaxPool2d makes"),
    ],
)
def test_what_is_not_one_hidden_layer_is_named(layers, message):
    with pytest.raises(ValueError, match=message):
        read_shallow(nn.Sequential(nn.Conv2d(1, 2, 2), *layers), IMAGES)
