"""What several tests of this paper share: small problems, and the networks in torch's words."""

import numpy as np
import pytest
import torch

from cnntheory.allenzhu2019 import convolutional, fully_connected, residual
from cnntheory.allenzhu2019.inputs import prepare

KINDS = ("fully", "residual", "conv")


@pytest.fixture
def generators():
    """``generators(S, seed)``: one generator a trial."""
    return lambda trials, seed=0: [np.random.default_rng([seed, s]) for s in range(trials)]


@pytest.fixture
def problem():
    """``problem(S, n, p)``: inputs (S, n, p + 1) and labels +1 and -1, (S, n)."""

    def draw(trials, n, p=9, seed=1):
        rng = np.random.default_rng(seed)
        x = torch.from_numpy(prepare(rng.standard_normal((trials, n, p))))
        return x, torch.from_numpy(rng.choice([-1.0, 1.0], (trials, n)))

    return draw


@pytest.fixture
def build(generators):
    """``build(kind, S, width, depth, outputs)`` for inputs of dimension 12 (images of 3 x 4)."""

    def draw(kind, trials, width, depth, outputs=1, seed=0, **options):
        rngs = generators(trials, seed)
        if kind == "conv":
            return convolutional(rngs, (3, 4), width, depth, outputs, **options)
        maker = {"fully": fully_connected, "residual": residual}[kind]
        return maker(rngs, 12, width, depth, outputs, **options)

    return draw


@pytest.fixture
def plain():
    """``plain(net, s, W, x)``: outputs (n, d) of trial s, for autograd to differentiate."""

    def outputs(net, s, W, x):
        if net.image is not None:
            return plain_convolution(net, s, W, x)
        h = torch.relu(x @ net.A[s].T)
        for matrix, skip, scale in zip(W, net.skips, net.scales, strict=True):
            h = torch.relu((h if skip else 0) + scale * (h @ matrix.T))
        return h @ net.B[s].T

    return outputs


def plain_convolution(net, s, W, x):
    side = net.patch

    def kernel(matrix):
        # Rows are filters; their entries run over positions first, then over channels.
        return matrix.reshape(len(matrix), side, side, -1).permute(0, 3, 1, 2)

    maps = x.reshape(-1, 1, *net.image)
    for matrix in (net.A[s], *W):
        maps = torch.relu(torch.nn.functional.conv2d(maps, kernel(matrix), padding=side // 2))
    # Position by position, the channels of each together.
    return maps.permute(0, 2, 3, 1).reshape(len(x), -1) @ net.B[s].T


@pytest.fixture
def jacobian(plain):
    """``jacobian(net, s, x)``: list of L tensors (n, d, m, k), from autograd."""

    def differentiate(net, s, x):
        W = tuple(matrix[s] for matrix in net.W)
        return torch.autograd.functional.jacobian(lambda *W: plain(net, s, W, x), W)

    return differentiate
