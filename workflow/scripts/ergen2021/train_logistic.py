"""Claim 15: the logistic loss, its convex program certified and trained beside it.

Gaussian signals with random labels -1 and 1, average pooling: the cells are those of the squared
loss, only the loss and its Fenchel dual change.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, train_baselines, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCE,
    Descent,
    Signals,
    draw_patches,
    groups,
)
from workflow.scripts.step import Count, Share


class Options(Signals, Descent):
    """Claim 15: the logistic loss through the same cells."""

    trials: Count = Field(description="data sets, every second at the other strength")
    fractions: list[Share] = Field(min_length=1, description="beta in units of beta_max")
    width: Count = Field(description="m, filters of the trained networks")


def solve(options, rng, seed):
    """A data set with its optimum: ``patches, labels, beta, solution``."""
    patches, y = draw_patches(rng, seed, options)
    y = np.where(y < 0, -1.0, 1.0)
    fraction = options.fractions[seed % len(options.fractions)]
    top = beta_max(patches, y, loss="logistic", cells=enumerate_cells(patches))
    beta = fraction * top
    return patches, y, beta, train_convex(patches, y, beta, loss="logistic", tol=TOLERANCE)


def measure(options, rng):
    rows = []
    progress = step.progress(range(options.trials), label="logistic", unit="instance")
    for seeds in groups(progress):
        *problems, solved = zip(*(solve(options, rng, seed) for seed in seeds), strict=True)
        for width in (1, options.width):
            trained = train_baselines(
                *problems,
                loss="logistic",
                width=width,
                restarts=options.restarts,
                max_iter=options.steps,
                step=options.step_size,
                rng=[rng(f"{width}", seed) for seed in seeds],
            )
            rows += [
                {
                    "seed": seed,
                    "beta_fraction": options.fractions[seed % len(options.fractions)],
                    "program": found.objective,
                    "dual_bound": found.dual_bound,
                    "gap": found.gap,
                    "filters": len(found.network.weights),
                    "width": width,
                    "objective": ends.objective.min(),
                }
                for seed, found, ends in zip(seeds, solved, trained, strict=True)
            ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
