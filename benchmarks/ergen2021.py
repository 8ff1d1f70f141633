"""Convex training beside its peers: CVXPY with QOCO, Clarabel and SCS, and scnn; one thread.

All solve the program restricted to the same patterns. Seconds are wall time, CVXPY's with its own
compilation; CPU seconds stand beside them for a busy machine. Gaps are certified here: each peer's
solution is mapped to a network, whose objective is compared with one dual bound. Run
``python benchmarks/ergen2021.py``; it needs
``cvxpy`` and the solvers (``benchmarks/requirements.txt``). ``scnn`` is
reported where it is installed (``pip install --no-deps pyscnn linalg_backends``, then opt_einsum
and tqdm: its own requirements would replace torch).
"""

import os

# One thread for all sides: BLAS reads these when numpy is first imported.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import time

import cvxpy as cp
import numpy as np

from cnntheory.ergen2021 import beta_max, enumerate_cells, sample_gates, train_convex

# Certified relative gap to reach.
GAP = 1e-6
# Samples, least speed-up over CVXPY with the fastest of the solvers.
DEMANDS = ((500, 20), (1000, 20))
# Filter length, patches, samples.
CONVOLUTIONS = ((2, 4, 40), (2, 4, 160), (3, 4, 10), (3, 4, 40), (3, 4, 160))
# Patterns of a convolution that the peers are given at most.
PATTERNS = 300


def timed(function):
    """Result, wall seconds and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def cvxpy_filters(patches, y, beta, patterns, solver, **options):
    """The program of average pooling in CVXPY, one variable for each sign."""
    n, K, h = patches.shape
    P = len(patterns)
    design = np.einsum("pnk,nkh->nph", patterns, patches).reshape(n, P * h)
    sides = np.where(patterns, 1.0, -1.0).reshape(P, n * K)
    rows = patches.reshape(n * K, h)
    plus, minus = cp.Variable((P, h)), cp.Variable((P, h))
    fit = design @ cp.reshape(plus - minus, (P * h,), order="C")
    penalty = cp.sum(cp.norm(plus, 2, axis=1)) + cp.sum(cp.norm(minus, 2, axis=1))
    cones = [cp.multiply(sides, c @ rows.T) >= 0 for c in (plus, minus)]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * penalty), cones)
    problem.solve(solver=solver, **options)
    return np.concatenate([plus.value, minus.value]), np.repeat([1.0, -1.0], P), problem.value


def sampled_patterns(patches, count, seed):
    """Distinct patterns of average pooling that so many gates meet."""
    gates = sample_gates(patches.shape[2], count, seed)
    return np.unique(np.moveaxis(patches @ gates > 0, -1, 0), axis=0)


def peer_gap(answer, patches, y, beta, dual_bound):
    """Relative gap of the network that a peer's variables map to (they may leave their cones)."""
    c, signs, _ = answer
    length = np.linalg.norm(c, axis=1)
    kept = length > 1e-9 * length.max()
    fit = np.maximum(patches @ c[kept].T, 0).sum(axis=1) @ signs[kept]
    objective = ((fit - y) ** 2).sum() / 2 + beta * length[kept].sum()
    return (objective - dual_bound) / objective


def report(name, wall, cpu, gap, base):
    """One line; `base` are the library's seconds."""
    print(
        f"    {name:<22} {wall:8.2f} s ({cpu:7.2f} s CPU)  gap {gap:8.1e}  "
        f"{wall / base[0]:6.1f} ({cpu / base[1]:.1f} CPU) times the library",
        flush=True,
    )


def connected(n, seed, scs):
    """K = 1: n samples in 20 dimensions, 200 sampled patterns, lambda = 0.01 on the loss 1/(2n)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 20))
    teacher = np.maximum(x @ rng.standard_normal((20, 5)), 0) @ rng.standard_normal(5)
    y = teacher + 0.1 * rng.standard_normal(n)
    patches = x[:, None, :]
    patterns = sampled_patterns(patches, 200, seed)
    print(f"K = 1, n = {n}, d = 20, {len(patterns)} patterns, lambda = 0.01")
    compare(patches, y, 0.01 * n, patterns, scs)
    scnn(x, y, patterns, 0.01)


def convolution(h, K, n, seed, scs):
    """Average pooling at 0.1 beta_max; the peers get all patterns or sampled ones."""
    rng = np.random.default_rng(seed)
    patches, y = rng.standard_normal((n, K, h)), rng.standard_normal(n)
    if h == 2 or n <= 10:
        cells = enumerate_cells(patches)
        patterns, beta = cells.patterns, 0.1 * beta_max(patches, y, cells=cells)
    else:
        patterns = sampled_patterns(patches, PATTERNS, seed)
        beta = 0.1 * np.abs(y @ np.maximum(patches @ sample_gates(h, 1000, 1), 0).sum(1)).max() / 2
    print(f"average pooling, h = {h}, K = {K}, n = {n}, {len(patterns)} patterns")
    compare(patches, y, beta, patterns, scs)


def compare(patches, y, beta, patterns, scs):
    solution, *base = timed(lambda: train_convex(patches, y, beta, cells=patterns, tol=GAP))
    report("library", *base, solution.restricted_gap, base)
    bound = solution.dual_bound
    # Clarabel stops at 1e-8 by default; this is the gap that both sides are asked for
    ways = {
        "CVXPY + QOCO": ("QOCO", {"reltol": GAP, "abstol": GAP}),
        "CVXPY + Clarabel": ("CLARABEL", {"tol_gap_rel": GAP, "tol_gap_abs": GAP}),
    }
    if scs:
        ways["CVXPY + SCS, 1e-5"] = ("SCS", {"eps": 1e-5, "max_iters": 20_000})
    for name, (solver, options) in ways.items():
        if solver not in cp.installed_solvers():
            print(f"    {name:<22} not installed; benchmarks/requirements.txt names it")
            continue
        answer, *spent = timed(
            lambda solver=solver, options=options: cvxpy_filters(
                patches, y, beta, patterns, solver, **options
            )
        )
        report(name, *spent, peer_gap(answer, patches, y, beta, bound), base)


def scnn(x, y, patterns, penalty):
    """The peer's augmented Lagrangian, where it is installed."""
    try:
        from scnn.optimize import optimize
    except ImportError as error:
        print(f"    scnn                   not installed ({error}); skipped")
        return
    gates = len(patterns)
    (_, metrics), wall, cpu = timed(lambda: optimize("relu", gates, x, y[:, None], lam=penalty)[:2])
    print(
        f"    scnn (its own gates)   {wall:8.2f} s ({cpu:7.2f} s CPU)  "
        f"objective {np.ravel(metrics.objective)[-1]:.6g} (loss 1/(2n))"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scs", action="store_true", help="run SCS too (slow)")
    parser.add_argument("--only", choices=("connected", "convolution"))
    options = parser.parse_args()
    if options.only != "convolution":
        for n, demand in DEMANDS:
            print(f"demand: at least {demand} times faster than CVXPY + QOCO")
            connected(n, options.seed, options.scs)
    if options.only != "connected":
        for h, K, n in CONVOLUTIONS:
            convolution(h, K, n, options.seed, options.scs)


if __name__ == "__main__":
    main()
