"""Made-up dual bounds of end points of SGD."""

import numpy as np

from .grid import grid, only, with_ends


def made(claim, good):
    table = grid(
        "MNIST", method=("convex", "sgd"), samples=(20, 40), seed=range(12), restart=(0, 1)
    )
    table = with_ends(table, 0.0)
    sgd, one = table.method == "sgd", only(table, method="sgd", samples=40, seed=4, restart=1)
    # Of the convex optimum nothing is claimed here.
    bound = (table.program * (1 + 0.9e-8)).where(sgd, 3.0)
    table["dual_bound"] = bound if good else bound.mask(one, 2.0 * (1 + 1.1e-8))
    # No bound at all is no certificate either.
    table["sampled_bound"] = bound if good else bound.mask(one, -np.inf)
    table["program_bound"] = table.objective.where(sgd, 3.0)
    if not good:
        table["program_bound"] = table.program_bound.mask(one, 2.0 * (1 + 1e-9))
    return {"image_profiles": table}
