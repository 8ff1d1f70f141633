"""Batched training and the tangent kernel, beside the direct ways.

The direct way to train is a loop over trials: the network in torch's words, autograd and
``torch.optim.SGD``. The direct way to the kernel are the Jacobians of single samples by
``torch.func.vmap`` of ``jacrev``, ten samples at a time, flattened and multiplied; it needs 4.5 GB.
"""

import numpy as np
import torch
from paired import paired, row

from cnntheory.allenzhu2019 import TangentKernel, descent, fully_connected
from cnntheory.allenzhu2019.inputs import prepare

torch.set_num_threads(1)
TRIALS, DEPTH = 20, 3
# Share of the time of a training that its products may be left to be said to limit it.
LIMIT = 0.8
# Width, iterations, least speed-up.
TRAINING = ((64, 200, 8), (256, 40, 2.5), (1024, 5, 1.5))


def problem(trials, samples, pixels=196):
    rng = np.random.default_rng(0)
    x = torch.from_numpy(prepare(rng.standard_normal((trials, samples, pixels))))
    return x, torch.from_numpy(rng.choice([-1.0, 1.0], (trials, samples)))


def networks(trials, inputs, width, depth):
    rngs = [np.random.default_rng([1, s]) for s in range(trials)]
    return fully_connected(rngs, inputs, width, depth)


def train_batched(net, x, y, eta, steps):
    """Losses of all iterations, (trials, steps)."""
    states = descent(net, x, y, eta, max_iter=steps)
    return torch.stack([state.loss for state in states], dim=1)[:, :-1]


def train_plainly(net, x, y, eta, steps):
    """The same, one trial after the other."""
    losses = torch.empty(len(x), steps, dtype=x.dtype)
    for s in range(len(x)):
        W = [matrix[s].clone().requires_grad_() for matrix in net.W]
        optimiser = torch.optim.SGD(W, lr=eta[s].item())
        for t in range(steps):
            h = torch.relu(x[s] @ net.A[s].T)
            for matrix in W:
                h = torch.relu(h @ matrix.T)
            loss = ((h @ net.B[s].T)[:, 0] - y[s]).square().sum() / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses[s, t] = loss.item()
    return losses


def products(W, h, steps):
    """What a training multiplies: forward, backward and the gradients, added to the weights."""
    for _ in range(steps):
        for matrix in W:
            torch.bmm(h, matrix.mT)
        for matrix in W[1:]:
            torch.bmm(h, matrix)
        for matrix in W:
            matrix.baddbmm_(h.mT, h, alpha=-1e-9)


def direct_kernel(net, x, chunk):
    """Gram matrix of the Jacobians of single samples, those of `chunk` samples at a time."""
    A, B = net.A[0], net.B[0]

    def output(W, x):
        h = torch.relu(A @ x)
        for matrix in W:
            h = torch.relu(matrix @ h)
        return (B @ h)[0]

    W = tuple(matrix[0] for matrix in net.W)
    jacobian = torch.func.vmap(torch.func.jacrev(output), in_dims=(None, 0), chunk_size=chunk)
    K = 0
    for layer in jacobian(W, x[0]):
        flat = layer.flatten(1)
        K = K + flat @ flat.T
    return K


def training(width, steps, bar, repeats):
    """Twenty trainings at once, beside one after the other."""
    x, y = problem(TRIALS, 20)
    net = networks(TRIALS, x.shape[2], width, DEPTH)
    eta = TangentKernel.at(net, x).step()
    other, h = net.copy().W, torch.rand(TRIALS, 20, width, dtype=x.dtype)
    ways = {
        "library": lambda: train_batched(net.copy(), x, y, eta, steps),
        "PyTorch": lambda: train_plainly(net, x, y, eta, steps),
        "its products by torch.bmm": lambda: products(other, h, steps),
    }
    seconds, found = paired(ways, repeats)
    apart = (found["library"] / found["PyTorch"] - 1).abs().max().item()
    size = f"{TRIALS} trials, m = {width}, depth {DEPTH}, {steps} steps"
    yield row("gradient descent", size, seconds, "PyTorch", bar, f"losses {apart:.0e} apart")
    yield row("gradient descent", size, seconds, "its products by torch.bmm", LIMIT, "")


def kernel(repeats, samples=100, width=1024, depth=4):
    """The tangent kernel of all layers."""
    x, _ = problem(1, samples)
    net = networks(1, x.shape[2], width, depth)
    ways = {
        "library": lambda: TangentKernel.at(net, x).matrix[0],
        "torch.func": lambda: direct_kernel(net, x, 10),
    }
    seconds, found = paired(ways, repeats)
    apart = (
        (found["library"] - found["torch.func"]).abs().max() / found["library"].abs().max()
    ).item()
    size = f"n = {samples}, m = {width}, depth {depth}"
    yield row("tangent kernel", size, seconds, "torch.func", 50, f"{apart:.0e} apart")


def comparisons(repeats):
    """Rows of the table."""
    for width, steps, bar in TRAINING:
        yield from training(width, steps, bar, repeats)
    yield from kernel(min(repeats, 3))
