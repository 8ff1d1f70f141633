"""Claims 5, 13: the optimal network along a path of beta, and the threshold where it vanishes.

Path: filters of the reduced network and the rank of their outputs, from beta_max down. Threshold:
beta_max by prices over all cells, beside the maximum that ascent finds without them and the
largest over random directions (control 13x).
"""

import numpy as np
import pandas as pd
from scipy import optimize

from cnntheory.ergen2021 import beta_max, enumerate_cells, path, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, correlations, draw_patches, output_rank

# From beta_max down over three decades.
DECADES = 3


def ascend(start, patches, y, pooling):
    """Largest ``|y^T phi(u)|`` from one direction: Nelder-Mead, which needs no derivatives."""
    found = optimize.minimize(
        lambda u: -correlations(u[None], patches, y, pooling)[0],
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-12, "fatol": 1e-15, "maxiter": 2000, "maxfev": 4000},
    )
    return -found.fun


def run():
    args = step.arguments(
        __doc__,
        ["path", "threshold"],
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        points=int,
        directions=int,
        starts=(int, 5),
    )
    rows, thresholds = [], []
    cases = [(pooling, seed) for pooling in ("average", "max") for seed in range(args.seeds)]
    fractions = np.geomspace(1, 10.0**-DECADES, args.points)
    for pooling, seed in step.progress(cases, label="path", unit="instance"):
        patches, y = draw_patches(args.seed, seed, args.samples, args.dimension, args.patch_size)
        largest = beta_max(patches, y, pooling, cells=enumerate_cells(patches, pooling))
        rng = step.generator(args.seed, "trace_path", "directions", seed)
        U = rng.standard_normal((args.directions, args.patch_size))
        sizes = correlations(U, patches, y, pooling)
        best = np.argsort(sizes)[-args.starts :]
        above, below = (
            train_convex(patches, y, largest * scale, pooling=pooling)
            for scale in (1 + 1e-8, 1 - 1e-3)
        )
        thresholds.append(
            {
                "pooling": pooling,
                "seed": seed,
                "beta_max": largest,
                "ascent": max(ascend(u, patches, y, pooling) for u in U[best]),
                "sampled": sizes.max(),
                "filters_at": np.count_nonzero(above.network.weights),
                "filters_below": np.count_nonzero(below.network.weights),
            }
        )
        solutions = path(patches, y, fractions * largest, pooling=pooling, tol=TOLERANCE)
        for fraction, solution in zip(fractions, solutions, strict=True):
            filters = solution.network.filters
            rows.append(
                {
                    "pooling": pooling,
                    "seed": seed,
                    "samples": args.samples,
                    "beta_fraction": fraction,
                    "objective": solution.objective / (y @ y / 2),
                    "gap": solution.gap,
                    "filters": len(filters),
                    "rank": output_rank(filters, patches, pooling) if len(filters) else 0,
                }
            )
    step.write_table(pd.DataFrame(rows), args.path, args)
    step.write_table(pd.DataFrame(thresholds), args.threshold, args)


if __name__ == "__main__":
    step.main(run)
