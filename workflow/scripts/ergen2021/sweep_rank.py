"""Claim 12: the linear network without pooling, descent with a growing number of filters.

Patches side by side: of overlapping windows the network sees the sums along the anti-diagonals of Z
only, the optimal Z is not unique, and fewer filters than its rank can do.
"""

import numpy as np
import pandas as pd

from cnntheory.ergen2021.linear import beta_max_linear, train_linear
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    Descent,
    Instances,
    draw_signals,
    train_restarts,
    windows,
)


class Options(Instances, Descent):
    """Claim 12: the linear network on windows side by side, m = 1 to the largest rank plus one."""


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label="rank", unit="instance"):
        X, y = draw_signals(rng, seed, options.samples, options.dimension)
        patches = windows(X, options.patch_size, options.patch_size)
        betas = np.array(options.fractions) * beta_max_linear(patches, y)
        optima = [train_linear(patches, y, beta) for beta in betas]
        for width in range(1, max(optimum.rank for optimum in optima) + 2):
            _, ends = train_restarts(
                options, "linear", patches, y, betas, width, rng(f"{width}", seed)
            )
            for _, which, restart, objective in ends:
                optimum = optima[which]
                rows.append(
                    {
                        "seed": seed,
                        "samples": options.samples,
                        "beta_fraction": options.fractions[which],
                        "width": width,
                        "rank": optimum.rank,
                        "restart": restart,
                        "objective": objective,
                        "program": optimum.program,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
