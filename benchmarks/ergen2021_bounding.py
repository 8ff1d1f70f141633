"""Prices on MNIST without listing cells: seconds, cones and what is left between the bounds.

Zeros and ones at 14 x 14 (2 x 2 means), filters of 2 x 2 at stride 2, 3 x 3 at stride 2 and 5 x 5
at stride 3. Dual points: the labels; the residual of a network of ten filters after L-BFGS; at
``--optimal`` that of `train_convex` in time, the hardest: its constraint is tight at many filters.
Run ``MNIST_DIR=... python benchmarks/ergen2021_bounding.py``; one thread.
"""

import os

# One thread: BLAS reads these when numpy is first imported.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import time
import warnings

import numpy as np
from scipy.optimize import minimize

from cnntheory.ergen2021 import train_convex
from cnntheory.ergen2021.bounding import bound_price
from cnntheory.images import datasets, extract_patches

# Side of a filter: stride.
STRIDES = {2: 2, 3: 2, 5: 3}


def draw(count, size):
    """Patches (n, K, h), divided by K, and labels -1 and 1 of the first zeros and ones."""
    data = datasets.load(datasets.place()[1])
    chosen = np.flatnonzero(data["train_labels"] <= 1)[:count]
    images = data["train_images"][chosen].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    patches = extract_patches(images, size, STRIDES[size])
    return patches / patches.shape[1], np.where(data["train_labels"][chosen] == 0, -1.0, 1.0)


def residual(patches, y, beta, filters=10, steps=100):
    """``y - f`` of a network of average pooling, trained by L-BFGS from a random start."""
    n, K, h = patches.shape
    rows = patches.reshape(-1, h)

    def objective(z):
        u, w = z[: filters * h].reshape(filters, h), z[filters * h :]
        response = rows @ u.T
        pooled = np.maximum(response, 0).reshape(n, K, filters).sum(axis=1)
        error = pooled @ w - y
        slope = ((response > 0) * np.repeat(error, K)[:, None]).T @ rows * w[:, None]
        gradient = np.concatenate([slope.ravel(), error @ pooled]) + beta * z
        return error @ error / 2 + beta / 2 * z @ z, gradient

    start = np.random.default_rng(0).standard_normal(filters * (h + 1))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": steps})
    u, w = found.x[: filters * h].reshape(filters, h), found.x[filters * h :]
    return y - np.maximum(patches @ u.T, 0).sum(axis=1) @ w


def report(name, patches, v, architecture, limit):
    wall, cpu = time.perf_counter(), time.process_time()
    bound = bound_price(patches, v, architecture=architecture, time_limit=limit)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    n, K, h = patches.shape
    print(
        f"{architecture:8} n = {n:5} K = {K:3} h = {h:3} {name:9} {wall:7.2f} s ({cpu:6.2f} CPU) "
        f"{bound.n_nodes:8} cones  upper / lower - 1 = {bound.upper / bound.lower - 1:8.1e}",
        flush=True,
    )
    return bound


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each price")
    parser.add_argument("--fraction", type=float, default=0.01, help="beta over beta_max")
    parser.add_argument("--images", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--sides", type=int, nargs="+", default=[2, 3, 5], choices=STRIDES)
    parser.add_argument("--architectures", nargs="+", default=["average", "max", "none"])
    parser.add_argument("--optimal", action="store_true", help="train to a certified gap, too")
    options = parser.parse_args()
    for size in options.sides:
        for n in options.images:
            patches, y = draw(n, size)
            beta = options.fraction * bound_price(patches, y, time_limit=options.limit).lower
            v = residual(patches, y, beta)
            for architecture in options.architectures:
                report("labels", patches, y, architecture, options.limit)
                report("trained", patches, v, architecture, options.limit)
            if options.optimal and size == 2:
                start = time.perf_counter()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = train_convex(patches, y, beta, tol=1e-6, time_limit=5 * options.limit)
                seconds = time.perf_counter() - start
                print(f"trained  n = {n:5} gap {found.gap:.1e} after {seconds:.0f} s", flush=True)
                report("optimal", patches, found.dual, "average", options.limit)


if __name__ == "__main__":
    main()
