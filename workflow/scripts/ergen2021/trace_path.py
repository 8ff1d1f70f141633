"""Claims 5, 13: the optimal network along a path of beta, and the threshold where it vanishes.

Path: filters of the reduced network and the rank of their outputs, from beta_max down. Threshold:
beta_max by prices over all cells, beside the maximum that ascent finds without them and the
largest over random directions (control 13x).
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import optimize

from cnntheory.ergen2021 import beta_max, enumerate_cells, path, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCE,
    Signals,
    correlations,
    draw_patches,
    output_rank,
)
from workflow.scripts.step import Count

# From beta_max down over three decades.
DECADES = 3


class Options(Signals):
    """Claims 5, 13: the path of optimal networks, and the threshold where it begins."""

    trials: Count = Field(description="instances")
    points: Annotated[int, Field(ge=3)] = Field(description="of the path")
    directions: Count = Field(description="random ones of the threshold")
    starts: Count = Field(20, description="of the ascent, the best directions apart")


def apart(directions, sizes, starts, cosine=0.9):
    """The best directions, each at an angle to the better ones: one hill is not climbed twice.

    Parameters
    ----------
    directions : (draws, h) ndarray
    sizes : (draws,) ndarray
        What makes a direction good.
    starts : int
        How many at most.
    cosine : float
        Largest between two of them.

    Returns
    -------
    (up to starts, h) ndarray
    """
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    chosen = []
    for index in np.argsort(-sizes):
        if len(chosen) < starts and np.all(units[chosen] @ units[index] <= cosine):
            chosen.append(index)
    return directions[chosen]


def ascend(start, patches, y, pooling):
    """Largest ``|y^T phi(u)|`` from one direction: Nelder-Mead, which needs no derivatives."""
    found = optimize.minimize(
        lambda u: -correlations(u[None], patches, y, pooling)[0],
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-12, "fatol": 1e-15, "maxiter": 2000, "maxfev": 4000},
    )
    return -found.fun


def threshold(patches, y, pooling, largest, directions, starts):
    """The threshold by its other definitions: quantities of a row of the table."""
    sizes = correlations(directions, patches, y, pooling)
    above, below = (
        train_convex(patches, y, largest * scale, architecture=pooling)
        for scale in (1 + 1e-8, 1 - 1e-3)
    )
    return {
        "beta_max": largest,
        "ascent": max(ascend(u, patches, y, pooling) for u in apart(directions, sizes, starts)),
        "sampled": sizes.max(),
        "filters_at": np.count_nonzero(above.network.weights),
        "filters_below": np.count_nonzero(below.network.weights),
    }


def measure(options, rng):
    rows, thresholds = [], []
    cases = [(pooling, seed) for pooling in ("average", "max") for seed in range(options.trials)]
    fractions = np.geomspace(1, 10.0**-DECADES, options.points)
    for pooling, seed in step.progress(cases, label="path", unit="instance"):
        labelled = {"pooling": pooling, "seed": seed}
        patches, y = draw_patches(rng, seed, options)
        cells = enumerate_cells(patches, pooling)
        largest = beta_max(patches, y, architecture=pooling, cells=cells)
        shape = (options.directions, options.patch_size)
        directions = rng("directions", seed).standard_normal(shape)
        thresholds.append(
            labelled | threshold(patches, y, pooling, largest, directions, options.starts)
        )
        solutions = path(
            patches, y, fractions * largest, architecture=pooling, cells=cells, tol=TOLERANCE
        )
        for fraction, solution in zip(fractions, solutions, strict=True):
            filters = solution.network.filters
            rows.append(
                labelled
                | {
                    "samples": options.samples,
                    "beta_fraction": fraction,
                    "objective": solution.objective / (y @ y / 2),
                    "gap": solution.gap,
                    "filters": len(filters),
                    "rank": output_rank(filters, patches, pooling) if len(filters) else 0,
                }
            )
    return {"path": pd.DataFrame(rows), "threshold": pd.DataFrame(thresholds)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("path", "threshold"))
