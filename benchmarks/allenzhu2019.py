"""Batched training and the tangent kernel against the direct ways, side by side, one thread.

The direct way to train is a loop over trials: the network in torch's words, autograd and
``torch.optim.SGD``. The direct way to the kernel are the Jacobians of single samples by
``torch.func.vmap`` of ``jacrev``, a few samples at a time, flattened and multiplied. Run
``python benchmarks/allenzhu2019.py``; the direct kernel needs 4.5 GB.
"""

import os

# One thread for both sides: BLAS reads these when it is first loaded.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import time

import numpy as np
import torch

from cnntheory.allenzhu2019 import TangentKernel, descent, fully_connected
from cnntheory.allenzhu2019.inputs import prepare

torch.set_num_threads(1)
TRIALS, DEPTH = 20, 3
# Width, iterations, least speed-up.
TRAINING = ((64, 200, 5), (256, 40, None), (1024, 5, None))


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


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def compare_training(width, steps, repeats):
    """Seconds of both ways, (repeats, 2), and the largest relative difference of the losses."""
    x, y = problem(TRIALS, 20)
    net = networks(TRIALS, x.shape[2], width, DEPTH)
    eta = TangentKernel.at(net, x).step()
    seconds = []
    for _ in range(repeats):
        start = net.copy()
        ours, losses = timed(train_batched, start, x, y, eta, steps)
        theirs, expected = timed(train_plainly, net, x, y, eta, steps)
        seconds.append((theirs, ours))
    return np.array(seconds), (losses / expected - 1).abs().max().item()


def compare_kernels(samples, width, depth, repeats):
    x, _ = problem(1, samples)
    net = networks(1, x.shape[2], width, depth)
    seconds = []
    for _ in range(repeats):
        ours, kernel = timed(TangentKernel.at, net, x)
        theirs, expected = timed(direct_kernel, net, x, 10)
        seconds.append((theirs, ours))
    return np.array(seconds), (
        (kernel.matrix[0] - expected).abs().max() / expected.abs().max()
    ).item()


def report(name, seconds, difference, demand):
    theirs, ours = np.median(seconds, axis=0)
    # The ratio of each pair: what else the machine does weighs on both alike.
    ratio = np.median(seconds[:, 0] / seconds[:, 1])
    wanted = "no demand" if demand is None else f"demand {demand}"
    print(
        f"{name:<42} direct {theirs:8.3f} s  library {ours:8.3f} s  {ratio:6.1f} times as fast "
        f"({wanted})  relative difference {difference:.0e}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--samples", type=int, default=100, help="of the kernel")
    args = parser.parse_args()
    print(f"one thread, float64, medians of {args.repeats} repeats")
    for width, steps, demand in TRAINING:
        name = f"{TRIALS} trials, width {width}, {steps} steps"
        report(name, *compare_training(width, steps, args.repeats), demand)
    name = f"kernel, n = {args.samples}, width 1024, depth 4"
    report(name, *compare_kernels(args.samples, 1024, 4, min(args.repeats, 3)), 50)


if __name__ == "__main__":
    main()
