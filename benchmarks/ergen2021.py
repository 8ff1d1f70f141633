"""Convex training beside CVXPY with QOCO and Clarabel; descent beside PyTorch.

All solve the program restricted to the same patterns, CVXPY's compilation included. Gaps are
certified here: each peer's solution is mapped to a network, whose objective is compared with one
dual bound.
"""

import cvxpy as cp
import numpy as np
import torch
from paired import paired, row, within

from cnntheory.ergen2021 import (
    beta_max,
    enumerate_cells,
    sample_gates,
    train_baseline,
    train_convex,
)
from cnntheory.images import datasets, extract_patches

torch.set_num_threads(1)
# Certified relative gap to reach.
GAP = 1e-6
# Seconds a peer may take.
LIMIT = 300
# Samples and least speed-up over CVXPY with QOCO, 20 dimensions and 200 patterns.
CONNECTED = ((200, None), (500, 20), (1000, 20))
# Filter length, patches, samples, bar.
CONVOLUTIONS = ((2, 4, 40, None), (2, 4, 160, 20), (3, 4, 40, None), (3, 4, 160, 20))
# Patterns of a convolution that the peers are given at most.
PATTERNS = 300
# Images, gates and bar; the bar holds at the largest size.
IMAGES = ((50, 20, None), (100, 20, None), (200, 20, None), (500, 20, 10))
SOLVERS = {
    # Clarabel stops at 1e-8 by default; this is the gap that both sides are asked for
    "QOCO": {"reltol": GAP, "abstol": GAP},
    "CLARABEL": {"tol_gap_rel": GAP, "tol_gap_abs": GAP},
}


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


def compare(work, size, patches, y, beta, patterns, bar, repeats, limit=LIMIT):
    """Rows of a program: the library in pairs with QOCO, then each other solver once."""
    ways = {"library": lambda: train_convex(patches, y, beta, cells=patterns, tol=GAP)}
    for solver, options in SOLVERS.items():
        if solver in cp.installed_solvers():
            ways[f"CVXPY + {solver}"] = lambda solver=solver, options=options: within(
                lambda: cvxpy_filters(patches, y, beta, patterns, solver, **options), limit
            )
    peers = list(ways)[1:]
    seconds, answers = paired({name: ways[name] for name in ("library", *peers[:1])}, repeats)
    for name in peers[1:]:
        more, answer = paired({name: ways[name]}, 1)
        seconds |= more
        answers |= answer
    solution = answers["library"]
    for name in peers:
        if answers[name] is None:
            said = f"stopped after {limit} s"
        else:
            said = f"peer {peer_gap(answers[name], patches, y, beta, solution.dual_bound):.0e}"
        wanted = bar if name == peers[0] else None
        yield row(work, size, seconds, name, wanted, f"gap {solution.restricted_gap:.0e}, {said}")


def connected(n, bar, repeats):
    """K = 1: n samples in 20 dimensions, 200 sampled patterns, lambda = 0.01 on the loss 1/(2n)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 20))
    teacher = np.maximum(x @ rng.standard_normal((20, 5)), 0) @ rng.standard_normal(5)
    y = teacher + 0.1 * rng.standard_normal(n)
    patches = x[:, None, :]
    patterns = sampled_patterns(patches, 200, 0)
    size = f"K = 1, n = {n}, d = 20, {len(patterns)} patterns"
    yield from compare("convex training", size, patches, y, 0.01 * n, patterns, bar, repeats)


def convolution(h, K, n, bar, repeats):
    """Average pooling at 0.1 beta_max; all patterns or sampled ones."""
    rng = np.random.default_rng(0)
    patches, y = rng.standard_normal((n, K, h)), rng.standard_normal(n)
    if h == 2:
        cells = enumerate_cells(patches)
        patterns, beta = cells.patterns, 0.1 * beta_max(patches, y, cells=cells)
    else:
        patterns = sampled_patterns(patches, PATTERNS, 0)
        beta = 0.1 * np.abs(y @ np.maximum(patches @ sample_gates(h, 1000, 1), 0).sum(1)).max() / 2
    size = f"h = {h}, K = {K}, n = {n}, {len(patterns)} patterns"
    yield from compare("convex training", size, patches, y, beta, patterns, bar, repeats)


def pictures(repeats):
    """MNIST at 14 x 14, 4 x 4 patches at stride 2, even against odd; until QOCO takes too long."""
    data = datasets.load(datasets.place()[1])
    found = []
    for n, gates, bar in IMAGES:
        images = data["train_images"][:n].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
        patches = extract_patches(images, 4, 2)
        patches = patches / patches.shape[1]
        y = np.where(data["train_labels"][:n] % 2 == 0, 1.0, -1.0)
        patterns = sampled_patterns(patches, gates, 0)
        size = f"n = {n}, K = {patches.shape[1]}, h = 16, {gates} gates"
        work = ("convex training, images", size, patches, y, 1e-4 * n, patterns)
        found = list(compare(*work, bar, 1 if n > 100 else repeats))
        yield from found
        if not any("stopped" not in line["accuracy"] for line in found):
            return


def restarts(repeats, n=20, K=4, h=3, m=12, count=64, steps=500):
    """Descent from many starts at once, beside a loop of PyTorch trainings from the same starts."""
    rng = np.random.default_rng(0)
    patches, y, beta = rng.standard_normal((n, K, h)), rng.standard_normal(n), 0.1
    start = {
        "filters": rng.standard_normal((count, m, h)) / np.sqrt(h),
        "weights": rng.standard_normal((count, m)) / np.sqrt(m),
    }

    def together():
        found = train_baseline(
            patches, y, beta, width=m, rng=0, restarts=count, max_iter=steps, start=start
        )
        return found.trace[-1]

    def one_by_one():
        x, labels, ends = torch.tensor(patches), torch.tensor(y), []
        for r in range(count):
            parts = [torch.tensor(value[r], requires_grad=True) for value in start.values()]
            adam = torch.optim.Adam(parts, lr=0.02, eps=1e-12)
            fall = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)

            def objective(parts=parts):
                filters, weights = parts
                outputs = torch.relu(x @ filters.T).sum(1) @ weights
                decay = beta / 2 * sum((part**2).sum() for part in parts)
                return ((outputs - labels) ** 2).sum() / 2 + decay

            for _ in range(steps):
                adam.zero_grad()
                objective().backward()
                adam.step()
                fall.step()
            ends.append(objective().item())
        return np.array(ends)

    seconds, found = paired({"library": together, "PyTorch": one_by_one}, repeats)
    apart = np.median(abs(found["library"] / found["PyTorch"] - 1))
    size = f"{count} starts, n = {n}, K = {K}, h = {h}, m = {m}, {steps} steps"
    said = f"ends {apart:.0e} apart (median)"
    yield row("descent from many starts", size, seconds, "PyTorch", 10, said)


def comparisons(repeats):
    """Rows of the table."""
    for n, bar in CONNECTED:
        yield from connected(n, bar, repeats if n < 500 else 1)
    yield from restarts(repeats)
    if datasets.place()[1]:
        yield from pictures(repeats)
    for h, K, n, bar in CONVOLUTIONS:
        yield from convolution(h, K, n, bar, repeats)
