"""Tensor initialisation against the direct way, side by side on the same data, one thread.

The direct way forms the whole ``p^3`` moment, block by block with ``einsum``, and hands it to
TensorLy's ``parafac``; signs and magnitudes are then found as in the library. Both see all patches
and centred labels. Run ``python benchmarks/zhong2017.py``; it needs ``tensorly``.
"""

import os

# One thread for both sides: BLAS reads these when numpy is first imported.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import time

import numpy as np
from tensorly.decomposition import parafac

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    draw_teacher,
    network_output,
    recovery_error,
    tensor_initialise,
)
from cnntheory.zhong2017.initialise import signs_and_magnitudes
from cnntheory.zhong2017.moments import first_moment

ROWS = 20_000
# With room for the products of two columns einsum ends in one BLAS call a block; its default
# limit on memory takes a path that is four to twelve times slower.
PATH = ("greedy", 1 << 30)
# Activation, patch size, least speed-up.
DEMANDS = (("squared_relu", 30, 10), ("squared_relu", 50, 20), ("tanh", 30, 3))


def direct_initialise(patches, y, n_filters, activation):
    """Form ``M_3`` as a whole, decompose it with TensorLy, scale by ``M_1``."""
    mean = y.mean()
    _, k, p = patches.shape
    z = patches.reshape(-1, p)
    c = np.repeat(y - mean, k)
    moment = np.zeros((p, p, p))
    for start in range(0, len(z), ROWS):
        block, weight = z[start : start + ROWS], c[start : start + ROWS]
        moment += np.einsum("n,ni,nj,nk->ijk", weight, block, block, block, optimize=PATH)
    moment /= len(z)
    M_1 = first_moment(patches, y - mean)
    trace = np.einsum("i,jk->ijk", M_1, np.eye(p))
    moment -= trace + trace.transpose(1, 0, 2) + trace.transpose(1, 2, 0)
    factors = parafac(moment, n_filters, init="svd", n_iter_max=200, tol=1e-8).factors
    directions = (factors[0] / np.linalg.norm(factors[0], axis=0)).T
    ceiling = ACTIVATIONS[activation].ceiling(M_1, mean / k, n_filters)
    return signs_and_magnitudes(directions, M_1, activation, ceiling)[0]


def timed(function, *arguments, **options):
    start = time.perf_counter()
    result = function(*arguments, **options)
    return time.perf_counter() - start, result


def compare(activation, p, seeds, n=160_000, k=4, n_filters=3):
    """Median seconds and errors of both ways; seeds alternate the order."""
    seconds, errors = {}, {}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        teacher = draw_teacher(n_filters, p, rng=rng)
        patches = rng.standard_normal((n, k, p))
        data = (patches, network_output(teacher, patches, activation), n_filters, activation)
        ways = {
            "library": lambda data=data: tensor_initialise(*data).filters,
            "mean only": lambda data=data: tensor_initialise(*data, center="mean").filters,
            "direct": lambda data=data: direct_initialise(*data),
        }
        for name in sorted(ways, reverse=bool(seed % 2)):
            spent, estimate = timed(ways[name])
            seconds.setdefault(name, []).append(spent)
            errors.setdefault(name, []).append(recovery_error(estimate, teacher).frobenius)
    return (
        {name: np.median(values) for name, values in seconds.items()},
        {name: np.median(values) for name, values in errors.items()},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    print(f"n = 160 000, k = 4, m = 3, one thread, medians of {seeds} seeds")
    print("'library' is the default; 'mean only' centres y as the direct way does")
    for activation, p, demand in DEMANDS:
        seconds, errors = compare(activation, p, seeds)
        for name in ("direct", "mean only", "library"):
            print(
                f"{activation:>12} p={p}  {name:>9}  {seconds[name]:7.3f} s  "
                f"error {errors[name]:.4f}  {seconds['direct'] / seconds[name]:6.1f} times as fast "
                f"(demand {demand})  error ratio {errors[name] / errors['direct']:.2f} "
                "(demand <= 1.10)",
                flush=True,
            )


if __name__ == "__main__":
    main()
