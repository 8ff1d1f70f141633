"""Accuracy of convex training on random small instances, a line for each that is not solved.

Run ``python benchmarks/ergen2021_accuracy.py --instances 1000`` under each set of BLAS kernels:
plain; with ``OPENBLAS_CORETYPE=Nehalem ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE``; with
``OPENBLAS_CORETYPE=Haswell``; with ``OPENBLAS_CORETYPE=SkylakeX`` where the processor has AVX-512.
It ends with status 1 if an instance ends above a gap of 1e-8 without saying so.
"""

import os

# One thread: BLAS reads these when numpy is first imported.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import sys
import time
import warnings

import numpy as np

from cnntheory.ergen2021 import ConvergenceWarning, beta_max, enumerate_cells, train_convex

# Certified relative gap that no instance may exceed silently, and the one asked for.
GAP, TOLERANCE = 1e-8, 1e-10
# Filter length: most patches, and most rows n K (times (K + 1) / 2 for max pooling).
SIZES = {2: (6, 120), 3: (4, 48), 4: (3, 24)}


def draw(seed, index):
    """Patches (n, K, h), Gaussian labels, a fraction of beta_max in [.001, .3] and the pooling."""
    rng = np.random.default_rng([seed, index])
    h, n = int(rng.integers(2, 5)), int(rng.integers(4, 21))
    most, rows = SIZES[h]
    K = int(rng.integers(1, most + 1))
    n = min(n, max(4, rows // K))
    fraction = float(10 ** rng.uniform(-3, np.log10(0.3)))
    pooling = "max" if rng.random() < 0.3 and n * K * (K + 1) // 2 <= rows else "average"
    if rng.random() < 0.5:  # windows of a signal share their entries
        signals = rng.standard_normal((n, K + h - 1))
        patches = np.lib.stride_tricks.sliding_window_view(signals, h, axis=1).copy()
    else:
        patches = rng.standard_normal((n, K, h))
    return patches, rng.standard_normal(n), fraction, pooling


def solve(seed, index, loss):
    """Certified gap, whether the solution admits one above `TOLERANCE`, iterations, a label."""
    patches, y, fraction, pooling = draw(seed, index)
    y = np.where(y < 0, -1.0, 1.0) if loss == "logistic" else y
    cells = enumerate_cells(patches, pooling)
    program = dict(architecture=pooling, loss=loss, cells=cells)
    beta = fraction * beta_max(patches, y, **program)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = train_convex(patches, y, beta, tol=TOLERANCE, **program)
    warned = any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    said = warned and not found.converged
    name = f"{index}: {pooling}, (n, K, h) = {patches.shape}, {fraction:.2g} beta_max"
    return found.gap, said, found.n_iter, name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="index of the first instance")
    parser.add_argument("--seed", type=int, default=1709)
    parser.add_argument("--loss", choices=("squared", "logistic"), default="squared")
    options = parser.parse_args()
    start, gaps, iterations, silent = time.process_time(), [], [], 0
    for index in range(options.first, options.first + options.instances):
        gap, said, steps, name = solve(options.seed, index, options.loss)
        gaps.append(gap)
        iterations.append(steps)
        if not gap <= TOLERANCE:
            silent += bool(not gap <= GAP and not said)
            print(f"{name}: gap {gap:.2g}, {'said' if said else 'NOT SAID'}", flush=True)
    gaps = np.array(gaps)
    print(
        f"{len(gaps)} instances: largest gap {gaps.max():.2g}, {np.sum(~(gaps <= GAP))} above "
        f"{GAP:g}, {np.sum(~(gaps <= TOLERANCE))} above {TOLERANCE:g}, {silent} of them silent; "
        f"{np.mean(iterations):.1f} iterations, {time.process_time() - start:.0f} s CPU"
    )
    sys.exit(silent > 0)


if __name__ == "__main__":
    main()
